"""Coverage of single intervals: one variant's own numbers, percentiles, amounts, and rates at their worst."""

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from boxscore.experiments.statistics import least_for_quantile, paired_quantile, quantile, rate, rate_power
from boxscore.experiments.statistics.difference import interval
from boxscore.experiments.statistics.units import Units
from planted.shares import ALPHA, Draw, Floats, Line, batches, coverage, exact, false_ship
from planted.worlds import World


def measure_estimates(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """Coverage of one variant's own numbers, and of differences of percentiles."""
    for count in (20, 50, 200, 1000) if not quick else (50,):
        # Nothing is simulated here: every count of successes has its chance.
        shares = np.arange(0.01, 1.0, 0.01)
        found = [rate(np.repeat([1.0, 0.0], [k, count - k])) for k in range(count + 1)]
        low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
        held = (binomial(count, shares) * ((low <= shares[:, None]) & (high >= shares[:, None]))).sum(axis=1)
        worst = int(held.argmin())
        yield Line(
            "rate (Wilson), mean over all rates", count, exact(coverage(quick), float(held.mean())),
            f"exact; lowest {100 * held[worst]:.1f} % at a rate of {100 * shares[worst]:.0f} %",
        )  # fmt: skip
    for icc, value in ((0.3, 0.5), (0.3, 0.9), (0.3, 0.97)):
        for count in (20, 200) if not quick else (20,):
            rng = np.random.default_rng([seed, count, int(1000 * value)])
            world = World("", value, icc)
            units = world.units(count)
            clusters = np.repeat(np.arange(count), units.sizes.astype(np.int64))
            share = coverage(quick)
            drawn = world.differences(rng, runs, units, value)
            share.add(np.array([one.low <= value <= one.high for one in (rate(run, clusters) for run in drawn)]))
            yield Line(f"rate of {100 * value:g} %, clustered, ICC 0.3", count, share)
    modes = {"lognormal": (0.0, 0.0), "a slow mode in one": (0.0, 0.1), "slow modes in both": (0.05, 0.05)}
    for q in (0.5, 0.95):
        name, least = f"p{100 * q:g} of latency", least_for_quantile(q)
        for count in (20, 72, 100, 500, 2000) if not quick else (20, 72, 100):
            note = "exact, for any distribution" + ("; open above" if count < least else "")
            yield Line(name, count, exact(coverage(quick), _quantile_covers(q, count)), note)
        held = {count: _quantile_covers(q, count) for count in range(20, 501 if not quick else 101)}
        worst = min(held, key=lambda count: held[count])
        yield Line(
            f"{name}, lowest of all sizes up to {max(held)}", worst, exact(coverage(quick), held[worst]), "exact"
        )
        for what, slow in modes.items() if q > 0.5 else [("lognormal", (0.0, 0.0))]:
            truth = _slow_quantile(slow[1], q) - _slow_quantile(slow[0], q)
            for count in (20, 72, 100, 200, 500) if not quick else (20, 100):
                rng = np.random.default_rng([seed, count, int(100 * q), len(what)])
                share = coverage(quick)
                for _ in range(runs // 2):
                    shared = rng.normal(0.0, 0.4, count)
                    before, after = (
                        np.exp(shared + rng.normal(0.0, 0.447, count)) * np.where(rng.random(count) < part, SLOWER, 1.0)
                        for part in slow
                    )
                    one = paired_quantile(before, after, q, draws=1000)
                    share.add(np.array([one.low <= truth <= one.high]))
                note = f"no interval below {least} calls" if count < least else ""
                yield Line(f"difference of {name}, paired, {what}", count, share, note)


SLOWER = 10.0
"""How many times longer a call of the slow mode takes."""


def _slow_quantile(part: float, q: float) -> float:
    """The true quantile of the latencies above, by bisection, when `part` of the calls are slow."""
    spread = NormalDist(0.0, math.hypot(0.4, 0.447))
    low, high = 1e-3, 1e3
    for _ in range(80):
        middle = math.sqrt(low * high)
        below = (1.0 - part) * spread.cdf(math.log(middle)) + part * spread.cdf(math.log(middle / SLOWER))
        low, high = (low, middle) if below >= q else (middle, high)
    return high


def binomial(count: int, shares: Floats) -> Floats:
    """Chances of 0 to `count` successes for each of `shares`, shape (shares, count + 1)."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, count + 1)))])
    wins = np.arange(count + 1)
    log = logs[count] - logs - logs[::-1]
    return np.exp(log + np.outer(np.log(shares), wins) + np.outer(np.log1p(-shares), count - wins))


def _quantile_covers(q: float, count: int) -> float:
    """The interval is two of the sorted values, the same two whatever they are: given the ranks it says which. It holds
    the true quantile when at least the lower one lies below that, and the upper one does not."""
    one = quantile(np.arange(1.0, count + 1), q)
    below = np.arange(count + 1)
    return float(binomial(count, np.array([q]))[0] @ ((below >= one.low) & (below < one.high)))


def measure_worst(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """The interval of a 0/1 difference at its worst, over all rates of change and all mixes of wins and losses. Nothing
    is simulated: all outcomes are added up. The chance that the lower bound lies above the truth is `rate_power` with
    the truth as threshold."""
    changes = np.geomspace(0.005, 1.0, 12 if quick else 40)
    mixes = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 1.0)
    for n in (20, 50) if quick else (20, 30, 50, 100, 200, 500):
        missed: list[tuple[float, float]] = []
        for changed in changes.tolist():
            for mix in mixes:
                gain = changed * mix
                missed.append(
                    (rate_power(gain, n, changed, threshold=gain), rate_power(-gain, n, changed, threshold=-gain))
                )
        for name, make, value in (
            ("coverage", coverage, 1.0 - max(above + below for above, below in missed)),
            ("a gain is shown larger than it is", false_ship, max(above for above, _ in missed)),
            ("a loss is shown smaller than it is", false_ship, max(below for _, below in missed)),
        ):
            yield Line(name, n, exact(make(quick), value))


def measure_amounts(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """Coverage of the paired t where differences of amounts are skewed, independent or alike inside clusters."""
    shapes: dict[str, tuple[Draw, float]] = {
        "normal": (lambda r, s: r.standard_normal(s), 0.0),
        "uniform": (lambda r, s: r.random(s), 0.5),
        "t with 3 degrees of freedom": (lambda r, s: r.standard_t(3, s), 0.0),
        "exponential (skewness 2)": (lambda r, s: r.standard_exponential(s), 1.0),
        "gamma (skewness 2.8)": (lambda r, s: r.standard_gamma(0.5, s), 0.5),
        "lognormal, σ 1 (skewness 6)": (lambda r, s: r.lognormal(0.0, 1.0, s), math.exp(0.5)),
        "lognormal against 1.5 times another": (
            lambda r, s: 1.5 * r.lognormal(0.0, 1.0, s) - r.lognormal(0.0, 1.0, s),
            0.5 * math.exp(0.5),
        ),
    }
    for name, (draw, truth) in shapes.items():
        for count in (20, 30, 50, 100, 500) if not quick else (20, 50):
            rng = np.random.default_rng([seed, count, len(name)])
            units = Units.of(count, None)
            low, high = interval(units.moments(draw(rng, (runs, count))), units.dof, ALPHA)
            share = coverage(quick)
            share.add((low <= truth) & (high >= truth))
            yield Line(f"difference of an amount, {name}", count, share)
    for name in ("exponential (skewness 2)", "lognormal, σ 1 (skewness 6)"):
        draw, truth = shapes[name]
        for count in (20, 50, 200) if not quick else (20,):
            rng = np.random.default_rng([seed, count, len(name), 1])
            units = World("", None, 0.0).units(count)
            share = coverage(quick)
            for size in batches(runs, int(units.n)):
                common = np.repeat(draw(rng, (size, count)), units.sizes.astype(np.int64), axis=1)
                values = np.where(rng.random(common.shape) < math.sqrt(0.5), common, draw(rng, common.shape))
                low, high = interval(units.moments(values), units.dof, ALPHA)
                share.add((low <= truth) & (high >= truth))
            yield Line(f"difference of an amount, {name}, clusters, ICC 0.5", count, share)
