"""The decision: from intervals to ship, reject or undecided, by the rule and its guards.

Pure functions: nothing is estimated here. Every difference comes in oriented, candidate − baseline with more being
better, with its interval at the level that is due (for several candidates the one of `statistics.holm_levels`).

| rule           | ship                                             | reject                                   |
|----------------|--------------------------------------------------|------------------------------------------|
| superiority    | low > m                                          | high < m                                 |
| noninferiority | low > −m, and a saving with low > 0              | high < −m; or low > −m and no saving can |
|                |                                                  | be (every saving's high <= 0)            |
| value          | net benefit low > 0                              | net benefit high < 0                     |

and undecided otherwise. A guard that is shown worse rejects, one that is not shown to hold leaves undecided. A judge
that nobody held against people cannot ship: what would ship on its word is undecided, unless the rule waives it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from boxscore.experiments.verdict import MIN_UNITS, Check, Decision, Guard, Rule

Role = Literal["units", "primary", "saving", "net benefit", "guard", "calibration", "judged"]


class Interval(NamedTuple):
    """An estimate with its bounds. Oriented where it is a difference: more is better."""

    value: float
    low: float
    high: float


class Evidence(NamedTuple):
    """What is known of a guard's metric, None where nothing was recorded.

    `difference` is oriented (a guard with a margin reads it); `own` is the candidate's own value as it stands (one with
    a ceiling reads it).
    """

    difference: Interval | None = None
    own: Interval | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the rule asks. `outcome`: ship when it holds, reject when the opposite is shown, else undecided.

    `interval` was held against `threshold`: for a ceiling it must lie at or below it, for all others above it. Both are
    None where there was nothing to hold. `metric` is empty for the number of units, and of a calibration the judge's.
    """

    role: Role
    metric: str
    outcome: Decision
    interval: Interval | None = None
    threshold: float | None = None
    ceiling: bool = False

    def told(self) -> Check:
        """As the verdict tells it."""
        value, low, high = (
            bound if bound is not None and math.isfinite(bound) else None
            for bound in (self.interval or (None, None, None))
        )
        return Check(
            role=self.role,
            metric=self.metric,
            outcome=self.outcome,
            value=value,
            low=low,
            high=high,
            threshold=self.threshold,
            ceiling=self.ceiling,
        )


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and why. `decided_by` is the condition that a sentence should name first: what rejects, else what is
    missing, else the primary one. `guards` are the rule's, in its order, with `holds` filled in."""

    decision: Decision
    decided_by: Condition
    conditions: tuple[Condition, ...]
    guards: tuple[Guard, ...]
    note: str | None = None


def decide(
    rule: Rule,
    *,
    units: int,
    primary: Interval,
    savings: Mapping[str, Interval] | None = None,
    net_benefit: Interval | None = None,
    guards: Sequence[Evidence] = (),
    uncalibrated: Sequence[str] = (),
) -> Grounds:
    """Apply a rule.

    `units` are the independent ones. `primary` is the difference on the rule's metric. `savings` (noninferiority) are
    by metric, oriented: above 0 is saved; leave out what was not recorded. `net_benefit` (value) is in dollars per
    1,000 examples. `guards` has one entry per guard of the rule, in its order. `uncalibrated` judges are those that the
    rule rests on: without a waiver by name they leave undecided what would ship, and nothing else. Raises ValueError
    when `guards` has another length, or when the rule needs a net benefit that is not given.
    """
    if len(guards) != len(rule.guards):
        raise ValueError(f"the rule has {len(rule.guards)} guards, and evidence was given for {len(guards)}")
    own = rule_conditions(rule, primary, savings or {}, net_benefit)
    watched = [_guard_condition(guard, evidence) for guard, evidence in zip(rule.guards, guards, strict=True)]
    filled = tuple(
        msgspec.structs.replace(guard, holds=condition.outcome)
        for guard, condition in zip(rule.guards, watched, strict=True)
    )
    unwaived = [name for name in dict.fromkeys(uncalibrated) if name not in rule.waive]
    judged = [Condition(role="calibration", metric=name, outcome="undecided") for name in unwaived]
    conditions = (*own, *watched, *judged)
    if units < MIN_UNITS:
        few = Condition(role="units", metric="", outcome="undecided", threshold=float(MIN_UNITS))
        return Grounds(
            decision="undecided", decided_by=few, conditions=(few, *conditions), guards=filled, note=too_few(units)
        )
    decision, decided_by = combine(conditions)
    return Grounds(decision=decision, decided_by=decided_by, conditions=conditions, guards=filled)


