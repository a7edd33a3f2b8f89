"""Questions over HTTP: `/api/v1`, one thin handler for each question of `SpanReader`."""

from typing import Annotated, cast

import fastapi
from fastapi import Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from boxscore.errors import BoxscoreError, NotFoundError, RequestError, UsageError
from boxscore.server.body import Receive, Scope, Send
from boxscore.server.errors import error_body, error_headers, status_of
from boxscore.server.forms import encode
from boxscore.server.service import Service
from boxscore.store.spans import parse_condition

__all__ = ["make_questions"]

Filters = Annotated[list[str], Query(alias="filter", description="Conditions that all hold, as in `model=gpt-5`.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="The most items of a page.")]
Cursor = Annotated[str | None, Query(description="The `cursor` of the page before.")]
Whole = Annotated[bool, Query(description="With texts and raw spans.")]
OldestFirst = Annotated[bool, Query(description="From the oldest on.")]


def make_questions(service: Service) -> fastapi.FastAPI:
    """The application behind `/api`."""
    api = fastapi.FastAPI(title="Boxscore", openapi_url=None, docs_url=None, redoc_url=None)
    store = service.store

    @api.get("/api/v1/traces")
    async def traces(
        request: Request, filter: Filters = [], limit: Limit = 50, cursor: Cursor = None, whole: Whole = False
    ) -> Response:
        conditions = [parse_condition(text) for text in filter]
        return await answer(
            lambda: store.traces(project_of(request), conditions, limit=limit, cursor=cursor, whole=whole)
        )

    async def answer(question) -> Response:
        found = await service.ask(question)
        return Response(encode(found), media_type="application/json")

    def project_of(request: Request) -> str:
        return request.scope["project"]

    return api
