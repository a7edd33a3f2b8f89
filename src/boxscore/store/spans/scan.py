"""Lists and sums of one file that no index gives: over its columns, and over the rows that these lack."""

from collections.abc import Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import apsw
import numpy as np

from boxscore.store import deadline
from boxscore.store.spans.columns import AT, SEQ, UNSET
from boxscore.store.spans.database import Database, Row, open_database
from boxscore.store.spans.filters import METADATA
from boxscore.store.spans.parts import Batch, Mask, Numbers, Part
from boxscore.store.spans.queries import Question, Test, Where
from boxscore.store.spans.reader import Reader, columns_path
from boxscore.store.spans.segment import tags_of
from boxscore.store.spans.stripes import Stripe, as_changes, changed, identity, part, stripes

FEW = 4
"""So many rows are read sooner than another column is."""

Place = tuple[int, int]
"""Time and order of arrival."""


def batches(reader: Reader, question: Question, columns: Sequence[str]) -> Iterator[Batch]:
    """Columns of all rows that the question takes, some at a time."""
    with scanning(reader, question) as scan:
        yield from scan.batches(columns)


@contextmanager
def scanning(reader: Reader, question: Question) -> "Generator[Scan]":
    """A scan of the reader's file, inside one of its snapshots."""
    try:
        database = open_database(columns_path(reader.path), write=False)
    except apsw.CantOpenError:
        yield Scan(reader, question, None)  # there are none yet
        return
    try:
        yield Scan(reader, question, database)
    finally:
        database.close()


