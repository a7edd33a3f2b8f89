"""The verdict: what `compare` decides, with everything a reader needs to believe or doubt it.

The structs are the JSON of `--json`, the API and webhooks. Fields may be added; those that exist stay.
Rates are fractions, money is US dollars, times are seconds. Every difference is candidate − baseline in the metric's
own direction; whether more is better is in `better`. An interval whose ends are None has no finite ones: a single
independent unit has no spread, and few calls tell no p95.
"""

import math
from typing import Literal

import msgspec

from boxscore.types import Json

MIN_UNITS = 20
"""Independent units (clusters, or examples where there are none) below which nothing is decided."""

Decision = Literal["ship", "reject", "undecided"]
RuleKind = Literal["superiority", "noninferiority", "value"]
Shown = Literal["better", "worse", "unclear", "same"]
Calibration = Literal["uncalibrated"]
"""What is known of a judge's error against people. Absent from what is measured without a judge."""


class Guard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A further condition. Either `margin` (may be worse than the baseline by less than this, in the metric's unit) or
    `ceiling` (the candidate's own value must be shown to lie at or below it). `holds` and `shown` are the outcome.

    `metric` is a scorer's metric or one of cost_per_1k_usd, latency_p50_s, latency_p95_s, tokens_out, errors.
    """

    metric: str
    margin: float | None = None
    ceiling: float | None = None
    holds: Decision | None = None
    note: str | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`waive` names uncalibrated judges on whose word the rule may ship all the same."""

    metric: str
    kind: RuleKind = "superiority"
    margin: float = 0.0
    alpha: float = 0.05
    usd_per_success: float | None = None
    guards: tuple[Guard, ...] = ()
    waive: tuple[str, ...] = ()


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`examples` are those compared (paired); `clusters` equals it when there is no clustering."""

    name: str
    version: str
    examples: int
    clusters: int
    total: int = 0
    unpaired: int = 0
    repeats: int = 1


class MetricValue(msgspec.Struct, frozen=True, kw_only=True):
    """`calibration` is None but for the metrics of judges."""

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    kind: Literal["rate", "mean", "amount"] = "rate"
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
    calibration: Calibration | None = None


class VariantSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the line score. None: not recorded."""

    name: str
    hash: str
    model: str | None
    metrics: dict[str, MetricValue]
    cost_per_1k_usd: float | None = None
    cost_per_1k_low: float | None = None
    cost_per_1k_high: float | None = None
    latency_p50_s: float | None = None
    latency_p50_low: float | None = None
    latency_p50_high: float | None = None
    latency_p95_s: float | None = None
    latency_p95_low: float | None = None
    latency_p95_high: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    tokens_out_low: float | None = None
    tokens_out_high: float | None = None
    errors: int = 0
    trials: int = 0


class MetricComparison(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the differences. `shown` is oriented: "better" is better for the user."""

    metric: str
    difference: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float
    method: str
    wins: int
    ties: int
    losses: int
    kind: Literal["rate", "mean", "amount"] = "rate"
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
    shown: Shown = "unclear"
    calibration: Calibration | None = None


class NetBenefit(msgspec.Struct, frozen=True, kw_only=True):
    """Net benefit per example as a function of v, the dollars that a success is worth.

    The estimate is v·successes − dearer. Its interval is v·gain − dearer ± t·√(square·v² + cross·v + constant), where
    `gain` is `successes` drawn a little towards 0 by the pseudo-units of the estimator.
    """

    successes: float
    gain: float
    dearer: float
    square: float
    cross: float
    constant: float
    t: float

    def at(self, v: float) -> tuple[float, float, float]:
        """Estimate, low and high in dollars per 1,000 examples."""
        middle = v * self.gain - self.dearer
        half = self.t * math.sqrt(max(0.0, self.square * v * v + self.cross * v + self.constant))
        return 1000.0 * (v * self.successes - self.dearer), 1000.0 * (middle - half), 1000.0 * (middle + half)


class CostComparison(msgspec.Struct, frozen=True, kw_only=True):
    """`per_extra_success_*`: dollars per one more success, from Fieller's interval; None where there is no finite
    one (the gain is not shown). When the candidate saves and loses quality it is dollars saved per success given up.
    `benefit` says what the change is worth at any price of a success."""

    difference_per_1k_usd: float
    low: float | None
    high: float | None
    per_extra_success_usd: float | None = None
    per_extra_success_low: float | None = None
    per_extra_success_high: float | None = None
    method: str = ""
    shown: Shown = "unclear"
    benefit: NetBenefit | None = None


class LatencyComparison(msgspec.Struct, frozen=True, kw_only=True):
    p50_difference_s: float
    p50_low: float | None
    p50_high: float | None
    p95_difference_s: float
    p95_low: float | None
    p95_high: float | None
    method: str = ""
    p50_shown: Shown = "unclear"
    p95_shown: Shown = "unclear"


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """How many more examples would decide at 80 % power, and what both variants' answers to them cost.

    `examples` None: no number of examples would (the measured effect sits on the border)."""

    examples: int | None
    cost_usd: float | None
    note: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the rule asks, and what became of it: `ship` when it is shown to hold, `reject` when the opposite
    is shown, else `undecided`.

    `role` is primary, saving, net benefit (dollars per 1,000), guard, units, the number of independent ones, or
    calibration, that the judge called `metric` was held against people or is waived, or judged, that it is decided the
    same without what a judge gave no verdict on. The interval was held against `threshold`: of a ceiling it must lie at
    or below it, of all else above it, turned so that more is better. What was not recorded, and an end that is not
    finite, is None.
    """

    role: Literal["units", "primary", "saving", "net benefit", "guard", "calibration", "judged"]
    metric: str
    outcome: Decision
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    ceiling: bool = False


class SliceComparison(msgspec.Struct, frozen=True, kw_only=True):
    """The primary metric inside one subset. `p_adjusted` by Holm over all slices shown."""

    slice: str
    value: str
    examples: int
    clusters: int
    baseline: float
    candidate: float
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    wins: int
    losses: int
    shown: Shown = "unclear"


class JudgeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A judge, and how its judging of this comparison went.

    `hash` is its identity: prompt, model and params. `verdicts` were given, `errors` could not be had (they count as
    failures, of a pairwise judge as ties; `failures` are their kinds), `repaired` took more than one call; `spent_usd`
    is what all its verdicts cost in this run, over all candidates, None where that is not known. Of a pairwise judge
    `pairs` were asked in both orders, `disagreed` of them got another verdict when the answers changed places, with
    `first_favoured` and `second_favoured` the places that won then. `length_correlation` is Pearson's between the gain
    in score and in characters, None below 20 answers.
    """

    name: str
    kind: Literal["binary", "ordinal", "rubric", "pairwise"]
    hash: str
    model: str | None
    metrics: tuple[str, ...]
    calibration: Calibration = "uncalibrated"
    waived: bool = False
    repeats: int = 1
    verdicts: int = 0
    errors: int = 0
    failures: str = ""
    repaired: int = 0
    reused: int = 0
    spent_usd: float | None = None
    pairs: int | None = None
    disagreed: int | None = None
    first_favoured: int | None = None
    second_favoured: int | None = None
    length_correlation: float | None = None


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The fine print: what was used, so that a reader can repeat it. `spent_usd` is of answers, `judge_spent_usd` of
    verdicts on them."""

    boxscore_version: str
    created_at: str
    scorers: tuple[str, ...] = ()
    prices: tuple[str, ...] = ()
    answers_from: str | None = None
    answers_to: str | None = None
    spent_usd: float | None = None
    judge_spent_usd: float | None = None
    reused_trials: int = 0
    minimum_detectable: float | None = None
    corrections: tuple[str, ...] = ()
    command: str | None = None
    seed: int = 0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` is the headline sentence. `id` is a short hash of what was compared: same inputs, same id.
    `confidence_level` is that of all intervals, a fraction: with several candidates Holm leaves it above 1 − alpha."""

    verdict: Decision
    reason: str
    rule: Rule
    dataset: DatasetInfo
    baseline: VariantSummary
    candidate: VariantSummary
    comparisons: tuple[MetricComparison, ...]
    cost: CostComparison | None
    latency: LatencyComparison | None
    needs: Needs | None
    slices: tuple[SliceComparison, ...]
    regressions: tuple[str, ...]
    warnings: tuple[str, ...]
    id: str = ""
    improvements: tuple[str, ...] = ()
    tied: int = 0
    notes: tuple[str, ...] = ()
    also_run: tuple[VariantSummary, ...] = ()
    sensitivity: str | None = None
    provenance: Provenance | None = None
    checks: tuple[Check, ...] = ()
    judges: tuple[JudgeInfo, ...] = ()
    confidence_level: float | None = None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One variant's answer to one example, as a person reads it."""

    output: str
    value: float | None = None
    label: str | None = None
    note: str | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    error: str | None = None


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    example_id: str
    outcome: Literal["worse", "better", "tied"]
    baseline: Side
    candidate: Side
    inputs: dict[str, Json] = {}
    reference: Json = None
    slices: dict[str, str] = {}


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict rests on, for the reports: latencies in seconds by variant name, and answers side by side, those
    that got worse first. `pairs` may be cut; the verdict has all ids."""

    latencies: dict[str, tuple[float, ...]] = {}
    pairs: tuple[Pair, ...] = ()
