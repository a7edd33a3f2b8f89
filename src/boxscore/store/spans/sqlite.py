"""The span store on SQLite files."""

import base64
import binascii
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast, get_args

import msgspec

from boxscore.errors import QueryTooLargeError, StoreError, UnknownNameError, UsageError
from boxscore.store.restoring import finish_restore
from boxscore.store.spans.behind import Behind
from boxscore.store.spans.columns import AT, LARGEST, SEQ
from boxscore.store.spans.database import Row
from boxscore.store.spans.files import FOLDER, PERIOD_NS, SEGMENT_SPANS, Files, segment_paths
from boxscore.store.spans.filters import Condition, Filter, kind_of
from boxscore.store.spans.long import LongTraces
from boxscore.store.spans.measures import Group, Measure, check_groups, parse_measure
from boxscore.store.spans.reader import Reader, merged_session
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.scores import Score
from boxscore.store.spans.scores import read as read_scores
from boxscore.store.spans.search import Words, not_searchable
from boxscore.store.spans.store import (
    HISTOGRAM,
    Arrivals,
    Bin,
    Counts,
    Facet,
    Hits,
    Marks,
    Page,
    Series,
    SeriesBy,
    SessionSummary,
    StoredSpan,
    TraceSummary,
)
from boxscore.store.spans.writer import Writer, Written

if TYPE_CHECKING:
    from boxscore.store.spans.upkeep import Upkeep

ENTRY = Condition("entry", "=", True)
COUNTED = tuple(
    map(
        parse_measure,
        (
            *("count", "sum(entry)", "sum(error)", "sum(input_tokens)", "sum(output_tokens)"),
            *("sum(cost_usd)", "count(cost_usd)"),
        ),
    )
)
MINUTE_NS = 60 * 10**9
LIMIT = 10_000
"""No page is longer."""
SESSION_PAGES = 8
"""A page of conversations looks at no more pages of traces: its cursor goes on."""
SECONDS = 10
"""An aggregate that takes longer is stopped."""
SEARCHED, SPARE = 2_000, 8
"""A page of a search looks at no more candidates: its cursor goes on."""
TRIES, PAUSE_S = 3, 0.02
ANSWERS, ANSWER = 64, 1_000
"""So many sums are kept for those who ask the same, of so many groups at most."""
IDLE = 32
"""Connections that wait for the next question."""

Asked = ParamSpec("Asked")
Found = TypeVar("Found")
Place = tuple[int, int, int]
"""What lists are sorted by: time, file, order of arrival in it."""


def _steady(
    question: Callable[Concatenate["SqliteSpans", Asked], Found],
) -> Callable[Concatenate["SqliteSpans", Asked], Found]:
    """A question that is asked again where retention drops a file under it."""

    @wraps(question)
    def ask(self: "SqliteSpans", *args: Asked.args, **more: Asked.kwargs) -> Found:
        tries = TRIES
        while True:
            files = segment_paths(self.folder)
            try:
                return question(self, *args, **more)
            except StoreError:
                if set(files) <= set(segment_paths(self.folder)):
                    tries -= 1  # or one that is let go of this moment
                if not tries:
                    raise
                time.sleep(PAUSE_S)

    return ask