class Scan:
    """One question to one file."""

    def __init__(self, reader: Reader, question: Question, columns: Database | None) -> None:
        self._reader = reader
        self._question = question
        self._columns = columns
        self._last_seq = reader.last_seq()
        tests = [Test("project", "=", question.project), *question.tests]
        self._tests = sorted(tests, key=lambda test: test.operator != "=")  # those first that leave most out
        self._tags = [(has, np.array(reader.tagged(question.project, tag), np.int64)) for has, tag in question.tags]
        self._scored: list[tuple[Numbers, Numbers]] = []
        for score in question.scored:
            if (scored := reader.scored(question.project, score)) is not None:
                seqs, sessions = scored
                self._scored.append((np.array(sorted(seqs), np.int64), np.array(sessions, np.int64)))
        self._stripes: Sequence[Stripe] = []
        self._file: Hashable = None
        self._mark = 0
        if columns is not None:
            columns.execute("BEGIN")
            self._mark, change = cast("tuple[int, int]", columns.execute("SELECT seq, change FROM mark").fetchone())
            self._changes = as_changes(reader.changes_after(change))
            self._stripes = stripes(columns)
            self._file = identity(reader.path, columns)

    def rows(self, beyond: Place, limit: int, *, oldest_first: bool) -> list[Row]:
        """The first `limit` rows behind a place."""
        found: list[Row] = []
        for where in self._lacking():
            where = where.beyond(*beyond, oldest_first=oldest_first)
            found += self._reader.rows(where, limit, oldest_first=oldest_first)
        way = 1 if oldest_first else -1

        def sort() -> None:
            found.sort(key=lambda row: (way * cast(int, row[AT]), way * cast(int, row[SEQ])))
            del found[limit:]

        sort()
        for stripe in sorted(self._stripes, key=lambda stripe: stripe.oldest_ns if oldest_first else -stripe.newest_ns):
            first, last = (stripe.oldest_ns, stripe.newest_ns) if oldest_first else (stripe.newest_ns, stripe.oldest_ns)
            if len(found) == limit and way * first > way * cast(int, found[-1][AT]):
                break
            if way * last >= way * beyond[0]:
                found += self._candidates(stripe, beyond, limit, way)
                sort()
        return found

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Columns of all rows that the question takes, some at a time. A column `metadata.KEY` has the numbers of the
        names of tags."""
        tagged = {
            column: _Values(self._reader, self._question, column) for column in columns if column.startswith(METADATA)
        }
        kept = [column for column in columns if column not in tagged]
        for batch in self._kept([*kept, "seq"] if tagged else kept):
            more = {column: values.of(batch["seq"]) for column, values in tagged.items()}
            yield Batch(batch.rows, {**batch.columns, **more})

    def _kept(self, columns: Sequence[str]) -> Iterator[Batch]:
        if self._question.others:
            walk, terms = self._question.walk()
            yield from _from_rows(self._reader, [walk.having(terms)], columns)
            return
        yield from _from_rows(self._reader, self._lacking(), columns)
        for stripe in self._stripes:
            if (mask := self._mask(stripe)) is not None:
                rows = int(np.count_nonzero(mask))
                chosen = slice(None) if rows == stripe.rows else mask
                yield Batch(
                    rows,
                    {
                        column: self._seqs(stripe)[chosen]
                        if column == "seq"
                        else self._part(stripe, column).taken(chosen)
                        for column in columns
                    },
                )

    def _lacking(self) -> list[Where]:
        """Rows that the columns do not have, and those that they do not have as they are now."""
        rows = self._question.rows()
        for seqs, sessions in self._scored:
            late = ", ".join(map(str, seqs[seqs > self._mark].tolist()))
            named = ", ".join(map(str, sessions.tolist()))
            rows = rows.having([(f"(s.seq <= ? OR s.seq IN ({late}) OR s.session IN ({named}))", (self._mark,))])
        stale = [seq for stripe in self._stripes for seq in changed(stripe, self._changes).tolist()]
        places = ", ".join(map(str, stale))
        return [rows.having([("s.seq > ?", (self._mark,))]), rows.having([(f"s.seq IN ({places})", ())])]

    def _candidates(self, stripe: Stripe, beyond: Place, limit: int, way: int) -> list[Row]:
        mask = self._mask(stripe, enough=FEW)
        if mask is None:
            return []
        seq = self._seqs(stripe)[mask]
        if len(seq) > limit:
            at = self._part(stripe, "at_ns").values(mask)
            behind = (way * at > way * beyond[0]) | ((at == beyond[0]) & (way * seq > way * beyond[1]))
            at, seq = at[behind], seq[behind]
            seq = seq[np.lexsort((way * seq, way * at))]
        ordered = seq.tolist()
        found: list[Row] = []
        where = self._question.rows()
        edge = (way * beyond[0], way * beyond[1])
        for start in range(0, len(ordered), limit):
            rows = self._reader.rows_of(ordered[start : start + limit], where)
            found += [row for row in rows if (way * cast(int, row[AT]), way * cast(int, row[SEQ])) > edge]
            if len(found) >= limit:
                break
        return found

    def _mask(self, stripe: Stripe, *, enough: int = 0) -> Mask | None:
        """The stripe's rows that the question takes, but for `others`; None where there are none. With no more than
        `enough` of them some may be others."""
        deadline.check()
        if any(not len(sessions) and not _within(seqs, stripe) for seqs, sessions in self._scored):
            return None
        mask = np.ones(stripe.rows, np.bool_)
        for test in self._tests:
            mask &= self._part(stripe, test.column).compare(test.operator, test.value)
            left = np.count_nonzero(mask)
            if not left:
                return None
            if left <= enough:
                break
        stale = changed(stripe, self._changes)
        if self._tags or self._scored or len(stale) or stripe.last > self._last_seq:
            seqs = self._seqs(stripe)
            for has, tagged in self._tags:
                mask &= np.isin(seqs, tagged, invert=not has)
            for scored, sessions in self._scored:
                of_session = np.isin(self._part(stripe, "session").values(), sessions) if len(sessions) else False
                mask &= np.isin(seqs, scored) | of_session
            mask &= seqs <= self._last_seq
            if len(stale):
                mask &= np.isin(seqs, stale, invert=True)
        return mask if mask.any() else None

    def _seqs(self, stripe: Stripe) -> Numbers:
        if stripe.last - stripe.first + 1 == stripe.rows:
            return np.arange(stripe.first, stripe.last + 1)
        return self._part(stripe, "seq").values()

    def _part(self, stripe: Stripe, column: str) -> Part:
        assert self._columns is not None  # noqa: S101 - there are stripes
        return part(self._columns, stripe, column, self._file)


class _Values:
    """What an attribute of the application is on each span of a file: numbers of names, `UNSET` where it is not."""

    def __init__(self, reader: Reader, question: Question, column: str) -> None:
        found = np.array(reader.values(question.project, tags_of(column.removeprefix(METADATA))), np.int64)
        self._seqs, self._tags = found.reshape(-1, 2).T

    def of(self, seqs: Numbers) -> Numbers:
        places = np.searchsorted(self._seqs, seqs)
        inside = np.minimum(places, max(len(self._seqs) - 1, 0))
        if not len(self._seqs):
            return np.full(len(seqs), UNSET, np.int64)
        return np.where(self._seqs[inside] == seqs, self._tags[inside], UNSET)


def _within(seqs: Numbers, stripe: Stripe) -> bool:
    """Whether one of the ascending numbers is of the stripe."""
    first, behind = np.searchsorted(seqs, (stripe.first, stripe.last + 1)).tolist()
    return first < behind


def _from_rows(reader: Reader, parts: Sequence[Where], columns: Sequence[str]) -> Iterator[Batch]:
    for where in parts:
        for rows in reader.numbers(where, columns):
            yield Batch(len(rows), dict(zip(columns, np.array(rows, np.int64).T, strict=True)))
