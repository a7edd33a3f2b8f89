"""Who may ask, and for which project: decided here and nowhere else."""

from urllib.parse import urlsplit

from boxscore.errors import RequestError
from boxscore.server.body import Scope, header

__all__ = ["DEFAULT_PROJECT", "LOOPBACK", "Access"]

DEFAULT_PROJECT = "default"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Access:
    """The server answers on loopback alone, so whoever reaches it may ask; what remains are web pages of others that a
    browser here has open. Names that lead here by their own DNS carry another `Host`, pages of others an `Origin`."""

    def project(self, scope: Scope) -> str:
        """The project that a request is for. `RequestError` of kind bad_host or bad_origin."""
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
        return DEFAULT_PROJECT


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removesuffix(".")
    except ValueError:
        return ""
