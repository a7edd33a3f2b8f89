"""One request and its answer over HTTP/1.1 (RFC 9112), from the server's side, with all the ways to break it off."""

import asyncio
import contextlib
import http
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import httptools

Handler = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """What was asked, and how it is answered: `begin`, `write` and `end`, or one of the bad ends. Header names are in
    lower case. A write whose client has left is a `ConnectionResetError`."""

    def __init__(self, connection: "Connection") -> None:
        self.method = ""
        self.path = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.keeps_alive = True
        self._connection = connection
        self._chunked = False

    def begin(self, status: int, headers: Mapping[str, str], *, length: int | None = None) -> None:
        """Status and headers; without a length the body is chunked."""
        self._chunked = length is None
        framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
        lines = [f"HTTP/1.1 {status} {_reason(status)}", *(f"{name}: {value}" for name, value in headers.items())]
        closing = () if self.keeps_alive else ("connection: close",)
        self._connection.write("\r\n".join((*lines, framing, *closing, "", "")).encode("latin-1", "replace"))

    async def write(self, data: bytes) -> None:
        if data:
            self._connection.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)
            await self._connection.drained()

    def end(self) -> None:
        if self._chunked:
            self._connection.write(b"0\r\n\r\n")

    def cut(self, data: bytes = b"") -> None:
        """Closes; of `data`, announced as a chunk, half is sent before."""
        if data:
            self._connection.write(b"%x\r\n%s" % (len(data), data[: len(data) // 2]))
        self._connection.close()

    def reset(self) -> None:
        """Breaks the connection without a polite end."""
        self._connection.reset()


class Connection(asyncio.Protocol):
    """Reads requests and has them handled one after another. When the client leaves, its handler is cancelled. While
    it lives, or its handler does, it is in `living`."""

    def __init__(self, handler: Handler, living: "set[Connection]") -> None:
        self._handler = handler
        self._living = living
        self._parser = httptools.HttpRequestParser(self)
        self._reading = Exchange(self)
        self._url = b""
        self._body: list[bytes] = []
        self._pending: list[Exchange] = []
        self._transport: asyncio.Transport | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self.task: asyncio.Task[None] | None = None

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._living.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.close()

    def pause_writing(self) -> None:
        self._flows.clear()

    def resume_writing(self) -> None:
        self._flows.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._flows.set()
        if self.task is None:
            self._living.discard(self)
        else:
            self.task.cancel()

    # httptools

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reading.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._reading.headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        request = self._reading
        request.method = self._parser.get_method().decode()
        request.path = (httptools.parse_url(self._url).path or b"/").decode("latin-1")
        request.body = b"".join(self._body)
        request.keeps_alive = self._parser.should_keep_alive()
        self._pending.append(request)
        self._reading, self._url, self._body = Exchange(self), b"", []
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._handle())

    async def _handle(self) -> None:
        try:
            while self._pending and self._transport is not None:
                request = self._pending.pop(0)
                await self._handler(request)
                if not request.keeps_alive:
                    self.close()
        finally:
            self.task = None
            if self._transport is None:
                self._living.discard(self)

    # Exchange

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the client has left")
        self._transport.write(data)

    async def drained(self) -> None:
        await self._flows.wait()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(OSError):  # closed by the other side already
                peer: socket.socket = self._transport.get_extra_info("socket")
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
