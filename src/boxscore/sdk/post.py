"""One request to the server and what its answer means. The only place of the SDK that opens a connection.

The standard library's client, not `providers.transport`: that one lives in an event loop, and neither a loop nor the
threads that it looks names up in can be relied on after a fork or while an interpreter ends (decision 21).
All that is needed is imported before the first thread runs: what one is importing while the process forks can never
be imported in the child.
"""

import email.utils
import encodings.idna  # noqa: F401  # pyright: ignore[reportUnusedImport] - names are looked up with it
import gzip
import http.client
import io
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from boxscore import __version__
from boxscore.errors import BoxscoreError
from boxscore.providers.proxies import proxy_for
from boxscore.sdk.parcel import Kind, Parcel

__all__ = ["Outcome", "Post", "Target"]

_ANSWER_BYTES = 64 * 1024
_IDLE_S = 15.0
_LATER = frozenset({429, 502, 503, 504})  # opentelemetry.io/docs/specs/otlp, "Retryable response codes"
_LONGEST_WAIT_S = 300.0
_TYPES: Mapping[Kind, str] = {"spans": "application/x-protobuf", "scores": "application/json"}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where to, and how: `headers` may hold a key, so they are never shown. `timeout_s` is for a whole exchange."""

    spans_url: str
    scores_url: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 10.0
    compress: bool = False
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    def url(self, kind: Kind) -> str:
        return self.spans_url if kind == "spans" else self.scores_url

    def __repr__(self) -> str:
        return f"Target({self.spans_url!r})"


class Outcome(NamedTuple):
    """`taken`: it is kept by the server, but for `refused` of it. `refused`: it never will be. `later`: try again, not
    before `wait_s` seconds where that was asked for. `why` is for the log."""

    kind: Literal["taken", "refused", "later"]
    refused: int = 0
    wait_s: float | None = None
    why: str = ""


class _Timed(io.RawIOBase):
    """A socket that is read until a moment, however slowly it drips."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Post:
    """Sends parcels over a connection that is kept while it is good. For one thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: http.client.HTTPConnection | None = None
        self._place: tuple[str, str | None] | None = None
        self._used = 0.0

    def __call__(self, parcel: Parcel, timeout_s: float | None = None) -> Outcome:
        """Never raises."""
        deadline = time.monotonic() + min(self._target.timeout_s, timeout_s or self._target.timeout_s)
        try:
            fresh = not self._usable(parcel.kind)
            try:
                return self._exchange(parcel, deadline)
            except (OSError, http.client.HTTPException):
                if fresh:
                    raise
                return self._exchange(parcel, deadline)  # what was kept had been closed by the other side
        except TimeoutError:
            return Outcome("later", why=f"{self._where(parcel.kind)} did not answer in time")
        except (OSError, http.client.HTTPException, BoxscoreError, ValueError) as error:
            said = str(error) or type(error).__name__
            return Outcome("later", why=f"{self._where(parcel.kind)} cannot be reached: {said[:200]}")
        finally:
            self._used = time.monotonic()

    def forget(self) -> None:
        """After a fork, where the connection is the parent's. It is not closed: a thread of the parent's may have been
        reading from it, and in the child its lock would never be free."""
        self._connection = None

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _usable(self, kind: Kind) -> bool:
        url = self._target.url(kind)
        parts = urlsplit(url)
        place = (f"{parts.scheme}://{parts.netloc}", proxy_for(url))
        if place != self._place or time.monotonic() - self._used > _IDLE_S:
            self.close()
        self._place = place
        return self._connection is not None

    def _exchange(self, parcel: Parcel, deadline: float) -> Outcome:
        kept = False
        try:
            response = self._ask(parcel, deadline)
            answer = response.read(_ANSWER_BYTES + 1)
            kept = len(answer) <= _ANSWER_BYTES and not response.will_close
            return _read(parcel, response.status, dict(response.headers.items()), answer)
        finally:
            if not kept:
                self.close()

    def _ask(self, parcel: Parcel, deadline: float) -> http.client.HTTPResponse:
        url, body = self._target.url(parcel.kind), parcel.body
        parts = urlsplit(url)
        place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": f"boxscore-python/{__version__}", "Content-Type": _TYPES[parcel.kind]}
        if self._target.compress:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        headers.update(self._target.headers)
        proxy = self._place[1] if self._place else None
        if proxy is not None and parts.scheme == "http":
            place = url
            headers.update(_proxy_headers(proxy))
        left = max(deadline - time.monotonic(), 0.001)
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(url, proxy, left)
        if connection.sock is None:
            connection.timeout = left
            connection.connect()
        assert connection.sock is not None  # noqa: S101
        connection.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        connection.request("POST", place, body, headers)
        connection.response_class = partial(_response, deadline)  # pyright: ignore[reportAttributeAccessIssue]
        return connection.getresponse()

    def _connect(self, url: str, proxy: str | None, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host, tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        via = urlsplit(proxy) if proxy is not None else None
        if via is not None and via.scheme != "http":
            raise ValueError("a proxy that speaks TLS itself is not understood here; name one with http://")
        to = (via.hostname or "", via.port or 80) if via is not None else (host, port)
        if not tls:
            return http.client.HTTPConnection(*to, timeout=timeout_s)
        connection = http.client.HTTPSConnection(*to, timeout=timeout_s, context=self._tls())
        if via is not None:
            connection.set_tunnel(host, port, _proxy_headers(proxy or ""))
        return connection

    def _tls(self) -> ssl.SSLContext:
        target = self._target
        context = ssl.create_default_context(cafile=target.certificate)
        if target.client_certificate is not None:
            context.load_cert_chain(target.client_certificate, target.client_key)
        return context

    def _where(self, kind: Kind) -> str:
        parts = urlsplit(self._target.url(kind))
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _response(deadline: float, sock: socket.socket, *, method: str | None = None) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Timed(sock, deadline), method=method)  # pyright: ignore[reportArgumentType]


def _read(parcel: Parcel, status: int, headers: Mapping[str, str], answer: bytes) -> Outcome:
    headers = {name.lower(): value for name, value in headers.items()}
    if status in _LATER:
        return Outcome("later", wait_s=_retry_after(headers.get("retry-after")), why=f"HTTP {status}")
    if not 200 <= status < 300:
        hint = {401: ": is the key right?", 403: ": is the key right?", 404: ": is the address right?"}.get(status, "")
        return Outcome("refused", parcel.count, why=f"HTTP {status}{hint}")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    garbage = Outcome("later", why="something answered that is no Boxscore server; is the address right?")
    if len(answer) > _ANSWER_BYTES or (answer and kind != _TYPES[parcel.kind]):
        return garbage
    if parcel.kind == "scores":
        return Outcome("taken")
    try:
        rejected, why = _rejected(answer)
    except ValueError:
        return garbage
    return Outcome("taken", min(rejected, parcel.count), why=why)


def _rejected(answer: bytes) -> tuple[int, str]:
    """Of an `ExportTraceServiceResponse`: the spans that were not taken, and why."""
    try:
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError as error:
        raise ValueError(str(error)) from error
    return max(0, partial.rejected_spans), partial.error_message


def _retry_after(value: str | None) -> float | None:
    """Seconds, told as seconds or as a date; None where it is neither."""
    if not value:
        return None
    try:
        seconds = float(value) if value.strip().isdigit() else email.utils.parsedate_to_datetime(value).timestamp()
        seconds -= 0 if value.strip().isdigit() else time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_S)


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
