"""The one way out to the network. Nothing else in the package opens an outbound connection."""

import asyncio
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin, urlsplit

import msgspec

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.secrets import mask

if TYPE_CHECKING:
    import aiohttp

_HOPS = 3


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to connect and for the whole exchange; the largest body, in bytes after decompression."""

    connect_s: float = 10.0
    total_s: float = 120.0
    body_bytes: int = 16 * 1024 * 1024


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Any HTTP answer, whatever its status. Header names are in lower case; `wall_s` is the whole exchange."""

    status: int
    headers: dict[str, str]
    body: bytes
    wall_s: float


class Transport(Protocol):
    """Sends one request and waits for the whole answer. No answer is a `ProviderError` of kind connect, timeout, server
    (cut off) or bad_answer (too large)."""

    async def post(self, url: str, body: bytes, *, headers: dict[str, str], name: str) -> Reply:
        """`name` is how errors call the other side."""
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
    """The transport over aiohttp: pooled connections, TLS verified, redirects only within the same origin."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(self, url: str, body: bytes, *, headers: dict[str, str], name: str) -> Reply:
        import aiohttp

        session = await self._open()
        started = time.perf_counter()
        try:
            for _ in range(_HOPS):
                async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                    if answer.status in (301, 302, 303, 307, 308):
                        url = _redirected(url, answer.headers.get("Location", ""), answer.status, name)
                        continue
                    return Reply(
                        status=answer.status,
                        headers={key.lower(): value for key, value in answer.headers.items()},
                        body=await self._read(answer, name),
                        wall_s=time.perf_counter() - started,
                    )
        except TimeoutError as error:
            waited = time.perf_counter() - started
            raise ProviderError(
                "timeout",
                f"no whole answer from {_host(url)} after {waited:.1f} s; raise timeout_s if it needs longer.",
                provider=name,
            ) from error
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
            raise ProviderError(
                "connect",
                f"the TLS certificate of {_host(url)} was not accepted: {mask(str(error))}; "
                "SSL_CERT_FILE names further authorities.",
                provider=name,
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise ProviderError(
                "connect",
                f"no connection to {_host(url)}: {error.strerror or 'unknown host'}; is it up, is the address right?",
                provider=name,
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            reason = mask(str(error)) or type(error).__name__
            raise ProviderError("server", f"{_host(url)} broke off the answer: {reason}.", provider=name) from error
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
                timeout=aiohttp.ClientTimeout(total=self.limits.total_s, sock_connect=self.limits.connect_s),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _read(self, answer: "aiohttp.ClientResponse", name: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_any():
            size += len(part)
            if size > self.limits.body_bytes:
                answer.close()
                most = f"{self.limits.body_bytes / 1024 / 1024:.3g} MB"
                raise ProviderError(
                    "bad_answer",
                    f"the answer is larger than {most} and was not read to its end.",
                    provider=name,
                )
            parts.append(part)
        return b"".join(parts)


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
    return f"{parts.scheme}://{parts.netloc}"
