"""The one way out to the network. Nothing else in the package opens an outbound connection."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl, urljoin, urlsplit

import msgspec

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.http1 import Answer, Broken, NotHttp, TooLarge, request_bytes
from boxscore.providers.pool import Pool, Route, Unreachable
from boxscore.providers.secrets import mask, names_secret

_HOPS = 3
_SHOWN = 300
_ROUTES = 1_000
_NO_HOST = re.compile(r"[\s/\\@%<>^`{|}\"]")
_STREAMS = (
    "text/event-stream",
    "application/x-ndjson",
    "application/stream+json",
    "application/vnd.amazon.eventstream",
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to connect (name, TCP and TLS), until a stream gives the first of its answer, and for the whole exchange;
    the largest body, in bytes after decompression."""

    connect_s: float = 10.0
    first_token_s: float = 60.0
    total_s: float = 120.0
    body_bytes: int = 16 * 1024 * 1024


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Any HTTP answer, whatever its status. Header names are in lower case; `wall_s` is the whole exchange.

    `streamed`: the body went to `on_chunk` piece by piece and is empty here; `first_token_s` is then the wait for the
    first piece with some of the answer in it."""

    status: int
    headers: dict[str, str]
    body: bytes
    wall_s: float
    streamed: bool = False
    first_token_s: float | None = None


OnChunk = Callable[[bytes], bool]
"""Takes the next bytes of a stream; True when they held some of the answer. What it raises ends the exchange."""


class Transport(Protocol):
    """Sends one request and waits for the whole answer. No answer is a `ProviderError` of kind connect, timeout, cut
    (broken off) or bad_answer (too large)."""

    async def post(
        self, url: str, body: bytes, *, headers: dict[str, str], name: str, on_chunk: OnChunk | None = None
    ) -> Reply:
        """`name` is how errors call the other side. With `on_chunk`, a good answer that is a stream goes there."""
        ...

    async def close(self) -> None: ...


def check_url(url: str, *, key: str) -> str:
    """The URL without a slash at its end, if it is one that can be posted to; else a `SpecError` that names `key`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        if parts.scheme not in ("http", "https") or _NO_HOST.search(host) or not host.encode("idna"):
            raise ValueError(url)
    except ValueError:
        said = repr(url) if "@" not in url else "this (it may hold a password)"
        raise SpecError(
            f"{said} is no address: it starts with http:// or https:// and names a host.", key=key
        ) from None
    if parts.username or parts.password or any(names_secret(name) for name, _ in parse_qsl(parts.query)):
        raise SpecError(
            "an address must not hold a password or a key, for it is shown and kept: name an environment variable "
            "instead.",
            key=key,
        )
    return url.rstrip("/")


