"""Traces."""

import asyncio
from typing import Annotated

from fastapi import Query

from boxscore.errors import NotFoundError
from boxscore.server.answers import found_or_none, paged
from boxscore.server.api.parameters import (
    Cursor,
    Filters,
    Limit,
    OldestFirst,
    Project,
    TraceId,
    Wait,
    Whole,
    conditions,
    trace_id_of,
)
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Page, StoredSpan, TraceSummary

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/traces", answer=Page[TraceSummary], right="read")
    def traces(
        project: Project,
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 50,
        cursor: Cursor = None,
        whole: Whole = False,
        oldest_first: OldestFirst = False,
    ) -> Page[TraceSummary]:
        """Traces whose entry the filter takes, with their totals, newest first."""
        taken = conditions(filter)

        def page(limit: int, cursor: str | None) -> Page[TraceSummary]:
            return store.traces(project, taken, limit=limit, cursor=cursor, whole=whole, oldest_first=oldest_first)

        return paged(page, limit, cursor, whole=whole)

    @api.get("/traces/{trace_id}", answer=Page[StoredSpan], right="read", errors=(404,))
    async def trace(
        project: Project, trace_id: TraceId, limit: Limit = 1000, cursor: Cursor = None, wait: Wait = 0
    ) -> bytes:
        """The spans of a trace by their start, whole."""
        asked = trace_id_of(trace_id)

        def page(limit: int, cursor: str | None) -> Page[StoredSpan]:
            return store.trace(project, asked, limit=limit, cursor=cursor)

        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while (found := await service.ask(lambda: found_or_none(paged(page, limit, cursor), cursor))) is None:
            if loop.time() >= until or service.stopping:
                raise NotFoundError("trace", trace_id)
            await asyncio.sleep(0.05)
        return found

    @api.get("/trace-ids", answer=list[str], right="read")
    def trace_ids(
        project: Project,
        beginning: Annotated[str, Query(description="Hex digits, 32 at most.")],
        limit: Limit = 10,
    ) -> list[str]:
        """Ids of traces that begin so, in order."""
        return list(store.trace_ids(project, beginning, limit=limit))
