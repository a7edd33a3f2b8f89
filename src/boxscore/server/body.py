"""A request's body, read and decompressed under caps."""

import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NotRequired, TypedDict

from boxscore.errors import RequestError
from boxscore.server.limits import Budget

if TYPE_CHECKING:
    from boxscore.server.access import Caller

__all__ = ["Event", "GoneError", "Receive", "Scope", "Send", "Upload", "header", "read_body", "respond"]

_STEP = 256 * 1024
_WINDOWS = {"gzip": 31, "deflate": 15}


class Scope(TypedDict):
    """What we read of ASGI's scope of a request."""

    type: str
    method: str
    path: str
    query_string: bytes
    headers: list[tuple[bytes, bytes]]
    client: NotRequired[tuple[str, int] | None]
    caller: NotRequired["Caller"]
    right: NotRequired[str]
    route: NotRequired[object]
    object: NotRequired[str]


class Event(TypedDict, total=False):
    type: str
    body: bytes
    more_body: bool
    status: int
    headers: list[tuple[bytes, bytes]]


Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


class Upload:
    """The kind of a body that its handler reads itself, piece by piece: a file."""


class GoneError(Exception):
    """The client left before its request was whole; nobody waits for an answer."""


def header(scope: Scope, name: bytes) -> str:
    """The first header of that name (in lower case), empty where there is none."""
    for known, value in scope["headers"]:
        if known == name:
            return value.decode("latin-1")
    return ""


async def read_body(scope: Scope, receive: Receive, *, most: int, budget: Budget) -> bytes:
    """The body as its sender meant it. `RequestError` of kind too_large beyond `most` bytes, as they come or as they
    unfold, or media_type for an encoding that is none of ours; `BusyError` where `budget` has no room; `GoneError`."""
    told = header(scope, b"content-length")
    if told.isdecimal() and int(told) > most:
        raise _too_large(most)
    encoding = header(scope, b"content-encoding").strip().lower()
    if encoding not in ("", "identity", *_WINDOWS):
        raise RequestError(
            "media_type", f"the content encoding {encoding[:40]!r} is not read here: send gzip, deflate or none."
        )
    inflate = _Inflate(_WINDOWS[encoding], most) if encoding in _WINDOWS else None
    parts: list[bytes] = []
    held = 0
    try:
        while True:
            event = await receive()
            if event.get("type") != "http.request":
                raise GoneError
            sent = event.get("body", b"")
            for part in [sent] if inflate is None else inflate.pieces(sent):
                budget.take(len(part))
                held += len(part)
                parts.append(part)
                if held > most:
                    raise _too_large(most)
            if not event.get("more_body", False):
                break
        if inflate is not None:
            inflate.finish()
        return parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        budget.give_back(held)


class _Inflate:
    """Unfolds a gzip or deflate body step by step, so that a bomb is met before it is held."""

    def __init__(self, window: int, most: int) -> None:
        self._window = window
        self._inflate = zlib.decompressobj(window)
        self._compressed = 0
        self._most = most

    def pieces(self, sent: bytes) -> "list[bytes]":
        self._compressed += len(sent)
        if self._compressed > self._most:
            raise _too_large(self._most)
        found: list[bytes] = []
        size = 0
        while sent:
            if self._inflate.eof:  # gzip members may follow one another
                self._inflate = zlib.decompressobj(self._window)
            try:
                piece = self._inflate.decompress(sent, _STEP)
            except zlib.error:
                raise RequestError(
                    "encoding", "the body is not what its content encoding says: it cannot be decompressed."
                ) from None
            sent = self._inflate.unconsumed_tail or self._inflate.unused_data
            size += len(piece)
            if size > self._most:
                raise _too_large(self._most)
            found.append(piece)
        return found

    def finish(self) -> None:
        if not self._inflate.eof:
            raise RequestError("encoding", "the compressed body ends in the middle: send it whole.")


def _too_large(most: int) -> RequestError:
    return RequestError(
        "too_large",
        f"the body is larger than {most / 1024 / 1024:g} MB, as sent or after decompression: nothing was kept; send "
        "fewer spans in one request.",
    )


async def respond(
    send: Send,
    status: int,
    body: bytes,
    *,
    kind: bytes = b"application/json",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """A whole answer."""
    all_headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
