"""Verdicts made by hand for the report's tests. The structs are the real ones."""

from dataclasses import dataclass

import msgspec

from boxscore.experiments.verdict import (
    CostComparison,
    DatasetInfo,
    Evidence,
    Guard,
    LatencyComparison,
    MetricComparison,
    MetricValue,
    Needs,
    Pair,
    Provenance,
    Rule,
    Side,
    SliceComparison,
    VariantSummary,
    Verdict,
)


@dataclass(frozen=True)
class Sample:
    verdict: Verdict
    evidence: Evidence


def rate(value: float, low: float, high: float, n: int = 1000) -> MetricValue:
    return MetricValue(value=value, low=low, high=high, n=n, method="Wilson")


OLD = VariantSummary(
    name="gpt-3.5-turbo-0301",
    hash="5f1c22aa90",
    model="gpt-3.5-turbo-0301",
    metrics={"accuracy": rate(0.496, 0.465, 0.527), "format": rate(0.884, 0.863, 0.902)},
    cost_per_1k_usd=0.52,
    cost_per_1k_low=0.50,
    cost_per_1k_high=0.54,
    latency_p50_s=5.99,
    latency_p50_low=5.67,
    latency_p50_high=6.26,
    latency_p95_s=14.1,
    latency_p95_low=12.8,
    latency_p95_high=15.0,
    tokens_in=31,
    tokens_out=228,
    tokens_out_low=219,
    tokens_out_high=237,
    trials=1000,
)
NEW = VariantSummary(
    name="gpt-4-0314",
    hash="be77a0194c",
    model="gpt-4-0314",
    metrics={"accuracy": rate(0.840, 0.816, 0.861), "format": rate(0.996, 0.990, 0.998)},
    cost_per_1k_usd=13.83,
    cost_per_1k_low=13.20,
    cost_per_1k_high=14.45,
    latency_p50_s=6.70,
    latency_p50_low=6.39,
    latency_p50_high=6.99,
    latency_p95_s=21.5,
    latency_p95_low=18.8,
    latency_p95_high=22.7,
    tokens_in=30,
    tokens_out=215,
    tokens_out_low=205,
    tokens_out_high=226,
    trials=1000,
)
SHORT = VariantSummary(
    name="gpt-4-0613",
    hash="c0ffee0011",
    model="gpt-4-0613",
    metrics={"accuracy": rate(0.511, 0.480, 0.542), "format": rate(0.947, 0.931, 0.959)},
    cost_per_1k_usd=1.07,
    cost_per_1k_low=1.07,
    cost_per_1k_high=1.08,
    latency_p50_s=1.46,
    latency_p50_low=1.43,
    latency_p50_high=1.50,
    latency_p95_s=12.4,
    latency_p95_low=12.2,
    latency_p95_high=12.9,
    tokens_in=31,
    tokens_out=2.9,
    tokens_out_low=2.9,
    tokens_out_high=2.9,
    trials=1000,
)
CHEAP = VariantSummary(
    name="gpt-3.5-turbo-0613",
    hash="77120b3d1e",
    model="gpt-3.5-turbo-0613",
    metrics={"accuracy": rate(0.761, 0.734, 0.786), "format": rate(0.921, 0.903, 0.936)},
    cost_per_1k_usd=0.66,
    cost_per_1k_low=0.63,
    cost_per_1k_high=0.69,
    latency_p50_s=6.41,
    latency_p50_low=6.10,
    latency_p50_high=6.80,
    latency_p95_s=35.0,
    latency_p95_low=30.1,
    latency_p95_high=38.0,
    tokens_in=31,
    tokens_out=291,
    tokens_out_low=280,
    tokens_out_high=303,
    trials=1000,
)


def slice_(name: str, value: str, n: int, before: float, after: float, half: float, shown: str) -> SliceComparison:
    difference = after - before
    return SliceComparison(
        slice=name,
        value=value,
        examples=n,
        clusters=n,
        baseline=before,
        candidate=after,
        difference=difference,
        low=difference - half,
        high=difference + half,
        p=0.0001,
        p_adjusted=0.0008,
        wins=3,
        losses=9,
        shown=shown,  # pyright: ignore[reportArgumentType]
    )


def pair(name: str, before: str, after: str, *, outcome: str = "worse", question: str = "Is 6333 prime?") -> Pair:
    right, wrong = (0.0, 1.0) if outcome == "better" else (1.0, 0.0)
    return Pair(
        example_id=name,
        outcome=outcome,  # pyright: ignore[reportArgumentType]
        inputs={"question": question},
        reference="no",
        slices={"kind": "composite"},
        baseline=Side(output=before, value=right, label="no", tokens_out=22, cost_usd=0.00011, latency_s=0.748),
        candidate=Side(output=after, value=wrong, label="yes", tokens_out=287, cost_usd=0.018, latency_s=10.1),
    )


def latencies(centre: float, tail: float, n: int = 400) -> tuple[float, ...]:
    """A skewed shape without a random number: quantiles of a Weibull-like curve."""
    return tuple(centre * (2 * (i + 0.5) / n) ** tail for i in range(n))