class HttpTransport:
    """The transport over HTTP/1.1: pooled connections, TLS verified, redirects only within the same origin, proxies as
    the environment says."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._pool = Pool()
        self._routes: dict[str, Route] = {}

    async def post(
        self, url: str, body: bytes, *, headers: dict[str, str], name: str, on_chunk: OnChunk | None = None
    ) -> Reply:
        return await self.send("POST", url, body, headers=headers, name=name, on_chunk=on_chunk)

    async def get(self, url: str, *, headers: dict[str, str] | None = None, name: str) -> Reply:
        """As `post`, for a question without a body."""
        return await self.send("GET", url, b"", headers=headers or {}, name=name)

    async def send(
        self, method: str, url: str, body: bytes, *, headers: dict[str, str], name: str, on_chunk: OnChunk | None = None
    ) -> Reply:
        """As `post`, with any method."""
        exchange = _Exchange(self.limits, name, on_chunk, method)
        for _ in range(_HOPS):
            reply = await exchange.run(self._pool, url, self._route(url), headers, body)
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            url = _redirected(url, reply.headers.get("location", ""), reply.status, name)
        raise ProviderError("refused", f"{_host(url)} redirects in a circle.", provider=name)

    async def close(self) -> None:
        self._pool.close()

    def _route(self, url: str) -> Route:
        route = self._routes.get(url)
        if route is None:
            if len(self._routes) >= _ROUTES:  # questions differ in each address
                self._routes.clear()
            route = self._routes[url] = Route.of(url)
        return route


class _Exchange:
    """One question and its answer, with their times."""

    def __init__(self, limits: Limits, name: str, on_chunk: OnChunk | None, method: str) -> None:
        self._limits = limits
        self._method = method
        self._name = name
        self._on_chunk = on_chunk
        self._started = time.perf_counter()
        self._first_token_s: float | None = None
        self._first_limit: asyncio.TimerHandle | None = None

    async def run(self, pool: Pool, url: str, route: Route, headers: dict[str, str], body: bytes) -> Reply:
        answer = Answer(self._limits.body_bytes, self._sort)
        try:
            request = request_bytes(route.target, route.host_header, headers | route.headers, body, method=self._method)
        except ValueError as error:
            raise ProviderError(
                "refused", f"the request cannot be sent: {mask(str(error))}.", provider=self._name
            ) from error
        loop = asyncio.get_running_loop()
        try:
            connection = await pool.take(route, connect_s=self._limits.connect_s)
            done = connection.send(request, answer)
            left = self._limits.total_s - (time.perf_counter() - self._started)
            total = loop.call_later(max(left, 0.0), connection.fail, _TooLate("timeout_s"))
            if self._on_chunk is not None:
                left = self._limits.first_token_s - (time.perf_counter() - self._started)
                self._first_limit = loop.call_later(max(left, 0.0), connection.fail, _TooLate("first_token_s"))
            try:
                await done
            except BaseException:
                connection.abort()
                raise
            finally:
                total.cancel()
                if self._first_limit is not None:
                    self._first_limit.cancel()
        except Unreachable as error:
            raise ProviderError("connect", f"{error}", provider=self._name) from error
        except _TooLate as error:
            raise self._too_late(url, error.limit) from error
        except Broken as error:
            raise self._broken(url, error) from error
        pool.give_back(route, connection)
        return Reply(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            wall_s=time.perf_counter() - self._started,
            streamed=answer.take is not None,
            first_token_s=self._first_token_s,
        )

    def _sort(self, answer: Answer) -> OnChunk | None:
        """Where the body goes, once the headers are there."""
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._on_chunk is not None and 200 <= answer.status < 300 and kind in _STREAMS:
            return self._chunk
        if self._first_limit is not None:  # no stream, so it has no first token
            self._first_limit.cancel()
        return None

    def _chunk(self, chunk: bytes) -> bool:
        told = self._on_chunk is not None and self._on_chunk(chunk)
        if told and self._first_token_s is None:
            self._first_token_s = time.perf_counter() - self._started
            if self._first_limit is not None:
                self._first_limit.cancel()
        return told

    def _too_late(self, url: str, limit: str) -> ProviderError:
        waited = time.perf_counter() - self._started
        what = "no first token" if limit == "first_token_s" else "no whole answer"
        return ProviderError(
            "timeout",
            f"{what} from {_host(url)} after {waited:.1f} s; raise {limit} if it needs longer.",
            provider=self._name,
        )

    def _broken(self, url: str, error: Broken) -> ProviderError:
        host = _host(url)
        if isinstance(error, TooLarge):
            most = f"{self._limits.body_bytes / 1024 / 1024:.3g} MB"
            kind, said = (
                "bad_answer",
                f"{host} answers more than {most}, which was not read; is the address right?",
            )
        elif isinstance(error, NotHttp):
            kind, said = "bad_answer", f"{host} does not speak HTTP; is the address right, and is it https?"
        elif error.began:
            kind, said = "cut", f"{host} broke off the answer: {error.reason}; try again."
        else:
            hint = ", is it https?" if host.startswith("http:") else "?"
            kind, said = "cut", f"{host} did not answer: {error.reason}; is it up, is the address right{hint}"
        return ProviderError(kind, mask(said), provider=self._name)


class _TooLate(Exception):  # noqa: N818 - becomes a ProviderError where it is caught
    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


def _redirected(url: str, location: str, status: int, name: str) -> str:
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
    except ValueError:
        target, old, new = "", urlsplit(url), urlsplit("")
    if status not in (307, 308) or (old.scheme, old.netloc) != (new.scheme, new.netloc):
        where = mask(f"{new.scheme}://{new.netloc}{new.path}")[:_SHOWN] if location and new.netloc else "no address"
        raise ProviderError(
            "refused",
            f"{_host(url)} redirects to {where} (HTTP {status}), and a request with its key is not sent elsewhere: put "
            "the final address into the spec.",
            provider=name,
            status=status,
        )
    return target


def _host(url: str) -> str:
    parts = urlsplit(url)
    where = parts.hostname or ""
    return f"{parts.scheme}://{where}:{parts.port}" if parts.port else f"{parts.scheme}://{where}"
