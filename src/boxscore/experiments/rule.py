"""Making a rule: the one place where its options are checked, whether from a spec, the command line or Python."""

import math
from collections.abc import Mapping, Sequence
from typing import get_args

from boxscore.errors import SpecError, UnknownNameError
from boxscore.experiments.verdict import Guard, Rule, RuleKind
from boxscore.scoring.scorer import Metric
from boxscore.types import Json

OPERATIONS = ("cost_per_1k_usd", "latency_p50_s", "latency_p95_s", "tokens_out", "errors")
"""What a guard can watch besides the metrics of scorers. `errors` is the share of calls that failed."""

_GUARD_KEYS = ("metric", "margin", "ceiling")


def make_rule(
    metrics: Sequence[Metric],
    *,
    metric: str | None = None,
    kind: str | None = None,
    margin: float | None = None,
    alpha: float | None = None,
    usd_per_success: float | None = None,
    guards: Sequence[Guard | Mapping[str, Json]] = (),
    waive: Sequence[str] = (),
) -> Rule:
    """The rule over the given metrics, checked.

    `metric` is the primary one, the first if not given. `kind` is `value` where `usd_per_success` is given and
    `superiority` otherwise. `margin` is the smallest difference that matters, in the metric's unit: a fraction for
    rates (0.02 is two points). A guard has `metric` (a scorer's, or one of `OPERATIONS`) and either `margin` or
    `ceiling`. `waive` names judges on whose word it may ship without calibration. Raises `UnknownNameError` for a name,
    `SpecError` for a value; its `key` is that of the spec.
    """
    if not metrics:
        raise SpecError("a comparison needs at least one scorer.", key="scorers")
    names = {known.name: known for known in metrics}
    primary = metrics[0].name if metric is None else metric
    if primary not in names:
        raise UnknownNameError("metric", primary, names)
    chosen = _kind(kind, usd_per_success)
    return Rule(
        metric=primary,
        kind=chosen,
        margin=_margin(margin, chosen, names[primary]),
        alpha=_alpha(alpha),
        usd_per_success=_usd(usd_per_success, chosen, names[primary]),
        guards=tuple(_guards(guards, names)),
        waive=_waived(waive, metrics),
    )


def _waived(waive: Sequence[str], metrics: Sequence[Metric]) -> tuple[str, ...]:
    judges = list(dict.fromkeys(metric.judge for metric in metrics if metric.judge is not None))
    for name in waive:
        if name not in judges:
            known = f"the judges are {', '.join(judges)}" if judges else "there is no judge here"
            raise SpecError(f"{name!r} names no judge, and only judges can be waived; {known}.", key="rule.waive")
    return tuple(dict.fromkeys(waive))


def _kind(kind: str | None, usd_per_success: float | None) -> RuleKind:
    kinds: tuple[RuleKind, ...] = get_args(RuleKind)
    if kind is None:
        return "superiority" if usd_per_success is None else "value"
    for known in kinds:
        if kind == known:
            return known
    raise UnknownNameError("rule", kind, kinds)


def _margin(margin: float | None, kind: RuleKind, metric: Metric) -> float:
    key = "rule.margin"
    if margin is None:
        if kind == "noninferiority":
            raise SpecError(
                "the noninferiority rule needs a margin: how much worse the candidate may be and still pass "
                f"({_example(metric)}).",
                key=key,
            )
        return 0.0
    margin = _number(margin, key)
    if kind == "value" and margin != 0:
        raise SpecError("the value rule weighs quality against dollars and takes no margin; leave it out.", key=key)
    if kind == "noninferiority" and margin <= 0:
        raise SpecError(
            f"must be above 0 for noninferiority, and is {margin:g}: it is how much worse the candidate may be.",
            key=key,
        )
    return _difference(margin, metric, key)


def _difference(margin: float, metric: Metric | None, key: str) -> float:
    if margin < 0:
        raise SpecError(f"must be 0 or more, and is {margin:g}: a margin is a size, not a direction.", key=key)
    if metric is not None and metric.kind != "amount" and margin >= 1:
        raise SpecError(
            f"is {margin:g}, and {metric.name!r} lies between 0 and 1: margins are fractions, so that two points are "
            "0.02.",
            key=key,
        )
    return margin


def _alpha(alpha: float | None) -> float:
    if alpha is None:
        return 0.05
    alpha = _number(alpha, "rule.alpha")
    if not 0 < alpha < 0.5:
        raise SpecError(
            f"must lie between 0 and 0.5, and is {alpha:g}: it is the share of false alarms you accept.",
            key="rule.alpha",
        )
    return alpha


def _usd(usd_per_success: float | None, kind: RuleKind, metric: Metric) -> float | None:
    key = "rule.usd_per_success"
    if usd_per_success is None:
        if kind == "value":
            raise SpecError("the value rule needs it: what one more success is worth, in dollars.", key=key)
        return None
    if kind != "value":
        raise SpecError(f"belongs to the value rule, and the rule is {kind}; leave one of the two out.", key=key)
    usd_per_success = _number(usd_per_success, key)
    if usd_per_success <= 0:
        raise SpecError(f"must be above 0 dollars, and is {usd_per_success:g}.", key=key)
    if metric.kind == "amount":
        raise SpecError(
            f"the value rule counts successes, and {metric.name!r} is an amount; name a rate with 'metric'.",
            key="metric",
        )
    return usd_per_success


def _guards(guards: Sequence[Guard | Mapping[str, Json]], names: Mapping[str, Metric]) -> list[Guard]:
    made: list[Guard] = []
    for index, given in enumerate(guards):
        key = f"rule.guards[{index}]"
        guard = given if isinstance(given, Guard) else _guard(given, key)
        if guard.metric not in names and guard.metric not in OPERATIONS:
            raise UnknownNameError("guard metric", guard.metric, [*names, *OPERATIONS])
        if (guard.margin is None) == (guard.ceiling is None):
            found = "neither" if guard.margin is None else "both"
            raise SpecError(
                f"needs either 'margin' (worse than the baseline by less than this) or 'ceiling' (at most this), "
                f"and has {found}.",
                key=key,
            )
        if guard.margin is not None:
            margin = _number(guard.margin, f"{key}.margin")
            _difference(margin, names.get(guard.metric) or _operation(guard.metric), f"{key}.margin")
        else:
            _number(guard.ceiling, f"{key}.ceiling")
        if any((guard.metric, guard.margin is None) == (other.metric, other.margin is None) for other in made):
            raise SpecError(f"{guard.metric!r} is guarded in the same way twice.", key=key)
        made.append(guard)
    return made


def _guard(given: Mapping[str, Json], key: str) -> Guard:
    for name in given:
        if name not in _GUARD_KEYS:
            raise UnknownNameError("guard key", name, _GUARD_KEYS)
    metric: Json = given.get("metric")
    if not isinstance(metric, str):
        raise SpecError("needs the name of a metric.", key=f"{key}.metric")
    return Guard(metric=metric, margin=given.get("margin"), ceiling=given.get("ceiling"))


def _operation(name: str) -> Metric | None:
    return Metric(name=name, better="lower") if name == "errors" else None


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(f"must be a number, and is {value!r}.", key=key)
    return float(value)


def _example(metric: Metric) -> str:
    return "in its own unit" if metric.kind == "amount" else "0.02 is two points"
