"""What changed: every measure of a paired table as a difference with its interval, ready for the verdict."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from boxscore.experiments import statistics
from boxscore.experiments.statistics import Difference
from boxscore.experiments.table import Floats, Ints, PairedTable
from boxscore.experiments.verdict import MIN_UNITS, CostComparison, LatencyComparison, MetricComparison, Shown
from boxscore.scoring.scorer import Metric

TOKENS_OUT = Metric(name="tokens_out", kind="amount", better="lower", unit="tokens")


def shown(found: Difference, better: Literal["higher", "lower"]) -> Shown:
    """What the interval of a difference shows, seen from the user. Too few independent units show nothing."""
    if found.low == found.high == 0:
        return "same"
    if found.clusters < MIN_UNITS:
        return "unclear"
    if found.low > 0:
        return "better" if better == "higher" else "worse"
    if found.high < 0:
        return "worse" if better == "higher" else "better"
    return "unclear"


def finite(bound: float) -> float | None:
    """The end of an interval, None where it has none: a single unit has no spread, few calls no p95."""
    return bound if math.isfinite(bound) else None


def metric_difference(table: PairedTable, metric: Metric, alpha: float) -> Difference | None:
    """The paired difference of a scorer's metric; None where it was not recorded on both sides."""
    baseline, candidate, clusters = table.pair(metric.name)
    if not len(baseline):
        return None
    return statistics.paired(baseline, candidate, clusters=clusters, kind=metric.kind, alpha=alpha)


def detectable(found: Difference, metric: Metric, alpha: float) -> float | None:
    """The smallest true difference that the same examples would show at 80 % power; None where none can be told."""
    seen = statistics.detectable_again(found.low, found.high, alpha=alpha)
    share = (found.wins - found.losses) / found.n
    if metric.kind == "rate" and found.clusters == found.n and math.isclose(found.difference, share, abs_tol=1e-9):
        # 0/1 on both sides: where few examples changed the width alone promises too much.
        seen = max(seen, statistics.detectable_gain(found.n, (found.wins + found.losses) / found.n, alpha=alpha))
    return finite(seen) or None


def as_comparison(metric: Metric, found: Difference, p_adjusted: float, alpha: float) -> MetricComparison:
    """`p_adjusted` decides what is shown together with the interval: a secondary metric must survive both."""
    seen = shown(found, metric.better)
    return MetricComparison(
        metric=metric.name,
        difference=found.difference,
        low=finite(found.low),
        high=finite(found.high),
        p=found.p,
        p_adjusted=p_adjusted,
        method=found.method,
        wins=found.wins if metric.better == "higher" else found.losses,
        ties=found.ties,
        losses=found.losses if metric.better == "higher" else found.wins,
        kind=metric.kind,
        better=metric.better,
        unit=metric.unit,
        shown=seen if p_adjusted <= alpha or seen == "same" else "unclear",
        calibration=None if metric.judge is None else "uncalibrated",
    )


def tokens_difference(table: PairedTable, alpha: float) -> Difference | None:
    before, after, clusters = table.recorded(table.baseline.tokens_out, table.candidate.tokens_out)
    return statistics.paired(before, after, clusters=clusters, kind="amount", alpha=alpha) if len(before) else None


def cost_per_1k(table: PairedTable, alpha: float) -> Difference | None:
    """Dollars per 1,000 examples, candidate − baseline, where both have a cost."""
    before, after, clusters = table.recorded(table.baseline.cost, table.candidate.cost)
    if not len(before):
        return None
    return statistics.paired(1000 * before, 1000 * after, clusters=clusters, kind="amount", alpha=alpha)


def cost_comparison(table: PairedTable, primary: Metric, alpha: float) -> CostComparison | None:
    """Dollars per 1,000, and per extra success where the primary metric is a rate or a mean."""
    found = cost_per_1k(table, alpha)
    if found is None:
        return None
    per_success, benefit = None, None
    gains, costs, clusters = worth(table, primary)
    if primary.kind != "amount" and len(gains):
        per_success = statistics.cost_per_success(costs, gains, clusters, alpha=alpha)
        benefit = statistics.benefit_line(gains, costs, clusters=clusters, alpha=alpha)
    return CostComparison(
        difference_per_1k_usd=found.difference,
        low=finite(found.low),
        high=finite(found.high),
        per_extra_success_usd=per_success.value if per_success else None,
        per_extra_success_low=per_success.low if per_success else None,
        per_extra_success_high=per_success.high if per_success else None,
        method=found.method + (f"; {per_success.method}" if per_success else ""),
        shown=shown(found, "lower"),
        benefit=benefit,
    )


def worth(table: PairedTable, primary: Metric) -> tuple[Floats, Floats, Ints | None]:
    """Gain in success and extra dollars by example, with clusters, where both are known.

    A call that failed is a success less and, for all that is known, no dollar: left out, it would flatter its variant.
    """
    before, after = (np.where(side.failed == 1.0, 0.0, side.cost) for side in (table.baseline, table.candidate))
    if np.isnan(table.baseline.cost).all() or np.isnan(table.candidate.cost).all():
        nothing = np.zeros(0)
        return nothing, nothing, None
    gains, costs = gain(table, primary), after - before
    both = ~(np.isnan(gains) | np.isnan(costs))
    return gains[both], costs[both], None if table.clusters is None else table.clusters[both]


def latency_differences(table: PairedTable, qs: Sequence[float], alpha: float, seed: int) -> list[Difference] | None:
    """Seconds at the quantiles `qs` of calls, candidate − baseline."""
    before, after, groups = table.calls()
    if len(before) < 2:
        return None
    clusters: Ints | None = groups if statistics.distinct(groups) < len(groups) else None
    return statistics.paired_quantiles(before, after, qs, clusters, alpha=alpha, seed=seed)


def latency_comparison(table: PairedTable, alpha: float, seed: int) -> LatencyComparison | None:
    found = latency_differences(table, (0.5, 0.95), alpha, seed)
    if found is None:
        return None
    p50, p95 = found
    return LatencyComparison(
        p50_difference_s=p50.difference,
        p50_low=finite(p50.low),
        p50_high=finite(p50.high),
        p95_difference_s=p95.difference,
        p95_low=finite(p95.low),
        p95_high=finite(p95.high),
        method=p95.method,
        p50_shown=shown(p50, "lower"),
        p95_shown=shown(p95, "lower"),
    )


def gain(table: PairedTable, metric: Metric) -> Floats:
    """Candidate − baseline by example, shape (examples,), turned so that more is better; NaN where not recorded."""
    difference = table.candidate.values[metric.name] - table.baseline.values[metric.name]
    return difference if metric.better == "higher" else -difference
