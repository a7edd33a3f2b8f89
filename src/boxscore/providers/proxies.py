"""Which proxy stands between us and a host, as the environment says in the usual variables."""

import ipaddress
import os
from urllib.parse import urlsplit

from boxscore.errors import SpecError


def proxy_for(url: str) -> str | None:
    """The proxy's address for a URL, None for a direct connection.

    `HTTPS_PROXY`, `HTTP_PROXY`, else `ALL_PROXY` name it, in capitals or small letters; `NO_PROXY` lists hosts, domains
    and networks that need none, `*` all of them. This machine itself is always reached directly: a model that runs here
    would be looked for elsewhere. A proxy of another kind than HTTP is a `SpecError`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = _variable(f"{parts.scheme}_proxy") or _variable("all_proxy")
    if proxy is None or _is_here(host) or _is_exempt(host, parts.port, _variable("no_proxy") or ""):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    kind = proxy.partition("://")[0].lower()
    if kind not in ("http", "https"):
        raise SpecError(
            f"the environment names a proxy of kind {kind!r}, and only http and https proxies are understood: set "
            "HTTPS_PROXY to one, or NO_PROXY to the provider's host.",
            key="HTTPS_PROXY",
        )
    if not _has_place(proxy):
        raise SpecError(
            "the environment names a proxy whose address cannot be read (it is not shown, for it may hold a "
            "password): its form is http://HOST:PORT.",
            key="HTTPS_PROXY",
        )
    return proxy


def _has_place(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _variable(name: str) -> str | None:
    return os.environ.get(name, "").strip() or os.environ.get(name.upper(), "").strip() or None


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_exempt(host: str, port: int | None, listed: str) -> bool:
    for entry in listed.lower().replace(",", " ").replace("[", "").replace("]", "").split():
        if entry == "*" or entry in (host, f"{host}:{port}"):
            return True
        domain = entry.removeprefix("*").removeprefix(".")
        if domain and host.endswith(f".{domain}"):
            return True
        if "/" in entry:
            try:
                if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                continue
    return False
