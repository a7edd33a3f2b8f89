"""The paired difference: what changed from baseline to candidate, example by example, with its interval.

One estimator serves all kinds. The interval is mean ± t·standard error of the differences, with the cluster-robust
error and degrees of freedom of `units`. Scores are mostly alike on both sides, so that few differences carry all that
is known; there the plain interval is too short, and is nothing at all when no example changed. So for rates and means
two pseudo-units are added, one win and one loss, of the size of a typical change and a little heavier than a unit of
average size. For 0/1 scores of independent examples that is nearly the interval of Bonett and Price (2012), with a t
quantile in place of the normal one; for scores that nearly all differ it is the paired t interval with two more
observations. Amounts (dollars, seconds, tokens) have no bound and are often skewed: they get
the paired t interval, drawn out on either side to where Hall's correction for skewness (1992) reaches farther.

`p` inverts the interval: it is the alpha at which the interval would just touch `threshold`, so that p < alpha exactly
when the interval of that alpha excludes it. McNemar's test, which such data is often given to, is in `mcnemar`.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from boxscore.experiments.statistics.distributions import binomial_tail, normal_cdf, t_quantile, t_tail
from boxscore.experiments.statistics.units import Floats, Moments, Units, cr2

Kind = Literal["rate", "mean", "amount"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Candidate − baseline, in the metric's own unit and direction.

    `low` and `high` bound it at 1 − alpha, two-sided; they are infinite when there is only one unit. `p` is two-sided,
    for "the difference is `threshold`" (0 unless asked for). `wins` counts examples where the candidate's value is the
    greater one, `losses` the smaller. `n` examples fall into `clusters` independent units.
    """

    difference: float
    low: float
    high: float
    p: float
    method: str
    wins: int
    ties: int
    losses: int
    n: int
    clusters: int


def paired(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    kind: Kind = "rate",
    alpha: float = 0.05,
    threshold: float = 0.0,
) -> Difference:
    """Mean difference of two columns of shape (n,), paired by position and already averaged over repeats.

    `clusters` has shape (n,), equal entries belong together. `kind` is the metric's: "rate" and "mean" lie between 0
    and 1, "amount" is any number. Raises ValueError on NaN, infinity, unequal lengths or nothing at all.
    """
    before, after = _columns(baseline, candidate)
    units = Units.of(len(before), clusters)
    change = after - before
    moments = regularised(change, units, kind)
    low, high = interval(moments, units.dof, alpha)
    if kind != "amount":
        low, high = np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0)
    return Difference(
        difference=float(change.mean()),
        low=float(low),
        high=float(high),
        p=p_value(moments, units.dof, threshold),
        method=method_name(units, kind),
        wins=int((change > 0).sum()),
        ties=int((change == 0).sum()),
        losses=int((change < 0).sum()),
        n=len(change),
        clusters=units.count,
    )


def regularised(change: Floats, units: Units, kind: Kind) -> Moments:
    """Mean and its variance for differences of shape (…, n), with the pseudo-units where the kind asks for them."""
    if kind == "amount":
        return units.moments(change)
    return with_pseudo_units(units.sums(change), units, typical_change(change))


def typical_change(change: Floats) -> Floats:
    """Root mean square of the differences that are not 0, shape of the leading axes; 1 where all are 0."""
    count = (change != 0).sum(axis=-1)
    square = (change**2).sum(axis=-1)
    return np.sqrt(np.where(count > 0, square / np.maximum(count, 1), 1.0))


def with_pseudo_units(sums: Floats, units: Units, change: Floats, centre: Floats | float = 0.0) -> Moments:
    """CR2 moments after adding one unit at centre + change and one at centre − change, each of a unit's average size.

    A smaller size would be shorter and, with sparse differences that all go one way inside few clusters, wrong.

    `sums` has shape (…, units), `change` and `centre` the leading axes.
    """
    size = units.pseudo
    extra = np.stack(np.broadcast_arrays(centre + change, centre - change), axis=-1) * size
    return cr2(
        np.concatenate([sums, np.broadcast_to(extra, (*sums.shape[:-1], 2))], axis=-1),
        np.concatenate([units.sizes, [size, size]]),
    )