MADE = Provenance(
    boxscore_version="0.1.0",
    created_at="2025-06-20T10:00:00Z",
    scorers=("choice:yes,no (last marked mention)",),
    prices=("openai, 2023-03-14",),
    answers_from="2023-07-02",
    answers_to="2023-07-02",
    spent_usd=14.35,
    minimum_detectable=0.061,
    corrections=("Holm over 8 slices",),
    command="boxscore compare primes.yaml",
    seed=7,
)

SHIP = Sample(
    Verdict(
        id="7c1e04ab",
        verdict="ship",
        reason="",
        rule=Rule(
            metric="accuracy",
            margin=0.02,
            guards=(
                Guard(metric="format", margin=0.01, holds="ship"),
                Guard(metric="cost_per_1k_usd", margin=15.0, holds="ship"),
                Guard(metric="latency_p95_s", margin=10.0, holds="ship"),
            ),
        ),
        dataset=DatasetInfo(name="primes", version="v2", examples=1000, clusters=1000, total=1000),
        baseline=OLD,
        candidate=NEW,
        also_run=(CHEAP, SHORT),
        comparisons=(
            MetricComparison(
                metric="accuracy", difference=0.344, low=0.301, high=0.387, p=1e-45, p_adjusted=1e-45,
                method="paired t", wins=469, ties=406, losses=125, shown="better",
            ),
            MetricComparison(
                metric="format", difference=0.112, low=0.092, high=0.132, p=1e-20, p_adjusted=2e-20,
                method="paired t", wins=115, ties=882, losses=3, shown="better",
            ),
            MetricComparison(
                metric="tokens_out", difference=-13, low=-26, high=1, p=0.07, p_adjusted=0.07, kind="amount",
                better="lower", method="bootstrap 3,000", wins=480, ties=20, losses=500, shown="unclear",
            ),
        ),
        cost=CostComparison(
            difference_per_1k_usd=13.31, low=12.69, high=13.93, per_extra_success_usd=0.0387,
            per_extra_success_low=0.034, per_extra_success_high=0.045, method="Fieller", shown="worse",
        ),
        latency=LatencyComparison(
            p50_difference_s=0.71, p50_low=0.36, p50_high=1.09, p95_difference_s=7.4, p95_low=4.6, p95_high=9.1,
            method="bootstrap 3,000", p50_shown="worse", p95_shown="worse",
        ),
        needs=None,
        slices=(
            slice_("kind", "composite, smallest factor 17 or more", 37, 0.757, 0.027, 0.145, "worse"),
            slice_("kind", "composite, smallest factor 5 to 13", 81, 0.889, 0.383, 0.120, "worse"),
            slice_("kind", "composite, divisible by 3", 100, 0.860, 0.380, 0.120, "worse"),
            slice_("size", "10,000 and more", 511, 0.491, 0.828, 0.060, "better"),
            slice_("kind", "prime", 500, 0.148, 0.976, 0.034, "better"),
        ),
        regressions=tuple(str(500 + i) for i in range(125)),
        improvements=tuple(str(i) for i in range(469)),
        tied=406,
        warnings=(),
        notes=(
            "It calls odd composite numbers prime: 38 % right where divisible by 3, 3 % where the smallest factor is "
            "17 or more.",
            "gpt-3.5-turbo-0613, also run, gives 26.5 of these 34.4 points for $0.14 of the $13.31.",
        ),
        provenance=MADE,
    ),
    Evidence(
        latencies={"gpt-3.5-turbo-0301": latencies(6.0, 0.8), "gpt-4-0314": latencies(6.7, 1.3)},
        pairs=(
            pair("526", "[No]\n\n6333 is not a prime number because it is divisible by 3 and 211.",
                 "Step 1: 6333 is not divisible by 2, 3, 5 or 7.\n\nSo 6333 is a prime number.\n\n[Yes]"),
            pair("503", "The digits of 4323 sum to 12, so it is divisible by 3. It is not a prime number. [No]",
                 "The digits of 4323 sum to 12, so it is not divisible by 3. It is a prime number. [Yes]"),
            pair("12", "It is a prime number.", "It is not a prime number.", outcome="better"),
        ),
    ),
)  # fmt: skip

