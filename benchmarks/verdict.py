"""Planted effects: does a verdict say what was planted?

    .venv/bin/python benchmarks/verdict.py [--quick] [--write]      (make bench-verdict)

Data with known truth is simulated, thousands of times per row, and the share of wrong decisions counted:

- false ship: shipped although the truth sits on the border of what the rule forbids (at most 5 %);
- false hold: not shipped although the truth is the smallest effect that our own power functions say is seen with 80 %
  (at most 20 %);
- coverage: the 95 % interval holds the truth (at least 94 %).

Everything is seeded. Prints Markdown, exits 1 when a number is out of bounds; `--write` puts it into
docs/benchmarks/verdict.md. False ship and coverage must keep the bound as counted. False hold is planted at exactly
20 %, so there the bound is 20 % plus 3.5 Monte-Carlo errors (of about 200 such checks none goes over by chance); with
`--quick` (few runs) that holds for all three.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxscore.experiments.decision import Interval, decide
from boxscore.experiments.statistics import (
    design_effect,
    detectable_gain,
    detectable_margin,
    minimum_detectable,
    net_benefit,
    paired,
    paired_quantile,
    quantile,
    rate,
    rate_power,
)
from boxscore.experiments.statistics.difference import Kind, interval, regularised
from boxscore.experiments.statistics.sequence import FIRST_LOOK, asymptotic_bounds, first_above
from boxscore.experiments.statistics.units import Units
from boxscore.experiments.statistics.worth import benefit_moments, fieller
from boxscore.experiments.verdict import Rule

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

ALPHA = 0.05
USD = 0.05
"""Dollars a success is worth in the value rule."""
DEARER = 0.05 * USD
"""Mean extra cost of an example there: it pays from a gain of 5 points on. Its standard deviation is half of it."""
CHECKS = 200
MARGIN_OF_ERROR = NormalDist().inv_cdf(1.0 - 0.05 / CHECKS)
"""3.5 Monte-Carlo errors: with this many checks at their bound, one or more goes over by chance in 5 % of cases."""
SIZES = (20, 50, 100, 200, 500, 2000)
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "verdict.md"


@dataclass
class Share:
    """A share of runs, with the bound that it must keep."""

    hits: int = 0
    runs: int = 0
    bound: float = 0.05
    upper: bool = True
    strict: bool = True

    def add(self, hits: NDArray[np.bool_]) -> None:
        self.hits += int(hits.sum())
        self.runs += hits.size

    @property
    def value(self) -> float:
        return self.hits / self.runs

    @property
    def error(self) -> float:
        """Monte-Carlo standard error, taken at the bound."""
        return math.sqrt(self.bound * (1.0 - self.bound) / self.runs)

    @property
    def kept(self) -> bool:
        slack = 0.0 if self.strict else MARGIN_OF_ERROR * self.error
        return self.value <= self.bound + slack if self.upper else self.value >= self.bound - slack

    def __str__(self) -> str:
        text = f"{100 * self.value:.1f}"
        return text if self.kept else f"**{text}**"


def false_ship(quick: bool) -> Share:
    return Share(bound=0.05, strict=not quick)


def false_hold(quick: bool) -> Share:
    return Share(bound=0.2, strict=False)


def coverage(quick: bool) -> Share:
    return Share(bound=0.94, upper=False, strict=not quick)


class World(NamedTuple):
    """Where differences come from. `changed` is the share of examples that change (0/1 scores), or None for scores with
    a normal difference of standard deviation `spread`. `icc`: how alike the differences of a cluster are; None: every
    example is its own unit, else clusters have 1 to 8 examples."""

    name: str
    changed: float | None
    icc: float | None = None
    spread: float = 0.25

    @property
    def kind(self) -> Kind:
        return "mean" if self.changed is None else "rate"

    def units(self, count: int) -> Units:
        if self.icc is None:
            return Units.of(count, None)
        sizes = np.random.default_rng(count).integers(1, 9, count)
        return Units.of(int(sizes.sum()), np.repeat(np.arange(count), sizes))

    def differences(self, rng: np.random.Generator, runs: int, units: Units, gain: float) -> Floats:
        if self.changed is None:
            return gain + self.spread * self._alike(rng, runs, units, lambda r, s: r.standard_normal(s), normal=True)
        changed = max(self.changed, abs(gain))
        win = (changed + gain) / 2.0

        def draw(r: np.random.Generator, shape: tuple[int, ...]) -> Floats:
            u = r.random(shape)
            return (u < win).astype(np.float64) - ((u >= win) & (u < changed))

        return self._alike(rng, runs, units, draw)

    def costs(self, rng: np.random.Generator, runs: int, units: Units, mean: float) -> Floats:
        """Cost differences: gamma distributed with skewness 1 around their mean, clustered like the rest."""
        return mean * self._alike(rng, runs, units, lambda r, s: r.standard_gamma(4.0, s) / 4.0)

    def no_saving(self, rng: np.random.Generator, runs: int, units: Units) -> Floats:
        return self.costs(rng, runs, units, 1.0) - self.costs(rng, runs, units, 1.0)

    def _alike(self, rng: np.random.Generator, runs: int, units: Units, draw: Draw, *, normal: bool = False) -> Floats:
        shape = (runs, int(units.n))
        if self.icc is None:
            return draw(rng, shape)
        member = np.repeat(np.arange(units.count), units.sizes.astype(np.int64))
        common = draw(rng, (runs, units.count))[:, member]
        if normal:
            return math.sqrt(self.icc) * common + math.sqrt(1.0 - self.icc) * draw(rng, shape)
        # Each example takes its cluster's draw with chance √icc: any two of a cluster are alike with chance icc.
        return np.where(rng.random(shape) < math.sqrt(self.icc), common, draw(rng, shape))

    def detectable(self, units: Units, threshold: float = 0.0, noise: float = 0.0) -> float:
        """The smallest gain over `threshold` that our power functions promise to show in 80 % of runs."""
        worth = 1.0 if self.icc is None else design_effect(units.typical, self.icc)
        n, pseudo = units.n / worth, units.pseudo / worth
        if self.changed is None:
            return minimum_detectable(self.spread**2, n, threshold=threshold, dof=units.dof, pseudo=pseudo, noise=noise)
        return detectable_gain(n, self.changed, threshold=threshold, dof=units.dof, pseudo=pseudo, noise=noise)

    def margin(self, units: Units) -> float:
        worth = 1.0 if self.icc is None else design_effect(units.typical, self.icc)
        if self.changed is None:
            return self.detectable(units)
        return detectable_margin(units.n / worth, self.changed, dof=units.dof, pseudo=units.pseudo / worth)


@dataclass
class RuleRow:
    """One line of the first table."""

    world: World
    count: int
    quick: bool
    gain: float = 0.0
    margin: float = 0.0
    worth: float = 0.0
    shares: dict[str, Share] = field(default_factory=dict)

    def add(self, what: str, make: Callable[[bool], Share], hits: NDArray[np.bool_]) -> None:
        self.shares.setdefault(what, make(self.quick)).add(hits)


def measure_rules(world: World, count: int, *, runs: int, quick: bool, seed: int) -> RuleRow:
    """All rules on one kind of data with `count` independent units."""
    rng = np.random.default_rng([seed, count])
    units = world.units(count)
    row = RuleRow(world, count, quick)
    row.gain, row.margin = world.detectable(units), world.margin(units)
    border, noise = DEARER / USD, 0.5 * DEARER / USD
    row.worth = world.detectable(units, threshold=border, noise=noise)

    def bounds(change: Floats) -> tuple[Floats, Floats]:
        return interval(regularised(change, units, world.kind), units.dof, ALPHA)

    def saved(change: Floats) -> NDArray[np.bool_]:
        return interval(units.moments(change), units.dof, ALPHA)[0] > 0.0

    done, batch = 0, max(1, min(runs, 3_000_000 // int(units.n)))
    while done < runs:
        size = min(batch, runs - done)
        equal = world.differences(rng, size, units, 0.0)
        low, high = bounds(equal)
        row.add("superiority false ship", false_ship, low > 0.0)
        row.add("coverage", coverage, (low <= 0.0) & (high >= 0.0))
        saving = saved(world.costs(rng, size, units, DEARER))
        row.add("noninferiority false hold", false_hold, ~((low > -row.margin) & saving))
        no_saving = saved(world.no_saving(rng, size, units))
        row.add("noninferiority false ship, nothing saved", false_ship, (low > -row.margin) & no_saving)
        if done == 0:
            check_by_the_front_door(world, units, equal, low, row.margin)

        better = world.differences(rng, size, units, row.gain)
        low, high = bounds(better)
        row.add("superiority false hold", false_hold, ~(low > 0.0))
        row.add("coverage at the effect", coverage, (low <= row.gain) & (high >= row.gain))

        worse = world.differences(rng, size, units, -row.margin)
        low, high = bounds(worse)
        row.add("noninferiority false ship, worse", false_ship, (low > -row.margin) & saving)
        row.add("coverage at the effect", coverage, (low <= -row.margin) & (high >= -row.margin))

        for gain, what in ((border, "value false ship"), (row.worth, "value false hold")):
            cost = world.costs(rng, size, units, DEARER)
            change = world.differences(rng, size, units, gain)
            low, high = interval(benefit_moments(change, cost, USD, units), units.dof, ALPHA)
            truth = USD * gain - DEARER
            row.add("value coverage", coverage, (low <= truth) & (high >= truth))
            if gain == border:
                row.add(what, false_ship, low > 0.0)
            else:
                row.add(what, false_hold, ~(low > 0.0))
                below, above = fieller(change, cost, units, ALPHA)
                finite = np.isfinite(below)
                ratio = DEARER / gain
                row.add("dollars per success coverage", coverage, ~finite | ((below <= ratio) & (above >= ratio)))
        done += size
    return row


def check_by_the_front_door(world: World, units: Units, changes: Floats, lows: Floats, margin: float) -> None:
    """The tables are made with whole arrays of runs; a few runs go through `paired` and `decide` and must agree."""
    clusters = np.repeat(np.arange(units.count), units.sizes.astype(np.int64)) if units.clustered else None
    for change, low in zip(changes[:20], lows[:20], strict=True):
        found = paired(np.zeros_like(change), change, clusters=clusters, kind=world.kind)
        assert math.isclose(max(low, -1.0), found.low, rel_tol=1e-9, abs_tol=1e-12)
        own = Interval(found.difference, found.low, found.high)
        shipped = decide(Rule(metric="m"), units=units.count, primary=own).decision == "ship"
        assert shipped == (low > 0.0)
        rule = Rule(metric="m", kind="noninferiority", margin=margin)
        savings = {"cost": Interval(1.0, 0.5, 1.5)}
        assert (decide(rule, units=units.count, primary=own, savings=savings).decision == "ship") == (low > -margin)
        benefit = net_benefit(change, np.zeros_like(change), USD, clusters=clusters)
        assert (benefit.low > 0.0) == (low > 0.0)


class Line(NamedTuple):
    """A line of the other tables."""

    what: str
    units: int
    share: Share
    note: str = ""


def measure_estimates(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """Coverage of one variant's own numbers, and of differences of percentiles."""
    for count in (20, 50, 200, 1000) if not quick else (50,):
        # Nothing is simulated here: every count of successes has its chance.
        shares = np.arange(0.01, 1.0, 0.01)
        wins = np.arange(count + 1)
        found = [rate(np.repeat([1.0, 0.0], [k, count - k])) for k in wins]
        low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, count + 1)))])
        log = logs[count] - logs - logs[::-1]
        chance = np.exp(log + np.outer(np.log(shares), wins) + np.outer(np.log1p(-shares), count - wins))
        held = (chance * ((low <= shares[:, None]) & (high >= shares[:, None]))).sum(axis=1)
        share = coverage(False)
        share.hits, share.runs = round(float(held.mean()) * 1_000_000), 1_000_000
        worst = int(held.argmin())
        yield Line(
            "rate (Wilson), mean over all rates", count, share,
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
    for q in (0.5, 0.95):
        for count in (20, 100, 500) if not quick else (100,):
            rng = np.random.default_rng([seed, count, int(100 * q)])
            truth = math.exp(0.6 * {0.5: 0.0, 0.95: 1.6448536}[q])
            share = coverage(quick)
            own = [quantile(rng.lognormal(0.0, 0.6, count), q) for _ in range(runs)]
            share.add(np.array([one.low <= truth <= one.high for one in own]))
            capped = sum("greatest" in one.method for one in own) / runs
            note = "the upper bound is the greatest value seen" if capped > 0.5 else ""
            yield Line(f"p{100 * q:g} of latency (lognormal)", count, share, note)
            share = coverage(quick)
            few = runs // 2 if count <= 100 else runs // 4
            for _ in range(few):
                shared = rng.normal(0.0, 0.4, count)
                one = paired_quantile(
                    np.exp(shared + rng.normal(0.0, 0.447, count)), np.exp(shared + rng.normal(0.0, 0.447, count)), q,
                    draws=1000,
                )  # fmt: skip
                share.add(np.array([one.low <= 0.0 <= one.high]))
            yield Line(f"difference of p{100 * q:g} of latency, paired", count, share)


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
            share = make(False)
            share.hits, share.runs = round(value * 1_000_000), 1_000_000
            yield Line(name, n, share)


def measure_amounts(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """Coverage of the paired t where differences of amounts are skewed."""
    shapes: dict[str, tuple[Draw, float]] = {
        "normal": (lambda r, s: r.standard_normal(s), 0.0),
        "exponential (skewness 2)": (lambda r, s: r.standard_exponential(s), 1.0),
        "lognormal, σ 1 (skewness 6)": (lambda r, s: r.lognormal(0.0, 1.0, s), math.exp(0.5)),
    }
    for name, (draw, truth) in shapes.items():
        for count in (20, 100, 500) if not quick else (20,):
            rng = np.random.default_rng([seed, count, len(name)])
            units = Units.of(count, None)
            low, high = interval(units.moments(draw(rng, (runs, count))), units.dof, ALPHA)
            share = coverage(quick)
            share.add((low <= truth) & (high >= truth))
            yield Line(f"difference of an amount, {name}", count, share)


def measure_sequences(*, runs: int, quick: bool, seed: int) -> Iterator[Line]:
    """Early stop: alpha when looked at after every example, and how soon it stops."""
    length = 2000 if not quick else 300
    for changed in (0.02, 0.1, 0.3, 1.0):
        rng = np.random.default_rng([seed, int(100 * changed)])
        world = World("", changed)
        units = world.units(length)
        share = false_ship(quick)
        for batch in _batches(runs, length):
            null = world.differences(rng, batch, units, 0.0)
            share.add(np.isfinite(np.minimum(first_above(null, 0.0), first_above(-null, 0.0))))
        yield Line(f"no effect, {100 * changed:g} % change", length, share, "either side declared, ever")
        for gain in (0.02, 0.08) if changed < 1.0 else (0.08, 0.2):
            stops: list[Floats] = []
            for batch in _batches(min(runs, 1000), length):
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
    for batch in _batches(runs, length):
        share.add(
            np.isfinite(first_above(World("", 0.1).differences(rng, batch, Units.of(length, None), -0.05), -0.05))
        )
    yield Line("noninferiority, truth on a margin of 5 points", length, share, "declared not worse, ever")
    world = World("", 0.2, 0.5)
    clusters = length // 4
    units = world.units(clusters)
    share = false_ship(quick)
    for batch in _batches(runs, 4 * length):
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
        for batch in _batches(runs, length):
            values = draw(rng, (batch, length))
            count = np.arange(1, length + 1, dtype=np.float64)
            mean = np.cumsum(values, axis=1) / count
            squares = np.maximum(np.cumsum(values**2, axis=1) - count * mean**2, 0.0)
            cubes = np.cumsum(values**3, axis=1) - 3.0 * mean * squares - count * mean**3
            low, high = asymptotic_bounds(count, mean, squares, cubes)
            out = (low > 0.0) | (high < 0.0)
            share.add(out[:, FIRST_LOOK - 1 :].any(axis=1))
        yield Line(f"no effect, amount, {name}", length, share, f"looked at from {FIRST_LOOK} on")


def _fixed_size(gain: float, changed: float) -> float:
    low, high = 10.0, 100_000.0
    while high / low > 1.002:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if rate_power(gain, middle, changed) >= 0.8 else (middle, high)
    return high


def _batches(runs: int, length: int) -> Iterator[int]:
    batch = max(1, min(runs, 2_000_000 // length))
    for start in range(0, runs, batch):
        yield min(batch, runs - start)


WORLDS = (
    World("0/1, 20 % change", 0.2),
    World("0/1, 20 % change, clusters, ICC 0.2", 0.2, 0.2),
    World("0/1, 20 % change, clusters, ICC 0.5", 0.2, 0.5),
    World("continuous", None),
    World("continuous, clusters, ICC 0.2", None, 0.2),
    World("continuous, clusters, ICC 0.5", None, 0.5),
)
SPARSE = (
    World("0/1, 5 % change", 0.05),
    World("0/1, 1 % change", 0.01),
    World("0/1, 5 % change, clusters, ICC 0.5", 0.05, 0.5),
    World("0/1, all change", 1.0),
)
COLUMNS = (
    "superiority false ship",
    "superiority false hold",
    "noninferiority false ship, worse",
    "noninferiority false ship, nothing saved",
    "noninferiority false hold",
    "value false ship",
    "value false hold",
    "coverage",
    "coverage at the effect",
    "value coverage",
    "dollars per success coverage",
)


class Report(NamedTuple):
    text: str
    broken: list[str]


def measure(*, quick: bool = False, seed: int = 20261101) -> Report:
    """All tables as Markdown, and what is out of bounds."""
    broken: list[str] = []
    parts: list[str] = []

    def runs_for(world: World, count: int) -> int:
        return 600 if quick else min(10_000, max(4_000, 18_000_000 // int(world.units(count).n)))

    for title, worlds, sizes in (
        ("The rules", WORLDS, SIZES if not quick else (20, 100)),
        ("Few changes, and nothing but changes", SPARSE, (20, 100, 500, 2000) if not quick else (100,)),
    ):
        parts += [f"## {title}", "", _rule_head()]
        for world in worlds:
            for count in sizes:
                row = measure_rules(world, count, runs=runs_for(world, count), quick=quick, seed=seed)
                parts.append(_rule_line(row))
                broken += [
                    f"{world.name}, {count} units: {name} is {share} %"
                    for name, share in row.shares.items()
                    if not share.kept
                ]
        parts.append("")
    tables = (
        ("A 0/1 difference at its worst, all outcomes added up", "%", measure_worst, 0),
        ("One variant's own numbers, and percentiles", "coverage %", measure_estimates, 2000),
        ("Skewed amounts", "coverage %", measure_amounts, 20_000),
        ("Early stop, looked at after every example", "% of runs", measure_sequences, 4000),
    )
    for title, unit, source, runs in tables:
        parts += [f"## {title}", "", f"| data | units | {unit} | ± | |", "|---|---:|---:|---:|---|"]
        for line in source(runs=runs if not quick else 250, quick=quick, seed=seed):
            known = (line.what, line.units) in KNOWN_WEAK
            note = (
                f"known weak spot: {KNOWN_WEAK[line.what, line.units]}" if known and not line.share.kept else line.note
            )
            error = f"{100 * line.share.error:.1f}" if 0.0 < line.share.bound < 1.0 and runs else ""
            parts.append(f"| {line.what} | {line.units:,} | {line.share} | {error} | {note} |")
            if not line.share.kept and not known:
                broken.append(f"{line.what}, {line.units} units: {line.share} %")
        parts.append("")
    return Report("\n".join(parts), broken)


KNOWN_WEAK: dict[tuple[str, int], str] = {
    ("p95 of latency (lognormal)", 20): "no upper bound exists; the greatest value seen stands for it (`open_above`)",
    ("difference of p95 of latency, paired", 20): "the p95 of 20 values is the greatest or the one below it",
    ("difference of an amount, lognormal, σ 1 (skewness 6)", 20): "20 values seldom hold one from the tail",
}
"""Lines out of bounds for a reason that docs/discussions/statistics.md gives. They are shown in bold, not hidden."""


def _rule_head() -> str:
    return (
        "| data | units | gain planted | S ship | S hold | margin | N ship, worse | N ship, no saving | N hold | "
        "V ship | V hold | cover 0 | cover effect | cover benefit | cover $/success |\n|---|" + "---:|" * 14
    )


def _rule_line(row: RuleRow) -> str:
    s = [str(row.shares[name]) if name in row.shares else "" for name in COLUMNS]
    gain, margin = f"{100 * row.gain:.1f}", f"{100 * row.margin:.1f}"
    return f"| {row.world.name} | {row.count:,} | " + " | ".join([gain, s[0], s[1], margin, *s[2:]]) + " |"


HEAD = """# Planted effects

Made by `make bench-verdict` (`benchmarks/verdict.py`, seeded). All numbers but units are percent or percentage points;
bold is out of bounds.

S, N and V are the rules superiority, noninferiority and value. "ship" is the share of runs that shipped although the
truth sat on the border (at most 5; 2.5 is what a two-sided alpha of 5 % allows), "hold" the share that did not ship
although the truth was the gain or the margin of the row, the smallest that our power functions promise to see in 80 %
of runs (at most 20). In N hold the candidate is truly equal and its saving is plain; in V the cost difference pays
from 5 points on. "cover" is the share of 95 % intervals that held the truth (at least 94): of the difference when there
is none, of the difference at the planted gain and loss, of the net benefit, and of dollars per extra success (an
interval that is not finite holds everything). Clusters have 1 to 8 examples; units are the independent ones.
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="planted effects: false ship, false hold and coverage of every rule")
    parser.add_argument("--quick", action="store_true", help="few runs and sizes, in some seconds")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} as well")
    options = parser.parse_args(arguments)
    started = time.process_time()
    report = measure(quick=options.quick)
    print(report.text)
    print(f"{time.process_time() - started:.0f} s of CPU")
    if options.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(f"{HEAD}\n{report.text.rstrip()}\n", encoding="utf-8")
    for line in report.broken:
        print(f"out of bounds: {line}", file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
