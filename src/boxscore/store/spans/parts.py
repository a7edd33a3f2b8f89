"""One column of some thousand rows: in as few bytes as it takes, compared undecoded where that is possible."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import zstandard

from boxscore.store.spans.columns import UNSET
from boxscore.store.spans.filters import Operator

Numbers: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Encoded: TypeAlias = tuple[int, bytes, bytes]
"""Width, words and data, as `encode` gives them."""
Codes: TypeAlias = "npt.NDArray[np.unsignedinteger]"
Chosen: TypeAlias = "Mask | slice"
"""Some of the rows: a slice where it is all of them."""

WORDS = 256
"""A column with no more values than these is kept as places in the list of them."""


class Coded(NamedTuple):
    """Values by their places in ascending words."""

    words: Numbers
    codes: Codes


class Batch:
    """Columns of some spans, each of `rows` values."""

    def __init__(self, rows: int, columns: "Mapping[str, Numbers | Coded]") -> None:
        self.rows = rows
        self.columns = columns

    def __getitem__(self, column: str) -> Numbers:
        found = self.columns[column]
        return found.words[found.codes] if isinstance(found, Coded) else found


_compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
_decompressor = zstandard.ZstdDecompressor()


def encode(values: Numbers, *, few: bool) -> Encoded:
    """A width of 0: the data are places, of a byte, in the ascending words; there are none where there is one word.
    Else the words are the least and the greatest value, and the data numbers of so many bytes: 0 where nothing is set
    (`columns.UNSET`), 1 for the least. They lie by significance, so that bytes which hardly differ are neighbours.
    `few`: it may have few values."""
    words = np.unique(values) if few or not len(values) or values.min() == values.max() else values
    if len(words) <= WORDS and words is not values:
        codes = np.searchsorted(words, values).astype(np.uint8)
        return 0, words.astype("<i8").tobytes(), _compressor.compress(codes.tobytes()) if len(words) > 1 else b""
    is_set = values != UNSET
    known = values[is_set]
    low, high = int(known.min()), int(known.max())
    width = next(width for width in (1, 2, 4, 8) if high - low + 1 < 2 ** (8 * width) or width == 8)
    codes = values.view(np.uint64) - np.uint64((low - 1) % 2**64)
    codes[~is_set] = 0
    planes = np.ascontiguousarray(codes.astype(f"<u{width}").view(np.uint8).reshape(len(values), width).T)
    return width, np.array((low, high), "<i8").tobytes(), _compressor.compress(planes.tobytes())


class Part:
    """A column of `rows` rows; `data` is asked for when it is needed, and what it says is `kept` where one can."""

    def __init__(
        self,
        rows: int,
        width: int,
        words: bytes,
        data: Callable[[], bytes],
        kept: Callable[[Callable[[], Codes]], Codes] = lambda decode: decode(),
    ) -> None:
        self._rows = rows
        self._width = width
        self._words = np.frombuffer(words, "<i8")
        self._data = data
        self._kept = kept

    def values(self, chosen: Chosen = slice(None)) -> Numbers:
        found = self.taken(chosen)
        return found.words[found.codes] if isinstance(found, Coded) else found

    def taken(self, chosen: Chosen = slice(None)) -> "Numbers | Coded":
        """What the chosen rows have, as places in words where there are few."""
        codes = self._codes[chosen]
        if self._width == 0:
            return Coded(self._words, codes)
        # Unsigned arithmetic wraps as the encoding did: bounds may lie further apart than int64 reaches.
        values = (codes.astype(np.uint64) + np.uint64((int(self._words[0]) - 1) % 2**64)).view(np.int64)
        values[codes == 0] = UNSET
        return values

    def compare(self, operator: Operator, value: int | None) -> Mask:
        """Where the condition holds; None is what is not set, and `!=` holds there too."""
        if self._width == 0:
            held = _compared(self._words, self._words == UNSET, operator, UNSET if value is None else value)
            if held.all() or not held.any():
                return np.full(self._rows, held[0])
            if operator == "!=":
                return self._codes != held.argmin()
            # Words ascend: those that a condition takes lie together.
            first, last = int(held.argmax()), len(held) - 1 - int(held[::-1].argmax())
            return self._codes == first if first == last else (self._codes >= first) & (self._codes <= last)
        if value is None:
            return self._codes == 0 if operator == "=" else self._codes != 0
        low, high = self._words.tolist()
        if not low <= value <= high:
            if operator in ("=", "!="):
                return np.full(self._rows, operator == "!=")
            outside = (value < low) == (operator in (">", ">="))
            return self._codes != 0 if outside else np.zeros(self._rows, np.bool_)
        codes = self._codes
        return _compared(codes, codes == 0, operator, codes.dtype.type(value - low + 1))

    @cached_property
    def _codes(self) -> Codes:
        if self._width == 0 and len(self._words) == 1:
            return np.zeros(self._rows, np.uint8)
        return self._kept(self._decoded)

    def _decoded(self) -> Codes:
        planes = np.frombuffer(_decompressor.decompress(self._data()), np.uint8).reshape(-1, self._rows)
        codes = planes[0].astype(f"<u{max(1, self._width)}")
        for place in range(1, self._width):
            codes |= planes[place].astype(codes.dtype) << codes.dtype.type(8 * place)
        return codes


def _compared(values: "npt.NDArray[np.integer]", unset: Mask, operator: Operator, value: "int | np.integer") -> Mask:
    match operator:
        case "=":
            return values == value
        case "!=":
            return values != value
        case "<":
            return (values < value) & ~unset
        case "<=":
            return (values <= value) & ~unset
        case ">":
            return (values > value) & ~unset
        case ">=":
            return (values >= value) & ~unset
