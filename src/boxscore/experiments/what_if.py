"""What another rule, margin or price of a success would decide, from the same estimates.

Moving only tells: the verdict keeps the rule that was set before the run. The page does the same arithmetic in the
browser (web/src/pages/experiments/decide.ts); a table of cases that both are tested on keeps them equal.
"""

import math

import msgspec

from boxscore.experiments.decision import Condition, Interval, combine, rule_conditions
from boxscore.experiments.verdict import Check, Decision, NetBenefit, Rule, RuleKind, Verdict


class Estimates(msgspec.Struct, frozen=True, kw_only=True):
    """All that the rules look at. `low` and `high` bound the primary difference, turned so that more is better, None
    where they are not finite. `saving` is what became of a saving in dollars or latency. `benefit` is None where no
    cost is known. `held` are the checks that no setting moves: units, guards, calibration.
    """

    low: float | None
    high: float | None
    saving: Decision
    benefit: NetBenefit | None
    held: tuple[Check, ...]


def estimates(verdict: Verdict) -> Estimates:
    """Of a verdict as it was kept."""
    primary = next(found for found in verdict.comparisons if found.metric == verdict.rule.metric)
    low, high = primary.low, primary.high
    if primary.better == "lower":
        low, high = _minus(high), _minus(low)
    asked = Rule(metric=verdict.rule.metric, kind="noninferiority")
    _, saving = rule_conditions(asked, Interval(0.0, 0.0, 0.0), _savings(verdict), None)
    return Estimates(
        low=low,
        high=high,
        saving=saving.outcome,
        benefit=verdict.cost and verdict.cost.benefit,
        held=tuple(check for check in verdict.checks if check.role in ("units", "guard", "calibration", "judged")),
    )


def would(found: Estimates, kind: RuleKind, setting: float) -> Decision:
    """`setting` is the margin in the metric's unit or, of the value rule, the dollars that a success is worth."""
    if any(check.role == "units" for check in found.held):
        return "undecided"
    primary = Interval(0.0, *_finite(found.low, found.high))
    if kind == "value":
        if found.benefit is None:
            return "undecided"
        rule = Rule(metric="", kind=kind, usd_per_success=setting)
        own = rule_conditions(rule, primary, {}, Interval(*found.benefit.at(setting)))
    else:
        own = rule_conditions(Rule(metric="", kind=kind, margin=setting), primary, {}, None)
    if kind == "noninferiority":
        own[1] = Condition(role="saving", metric="", outcome=found.saving)
    held = [Condition(role=check.role, metric=check.metric, outcome=check.outcome) for check in found.held]
    return combine([*own, *held])[0]


def _savings(verdict: Verdict) -> dict[str, Interval]:
    found: dict[str, Interval] = {}
    cost, latency = verdict.cost, verdict.latency
    if cost is not None:
        low, high = _finite(cost.low, cost.high)
        found["cost_per_1k_usd"] = Interval(-cost.difference_per_1k_usd, -high, -low)
    if latency is not None:
        low, high = _finite(latency.p50_low, latency.p50_high)
        found["latency_p50_s"] = Interval(-latency.p50_difference_s, -high, -low)
    return found


def _finite(low: float | None, high: float | None) -> tuple[float, float]:
    return (-math.inf if low is None else low), (math.inf if high is None else high)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
