"""What a store of spans promises, whatever keeps them."""

from collections.abc import Sequence
from concurrent.futures import Future
from decimal import Decimal
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from boxscore.store.spans.filters import Filter
from boxscore.store.spans.measures import Group, Measure
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.scores import Score

Item = TypeVar("Item")
SeriesBy: TypeAlias = Literal["model", "application", "environment", "release", "variant"]
"""What series can be told apart by: fields of few values. Of more than 200 in an hour the later ones are summed."""


HISTOGRAM = 1_000
"""Steps of a histogram, at most."""


class StoredSpan(SpanRow, frozen=True, kw_only=True):
    """A span as it stands in the store, all its versions merged. `received_ns`: when its first version came, by the
    store's clock; the times in the row are the sender's, which may lie."""

    received_ns: int


class TraceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A trace in a list: its entry and, over all its spans so far, their number, the errors among them, the time from
    the first start to the last known end, tokens and cost; None where no span told. `models` is the model of the entry,
    or where it has none, as an agent has not, those of the spans inside, eight at most, the first first."""

    entry: StoredSpan
    spans: int
    errors: int
    duration_ns: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    models: Sequence[str] = ()


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Some items; `cursor` asks for those after them, None when there are none."""

    items: Sequence[Item]
    cursor: str | None


class Hits(Page[StoredSpan], frozen=True, kw_only=True):
    """A page of a search. It may hold fewer than asked for and still have a cursor. `pending` spans were acknowledged
    and cannot be found yet, those of other projects among them."""

    pending: int


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation in a list: the traces whose entry names it and, over all their spans so far, the same totals as of
    a trace. `start_ns` and `last_ns` are the starts of its first and its last trace; `user` is that of the last which
    has one."""

    session: str
    user: str | None
    traces: int
    spans: int
    errors: int
    start_ns: int
    last_ns: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Counted and summed over stored spans at the moment of asking; `traces` have their entry among these spans,
    `unpriced` spans told no cost."""

    spans: int
    traces: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced: int


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a field and how many spans have it; None counts those that have none."""

    value: str | None
    spans: int


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of the spans that began in one step of a series. `value` is that of the field asked by. Durations are
    within two percent; None where none is known."""

    start_ns: int
    value: str | None
    spans: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    duration_p50_ns: float | None
    duration_p95_ns: float | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Points by time, then by value; steps without spans are left out. `pending` spans were acknowledged and are not in
    it yet, those of other projects and times among them."""

    points: Sequence[Point]
    pending: int


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Spans that began in one step of a histogram, and the errors among them."""

    start_ns: int
    spans: int
    errors: int


Marks: TypeAlias = dict[int, tuple[int, int]]
"""How far a reader has come: of each file the last span to arrive, and the last change."""


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """Traces that came or changed since some marks, and the marks to go on from."""

    items: Sequence[TraceSummary]
    marks: Marks
    skipped: int


class SpanReader(Protocol):
    """Questions about the spans of projects. Safe to use from threads. Failures are `boxscore.errors.StoreError`; a bad
    filter, cursor, measure or limit is a `UsageError`.

    Lists are newest first unless `oldest_first`, by the sender's start, or by the receipt where that start lies in the
    future. A cursor stays good while spans arrive. Texts and raw bytes are left out of lists unless `whole`.
    """

    def trace(
        self, project: str, trace_id: bytes, *, limit: int = 1000, cursor: str | None = None, whole: bool = True
    ) -> Page[StoredSpan]:
        """The trace's spans by start, whole; empty where it is not known. Without `whole` they keep their resource,
        which tells processes apart."""
        ...

    def span(self, project: str, trace_id: bytes, span_id: bytes) -> StoredSpan | None:
        """One span, whole; None where it is not known."""
        ...

    def trace_ids(self, project: str, beginning: str, *, limit: int = 10) -> Sequence[str]:
        """Traces whose id, in hexadecimal digits, begins so, in order."""
        ...

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
        """Spans that the filter takes."""
        ...

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
        """Traces whose entry the filter takes, with their totals. A trace without an entry so far is listed by its
        earliest span. Those of one conversation: `session=…`."""
        ...

    def sessions(
        self, project: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None
    ) -> Page[SessionSummary]:
        """Conversations that have a trace whose entry the filter takes, by the last of those; the totals are of all
        their traces. A page may hold fewer than asked for and still have a cursor."""
        ...

    def search(
        self, project: str, text: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        """Spans that the filter takes and whose new texts (`input_text`, `output_text`) hold every word and every
        "quoted phrase", whole, the latest to arrive first. `begin*`, `*end` and `*part*` stand for words that begin,
        end and go on so; the last two need three characters, do not look into words with digits, nor beyond 64
        characters of a word, and are a `QueryTooLargeError` where they are part of more than 500 words. Case and
        accents do not matter."""
        ...

    def counts(self, project: str, filter: Filter = ()) -> Counts:
        """Exact totals over the spans that the filter takes."""
        ...

    def facets(self, project: str, field: str, filter: Filter = (), *, limit: int = 20) -> Sequence[Facet]:
        """The most frequent values of a text field, or of `metadata.KEY`, among the spans that the filter takes."""
        ...

    def aggregate(
        self,
        project: str,
        measures: Sequence[Measure],
        filter: Filter = (),
        *,
        by: Sequence[str] = (),
        limit: int = 100,
    ) -> Sequence[Group]:
        """Measures over the spans that the filter takes, in groups of equal text fields, `metadata.KEY`, flags, `hour`
        or `day` (UTC). Groups come by time where the first field of `by` is one, else the largest first measure first.
        What would take too long or make too many groups is a `QueryTooLargeError`."""
        ...

    def histogram(
        self, project: str, filter: Filter = (), *, start_ns: int, end_ns: int, step_ns: int
    ) -> Sequence[Bin]:
        """Counts over time of the spans that the filter takes, from start to end (which is not in it); steps without
        spans are left out. At most `HISTOGRAM` steps."""
        ...

    def series(self, project: str, *, start_ns: int, end_ns: int, step_ns: int, by: SeriesBy | None = None) -> Series:
        """Totals from start to end (which is not in it), both and the step in whole minutes, over all spans or by a
        field's values."""
        ...

    def scores(
        self, project: str, *, trace_id: bytes | None = None, session: str | None = None, limit: int = 1000
    ) -> Sequence[Score]:
        """Scores of a trace and its spans, of a session, or of all, the latest first."""
        ...

    def close(self) -> None: ...


class SpanStore(SpanReader, Protocol):
    """Keeps spans of projects, and answers about them."""

    def put(self, project: str, rows: Sequence[SpanRow]) -> "Future[None]":
        """Done when all rows are on disk, synced. The same span again has no effect; another version of it is merged
        (`merge.merge`). Nothing of rows whose future failed may be relied on: send them again."""
        ...

    def put_scores(self, project: str, scores: Sequence[Score]) -> "Future[None]":
        """Done when all scores are on disk, synced. What they are of may come later. The same id again: the latest by
        `at_ns` stays, in whatever order they come."""
        ...

    def close(self) -> None:
        """Waits for what is being written."""
        ...