def interval(moments: Moments, dof: float, alpha: float) -> tuple[Floats, Floats]:
    """mean ± t·error, elementwise; where a skewness is known, long enough to hold Hall's interval as well."""
    if dof <= 0:
        return np.full_like(moments.mean, -np.inf), np.full_like(moments.mean, np.inf)
    t, error = t_quantile(1.0 - alpha / 2.0, dof), np.sqrt(moments.variance)
    if moments.skew is None:
        return moments.mean - t * error, moments.mean + t * error
    return drawn_out(moments.mean, error, t, moments.skew)


def drawn_out(mean: Floats, error: Floats, reach: Floats | float, skew: Floats) -> tuple[Floats, Floats]:
    """mean ± reach·error, drawn out on either side to where the correction for skewness reaches farther."""
    below = np.maximum(reach, unbend(reach, skew))
    above = np.maximum(reach, -unbend(-np.asarray(reach), skew))
    return mean - below * error, mean + above * error


def p_value(moments: Moments, dof: float, threshold: float = 0.0) -> float:
    """The alpha at which the interval of one mean just touches `threshold`."""
    mean, variance = float(moments.mean), float(moments.variance)
    if dof <= 0 or math.isinf(variance):
        return 1.0
    if variance <= 0.0:
        return 1.0 if mean == threshold else 0.0
    ratio = (mean - threshold) / math.sqrt(variance)
    reach = abs(ratio)
    if moments.skew is not None:
        bent = bend(ratio, float(moments.skew))
        reach = min(reach, max(0.0, math.copysign(bent, bent * ratio)))
    return min(1.0, 2.0 * t_tail(reach, dof))


def bend(ratio: float, skew: float) -> float:
    """Hall's transformation (1992) of a t ratio, which takes its skewness off. It grows with the ratio."""
    return ratio + skew * ratio**2 / 3.0 + skew**2 * ratio**3 / 27.0 + skew / 6.0


def unbend(bent: Floats | float, skew: Floats) -> Floats:
    """The ratio that `bend` takes to `bent`, elementwise over the skewness."""
    small = np.abs(skew) < 1e-7
    safe = np.where(small, 1.0, skew)
    return np.where(small, bent, 3.0 / safe * (np.cbrt(1.0 + safe * (bent - safe / 6.0)) - 1.0))


def method_name(units: Units, kind: Kind) -> str:
    name = "skewness-adjusted paired t" if kind == "amount" else "adjusted paired t"
    return f"{name}, clustered" if units.clustered else name


class McNemar(NamedTuple):
    """`z` = (wins − losses)/√(wins + losses), `p` from it, `exact` from the binomial, `mid_p` counting the observed
    split half (Fagerland, Lydersen and Laake 2013). All p are two-sided."""

    z: float
    p: float
    exact: float
    mid_p: float


def mcnemar(wins: int, losses: int) -> McNemar:
    """McNemar's test of "a change is as often a win as a loss" on the counts of examples that changed."""
    changed = wins + losses
    if changed == 0:
        return McNemar(0.0, 1.0, 1.0, 1.0)
    z = (wins - losses) / math.sqrt(changed)
    most = max(wins, losses)
    tail = binomial_tail(most, changed, 0.5)
    point = tail - binomial_tail(most + 1, changed, 0.5)
    exact = min(1.0, 2.0 * tail)
    mid_p = 1.0 if wins == losses else min(1.0, 2.0 * tail - point)
    return McNemar(z, 2.0 * normal_cdf(-abs(z)), exact, mid_p)


def _columns(baseline: ArrayLike, candidate: ArrayLike) -> tuple[Floats, Floats]:
    before, after = column(baseline, "baseline"), column(candidate, "candidate")
    if len(before) != len(after):
        raise ValueError(f"{len(before)} values of the baseline and {len(after)} of the candidate: they must be pairs")
    return before, after


def column(values: ArrayLike, name: str) -> Floats:
    """Values as floats of shape (n,). Raises ValueError, naming the column, when they are no finite numbers."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise ValueError(f"the {name} has shape {found.shape}, and one value per example was expected")
    if not len(found):
        raise ValueError(f"the {name} has no values: nothing can be estimated from none")
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        raise ValueError(
            f"value {bad[0] + 1} of the {name} is {found[bad[0]]}, and {len(bad)} of {len(found)} are not finite "
            "numbers: leave such examples out on both sides, or score them as failures"
        )
    return found
