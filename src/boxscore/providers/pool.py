"""Connections to providers: opened through TLS and proxies, kept while they are good, never shared by two exchanges."""

import asyncio
import os
import re
import socket
import ssl
import time
from base64 import b64encode
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from boxscore.providers.http1 import Answer, Broken, Connection, NotHttp, Turns, request_bytes
from boxscore.providers.proxies import proxy_for
from boxscore.providers.secrets import mask

_IDLE_S = 15.0
"""Servers close what is idle after a while, and a request sent at that moment would be lost."""
_KEPT = 128
_TUNNEL_BYTES = 64 * 1024
_EYEBALLS_S = 0.25


class Unreachable(Exception):  # noqa: N818 - becomes a ProviderError where it is caught
    """No connection. The text says to whom, why, and what to look at."""


class Route(NamedTuple):
    """The way to an address. `target` is what follows POST; `headers` are for the proxy where one reads the request."""

    tls: bool
    host: str
    port: int
    proxy: str | None
    target: str
    headers: dict[str, str]

    @classmethod
    def of(cls, url: str) -> "Route":
        """By the environment's proxies; `SpecError` for one of a kind that is not understood."""
        parts = urlsplit(url)
        tls, proxy = parts.scheme == "https", proxy_for(url)
        host = (
            (parts.hostname or "").encode("idna").decode() if not _is_address(parts.hostname) else parts.hostname or ""
        )
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        if parts.query:
            target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
        port = parts.port or (443 if tls else 80)
        headers: dict[str, str] = {}
        if proxy is not None and not tls:
            target = f"http://{_bracketed(host)}:{port}{target}"
            headers = _proxy_headers(proxy)
        return cls(tls, host, port, proxy, target, headers)

    @property
    def host_header(self) -> str:
        usual = self.port == (443 if self.tls else 80)
        return _bracketed(self.host) if usual else f"{_bracketed(self.host)}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host_header}"

    @property
    def key(self) -> tuple[bool, str, int, str | None]:
        return self[:4]


class _Kept:
    """What belongs to one event loop."""

    def __init__(self) -> None:
        self.idle: defaultdict[tuple[bool, str, int, str | None], list[Connection]] = defaultdict(list)
        self.turns = Turns()


class Pool:
    """Connections by event loop: none is ever used from another, and those of a loop that is over are forgotten."""

    def __init__(self) -> None:
        self._loops: dict[asyncio.AbstractEventLoop, _Kept] = {}

    async def take(self, route: Route, *, connect_s: float) -> Connection:
        """A good idle connection, else a new one; `Unreachable` when there is none within `connect_s` seconds."""
        kept, now = self._here(), time.monotonic()
        idle = kept.idle[route.key]
        while idle:
            connection = idle.pop()
            if connection.usable and now - connection.idle_since < _IDLE_S:
                return connection
            connection.abort()
        try:
            async with asyncio.timeout(connect_s):
                return await _open(asyncio.get_running_loop(), route, kept.turns)
        except TimeoutError as error:
            raise Unreachable(
                f"no connection to {_meant(route)} after {connect_s:g} s; is it up, is the address right, does a "
                "firewall stand in between?"
            ) from error
        except (OSError, Broken) as error:
            raise _unreachable(route, error) from error

    def give_back(self, route: Route, connection: Connection) -> None:
        idle = self._here().idle[route.key]
        if connection.whole and len(idle) < _KEPT:
            connection.idle_since = time.monotonic()
            idle.append(connection)
        else:
            connection.abort()

    def close(self) -> None:
        """Closes what belongs to the running loop; nothing can be said to connections of another one."""
        for idle in self._here().idle.values():
            for connection in idle:
                connection.abort()
        self._loops.pop(asyncio.get_running_loop(), None)

    def _here(self) -> _Kept:
        loop = asyncio.get_running_loop()
        kept = self._loops.get(loop)
        if kept is None:
            for other in [known for known in list(self._loops) if known.is_closed()]:
                self._loops.pop(other, None)
            kept = self._loops[loop] = _Kept()
        return kept


async def _open(loop: asyncio.AbstractEventLoop, route: Route, turns: Turns) -> Connection:
    context = _tls() if route.tls else None
    if route.proxy is None:
        return await _connect(loop, turns, route.host, route.port, context)
    parts = urlsplit(route.proxy)
    outer = _tls() if parts.scheme == "https" else None
    connection = await _connect(loop, turns, parts.hostname or "", parts.port or (443 if outer else 80), outer)
    if context is not None:
        try:
            await _tunnel(loop, connection, route, context)
        except BaseException:
            connection.abort()
            raise
    return connection


