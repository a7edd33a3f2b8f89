"""Scores of what was traced."""

from typing import Annotated

import fastapi
from fastapi import Query

from boxscore.client.traces import Stored
from boxscore.server.api.parameters import Limit, Project, trace_id_of
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Score

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/scores", answer=list[Score], right="read")
    def scores(
        project: Project,
        trace_id: Annotated[str | None, Query(description="32 hex digits.")] = None,
        session: Annotated[str | None, Query(description="Those of this conversation.")] = None,
        limit: Limit = 1000,
    ) -> list[Score]:
        """Scores of a trace and its spans, of a session, or of all, the latest first."""
        asked = None if trace_id is None else trace_id_of(trace_id)
        return list(store.scores(project, trace_id=asked, session=session, limit=limit))

    @api.post("/scores", body=list[Score], answer=Stored, right="score")
    async def put_scores(project: Project, body: list[Score]) -> Stored:
        """Takes scores and answers when they are on disk. What they are of may come later; the same id again replaces
        what it said before."""
        if body:
            await service.put(lambda: store.put_scores(project, body))
        return Stored(stored=len(body))

    @api.delete("/scores/{score_id}", right="score")
    async def remove_score(project: Project, score_id: Annotated[str, fastapi.Path(max_length=200)]) -> None:
        """Takes a score back; one that is not there stays away."""
        await service.put(lambda: store.remove_score(project, score_id))
