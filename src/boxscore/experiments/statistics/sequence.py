"""Confidence sequences: intervals that hold at every look, so that a run may stop as soon as it knows enough.

Bounded scores: testing by betting (Waudby-Smith and Ramdas 2024). For a supposed mean m a gambler bets fixed shares of
its wealth on "more than m" in a game that is fair if m is the mean; wealth 2/alpha has a chance of at most alpha/2 ever
to be reached (Ville), so m is left out from then on. The wealth is averaged over a fixed set of bet sizes, from shy
ones that see small effects late to bold ones that see sparse, one-sided ones early. It holds from the first example on.

Amounts have no bound to bet against; they get the asymptotic sequence of Waudby-Smith et al. (2024), which is right for
many examples only and therefore starts late.
"""

import math
from typing import Literal, NamedTuple, Protocol

import numpy as np

from boxscore.experiments.statistics.difference import drawn_out
from boxscore.experiments.statistics.units import Floats

BETS: Floats = np.geomspace(0.008, 0.96, 16)
"""Bet sizes as shares of the boldest bet that cannot lose more than everything."""
MEANS: Floats = np.linspace(-0.995, 0.995, 399)
"""Means that are tried, 0.005 apart; bounds in between are interpolated."""
FIRST_LOOK = 100
"""Units from which the sequence for amounts gives bounds."""
TUNED_FOR = 200
"""Units at which the sequence for amounts is tightest."""


class Bounds(NamedTuple):
    """The mean so far and the bounds that hold at every look."""

    value: float
    low: float
    high: float


class ConfidenceSequence(Protocol):
    """Feed it one unit after the other, in random order; stop whenever the bounds say enough."""

    def update(self, difference: float, size: float = 1.0) -> Bounds: ...


def sequence(
    kind: Literal["rate", "mean", "amount"], *, alpha: float = 0.05, largest: float = 1.0
) -> "ConfidenceSequence":
    """The sequence for a metric of this kind. `largest` is the greatest `size` of a unit that will come."""
    if kind == "amount":
        return AsymptoticSequence(alpha=alpha)
    return BoundedSequence(alpha=alpha, largest=largest)


class BoundedSequence:
    """Confidence sequence for the mean of differences between −1 and 1 (rates, scores between 0 and 1).

    A unit is an example, or a whole cluster: then `difference` is the mean over its examples, `size` their number and
    `largest` the greatest number that will come. Units must come in random order: the mean of the next one, given all
    before, must be the mean sought. An update costs about 0.2 ms.
    """

    def __init__(self, *, alpha: float = 0.05, largest: float = 1.0) -> None:
        self._enough = math.log(2.0 / alpha)
        self._largest = largest
        self._upward = np.zeros((len(BETS), len(MEANS)))
        self._downward = np.zeros((len(BETS), len(MEANS)))
        self._bet_up = BETS[:, None] / (1.0 + MEANS)
        self._bet_down = BETS[:, None] / (1.0 - MEANS)
        self._sum = self._size = 0.0
        self._low, self._high = -1.0, 1.0

    def update(self, difference: float, size: float = 1.0) -> Bounds:
        """Add one unit. Raises ValueError when the difference lies outside −1 to 1 or the size outside 0 to largest."""
        if not -1.0 <= difference <= 1.0:
            raise ValueError(f"a difference of rates lies between −1 and 1, and {difference} came")
        if not 0.0 < size <= self._largest:
            raise ValueError(f"a unit of size {size} came, and sizes up to {self._largest} were announced")
        self._sum += difference * size
        self._size += size
        off = (difference - MEANS) * (size / self._largest)
        self._upward += np.log1p(self._bet_up * off)
        self._downward += np.log1p(-self._bet_down * off)
        self._low = max(self._low, self._first(average_wealth(self._upward), ascending=True))
        self._high = min(self._high, self._first(average_wealth(self._downward), ascending=False))
        return Bounds(float(self._sum / self._size), self._low, self._high)

    def _first(self, wealth: Floats, *, ascending: bool) -> float:
        """The first mean, coming from −1 (or from 1), that the bets have not made unlikely."""
        means = MEANS if ascending else MEANS[::-1]
        over = (wealth if ascending else wealth[::-1]) - self._enough
        kept = int(np.argmax(over < 0.0))
        if over[kept] >= 0.0:  # none is kept: the data contradicts a constant mean; claim nothing new
            return self._low if ascending else self._high
        if kept == 0:
            return -1.0 if ascending else 1.0
        share = over[kept - 1] / (over[kept - 1] - over[kept])
        return float(means[kept - 1] + share * (means[kept] - means[kept - 1]))


