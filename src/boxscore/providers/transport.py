"""The one way out to the network. Nothing else in the package opens an outbound connection."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin, urlsplit

import msgspec

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.proxies import proxy_for
from boxscore.providers.secrets import mask

if TYPE_CHECKING:
    import aiohttp

_HOPS = 3
_STREAMS = (
    "text/event-stream",
    "application/x-ndjson",
    "application/stream+json",
    "application/vnd.amazon.eventstream",
)
_FLOW = 64 * 1024


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
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(f"{url!r} is no address: it starts with http:// or https:// and names a host.", key=key)
    if parts.username or parts.password:
        raise SpecError("an address must not hold a password: name an environment variable instead.", key=key)
    return url.rstrip("/")


class HttpTransport:
    """The transport over aiohttp: pooled connections, TLS verified, redirects only within the same origin, proxies as
    the environment says."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._proxies: dict[str, str | None] = {}
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(
        self, url: str, body: bytes, *, headers: dict[str, str], name: str, on_chunk: OnChunk | None = None
    ) -> Reply:
        import aiohttp

        session = await self._open()
        if url not in self._proxies:
            self._proxies[url] = proxy_for(url)
        proxy = self._proxies[url]
        exchange = _Exchange(self.limits, name, on_chunk)
        try:
            for _ in range(_HOPS):
                async with session.post(url, data=body, headers=headers, allow_redirects=False, proxy=proxy) as answer:
                    if answer.status in (301, 302, 303, 307, 308):
                        url = _redirected(url, answer.headers.get("Location", ""), answer.status, name)
                        continue
                    return await exchange.read(answer)
        except TimeoutError as error:
            raise exchange.too_late(url, connecting=isinstance(error, aiohttp.ConnectionTimeoutError)) from error
        except aiohttp.ClientError as error:
            raise _no_answer(error, url, proxy, name) from error
        except ValueError as error:
            reason = mask(str(error)) or type(error).__name__
            raise ProviderError("cut", f"{_host(url)} broke off the answer: {reason}.", provider=name) from error
        raise ProviderError("refused", f"{_host(url)} redirects in a circle.", provider=name)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _open(self) -> "aiohttp.ClientSession":
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop or self._session.closed:
            import aiohttp

            await self.close()
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # the runner bounds what is in flight
                timeout=aiohttp.ClientTimeout(total=self.limits.total_s, connect=self.limits.connect_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=_FLOW,
            )
        return self._session


class _Exchange:
    """One answer on its way in, with its times."""

    def __init__(self, limits: Limits, name: str, on_chunk: OnChunk | None) -> None:
        self._limits = limits
        self._name = name
        self._on_chunk = on_chunk
        self._started = time.perf_counter()
        self._first_token_s: float | None = None
        self._waited_for_first = False
        self._size = 0

    async def read(self, answer: "aiohttp.ClientResponse") -> Reply:
        streamed = self._on_chunk is not None and answer.status < 300 and answer.content_type in _STREAMS
        if streamed:
            await self._stream(answer)
        return Reply(
            status=answer.status,
            headers={key.lower(): value for key, value in answer.headers.items()},
            body=b"" if streamed else await self._whole(answer),
            wall_s=time.perf_counter() - self._started,
            streamed=streamed,
            first_token_s=self._first_token_s,
        )

    def too_late(self, url: str, *, connecting: bool) -> ProviderError:
        waited = time.perf_counter() - self._started
        if connecting:
            return ProviderError(
                "connect",
                f"no connection to {_host(url)} after {waited:.1f} s; is it up, is the address right, does a firewall "
                "stand in between?",
                provider=self._name,
            )
        if self._waited_for_first:
            what, limit = "no first token", "first_token_s"
        else:
            what, limit = "no whole answer", "timeout_s"
        return ProviderError(
            "timeout",
            f"{what} from {_host(url)} after {waited:.1f} s; raise {limit} if it needs longer.",
            provider=self._name,
        )

    async def _whole(self, answer: "aiohttp.ClientResponse") -> bytes:
        if answer.content_length is not None:
            self._count(answer, answer.content_length)  # an answer too large is not begun
        parts: list[bytes] = []
        self._size = 0
        async for part in answer.content.iter_any():
            self._count(answer, len(part))
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _stream(self, answer: "aiohttp.ClientResponse") -> None:
        take = self._on_chunk
        if take is None:
            return
        left = self._limits.first_token_s - (time.perf_counter() - self._started)
        self._waited_for_first = True
        async with asyncio.timeout(max(left, 0.0)) as limit:
            async for part in answer.content.iter_any():
                self._count(answer, len(part))
                if take(part) and self._waited_for_first:
                    self._waited_for_first = False
                    self._first_token_s = time.perf_counter() - self._started
                    limit.reschedule(None)
        self._waited_for_first = False

    def _count(self, answer: "aiohttp.ClientResponse", size: int) -> None:
        self._size += size
        if self._size > self._limits.body_bytes:
            answer.close()
            most = f"{self._limits.body_bytes / 1024 / 1024:.3g} MB"
            raise ProviderError(
                "bad_answer", f"the answer is larger than {most} and was not read to its end.", provider=self._name
            )


def _no_answer(error: "aiohttp.ClientError", url: str, proxy: str | None, name: str) -> ProviderError:
    """What a failure below HTTP means: one sentence with where it went and what to look at."""
    import aiohttp

    reason = mask(str(error)) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return ProviderError(
            "connect",
            f"the TLS certificate of {_host(url)} was not accepted: {_tls_reason(error)}; is the address right? "
            "SSL_CERT_FILE names further authorities.",
            provider=name,
        )
    if isinstance(error, aiohttp.ClientProxyConnectionError) and proxy:
        return ProviderError(
            "connect",
            f"no connection to the proxy {_host(proxy)}: {error.strerror or 'unknown host'}; HTTPS_PROXY or HTTP_PROXY "
            "names it, NO_PROXY the hosts that need none.",
            provider=name,
        )
    if isinstance(error, aiohttp.ClientHttpProxyError) and proxy:
        return ProviderError(
            "auth" if error.status == 407 else "connect",
            f"the proxy {_host(proxy)} does not let us through to {_host(url)}: HTTP {error.status} {error.message}.",
            provider=name,
            status=error.status,
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ProviderError(
            "connect", f"the host of {_host(url)} is not known; is the address right, is the network up?", provider=name
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return ProviderError(
            "connect",
            f"no connection to {_host(url)}: {error.strerror or 'it was refused'}; is it up, is the address right?",
            provider=name,
        )
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return ProviderError("cut", f"{_host(url)} closed the connection before it answered: {reason}.", provider=name)
    if isinstance(error, aiohttp.ClientResponseError) and "Expected HTTP/" in reason:
        return ProviderError(
            "bad_answer", f"{_host(url)} does not speak HTTP; is the address right, and is it https?", provider=name
        )
    return ProviderError("cut", f"{_host(url)} broke off the answer: {reason}.", provider=name)


def _tls_reason(error: Exception) -> str:
    cause: BaseException | None = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    said = getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or str(cause or error)
    return mask(str(said))


def _redirected(url: str, location: str, status: int, name: str) -> str:
    target = urljoin(url, location)
    old, new = urlsplit(url), urlsplit(target)
    if status not in (307, 308) or (old.scheme, old.netloc) != (new.scheme, new.netloc):
        raise ProviderError(
            "refused",
            f"{_host(url)} redirects to {new.scheme}://{new.netloc} (HTTP {status}), and a request with its key is not "
            "sent elsewhere: put the final address into the spec.",
            provider=name,
            status=status,
        )
    return target


def _host(url: str) -> str:
    parts = urlsplit(url)
    where = parts.hostname or ""
    return f"{parts.scheme}://{where}:{parts.port}" if parts.port else f"{parts.scheme}://{where}"
