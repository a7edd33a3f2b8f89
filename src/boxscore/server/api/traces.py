"""Traces."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from fastapi import Query

from boxscore.client.forms import encode
from boxscore.errors import NotFoundError, UsageError
from boxscore.server.answers import found_or_none, paged, previewed
from boxscore.server.api.parameters import (
    Cursor,
    Filters,
    Limit,
    OldestFirst,
    Preview,
    Project,
    SpanId,
    TraceId,
    Wait,
    Whole,
    conditions,
    span_id_of,
    trace_id_of,
)
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Bin, Page, StoredSpan, TraceSummary
from boxscore.tracing.detail import SpanDetail, detail_of
from boxscore.tracing.outline import Outline, outline_of
from boxscore.tracing.raw import RawSpan, read_raw
from boxscore.tracing.turns import Talk, talk_of_session, talk_of_trace

__all__ = ["add"]

OUTLINED, STEP = 20_000, 5_000
Spans = Annotated[int, Query(ge=1, le=100_000, description="The most spans, those that began first.")]


class RawOf(msgspec.Struct, frozen=True, kw_only=True):
    """A span in its own words."""

    span_id: str
    name: str
    told: RawSpan


class RawPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some spans of a trace; `cursor` asks for those after them, None when there are none."""

    items: Sequence[RawOf]
    cursor: str | None


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/traces", answer=Page[TraceSummary], right="read")
    def traces(
        project: Project,
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 50,
        cursor: Cursor = None,
        whole: Whole = False,
        preview: Preview = False,
        oldest_first: OldestFirst = False,
    ) -> Page[TraceSummary]:
        """Traces whose entry the filter takes, with their totals, newest first."""
        taken = conditions(filter)

        def page(limit: int, cursor: str | None) -> Page[TraceSummary]:
            return store.traces(
                project, taken, limit=limit, cursor=cursor, whole=whole or preview, oldest_first=oldest_first
            )

        found = paged(page, limit, cursor, whole=whole or preview)
        if not preview:
            return found
        items = [msgspec.structs.replace(item, entry=previewed(item.entry)) for item in found.items]
        return msgspec.structs.replace(found, items=items)

    @api.get("/traces/{trace_id}", answer=Page[StoredSpan], right="read", errors=(404,))
    async def trace(
        project: Project,
        trace_id: TraceId,
        limit: Limit = 1000,
        cursor: Cursor = None,
        whole: Whole = True,
        wait: Wait = 0,
    ) -> bytes:
        """The spans of a trace by their start, whole unless asked otherwise."""
        asked = trace_id_of(trace_id)

        def page(limit: int, cursor: str | None) -> Page[StoredSpan]:
            return store.trace(project, asked, limit=limit, cursor=cursor, whole=whole)

        def found() -> bytes | None:
            return found_or_none(paged(page, limit, cursor, whole=whole), cursor)

        return await _waited(service, found, trace_id, wait)

    @api.get("/traces/{trace_id}/outline", answer=Outline, right="read", errors=(404,))
    async def outline(project: Project, trace_id: TraceId, limit: Spans = OUTLINED, wait: Wait = 0) -> bytes:
        """A trace as it is drawn: its spans in the order of its tree, without their texts, as columns."""
        asked = trace_id_of(trace_id)

        def found() -> bytes | None:
            spans: list[StoredSpan] = []
            cursor: str | None = None
            while len(spans) < limit and (cursor is not None or not spans):
                page = store.trace(project, asked, limit=min(limit - len(spans), STEP), cursor=cursor, whole=False)
                spans += page.items
                cursor = page.cursor
                if not page.items:
                    break
            return msgspec.json.encode(outline_of(spans, left_out=cursor is not None)) if spans else None

        return await _waited(service, found, trace_id, wait)

    @api.get("/traces/{trace_id}/spans/{span_id}", answer=StoredSpan, right="read", errors=(404,))
    def span(project: Project, trace_id: TraceId, span_id: SpanId) -> StoredSpan:
        """One span, whole."""
        found = store.span(project, trace_id_of(trace_id), span_id_of(span_id))
        if found is None:
            raise NotFoundError("span", span_id)
        return found

    @api.get("/traces/{trace_id}/spans/{span_id}/detail", answer=SpanDetail, right="read", errors=(404,))
    def span_detail(project: Project, trace_id: TraceId, span_id: SpanId) -> bytes:
        """One span as it is read: what was said in it, each attribute as it came, its scores, and the arithmetic of its
        cost."""
        found = detail_of(store, project, trace_id_of(trace_id), span_id_of(span_id))
        if found is None:
            raise NotFoundError("span", span_id)
        said = {name: getattr(found, name) for name in SpanDetail.__struct_fields__}
        for name in ("span", "scores"):  # structs whose ids are bytes; the tags of the others are kept by msgspec alone
            said[name] = msgspec.Raw(encode(said[name]))
        return msgspec.json.encode(said)

    @api.get("/traces/{trace_id}/raw", answer=RawPage, right="read", errors=(404,))
    def raw_trace(project: Project, trace_id: TraceId, limit: Limit = 50, cursor: Cursor = None) -> bytes:
        """The spans of a trace by their start, their attributes, events, resource and scope as they came."""
        asked = trace_id_of(trace_id)

        def page(limit: int, cursor: str | None) -> Page[StoredSpan]:
            return store.trace(project, asked, limit=limit, cursor=cursor)

        found = paged(page, limit, cursor)
        if not found.items and cursor is None:
            raise NotFoundError("trace", trace_id)
        items = [RawOf(span_id=span.span_id.hex(), name=span.name, told=read_raw(span)) for span in found.items]
        return msgspec.json.encode(RawPage(items=items, cursor=found.cursor))

    @api.get("/conversation", answer=Talk, right="read", errors=(404,))
    def conversation(
        project: Project,
        trace_id: Annotated[str | None, Query(description="32 hex digits: what was said in this trace.")] = None,
        session: Annotated[str | None, Query(description="What was said in this session, turn by turn.")] = None,
    ) -> bytes:
        """What an application, its models and its tools said in a trace or a session, each message once."""
        if (trace_id is None) == (session is None):
            raise UsageError("a conversation is of a trace or of a session: give trace_id, or session.")
        if session is not None:
            talk = talk_of_session(store, project, session)
        else:
            talk = talk_of_trace(store, project, trace_id_of(trace_id or ""))
        if talk is None:
            raise NotFoundError("session", session) if session is not None else NotFoundError("trace", trace_id or "")
        return msgspec.json.encode(talk)

    @api.get("/histogram", answer=list[Bin], right="read")
    def histogram(
        project: Project,
        start_ns: Annotated[int, Query(description="Nanoseconds since 1970.")],
        end_ns: Annotated[int, Query(description="Nanoseconds since 1970; not in it.")],
        step_ns: Annotated[int, Query(description="Nanoseconds.")],
        filter: Filters = [],  # noqa: B006
    ) -> list[Bin]:
        """Counts over time of the spans that the filter takes; with `entry=true` of traces. Steps without any are left
        out."""
        taken = conditions(filter)
        return list(store.histogram(project, taken, start_ns=start_ns, end_ns=end_ns, step_ns=step_ns))

    @api.get("/trace-ids", answer=list[str], right="read")
    def trace_ids(
        project: Project,
        beginning: Annotated[str, Query(description="Hex digits, 32 at most.")],
        limit: Limit = 10,
    ) -> list[str]:
        """Ids of traces that begin so, in order."""
        return list(store.trace_ids(project, beginning, limit=limit))


async def _waited(service: Service, question: Callable[[], bytes | None], trace_id: str, wait: float) -> bytes:
    """The answer to a question about a trace, which may have been sent a moment ago."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while (found := await service.ask(question)) is None:
        if loop.time() >= until or service.stopping:
            raise NotFoundError("trace", trace_id)
        await asyncio.sleep(0.05)
    return found
