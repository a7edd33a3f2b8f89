"""One span file as a reader has it: any number of them beside the one writer, each for one thread at a time."""

import itertools
from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import apsw
import msgspec
import zstandard

from boxscore.errors import StoreError
from boxscore.store.spans import blocks, queries, scores
from boxscore.store.spans.blocks import Origin, Payload, Texts
from boxscore.store.spans.columns import BLOCK, PLACE, UNSET, from_values, to_usd
from boxscore.store.spans.database import Database, Row
from boxscore.store.spans.filters import Filter, kind_of
from boxscore.store.spans.long import LongTrace, LongTraces, Totals
from boxscore.store.spans.queries import Question, Where
from boxscore.store.spans.schema import connect
from boxscore.store.spans.store import SessionSummary, StoredSpan, TraceSummary

EVERY = Where("FROM spans s WHERE true", ())
NAMES_KEPT = 50_000
Amount = TypeVar("Amount", int, Decimal)

WALKED = 1_000
"""Rows along an index that are looked at before the columns are."""
BATCH = 8192
"""Rows that are read at a time."""
DICTIONARIES_KEPT = 64
ARRIVED = 5_000
"""Spans that came since are looked at in so many, the last ones: who is told of them has no eyes for more."""
SCORED = 5_000
SCORED_SPANS = 200_000
"""What no more scores than these are of, in traces of no more spans, is looked for from there."""

# Sums may pass 64 bits where none of the numbers does, so they are summed in two halves.
_IN, _OUT, _COST = (
    f"sum(s.{column} / 1000000), sum(s.{column} % 1000000)"
    for column in ("input_tokens", "output_tokens", "cost_picousd")
)
_TOTALS = f"""
SELECT count(*), sum(s.error), max(s.start_ns + s.duration_ns) - min(s.start_ns), {_IN}, {_OUT}, {_COST}
FROM spans s WHERE s.project = ? AND s.trace = ?
"""  # noqa: S608 - our own words
_MODELS = """
SELECT coalesce(model, model_asked) AS of FROM (
    SELECT start_ns, model, model_asked FROM spans WHERE project = ? AND trace = ? LIMIT 1000
) WHERE of IS NOT NULL GROUP BY of ORDER BY min(start_ns), of LIMIT 8
"""
_OF_SESSION = "FROM spans s INDEXED BY spans_session WHERE s.project = ? AND s.session = ? AND s.entry > 0"
_SESSION = f"SELECT s.trace, min(s.start_ns), max(s.start_ns) {_OF_SESSION} GROUP BY s.trace"
_SESSION_USER = f'SELECT s."user" {_OF_SESSION} AND s."user" IS NOT NULL ORDER BY s.at_ns DESC, s.seq DESC LIMIT 1'
_SCORES = "SELECT x.trace, x.session FROM scores x WHERE {} LIMIT ?"
_TRACE = f"""
SELECT {queries.COLUMNS} FROM (
    SELECT seq FROM spans WHERE project = ? AND trace = ? AND (start_ns, span) > (?, ?) ORDER BY start_ns, span LIMIT ?
) k CROSS JOIN spans s ON s.seq = k.seq ORDER BY s.start_ns, s.span
"""  # noqa: S608


_SPAN = f"SELECT {queries.COLUMNS} FROM spans s WHERE s.project = ? AND s.trace = ? AND s.span = ?"  # noqa: S608


_ARRIVED = """
SELECT s.trace FROM (
    SELECT seq FROM (SELECT seq FROM spans WHERE seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?)
    UNION SELECT seq FROM (SELECT seq FROM changes WHERE id > ? ORDER BY id DESC LIMIT ?)
) k CROSS JOIN spans s ON s.seq = k.seq WHERE s.project = ? ORDER BY s.seq DESC
"""


def numbers(database: Database, where: Where, columns: Sequence[str]) -> Generator[list[tuple[int, ...]]]:
    """Integer columns of all rows that `where` takes, some at a time; NULL is `UNSET`."""
    chosen = ", ".join(f'coalesce(s."{column}", {UNSET})' for column in columns)
    found = iter(database.execute(f"SELECT {chosen} {where.source}", where.parameters))
    while part := list(itertools.islice(found, BATCH)):
        yield cast("list[tuple[int, ...]]", part)


