"""One variant's own numbers, each with an interval: a rate, a mean, a quantile."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from boxscore.experiments.statistics.difference import column, interval
from boxscore.experiments.statistics.distributions import t_quantile
from boxscore.experiments.statistics.units import Floats, Units, cr2


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`value` with its two-sided interval, from `n` examples in `clusters` independent units. An end that so few units
    cannot tell is infinite."""

    value: float
    low: float
    high: float
    n: int
    clusters: int
    method: str


def rate(values: ArrayLike, clusters: ArrayLike | None = None, *, alpha: float = 0.05) -> Estimate:
    """Mean of values between 0 and 1, shape (n,).

    0/1 of independent examples: Wilson (1927). Otherwise Wilson's interval for as many independent 0/1 values as would
    have the error that is measured (the effective size of Korn and Graubard 1998), with a t quantile; the error is
    measured with one more unit of ones and one of zeros, so that it is no nought where all values agree.
    """
    found = column(values, "column")
    if found.min() < 0.0 or found.max() > 1.0:
        raise ValueError(f"a rate lies between 0 and 1, and the values go from {found.min():g} to {found.max():g}")
    units = Units.of(len(found), clusters)
    binary = bool(np.isin(found, (0.0, 1.0)).all())
    if binary and not units.clustered:
        z, size = t_quantile(1.0 - alpha / 2.0, math.inf), units.n
    elif units.dof <= 0:
        z, size = math.inf, units.n
    else:
        z, size = t_quantile(1.0 - alpha / 2.0, units.dof), float(effective_size(found, units))
    low, high = wilson(float(found.mean()), size, z)
    method = "Wilson" if binary else "Wilson, effective size"
    return Estimate(
        value=float(found.mean()),
        low=low,
        high=high,
        n=len(found),
        clusters=units.count,
        method=f"{method}, clustered" if units.clustered else method,
    )


def effective_size(values: Floats, units: Units) -> Floats:
    """How many independent 0/1 values know as much of the rate as these of shape (…, n) do."""
    size = units.average
    sums = units.sums(values)
    extra = np.broadcast_to(np.array([size, 0.0]), (*sums.shape[:-1], 2))
    moments = cr2(np.concatenate([sums, extra], axis=-1), np.concatenate([units.sizes, [size, size]]))
    # (n + 2 sizes) values had this variance of the mean; what they would have had if independent and 0/1:
    effective = moments.mean * (1.0 - moments.mean) / moments.variance
    return effective * units.n / (units.n + 2.0 * size)


def wilson(value: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval for a rate `value` seen on `n` independent values."""
    if math.isinf(z):
        return 0.0, 1.0
    square = z * z
    centre = (value + square / (2.0 * n)) / (1.0 + square / n)
    half = z / (1.0 + square / n) * math.sqrt(value * (1.0 - value) / n + square / (4.0 * n * n))
    return max(0.0, min(value, centre - half)), min(1.0, max(value, centre + half))


def mean(values: ArrayLike, clusters: ArrayLike | None = None, *, alpha: float = 0.05) -> Estimate:
    """Mean of any numbers, shape (n,): Student's t with the cluster-robust error, drawn out for skewness (see
    `difference`)."""
    found = column(values, "column")
    units = Units.of(len(found), clusters)
    low, high = interval(units.moments(found), units.dof, alpha)
    return Estimate(
        value=float(found.mean()),
        low=float(low),
        high=float(high),
        n=len(found),
        clusters=units.count,
        method="skewness-adjusted t, clustered" if units.clustered else "skewness-adjusted t",
    )


def quantile(values: ArrayLike, q: float, clusters: ArrayLike | None = None, *, alpha: float = 0.05) -> Estimate:
    """The `q` quantile (0 < q < 1) of numbers of shape (n,), the smallest value with at least that share at or below.

    The interval is Woodruff's (1952): the interval of the share at or below the quantile, read off the sorted values.
    It needs no shape of the distribution, and therefore cannot reach beyond what was seen: an end is infinite where the
    chance that no value at all lies beyond the true quantile is above alpha/2. For the upper one of a 95th percentile
    that is with fewer than `least_for_quantile(0.95)` = 72 units.
    """
    if not 0.0 < q < 1.0:
        raise ValueError(f"a quantile lies between 0 and 1, and {q} was asked for")
    found = column(values, "column")
    units = Units.of(len(found), clusters)
    ordered = np.sort(found)
    value = float(ordered[_place(q, len(found))])
    share = (found <= value).astype(np.float64)
    z = t_quantile(1.0 - alpha / 2.0, units.dof if units.clustered else math.inf) if units.dof > 0 else math.inf
    size = float(effective_size(share, units)) if units.clustered else units.n
    size = min(size, units.n)
    low, high = wilson(q, size, z)
    first, last = math.floor(low * len(found)) - 1, math.ceil(high * len(found))
    method = "Woodruff, clustered" if units.clustered else "Woodruff"
    open_below, open_above = ((1.0 - q) ** size > alpha / 2.0), (q**size > alpha / 2.0)
    return Estimate(
        value=value,
        low=-math.inf if open_below else float(ordered[max(0, first)]),
        high=math.inf if open_above else float(ordered[min(last, len(found) - 1)]),
        n=len(found),
        clusters=units.count,
        method=f"{method}, open above the greatest seen" if open_above else method,
    )


def least_for_quantile(q: float, *, alpha: float = 0.05) -> int:
    """How many independent values give the interval of `quantile` two finite ends."""
    return math.ceil(math.log(alpha / 2.0) / math.log(max(q, 1.0 - q)))


def _place(q: float, n: int) -> int:
    return min(n - 1, max(0, math.ceil(q * n - 1e-9) - 1))
