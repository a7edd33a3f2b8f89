"""Groups of spans and what is measured over them, summed batch by batch."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import cast

import numpy as np

from boxscore.errors import QueryTooLargeError
from boxscore.store.spans.columns import LARGEST, PICO, UNSET, to_usd
from boxscore.store.spans.filters import METADATA, kind_of
from boxscore.store.spans.measures import TIMES, Group, Key, Measure, Number
from boxscore.store.spans.parts import Batch, Coded, Numbers
from boxscore.store.spans.segment import value_of
from boxscore.store.spans.sketch import BINS, Sketch, bins_of

GROUPS = 10_000
"""More groups than these answer nobody's question."""
_LOW = 2**26
"""Sums are kept in two parts, the first of so many: of a batch neither passes the 53 bits of a float, of all no 64."""
_EXACT = 2**53
_PLACES = 2**16
"""As many groups as could be are counted by place; more are sorted."""
_PAIRS = 2**20
"""So many bins of sketches wait to be added up."""


def column_of(field: str) -> str:
    """The column in which a field to measure or to group by is found; `metadata.KEY` is one that scans make."""
    return "at_ns" if field in TIMES else "cost_picousd" if field == "cost_usd" else field


class _Sums:
    """Of one field, by the place of the group."""

    def __init__(self) -> None:
        self.count = self.high = self.low = self.least = self.most = np.zeros(0, np.int64)
        self._bins: list[tuple[Numbers, Numbers]] = []  # numbers of group and bin, and how many are in it
        self._waiting = 0

    def grow(self, size: int) -> None:
        self.count, self.high, self.low = (_grown(part, size, 0) for part in (self.count, self.high, self.low))
        self.least, self.most = _grown(self.least, size, LARGEST), _grown(self.most, size, UNSET)

    def sum(self, place: int) -> int:
        return int(self.high[place]) * _LOW + int(self.low[place])

    def merge(self, to: Numbers, size: int) -> None:
        """Adds up groups that are one: `to` is the place of each among `size`."""
        self.grow(len(to))
        self.count, self.high, self.low = (_added(part, to, size) for part in (self.count, self.high, self.low))
        least, most = self.least, self.most
        self.least, self.most = np.full(size, LARGEST, np.int64), np.full(size, UNSET, np.int64)
        np.minimum.at(self.least, to, least)
        np.maximum.at(self.most, to, most)
        self._bins = [(to[pairs // BINS] * BINS + pairs % BINS, counts) for pairs, counts in self._bins]

    def add_bins(self, pairs: Numbers, counts: Numbers) -> None:
        self._bins.append((pairs, counts))
        self._waiting += len(pairs)
        if self._waiting > _PAIRS:
            self._add_up()

    def sketches(self) -> dict[int, Sketch]:
        """By the places of the groups that have any."""
        self._add_up()
        found: dict[int, Sketch] = {}
        for pairs, counts in self._bins:
            for pair, count in zip(cast("list[int]", pairs.tolist()), counts.tolist(), strict=True):
                place, bin = divmod(pair, BINS)
                found.setdefault(place, Sketch()).add_bin(bin, count)
        return found

    def _add_up(self) -> None:
        if self._bins:
            pairs, of = np.unique(np.concatenate([pairs for pairs, _ in self._bins]), return_inverse=True)
            counts = np.zeros(len(pairs), np.int64)
            np.add.at(counts, of, np.concatenate([counts for _, counts in self._bins]))
            self._bins = [(pairs, counts)]
        self._waiting = 0


class Groups:
    """Takes batches of spans, gives groups. `measures` and `by` are checked before."""

    def __init__(self, measures: Sequence[Measure], by: Sequence[str]) -> None:
        self._measures = measures
        self._by = by
        self._fields = sorted({measure.field for measure in measures if measure.field is not None})
        self._sketched = {measure.field for measure in measures if measure.function in ("p50", "p95")}
        self._bounded = {measure.field for measure in measures if measure.function in ("min", "max")}
        self._keys: list[tuple[Key, ...]] = []
        self._unnamed: dict[tuple[int, ...], int] = {}  # places of groups of one file by its numbers, the last
        self._spans = np.zeros(0, np.int64)
        self._sums = {field: _Sums() for field in self._fields}

    @property
    def columns(self) -> tuple[str, ...]:
        """What a batch has to have."""
        return tuple(dict.fromkeys(column_of(field) for field in (*self._by, *self._fields))) or ("project",)

    def add(self, batch: Batch) -> None:
        """Adds spans of one file."""
        if not batch.rows:
            return
        places, numbers = _grouped(batch, self._by)
        of = np.array([self._unnamed.setdefault(of, len(self._keys) + len(self._unnamed)) for of in numbers], np.intp)
        self._check(len(self._unnamed))
        self._spans = _grown(self._spans, self._size, 0)
        np.add.at(self._spans, of, np.bincount(places, minlength=len(of)))
        for field in self._fields:
            values = batch[column_of(field)]
            self._measure(field, np.minimum(values, 1) if kind_of(field) == "flag" else values, places, of)

    def name(self, name_of: Callable[[int], str]) -> None:
        """Ends a file; `name_of` gives the names of its numbers in text fields."""
        for numbers in self._unnamed:
            fields = zip(self._by, numbers, strict=True)
            self._keys.append(tuple(self._key(field, number, name_of) for field, number in fields))
        self._unnamed.clear()
        self._check(len(set(self._keys)))

    def groups(self, limit: int) -> list[Group]:
        places: dict[tuple[Key, ...], int] = {}
        to = np.array([places.setdefault(key, len(places)) for key in self._keys], np.intp)
        if len(places) < len(to):  # some are in several files
            self._spans = _added(self._spans, to, len(places))
            for sums in self._sums.values():
                sums.merge(to, len(places))
        sketches = {field: self._sums[field].sketches() for field in self._sketched if field is not None}
        made = [
            Group(keys=keys, values=tuple(self._value(measure, place, sketches) for measure in self._measures))
            for keys, place in places.items()
        ]
        made.sort(key=_by_keys)
        if not self._by or self._by[0] not in TIMES:
            made.sort(key=lambda group: (group.values[0] is None, -(group.values[0] or 0)))
        return made[:limit]

    @property
    def _size(self) -> int:
        return len(self._keys) + len(self._unnamed)

    def _check(self, groups: int) -> None:
        if groups > GROUPS:
            raise QueryTooLargeError(
                f"grouped by {', '.join(self._by)} there are more than {GROUPS:,} groups: group by less, or narrow the "
                "filter."
            )

    def _measure(self, field: str, values: Numbers, places: Numbers, of: Numbers) -> None:
        sums = self._sums[field]
        sums.grow(self._size)
        is_set = values != UNSET
        if not is_set.all():
            values, places = values[is_set], places[is_set]
        if not len(values):
            return
        groups = len(of)
        np.add.at(sums.count, of, np.bincount(places, minlength=groups))
        if max(-int(values.min()), int(values.max())) * len(values) < _EXACT:
            added = np.bincount(places, values, groups).astype(np.int64)
            high, low = added // _LOW, added % _LOW
        else:
            high, low = (np.bincount(places, part, groups).astype(np.int64) for part in (values // _LOW, values % _LOW))
        np.add.at(sums.high, of, high)
        np.add.at(sums.low, of, low)
        if field in self._bounded:
            np.minimum.at(sums.least, of[places], values)
            np.maximum.at(sums.most, of[places], values)
        if field in self._sketched:
            pairs, counts = _counted(places * BINS + bins_of(values), groups * BINS)
            sums.add_bins(of[pairs // BINS] * BINS + pairs % BINS, counts)

    def _key(self, field: str, value: int, name_of: Callable[[int], str]) -> Key:
        if value == UNSET:
            return None
        if field in TIMES:
            return value
        if field.startswith(METADATA):
            return value_of(name_of(value))
        return bool(value) if kind_of(field) == "flag" else name_of(value)

    def _value(self, measure: Measure, place: int, sketches: Mapping[str, Mapping[int, Sketch]]) -> Number:
        if measure.field is None:
            return int(self._spans[place])
        sums = self._sums[measure.field]
        count = int(sums.count[place])
        if measure.function == "count":
            return count
        if not count:
            return None
        money = kind_of(measure.field) == "money"
        match measure.function:
            case "sum":
                value: int | float | None = sums.sum(place)
            case "avg":
                if money:
                    return to_usd(sums.sum(place)) / count
                value = sums.sum(place) / count
            case "min":
                value = int(sums.least[place])
            case "max":
                value = int(sums.most[place])
            case "p50":
                value = sketches[measure.field][place].quantile(0.5)
            case "p95":
                value = sketches[measure.field][place].quantile(0.95)
        if value is None or not money:
            return value
        return to_usd(value) if isinstance(value, int) else Decimal(value).scaleb(-PICO)


def _grouped(batch: Batch, by: Sequence[str]) -> tuple[Numbers, list[tuple[int, ...]]]:
    """The place of each span's group, and the groups there are as numbers of a file."""
    places = np.zeros(batch.rows, np.int64)
    parts: list[Numbers] = []
    groups = 1
    for field in by:
        words, codes = _coded(batch, field)
        pairs = places * len(words) + codes
        found, _ = _counted(pairs, groups * len(words))
        if groups * len(words) <= _PLACES:
            to = np.zeros(groups * len(words), np.int64)
            to[found] = np.arange(len(found))
            places = to[pairs]
        else:
            places = np.searchsorted(found, pairs)
        parts = [*(part[found // len(words)] for part in parts), words[found % len(words)]]
        groups = len(found)
    return places, list(zip(*(cast("list[int]", part.tolist()) for part in parts), strict=True)) if by else [()]


def _counted(numbers: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Which there are of the numbers below `size`, ascending, and how many of each."""
    if size > _PLACES:
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers, minlength=size)
    found = np.flatnonzero(counts)
    return found, counts[found]


def _coded(batch: Batch, field: str) -> Coded:
    """A column to group by: its values, and more that lie between them, and the place of each row's."""
    column = batch.columns[column_of(field)]
    if isinstance(column, Coded) and field not in TIMES:
        return column
    unit = TIMES.get(field, 1)
    values = batch[column_of(field)] // unit
    low, high = int(values.min()), int(values.max())
    if high - low < _PLACES:
        return Coded(np.arange(low, high + 1) * unit, (values - low).astype(np.uint32))
    words, codes = np.unique(values, return_inverse=True)
    return Coded(words * unit, codes.astype(np.uint32))


def _added(part: Numbers, to: Numbers, size: int) -> Numbers:
    found = np.zeros(size, np.int64)
    np.add.at(found, to, part)
    return found


def _grown(part: Numbers, size: int, start: int) -> Numbers:
    return part if len(part) == size else np.append(part, np.full(size - len(part), start, np.int64))


def _by_keys(group: Group) -> list[tuple[bool, int, str]]:
    """Nothing first, then by time or name."""
    return [(key is not None, key if isinstance(key, int) else 0, str(key)) for key in group.keys]