REJECT = Sample(
    Verdict(
        id="55ae1f07",
        verdict="reject",
        reason="",
        rule=Rule(metric="accuracy", kind="noninferiority", margin=0.02),
        dataset=DatasetInfo(name="primes", version="v2", examples=1000, clusters=1000, total=1000),
        baseline=NEW,
        candidate=SHORT,
        comparisons=(
            MetricComparison(
                metric="accuracy", difference=-0.329, low=-0.373, high=-0.285, p=1e-40, p_adjusted=1e-40,
                method="paired t", wins=147, ties=377, losses=476, shown="worse",
            ),
            MetricComparison(
                metric="format", difference=-0.049, low=-0.063, high=-0.035, p=1e-9, p_adjusted=1e-9,
                method="paired t", wins=2, ties=947, losses=51, shown="worse",
            ),
        ),
        cost=CostComparison(
            difference_per_1k_usd=-12.75, low=-13.38, high=-12.13, per_extra_success_usd=0.0388,
            per_extra_success_low=0.034, per_extra_success_high=0.045, method="Fieller", shown="better",
        ),
        latency=LatencyComparison(
            p50_difference_s=-5.24, p50_low=-5.54, p50_high=-4.91, p95_difference_s=-9.1, p95_low=-10.4,
            p95_high=-6.4, method="bootstrap 3,000", p50_shown="better", p95_shown="better",
        ),
        needs=None,
        slices=(),
        regressions=tuple(str(i) for i in range(476)),
        improvements=tuple(str(500 + i) for i in range(147)),
        tied=377,
        warnings=("Answers shrank from 215 tokens to 3.",),
        provenance=msgspec.structs.replace(MADE, spent_usd=0.0, reused_trials=2000),
    ),
    Evidence(
        latencies={"gpt-4-0314": latencies(6.7, 1.3), "gpt-4-0613": latencies(1.5, 0.9)},
        pairs=(pair("1", "We check 2, 3 and 5. It is composite. [No]", "[Yes]"),),
    ),
)  # fmt: skip


def support(name: str, value: float, low: float, high: float, cost: float) -> VariantSummary:
    return VariantSummary(
        name=name,
        hash=f"hash-of-{name}",
        model="claude-sonnet-4",
        metrics={"accepted": rate(value, low, high, 60)},
        cost_per_1k_usd=cost,
        cost_per_1k_low=cost * 0.95,
        cost_per_1k_high=cost * 1.05,
        latency_p50_s=3.2,
        latency_p50_low=2.9,
        latency_p50_high=3.5,
        tokens_in=1905,
        tokens_out=396,
        trials=60,
    )


UNDECIDED = Sample(
    Verdict(
        id="b90d62e1",
        verdict="undecided",
        reason="",
        rule=Rule(metric="accepted", kind="noninferiority", margin=0.04),
        dataset=DatasetInfo(name="support-replies", version="v5", examples=60, clusters=60, total=200),
        baseline=support("reply@v12", 0.867, 0.758, 0.931, 9.40),
        candidate=support("reply@v13", 0.883, 0.778, 0.942, 5.60),
        comparisons=(
            MetricComparison(
                metric="accepted", difference=0.017, low=-0.056, high=0.090, p=0.65, p_adjusted=0.65,
                method="paired t", wins=4, ties=53, losses=3, shown="unclear",
            ),
        ),
        cost=CostComparison(difference_per_1k_usd=-3.80, low=-4.14, high=-3.46, method="paired t", shown="better"),
        latency=LatencyComparison(
            p50_difference_s=-0.29, p50_low=-0.71, p50_high=0.12, p95_difference_s=-0.5, p95_low=-1.9, p95_high=0.8,
        ),
        needs=Needs(examples=140, cost_usd=2.10),
        slices=(),
        regressions=("11", "31", "47"),
        improvements=("3", "9", "20", "22"),
        tied=53,
        warnings=(),
    ),
    Evidence(pairs=(pair("11", "Your refund is on its way.", "Your refund was refused."),)),
)  # fmt: skip

SAMPLES = {"ship": SHIP, "reject": REJECT, "undecided": UNDECIDED}


def with_rule(sample: Sample, decision: str, **changes: object) -> Verdict:
    rule = msgspec.structs.replace(sample.verdict.rule, **changes)
    return msgspec.structs.replace(sample.verdict, verdict=decision, rule=rule)


def without_money(verdict: Verdict) -> Verdict:
    """As if neither prices nor times had been recorded."""

    def bare(variant: VariantSummary) -> VariantSummary:
        kept = {name: getattr(variant, name) for name in ("name", "hash", "model", "metrics", "errors", "trials")}
        return VariantSummary(**kept)

    return msgspec.structs.replace(
        verdict,
        cost=None,
        latency=None,
        rule=msgspec.structs.replace(verdict.rule, guards=()),
        baseline=bare(verdict.baseline),
        candidate=bare(verdict.candidate),
        also_run=(),
        notes=(),
        comparisons=tuple(c for c in verdict.comparisons if c.metric != "tokens_out"),
    )


def with_metrics(verdict: Verdict, names: list[str]) -> Verdict:
    """The same with further metrics, all alike."""

    def more(variant: VariantSummary) -> VariantSummary:
        return msgspec.structs.replace(
            variant, metrics={**variant.metrics, **{name: rate(0.5, 0.4, 0.6) for name in names}}
        )

    extra = tuple(
        MetricComparison(
            metric=name, difference=0.01, low=-0.02, high=0.04, p=0.5, p_adjusted=0.9, method="paired t",
            wins=1, ties=1, losses=1,
        )
        for name in names
    )  # fmt: skip
    return msgspec.structs.replace(
        verdict,
        baseline=more(verdict.baseline),
        candidate=more(verdict.candidate),
        comparisons=(*verdict.comparisons, *extra),
    )
