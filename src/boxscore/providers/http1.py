"""One HTTP/1.1 connection: a request out, an answer in. Parsing is llhttp's (Node.js), through httptools.

A quarter of the CPU of a full client per call, and a tenth of a second less to import: with fifty calls in flight that
is what decides whether the provider or we are waited for.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    Inflate = Callable[[bytes], bytes]

OnChunk = Callable[[bytes], bool]
OnHeaders = Callable[["Answer"], OnChunk | None]


class Broken(Exception):  # noqa: N818 - never leaves the transport, which says what it means
    """The exchange ended without a whole answer. `began`: some of the answer had come."""

    def __init__(self, reason: str, *, began: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.began = began


class NotHttp(Broken):
    """What came is no HTTP."""


class TooLarge(Broken):
    """The answer is larger than was allowed."""


class Answer:
    """Status, headers (names in lower case) and body of one answer, as they come in. `take` gets the body's pieces,
    None to keep them in `body`."""

    def __init__(self, limit: int, on_headers: OnHeaders | None = None) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.take: OnChunk | None = None
        self._limit = limit
        self._on_headers = on_headers
        self._parts: list[bytes] = []
        self._size = 0
        self._inflate: Inflate | None = None

    @property
    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def begin(self, status: int) -> None:
        self.status = status
        if coding := self.headers.get("content-encoding"):
            self._inflate = _inflater(coding)
        if self._on_headers is not None:
            self.take = self._on_headers(self)
        if self.take is None and int(self.headers.get("content-length") or 0) > self._limit:
            raise TooLarge("", began=True)  # an answer too large is not begun

    def feed(self, part: bytes) -> None:
        if self._inflate is not None:
            part = self._inflate(part)
        self._size += len(part)
        if self._size > self._limit:
            raise TooLarge("", began=True)
        if self.take is not None:
            self.take(part)
        else:
            self._parts.append(part)


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`; one exchange at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: Answer | None = None
        self._done: asyncio.Future[None] | None = None
        self._headers_told = False
        self._tunnel = False
        self._began = False
        self.reusable = True

    def send(self, request: bytes, answer: Answer, *, tunnel: bool = False) -> "asyncio.Future[None]":
        """Done when the answer is whole; what goes wrong is `Broken`, or what a callback raised. With `tunnel` the
        headers are all, and what follows them is no longer HTTP of ours."""
        done = self._done = asyncio.get_running_loop().create_future()
        self._answer, self._tunnel, self._began, self._headers_told = answer, tunnel, False, False
        self._parser = httptools.HttpResponseParser(self)
        if self.transport is None or self.transport.is_closing():
            self._fail(Broken("the connection was closed"))
        else:
            self.transport.write(request)
        return done

    def fail(self, error: BaseException) -> None:
        """Ends the exchange from outside: a time limit."""
        self._fail(error)

    def abort(self) -> None:
        self.reusable = False
        if self.transport is not None:
            self.transport.abort()

    @property
    def usable(self) -> bool:
        return self.reusable and self.transport is not None and not self.transport.is_closing()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # pyright: ignore[reportAttributeAccessIssue]

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._done is None:
            self.abort()  # nobody asked for this
            return
        self._began = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(NotHttp("it wants to speak another protocol", began=True))
        except httptools.HttpParserCallbackError as error:
            self._fail(error.__context__ or error)
        except httptools.HttpParserError as error:
            kind = Broken if self._headers_told else NotHttp
            self._fail(kind(str(error), began=True))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        answer = self._answer
        if answer is not None and self._headers_told and _until_close(answer.headers):
            self._finish()
            return
        reason = "the connection was reset" if exc is not None else "the connection was closed"
        self._fail(Broken(reason, began=self._began))

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._answer is not None and not self._headers_told:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            before = self._answer.headers.get(key)
            self._answer.headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self) -> None:
        if self._answer is None or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue, 103 Early Hints: the answer is still to come
            self._answer.headers.clear()
            return
        self._headers_told = True
        self._answer.begin(status)
        if self._tunnel:
            self._finish()

    def on_body(self, body: bytes) -> None:
        if self._answer is not None and self._done is not None:
            self._answer.feed(body)

    def on_message_complete(self) -> None:
        if self._headers_told and self._parser is not None:
            self.reusable = self.reusable and self._parser.should_keep_alive()
            self._finish()

    def _finish(self) -> None:
        done, self._done = self._done, None
        if done is not None and not done.done():
            done.set_result(None)

    def _fail(self, error: BaseException) -> None:
        done, self._done = self._done, None
        self.abort()
        if done is not None and not done.done():
            done.set_exception(error)


def request_bytes(target: str, host: str, headers: Mapping[str, str], body: bytes, *, method: str = "POST") -> bytes:
    """The request as it goes over the wire; ValueError for a header that would end before its time."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if method == "POST":
        lines += ["Accept-Encoding: gzip, deflate", f"Content-Length: {len(body)}"]
    for name, value in headers.items():
        if "\r" in value or "\n" in value or "\0" in value:
            raise ValueError(f"the header {name} has a line end in its value")
        lines.append(f"{name}: {value}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _until_close(headers: Mapping[str, str]) -> bool:
    """A body without a length ends with the connection (RFC 9112, section 6.3)."""
    return "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower()


def _inflater(coding: str) -> "Inflate | None":
    names = [name.strip().lower() for name in coding.split(",")]
    if names in (["gzip"], ["x-gzip"], ["deflate"]):
        return _Inflater(names[0] == "deflate")
    if names == ["identity"]:
        return None
    raise Broken(f"its answer is packed as {coding}, which was not asked for", began=True)


_AT_ONCE = 1024 * 1024
"""Bytes that one piece may become when it is unpacked: a small body may hold a large one."""


class _Inflater:
    def __init__(self, deflate: bool) -> None:
        self._unzip = zlib.decompressobj(zlib.MAX_WBITS if deflate else zlib.MAX_WBITS | 16)

    def __call__(self, part: bytes) -> bytes:
        try:
            made = [self._unzip.decompress(part, _AT_ONCE)]
            total = len(made[0])
            while self._unzip.unconsumed_tail:
                more = self._unzip.decompress(self._unzip.unconsumed_tail, _AT_ONCE)
                total += len(more)
                if total > 64 * _AT_ONCE:
                    raise TooLarge("", began=True)
                made.append(more)
        except zlib.error as error:
            raise Broken(f"its packed answer is damaged ({error})", began=True) from error
        return made[0] if len(made) == 1 else b"".join(made)
