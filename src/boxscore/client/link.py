"""The way to a server: calls are sent and their answers come back, in an event loop or without one."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from boxscore.client.call import Address, Call, read
from boxscore.client.forms import decode
from boxscore.errors import OperationError, ProviderError
from boxscore.providers.transport import HttpTransport, Limits, Reply

__all__ = ["BlockingLink", "Link"]

Found = TypeVar("Found")
_NAME = "boxscore"
_LIMITS = Limits(connect_s=5.0, total_s=60.0, body_bytes=256 * 1024 * 1024)
_STREAM = msgspec.structs.replace(_LIMITS, first_token_s=30.0, total_s=7 * 24 * 3600.0)
_TRIES = 2
"""A connection that was cut may have been the server's end of a quiet one, or of a server that started again."""


class Link:
    """For one event loop. Close it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._transport = HttpTransport(_LIMITS)

    async def ask(self, call: Call[Found]) -> Found:
        """What is answered. Errors are those that the server met; one that does not answer is an `OperationError`. What
        was cut is sent once more where that does nothing twice."""
        url, headers = self.address.sent(call)
        again = call.once or call.method in ("GET", "PUT", "DELETE")
        for left in reversed(range(_TRIES if again else 1)):
            try:
                reply = await self._transport.send(call.method, url, call.body, headers=headers, name=_NAME)
            except ProviderError as error:
                if error.kind != "cut" or not left:
                    raise self._away(error) from error
            else:
                return read(call, reply, self.address.url)
        raise AssertionError("it was sent")

    async def post(self, path: str, body: bytes, media: str) -> bytes:
        """What is answered to a post beside the API."""
        call = Call(method="POST", path=path, kind=bytes, body=body, media=media)
        _, headers = self.address.sent(call)
        try:
            reply = await self._transport.post(f"{self.address.url}{path}", body, headers=headers, name=_NAME)
        except ProviderError as error:
            raise self._away(error) from error
        return read(call, reply, self.address.url)

    async def events(self, call: Call[Found]) -> AsyncGenerator[Found, None]:
        """The data of events as they come, until the stream ends; a stream that is cut goes on behind the last event
        that came. Errors that it tells are raised."""
        url, headers = self.address.sent(call)
        headers["accept"] = "text/event-stream"
        transport, last = HttpTransport(_STREAM), ""
        try:
            while True:
                told: asyncio.Queue[bytes | None] = asyncio.Queue()
                more = {"last-event-id": last} if last else {}
                sent = asyncio.ensure_future(_stream(transport, call, url, headers | more, told))
                try:
                    async with aclosing(_messages(told)) as messages:
                        async for name, id, data in messages:
                            last = id or last
                            if name == "error":
                                reply = Reply(status=500, headers={}, body=data, wall_s=0.0)
                                read(call, reply, self.address.url)
                            yield decode(data, call.kind)
                    reply = await sent
                    if reply.status != 200:
                        read(call, reply, self.address.url)
                    return
                except ProviderError as error:
                    if error.kind != "cut" or not last:
                        raise self._away(error) from error
                    await asyncio.sleep(1.0)
                finally:
                    sent.cancel()
        finally:
            await transport.close()

    async def close(self) -> None:
        await self._transport.close()

    def _away(self, error: ProviderError) -> OperationError:
        why = str(error).removeprefix(f"{_NAME}: ")
        return OperationError(f"the Boxscore server at {self.address.url} does not answer: {why}")


class BlockingLink:
    """The same for threads, any number of them; an event loop that runs there is not in its way. Close it."""

    def __init__(self, address: Address) -> None:
        self._link = Link(address)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="boxscore-client", daemon=True)
        self._thread.start()

    @property
    def address(self) -> Address:
        return self._link.address

    def ask(self, call: Call[Found]) -> Found:
        return self._do(self._link.ask(call))

    def post(self, path: str, body: bytes, media: str) -> bytes:
        return self._do(self._link.post(path, body, media))

    def events(self, call: Call[Found]) -> Generator[Found, None, None]:
        source = self._link.events(call)
        try:
            while True:
                try:
                    found = self._do(_next(source))
                except StopAsyncIteration:
                    return
                yield found
        finally:
            if not self._loop.is_closed():
                self._do(source.aclose())

    def close(self) -> None:
        if not self._loop.is_closed():
            self._do(self._link.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Found]) -> Found:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


async def _next(source: AsyncGenerator[Found, None]) -> Found:
    return await anext(source)


async def _stream(
    transport: HttpTransport, call: Call[Any], url: str, headers: dict[str, str], told: "asyncio.Queue[bytes | None]"
) -> Reply:
    def on_chunk(piece: bytes) -> bool:
        told.put_nowait(piece)
        return True

    try:
        return await transport.send(call.method, url, b"", headers=headers, name=_NAME, on_chunk=on_chunk)
    finally:
        told.put_nowait(None)


async def _messages(told: "asyncio.Queue[bytes | None]") -> AsyncGenerator[tuple[str, str, bytes], None]:
    """Name, id and data of events (html.spec.whatwg.org, section 9.2.6); comments are left out."""
    held = b""
    while (piece := await told.get()) is not None:
        *blocks, held = (held + piece).split(b"\n\n")
        for block in blocks:
            fields = [line.partition(b": ") for line in block.split(b"\n")]
            data = b"\n".join(value for field, _, value in fields if field == b"data")
            if data:
                named = {field: value.decode() for field, _, value in fields}
                yield named.get(b"event", "message"), named.get(b"id", ""), data
