"""Long traces as they were looked at last: their pages and totals cost what came since, and not each span each time."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, cast

from boxscore.store.spans.database import Database

LONG = 1_000
"""A trace of more spans is kept here, in memory,"""
KEPT = 200_000
"""up to so many spans of all of them: some 200 bytes each. One that has more is never read as a whole."""

Key: TypeAlias = tuple[int, int, bytes]
"""File, project and trace."""

_SPANS = """
SELECT start_ns, span, seq, duration_ns, error, input_tokens, output_tokens, cost_picousd
FROM spans WHERE project = ? AND trace = ? AND seq > ?
"""
_LENGTH = "SELECT count(*) FROM (SELECT 1 FROM spans WHERE project = ? AND trace = ? LIMIT ?)"
_LAST = "SELECT coalesce(max(seq), 0) FROM spans"
_CHANGED = "SELECT count(*), coalesce(max(seq >= ? AND seq <= ?), 0) FROM changes WHERE id > ?"
_LAST_CHANGE = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'"
_END = 2**63


class Totals(NamedTuple):
    """Sums over spans, None where nothing was told."""

    spans: int = 0
    errors: int = 0
    duration_ns: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    picousd: int | None = None


class LongTrace(NamedTuple):
    """What is kept of one: start, id and number of each span in the order of its pages, and the times and sums."""

    spans: Sequence[tuple[int, bytes, int]]
    first_seq: int
    last_seq: int
    change: int
    end_ns: int | None
    sums: Sequence[int | None]

    def after(self, place: tuple[int, bytes], limit: int) -> list[int]:
        """Numbers of the spans behind a place."""
        at = bisect_right(self.spans, (*place, _END))
        return [seq for _, _, seq in self.spans[at : at + limit]]

    @property
    def totals(self) -> Totals:
        errors, tokens_in, tokens_out, picousd = self.sums
        duration = None if self.end_ns is None else self.end_ns - self.spans[0][0]
        return Totals(len(self.spans), errors or 0, duration, tokens_in, tokens_out, picousd)


class LongTraces:
    """Those asked for last. For any thread; what it gives is not changed any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, LongTrace] = OrderedDict()

    def of(self, database: Database, key: Key) -> LongTrace | None:
        """The trace as the connection sees it, None for one that is not long, or too long."""
        with self._lock:
            known = self._kept.pop(key, None)
        if known is not None and known.last_seq > cast(int, database.execute(_LAST).get):
            known = None  # by a question that saw later commits
        if known is None and not LONG < cast(int, database.execute(_LENGTH, (*key[1:], KEPT + 1)).get) <= KEPT:
            return None
        change = cast(int, database.execute(_LAST_CHANGE).get)
        if known is not None and _has_changed(database, known, change):
            known = None
        found = _with_more(database, key, known, change)
        with self._lock:
            self._kept[key] = found
            while sum(len(trace.spans) for trace in self._kept.values()) > KEPT:
                self._kept.popitem(last=False)
        return found if len(found.spans) > LONG else None


def _has_changed(database: Database, known: LongTrace, change: int) -> bool:
    """Whether a span of it may have; changes that were forgotten since may have been of any."""
    if change == known.change:
        return False
    asked = (known.first_seq, known.last_seq, known.change)
    count, is_near = cast("tuple[int, int]", database.execute(_CHANGED, asked).fetchone())
    return bool(is_near) or count != change - known.change


def _with_more(database: Database, key: Key, known: LongTrace | None, change: int) -> LongTrace:
    last = 0 if known is None else known.last_seq
    rows = cast(
        "list[tuple[int, bytes, int, int | None, int, int | None, int | None, int | None]]",
        database.execute(_SPANS, (*key[1:], last)).fetchall(),
    )
    if known is not None and not rows:
        return known._replace(change=change)
    spans = [row[:3] for row in rows] if known is None else [*known.spans, *(row[:3] for row in rows)]
    spans.sort()
    before = (None,) * 4 if known is None else known.sums
    columns = zip(*(row[4:] for row in rows), strict=True)
    sums = [_sum(first, values) for first, values in zip(before, columns, strict=True)]
    seqs = [row[2] for row in rows]
    ends = [row[0] + row[3] for row in rows if row[3] is not None]
    if known is not None and known.end_ns is not None:
        ends.append(known.end_ns)
    return LongTrace(
        spans=spans,
        first_seq=min(seqs) if known is None else known.first_seq,
        last_seq=max(seqs),
        change=change,
        end_ns=max(ends, default=None),
        sums=sums,
    )


def _sum(first: int | None, values: Sequence[int | None]) -> int | None:
    known = [value for value in (first, *values) if value is not None]
    return sum(known) if known else None
