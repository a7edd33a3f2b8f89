"""Spans."""

import msgspec

from boxscore.server.answers import paged, previewed
from boxscore.server.api.parameters import Cursor, Filters, Limit, OldestFirst, Preview, Project, Whole, conditions
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Page, StoredSpan

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/spans", answer=Page[StoredSpan], right="read")
    def spans(
        project: Project,
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 50,
        cursor: Cursor = None,
        whole: Whole = False,
        preview: Preview = False,
        oldest_first: OldestFirst = False,
    ) -> Page[StoredSpan]:
        """Spans that the filter takes, newest first."""
        taken = conditions(filter)

        def page(limit: int, cursor: str | None) -> Page[StoredSpan]:
            return store.spans(
                project, taken, limit=limit, cursor=cursor, whole=whole or preview, oldest_first=oldest_first
            )

        found = paged(page, limit, cursor, whole=whole or preview)
        return msgspec.structs.replace(found, items=[previewed(span) for span in found.items]) if preview else found
