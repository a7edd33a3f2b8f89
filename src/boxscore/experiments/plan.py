"""Power before spending: what a dataset can show, before anything is paid."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from boxscore.datasets.example import Example
from boxscore.experiments import statistics
from boxscore.experiments.verdict import MIN_UNITS, Rule
from boxscore.scoring.scorer import Metric

CHANGED = (0.05, 0.1, 0.2, 0.4)
"""Shares of examples on which two variants differ that a plan is worked out for. Two versions of one prompt mostly lie
near the lower end, two models near the upper."""

ALIKE = 0.3
"""How alike the differences inside one cluster are taken to be, where nothing is known (intra-cluster correlation)."""


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """`changed`: share of examples on which the two differ; `detectable`: the smallest true difference that is shown at
    80 % power, None where not even the largest would be. Fractions."""

    changed: float
    detectable: float | None


USUAL = 0.2
"""The share that one sentence is about."""

MOST = 1_000_000
"""Examples beyond which nobody goes."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset can see with a rule. `units` are independent; `effective` what the examples are worth.

    `enough`: whether a difference as small as the rule's margin is seen, if one answer in five changes; None where no
    margin was asked for and where there is no telling. `examples_needed` are as many as would be enough, None where
    these are, or where not even a million would be.
    """

    dataset: str
    examples: int
    units: int
    effective: float
    metric: str
    rule: str
    margin: float
    alpha: float
    power: float
    lines: tuple[PlanLine, ...]
    calls: int
    reason: str
    enough: bool | None = None
    examples_needed: int | None = None


def plan(
    name: str, examples: Sequence[Example], metric: Metric, rule: Rule, *, variants: int = 2, repeats: int = 1
) -> Plan:
    """For a rate or a mean: the smallest gain (superiority, value) that `examples` show, or the smallest margin
    (noninferiority) that an equal candidate is shown to keep. For an amount there is no telling before the spread is
    known: `lines` is empty and `reason` says so."""
    sizes = Counter(example.cluster or f"\0{index}" for index, example in enumerate(examples))
    typical = sum(size**2 for size in sizes.values()) / len(examples)
    effect = statistics.design_effect(typical, ALIKE)
    alpha = rule.alpha / max(1, variants - 1)  # the least that Holm leaves each of several candidates
    sight = _Sight(len(sizes) / len(examples), effect, rule, alpha)
    told = metric.kind != "amount"
    lines = tuple(sight.line(share, len(examples)) for share in CHANGED) if told else ()
    enough = sight.enough(len(examples)) if told and rule.margin else None
    if len(sizes) < MIN_UNITS:
        enough = False
    needed = sight.needed(len(examples), asked=told and rule.margin > 0) if enough is False else None
    return Plan(
        dataset=name,
        examples=len(examples),
        units=len(sizes),
        effective=len(examples) / effect,
        metric=metric.name,
        rule=rule.kind,
        margin=rule.margin,
        alpha=rule.alpha,
        power=0.8,
        lines=lines,
        calls=len(examples) * variants * repeats,
        reason=_reason(len(examples), len(sizes), rule, lines, enough, needed),
        enough=enough,
        examples_needed=needed,
    )


def detectable(examples: int, units: int, typical: float, *, changed: float = USUAL) -> float | None:
    """The smallest gain of a rate that a dataset shows at 80 % power with the rule that is used where none is named, a
    fraction; None where it shows none. `units` are clusters and rows without one, `typical` is the size of the cluster
    that a row picked at random is in."""
    if units < MIN_UNITS:
        return None
    rule = Rule(metric="", kind="superiority")
    sight = _Sight(units / examples, statistics.design_effect(typical, ALIKE), rule, rule.alpha)
    return sight.line(changed, examples).detectable


class _Sight:
    """What any number of examples would see, were they clustered as these are: `density` independent units an example,
    `effect` the design effect."""

    def __init__(self, density: float, effect: float, rule: Rule, alpha: float) -> None:
        self._density, self._effect, self._rule, self._alpha = density, effect, rule, alpha

    def line(self, changed: float, examples: int) -> PlanLine:
        threshold = self._rule.margin if self._rule.kind == "superiority" else 0.0
        found = self._detectable(changed, examples, threshold)
        return PlanLine(changed=changed, detectable=found if math.isfinite(found) else None)

    def enough(self, examples: int) -> bool:
        """Whether a difference of the margin is told from none."""
        return self._units(examples) >= MIN_UNITS and self._detectable(USUAL, examples, 0.0) <= self._rule.margin

    def needed(self, have: int, *, asked: bool) -> int | None:
        """The least number that is enough, rounded up to two digits; without a margin, that may decide at all."""
        low, high = have, math.ceil(MIN_UNITS / self._density)
        if not asked:
            return high
        while high <= MOST and not self.enough(high):
            low, high = high, 2 * high
        if high > MOST:
            return None
        while high - low > max(1, low // 100):
            middle = (low + high) // 2
            low, high = (low, middle) if self.enough(middle) else (middle, high)
        step = 10 ** max(0, len(str(high)) - 2)
        return -(-high // step) * step

    def _units(self, examples: int) -> int:
        return round(self._density * examples)

    def _detectable(self, changed: float, examples: int, threshold: float) -> float:
        size = examples / self._effect
        dof, pseudo = float(self._units(examples) - 1), statistics.PSEUDO / self._density / self._effect
        if self._rule.kind == "noninferiority":
            return statistics.detectable_margin(size, changed, dof=dof, pseudo=pseudo, alpha=self._alpha)
        return statistics.detectable_gain(size, changed, threshold=threshold, dof=dof, pseudo=pseudo, alpha=self._alpha)


def _reason(
    examples: int, units: int, rule: Rule, lines: Sequence[PlanLine], enough: bool | None, needed: int | None
) -> str:
    about = "" if needed is None else f" About {needed:,} examples are needed."
    if units < MIN_UNITS:
        return f"{units} independent examples cannot decide anything: {MIN_UNITS} are the least.{about}"
    if not lines:
        return "For an amount the spread must be known first: compare on a few examples, then ask again."
    size = f"{100 * rule.margin:.1f} points"
    asked = f" for the margin of {size}" if rule.kind == "noninferiority" else f" to tell {size} from none"
    verdict = "" if enough is None else f": enough{asked}" if enough else f": too few{asked}"
    usual = next(line for line in lines if line.changed == USUAL)
    if usual.detectable is None:
        return f"{examples} examples are too few to show any difference at 80 % power.{about}"
    points = 100 * usual.detectable
    if rule.kind == "noninferiority":
        return (
            f"{examples} examples show an equal candidate to be within {points:.1f} points at 80 % power, if one "
            f"answer in five changes{verdict}.{about}"
        )
    return (
        f"{examples} examples show a gain of {points:.1f} points at 80 % power, if one answer in five changes"
        f"{verdict}.{about}"
    )
