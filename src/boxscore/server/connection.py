"""A connection, with the limits that uvicorn leaves out: against clients that send or read too slowly, or for ever."""

import asyncio
from typing import Literal, TypeAlias, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from boxscore.errors import RequestError
from boxscore.server.errors import error_body, status_of
from boxscore.server.limits import Limits

__all__ = ["Connection"]

Part: TypeAlias = Literal["headers", "body", None]


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection. Who is slower than `limits` say is told so, where that is still possible, and
    left. One timer per part of a request, and none for a request that comes in one piece."""

    limits = Limits()
    turned_away = 0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._part: Part = None
        self._timed: Part = None
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self.connections) >= self.limits.connections:
            Connection.turned_away += 1
            self.transport = cast(asyncio.Transport, transport)
            self.transport.abort()
            return
        super().connection_made(cast(asyncio.Transport, transport))
        self._part = "headers"
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._part = None
        self._arm()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.parser is None:  # pyright: ignore[reportUnnecessaryComparison] - so it is after the end
            return
        before = self._part
        super().data_received(data)
        if self._part != self._timed:
            self._arm()
        if self._part == "headers":
            self._header_bytes = len(data) if before != "headers" else self._header_bytes + len(data)
            if self._header_bytes > self.limits.header_bytes:
                self._refuse("headers_too_large", f"the headers are longer than {self.limits.header_bytes} bytes.")

    def on_message_begin(self) -> None:
        self._part = "headers"
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._part = "body"
        self._header_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._part = None
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.limits.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed = self._part
        if self._part is not None:
            seconds = self.limits.header_s if self._part == "headers" else self.limits.body_s
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        seconds = self.limits.header_s if self._part == "headers" else self.limits.body_s
        self._refuse("slow", f"the {self._part} of the request took longer than {seconds:g} s: nothing was kept of it.")

    def _refuse(self, kind: str, problem: str) -> None:
        """Ends the connection, with an answer where none has begun."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        waiting = cycle is not None and not cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]
        if not (waiting and cycle.response_started):
            error = RequestError(kind, problem)
            body = error_body(error)
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status_of(error)] + head + body)
        if waiting:  # wakes the application, which finds that its client is gone
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._refuse("malformed", "this is no HTTP request that can be read.")
