"""The table of routes: what each takes, gives and asks for, read by the router, the access check and OpenAPI."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Literal, TypeAlias, TypeVar

import fastapi
import msgspec
from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from boxscore import __version__
from boxscore.client.forms import check_number, decode, encode
from boxscore.errors import BoxscoreError, RequestError, UsageError
from boxscore.server.access import Right
from boxscore.server.answers import Answer, problem
from boxscore.server.body import GoneError, Upload, read_body
from boxscore.server.errors import OUR_FAULT, no_route
from boxscore.server.once import HEADER, Once, request_hash
from boxscore.server.service import Service
from boxscore.types import Json

__all__ = ["PREFIX", "Api", "Route"]

PREFIX = "/api/v1"
BODY_BYTES = 4 * 1024 * 1024
AT_ONCE_BYTES = 64 * 1024
Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = TypeVar("Handler", bound=Callable[..., object])


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is what follows `/api/v1`. `answer` and `body` are the kinds of what is answered and sent: structs, lists
    of them, `bytes` for what is not JSON (`media` says what it may be, with commas between), `Upload`, None for
    nothing. `right` is what the caller must have in the project, "none" where everybody may ask who reaches the server.
    `errors` are statuses beyond those that any such route can have. With `once` it takes an idempotency key."""

    method: Method
    path: str
    name: str
    tag: str
    right: Right | Literal["none"]
    answer: Json
    status: int
    body: Json
    body_bytes: int
    media: str
    errors: tuple[int, ...]
    once: bool
    handler: Callable[..., object]


def _check(right: Right | Literal["none"]) -> Callable[[Request], Coroutine[None, None, None]]:
    """Looks at the right before anything else of the request."""

    async def check(request: Request) -> None:
        if right != "none":
            request.scope["right"] = right  # which is written down, granted or not
            request.scope["caller"].require(right)

    return check


