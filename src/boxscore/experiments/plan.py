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


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset can see with a rule. `units` are independent; `effective` what the examples are worth."""

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


def plan(
    name: str, examples: Sequence[Example], metric: Metric, rule: Rule, *, variants: int = 2, repeats: int = 1
) -> Plan:
    """For a rate or a mean: the smallest gain (superiority, value) that `examples` show, or the smallest margin
    (noninferiority) that an equal candidate is shown to keep. For an amount there is no telling before the spread is
    known: `lines` is empty and `reason` says so."""
    sizes = Counter(example.cluster or f"\0{index}" for index, example in enumerate(examples))
    typical = sum(size**2 for size in sizes.values()) / len(examples)
    effect = statistics.design_effect(typical, ALIKE)
    effective = len(examples) / effect
    pseudo = statistics.PSEUDO * len(examples) / len(sizes) / effect
    alpha = rule.alpha / max(1, variants - 1)  # the least that Holm leaves each of several candidates
    lines = tuple(_line(share, effective, len(sizes), pseudo, rule, alpha) for share in CHANGED)
    lines = () if metric.kind == "amount" else lines
    return Plan(
        dataset=name,
        examples=len(examples),
        units=len(sizes),
        effective=effective,
        metric=metric.name,
        rule=rule.kind,
        margin=rule.margin,
        alpha=rule.alpha,
        power=0.8,
        lines=lines,
        calls=len(examples) * variants * repeats,
        reason=_reason(len(examples), len(sizes), rule, lines),
    )


def _line(changed: float, effective: float, units: int, pseudo: float, rule: Rule, alpha: float) -> PlanLine:
    dof = float(units - 1)
    if rule.kind == "noninferiority":
        found = statistics.detectable_margin(effective, changed, dof=dof, pseudo=pseudo, alpha=alpha)
    else:
        threshold = rule.margin if rule.kind == "superiority" else 0.0
        found = statistics.detectable_gain(effective, changed, threshold=threshold, dof=dof, pseudo=pseudo, alpha=alpha)
    return PlanLine(changed=changed, detectable=found if math.isfinite(found) else None)


def _reason(examples: int, units: int, rule: Rule, lines: Sequence[PlanLine]) -> str:
    if units < MIN_UNITS:
        return f"{units} independent examples cannot decide anything: {MIN_UNITS} are the least."
    if not lines:
        return "For an amount the spread must be known first: compare on a few examples, then ask again."
    usual = next(line for line in lines if line.changed == 0.2)
    if usual.detectable is None:
        return f"{examples} examples are too few to show any difference at 80 % power."
    points = 100 * usual.detectable
    if rule.kind == "noninferiority":
        enough = usual.detectable <= rule.margin
        end = "enough" if enough else "too few"
        return (
            f"{examples} examples show an equal candidate to be within {points:.1f} points at 80 % power, if one "
            f"answer in five changes: {end} for the margin of {100 * rule.margin:.1f} points."
        )
    return f"{examples} examples show a gain of {points:.1f} points at 80 % power, if one answer in five changes."