class SqliteSpans:
    """`SpanStore` in `HOME/spans/`, a file per week or five million spans. One process writes, any
    number read beside it (`write=False`). Close it, or use it as a context manager."""

    def __init__(
        self,
        home: Path,
        *,
        write: bool = True,
        clock_ns: Callable[[], int] = time.time_ns,
        period_ns: int = PERIOD_NS,
        segment_spans: int = SEGMENT_SPANS,
    ) -> None:
        finish_restore(home)
        self.folder = home / FOLDER
        self._files = self._behind = self._writer = self._upkeep = None
        if write:
            from boxscore.store.spans.upkeep import Upkeep  # it loads numpy

            self._files = Files(self.folder, now_ns=clock_ns(), period_ns=period_ns, segment_spans=segment_spans)
            self._behind = Behind(self._paths)
            self._writer = Writer(self._files, clock_ns=clock_ns, committed=self._behind.wake)
            self._upkeep = Upkeep(self.folder, self._writer, self._behind, clock_ns=clock_ns, dropped=self._release)
        self._idle: list[Reader] = []
        self._long = LongTraces()
        self._answers: OrderedDict[Hashable, Sequence[Group]] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        with self._lock:
            while self._idle:
                self._idle.pop().close()
        if self._behind is not None:
            self._behind.close()
        if self._writer is not None and self._files is not None:
            self._files.close()  # last, so that it leaves no log beside the files
            self._writer = None

    def __enter__(self) -> "SqliteSpans":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def upkeep(self) -> "Upkeep":
        """Retention and erasure; only where the store is open for writing."""
        if self._upkeep is None:
            raise StoreError(f"{self.folder} is open for reading only: nothing can be removed from it here.")
        return self._upkeep

    def _release(self, number: int) -> None:
        """Lets go of a file that was dropped, so that its room is free."""
        with self._lock:
            gone = [reader for reader in self._idle if reader.number == number]
            self._idle = [reader for reader in self._idle if reader.number != number]
        for reader in gone:
            reader.close()

    @property
    def waiting(self) -> int:
        """Spans that were put and are not acknowledged yet: who takes them in says no before they are too many."""
        return 0 if self._writer is None else self._writer.waiting

    @property
    def refused(self) -> str | None:
        """Why nothing more can be put, None while it can."""
        return f"{self.folder} is open for reading only." if self._writer is None else self._writer.refused

    @property
    def written(self) -> Written:
        """What was written since it was opened."""
        return Written() if self._writer is None else self._writer.written

    def put(self, project: str, rows: Sequence[SpanRow]) -> "Future[None]":
        if self._writer is None:
            raise StoreError(f"{self.folder} is open for reading only: spans cannot be put into it here.")
        return self._writer.submit(project, rows)

    def put_scores(self, project: str, scores: Sequence[Score]) -> "Future[None]":
        if self._writer is None:
            raise StoreError(f"{self.folder} is open for reading only: scores cannot be put into it here.")
        return self._writer.submit(project, (), scores)

    def remove_score(self, project: str, id: str) -> "Future[None]":
        """Done when no score of that id is on disk."""
        if self._writer is None:
            raise StoreError(f"{self.folder} is open for reading only: nothing can be removed from it here.")
        return self._writer.run(lambda files: files.scores.remove_ids([(project, id)]))

    def scores(
        self, project: str, *, trace_id: bytes | None = None, session: str | None = None, limit: int = 1000
    ) -> Sequence[Score]:
        _check_limit(limit)
        return read_scores(self.folder, project, trace_id=trace_id, session=session, limit=limit)

    @_steady
    def trace(
        self, project: str, trace_id: bytes, *, limit: int = 1000, cursor: str | None = None, whole: bool = True
    ) -> Page[StoredSpan]:
        after = (-LARGEST - 1, b"") if cursor is None else _decoded(cursor, tuple[int, bytes])
        _check_limit(limit)
        for number, path in reversed(segment_paths(self.folder)):
            with self._reading(number, path) as reader:
                if not reader.knows(project, trace_id):
                    continue
                rows = reader.trace_rows(project, trace_id, after, limit + 1)
                spans = reader.spans(rows[:limit], whole=True) if whole else reader.outlines(rows[:limit])
            more = len(rows) > limit
            return Page(items=spans, cursor=_encoded((spans[-1].start_ns, spans[-1].span_id)) if more else None)
        return Page(items=[], cursor=None)

    @_steady
    def span(self, project: str, trace_id: bytes, span_id: bytes) -> StoredSpan | None:
        for reader in self._readers():
            if (found := reader.span(project, trace_id, span_id)) is not None:
                return found
        return None

    @_steady
    def trace_ids(self, project: str, beginning: str, *, limit: int = 10) -> Sequence[str]:
        _check_limit(limit)
        if not set(beginning) <= set("0123456789abcdef") or not 0 < len(beginning) <= 32:
            raise UsageError(f"{beginning[:80]!r} begins no trace id: it has up to 32 digits 0 to 9 and a to f.")
        first, last = (bytes.fromhex(beginning.ljust(32, digit)) for digit in "0f")
        found = {trace for reader in self._readers() for trace in reader.trace_ids(project, first, last, limit)}
        return [trace.hex() for trace in sorted(found)[:limit]]

    @_steady
    def spans(
        self,
        project: str,
        filter: Filter = (),
        *,
        limit: int = 50,
        cursor: str | None = None,
        whole: bool = False,
        oldest_first: bool = False,
    ) -> Page[StoredSpan]:
        def spans(reader: Reader, rows: Sequence[Row]) -> list[StoredSpan]:
            return reader.spans(rows, whole=whole)

        return self._page(project, filter, limit, cursor, spans, oldest_first=oldest_first)

    @_steady
    def traces(
        self,
        project: str,
        filter: Filter = (),
        *,
        limit: int = 50,
        cursor: str | None = None,
        whole: bool = False,
        oldest_first: bool = False,
    ) -> Page[TraceSummary]:
        def summaries(reader: Reader, rows: Sequence[Row]) -> list[TraceSummary]:
            return [reader.summary(project, entry) for entry in reader.spans(rows, whole=whole)]

        return self._page(project, [*filter, ENTRY], limit, cursor, summaries, oldest_first=oldest_first)

    @_steady
    def sessions(
        self, project: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None
    ) -> Page[SessionSummary]:
        _check_limit(limit)
        listed = [*filter, ENTRY, Condition("session", "!=", None)]
        items: dict[str, SessionSummary] = {}
        begun = cursor
        for _ in range(SESSION_PAGES):
            page = self.spans(project, listed, limit=limit - len(items), cursor=cursor)
            for entry in page.items:
                session = cast(str, entry.session)
                if session not in items and (begun is None or self._is_last(project, listed, entry)):
                    items[session] = self._session(project, session)
            cursor = page.cursor
            if cursor is None or len(items) == limit:
                break
        return Page(items=list(items.values()), cursor=cursor)

    @_steady
    def counts(self, project: str, filter: Filter = ()) -> Counts:
        found = self._groups(project, COUNTED, filter, (), limit=1)
        values = found[0].values if found else (0, 0, 0, None, None, None, 0)
        spans, traces, errors, tokens_in, tokens_out, cost, priced = values
        return Counts(
            spans=cast(int, spans),
            traces=cast(int, traces),
            errors=cast(int, errors),
            input_tokens=cast("int | None", tokens_in) or 0,
            output_tokens=cast("int | None", tokens_out) or 0,
            cost_usd=cast("Decimal | None", cost) or Decimal(0),
            unpriced=cast(int, spans) - cast(int, priced),
        )

    @_steady
    def facets(self, project: str, field: str, filter: Filter = (), *, limit: int = 20) -> Sequence[Facet]:
        if kind_of(field) != "text":
            raise UsageError(f"{field} has no facets: ask for a text field.")
        groups = self._groups(project, [Measure("count")], filter, [field], limit=limit)
        return [Facet(value=cast("str | None", group.keys[0]), spans=cast(int, group.values[0])) for group in groups]

    @_steady
    def aggregate(
        self,
        project: str,
        measures: Sequence[Measure],
        filter: Filter = (),
        *,
        by: Sequence[str] = (),
        limit: int = 100,
    ) -> Sequence[Group]:
        check_groups(measures, by)
        return self._groups(project, measures, filter, by, limit=limit)

    @_steady
    def histogram(
        self, project: str, filter: Filter = (), *, start_ns: int, end_ns: int, step_ns: int
    ) -> Sequence[Bin]:
        if step_ns <= 0 or not 0 < -(-(end_ns - start_ns) // step_ns) <= HISTOGRAM:
            raise UsageError(f"a histogram has between 1 and {HISTOGRAM} steps: change its start, end or step.")
        if any(abs(value) > LARGEST for value in (start_ns, end_ns, step_ns)):
            raise UsageError("a histogram is of times in nanoseconds since 1970, and those have 64 bits.")
        from boxscore.store.spans import scan  # it loads numpy
        from boxscore.store.spans.histogram import Steps

        within = [Condition("start_ns", ">=", start_ns), Condition("start_ns", "<", end_ns)]
        found = Steps(start_ns, end_ns, step_ns)
        for reader in self._readers():
            if (question := reader.question(project, [*filter, *within])) is not None:
                for batch in scan.batches(reader, question, found.columns):
                    found.add(batch)
        return found.bins()

    @_steady
    def series(self, project: str, *, start_ns: int, end_ns: int, step_ns: int, by: SeriesBy | None = None) -> Series:
        if step_ns <= 0 or any(value % MINUTE_NS for value in (start_ns, end_ns, step_ns)):
            raise UsageError("a series starts, ends and steps in whole minutes, and its step is more than none.")
        if any(abs(value) > LARGEST for value in (start_ns, end_ns, step_ns)):
            raise UsageError("a series is of times in nanoseconds since 1970, and those have 64 bits.")
        if by is not None and by not in get_args(SeriesBy):
            raise UnknownNameError("field of a series", by, get_args(SeriesBy))
        from boxscore.store.spans.rollups import Buckets  # it loads numpy

        buckets = Buckets(start_ns, end_ns, step_ns, by)
        pending = sum(buckets.read(path, project) for path in self._paths())
        return Series(points=buckets.points(), pending=pending)

    @_steady
    def search(
        self, project: str, text: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        _check_limit(limit)
        before = (LARGEST, 0) if cursor is None else _decoded(cursor, tuple[int, int])
        asked = Words(text)
        items: list[StoredSpan] = []
        pending, last, left = 0, before, SEARCHED
        for number, path in reversed(segment_paths(self.folder)):
            with self._reading(number, path) as reader:
                pending += not_searchable(reader, path)
                question = reader.question(project, filter)
                if number > before[0] or question is None:
                    continue
                where = question.rows()
                seq = before[1] if number == before[0] else LARGEST
                wanted = limit + SPARE
                while (
                    len(items) < limit
                    and left > 0
                    and (seqs := asked.candidates(reader, path, project, seq, min(wanted, left)))
                ):
                    wanted *= 2  # the filter takes few of them
                    taken = {cast(int, row[SEQ]): row for row in reader.rows_of(seqs, where)}
                    for seq in seqs:
                        last, left = (number, seq), left - 1
                        if seq in taken:
                            items += [span for span in reader.spans([taken[seq]], whole=True) if asked.match(span)]
                        if len(items) == limit or left <= 0:
                            break
        more = len(items) == limit or left <= 0
        return Hits(items=items, cursor=_encoded(last) if more else None, pending=pending)

    @_steady
    def marks(self) -> Marks:
        """Where the store stands now: `arrivals` go on from there."""
        return {reader.number: reader.mark() for reader in self._readers()}

    @_steady
    def arrivals(self, project: str, filter: Filter, since: Marks, *, limit: int = 100) -> Arrivals:
        """The traces with spans that came, or changed, since those marks, and whose entry the filter takes; the last to
        begin come first. No more than `limit` of them are looked at, the last to come: `skipped` are the others."""
        _check_limit(limit)
        marks: Marks = {}
        items: dict[bytes, TraceSummary] = {}
        skipped = 0
        for reader in self._readers():
            number = reader.number
            marks[number] = reader.mark()
            traces = reader.arrived(project, since.get(number, (0, 0)), marks[number])
            skipped += max(0, len(traces) - limit)
            if (question := reader.question(project, [*filter, ENTRY])) is not None:
                for entry in reader.entries(question, traces[:limit]):
                    items[entry.trace_id] = reader.summary(project, entry)
        newest = sorted(items.values(), key=lambda summary: summary.entry.start_ns, reverse=True)
        return Arrivals(items=newest, marks=marks, skipped=skipped)

    def catch_up(self) -> None:
        """Returns when all that was acknowledged before is rolled up and found."""
        if self._behind is not None:
            self._behind.catch_up()

    @property
    def problem(self) -> str | None:
        """What keeps roll-ups and search from following, None when nothing does."""
        return None if self._behind is None else self._behind.problem

    def _paths(self) -> list[Path]:
        return [path for _, path in segment_paths(self.folder)]

    def _is_last(self, project: str, listed: Filter, entry: StoredSpan) -> bool:
        """Whether its conversation is listed by this entry: an earlier page may have had a later one."""
        last = self.spans(project, [*listed, Condition("session", "=", entry.session)], limit=1).items
        return not last or (last[0].trace_id, last[0].span_id) == (entry.trace_id, entry.span_id)

    def _session(self, project: str, session: str) -> SessionSummary:
        parts = [part for reader in self._readers() if (part := reader.session(project, session)) is not None]
        return merged_session(parts)

    def _page(
        self,
        project: str,
        filter: Filter,
        limit: int,
        cursor: str | None,
        make: Callable[[Reader, Sequence[Row]], list[Found]],
        *,
        oldest_first: bool,
    ) -> Page[Found]:
        """The first `limit` over all files. Files overlap in time, for clocks differ: each gives its first, those whose
        newest cannot be among them are left out."""
        _check_limit(limit)
        before = None if cursor is None else _decoded(cursor, Place)
        with ExitStack() as stack:
            readers = [stack.enter_context(self._reading(*file)) for file in segment_paths(self.folder)]
            begin = [
                (at_ns, reader)
                for reader in readers
                if (at_ns := reader.first(project, oldest_first=oldest_first)) is not None
            ]
            found: list[tuple[Place, Reader, Row]] = []
            for at_ns, reader in sorted(begin, key=lambda pair: pair[0], reverse=not oldest_first):
                if len(found) > limit and (found[limit][0][0] < at_ns if oldest_first else found[limit][0][0] > at_ns):
                    break
                question = reader.question(project, filter)
                if question is None:
                    continue
                beyond = None
                if before is not None:
                    at, number, seq = before
                    passed = LARGEST if (number < reader.number) == oldest_first else 0
                    beyond = (at, seq if number == reader.number else passed)
                rows = reader.listed(question, beyond, limit + 1, oldest_first=oldest_first)
                found += [(_place(reader, values), reader, values) for values in rows]
                found.sort(key=lambda one: one[0], reverse=not oldest_first)
                del found[limit + 1 :]
            taken = found[:limit]
            made = {
                reader: iter(make(reader, [values for _, of, values in taken if of is reader]))
                for reader in {reader for _, reader, _ in taken}
            }
            items = [next(made[reader]) for _, reader, _ in taken]
        return Page(items=items, cursor=_encoded(taken[-1][0]) if len(found) > limit else None)

    def _groups(
        self, project: str, measures: Sequence[Measure], filter: Filter, by: Sequence[str], *, limit: int
    ) -> Sequence[Group]:
        """Sums of spans; one that was asked for a moment ago, of files that did not change since, is known."""
        _check_limit(limit)
        if any(kind_of(condition.field) == "score" for condition in filter):
            return self._summed(project, measures, filter, by, limit)
        asked = (tuple(self.marks().items()), project, tuple(measures), tuple(filter), tuple(by), limit)
        with self._lock:
            known = self._answers.get(asked)
        if known is None:
            known = self._summed(project, measures, filter, by, limit)
            if len(known) <= ANSWER:
                with self._lock:
                    self._answers[asked] = known
                    if len(self._answers) > ANSWERS:
                        self._answers.popitem(last=False)
        return known

    def _summed(
        self, project: str, measures: Sequence[Measure], filter: Filter, by: Sequence[str], limit: int
    ) -> Sequence[Group]:
        from boxscore.store.spans import groups, scan  # they load numpy

        found = groups.Groups(measures, by)
        until = time.monotonic() + SECONDS
        for reader in self._readers():
            if (question := reader.question(project, filter)) is None:
                continue
            for batch in scan.batches(reader, question, found.columns):
                found.add(batch)
                if time.monotonic() > until:
                    raise QueryTooLargeError(
                        f"this would take longer than {SECONDS} seconds: narrow it by time (start_ns>=…) or by filters."
                    )
            found.name(reader.name)
        return found.groups(limit)

    def _readers(self) -> Iterator[Reader]:
        for number, path in segment_paths(self.folder):
            with self._reading(number, path) as reader:
                yield reader

    @contextmanager
    def _reading(self, number: int, path: Path) -> Generator[Reader]:
        with self._lock:
            at = next((at for at, idle in enumerate(self._idle) if idle.number == number), None)
            reader = None if at is None else self._idle.pop(at)
        if reader is None:
            reader = Reader(path, number, self._long)
        try:
            with reader.snapshot():
                yield reader
        except BaseException:
            reader.close()  # whatever is wrong with the file, the next reader looks at it anew
            raise
        with self._lock:
            if path.exists():
                self._idle.append(reader)
                spare = self._idle.pop(0) if len(self._idle) > IDLE else None
            else:  # dropped meanwhile: whoever has it open keeps its room from being free
                spare = reader
        if spare is not None:
            spare.close()


def _place(reader: Reader, values: Row) -> Place:
    return cast(int, values[AT]), reader.number, cast(int, values[SEQ])


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= LIMIT:
        raise UsageError(f"a page holds between 1 and {LIMIT:,} items, not {limit}.")


def _encoded(place: tuple[object, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def _decoded(cursor: str, kind: type[Found]) -> Found:
    try:
        found = msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
        if all(-LARGEST - 1 <= part <= LARGEST for part in cast("tuple[object, ...]", found) if isinstance(part, int)):
            return found
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        pass
    raise UsageError(f"{cursor!r} is no cursor of this list: begin again without one.")
