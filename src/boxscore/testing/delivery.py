"""Sending an answer over HTTP, as it should be and in every way in which it goes wrong."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from boxscore.testing.exchange import Exchange
from boxscore.testing.faults import Fault
from boxscore.testing.parcels import Parcel

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
    exchange: Exchange, parcel: Parcel, pause: Pause, *, per_token_s: float = 0.0, chunk_bytes: int | None = None
) -> None:
    """The answer as it should be. A stream waits `per_token_s` before each event but the first."""
    if parcel.parts is None:
        _begin(exchange, parcel, length=len(parcel.body))
        await exchange.write(parcel.body)
        return
    _begin(exchange, parcel)
    for number, part in enumerate(parcel.parts):
        if per_token_s and number:
            await pause(per_token_s)
        for start in range(0, len(part), chunk_bytes or len(part)):
            await exchange.write(part[start : start + (chunk_bytes or len(part))])
    exchange.end()


async def send_faulty(exchange: Exchange, parcel: Parcel, fault: Fault, pause: Pause) -> None:
    """A good answer, `parcel`, spoilt as the fault says."""
    match fault.on_the_wire:
        case "refuse" | "reset":
            exchange.reset()
        case "hang":
            await pause(None)
        case "hang_in_stream":
            await _first(exchange, parcel, fault.after)
            await pause(None)
        case "cut_stream":
            rest = await _first(exchange, parcel, fault.after)
            exchange.cut(next(rest, b"cut off"))
        case "slow_drip":
            _begin(exchange, parcel)
            for part in _parts(parcel):
                for byte in part:
                    await exchange.write(bytes((byte,)))
                    await pause(fault.interval_s)
            exchange.end()
        case "wrong_length":
            body = b"".join(_parts(parcel))
            _begin(exchange, parcel, length=len(body) + 100)
            await exchange.write(body)
            exchange.cut()
        case "bad_json":
            await send(exchange, _broken(parcel, fault.after), pause)
        case "html":
            await send(exchange, _page(fault), pause)
        case other:
            raise ValueError(f"{other} is nothing that the wire does")


def _begin(exchange: Exchange, parcel: Parcel, *, length: int | None = None) -> None:
    exchange.begin(parcel.status, {"content-type": parcel.content_type, **parcel.headers}, length=length)


async def _first(exchange: Exchange, parcel: Parcel, count: int) -> Iterator[bytes]:
    """Sends the first pieces; gives the others."""
    _begin(exchange, parcel)
    parts = _parts(parcel)
    for _, part in zip(range(count), parts, strict=False):
        await exchange.write(part)
    return parts


def _parts(parcel: Parcel) -> Iterator[bytes]:
    if parcel.parts is not None:
        yield from parcel.parts
        return
    step = max(1, -(-len(parcel.body) // _PARTS))
    for start in range(0, len(parcel.body), step):
        yield parcel.body[start : start + step]


def _broken(parcel: Parcel, after: int) -> Parcel:
    if parcel.parts is None:
        return msgspec.structs.replace(parcel, body=parcel.body[: len(parcel.body) // 2])

    def parts(whole: Iterator[bytes]) -> Iterator[bytes]:
        for _, part in zip(range(after), whole, strict=False):
            yield part
        yield b'data: {"id": "broken", \n\n'

    return msgspec.structs.replace(parcel, parts=parts(parcel.parts))


def _page(fault: Fault) -> Parcel:
    status, page = fault.http_status, _PAGE.format(status=fault.http_status, message=fault.message)
    return Parcel(status=status, headers={}, content_type="text/html; charset=utf-8", body=page.encode())
