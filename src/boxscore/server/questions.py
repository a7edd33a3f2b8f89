"""Questions over HTTP: `/api/v1`, one thin handler for each question of `SpanReader`."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, TypeAlias

import fastapi
from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from boxscore import __version__
from boxscore.errors import BoxscoreError, NotFoundError, RequestError, UsageError
from boxscore.server.answers import Answer, paged, problem
from boxscore.server.body import GoneError, read_body
from boxscore.server.errors import OUR_FAULT, no_route
from boxscore.server.forms import decode, encode
from boxscore.server.schema import ERROR, TAKEN, describe, of
from boxscore.server.service import Service
from boxscore.store.spans import Condition, Hits, Page, Score, StoredSpan, TraceSummary, parse_condition
from boxscore.store.spans.measures import Group, parse_measure
from boxscore.store.spans.store import Counts, Facet, Series, SeriesBy, SessionSummary
from boxscore.types import Json

__all__ = ["make_questions"]

SCORES_BYTES = 4 * 1024 * 1024
Handler: TypeAlias = Callable[..., Coroutine[object, object, Response]]


def _project(request: Request) -> str:
    return str(request.scope["project"])


Project = Annotated[str, Depends(_project)]
Filters = Annotated[
    list[str], Query(alias="filter", description="A condition, as in `model=gpt-5` or `cost_usd>=0.01`; all must hold.")
]
Limit = Annotated[
    int, Query(ge=1, le=1000, description="The most items of a page. One with much text in it is shorter.")
]
Cursor = Annotated[str | None, Query(description="The `cursor` of the page before.")]
Whole = Annotated[bool, Query(description="With texts and raw spans.")]
OldestFirst = Annotated[bool, Query(description="From the oldest on.")]
Wait = Annotated[
    float, Query(ge=0, le=30, description="Seconds to wait, at most, for what was sent a moment ago to be found.")
]
TraceId = Annotated[str, fastapi.Path(description="32 hex digits.")]


def make_questions(service: Service) -> fastapi.FastAPI:
    """The application behind `/api`."""
    api = fastapi.FastAPI(title="Boxscore", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    store = service.store

    def get(path: str, kind: Json) -> Callable[[Handler], Handler]:
        return api.get(f"/api/v1{path}", responses={200: of(kind), "default": ERROR}, response_class=Response)

    async def answer(question: Callable[[], object]) -> Answer:
        return Answer(await service.ask(lambda: encode(question())), service.answers)

    @get("/traces", Page[TraceSummary])
    async def traces(
        project: Project,
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 50,
        cursor: Cursor = None,
        whole: Whole = False,
        oldest_first: OldestFirst = False,
    ) -> Answer:
        """Traces whose entry the filter takes, with their totals, newest first."""
        taken = _conditions(filter)

        def page(limit: int, cursor: str | None) -> Page[TraceSummary]:
            return store.traces(project, taken, limit=limit, cursor=cursor, whole=whole, oldest_first=oldest_first)

        return await answer(lambda: paged(page, limit, cursor, whole=whole))

    @get("/traces/{trace_id}", Page[StoredSpan])
    async def trace(
        project: Project, trace_id: TraceId, limit: Limit = 1000, cursor: Cursor = None, wait: Wait = 0
    ) -> Answer:
        """The spans of a trace by their start, whole."""
        asked = _trace_id(trace_id)

        def page(limit: int, cursor: str | None) -> Page[StoredSpan]:
            return store.trace(project, asked, limit=limit, cursor=cursor)

        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while (found := await service.ask(lambda: _found(paged(page, limit, cursor), cursor))) is None:
            if loop.time() >= until or service.stopping:
                raise NotFoundError("trace", trace_id)
            await asyncio.sleep(0.05)
        return Answer(found, service.answers)

    @get("/trace-ids", list[str])
    async def trace_ids(
        project: Project,
        beginning: Annotated[str, Query(description="Hex digits, 32 at most.")],
        limit: Limit = 10,
    ) -> Answer:
        """Ids of traces that begin so, in order."""
        return await answer(lambda: store.trace_ids(project, beginning, limit=limit))

    @get("/spans", Page[StoredSpan])
    async def spans(
        project: Project,
        filter: Filters = [],  # noqa: B006
        limit: Limit = 50,
        cursor: Cursor = None,
        whole: Whole = False,
        oldest_first: OldestFirst = False,
    ) -> Answer:
        """Spans that the filter takes, newest first."""
        taken = _conditions(filter)

        def page(limit: int, cursor: str | None) -> Page[StoredSpan]:
            return store.spans(project, taken, limit=limit, cursor=cursor, whole=whole, oldest_first=oldest_first)

        return await answer(lambda: paged(page, limit, cursor, whole=whole))

    @get("/sessions", Page[SessionSummary])
    async def sessions(
        project: Project,
        filter: Filters = [],  # noqa: B006
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Answer:
        """Conversations that have a trace whose entry the filter takes, with their totals, by the last of those."""
        taken = _conditions(filter)
        return await answer(lambda: store.sessions(project, taken, limit=limit, cursor=cursor))

    @get("/sessions/{session:path}", Page[TraceSummary])
    async def session(
        project: Project, session: str, limit: Limit = 50, cursor: Cursor = None, whole: Whole = False
    ) -> Answer:
        """The traces of a conversation, from the first on."""
        taken = [Condition("session", "=", session)]

        def page(limit: int, cursor: str | None) -> Page[TraceSummary]:
            return store.traces(project, taken, limit=limit, cursor=cursor, whole=whole, oldest_first=True)

        found = await service.ask(lambda: _found(paged(page, limit, cursor, whole=whole), cursor))
        if found is None:
            raise NotFoundError("session", session)
        return Answer(found, service.answers)

    @get("/search", Hits)
    async def search(
        project: Project,
        text: Annotated[str, Query(description='Words and "quoted phrases" that all occur.')],
        filter: Filters = [],  # noqa: B006
        limit: Limit = 50,
        cursor: Cursor = None,
        wait: Wait = 0,
    ) -> Answer:
        """Spans whose new texts hold every word and phrase, the latest to arrive first. `pending` spans were
        acknowledged and cannot be found yet."""
        taken = _conditions(filter)
        await service.caught_up(wait)

        def page(limit: int, cursor: str | None) -> Hits:
            return store.search(project, text, taken, limit=limit, cursor=cursor)

        return await answer(lambda: paged(page, limit, cursor))

    @get("/facets", list[Facet])
    async def facets(
        project: Project,
        field: Annotated[str, Query(description="A text field, as in `model`.")],
        filter: Filters = [],  # noqa: B006
        limit: Limit = 20,
    ) -> Answer:
        """The most frequent values of a field among the spans that the filter takes."""
        taken = _conditions(filter)
        return await answer(lambda: store.facets(project, field, taken, limit=limit))

    @get("/counts", Counts)
    async def counts(project: Project, filter: Filters = []) -> Answer:  # noqa: B006
        """Exact totals over the spans that the filter takes."""
        taken = _conditions(filter)
        return await answer(lambda: store.counts(project, taken))

    @get("/aggregate", list[Group])
    async def aggregate(
        project: Project,
        measure: Annotated[list[str], Query(description="As in `count`, `sum(cost_usd)`, `p95(duration_ns)`.")],
        by: Annotated[list[str], Query(description="A text field, a flag, `hour` or `day`.")] = [],  # noqa: B006
        filter: Filters = [],  # noqa: B006
        limit: Limit = 100,
    ) -> Answer:
        """Measures over the spans that the filter takes, in groups."""
        measures, taken = [parse_measure(text) for text in measure], _conditions(filter)
        return await answer(lambda: store.aggregate(project, measures, taken, by=by, limit=limit))

    @get("/series", Series)
    async def series(
        project: Project,
        start_ns: Annotated[int, Query(description="Nanoseconds since 1970, a whole minute.")],
        end_ns: Annotated[int, Query(description="Nanoseconds since 1970, a whole minute; not in the series.")],
        step_ns: Annotated[int, Query(description="Whole minutes, in nanoseconds.")],
        by: SeriesBy | None = None,
        wait: Wait = 0,
    ) -> Answer:
        """Totals over time, from roll-ups. `pending` spans were acknowledged and are not in it yet."""
        await service.caught_up(wait)
        return await answer(lambda: store.series(project, start_ns=start_ns, end_ns=end_ns, step_ns=step_ns, by=by))

    @get("/scores", list[Score])
    async def scores(
        project: Project,
        trace_id: Annotated[str | None, Query(description="32 hex digits.")] = None,
        session: str | None = None,
        limit: Limit = 1000,
    ) -> Answer:
        """Scores of a trace and its spans, of a session, or of all, the latest first."""
        asked = None if trace_id is None else _trace_id(trace_id)
        return await answer(lambda: store.scores(project, trace_id=asked, session=session, limit=limit))

    @api.post(
        "/api/v1/scores", responses={200: TAKEN, "default": ERROR}, openapi_extra={"requestBody": of(list[Score])}
    )
    async def put_scores(project: Project, request: Request) -> Answer:
        """Takes scores and answers when they are on disk. What they are of may come later; the same id again replaces
        what it said before."""
        body = await read_body(request.scope, request.receive, most=SCORES_BYTES, budget=service.bodies)  # pyright: ignore[reportArgumentType]
        taken = decode(body, list[Score])
        if taken:
            await service.put(lambda: store.put_scores(project, taken))
        return Answer(encode({"stored": len(taken)}), service.answers)

    @api.get("/api/v1/openapi.json", include_in_schema=False)
    async def openapi() -> Answer:
        return Answer(encode(describe(api)), service.answers)

    @api.exception_handler(BoxscoreError)
    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, BoxscoreError)  # noqa: S101
        return problem(error)

    @api.exception_handler(GoneError)
    async def let_go(request: Request, error: Exception) -> Response:
        return Response(status_code=408)  # nobody is there to read it

    @api.exception_handler(RequestValidationError)
    async def refuse_parameter(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        first = error.errors()[0]
        return problem(UsageError(f"{first['loc'][-1]}: {first['msg']}. /api/v1/openapi.json tells what it takes."))

    @api.exception_handler(Exception)
    async def admit(request: Request, error: Exception) -> Response:
        return problem(OUR_FAULT)

    @api.exception_handler(HTTPException)
    async def refuse_route(request: Request, error: Exception) -> Response:
        path = request.url.path[:200]
        if isinstance(error, HTTPException) and error.status_code == 405:
            return problem(RequestError("method", f"{path} cannot be asked by {request.method}."))
        return problem(no_route(path))

    return api


def _found(page: Page[StoredSpan] | Page[TraceSummary], cursor: str | None) -> bytes | None:
    """The page's JSON, None for one without items that is the first."""
    return encode(page) if page.items or cursor is not None else None


def _conditions(filter: Sequence[str]) -> list[Condition]:
    return [parse_condition(text) for text in filter]


def _trace_id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise UsageError(f"{text[:80]!r} is no trace id: it has 32 hex digits.")
    return found
