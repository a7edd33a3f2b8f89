"""One HTTP/1.1 connection: a request out, an answer in. Parsing is llhttp's (Node.js), through httptools.

A quarter of the CPU of a full client per call, and a tenth of a second less to import: with fifty calls in flight that
is what decides whether the provider or we are waited for.
"""

import asyncio
import re
import select
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import httptools

OnChunk = Callable[[bytes], bool]
OnHeaders = Callable[["Answer"], OnChunk | None]


_LARGE = 512 * 1024
"""Bytes of an answer beyond which it waits for its turn to be read."""
_TURN_S = 2.0
"""Longest that an answer is read while others wait: one that hangs must not take them with it."""
_AT_ONCE = 1024 * 1024
"""Bytes that an answer is unpacked by: a small body may hold a large one."""
_QUIET = 256 * 1024
"""Bytes that may come without any of the body: headers, chunk sizes, trailers."""
_AGENT = "User-Agent: boxscore"
"""Firewalls in front of providers refuse who does not say who it is."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


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
    """Status, headers (names in lower case) and body of one answer, as they come in, the body unpacked and of `limit`
    bytes at the most. `take` gets its pieces, None to keep them in `body`; a stream, of which not all is kept, may be
    twice as long."""

    def __init__(self, limit: int, on_headers: OnHeaders | None = None) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.take: OnChunk | None = None
        self._limit = limit
        self._on_headers = on_headers
        self._parts: list[bytes] = []
        self.size = 0
        self._unpack: _Unpacked | None = None

    @property
    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    @property
    def large(self) -> bool:
        return self.take is None and self.size > _LARGE

    def begin(self, status: int) -> None:
        self.status = status
        if coding := self.headers.get("content-encoding"):
            self._unpack = _unpacking(coding)
        if self._on_headers is not None:
            self.take = self._on_headers(self)
        if self.take is not None:
            self._limit *= 2
        elif int(self.headers.get("content-length") or 0) > self._limit:
            raise TooLarge("", began=True)  # an answer too large is not begun

    def feed(self, part: bytes) -> None:
        for piece in (part,) if self._unpack is None else self._unpack.pieces(part):
            if not piece:
                continue
            self.size += len(piece)
            if self.size > self._limit:
                raise TooLarge("", began=True)
            if self.take is not None:
                self.take(piece)
            else:
                self._parts.append(piece)

    def end(self) -> None:
        if self._unpack is not None and self.size and not self._unpack.whole:
            raise Broken("its packed answer is not whole", began=True)

    def drop(self) -> None:
        """Lets go of what came of an answer that failed: its error may live on, and hold the frames that hold this."""
        self._parts.clear()


class Turns:
    """Large answers are read one after another, so that many of them take no more memory than one. One that is not
    there after `longest_s` seconds lets the others go on, and asks again when more of it comes."""

    def __init__(self, longest_s: float = _TURN_S) -> None:
        self._longest_s = longest_s
        self._reading: Connection | None = None
        self._waiting: deque[Connection] = deque()
        self._limit: asyncio.TimerHandle | None = None

    def ask(self, connection: "Connection") -> None:
        if self._reading is None:
            self._begin(connection)
        elif self._reading is not connection and connection not in self._waiting:
            self._waiting.append(connection)
            connection.pause()

    def leave(self, connection: "Connection") -> None:
        if self._reading is connection:
            self._begin(self._waiting.popleft() if self._waiting else None)
            if self._reading is not None:
                self._reading.resume()
        elif connection in self._waiting:
            self._waiting.remove(connection)
            connection.resume()

    def _begin(self, connection: "Connection | None") -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._reading, self._limit = connection, None
        if connection is not None:
            self._limit = asyncio.get_running_loop().call_later(self._longest_s, self.leave, connection)


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`; one exchange at a time."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns()
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._watch: select.poll | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: Answer | None = None
        self._done: asyncio.Future[None] | None = None
        self._headers_told = False
        self._tunnel = False
        self._began = False
        self._quiet = 0
        self.reusable = True

    def send(self, request: bytes, answer: Answer, *, tunnel: bool = False) -> "asyncio.Future[None]":
        """Done when the answer is whole; what goes wrong is `Broken`, or what a callback raised. With `tunnel` the
        headers are all, and what follows them is no longer HTTP of ours."""
        done = self._done = asyncio.get_running_loop().create_future()
        self._answer, self._tunnel, self._began, self._headers_told, self._quiet = answer, tunnel, False, False, 0
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

    def pause(self) -> None:
        if self.transport is not None:
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    @property
    def usable(self) -> bool:
        """Whether another exchange may follow: nothing is half sent, and the other side has not closed or spoken."""
        return self.whole and not (self._watch is not None and self._watch.poll(0))

    @property
    def whole(self) -> bool:
        """Whether nothing is half sent and nothing is known against another exchange."""
        if not self.reusable or self.transport is None or self.transport.is_closing():
            return False
        return self.transport.get_write_buffer_size() == 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # pyright: ignore[reportAttributeAccessIssue]
        self._watch = _watch(transport)

    def data_received(self, data: bytes) -> None:
        answer, done = self._answer, self._done
        if self._parser is None or done is None or answer is None:
            self.abort()  # nobody asked for this
            return
        self._began, before = True, answer.size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(NotHttp("it wants to speak another protocol", began=True))
        except httptools.HttpParserCallbackError as error:
            self._fail(error.__context__ or error)
        except httptools.HttpParserError as error:
            kind = Broken if self._headers_told else NotHttp
            self._fail(kind(str(error), began=True))
        if done.done():
            return
        self._quiet = 0 if answer.size > before else self._quiet + len(data)
        if self._quiet > _QUIET:
            self._fail(NotHttp("its headers do not end", began=True))
        elif answer.large:
            self._turns.ask(self)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        answer = self._answer
        if exc is None and answer is not None and self._headers_told and _until_close(answer.headers):
            self._finish()
            return
        reason = "the connection was reset" if exc is not None else "the connection was closed"
        self._fail(Broken(reason, began=self._began))

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._done is not None and self._answer is not None and not self._headers_told:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
            before = self._answer.headers.get(key)
            self._answer.headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self) -> None:
        if self._answer is None or self._parser is None:
            return
        if self._done is None:  # a second answer to one question
            self.reusable = False
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
        if self._done is not None and self._headers_told and self._parser is not None:
            self.reusable = self.reusable and self._parser.should_keep_alive()
            self._finish()

    def _finish(self) -> None:
        try:
            if self._answer is not None:
                self._answer.end()
        except Broken as error:
            self._fail(error)
            return
        done, self._done = self._done, None
        self._turns.leave(self)
        if done is not None and not done.done():
            done.set_result(None)

    def _fail(self, error: BaseException) -> None:
        done, self._done = self._done, None
        self._turns.leave(self)
        self.abort()
        if self._answer is not None:
            self._answer.drop()
        if done is not None and not done.done():
            done.set_exception(error)


def request_bytes(target: str, host: str, headers: Mapping[str, str], body: bytes, *, method: str = "POST") -> bytes:
    """The request as it goes over the wire; ValueError for a header that would end before its time. `headers` take the
    place of the usual ones, except for what says how long the body is."""
    length = b"Content-Length: %d\r\n" % len(body) if method != "GET" else b""
    return b"%b%b\r\n%b" % (_head(target, host, tuple(headers.items()), method), length, body)


@lru_cache(maxsize=32)
def _head(target: str, host: str, headers: tuple[tuple[str, str], ...], method: str) -> bytes:
    """All but the length: the same for every question to one model, unless each is signed."""
    lines = {"host": f"Host: {host}", "user-agent": _AGENT}
    if method == "POST":
        lines["accept-encoding"] = "Accept-Encoding: gzip, deflate"
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if "\r" in value or "\n" in value or "\0" in value:
            raise ValueError(f"the header {name} has a line end in its value")
        if not value.isascii():
            raise ValueError(f"the header {name} has characters that a header cannot hold")
        if name.lower() not in ("content-length", "transfer-encoding"):
            lines[name.lower()] = f"{name}: {value}"
    return "\r\n".join((f"{method} {target} HTTP/1.1", *lines.values(), "")).encode("latin-1")


def _until_close(headers: Mapping[str, str]) -> bool:
    """A body without a length ends with the connection (RFC 9112, section 6.3)."""
    return "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower()


def _watch(transport: asyncio.BaseTransport) -> "select.poll | None":
    """Tells whether something has come that the loop did not yet read: on an idle connection that is its end."""
    if not hasattr(select, "poll"):  # Windows
        return None
    watch = select.poll()
    watch.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return watch


def _unpacking(coding: str) -> "_Unpacked | None":
    names = [name.strip().lower() for name in coding.split(",")]
    if names in (["gzip"], ["x-gzip"], ["deflate"]):
        return _Unpacked(names[0] == "deflate")
    if names == ["identity"]:
        return None
    raise Broken(f"its answer is packed as {coding}, which was not asked for", began=True)


class _Unpacked:
    """gzip, or deflate (RFC 9110, section 8.4.1) with the wrapping that it should have or without, as some send it."""

    def __init__(self, deflate: bool) -> None:
        self._deflate = deflate
        self._begun = False
        self._zip = zlib.decompressobj()

    @property
    def whole(self) -> bool:
        return self._zip.eof

    def pieces(self, part: bytes) -> Iterator[bytes]:
        try:
            while part:
                if not self._begun or self._zip.eof:  # gzip may be several members
                    self._begun, self._zip = True, zlib.decompressobj(self._window(part[0]))
                yield self._zip.decompress(part, _AT_ONCE)
                part = self._zip.unconsumed_tail or self._zip.unused_data
        except zlib.error as error:
            raise Broken(f"its packed answer is damaged ({error})", began=True) from error

    def _window(self, first: int) -> int:
        if not self._deflate:
            return zlib.MAX_WBITS | 16
        return zlib.MAX_WBITS if first & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS
