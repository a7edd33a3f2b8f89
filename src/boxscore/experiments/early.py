"""Stopping early: look as often as one likes, and stop when the answer is clear.

A plain test that is looked at again and again cries wolf sooner or later. A confidence sequence holds at every look, so
the run may stop at any of them; its price is an interval that is wider at the same number of examples.
"""

import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import numpy as np

from boxscore.datasets import Dataset, Example
from boxscore.errors import SpecError
from boxscore.experiments import statistics
from boxscore.experiments.measures import gain
from boxscore.experiments.statistics import Difference
from boxscore.experiments.table import PairedTable, pair
from boxscore.experiments.trial import Run
from boxscore.experiments.verdict import MIN_UNITS, Rule
from boxscore.scoring.scorer import Metric

RunOn = Callable[[Dataset, float | None], Awaitable[list[Run]]]
"""Runs all variants on a part of the dataset, reusing answers up to an age in seconds (None: as configured)."""


async def run_until_clear(
    dataset: Dataset, rule: Rule, run_on: RunOn, *, seed: int = 0
) -> tuple[list[Run], Difference]:
    """Run growing parts of the dataset, in random order of its units, until the rule is decided or all is run.

    Gives the runs of the last look and the primary difference with the bounds of the sequence. The first run is the
    baseline, the second the candidate.
    """
    units = _units(dataset.examples, seed)
    largest = max(len(unit) for unit in units)
    started = time.monotonic()
    runs: list[Run] = []
    watch: _Watch | None = None
    for look in _looks(len(units)):
        part = dataset.subset([example.id for unit in units[:look] for example in unit])
        runs = await run_on(part, None if watch is None else time.monotonic() - started + 1.0)
        table = pair(runs[0], runs[1])
        if watch is None:
            watch = _Watch(table.metric(rule.metric), rule, largest)
        if watch.see(table, units[:look]):
            break
    if watch is None:
        raise RuntimeError("a dataset without units was run")
    return runs, watch.difference()


def check_early(rule: Rule, candidates: int, *, standing: bool = False) -> None:
    """Refuse what a sequence cannot watch: it holds for one difference against one threshold."""
    if standing:
        raise SpecError(
            "stopping early looks at both variants as they are run, and the baseline of a file is not run: leave "
            "stop_early out.",
            key="stop_early",
        )
    if rule.kind != "superiority" or rule.guards or candidates != 1:
        raise SpecError(
            "stopping early needs the superiority rule, one candidate and no guards: only the primary difference is "
            "watched by an interval that holds at every look. Leave stop_early out, or the rest.",
            key="stop_early",
        )


class _Watch:
    def __init__(self, metric: Metric, rule: Rule, largest: int) -> None:
        self._metric = metric
        self._rule = rule
        self._sequence = statistics.sequence(metric.kind, alpha=rule.alpha, largest=float(largest))
        self._seen = 0
        self._bounds = statistics.Bounds(0.0, -math.inf, math.inf)
        self._table: PairedTable | None = None

    def see(self, table: PairedTable, units: Sequence[Sequence[Example]]) -> bool:
        """Take in what is new; True when the rule is decided, in the metric's better direction."""
        self._table = table
        gains = dict(zip((example.id for example in table.examples), gain(table, self._metric), strict=True))
        for unit in units[self._seen :]:
            known = [gains[example.id] for example in unit if not math.isnan(gains[example.id])]
            if known:
                self._bounds = self._sequence.update(float(np.mean(known)), float(len(known)))
        self._seen = len(units)
        return self._bounds.low > self._rule.margin or self._bounds.high < self._rule.margin

    def difference(self) -> Difference:
        """The difference as `statistics.paired` gives it, with the sequence's bounds. `p` is alpha where they exclude 0
        and 1 elsewhere: a sequence has no finer one."""
        if self._table is None:
            raise RuntimeError("nothing was seen")
        before, after, clusters = self._table.pair(self._metric.name)
        plain = statistics.paired(before, after, clusters=clusters, kind=self._metric.kind, alpha=self._rule.alpha)
        low, high = self._bounds.low, self._bounds.high
        if self._metric.better == "lower":
            low, high = -high, -low
        return Difference(
            difference=plain.difference,
            low=low,
            high=high,
            p=self._rule.alpha if low > 0 or high < 0 else 1.0,
            method=f"confidence sequence over {self._seen} units",
            wins=plain.wins,
            ties=plain.ties,
            losses=plain.losses,
            n=plain.n,
            clusters=plain.clusters,
        )


def _units(examples: Sequence[Example], seed: int) -> list[list[Example]]:
    """Clusters, or single examples, in random order: a sequence needs the next to be like the last."""
    units: dict[object, list[Example]] = {}
    for index, example in enumerate(examples):
        units.setdefault(index if example.cluster is None else example.cluster, []).append(example)
    order = list(units.values())
    random.Random(seed).shuffle(order)
    return order


def _looks(units: int) -> Iterator[int]:
    """At the fewest units that may decide, then at every tenth more."""
    look = min(MIN_UNITS, units)
    while look < units:
        yield look
        look += max(5, look // 10)
    yield units
