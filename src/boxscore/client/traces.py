"""Traces, their scores and numbers over them: how a server is asked for them."""

from collections.abc import Sequence

import msgspec

from boxscore.client.call import Call, ask, path, send
from boxscore.store.spans import Counts, Facet, Filter, Hits, Page, Score, Series, StoredSpan
from boxscore.store.spans.measures import Group, Measure
from boxscore.store.spans.store import SeriesBy, SessionSummary, TraceSummary

__all__ = [
    "Stored",
    "aggregate",
    "counts",
    "facets",
    "put_scores",
    "remove_score",
    "scores",
    "search",
    "series",
    "session",
    "sessions",
    "spans",
    "trace",
    "traces",
]

Conditions = Filter | Sequence[str]
"""Conditions, or how people write them: `model=gpt-5`, `cost_usd>=0.01`. All must hold."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """How many are on disk."""

    stored: int


def traces(
    filter: Conditions = (),
    *,
    limit: int = 50,
    cursor: str | None = None,
    whole: bool = False,
    oldest_first: bool = False,
) -> Call[Page[TraceSummary]]:
    """Traces whose entry the filter takes, with their totals, newest first; with texts and raw spans if `whole`."""
    return ask(
        Page[TraceSummary],
        "/traces",
        filter=filter,
        limit=limit,
        cursor=cursor,
        whole=whole,
        oldest_first=oldest_first,
    )


def trace(trace_id: str, *, limit: int = 1000, cursor: str | None = None, wait: float = 0) -> Call[Page[StoredSpan]]:
    """The spans of a trace by their start. `NotFoundError` where it is not there within `wait` seconds."""
    return ask(Page[StoredSpan], path("traces", trace_id), limit=limit, cursor=cursor, wait=wait)


def spans(
    filter: Conditions = (),
    *,
    limit: int = 50,
    cursor: str | None = None,
    whole: bool = False,
    oldest_first: bool = False,
) -> Call[Page[StoredSpan]]:
    """Spans that the filter takes, newest first."""
    return ask(
        Page[StoredSpan], "/spans", filter=filter, limit=limit, cursor=cursor, whole=whole, oldest_first=oldest_first
    )


def sessions(filter: Conditions = (), *, limit: int = 50, cursor: str | None = None) -> Call[Page[SessionSummary]]:
    """Conversations that have a trace whose entry the filter takes, by the last of those."""
    return ask(Page[SessionSummary], "/sessions", filter=filter, limit=limit, cursor=cursor)


def session(
    session: str, *, limit: int = 50, cursor: str | None = None, whole: bool = False
) -> Call[Page[TraceSummary]]:
    """The traces of a conversation, from the first on. `NotFoundError` where there are none."""
    return ask(Page[TraceSummary], path("sessions", session), limit=limit, cursor=cursor, whole=whole)


def search(
    text: str, filter: Conditions = (), *, limit: int = 50, cursor: str | None = None, wait: float = 0
) -> Call[Hits]:
    """Spans whose texts hold every word and "quoted phrase", the latest to arrive first. `wait` seconds, at most, for
    what was sent a moment ago to be found."""
    return ask(Hits, "/search", text=text, filter=filter, limit=limit, cursor=cursor, wait=wait)


def counts(filter: Conditions = ()) -> Call[Counts]:
    """Exact totals over the spans that the filter takes."""
    return ask(Counts, "/counts", filter=filter)


def facets(field: str, filter: Conditions = (), *, limit: int = 20) -> Call[list[Facet]]:
    """The most frequent values of a text field."""
    return ask(list[Facet], "/facets", field=field, filter=filter, limit=limit)


def aggregate(
    measures: Sequence[Measure | str], filter: Conditions = (), *, by: Sequence[str] = (), limit: int = 100
) -> Call[list[Group]]:
    """Measures, as in `count` and `p95(duration_ns)`, over the spans that the filter takes, in groups."""
    return ask(list[Group], "/aggregate", measure=list(map(str, measures)), filter=filter, by=by, limit=limit)


def series(*, start_ns: int, end_ns: int, step_ns: int, by: SeriesBy | None = None, wait: float = 0) -> Call[Series]:
    """Totals over time, start, end and step in whole minutes."""
    return ask(Series, "/series", start_ns=start_ns, end_ns=end_ns, step_ns=step_ns, by=by, wait=wait)


def scores(*, trace_id: str | None = None, session: str | None = None, limit: int = 1000) -> Call[list[Score]]:
    """Scores of a trace and its spans, of a session, or of all, the latest first."""
    return ask(list[Score], "/scores", trace_id=trace_id, session=session, limit=limit)


def put_scores(scores: Sequence[Score]) -> Call[Stored]:
    """Answers when the scores are on disk; the same id again replaces what it said before."""
    return send(Stored, "/scores", list(scores))


def remove_score(score_id: str) -> Call[None]:
    """Takes a score back; one that is not there stays away."""
    return Call(method="DELETE", path=path("scores", score_id), kind=type(None))
