"""What a store of spans promises, whatever keeps them."""

from collections.abc import Sequence
from concurrent.futures import Future
from decimal import Decimal
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from boxscore.store.spans.filters import Filter
from boxscore.store.spans.rows import SpanRow

Item = TypeVar("Item")
SeriesBy: TypeAlias = Literal["model", "application"]


class StoredSpan(SpanRow, frozen=True, kw_only=True):
    """A span as it stands in the store, all its versions merged. `received_ns`: when its first version came, by the
    store's clock; the times in the row are the sender's, which may lie."""

    received_ns: int


class TraceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A trace in a list: its entry and, over all its spans so far, their number, the errors among them, the time from
    the first start to the last known end, tokens and cost; None where no span told."""

    entry: StoredSpan
    spans: int
    errors: int
    duration_ns: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Some items; `cursor` asks for those after them, None when there are none."""

    items: Sequence[Item]
    cursor: str | None


class Hits(Page[StoredSpan], frozen=True, kw_only=True):
    """A page of a search. It may hold fewer than asked for and still have a cursor. `pending` spans were acknowledged
    and cannot be found yet, those of other projects among them."""

    pending: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Counted and summed over stored spans at the moment of asking; `unpriced` spans told no cost."""

    spans: int
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


class SpanStore(Protocol):
    """Spans of projects. Safe to use from threads. Failures are `boxscore.errors.StoreError`; a bad filter, cursor or
    limit is a `UsageError`.

    Lists are newest first, by the sender's start, or by the receipt where that start lies in the future. A cursor stays
    good while spans arrive. Texts and raw bytes are left out of lists unless `whole`.
    """

    def put(self, project: str, rows: Sequence[SpanRow]) -> "Future[None]":
        """Done when all rows are on disk, synced. The same span again has no effect; another version of it is merged
        (`merge.merge`). Nothing of rows whose future failed may be relied on: send them again."""
        ...

    def trace(self, project: str, trace_id: bytes, *, limit: int = 1000, cursor: str | None = None) -> Page[StoredSpan]:
        """The trace's spans by start, whole; empty where it is not known."""
        ...

    def spans(
        self, project: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None, whole: bool = False
    ) -> Page[StoredSpan]:
        """Spans that the filter takes."""
        ...

    def traces(
        self, project: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None, whole: bool = False
    ) -> Page[TraceSummary]:
        """Traces whose entry the filter takes, with their totals. A trace without an entry so far is listed by its
        earliest span."""
        ...

    def search(self, project: str, text: str, *, limit: int = 50, cursor: str | None = None) -> Hits:
        """Spans whose new texts (`input_text`, `output_text`) hold every word and every "quoted phrase", whole, the
        latest to arrive first. Case and accents do not matter."""
        ...

    def counts(self, project: str, filter: Filter = ()) -> Counts:
        """Exact totals over the spans that the filter takes."""
        ...

    def facets(self, project: str, field: str, filter: Filter = (), *, limit: int = 20) -> Sequence[Facet]:
        """The most frequent values of a text field among the spans that the filter takes."""
        ...

    def series(self, project: str, *, start_ns: int, end_ns: int, step_ns: int, by: SeriesBy | None = None) -> Series:
        """Totals from start to end (which is not in it), both and the step in whole minutes, over all spans or by a
        field's values."""
        ...

    def close(self) -> None:
        """Waits for what is being written."""
        ...