async def _connect(
    loop: asyncio.AbstractEventLoop, turns: Turns, host: str, port: int, tls: ssl.SSLContext | None
) -> Connection:
    def made() -> Connection:
        return Connection(turns)

    name = host if tls is not None else None
    if isinstance(loop, asyncio.BaseEventLoop):  # it tries the addresses of a host side by side (RFC 8305)
        _, connection = await loop.create_connection(
            made, host, port, ssl=tls, server_hostname=name, happy_eyeballs_delay=_EYEBALLS_S
        )
    else:  # uvloop cannot
        _, connection = await loop.create_connection(made, host, port, ssl=tls, server_hostname=name)
    return connection


async def _tunnel(
    loop: asyncio.AbstractEventLoop, connection: Connection, route: Route, context: ssl.SSLContext
) -> None:
    where = f"{_bracketed(route.host)}:{route.port}"
    answer = Answer(_TUNNEL_BYTES)
    request = request_bytes(where, where, _proxy_headers(route.proxy or ""), b"", method="CONNECT")
    await connection.send(request, answer, tunnel=True)
    if answer.status != 200:
        raise _ProxyRefusedError(answer.status)
    if connection.transport is None:
        raise Broken("the proxy closed the connection")
    inner = await loop.start_tls(connection.transport, connection, context, server_hostname=route.host)
    if inner is None:
        raise Broken("the proxy closed the connection")
    connection.transport = inner  # start_tls does not call connection_made


class _ProxyRefusedError(OSError):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


def _unreachable(route: Route, error: OSError | Broken) -> Unreachable:
    to, through = _meant(route), "" if route.proxy is None else f", through {_meant(route)},"
    if isinstance(error, _ProxyRefusedError):
        hint = (
            "put a name and a password into the address that HTTPS_PROXY has."
            if error.status == 407
            else "may it be reached from here? NO_PROXY lists the hosts that need no proxy."
        )
        return Unreachable(f"{to} does not let us through to {route.origin}: {error}; {hint}")
    if isinstance(error, NotHttp):
        return Unreachable(f"{to} does not speak HTTP; HTTPS_PROXY or HTTP_PROXY names it.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the TLS certificate of {route.origin}{through} was not accepted: {error.verify_message}; is the address "
            "right? SSL_CERT_FILE names the authorities to trust."
        )
    if isinstance(error, ssl.SSLError):
        said = (error.reason or str(error)).lower().replace("_", " ")
        hint = "is it http, is the port right?" if route.proxy is None else "HTTPS_PROXY names the proxy: is it one?"
        return Unreachable(f"{route.origin}{through} does not speak TLS as we do ({said}); {hint}")
    if isinstance(error, socket.gaierror):
        return Unreachable(f"the host of {to} is not known; is the address right, is the network up?")
    said = error.reason if isinstance(error, Broken) else _first_reason(error)
    hint = (
        "HTTPS_PROXY or HTTP_PROXY names it, NO_PROXY the hosts that need none."
        if route.proxy is not None
        else "is it up, is the address right?"
    )
    return Unreachable(f"no connection to {to}: {mask(said)}; {hint}")


def _first_reason(error: OSError) -> str:
    """`Multiple exceptions: [Errno 111] Connect call failed (…), …`, when every address of a host was tried."""
    found = re.search(r"\[Errno (\d+)\]", str(error))
    number = error.errno or (int(found[1]) if found else 0)
    return os.strerror(number) if number else str(error) or "the connection was closed"


def _meant(route: Route) -> str:
    return route.origin if route.proxy is None else f"the proxy {_shown(route.proxy)}"


def _shown(proxy: str | None) -> str:
    parts = urlsplit(proxy or "")
    return f"{parts.scheme}://{parts.hostname}:{parts.port}" if parts.port else f"{parts.scheme}://{parts.hostname}"


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(host: str | None) -> bool:
    return host is not None and (":" in host or host.replace(".", "").isdigit())


def _tls() -> ssl.SSLContext:
    return _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _tls_context(*_: str | None) -> ssl.SSLContext:
    """The system's authorities, or those that OpenSSL finds by its variables; names and dates are verified."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