def average_wealth(logs: Floats) -> Floats:
    """Log of the mean over the first axis of wealths given as logs."""
    top = logs.max(axis=0)
    return top + np.log(np.exp(logs - top).mean(axis=0))


def first_above(differences: Floats, threshold: float, *, weights: Floats | float = 1.0, alpha: float = 0.05) -> Floats:
    """The look (from 0) at which `BoundedSequence` first has its lower bound above `threshold`; infinite for never.

    For many runs at once: `differences` has shape (runs, units), `weights` (sizes over the largest one) likewise.
    """
    bets = BETS / (1.0 + threshold)
    wealth = np.zeros_like(differences)
    off = (differences - threshold) * weights
    for bet in bets:
        wealth += np.exp(np.cumsum(np.log1p(bet * off), axis=1))
    crossed = wealth / len(bets) >= 2.0 / alpha
    return np.where(crossed.any(axis=1), crossed.argmax(axis=1), np.inf)


class AsymptoticSequence:
    """Confidence sequence for the mean of any numbers, for many units: bounds are infinite before `FIRST_LOOK` units.

    For clusters `difference` is the mean over a cluster's examples, and every cluster counts the same.
    """

    def __init__(self, *, alpha: float = 0.05) -> None:
        self._alpha = alpha
        self._count = 0
        self._mean = self._squares = self._cubes = 0.0
        self._low, self._high = -math.inf, math.inf

    def update(self, difference: float, size: float = 1.0) -> Bounds:
        """Add one unit. Raises ValueError when it is no finite number."""
        if not math.isfinite(difference) or size <= 0.0:
            raise ValueError(f"a finite difference of a unit with a size is needed, and {difference} of {size} came")
        # Running sums of squares and cubes around the mean (Terriberry's update of Welford's).
        self._count += 1
        n, step = self._count, difference - self._mean
        share = step / n
        term = step * share * (n - 1)
        self._mean += share
        self._cubes += term * share * (n - 2) - 3.0 * share * self._squares
        self._squares += term
        if n >= FIRST_LOOK:
            low, high = asymptotic_bounds(
                np.float64(n), np.float64(self._mean), np.float64(self._squares), np.float64(self._cubes), self._alpha
            )
            self._low, self._high = max(self._low, float(low)), min(self._high, float(high))
        return Bounds(self._mean, self._low, self._high)


def asymptotic_bounds(
    count: Floats, mean: Floats, squares: Floats, cubes: Floats, alpha: float = 0.05
) -> tuple[Floats, Floats]:
    """Bounds after `count` units, elementwise, from the mean and the sums of squares and cubes around it.

    Waudby-Smith et al. (2024), equation 9, with Hall's correction for skewness as in `difference`: without it heavily
    skewed amounts break alpha in the first hundreds of looks.
    """
    log = -2.0 * math.log(alpha)
    rho2 = (log + math.log(log + 1.0)) / TUNED_FOR
    grown = count * rho2 + 1.0
    reach = np.sqrt(grown / (count * rho2) * np.log(grown / alpha**2))
    error = np.sqrt(squares / np.maximum(count - 1.0, 1.0) / count)
    flat = squares <= 1e-24 * count * mean**2  # nought but for rounding: no skewness
    skew = np.where(flat, 0.0, cubes / np.where(flat, 1.0, squares) ** 1.5)
    return drawn_out(mean, error, reach, skew)
