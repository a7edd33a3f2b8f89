"""Shares of runs, each with the bound that it must keep."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

ALPHA = 0.05
CHECKS = 200
MARGIN_OF_ERROR = NormalDist().inv_cdf(1.0 - 0.05 / CHECKS)
"""3.5 Monte-Carlo errors: with this many checks at their bound, one or more goes over by chance in 5 % of cases."""


@dataclass
class Share:
    """A share of runs, with the bound that it must keep: as counted if `strict`, else but for the error of counting.
    `exact` ones were added up instead of drawn."""

    hits: float = 0
    runs: int = 0
    bound: float = 0.05
    upper: bool = True
    strict: bool = True
    exact: bool = False

    def add(self, hits: NDArray[np.bool_]) -> None:
        self.hits += int(hits.sum())
        self.runs += hits.size

    @property
    def value(self) -> float:
        return self.hits / self.runs

    @property
    def error(self) -> float:
        """Monte-Carlo standard error, taken at the bound."""
        return 0.0 if self.exact else math.sqrt(self.bound * (1.0 - self.bound) / self.runs)

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
    return Share(bound=0.2, strict=not quick)


def coverage(quick: bool) -> Share:
    return Share(bound=0.94, upper=False, strict=not quick)


def exact(share: Share, value: float) -> Share:
    """`share` at a value that was added up."""
    share.hits, share.runs, share.exact = value, 1, True
    return share


class Line(NamedTuple):
    """A line of the other tables."""

    what: str
    units: int
    share: Share
    note: str = ""


def batches(runs: int, length: int) -> Iterator[int]:
    """Sizes of batches that add up to `runs`, so small that one of them holds some 2 million values."""
    batch = max(1, min(runs, 2_000_000 // length))
    for start in range(0, runs, batch):
        yield min(batch, runs - start)
