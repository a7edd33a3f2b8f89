"""A server asked like a store: `SpanReader` over HTTP, and where the spans of this folder are to be asked for."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TypeVar

from boxscore import errors, settings
from boxscore.client.call import Address, ask, send
from boxscore.client.link import BlockingLink
from boxscore.client.place import find_place, listens
from boxscore.client.traces import Stored
from boxscore.providers.transport import check_url
from boxscore.settings import Settings
from boxscore.store.spans import (
    Bin,
    Counts,
    Facet,
    Filter,
    Hits,
    Page,
    Score,
    Series,
    SqliteSpans,
    StoredSpan,
)
from boxscore.store.spans.measures import Group, Measure
from boxscore.store.spans.store import SeriesBy, SessionSummary, SpanReader, TraceSummary

__all__ = ["RemoteSpans", "open_spans"]

Found = TypeVar("Found")


def open_spans(chosen: Settings | None = None) -> SpanReader:
    """What answers questions about spans: the server at `BOXSCORE_URL`, else the server that owns the folder of the
    stores, else the folder itself, for reading. Close it."""
    chosen = chosen or settings.load()
    if chosen.url:
        return RemoteSpans(chosen.url, settings.headers(chosen))
    home = settings.home(chosen)
    place = find_place(home)
    return (
        RemoteSpans(place.url, settings.headers(chosen))
        if place is not None and listens(place)
        else SqliteSpans(home, write=False)
    )


class RemoteSpans:
    """`SpanReader` of a server at `url`. Its errors are those of the store there; a server that does not answer is an
    `OperationError`. A page may hold fewer than asked for and still have a cursor. The project is the server's to tell,
    by who asks and by what `headers` say; they may hold a key, and are never shown."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._link = BlockingLink(Address(url=check_url(url, key="BOXSCORE_URL"), headers=dict(headers or {})))
        self.url = self._link.address.url

    def close(self) -> None:
        self._link.close()

    def __enter__(self) -> "RemoteSpans":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def trace(
        self, project: str, trace_id: bytes, *, limit: int = 1000, cursor: str | None = None, whole: bool = True
    ) -> Page[StoredSpan]:
        try:
            return self._get(f"/traces/{trace_id.hex()}", Page[StoredSpan], limit=limit, cursor=cursor, whole=whole)
        except errors.NotFoundError:
            return Page(items=[], cursor=None)

    def span(self, project: str, trace_id: bytes, span_id: bytes) -> StoredSpan | None:
        try:
            return self._get(f"/traces/{trace_id.hex()}/spans/{span_id.hex()}", StoredSpan)
        except errors.NotFoundError:
            return None

    def trace_ids(self, project: str, beginning: str, *, limit: int = 10) -> Sequence[str]:
        return self._get("/trace-ids", list[str], beginning=beginning, limit=limit)

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
        return self._get(
            "/spans", Page[StoredSpan], filter, limit=limit, cursor=cursor, whole=whole, oldest_first=oldest_first
        )

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
        return self._get(
            "/traces", Page[TraceSummary], filter, limit=limit, cursor=cursor, whole=whole, oldest_first=oldest_first
        )

    def sessions(
        self, project: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None
    ) -> Page[SessionSummary]:
        return self._get("/sessions", Page[SessionSummary], filter, limit=limit, cursor=cursor)

    def search(
        self, project: str, text: str, filter: Filter = (), *, limit: int = 50, cursor: str | None = None
    ) -> Hits:
        return self._get("/search", Hits, filter, text=text, limit=limit, cursor=cursor)

    def counts(self, project: str, filter: Filter = ()) -> Counts:
        return self._get("/counts", Counts, filter)

    def facets(self, project: str, field: str, filter: Filter = (), *, limit: int = 20) -> Sequence[Facet]:
        return self._get("/facets", list[Facet], filter, field=field, limit=limit)

    def aggregate(
        self,
        project: str,
        measures: Sequence[Measure],
        filter: Filter = (),
        *,
        by: Sequence[str] = (),
        limit: int = 100,
    ) -> Sequence[Group]:
        asked = [str(measure) for measure in measures]
        return self._get("/aggregate", list[Group], filter, measure=asked, by=list(by), limit=limit)

    def histogram(
        self, project: str, filter: Filter = (), *, start_ns: int, end_ns: int, step_ns: int
    ) -> Sequence[Bin]:
        asked = {"start_ns": start_ns, "end_ns": end_ns, "step_ns": step_ns}
        return self._get("/histogram", list[Bin], filter, **asked)

    def series(self, project: str, *, start_ns: int, end_ns: int, step_ns: int, by: SeriesBy | None = None) -> Series:
        return self._get("/series", Series, start_ns=start_ns, end_ns=end_ns, step_ns=step_ns, by=by)

    def scores(
        self, project: str, *, trace_id: bytes | None = None, session: str | None = None, limit: int = 1000
    ) -> Sequence[Score]:
        trace = None if trace_id is None else trace_id.hex()
        return self._get("/scores", list[Score], trace_id=trace, session=session, limit=limit)

    def put_scores(self, project: str, scores: Sequence[Score]) -> None:
        """Returns when they are on the server's disk, synced."""
        self._link.ask(send(Stored, "/scores", scores))

    def ingest_json(self, body: bytes) -> bytes:
        """The answer to an OTLP/JSON request, once all of it that was not rejected is on the server's disk, synced."""
        return self._link.post("/v1/traces", body, "application/json")

    def _get(self, path: str, kind: type[Found], filter: Filter = (), **asked: object) -> Found:
        return self._link.ask(ask(kind, path, filter=filter, **asked))