def too_few(units: int) -> str:
    """The sentence for fewer than `MIN_UNITS` independent units."""
    have = "is only 1 independent example" if units == 1 else f"are only {units} independent examples"
    return f"There {have}: below {MIN_UNITS} no interval can be trusted, so this cannot decide. Add examples."


def rule_conditions(
    rule: Rule, primary: Interval, savings: Mapping[str, Interval], net_benefit: Interval | None
) -> list[Condition]:
    """What the rule itself asks, guards aside."""
    if rule.kind == "superiority":
        return [_above("primary", rule.metric, primary, rule.margin)]
    if rule.kind == "value":
        if net_benefit is None:
            raise ValueError(
                "the value rule needs a net benefit: cost and success of both variants on the same examples"
            )
        return [_above("net benefit", rule.metric, net_benefit, 0.0)]
    holds = _above("primary", rule.metric, primary, -rule.margin)
    return [holds, _saving(savings)]


def _above(role: Role, metric: str, interval: Interval, threshold: float) -> Condition:
    outcome: Decision = "ship" if interval.low > threshold else "reject" if interval.high < threshold else "undecided"
    return Condition(role=role, metric=metric, outcome=outcome, interval=interval, threshold=threshold)


def _saving(savings: Mapping[str, Interval]) -> Condition:
    """One saving that is shown is enough; none is possible when every interval lies at or below 0."""
    if not savings:
        return Condition(role="saving", metric="", outcome="undecided", threshold=0.0)
    # The one that looks best, in units of its own uncertainty, speaks for all.
    metric, best = max(savings.items(), key=lambda item: _clearance(item[1]))
    outcome: Decision = "undecided"
    if best.low > 0.0:
        outcome = "ship"
    elif all(interval.high <= 0.0 for interval in savings.values()):
        outcome = "reject"
    return Condition(role="saving", metric=metric, outcome=outcome, interval=best, threshold=0.0)


def _clearance(interval: Interval) -> tuple[bool, float]:
    width = interval.high - interval.low
    return interval.low > 0.0, (interval.low + interval.high) / width if 0.0 < width < float("inf") else 0.0


def _guard_condition(guard: Guard, evidence: Evidence) -> Condition:
    if guard.ceiling is not None:
        own, outcome = evidence.own, "undecided"
        if own is not None:
            outcome = "ship" if own.high <= guard.ceiling else "reject" if own.low > guard.ceiling else "undecided"
        return Condition(
            role="guard", metric=guard.metric, outcome=outcome, interval=own, threshold=guard.ceiling, ceiling=True
        )
    margin, difference, outcome = guard.margin or 0.0, evidence.difference, "undecided"
    if difference is not None:
        # At least as good always holds, so that a guard without margin is not failed by two identical columns.
        holds = difference.low > -margin or difference.low >= 0.0
        outcome = "ship" if holds else "reject" if difference.high < -margin else "undecided"
    return Condition(role="guard", metric=guard.metric, outcome=outcome, interval=difference, threshold=-margin)


def combine(conditions: Sequence[Condition]) -> tuple[Decision, Condition]:
    """Everything must hold to ship, and anything shown to fail rejects.

    A noninferiority rule without a possible saving rejects only where the primary metric holds: where that is open the
    table says undecided.
    """
    primary = conditions[0]
    for condition in conditions:
        if condition.outcome == "reject" and (condition.role != "saving" or primary.outcome == "ship"):
            return "reject", condition
    for condition in conditions:
        if condition.outcome != "ship":
            return "undecided", condition
    return "ship", primary
