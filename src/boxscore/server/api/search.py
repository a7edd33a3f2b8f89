"""Search in the texts of spans."""

from typing import Annotated

from fastapi import Query

from boxscore.client.forms import encode
from boxscore.server.answers import paged
from boxscore.server.api.parameters import Cursor, Filters, Limit, Project, Wait, conditions
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Hits

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/search", answer=Hits, right="read")
    async def search(
        project: Project,
        text: Annotated[
            str, Query(description='Words and "quoted phrases" that all occur.', examples=['"where is" parcel'])
        ],
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 50,
        cursor: Cursor = None,
        wait: Wait = 0,
    ) -> bytes:
        """Spans whose new texts hold every word and phrase, the latest to arrive first. `pending` spans were
        acknowledged and cannot be found yet."""
        taken = conditions(filter)
        await service.caught_up(wait)

        def page(limit: int, cursor: str | None) -> Hits:
            return store.search(project, text, taken, limit=limit, cursor=cursor)

        return await service.ask(lambda: encode(paged(page, limit, cursor)))
