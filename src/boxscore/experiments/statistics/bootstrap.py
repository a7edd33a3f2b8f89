"""The paired difference of two quantiles (p50, p95), by cluster bootstrap with Efron's BCa correction (1987)."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from boxscore.experiments.statistics.difference import Difference, column
from boxscore.experiments.statistics.distributions import normal_cdf, normal_quantile
from boxscore.experiments.statistics.units import Floats, Ints, Units

Counts = NDArray[np.float32]

DRAWS = 3000
_CELLS = 4_000_000
"""Draws are taken in batches of about this many cells, so that memory stays below some 100 MB."""
_JACKKNIFE = 400
"""Groups of units left out in turn for the acceleration, at most."""


def paired_quantile(
    baseline: ArrayLike,
    candidate: ArrayLike,
    q: float,
    clusters: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    seed: int = 0,
    draws: int = DRAWS,
) -> Difference:
    """Difference (candidate − baseline) of the `q` quantiles of two columns of shape (n,), paired by position.

    Units (clusters, else pairs) are drawn with replacement, both columns together. `p` inverts the interval: the alpha
    at which it would just touch 0. Same seed, same answer. Raises ValueError on NaN, unequal lengths, or q outside
    0 to 1.
    """
    if not 0.0 < q < 1.0:
        raise ValueError(f"a quantile lies between 0 and 1, and {q} was asked for")
    before, after = column(baseline, "baseline"), column(candidate, "candidate")
    if len(before) != len(after):
        raise ValueError(f"{len(before)} values of the baseline and {len(after)} of the candidate: they must be pairs")
    units = Units.of(len(before), clusters)
    members = _membership(len(before), units)
    first, second = _Sorted(before, members, q), _Sorted(after, members, q)
    ones = np.ones((1, units.count), dtype=np.float32)
    value = float((second.at(ones) - first.at(ones))[0])
    low, high, p = -math.inf, math.inf, 1.0
    if units.count > 1:
        rng = np.random.default_rng(seed)
        batch = max(1, _CELLS // len(before))
        parts: list[Floats] = []
        for start in range(0, draws, batch):
            counts = _draw(rng, min(batch, draws - start), units.count)
            parts.append(second.at(counts) - first.at(counts))
        drawn = np.sort(np.concatenate(parts))
        left_out = _leave_out(units.count)
        low, high, p = _bca(value, drawn, second.at(left_out) - first.at(left_out), alpha)
    change = after - before
    return Difference(
        difference=value,
        low=low,
        high=high,
        p=p,
        method="cluster bootstrap BCa" if units.clustered else "bootstrap BCa",
        wins=int((change > 0).sum()),
        ties=int((change == 0).sum()),
        losses=int((change < 0).sum()),
        n=len(before),
        clusters=units.count,
    )


class _Sorted:
    """A column in ascending order, with the unit of each value: quantiles under weights are one cumulative sum."""

    def __init__(self, values: Floats, members: Ints, q: float) -> None:
        order = np.argsort(values, kind="stable")
        self.values = values[order]
        self.members = members[order]
        self.q = q

    def at(self, counts: Counts) -> Floats:
        """The quantile for each row of `counts`, shape (draws, units): how often each unit is in the draw."""
        heaped = np.cumsum(counts[:, self.members], axis=1, dtype=np.float32)
        wanted = self.q * heaped[:, -1:] - 1e-3
        return self.values[np.argmax(heaped >= wanted, axis=1)]


def _membership(n: int, units: Units) -> Ints:
    if units.order is None:
        return np.arange(n, dtype=np.int64)
    members = np.empty(n, dtype=np.int64)
    members[units.order] = np.repeat(np.arange(units.count), units.sizes.astype(np.int64))
    return members


def _draw(rng: np.random.Generator, draws: int, units: int) -> Counts:
    picks = rng.integers(0, units, size=(draws, units)) + np.arange(draws)[:, None] * units
    return np.bincount(picks.ravel(), minlength=draws * units).reshape(draws, units).astype(np.float32)


def _leave_out(units: int) -> Counts:
    groups = min(units, _JACKKNIFE)
    return (np.arange(units)[None, :] % groups != np.arange(groups)[:, None]).astype(np.float32)


def _bca(value: float, drawn: Floats, left_out: Floats, alpha: float) -> tuple[float, float, float]:
    """Interval and p from sorted draws and the jackknife's values. Draws equal to the value count half."""
    draws = len(drawn)
    bias = normal_quantile(_share(drawn, value))
    if math.isinf(bias):
        return value, value, 1.0 if value == 0.0 else 1.0 / draws
    off = left_out.mean() - left_out
    spread = float((off**2).sum())
    pull = float((off**3).sum()) / (6.0 * spread**1.5) if spread > 0.0 else 0.0

    def corrected(p: float) -> float:
        z = bias + normal_quantile(p)
        return normal_cdf(bias + z / (1.0 - pull * z))

    low = drawn[max(0, math.floor(corrected(alpha / 2.0) * draws) - 1)]
    high = drawn[min(draws - 1, math.ceil(corrected(1.0 - alpha / 2.0) * draws))]
    # Solve corrected(p) = share of draws below 0 for p.
    share = min(max(_share(drawn, 0.0), 0.5 / draws), 1.0 - 0.5 / draws)
    z = normal_quantile(share) - bias
    tail = normal_cdf(z / (1.0 + pull * z) - bias)
    return float(low), float(high), min(1.0, 2.0 * min(tail, 1.0 - tail))


def _share(drawn: Floats, value: float) -> float:
    below = int(np.searchsorted(drawn, value, "left"))
    upto = int(np.searchsorted(drawn, value, "right"))
    return (below + upto) / (2.0 * len(drawn))
