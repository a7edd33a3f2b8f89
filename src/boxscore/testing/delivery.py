"""Sending an answer over HTTP, as it should be and in every way in which it goes wrong."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

from boxscore.testing.faults import Fault
from boxscore.testing.parcels import Parcel

if TYPE_CHECKING:
    from aiohttp import web

_PARTS = 8
"""An answer that is no stream is cut into as many for the faults that begin it."""
_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>{status}</title></head>"
    "<body><h1>{status}</h1><p>{message}</p><hr>proxy</body></html>\n"
)


class Pause(Protocol):
    async def __call__(self, seconds: float | None) -> None:
        """Waits, for ever where it is None; the server's closing ends it with `Closing`."""
        ...


class Closing(Exception):  # noqa: N818  # no error: it ends a wait
    """The server closes while an answer waits."""


async def send(
    request: "web.Request", parcel: Parcel, pause: Pause, *, per_token_s: float = 0.0, chunk_bytes: int | None = None
) -> "web.StreamResponse":
    """The answer as it should be. A stream waits `per_token_s` before each event but the first."""
    if parcel.parts is None:
        return await _whole(request, parcel)
    answer = await _begin(request, parcel)
    first = True
    for part in parcel.parts:
        if per_token_s and not first:
            await pause(per_token_s)
        first = False
        for start in range(0, len(part), chunk_bytes or len(part)):
            await answer.write(part[start : start + (chunk_bytes or len(part))])
    await answer.write_eof()
    return answer


async def send_faulty(request: "web.Request", parcel: Parcel, fault: Fault, pause: Pause) -> "web.StreamResponse":
    """A good answer, `parcel`, spoilt as the fault says."""
    match fault.on_the_wire:
        case "refuse" | "reset":
            return reset(request)
        case "hang":
            await pause(None)
        case "hang_in_stream":
            answer = await _begin(request, parcel)
            for _, part in zip(range(fault.after), _parts(parcel), strict=False):
                await answer.write(part)
            await pause(None)
        case "cut_stream":
            return await _cut(request, parcel, fault.after)
        case "slow_drip":
            answer = await _begin(request, parcel)
            for part in _parts(parcel):
                for byte in part:
                    await answer.write(bytes((byte,)))
                    await pause(fault.interval_s)
            await answer.write_eof()
            return answer
        case "wrong_length":
            return await _short(request, parcel)
        case "bad_json":
            return await send(request, _broken(parcel, fault.after), pause)
        case "html":
            page = _PAGE.format(status=fault.http_status, message=fault.message)
            return await _whole(
                request,
                Parcel(
                    status=fault.http_status, headers={}, content_type="text/html; charset=utf-8", body=page.encode()
                ),
            )
        case other:
            raise ValueError(f"{other} is nothing that the wire does")
    raise Closing  # a pause without end has ended


async def _whole(request: "web.Request", parcel: Parcel) -> "web.StreamResponse":
    from aiohttp import web

    headers = {"Content-Type": parcel.content_type, **parcel.headers}
    answer = web.Response(status=parcel.status, body=parcel.body, headers=headers)
    await answer.prepare(request)
    await answer.write_eof()
    return answer


async def _begin(request: "web.Request", parcel: Parcel, *, length: int | None = None) -> "web.StreamResponse":
    from aiohttp import web

    answer = web.StreamResponse(
        status=parcel.status, headers={"Content-Type": parcel.content_type, "Cache-Control": "no-cache"}
    )
    answer.headers.update(parcel.headers)
    if length is None:
        answer.enable_chunked_encoding()
    else:
        answer.content_length = length
    await answer.prepare(request)
    return answer


def _parts(parcel: Parcel) -> Iterator[bytes]:
    if parcel.parts is not None:
        yield from parcel.parts
        return
    step = max(1, -(-len(parcel.body) // _PARTS))
    for start in range(0, len(parcel.body), step):
        yield parcel.body[start : start + step]


async def _cut(request: "web.Request", parcel: Parcel, after: int) -> "web.StreamResponse":
    answer = await _begin(request, parcel)
    parts = _parts(parcel)
    for _, part in zip(range(after), parts, strict=False):
        await answer.write(part)
    if request.transport is not None:
        part = next(parts, b"cut off")
        request.transport.write(b"%x\r\n%s" % (len(part), part[: len(part) // 2]))  # the chunk says that it is longer
        request.transport.close()
    return answer


async def _short(request: "web.Request", parcel: Parcel) -> "web.StreamResponse":
    body = b"".join(_parts(parcel))
    answer = await _begin(request, parcel, length=len(body) + 100)
    await answer.write(body)
    if request.transport is not None:
        request.transport.close()
    return answer


def _broken(parcel: Parcel, after: int) -> Parcel:
    if parcel.parts is None:
        return msgspec.structs.replace(parcel, body=parcel.body[: len(parcel.body) // 2])

    def parts(whole: Iterator[bytes]) -> Iterator[bytes]:
        for _, part in zip(range(after), whole, strict=False):
            yield part
        yield b'data: {"id": "broken", \n\n'

    return msgspec.structs.replace(parcel, parts=parts(parcel.parts))


def reset(request: "web.Request") -> "web.StreamResponse":
    from aiohttp import web

    if request.transport is not None:
        with contextlib.suppress(OSError):  # closed by the other side already
            peer: socket.socket = request.transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no polite end
        request.transport.abort()
    return web.Response()  # never sent
