"""The line score: one variant's own numbers, each with its interval."""

import numpy as np

from boxscore.experiments import statistics
from boxscore.experiments.measures import finite
from boxscore.experiments.table import Column, Floats, Ints
from boxscore.experiments.verdict import MetricValue, VariantSummary
from boxscore.scoring.scorer import Metric


def summarise(
    column: Column, metrics: tuple[Metric, ...], clusters: Ints | None, *, alpha: float = 0.05
) -> VariantSummary:
    """One row of the line score, intervals at 1 − alpha. What was not recorded is None, or left out where it is a
    metric; so are the ends of intervals that have none."""
    values: dict[str, MetricValue] = {}
    for metric in metrics:
        known, groups = _known(column.values[metric.name], clusters)
        if not len(known):
            continue
        estimator = statistics.mean if metric.kind == "amount" else statistics.rate
        estimate = estimator(known, groups, alpha=alpha)
        values[metric.name] = MetricValue(
            value=estimate.value,
            low=finite(estimate.low),
            high=finite(estimate.high),
            n=estimate.n,
            method=estimate.method,
            kind=metric.kind,
            better=metric.better,
            unit=metric.unit,
            calibration=None if metric.judge is None else "uncalibrated",
        )
    cost = _mean(column.cost, clusters, alpha, scale=1000.0)
    tokens_out = _mean(column.tokens_out, clusters, alpha)
    p50 = _quantile(column.latency, clusters, 0.5, alpha)
    p95 = _quantile(column.latency, clusters, 0.95, alpha)
    tokens_in = column.tokens_in[~np.isnan(column.tokens_in)]
    return VariantSummary(
        name=column.run.variant.name,
        hash=column.run.variant.hash,
        model=column.run.variant.model,
        metrics=values,
        cost_per_1k_usd=cost[0],
        cost_per_1k_low=cost[1],
        cost_per_1k_high=cost[2],
        latency_p50_s=p50[0],
        latency_p50_low=p50[1],
        latency_p50_high=p50[2],
        latency_p95_s=p95[0],
        latency_p95_low=p95[1],
        latency_p95_high=p95[2],
        tokens_in=float(tokens_in.mean()) if len(tokens_in) else None,
        tokens_out=tokens_out[0],
        tokens_out_low=tokens_out[1],
        tokens_out_high=tokens_out[2],
        errors=column.errors,
        trials=column.trials,
    )


Interval = tuple[float | None, float | None, float | None]


def _mean(values: Floats, clusters: Ints | None, alpha: float, *, scale: float = 1.0) -> Interval:
    known, groups = _known(values, clusters)
    if not len(known):
        return None, None, None
    estimate = statistics.mean(known * scale, groups, alpha=alpha)
    low, high = finite(estimate.low), finite(estimate.high)
    return estimate.value, None if low is None else max(0.0, low), high


def _quantile(latency: Floats, clusters: Ints | None, q: float, alpha: float) -> Interval:
    """`latency` has shape (examples, repeats); repeats of one example belong together."""
    own = np.arange(len(latency)) if clusters is None else clusters
    flat = latency.ravel()
    known = ~np.isnan(flat)
    if not known.any():
        return None, None, None
    groups = None if clusters is None and latency.shape[1] == 1 else np.repeat(own, latency.shape[1])[known]
    estimate = statistics.quantile(flat[known], q, groups, alpha=alpha)
    return estimate.value, finite(estimate.low), finite(estimate.high)


def _known(values: Floats, clusters: Ints | None) -> tuple[Floats, Ints | None]:
    known = ~np.isnan(values)
    return values[known], None if clusters is None else clusters[known]
