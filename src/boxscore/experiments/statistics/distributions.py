"""Quantiles and tail areas of the normal, Student's t and the binomial, without scipy.

The t distribution goes through the regularised incomplete beta function (continued fraction of Lentz's form, DLMF
8.17.22), good to about 1e-13; quantiles are found by bisection on it and remembered.
"""

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_NORMAL = NormalDist()

_STEPS = 25

NORMAL_FROM = 1e7
"""Degrees of freedom from which t is taken as normal: they agree to eight digits there."""


def normal_cdf(x: float) -> float:
    """P(Z <= x)."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    """The x with P(Z <= x) = p, for 0 < p < 1; the infinities at 0 and 1."""
    if p <= 0.0 or p >= 1.0:
        return -math.inf if p <= 0.0 else math.inf
    return _NORMAL.inv_cdf(p)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta I_x(a, b) for a, b > 0 and 0 <= x <= 1."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 2000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + step * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + step / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def t_tail(x: float, dof: float) -> float:
    """P(T > x) of Student's t with `dof` degrees of freedom (any positive number, whole or not)."""
    if math.isinf(x):
        return 0.0 if x > 0 else 1.0
    if dof > NORMAL_FROM:
        return normal_cdf(-x)
    square = x * x
    if square < 1.0:  # near the middle the other form of the same area keeps its digits
        half = 0.5 - 0.5 * incomplete_beta(0.5, dof / 2.0, square / (dof + square))
    else:
        half = 0.5 * incomplete_beta(dof / 2.0, 0.5, dof / (dof + square)) if square < math.inf else 0.0
    return half if x >= 0 else 1.0 - half


@lru_cache(maxsize=4096)
def t_quantile(p: float, dof: float) -> float:
    """The x with P(T <= x) = p, for 0 < p < 1. Infinite for `dof` of 0 or less: nothing is known of the error."""
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -t_quantile(1.0 - p, dof)
    if dof <= 0.0:
        return math.inf
    if dof > NORMAL_FROM:
        return normal_quantile(p)
    low, high = 0.0, 2.0
    while t_tail(high, dof) > 1.0 - p:
        low, high = high, high * 2.0
        if high > 1e12:
            return math.inf
    for _ in range(80):
        middle = 0.5 * (low + high)
        if t_tail(middle, dof) > 1.0 - p:
            low = middle
        else:
            high = middle
        if high - low < 1e-13 * high:
            break
    return 0.5 * (low + high)


def variance_ratios(dof: float) -> list[float]:
    """Equally likely values of an estimated over the true variance with `dof` degrees of freedom: chi-square over dof,
    by the cube-root form of Wilson and Hilferty (1931). All 1 for infinite `dof`."""
    if math.isinf(dof):
        return [1.0]
    part = 2.0 / (9.0 * dof)
    return [
        max(0.0, 1.0 - part + normal_quantile((step + 0.5) / _STEPS) * math.sqrt(part)) ** 3 for step in range(_STEPS)
    ]


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(X >= k) of the binomial with `n` trials of chance `p`."""
    if k <= 0:
        return 1.0
    return 0.0 if k > n else incomplete_beta(k, n - k + 1.0, p)


def log_factorials(n: int) -> NDArray[np.float64]:
    """log(0!), log(1!), … log(n!), shape (n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1, dtype=np.float64)))])
