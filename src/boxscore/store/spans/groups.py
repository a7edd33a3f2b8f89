"""Groups of spans and what is measured over them, summed batch by batch."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from boxscore.errors import QueryTooLargeError
from boxscore.store.spans.columns import PICO, UNSET, to_usd
from boxscore.store.spans.filters import METADATA, kind_of
from boxscore.store.spans.measures import TIMES, Group, Key, Measure, Number
from boxscore.store.spans.segment import value_of
from boxscore.store.spans.sketch import BINS, Sketch, bins_of

Numbers: TypeAlias = npt.NDArray[np.int64]
Batch: TypeAlias = Mapping[str, Numbers]
"""Columns of some spans, each as long as the others."""

GROUPS = 10_000
"""More groups than these answer nobody's question."""
_HALF = 10**6  # sums of trillionths may pass 64 bits where each of them does not: they are summed in two halves


def column_of(field: str) -> str:
    """The column in which a field to measure or to group by is found; `metadata.KEY` is one that scans make."""
    return "at_ns" if field in TIMES else "cost_picousd" if field == "cost_usd" else field


class _Sums:
    """Of one field in one group."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0
        self.low: int | None = None
        self.high: int | None = None
        self.sketch = Sketch()


class _Found:
    """One group so far."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.spans = 0
        self.sums = {field: _Sums() for field in fields}


class Groups:
    """Takes batches of spans, gives groups. `measures` and `by` are checked before."""

    def __init__(self, measures: Sequence[Measure], by: Sequence[str]) -> None:
        self._measures = measures
        self._by = by
        self._fields = sorted({measure.field for measure in measures if measure.field is not None})
        self._sketched = {measure.field for measure in measures if measure.function in ("p50", "p95")}
        self._found: dict[tuple[Key, ...], _Found] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """What a batch has to have."""
        return tuple(dict.fromkeys(column_of(field) for field in (*self._by, *self._fields))) or ("at_ns",)

    def add(self, batch: Batch, name_of: Callable[[int], str]) -> None:
        """Adds spans; `name_of` gives the names of numbers in text fields."""
        rows = len(batch[self.columns[0]])
        if not rows:
            return
        places = np.zeros(rows, np.int64)
        parts: list[Numbers] = []
        for field in self._by:
            values = batch[column_of(field)]
            parts.append(values // TIMES[field] * TIMES[field] if field in TIMES else values)
            _, inverse = np.unique(parts[-1], return_inverse=True)
            _, places = np.unique(places * rows + inverse, return_inverse=True)
        order = np.argsort(places, kind="stable") if self._by else np.arange(rows)
        starts = np.flatnonzero(np.diff(places[order], prepend=-1))
        numbers = np.array([part[order[starts]] for part in parts], np.int64).reshape(-1, len(starts)).T.tolist()
        found = [
            self._of(tuple(self._key(field, number, name_of) for field, number in zip(self._by, key, strict=True)))
            for key in numbers
        ]
        for group, spans in zip(found, np.diff(starts, append=rows).tolist(), strict=True):
            group.spans += spans
        for field in self._fields:
            values = batch[column_of(field)][order]
            if kind_of(field) == "flag":
                values = np.minimum(values, 1)
            self._measure(field, values, places[order], [group.sums[field] for group in found])

    def groups(self, limit: int) -> list[Group]:
        made = [
            Group(keys=keys, values=tuple(self._value(measure, group) for measure in self._measures))
            for keys, group in self._found.items()
        ]
        made.sort(key=_by_keys)
        if not self._by or self._by[0] not in TIMES:
            made.sort(key=lambda group: (group.values[0] is None, -(group.values[0] or 0)))
        return made[:limit]

    def _of(self, keys: tuple[Key, ...]) -> _Found:
        found = self._found.get(keys)
        if found is None:
            if len(self._found) >= GROUPS:
                raise QueryTooLargeError(
                    f"grouped by {', '.join(self._by)} there are more than {GROUPS:,} groups: group by less, or narrow "
                    "the filter."
                )
            found = self._found[keys] = _Found(self._fields)
        return found

    def _measure(self, field: str, values: Numbers, places: Numbers, found: Sequence[_Sums]) -> None:
        is_set = values != UNSET
        values, places = values[is_set], places[is_set]
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        if not len(starts):
            return
        counts = np.diff(starts, append=len(values))
        high, low = np.add.reduceat(values // _HALF, starts), np.add.reduceat(values % _HALF, starts)
        least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        for at, place in enumerate(cast("list[int]", places[starts].tolist())):
            sums = found[place]
            sums.count += int(counts[at])
            sums.sum += int(high[at]) * _HALF + int(low[at])
            sums.low = int(least[at]) if sums.low is None else min(sums.low, int(least[at]))
            sums.high = int(most[at]) if sums.high is None else max(sums.high, int(most[at]))
        if field in self._sketched:
            pairs, times = np.unique(places * BINS + bins_of(values), return_counts=True)
            for pair, count in zip(pairs.tolist(), times.tolist(), strict=True):
                place, bin = divmod(cast(int, pair), BINS)
                found[place].sketch.add_bin(bin, count)

    def _key(self, field: str, value: int, name_of: Callable[[int], str]) -> Key:
        if value == UNSET:
            return None
        if field in TIMES:
            return value
        if field.startswith(METADATA):
            return value_of(name_of(value))
        return bool(value) if kind_of(field) == "flag" else name_of(value)

    def _value(self, measure: Measure, group: _Found) -> Number:
        if measure.field is None:
            return group.spans
        sums = group.sums[measure.field]
        if measure.function == "count":
            return sums.count
        if not sums.count:
            return None
        money = kind_of(measure.field) == "money"
        match measure.function:
            case "sum":
                value: int | float | None = sums.sum
            case "avg":
                if money:
                    return to_usd(sums.sum) / sums.count
                value = sums.sum / sums.count
            case "min":
                value = sums.low
            case "max":
                value = sums.high
            case "p50":
                value = sums.sketch.quantile(0.5)
            case "p95":
                value = sums.sketch.quantile(0.95)
        if value is None or not money:
            return value
        return to_usd(value) if isinstance(value, int) else Decimal(value).scaleb(-PICO)


def _by_keys(group: Group) -> list[tuple[bool, int, str]]:
    """Nothing first, then by time or name."""
    return [(key is not None, key if isinstance(key, int) else 0, str(key)) for key in group.keys]
