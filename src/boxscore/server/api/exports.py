"""Whole lists as files, written as they are read."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from starlette.responses import StreamingResponse

from boxscore.server.api.parameters import Asked, Filters, Project, conditions
from boxscore.server.api.routes import Api
from boxscore.server.body import Scope
from boxscore.server.formats import table_of, writer_of
from boxscore.server.service import Service

__all__ = ["add"]

PAGE = 200
Part: TypeAlias = Callable[[str | None], tuple[bytes, str | None]]
"""The lines from a cursor on, and the cursor of those after them."""


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/traces.csv", answer=bytes, right="read", media="text/csv")
    async def traces_csv(asked: Asked, project: Project, filter: Filters = []) -> StreamingResponse:  # noqa: B006 - FastAPI copies it
        """All traces whose entry the filter takes as CSV, newest first: what began when, its totals and its texts."""
        taken = conditions(filter)

        def part(cursor: str | None) -> tuple[bytes, str | None]:
            page = store.traces(project, taken, limit=PAGE, cursor=cursor, whole=True)
            return table_of(page.items, head=cursor is None), page.cursor

        return _file(service, asked, part, "traces.csv", "text/csv")

    @api.get("/sessions.csv", answer=bytes, right="read", media="text/csv")
    async def sessions_csv(asked: Asked, project: Project, filter: Filters = []) -> StreamingResponse:  # noqa: B006
        """All conversations that have a trace whose entry the filter takes as CSV, the last first."""
        taken = conditions(filter)

        def part(cursor: str | None) -> tuple[bytes, str | None]:
            page = store.sessions(project, taken, limit=PAGE, cursor=cursor)
            return table_of(page.items, head=cursor is None), page.cursor

        return _file(service, asked, part, "sessions.csv", "text/csv")

    def spans(asked: Scope, project: str, filter: Filters, form: str, media: str) -> StreamingResponse:
        taken = conditions(filter)

        def part(cursor: str | None) -> tuple[bytes, str | None]:
            page = store.spans(project, taken, limit=PAGE, cursor=cursor, whole=True, oldest_first=True)
            out = io.BytesIO()
            writer = writer_of(form, out, begin=cursor is None)
            writer.write(page.items)
            writer.close()
            return out.getvalue(), page.cursor

        return _file(service, asked, part, f"spans.{form}", media)

    @api.get("/spans.csv", answer=bytes, right="read", media="text/csv")
    async def spans_csv(asked: Asked, project: Project, filter: Filters = []) -> StreamingResponse:  # noqa: B006
        """All spans that the filter takes as CSV, oldest first: their fields, texts and metadata."""
        return spans(asked, project, filter, "csv", "text/csv")

    @api.get("/spans.jsonl", answer=bytes, right="read", media="application/jsonl")
    async def spans_jsonl(asked: Asked, project: Project, filter: Filters = []) -> StreamingResponse:  # noqa: B006
        """All spans that the filter takes, a line of JSON each, oldest first: every field, and every attribute as it
        came."""
        return spans(asked, project, filter, "jsonl", "application/jsonl")


def _file(service: Service, scope: Scope, part: Part, name: str, media: str) -> StreamingResponse:
    """Parts that are read one after the other, each once the one before is sent: what fails after the first ends the
    connection, so that half a file is never taken for a whole one. So does the end of the caller's key or login."""

    async def parts() -> AsyncIterator[bytes]:
        cursor: str | None = None
        checked_s = asyncio.get_running_loop().time()
        while True:
            checked_s = await service.streams.still(scope, checked_s)
            asked = cursor
            lines, cursor = await service.ask(lambda: part(asked))  # noqa: B023 - awaited
            yield lines
            if cursor is None:
                return

    return StreamingResponse(
        parts(), media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
