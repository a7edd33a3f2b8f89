"""Server-sent events: what happens, told as it happens (html.spec.whatwg.org, section 9.2)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, TypeAlias

import msgspec
from fastapi import Header
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from boxscore.client.forms import encode
from boxscore.errors import BoxscoreError
from boxscore.server.errors import OUR_FAULT, error_body
from boxscore.server.logs import log
from boxscore.server.streams import Streams

__all__ = ["EVENTS", "Event", "LastEventId", "Stream", "changes"]

EVENTS = "text/event-stream"
"""The media type of a route that answers with a `Stream`; its `answer` is the kind of the events' data."""
HEARTBEAT_S = 2.5
"""So often a silent stream says that it lives, and every stream looks whether its caller still may have it: with
the age of what that is looked up in, it ends within five seconds of its key or login."""
RETRY_MS = 2000

LastEventId = Annotated[
    str | None, Header(alias="last-event-id", description="The `id` of the last event that was seen: what follows it.")
]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `data` is a struct or a list of them; `id` is what a client that comes back gives as the last that it
    has seen; after the `last` one the stream ends."""

    data: object
    name: str = "message"
    id: str | None = None
    last: bool = False

    def written(self) -> bytes:
        head = f"event: {self.name}\n" if self.id is None else f"id: {self.id}\nevent: {self.name}\n"
        return b"%bdata: %b\n\n" % (head.encode(), encode(self.data))


Source: TypeAlias = AsyncGenerator[Event, None]


async def changes(look: Callable[[], Awaitable[Event]], *, after: str | None = None, every_s: float = 0.5) -> Source:
    """What `look` finds, whenever its id is another than before, until it is the `last`. `after` is the id that the
    client has seen already."""
    while True:
        found = await look()
        if found.id != after:
            after = found.id
            yield found
        if found.last:
            return
        await asyncio.sleep(every_s)


class Stream(Response):
    """The events of `source` as they come, until it ends, its client leaves, may no longer read, or the server stops;
    then `source` is closed. An error in it is the last event, with the name `error`. `BusyError` where too many streams
    are open."""

    def __init__(self, source: Source, streams: Streams) -> None:
        super().__init__(media_type=EVENTS, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._source = source
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._source) as source:
            with self._streams.one() as stopping:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await _piece(send, b"retry: %d\n\n" % RETRY_MS)
                gone = asyncio.ensure_future(_left(receive))

                async def check() -> None:
                    await self._streams.check(scope)

                try:
                    async with aclosing(_said(source, {gone, stopping}, check)) as pieces:
                        async for piece in pieces:
                            await _piece(send, piece)
                finally:
                    gone.cancel()
                if not gone.done() or gone.cancelled():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _said(
    source: Source, ends: "set[asyncio.Future[None]]", check: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes, None]:
    """What goes out, until one of `ends` is done."""
    loop = asyncio.get_running_loop()
    checked = loop.time()
    coming: asyncio.Future[Event] = asyncio.ensure_future(anext(source))
    try:
        while True:
            left_s = max(0.0, checked + HEARTBEAT_S - loop.time())
            await asyncio.wait({coming, *ends}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if any(end.done() for end in ends):
                return
            if loop.time() - checked >= HEARTBEAT_S:
                await check()
                checked = loop.time()
            if not coming.done():
                yield b":\n\n"
                continue
            event = coming.result()
            yield event.written()
            if event.last:
                return
            coming = asyncio.ensure_future(anext(source))
    except StopAsyncIteration:
        return
    except BoxscoreError as error:
        yield _error(error)
    except Exception:  # noqa: BLE001 - the stream has begun: its client is told in it
        log.exception("a fault of Boxscore itself, please report it:")
        yield _error(OUR_FAULT)
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})


def _error(error: BoxscoreError) -> bytes:
    return b"event: error\ndata: %b\n\n" % error_body(error)


async def _piece(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