def columns_path(path: Path) -> Path:
    return path.with_suffix(".columns")


def rollup_path(path: Path) -> Path:
    return path.with_suffix(".rollup")


class SpanTexts(NamedTuple):
    """`seq` is the span's order of arrival, `project` the project's number."""

    seq: int
    project: int
    input_text: str
    output_text: str


class Reader:
    """Answers from one file. Everything inside one `snapshot` sees the same commits."""

    def __init__(self, path: Path, number: int, long: LongTraces | None = None) -> None:
        self.number = number
        self._long = long or LongTraces()
        self.path = path
        self._connection = connect(path, write=False)
        self._scored = False
        self._names: dict[int, str] = {}
        self._openers: OrderedDict[int | None, zstandard.ZstdDecompressor] = OrderedDict()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Generator[None]:
        try:
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")
        except (apsw.Error, zstandard.ZstdError, msgspec.DecodeError) as error:
            raise StoreError(f"{self.path} could not be read: {error}.") from error

    def name_id(self, value: str) -> int | None:
        return cast("int | None", self._connection.execute("SELECT id FROM names WHERE value = ?", (value,)).get)

    def first(self, project: str, *, oldest_first: bool) -> int | None:
        """The time with which a list of the file would begin, None where it has nothing of the project."""
        number = self.name_id(project)
        asked = f"SELECT {'min' if oldest_first else 'max'}(at_ns) FROM spans WHERE project = ?"  # noqa: S608
        return None if number is None else cast("int | None", self._connection.execute(asked, (number,)).get)

    def question(self, project: str, filter: Filter) -> Question | None:
        number = self.name_id(project)
        if number is None:
            return None
        scored = any(kind_of(condition.field) == "score" for condition in filter) and self._attach_scores()
        return queries.question(number, filter, self.name_id, scored=scored)

    def _attach_scores(self) -> bool:
        """Whether there are scores beside the file."""
        if not self._scored and (path := self.path.with_name(scores.FILE)).exists():
            scores.connect(path, write=False).close()  # says so where it cannot be used
            self._connection.execute("ATTACH ? AS beside", (str(path),))
            self._scored = True
        return self._scored

    def listed(
        self, question: Question, beyond: tuple[int, int] | None, limit: int, *, oldest_first: bool
    ) -> list[Row]:
        """The first `limit` rows behind a place (time and order of arrival): along an index, or where that leaves out
        too little, from the columns."""
        walk, terms = question.walk()
        if beyond is not None:
            walk = walk.beyond(*beyond, oldest_first=oldest_first)
        end = self.place(walk, WALKED, oldest_first=oldest_first) if terms else None
        if end is None:
            return self.rows(walk.having(terms), limit, oldest_first=oldest_first)
        near = walk.until(*end, oldest_first=oldest_first)
        rows = self.rows(near.having(terms), limit, oldest_first=oldest_first)
        if len(rows) < limit:
            from boxscore.store.spans.scan import scanning  # it loads numpy

            with scanning(self, question) as scan:
                rows += scan.rows(end, limit - len(rows), oldest_first=oldest_first)
        return rows

    def rows(self, where: Where, limit: int, *, oldest_first: bool = False) -> list[Row]:
        asked = f"SELECT {queries.COLUMNS} {where.source} {where.order(oldest_first=oldest_first)} LIMIT ?"
        return self._connection.execute(asked, (*where.parameters, limit)).fetchall()

    def rows_of(self, seqs: Sequence[int], where: Where | None = None) -> list[Row]:
        """In the order of `seqs`, without those that are not there or that `where` does not take."""
        where = where or EVERY
        asked = f"SELECT {queries.COLUMNS} {where.source} AND s.seq = ?"
        return [row for seq in seqs for row in self._connection.execute(asked, (*where.parameters, seq))]

    def numbers(self, where: Where, columns: Sequence[str]) -> Generator[list[tuple[int, ...]]]:
        """Integer columns of all rows that `where` takes, some at a time; NULL is `UNSET`."""
        yield from numbers(self._connection, where, columns)

    def place(self, where: Where, nth: int, *, oldest_first: bool) -> tuple[int, int] | None:
        """Time and order of arrival of the nth row, None where there are fewer."""
        order = where.order(oldest_first=oldest_first)
        asked = f"SELECT {where.at}, {where.seq} {where.source} {order} LIMIT 1 OFFSET ?"
        return cast("tuple[int, int] | None", self._connection.execute(asked, (*where.parameters, nth - 1)).fetchone())

    def tagged(self, project: int, tag: int) -> list[int]:
        """Spans that have an attribute of the application."""
        found = self._connection.execute("SELECT seq FROM tags WHERE project = ? AND tag = ?", (project, tag))
        return [cast(int, row[0]) for row in found]

    def values(self, project: int, between: tuple[str, str]) -> list[tuple[int, int]]:
        """Spans, in the order of arrival, with the numbers of their tags whose names are between those."""
        asked = (
            "SELECT t.seq, t.tag FROM names n CROSS JOIN tags t ON t.project = ? AND t.tag = n.id "
            "WHERE n.value >= ? AND n.value < ? ORDER BY t.seq"
        )
        return cast("list[tuple[int, int]]", self._connection.execute(asked, (project, *between)).fetchall())

    def scored(self, project: int, score: queries.Term) -> tuple[list[int], list[int]] | None:
        """Spans that may have such a score, by the traces and sessions that it is of: numbers of spans, and of names
        of sessions. None where there are more than `SCORED` such scores, or `SCORED_SPANS` spans in their traces."""
        asked, parameters = score
        found = self._connection.execute(_SCORES.format(asked), (*parameters, SCORED + 1)).fetchall()
        if len(found) > SCORED:
            return None
        traces = {cast(bytes, trace) for trace, _ in found if trace is not None}
        of_trace = "SELECT seq FROM spans WHERE project = ? AND trace = ?"
        spans = self._connection.executemany(of_trace, [(project, trace) for trace in traces])
        seqs = [cast(int, row[0]) for row in itertools.islice(spans, SCORED_SPANS + 1)]
        if len(seqs) > SCORED_SPANS:
            return None
        sessions = {self.name_id(cast(str, session)) for _, session in found if session is not None} - {None}
        return seqs, [cast(int, session) for session in sessions]

    def last_seq(self) -> int:
        return cast(int, self._connection.execute("SELECT coalesce(max(seq), 0) FROM spans").get)

    def mark(self) -> tuple[int, int]:
        """The last span to arrive and the last change."""
        asked = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'"
        return self.last_seq(), cast(int, self._connection.execute(asked).get)

    def arrived(self, project: str, since: tuple[int, int], now: tuple[int, int]) -> list[bytes]:
        """Traces that have a span which came or changed between two marks, the last to come first; of `ARRIVED` spans
        of each at most."""
        found = self._connection.execute(
            _ARRIVED, (since[0], now[0], ARRIVED, since[1], ARRIVED, self.name_id(project))
        )
        return list(dict.fromkeys(cast(bytes, row[0]) for row in found))

    def entries(self, question: Question, traces: Sequence[bytes]) -> list[StoredSpan]:
        """The entries of the traces that the question takes, with their texts."""
        asked = "SELECT seq FROM spans INDEXED BY spans_entry_of WHERE project = ? AND trace = ? AND entry > 0"
        of = self._connection.executemany(asked, [(question.project, trace) for trace in traces])
        return self.spans(self.rows_of([cast(int, row[0]) for row in of], question.rows()), whole=True)

    def changes_after(self, change: int, *, told: bool = False) -> list[tuple[int, int]]:
        """Numbers of changes and the spans that they changed; with `told` only those that a sender told of."""
        asked = "SELECT id, seq FROM changes WHERE id > ? AND project >= ? ORDER BY id"
        return cast("list[tuple[int, int]]", self._connection.execute(asked, (change, int(told))).fetchall())

    def trace_rows(self, project: str, trace: bytes, after: tuple[int, bytes], limit: int) -> list[Row]:
        long = self._long_trace(project, trace)
        if long is not None:
            return self.rows_of(long.after(after, limit))
        parameters = (self.name_id(project), trace, *after, limit)
        return self._connection.execute(_TRACE, parameters).fetchall()

    def _long_trace(self, project: str, trace: bytes) -> LongTrace | None:
        number = self.name_id(project)
        return None if number is None else self._long.of(self._connection, (self.number, number, trace))

    def knows(self, project: str, trace: bytes) -> bool:
        asked = "SELECT 1 FROM spans WHERE project = ? AND trace = ? LIMIT 1"
        return self._connection.execute(asked, (self.name_id(project), trace)).get is not None

    def trace_ids(self, project: str, first: bytes, last: bytes, limit: int) -> list[bytes]:
        """The first `limit` of the traces between two ids: a step along the index for each, however long they are."""
        asked = "SELECT min(trace) FROM spans WHERE project = ? AND trace > ? AND trace <= ?"
        number = self.name_id(project)
        found: list[bytes] = [first] if self.knows(project, first) else []
        while len(found) < limit:
            after = found[-1] if found else first
            trace = cast("bytes | None", self._connection.execute(asked, (number, after, last)).get)
            if trace is None:
                break
            found.append(trace)
        return found

    def spans(self, rows: Iterable[Row], *, whole: bool) -> list[StoredSpan]:
        opened: dict[int, list[Payload]] = {}
        found: list[StoredSpan] = []
        for values in rows:
            payload = None
            if whole:
                block = cast(int, values[BLOCK])
                payloads = opened.get(block) or opened.setdefault(block, blocks.unpack(*self._block(block)))
                payload = payloads[cast(int, values[PLACE])]
            found.append(from_values(values, self.name, payload))
        return found

    def outlines(self, rows: Iterable[Row]) -> list[StoredSpan]:
        """Spans without what is long in them, but for their resources."""
        opened: dict[int, Sequence[Origin]] = {}
        known: dict[bytes, bytes] = {}
        found: list[StoredSpan] = []
        for values in rows:
            block = cast(int, values[BLOCK])
            if block not in opened:
                opened[block] = blocks.unpack_origins(*self._block(block))
            resource = opened[block][cast(int, values[PLACE])].resource
            found.append(from_values(values, self.name, resource=known.setdefault(resource, resource)))
        return found

    def span(self, project: str, trace: bytes, span: bytes) -> StoredSpan | None:
        """One span, whole."""
        rows = self._connection.execute(_SPAN, (self.name_id(project), trace, span)).fetchall()
        return next(iter(self.spans(rows, whole=True)), None)

    def texts_after(self, seq: int, limit: int) -> list[SpanTexts]:
        """What is searched of spans, in the order of their arrival."""
        asked = "SELECT seq, project, block, place FROM spans WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._texts(self._connection.execute(asked, (seq, limit)))

    def texts_of(self, seqs: Iterable[int]) -> list[SpanTexts]:
        """Of those of the spans that are still there."""
        asked = "SELECT seq, project, block, place FROM spans WHERE seq = ?"
        return self._texts(self._connection.executemany(asked, [(seq,) for seq in seqs]))

    def _texts(self, rows: Iterable[Row]) -> list[SpanTexts]:
        opened = -1
        texts: Sequence[Texts] = ()
        found: list[SpanTexts] = []
        for seq, project, block, place in cast("Iterable[tuple[int, int, int, int]]", rows):
            if block != opened:
                opened, texts = block, blocks.unpack_texts(*self._block(block))
            found.append(SpanTexts(seq, project, texts[place].input_text, texts[place].output_text))
        return found

    def summary(self, project: str, entry: StoredSpan) -> TraceSummary:
        totals = self._totals(project, entry.trace_id)
        return TraceSummary(
            entry=entry,
            spans=totals.spans,
            errors=totals.errors,
            duration_ns=totals.duration_ns,
            input_tokens=totals.input_tokens,
            output_tokens=totals.output_tokens,
            cost_usd=None if totals.picousd is None else to_usd(totals.picousd),
            models=self._models(project, entry),
        )

    def _models(self, project: str, entry: StoredSpan) -> list[str]:
        own = entry.model or entry.model_asked
        if own is not None:
            return [own]
        found = self._connection.execute(_MODELS, (self.name_id(project), entry.trace_id))
        return [self.name(cast(int, row[0])) for row in found]

    def _totals(self, project: str, trace: bytes) -> Totals:
        long = self._long_trace(project, trace)
        if long is not None:
            return long.totals
        asked = (self.name_id(project), trace)
        found = cast("tuple[int | None, ...]", self._connection.execute(_TOTALS, asked).fetchone())
        spans, errors, duration, *halves = found
        sums = [
            None if high is None or low is None else high * 1_000_000 + low
            for high, low in zip(halves[::2], halves[1::2], strict=True)
        ]
        return Totals(spans or 0, errors or 0, None if duration is None else int(duration), *sums)

    def session(self, project: str, session: str) -> SessionSummary | None:
        """The conversation's part in this file."""
        parameters = (self.name_id(project), self.name_id(session))
        traces = cast("list[tuple[bytes, int, int]]", self._connection.execute(_SESSION, parameters).fetchall())
        if not traces:
            return None
        user = cast("int | None", self._connection.execute(_SESSION_USER, parameters).get)
        totals = [self._totals(project, trace) for trace, _, _ in traces]
        picousd = _sum([part.picousd for part in totals])
        return SessionSummary(
            session=session,
            user=None if user is None else self.name(user),
            traces=len(traces),
            spans=sum(part.spans for part in totals),
            errors=sum(part.errors for part in totals),
            start_ns=min(start for _, start, _ in traces),
            last_ns=max(last for _, _, last in traces),
            input_tokens=_sum([part.input_tokens for part in totals]),
            output_tokens=_sum([part.output_tokens for part in totals]),
            cost_usd=None if picousd is None else to_usd(picousd),
        )

    def name(self, number: int) -> str:
        found = self._names.get(number)
        if found is None:
            found = cast(str, self._connection.execute("SELECT value FROM names WHERE id = ?", (number,)).get)
            if len(self._names) >= NAMES_KEPT:
                self._names.clear()
            self._names[number] = found
        return found

    def _block(self, block: int) -> tuple[bytes, zstandard.ZstdDecompressor]:
        """A block and what opens it. Neighbours mostly have the same dictionary."""
        asked = "SELECT dictionary, data FROM blocks WHERE id = ?"
        number, data = cast("tuple[int | None, bytes]", self._connection.execute(asked, (block,)).fetchone())
        return data, self._opener(number)

    def _opener(self, number: int | None) -> zstandard.ZstdDecompressor:
        """What opens blocks of a dictionary."""
        found = self._openers.pop(number, None)
        if found is None:
            dictionary = None
            if number is not None:
                asked = "SELECT data FROM dictionaries WHERE id = ?"
                trained = cast(bytes, self._connection.execute(asked, (number,)).get)
                dictionary = zstandard.ZstdCompressionDict(trained)
            found = zstandard.ZstdDecompressor(dict_data=dictionary)
            if len(self._openers) >= DICTIONARIES_KEPT:
                self._openers.popitem(last=False)
        self._openers[number] = found
        return found


def merged_session(parts: Sequence[SessionSummary]) -> SessionSummary:
    """One conversation from its parts in several files, at least one."""
    latest = sorted(parts, key=lambda part: part.last_ns, reverse=True)
    return SessionSummary(
        session=parts[0].session,
        user=next((part.user for part in latest if part.user is not None), None),
        traces=sum(part.traces for part in parts),
        spans=sum(part.spans for part in parts),
        errors=sum(part.errors for part in parts),
        start_ns=min(part.start_ns for part in parts),
        last_ns=latest[0].last_ns,
        input_tokens=_sum([part.input_tokens for part in parts]),
        output_tokens=_sum([part.output_tokens for part in parts]),
        cost_usd=_sum([part.cost_usd for part in parts]),
    )


def _sum(values: Sequence[Amount | None]) -> Amount | None:
    """Of those that are known, None where none is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None
