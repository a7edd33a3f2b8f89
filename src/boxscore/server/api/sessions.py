"""Sessions: conversations of traces."""

from boxscore.errors import NotFoundError
from boxscore.server.answers import found_or_none, paged
from boxscore.server.api.parameters import Cursor, Filters, Limit, Project, Whole, conditions
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Condition, Page, TraceSummary
from boxscore.store.spans.store import SessionSummary

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/sessions", answer=Page[SessionSummary], right="read")
    def sessions(
        project: Project,
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[SessionSummary]:
        """Conversations that have a trace whose entry the filter takes, with their totals, by the last of those."""
        return store.sessions(project, conditions(filter), limit=limit, cursor=cursor)

    @api.get("/sessions/{session:path}", answer=Page[TraceSummary], right="read", errors=(404,))
    def session(
        project: Project, session: str, limit: Limit = 50, cursor: Cursor = None, whole: Whole = False
    ) -> bytes:
        """The traces of a conversation, from the first on."""
        taken = [Condition("session", "=", session)]

        def page(limit: int, cursor: str | None) -> Page[TraceSummary]:
            return store.traces(project, taken, limit=limit, cursor=cursor, whole=whole, oldest_first=True)

        found = found_or_none(paged(page, limit, cursor, whole=whole), cursor)
        if found is None:
            raise NotFoundError("session", session)
        return found
