"""Who may ask, and for which project: decided here and nowhere else."""

from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import msgspec

from boxscore.errors import ForbiddenError, RequestError
from boxscore.server.body import Scope, header

__all__ = ["ALL", "DEFAULT_PROJECT", "LOOPBACK", "Access", "Caller", "Right"]

Right: TypeAlias = Literal["read", "score", "ingest", "write", "admin"]
ALL: frozenset[Right] = frozenset(get_args(Right))
DEFAULT_PROJECT = "default"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do in the project that they ask about. `name` is for the record of what was done."""

    kind: Literal["local", "user", "key"]
    name: str
    project: str
    rights: frozenset[Right]

    def require(self, right: Right) -> None:
        """`ForbiddenError` without it."""
        if right not in self.rights:
            raise ForbiddenError(right, self.project)


class Access:
    """The server answers on loopback alone, so whoever reaches it may ask; what remains are web pages of others that a
    browser here has open. Names that lead here by their own DNS carry another `Host`, pages of others an `Origin`."""

    def caller(self, scope: Scope) -> Caller:
        """Who makes a request. `RequestError` of kind bad_host or bad_origin."""
        host = header(scope, b"host")
        if host and _name(f"//{host}") not in LOOPBACK:
            raise RequestError(
                "bad_host",
                f"this server answers to localhost, not to {host[:100]!r}: call it by an address of loopback.",
            )
        origin = header(scope, b"origin")
        if origin and (_name(origin) not in LOOPBACK or urlsplit(origin).netloc != host):
            raise RequestError(
                "bad_origin", f"pages of {origin[:100]!r} may not ask this server: only its own pages may."
            )
        return Caller(kind="local", name="local", project=DEFAULT_PROJECT, rights=ALL)


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removesuffix(".")
    except ValueError:
        return ""
