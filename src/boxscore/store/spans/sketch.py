"""Quantiles of durations from counts in logarithmic bins: mergeable, and off by two percent at most.

DDSketch without its limit on bins (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019): a nanosecond to a century takes some 1,100 bins.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ERROR = 0.02
_GAMMA = (1 + ERROR) / (1 - ERROR)
_LOG = math.log(_GAMMA)
BINS = 2_048
"""No bin of a 64-bit number is beyond."""
_decoder = msgspec.msgpack.Decoder(dict[int, int])


class Sketch:
    """Counts of values. What is below 1 counts as 1."""

    def __init__(self, bins: Iterable[tuple[int, int]] = ()) -> None:
        self._bins = Counter(dict(bins))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Sketch":
        return cls(_decoder.decode(data).items())

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(dict(self._bins))

    def add(self, value: int) -> None:
        self._bins[math.ceil(math.log(value) / _LOG) if value > 1 else 0] += 1

    def add_bin(self, place: int, count: int) -> None:
        """Adds values by their bin (`bins_of`)."""
        self._bins[place] += count

    def merge(self, other: "Sketch") -> None:
        self._bins.update(other._bins)

    def quantile(self, q: float) -> float | None:
        """The value at rank `q` of (count - 1), from below; None where nothing was counted."""
        rank = q * (self._bins.total() - 1)
        seen = 0
        for place in sorted(self._bins):
            seen += self._bins[place]
            if seen > rank:
                return value_of(place)
        return None


def value_of(place: int) -> float:
    """What a bin stands for."""
    return 2 * _GAMMA**place / (_GAMMA + 1) if place else 1.0


def bins_of(values: "npt.NDArray[np.int64]") -> "npt.NDArray[np.int64]":
    """The bin of each value, as `Sketch.add` finds it."""
    import numpy as np

    return np.ceil(np.log(np.maximum(values, 1)) / _LOG).astype(np.int64)
