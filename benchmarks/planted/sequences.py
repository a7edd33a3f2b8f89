"""Early stop: a sequence that is looked at after every example."""

import math
from collections.abc import Iterator

import numpy as np

from boxscore.experiments.statistics import rate_power
from boxscore.experiments.statistics.sequence import FIRST_LOOK, asymptotic_bounds, first_above
from boxscore.experiments.statistics.units import Units
from planted.shares import Draw, Floats, Line, Share, batches, false_ship
from planted.worlds import World


def measure_sequences(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """Early stop: alpha when looked at after every example, and how soon it stops."""
    length = 2000 if not quick else 300
    for changed in (0.02, 0.1, 0.3, 1.0):
        rng = np.random.default_rng([seed, int(100 * changed)])
        world = World("", changed)
        units = world.units(length)
        share = false_ship(quick)
        for batch in batches(runs, length):
            null = world.differences(rng, batch, units, 0.0)
            share.add(np.isfinite(np.minimum(first_above(null, 0.0), first_above(-null, 0.0))))
        yield Line(f"no effect, {100 * changed:g} % change", length, share, "either side declared, ever")
        for gain in (0.02, 0.08) if changed < 1.0 else (0.08, 0.2):
            stops: list[Floats] = []
            for batch in batches(min(runs, 1000), length):
                stops.append(first_above(world.differences(rng, batch, units, gain), 0.0))
            stop = np.concatenate(stops)
            held = Share(bound=1.0, strict=True)
            held.add(~np.isfinite(stop))
            fixed = _fixed_size(gain, max(changed, gain))
            middle = float(np.median(stop)) + 1.0
            text = f"median stop after {middle:.0f}" if math.isfinite(middle) else "median: the end"
            yield Line(
                f"gain of {100 * gain:g} points, {100 * changed:g} % change: not stopped", length, held,
                f"{text}; a test of fixed size needs {fixed:.0f} for 80 % power",
            )  # fmt: skip
    rng = np.random.default_rng([seed, 77])
    share = false_ship(quick)
    for batch in batches(runs, length):
        share.add(
            np.isfinite(first_above(World("", 0.1).differences(rng, batch, Units.of(length, None), -0.05), -0.05))
        )
    yield Line("noninferiority, truth on a margin of 5 points", length, share, "declared not worse, ever")
    world = World("", 0.2, 0.5)
    clusters = length // 4
    units = world.units(clusters)
    share = false_ship(quick)
    for batch in batches(runs, 4 * length):
        means = units.sums(world.differences(rng, batch, units, 0.0)) / units.sizes
        weights = units.sizes / units.sizes.max()
        share.add(
            np.isfinite(np.minimum(first_above(means, 0.0, weights=weights), first_above(-means, 0.0, weights=weights)))
        )
    yield Line("no effect, clusters of 1 to 8, 20 % change", clusters, share, "either side declared, ever")
    shapes: dict[str, Draw] = {
        "normal": lambda r, s: r.standard_normal(s),
        "gamma, skewness 1": lambda r, s: r.standard_gamma(4.0, s) - 4.0,
        "exponential, skewness 2": lambda r, s: r.standard_exponential(s) - 1.0,
        "lognormal, skewness 6": lambda r, s: r.lognormal(0.0, 1.0, s) - math.exp(0.5),
    }
    for name, draw in shapes.items():
        share = false_ship(quick)
        for batch in batches(runs, length):
            values = draw(rng, (batch, length))
            count = np.arange(1, length + 1, dtype=np.float64)
            mean = np.cumsum(values, axis=1) / count
            squares = np.maximum(np.cumsum(values**2, axis=1) - count * mean**2, 0.0)
            cubes = np.cumsum(values**3, axis=1) - 3.0 * mean * squares - count * mean**3
            low, high = asymptotic_bounds(count, mean, squares, cubes)
            out = (low > 0.0) | (high < 0.0)
            share.add(np.any(out[:, FIRST_LOOK - 1 :], axis=1))
        yield Line(f"no effect, amount, {name}", length, share, f"looked at from {FIRST_LOOK} on")


def _fixed_size(gain: float, changed: float) -> float:
    low, high = 10.0, 100_000.0
    while high / low > 1.002:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if rate_power(gain, middle, changed) >= 0.8 else (middle, high)
    return high
