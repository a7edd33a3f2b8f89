"""Corrections for asking several questions of the same data."""

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p by Holm (1979), in the order given: below alpha for all of them falsely in at most alpha of cases."""
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for rank, index in enumerate(_ascending(ps)):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = highest
    return adjusted


def holm_levels(ps: Sequence[float], alpha: float = 0.05) -> list[float]:
    """The alpha at which each interval is to be drawn so that intervals and Holm's test agree, in the order given.

    The smallest p is tested at alpha/m, the next at alpha/(m − 1) and so on; from the first that fails on, all keep
    the level at which it failed.
    """
    levels = [alpha] * len(ps)
    level, failed = alpha, False
    for rank, index in enumerate(_ascending(ps)):
        if not failed:
            level = alpha / (len(ps) - rank)
            failed = ps[index] >= level
        levels[index] = level
    return levels


def benjamini_hochberg(ps: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Which of the hypotheses are rejected with a false discovery rate of at most alpha (1995), in the order given."""
    order = _ascending(ps)
    last = max((rank for rank, index in enumerate(order, 1) if ps[index] <= rank * alpha / len(ps)), default=0)
    rejected = [False] * len(ps)
    for index in order[:last]:
        rejected[index] = True
    return rejected


def _ascending(ps: Sequence[float]) -> list[int]:
    for p in ps:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"a p value lies between 0 and 1, and {p} was given")
    return sorted(range(len(ps)), key=lambda index: ps[index])
