"""All rules on one world: how often they ship on the border, and hold what they promise to see."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from boxscore.experiments.decision import Interval, decide
from boxscore.experiments.statistics import net_benefit, paired
from boxscore.experiments.statistics.difference import interval, regularised
from boxscore.experiments.statistics.units import Units
from boxscore.experiments.statistics.worth import benefit_moments, fieller
from boxscore.experiments.verdict import Rule
from planted.shares import ALPHA, Floats, Share, batches, coverage, false_hold, false_ship
from planted.worlds import World

USD = 0.05
"""Dollars a success is worth in the value rule."""
DEARER = 0.05 * USD
"""Mean extra cost of an example there: it pays from a gain of 5 points on. Its standard deviation is half of it."""


@dataclass
class RuleRow:
    """One line of the first table."""

    world: World
    count: int
    quick: bool
    gain: float = 0.0
    margin: float = 0.0
    worth: float = 0.0
    shares: dict[str, Share] = field(default_factory=dict[str, Share])

    def add(self, what: str, make: Callable[[bool], Share], hits: NDArray[np.bool_]) -> None:
        self.shares.setdefault(what, make(self.quick)).add(hits)


def measure_rules(world: World, count: int, *, runs: int, quick: bool, seed: int) -> RuleRow:
    """All rules on one kind of data with `count` independent units."""
    rng = np.random.default_rng([seed, count])
    units = world.units(count)
    row = RuleRow(world, count, quick)
    row.gain, row.margin = world.detectable(units), world.margin(units)
    border = DEARER / USD
    row.worth = world.detectable(units, threshold=border, noise=0.5 * border)

    def bounds(change: Floats) -> tuple[Floats, Floats]:
        return interval(regularised(change, units, world.kind), units.dof, ALPHA)

    def benefit(change: Floats, cost: Floats) -> tuple[Floats, Floats]:
        return interval(benefit_moments(change, cost, USD, units), units.dof, ALPHA)

    def saved(change: Floats) -> NDArray[np.bool_]:
        return interval(units.moments(change), units.dof, ALPHA)[0] > 0.0

    for number, size in enumerate(batches(runs, int(units.n))):
        # One draw of costs serves all rules: what is counted together does not share it.
        cost = world.costs(rng, size, units, DEARER)
        saving, no_saving = saved(cost), saved(cost - world.costs(rng, size, units, DEARER))

        equal = world.differences(rng, size, units, 0.0)
        low, high = bounds(equal)
        row.add("superiority false ship", false_ship, low > 0.0)
        row.add("coverage", coverage, (low <= 0.0) & (high >= 0.0))
        row.add("noninferiority false hold", false_hold, ~((low > -row.margin) & saving))
        row.add("noninferiority false ship, nothing saved", false_ship, (low > -row.margin) & no_saving)
        if number == 0:
            check_by_the_front_door(world, units, equal, low, row.margin)

        low, high = bounds(world.differences(rng, size, units, row.gain))
        row.add("superiority false hold", false_hold, ~(low > 0.0))
        row.add("coverage at the effect", coverage, (low <= row.gain) & (high >= row.gain))

        low, high = bounds(world.differences(rng, size, units, -row.margin))
        row.add("noninferiority false ship, worse", false_ship, (low > -row.margin) & saving)
        row.add("coverage at the effect", coverage, (low <= -row.margin) & (high >= -row.margin))

        low, high = benefit(world.differences(rng, size, units, border), cost)
        row.add("value false ship", false_ship, low > 0.0)
        row.add("value coverage", coverage, (low <= 0.0) & (high >= 0.0))

        change, truth = world.differences(rng, size, units, row.worth), USD * row.worth - DEARER
        low, high = benefit(change, cost)
        row.add("value false hold", false_hold, ~(low > 0.0))
        row.add("value coverage", coverage, (low <= truth) & (high >= truth))
        below, above = fieller(change, cost, units, ALPHA)
        ratio = DEARER / row.worth
        row.add("dollars per success coverage", coverage, ~np.isfinite(below) | ((below <= ratio) & (above >= ratio)))
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


def rule_head() -> str:
    return (
        "| data | units | gain planted | S ship | S hold | margin | N ship, worse | N ship, no saving | N hold | "
        "V ship | V hold | cover 0 | cover effect | cover benefit | cover $/success |\n|---|" + "---:|" * 14
    )


def rule_line(row: RuleRow) -> str:
    s = [str(row.shares[name]) if name in row.shares else "" for name in COLUMNS]
    gain, margin = f"{100 * row.gain:.1f}", f"{100 * row.margin:.1f}"
    return f"| {row.world.name} | {row.count:,} | " + " | ".join([gain, s[0], s[1], margin, *s[2:]]) + " |"
