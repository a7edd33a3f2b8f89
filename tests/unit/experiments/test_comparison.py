"""From two runs to a verdict."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.datasets import Example
from boxscore.errors import NothingToCompareError, ScorerError, UnknownNameError, UnknownPriceError
from boxscore.experiments.comparing import compare_many, compare_runs
from boxscore.experiments.comparison import Circumstances, Comparison
from boxscore.experiments.rule import make_rule
from boxscore.experiments.statistics import rate_power
from boxscore.experiments.trial import Run, Trial, VariantInfo
from boxscore.experiments.verdict import Verdict
from boxscore.providers.response import ErrorInfo, Response, Usage
from boxscore.scoring import Metric, Score

RIGHT = Metric(name="right")
OUT = ErrorInfo(kind="timeout", message="no answer in 10 s")


def run(
    name: str,
    values: list[float | None],
    *,
    cost: float | None = None,
    latency: float | None = None,
    metric: Metric = RIGHT,
    clusters: list[str] | None = None,
    errors: frozenset[int] = frozenset(),
    ids: list[str] | None = None,
    reference: list[str] | None = None,
) -> Run:
    """A run with one trial per value."""
    names = ids or [str(index) for index in range(len(values))]
    examples = tuple(
        Example(
            id=names[index],
            cluster=clusters[index] if clusters else None,
            slices={"kind": reference[index]} if reference else {},
        )
        for index in range(len(values))
    )
    trials = tuple(
        Trial(
            example_id=names[index],
            response=Response(
                output=f"answer {index}",
                cost_usd=None if cost is None else Decimal(str(cost + index * 1e-9)),
                latency_s=None if latency is None else latency + index * 1e-6,
                usage=Usage(input_tokens=10, output_tokens=5),
                error=OUT if index in errors else None,
            ),
            scores={} if index in errors else {metric.name: Score(value=value)},
        )
        for index, value in enumerate(values)
    )
    return Run(
        id=name,
        variant=VariantInfo(name=name, hash=name, model=name),
        dataset_name="d",
        dataset_version="v",
        examples=examples,
        metrics=(metric,),
        trials=trials,
        scorer_specs=("right",),
    )


def ones(n: int, wrong_every: int = 0) -> list[float | None]:
    return [0.0 if wrong_every and index % wrong_every == 0 else 1.0 for index in range(n)]


def compare(before: Run, after: Run, **options: object) -> Comparison:
    return compare_runs(before, after, make_rule(before.metrics, **options))  # pyright: ignore[reportArgumentType]


def test_a_clear_gain_ships() -> None:
    verdict = compare(run("old", ones(100, 2)), run("new", ones(100))).verdict

    assert verdict.verdict == "ship"
    assert verdict.comparisons[0].difference == pytest.approx(0.5)
    assert (verdict.comparisons[0].wins, verdict.comparisons[0].losses) == (50, 0)
    assert len(verdict.improvements) == 50


def test_a_clear_loss_is_rejected_and_names_the_examples() -> None:
    verdict = compare(run("old", ones(100)), run("new", ones(100, 2))).verdict

    assert verdict.verdict == "reject"
    assert verdict.regressions == tuple(str(index) for index in range(0, 100, 2))


def test_no_difference_is_undecided_and_says_what_is_needed() -> None:
    verdict = compare(run("old", ones(100, 8)), run("new", ones(100, 11))).verdict

    assert verdict.verdict == "undecided"
    assert verdict.needs is not None
    assert verdict.needs.examples is not None
    assert verdict.needs.examples > 100


def test_identical_answers_need_more_than_examples() -> None:
    verdict = compare(run("old", ones(100, 10)), run("new", ones(100, 10))).verdict

    assert verdict.verdict == "undecided"
    assert verdict.needs is not None
    assert verdict.needs.examples is None


@pytest.mark.parametrize("n", [1, 2, 19])
def test_fewer_than_twenty_examples_decide_nothing(n: int) -> None:
    verdict = compare(run("old", [0.0] * n), run("new", [1.0] * n)).verdict

    assert verdict.verdict == "undecided"
    assert verdict.comparisons[0].shown == "unclear"
    assert any("20" in warning for warning in verdict.warnings)


def test_fewer_than_twenty_clusters_decide_nothing_however_many_examples() -> None:
    clusters = [str(index % 10) for index in range(200)]

    verdict = compare(run("old", [0.0] * 200, clusters=clusters), run("new", [1.0] * 200, clusters=clusters)).verdict

    assert verdict.verdict == "undecided"
    assert (verdict.dataset.examples, verdict.dataset.clusters) == (200, 10)


def test_clusters_widen_the_interval() -> None:
    values: list[float | None] = [float(index // 5 % 2) for index in range(200)]
    clusters = [str(index // 5) for index in range(200)]

    alone = compare(run("old", [0.0] * 200), run("new", values)).verdict.comparisons[0]
    together = compare(
        run("old", [0.0] * 200, clusters=clusters), run("new", values, clusters=clusters)
    ).verdict.comparisons[0]

    assert together.high - together.low > 1.8 * (alone.high - alone.low)


def test_errors_count_as_failures_and_are_told() -> None:
    verdict = compare(run("old", ones(100)), run("new", ones(100), errors=frozenset(range(40)))).verdict

    assert verdict.verdict == "reject"
    assert verdict.candidate.errors == 40
    assert verdict.comparisons[0].difference == pytest.approx(-0.4)
    assert any("40 of 100 calls failed" in warning for warning in verdict.warnings)
    assert verdict.sensitivity is not None
    assert "+0.0 points" in verdict.sensitivity


def test_examples_of_one_run_alone_count_as_failures_of_the_other() -> None:
    before = run("old", ones(60))
    after = run("new", ones(50))

    verdict = compare(before, after).verdict

    assert verdict.dataset.examples == 60
    assert verdict.dataset.unpaired == 10
    assert verdict.comparisons[0].difference == pytest.approx(-10 / 60)
    assert any("no answer to 10 of 60" in warning for warning in verdict.warnings)


def test_runs_without_a_common_example_are_refused() -> None:
    before, after = run("old", ones(30)), run("new", ones(30), ids=[f"x{index}" for index in range(30)])

    with pytest.raises(NothingToCompareError, match="nothing can be paired"):
        compare(before, after)


def test_a_score_that_is_no_number_is_refused() -> None:
    values = ones(30)
    values[7] = float("nan")

    with pytest.raises(ScorerError) as caught:
        compare(run("old", ones(30)), run("new", values))

    assert caught.value.example_id == "7"


def test_less_is_better_where_the_metric_says_so() -> None:
    seconds = Metric(name="wait", kind="amount", better="lower", unit="s")
    before = run("old", [2.0 + index % 3 for index in range(60)], metric=seconds)
    after = run("new", [1.0 + index % 3 for index in range(60)], metric=seconds)

    verdict = compare(before, after).verdict

    assert verdict.verdict == "ship"
    assert verdict.comparisons[0].difference == pytest.approx(-1.0)
    assert verdict.comparisons[0].shown == "better"
    assert verdict.comparisons[0].wins == 60


def test_a_rate_of_which_less_is_better_counts_an_error_as_its_worst_value() -> None:
    refusal = Metric(name="refusal", better="lower")
    before = run("old", [0.0] * 60, metric=refusal)
    after = run("new", [0.0] * 60, metric=refusal, errors=frozenset(range(30)))

    assert compare(before, after).verdict.verdict == "reject"


def test_cheaper_and_not_worse_ships_under_noninferiority() -> None:
    before = run("old", ones(400, 10), cost=0.01)
    after = run("new", ones(400, 10), cost=0.004)

    verdict = compare(before, after, kind="noninferiority", margin=0.05).verdict

    assert verdict.verdict == "ship"
    assert verdict.cost is not None
    assert verdict.cost.difference_per_1k_usd == pytest.approx(-6.0)


def test_dearer_and_not_worse_is_rejected_under_noninferiority() -> None:
    before = run("old", ones(400, 10), cost=0.004)
    after = run("new", ones(400, 10), cost=0.01)

    assert compare(before, after, kind="noninferiority", margin=0.05).verdict.verdict == "reject"


def test_noninferiority_without_dollars_or_seconds_asks_for_a_price() -> None:
    with pytest.raises(UnknownPriceError, match="noninferiority"):
        compare(run("old", ones(50)), run("new", ones(50)), kind="noninferiority", margin=0.05)


@pytest.mark.parametrize(("worth", "decision"), [(0.10, "ship"), (0.005, "reject")])
def test_the_value_rule_weighs_a_success_against_its_dollars(worth: float, decision: str) -> None:
    before = run("old", ones(400, 2), cost=0.0)
    after = run("new", ones(400, 4), cost=0.01)

    verdict = compare(before, after, usd_per_success=worth).verdict

    assert verdict.verdict == decision
    assert verdict.cost is not None
    assert verdict.cost.per_extra_success_usd == pytest.approx(0.04, rel=1e-3)


def test_the_value_rule_without_dollars_asks_for_a_price() -> None:
    with pytest.raises(UnknownPriceError, match="value rule"):
        compare(run("old", ones(50, 2)), run("new", ones(50)), usd_per_success=1.0)


def test_a_broken_guard_rejects_a_gain() -> None:
    before = run("old", ones(200, 2), cost=0.001)
    after = run("new", ones(200), cost=0.01)

    verdict = compare(before, after, guards=[{"metric": "cost_per_1k_usd", "margin": 5.0}]).verdict

    assert verdict.verdict == "reject"
    assert verdict.rule.guards[0].holds == "reject"


@pytest.mark.parametrize(
    ("guard", "holds"),
    [
        ({"metric": "cost_per_1k_usd", "ceiling": 12.0}, "ship"),
        ({"metric": "cost_per_1k_usd", "ceiling": 8.0}, "reject"),
        ({"metric": "latency_p95_s", "ceiling": 2.0}, "ship"),
        ({"metric": "latency_p50_s", "margin": 0.2}, "reject"),
        ({"metric": "tokens_out", "margin": 1.0}, "ship"),
        ({"metric": "errors", "margin": 0.05}, "ship"),
    ],
)
def test_guards_on_dollars_seconds_tokens_and_errors(guard: dict[str, object], holds: str) -> None:
    before = run("old", ones(200, 2), cost=0.001, latency=1.0)
    after = run("new", ones(200), cost=0.01, latency=1.5)

    assert compare(before, after, guards=[guard]).verdict.rule.guards[0].holds == holds


def test_a_guard_on_dollars_that_are_not_known_asks_for_a_price() -> None:
    with pytest.raises(UnknownPriceError, match="guard"):
        compare(run("a", ones(50)), run("b", ones(50)), guards=[{"metric": "cost_per_1k_usd", "margin": 1.0}])


def test_a_slice_that_got_worse_is_found_under_a_gain() -> None:
    kinds = ["common"] * 160 + ["rare"] * 40
    before = run("old", [0.0] * 160 + [1.0] * 40, reference=kinds)
    after = run("new", [1.0] * 160 + [0.0] * 40, reference=kinds)

    verdict = compare(before, after).verdict

    assert verdict.verdict == "ship"
    assert (verdict.slices[0].value, verdict.slices[0].shown) == ("rare", "worse")
    assert "rare" in verdict.notes[0]


def test_a_slice_field_that_nobody_has_is_named() -> None:
    before, after = run("old", ones(40)), run("new", ones(40))

    with pytest.raises(UnknownNameError):
        compare_runs(before, after, make_rule(before.metrics), Circumstances(slices=("nope",)))


def test_several_candidates_share_the_error_rate() -> None:
    before = run("old", ones(100, 4))
    candidates = [run(name, ones(100, 9 + 2 * index)) for index, name in enumerate("abc")]
    rule = make_rule(before.metrics)

    alone = [compare_runs(before, candidate, rule).verdict.comparisons[0] for candidate in candidates]
    together = [comparison.verdict.comparisons[0] for comparison in compare_many(before, candidates, rule)]

    assert all(b.high - b.low >= a.high - a.low for a, b in zip(alone, together, strict=True))
    assert any(b.high - b.low > 1.1 * (a.high - a.low) for a, b in zip(alone, together, strict=True))


def test_the_same_runs_give_the_same_verdict_to_the_last_digit() -> None:
    before, after = run("old", ones(80, 3), cost=0.01, latency=1.0), run("new", ones(80, 5), cost=0.02, latency=2.0)

    first, second = compare(before, after).verdict, compare(before, after).verdict

    assert first.id == second.id
    assert msgspec.structs.replace(first, provenance=None) == msgspec.structs.replace(second, provenance=None)


def test_the_verdict_survives_its_json() -> None:
    verdict = compare(run("old", ones(80, 3), cost=0.01, latency=1.0), run("new", ones(80, 5), cost=0.02)).verdict

    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


VALUES = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=20, max_size=60)


@settings(max_examples=30)
@given(pairs=VALUES)
def test_exchanging_the_variants_turns_the_verdict_round(pairs: list[tuple[float, float]]) -> None:
    before, after = run("a", [pair[0] for pair in pairs]), run("b", [pair[1] for pair in pairs])

    there, back = compare(before, after).verdict, compare(after, before).verdict

    turned = {"ship": "reject", "reject": "ship", "undecided": "undecided"}
    assert back.verdict == turned[there.verdict]
    assert back.comparisons[0].difference == pytest.approx(-there.comparisons[0].difference)
    assert back.comparisons[0].low == pytest.approx(-there.comparisons[0].high)


@settings(max_examples=30)
@given(pairs=VALUES, seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(pairs: list[tuple[float, float]], seed: object) -> None:
    order = list(range(len(pairs)))
    seed.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue]
    before, after = run("a", [pair[0] for pair in pairs]), run("b", [pair[1] for pair in pairs])
    shuffled = msgspec.structs.replace(after, trials=tuple(after.trials[index] for index in order))

    one, other = compare(before, after).verdict, compare(before, shuffled).verdict

    assert one.comparisons == other.comparisons
    assert one.verdict == other.verdict


def test_a_single_example_has_no_interval_and_its_verdict_survives_its_json() -> None:
    verdict = compare(run("old", [0.0], cost=0.01, latency=1.0), run("new", [1.0], cost=0.02, latency=1.0)).verdict

    assert verdict.verdict == "undecided"
    assert verdict.cost is not None
    assert (verdict.cost.low, verdict.cost.high) == (None, None)
    assert verdict.needs is not None
    assert verdict.needs.examples == 19
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


def test_a_guard_on_what_was_not_recorded_says_so() -> None:
    verdict = compare(
        run("old", ones(100, 2)), run("new", ones(100)), guards=[{"metric": "latency_p50_s", "margin": 0.1}]
    ).verdict

    assert verdict.verdict == "undecided"
    assert verdict.needs is not None
    assert verdict.needs.examples is None
    assert "latency_p50_s was not recorded" in verdict.reason


def test_a_ceiling_is_held_against_the_interval_of_the_rules_own_level() -> None:
    before, after = run("old", ones(100, 2)), run("new", ones(100, 5))
    loose = compare(before, after, guards=[{"metric": "right", "ceiling": 0.88}]).verdict
    strict = compare(before, after, alpha=0.001, guards=[{"metric": "right", "ceiling": 0.88}]).verdict

    assert loose.rule.guards[0].holds == "ship"
    assert strict.rule.guards[0].holds == "undecided"


def test_a_p95_ceiling_does_not_hold_where_there_are_too_few_calls_for_an_upper_bound() -> None:
    before, after = run("old", ones(30, 2), latency=1.0), run("new", ones(30), latency=1.0)

    verdict = compare(before, after, guards=[{"metric": "latency_p95_s", "ceiling": 5.0}]).verdict

    assert verdict.rule.guards[0].holds == "undecided"


def test_a_guard_on_p95_asks_for_as_many_calls_as_give_it_an_interval() -> None:
    before, after = run("old", ones(40), latency=2.0), run("new", ones(40), latency=1.0)
    verdict = compare(before, after, guards=[{"metric": "latency_p95_s", "margin": 0.5}]).verdict

    assert verdict.rule.guards[0].holds == "undecided"
    assert verdict.latency is not None
    assert verdict.latency.p95_difference_s == pytest.approx(-1.0)
    assert (verdict.latency.p95_low, verdict.latency.p95_high, verdict.latency.p95_shown) == (None, None, "unclear")
    assert verdict.latency.p50_shown == "better"
    assert (verdict.candidate.latency_p95_high, verdict.candidate.latency_p95_s) == (
        None,
        pytest.approx(1.0, abs=0.001),
    )

    before, after = run("old", ones(100, 5), latency=2.0), run("new", ones(100), latency=1.0)
    longer = compare(before, after, guards=[{"metric": "latency_p95_s", "margin": 0.5}]).verdict
    assert longer.verdict == "ship"


def test_a_p95_without_interval_asks_for_the_examples_that_give_it_one() -> None:
    before, after = run("old", ones(40), latency=2.0), run("new", ones(40), latency=1.0)
    guards = [{"metric": "latency_p95_s", "margin": 0.5}]
    needs = compare(before, after, kind="noninferiority", margin=0.5, guards=guards).verdict.needs

    assert needs is not None
    assert needs.examples == 72 - 40
    assert "72 independent examples" in needs.note


def test_the_difference_that_can_be_seen_is_not_promised_from_a_handful_of_changes() -> None:
    values: list[float | None] = [1.0] * 49
    verdict = compare(run("old", [*values, 0.0]), run("new", [0.0, *values])).verdict

    assert verdict.provenance is not None
    seen = verdict.provenance.minimum_detectable
    assert seen is not None
    assert rate_power(seen, 50, seen) >= 0.8


def test_a_cost_ceiling_needs_no_price_of_the_baseline() -> None:
    before, after = run("old", ones(100, 2)), run("new", ones(100), cost=0.001)

    verdict = compare(before, after, guards=[{"metric": "cost_per_1k_usd", "ceiling": 5.0}]).verdict

    assert verdict.verdict == "ship"


def test_the_p_of_several_candidates_is_adjusted_and_the_fine_print_says_so() -> None:
    before = run("old", ones(100, 4))
    twins = [run(name, ones(100, 9)) for name in ("b", "c")]

    verdicts = [one.verdict for one in compare_many(before, twins, make_rule(before.metrics))]

    for verdict in verdicts:
        assert verdict.comparisons[0].p_adjusted == pytest.approx(2 * verdict.comparisons[0].p)
        assert verdict.provenance is not None
        assert "Holm over the candidates" in verdict.provenance.corrections[0]


def test_reports_name_the_level_at_which_several_candidates_have_their_intervals() -> None:
    before = run("old", ones(100, 4))
    several = compare_many(before, [run("b", ones(100, 9)), run("c", ones(100, 30))], make_rule(before.metrics))

    for comparison, level in zip(several, ("95 %", "97.5 %"), strict=True):
        assert f"{level} interval" in str(comparison)
        assert f"intervals at {level}" in str(comparison)
        assert f"{level} interval</th>" in comparison.html()


def test_a_slice_of_few_examples_is_never_called_worse_and_a_named_one_without_enough_is_told() -> None:
    kinds = ["common"] * 185 + ["rare"] * 12 + ["odd"] * 3
    before = run("old", [1.0] * 200, reference=kinds)
    after = run("new", [1.0] * 185 + [0.0] * 12 + [1.0] * 3, reference=kinds)

    verdict = compare(before, after).verdict

    assert next(part for part in verdict.slices if part.value == "rare").shown == "unclear"

    few = run("old", ones(40), reference=[str(index) for index in range(40)])
    told = compare_runs(few, few, make_rule(few.metrics), Circumstances(slices=("kind",))).verdict
    assert any("slice kind" in warning for warning in told.warnings)


def test_what_decided_is_part_of_the_id() -> None:
    before, after = run("old", ones(80, 3)), run("new", ones(80, 5))
    failing = run("new", ones(80, 5), errors=frozenset({0}))

    assert compare(before, after).verdict.id != compare(before, failing).verdict.id
    assert compare(before, after).verdict.id != compare(before, after, alpha=0.01).verdict.id