class Api:
    """The application behind `/api`. Nouns add their routes:

        @api.get("/things/{id}", answer=Thing, right="read", errors=(404,))
        def thing(project: Project, id: str) -> Thing: ...

    A plain function is run in one of the few threads of questions, and what it gives is encoded there. A coroutine
    function runs on the event loop, and must not keep it. Both give what `answer` says, or a `Response` of their own. A
    parameter `body` is what was sent, as `body` says; the others are of the path and the query, or of `parameters`.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.routes: list[Route] = []
        self._once = Once(service)
        self.app = fastapi.FastAPI(
            title="Boxscore", version=__version__, openapi_url=None, docs_url=None, redoc_url=None
        )
        self._refuse()

    def get(
        self,
        path: str,
        *,
        answer: Json,
        right: Right | Literal["none"],
        media: str = "application/json",
        errors: tuple[int, ...] = (),
    ) -> Callable[[Handler], Handler]:
        return self._route("GET", path, answer, right, None, 200, errors, media)

    def post(
        self,
        path: str,
        *,
        answer: Json,
        right: Right | Literal["none"],
        body: Json = None,
        status: int = 200,
        errors: tuple[int, ...] = (),
        body_bytes: int = BODY_BYTES,
        once: bool = True,
    ) -> Callable[[Handler], Handler]:
        """`once` is False where nothing is made, or where the answer holds a secret, which is kept nowhere."""
        return self._route("POST", path, answer, right, body, status, errors, body_bytes=body_bytes, once=once)

    def put(
        self,
        path: str,
        *,
        answer: Json,
        right: Right | Literal["none"],
        body: Json = None,
        status: int = 200,
        errors: tuple[int, ...] = (),
        body_bytes: int = BODY_BYTES,
    ) -> Callable[[Handler], Handler]:
        return self._route("PUT", path, answer, right, body, status, errors, body_bytes=body_bytes)

    def patch(
        self,
        path: str,
        *,
        answer: Json,
        right: Right | Literal["none"],
        body: Json = None,
        errors: tuple[int, ...] = (),
    ) -> Callable[[Handler], Handler]:
        return self._route("PATCH", path, answer, right, body, 200, errors)

    def delete(
        self,
        path: str,
        *,
        right: Right | Literal["none"],
        answer: Json = None,
        errors: tuple[int, ...] = (),
    ) -> Callable[[Handler], Handler]:
        return self._route("DELETE", path, answer, right, None, 200 if answer is not None else 204, errors)

    def _route(
        self,
        method: Method,
        path: str,
        answer: Json,
        right: Right | Literal["none"],
        body: Json,
        status: int,
        errors: tuple[int, ...],
        media: str = "application/json",
        body_bytes: int = BODY_BYTES,
        once: bool = False,
    ) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            route = Route(
                method=method,
                path=path,
                name=handler.__name__,
                tag=handler.__module__.rpartition(".")[2],
                right=right,
                answer=answer,
                status=status if answer is not None else 204,
                body=body,
                body_bytes=body_bytes,
                media=media,
                errors=errors,
                once=once,
                handler=handler,
            )
            self.routes.append(route)
            self.app.add_api_route(
                f"{PREFIX}{path}",
                self._endpoint(route),
                methods=[method],
                operation_id=route.name,
                description=inspect.getdoc(handler),
                response_class=Response,
                dependencies=[Depends(_check(right))],
            )
            return handler

        return add

    def _endpoint(self, route: Route) -> Callable[..., object]:
        """What FastAPI calls: the check of the right, the reading of the body, and the writing of the answer, around
        the handler, whose parameters it shows."""
        taken = inspect.signature(route.handler)

        async def endpoint(http: Request, **given: object) -> Response:
            for name, value in given.items():
                if isinstance(value, int):
                    check_number(name, value)
            caller = http.scope["caller"]
            sent, body = b"", route.body
            if body is not None and body is not Upload:
                sent = await self._sent(http, route)
                given["body"] = sent if body is bytes else await self._decoded(sent, body)
            key = http.headers.get(HEADER) if route.once else None
            if key is None:
                return await self._answer(route, given)
            hashed = request_hash(caller, route.method, f"{http.url.path}?{http.url.query}", sent)
            return await self._once.answer(caller.project, key, hashed, lambda: self._answer(route, given))

        shown = [
            inspect.Parameter("http", inspect.Parameter.KEYWORD_ONLY, annotation=Request),
            *(one.replace(kind=one.KEYWORD_ONLY) for one in taken.parameters.values() if one.name != "body"),
        ]
        endpoint.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        return endpoint

    async def _sent(self, http: Request, route: Route) -> bytes:
        kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
        if route.body is not bytes and kind != "application/json":
            raise RequestError("media_type", f"the body comes as application/json, not as {kind[:60]!r}.")
        return await read_body(http.scope, http.receive, most=route.body_bytes, budget=self.service.bodies)  # type: ignore[arg-type]

    async def _decoded(self, sent: bytes, kind: Json) -> object:
        """A long body in a thread: the event loop has spans to take."""
        if len(sent) <= AT_ONCE_BYTES:
            return decode(sent, kind)
        return await self.service.ask(lambda: decode(sent, kind))

    async def _answer(self, route: Route, given: dict[str, object]) -> Response:
        handler = route.handler
        if inspect.iscoroutinefunction(handler):
            found = await handler(**given)
            found = found if isinstance(found, Response) else self._encoded(route, found)
        else:
            found = await self.service.ask(lambda: self._encoded(route, handler(**given)))
        if isinstance(found, Response):
            return found
        if route.status == 204:
            return Response(status_code=204)
        return Answer(found, self.service.answers, route.status, route.media)

    def _encoded(self, route: Route, found: object) -> bytes | Response:
        if isinstance(found, Response):
            return found
        return found if isinstance(found, bytes) else encode(found)

    def _refuse(self) -> None:
        """Errors, whoever raises them, in the one shape."""

        @self.app.exception_handler(BoxscoreError)
        async def refuse(request: Request, error: Exception) -> Response:
            assert isinstance(error, BoxscoreError)  # noqa: S101
            return problem(error)

        @self.app.exception_handler(GoneError)
        async def let_go(request: Request, error: Exception) -> Response:
            return Response(status_code=408)  # nobody is there to read it

        @self.app.exception_handler(RequestValidationError)
        async def refuse_parameter(request: Request, error: Exception) -> Response:
            assert isinstance(error, RequestValidationError)  # noqa: S101
            first = error.errors()[0]
            return problem(
                UsageError(f"{first['loc'][-1]}: {first['msg']}. {PREFIX}/openapi.json tells what it takes.")
            )

        @self.app.exception_handler(Exception)
        async def admit(request: Request, error: Exception) -> Response:
            return problem(OUR_FAULT)

        @self.app.exception_handler(HTTPException)
        async def refuse_route(request: Request, error: Exception) -> Response:
            path = request.url.path[:200]
            if isinstance(error, HTTPException) and error.status_code == 405:
                refused = problem(RequestError("method", f"{path} cannot be asked by {request.method}."))
                refused.headers.update(error.headers or {})  # which tell what it can be asked by
                return refused
            return problem(no_route(path))
