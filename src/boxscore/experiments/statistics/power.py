"""Power before spending: the smallest difference that a dataset can see, and how many more examples would decide.

The closed forms for a mean (Miller 2024, "Adding error bars to evals") and, because they are wrong for few or sparse
0/1 differences, the power of our own interval by adding up all outcomes.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from boxscore.experiments.statistics.distributions import log_factorials, normal_cdf, normal_quantile, t_quantile
from boxscore.experiments.statistics.units import Floats, Ints

POWER = 0.8
ENUMERATED = 4000
"""Effective examples up to which outcomes are added up one by one; beyond, the sums are normal."""
MOST = 10_000_000
"""More examples than this are no answer to "how many more"."""


def paired_variance(between: float, within: float = 0.0, repeats: int = 1) -> float:
    """Variance of one example's difference: `between` examples, plus both variants' own variance `within` an example
    from call to call, which `repeats` calls average down."""
    return between + 2.0 * within / repeats


def sample_size(delta: float, variance: float, *, power: float = POWER, alpha: float = 0.05) -> float:
    """Independent examples needed to see a mean difference `delta` with the given power, two-sided alpha."""
    reach = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    return reach**2 * variance / delta**2


def minimum_detectable(
    variance: float, n: float, *, dof: float = math.inf, power: float = POWER, alpha: float = 0.05
) -> float:
    """Smallest mean difference that `n` independent examples show with the given power.

    `variance` is that of one example's difference (see `paired_variance`); `dof` is that of the interval that will be
    drawn (n − 1), infinite for the textbook formula. For clustered examples divide `n` by `design_effect`.
    """
    if dof <= 0:
        return math.inf
    return (t_quantile(1.0 - alpha / 2.0, dof) + t_quantile(power, dof)) * math.sqrt(variance / n)


def design_effect(typical: float, icc: float) -> float:
    """How many times fewer examples clustered ones are worth. `typical` is the size of the cluster that an example
    picked at random is in, `icc` how alike differences within one are (0 to 1)."""
    return 1.0 + (typical - 1.0) * icc


def rate_power(
    gain: float,
    n: float,
    changed: float,
    *,
    threshold: float = 0.0,
    dof: float | None = None,
    pseudo: float = 1.0,
    alpha: float = 0.05,
) -> float:
    """Chance that the interval of `paired` for a rate ends up above `threshold`.

    The candidate truly gains `gain`, a share `changed` (at least |gain|) of the examples changes either way, and `n`
    examples are independent or worth as much. `dof` is n − 1 unless given; `pseudo` is the size of each of the two
    pseudo-units in effective examples.
    """
    return _rate_power(gain, int(n), max(changed, abs(gain)), threshold, n - 1.0 if dof is None else dof, pseudo, alpha)


@lru_cache(maxsize=4096)
def _rate_power(
    gain: float, n: int, changed: float, threshold: float, dof: float, pseudo: float, alpha: float
) -> float:
    if n < 2 or dof <= 0:
        return 0.0
    t = t_quantile(1.0 - alpha / 2.0, dof)
    total = n + 2.0 * pseudo
    if n > ENUMERATED:
        mean = gain * n / total
        variance = ((changed * n + 2.0 * pseudo) / total - mean**2) / (total - 1.0)
        spread = math.sqrt(max(changed - gain**2, 1e-12) * n) / total
        return normal_cdf((mean - threshold - t * math.sqrt(variance)) / spread)
    win_share = 0.5 * (1.0 + gain / changed) if changed > 0.0 else 0.5
    logs = log_factorials(n)
    middle, reach = n * changed, 9.0 * math.sqrt(n * changed * (1.0 - changed)) + 10.0
    count = np.arange(max(0, math.floor(middle - reach)), min(n, math.ceil(middle + reach)) + 1)[:, None]
    middle, reach = n * changed * win_share, 9.0 * math.sqrt(n * changed * win_share) + 10.0
    wins = np.arange(max(0, math.floor(middle - reach)), min(n, math.ceil(middle + reach)) + 1)[None, :]
    losses = np.maximum(count - wins, 0)
    log = logs[n] - logs[n - count] - logs[wins] - logs[losses]
    log = log + _times_log(n - count, 1.0 - changed) + _times_log(count, changed)
    log = log + _times_log(wins, win_share) + _times_log(losses, 1.0 - win_share)
    chance = np.where(wins <= count, np.exp(log), 0.0)
    mean = (wins - losses) / total
    variance = ((count + 2.0 * pseudo) / total - mean**2) / (total - 1.0)
    return float((chance * (mean - t * np.sqrt(np.maximum(variance, 0.0)) > threshold)).sum())


def _times_log(count: Ints, p: float) -> Floats:
    """count·log(p), with 0·log(0) = 0."""
    return np.where(count == 0, 0.0, count * (math.log(p) if p > 0.0 else -1e9))


def _smallest(power: float, most: float, chance: Callable[[float], float]) -> float:
    """The smallest x in 0 to `most` with chance(x) >= power for it; infinite when even `most` does not reach it."""
    if chance(most) < power:
        return math.inf
    low, high = 0.0, most
    while high - low > 1e-5:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def detectable_gain(
    n: float,
    changed: float,
    *,
    threshold: float = 0.0,
    dof: float | None = None,
    pseudo: float = 1.0,
    power: float = POWER,
    alpha: float = 0.05,
) -> float:
    """Smallest true gain of a rate that is shown to exceed `threshold` with the given power. Arguments as for
    `rate_power`; where a gain needs more changed examples than `changed` there are as many wins and no loss."""

    def chance(gain: float) -> float:
        return rate_power(gain, n, changed, threshold=threshold, dof=dof, pseudo=pseudo, alpha=alpha)

    return _smallest(power, 1.0, chance)


def detectable_margin(
    n: float,
    changed: float,
    *,
    dof: float | None = None,
    pseudo: float = 1.0,
    power: float = POWER,
    alpha: float = 0.05,
) -> float:
    """Smallest margin at which a candidate that is truly equal is shown not worse, with the given power."""

    def chance(margin: float) -> float:
        return rate_power(0.0, n, changed, threshold=-margin, dof=dof, pseudo=pseudo, alpha=alpha)

    return _smallest(power, 1.0, chance)


def examples_needed(
    difference: float,
    low: float,
    high: float,
    n: int,
    *,
    threshold: float = 0.0,
    clusters: int | None = None,
    power: float = POWER,
    alpha: float = 0.05,
) -> int | None:
    """How many more examples would put the interval on one side of `threshold`, if the difference stays as measured.

    `low` to `high` is the interval of `difference` at 1 − alpha from `n` examples in `clusters` units. 0 where it is on
    one side already; None where no number would do: the difference sits on the threshold, or more than ten million are
    needed. As much is needed to be shown above (superiority: threshold m; noninferiority: −m; value: 0 of the net
    benefit) as to be shown below.
    """
    if low > threshold or high < threshold:
        return 0
    units = n if clusters is None else clusters
    distance = abs(difference - threshold)
    if units < 2 or distance == 0.0 or not math.isfinite(high - low):
        return None
    error = (high - low) / 2.0 / t_quantile(1.0 - alpha / 2.0, units - 1.0)
    reach = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    total = n * (reach * error / distance) ** 2
    return max(1, math.ceil(total - n)) if total < MOST else None
