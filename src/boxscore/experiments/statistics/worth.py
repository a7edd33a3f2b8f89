"""What a change is worth: net benefit at a given price of a success, and the price at which it breaks even."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from boxscore.experiments.statistics.difference import (
    Difference,
    column,
    interval,
    p_value,
    typical_change,
    with_pseudo_units,
)
from boxscore.experiments.statistics.distributions import t_quantile
from boxscore.experiments.statistics.units import Floats, Moments, Units
from boxscore.experiments.verdict import NetBenefit


@dataclass(frozen=True, kw_only=True)
class CostPerSuccess:
    """Dollars of cost difference per success of difference: `value` = mean cost difference / mean success difference.

    - More successes: dollars paid per extra success; below 0 when the candidate is cheaper as well (each extra success
      comes with that saving).
    - Fewer successes and cheaper: dollars saved per success given up.
    - Fewer successes and dearer: below 0, dollars lost on top of each success given up.

    `value` is None where the successes are equal in number; `low` and `high` are None together when Fieller's set is
    not a finite interval, that is when the difference in successes is not shown.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str


def net_benefit(
    success_differences: ArrayLike,
    cost_differences: ArrayLike,
    usd_per_success: float,
    *,
    clusters: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Difference:
    """Dollars per 1,000 examples: 1000·v·(difference in success) − 1000·(difference in cost), v dollars per success.

    Both differences have shape (n,), candidate − baseline, more success and more dollars being greater. Interval as for
    a rate: the successes get one win and one loss of pseudo-units, the costs none. Raises ValueError on NaN.
    """
    success, cost = _pair(success_differences, cost_differences)
    units = Units.of(len(success), clusters)
    moments = benefit_moments(success, cost, usd_per_success, units)
    low, high = interval(moments, units.dof, alpha)
    worth = usd_per_success * success - cost
    return Difference(
        difference=1000.0 * float(worth.mean()),
        low=1000.0 * float(low),
        high=1000.0 * float(high),
        p=p_value(moments, units.dof),
        method="net benefit, adjusted paired t" + (", clustered" if units.clustered else ""),
        wins=int((worth > 0).sum()),
        ties=int((worth == 0).sum()),
        losses=int((worth < 0).sum()),
        n=len(worth),
        clusters=units.count,
    )


def benefit_moments(success: Floats, cost: Floats, usd_per_success: float, units: Units) -> Moments:
    """Moments of v·success − cost in dollars per example, for arrays of shape (…, n)."""
    worth = units.sums(usd_per_success * success - cost)
    return with_pseudo_units(worth, units, usd_per_success * typical_change(success), -cost.mean(axis=-1))


def cost_per_success(
    cost_differences: ArrayLike,
    success_differences: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
) -> CostPerSuccess:
    """Fieller's interval (1954) for the ratio, with the cluster-robust errors of `net_benefit`.

    It holds exactly the prices v of a success at which `net_benefit` is neither shown above nor below 0, so that it
    never contradicts the value rule. Signs are explained at `CostPerSuccess`. Raises ValueError on NaN.
    """
    success, cost = _pair(success_differences, cost_differences)
    units = Units.of(len(success), clusters)
    method = "Fieller, clustered" if units.clustered else "Fieller"
    value = float(cost.mean() / success.mean()) if success.mean() != 0.0 else None
    low, high = fieller(success, cost, units, alpha)
    bounded = math.isfinite(low) and math.isfinite(high) and value is not None
    return CostPerSuccess(
        value=value, low=float(low) if bounded else None, high=float(high) if bounded else None, method=method
    )


def fieller(success: Floats, cost: Floats, units: Units, alpha: float) -> tuple[Floats, Floats]:
    """Bounds of cost/success for arrays of shape (…, n), NaN where they are not finite."""
    if units.dof <= 0:
        nothing = np.full(np.shape(success)[:-1], np.nan)
        return nothing, nothing
    gain, dearer, square, cross, constant = _quadratic(success, cost, units)
    t2 = t_quantile(1.0 - alpha / 2.0, units.dof) ** 2
    # (v·gain − dearer)² <= t²·(square·v² + cross·v + constant)
    a = gain**2 - t2 * square
    b = -2.0 * gain * dearer - t2 * cross
    c = dearer**2 - t2 * constant
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.where(a > 0.0, b * b - 4.0 * a * c, np.nan))
        return (-b - root) / (2.0 * a), (-b + root) / (2.0 * a)


def benefit_line(
    success_differences: ArrayLike,
    cost_differences: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    alpha: float = 0.05,
) -> NetBenefit | None:
    """`net_benefit` at every price of a success at once; None where a single unit has no spread."""
    success, cost = _pair(success_differences, cost_differences)
    units = Units.of(len(success), clusters)
    if units.dof <= 0:
        return None
    gain, dearer, square, cross, constant = (float(part) for part in _quadratic(success, cost, units))
    return NetBenefit(
        successes=float(success.mean()),
        gain=gain,
        dearer=dearer,
        square=square,
        cross=cross,
        constant=constant,
        t=float(t_quantile(1.0 - alpha / 2.0, units.dof)),
    )


def _quadratic(success: Floats, cost: Floats, units: Units) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The mean of v·success − cost is v·gain − dearer, its variance square·v² + cross·v + constant: three values of v
    give the coefficients."""
    at = [benefit_moments(success, cost, v, units) for v in (0.0, 1.0, -1.0)]
    constant = at[0].variance
    square = (at[1].variance + at[2].variance) / 2.0 - constant
    cross = (at[1].variance - at[2].variance) / 2.0
    return (at[1].mean - at[2].mean) / 2.0, -at[0].mean, square, cross, constant


def _pair(success: ArrayLike, cost: ArrayLike) -> tuple[Floats, Floats]:
    found = column(success, "difference in success"), column(cost, "difference in cost")
    if len(found[0]) != len(found[1]):
        raise ValueError(f"{len(found[0])} differences in success and {len(found[1])} in cost: they must be pairs")
    return found
