"""The door: every HTTP request comes through here and is sent on by its path."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from boxscore.errors import BoxscoreError
from boxscore.server.body import Event, Receive, Scope, Send, respond
from boxscore.server.errors import OUR_FAULT, error_body, error_headers, status_of
from boxscore.server.logs import log
from boxscore.server.otlp_http import OtlpHttp
from boxscore.server.page import Page
from boxscore.server.service import Service

__all__ = ["App"]

EXPOSITION = b"text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "/api/v1"
_ONLY_YOURS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""What a question finds is for who asks: no proxy on the way keeps it, and no browser takes it for what it is not."""
Api = Callable[[Scope, Receive, Send], Awaitable[None]]


class App:
    """The ASGI application. The framework of the questions is heavy, so `load_questions` comes after the ports are
    open; a question that comes before waits for it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._access = service.access
        self._traces = OtlpHttp(service)
        self._page = Page()
        self._questions: asyncio.Future[Api] | None = None
        service.streams.check = self._check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        meters = self._service.meters
        meters.open += 1

        answered = replaced = False

        async def pass_on(event: Event) -> None:
            nonlocal answered
            if "status" in event:
                if scope["path"].startswith("/api/"):
                    event["headers"] = [
                        *_ONLY_YOURS,
                        *(one for one in event.get("headers", []) if one[0] != b"cache-control"),
                    ]
                answered = True
                meters.statuses[str(event["status"])] += 1
            await send(event)

        async def counted_send(event: Event) -> None:
            nonlocal replaced
            if replaced:
                return
            if "status" in event:
                try:
                    await self._note(scope, event["status"])
                except BoxscoreError as error:  # nobody is told that a write is done which the record does not have
                    if event["status"] < 400:
                        replaced = True
                        await respond(pass_on, status_of(error), error_body(error), headers=error_headers(error))
                        return
            await pass_on(event)

        try:
            path = scope["path"]
            if path == "/health/live":
                await respond(counted_send, 200, b'{"status":"live"}')
                return
            if path == "/health/ready":
                problem = self._service.problem
                await respond(counted_send, 503 if problem else 200, self._service.readiness())
                return
            if path == "/v1/traces":
                await self._traces(scope, receive, counted_send)
                return
            caller = scope["caller"] = await self._access.caller(scope)
            if path.startswith("/api/"):
                await (await self.load_questions())(scope, receive, counted_send)
            elif path == "/metrics":
                caller.require("read")
                told = None if caller.may("server") else caller.project
                found = await self._service.metrics(told)
                await respond(counted_send, 200, found, kind=EXPOSITION, headers=list(_ONLY_YOURS))
            else:
                await self._page(scope, counted_send)
        except BoxscoreError as error:
            await respond(counted_send, status_of(error), error_body(error), headers=error_headers(error))
        except asyncio.CancelledError:
            log.warning("stopped before a request was finished: nothing of it was acknowledged")
            raise
        except Exception as error:  # noqa: BLE001 - the server outlives it, and the log has it
            if answered and isinstance(error.__cause__, BoxscoreError):
                log.warning("an answer was cut off: %s", error.__cause__)
                return
            log.exception("a fault of Boxscore itself, please report it:")
            if not answered:
                await respond(counted_send, 500, error_body(OUR_FAULT))
        finally:
            meters.open -= 1

    async def _check(self, scope: Scope) -> None:
        """Whether the caller of a stream that is open may still read: an error says why not."""
        (await self._access.caller(scope)).require("read")

    async def _note(self, scope: Scope, status: int) -> None:
        """Writes down who changed what, before they are told that it is done."""
        right, caller = scope.get("right"), scope.get("caller")
        if caller is None or caller.kind == "nobody" or right in (None, "read") or scope["method"] == "GET":
            return
        route = scope.get("route")
        template = str(getattr(route, "path", scope["path"])).removeprefix(_PREFIX)
        await self._service.people.audit.note(
            caller.name,
            f"{scope['method']} {template}",
            scope.get("object") or scope["path"].removeprefix(_PREFIX),
            status,
            project=None if right == "server" or caller.elsewhere else caller.project,
        )

    def load_questions(self) -> "asyncio.Future[Api]":
        """The application behind `/api`, loaded once, beside what else is served."""
        if self._questions is None:
            self._questions = asyncio.get_running_loop().run_in_executor(None, self._load)
        return self._questions

    def _load(self) -> Api:
        from boxscore.server.api import make_api

        return cast(Api, make_api(self._service).app)
