"""Who may ask, and for which project: decided here and nowhere else.

A request is held against, in this order: a key in `Authorization: Bearer`; the address that it came to and the page
that it came from; nobody at all, while there are no users and it comes from this machine; the login in its cookie, and
for what changes something the proof that one of our pages sends it.
"""

import asyncio
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec

from boxscore.errors import BoxscoreError, ForbiddenError, NotFoundError, RequestError, UnauthenticatedError
from boxscore.governance.logins import csrf_of
from boxscore.governance.people import People
from boxscore.governance.roles import RIGHTS, Right
from boxscore.governance.roster import Roster
from boxscore.governance.users import User
from boxscore.server.body import Scope, header
from boxscore.store.records.schema import DEFAULT_PROJECT

__all__ = ["ALL", "CSRF", "DEFAULT_PROJECT", "LOOPBACK", "Access", "Caller", "Right", "address_of"]

ALL: frozenset[Right] = frozenset(RIGHTS)
_HOST = re.compile(r"[a-z0-9._-]+(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?")
"""Of the header, where nothing else of an address may stand."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CSRF = b"boxscore-csrf"
_PROJECTS = "/api/v1/projects/"
_SAFE = frozenset({"GET", "HEAD"})
_FORWARDED = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"x-real-ip", b"via")
Kind: TypeAlias = Literal["local", "user", "key", "nobody"]

NO_SESSION = (
    "sign in first: this server asks who calls. Programs send a key, `Authorization: Bearer bxs_…`; "
    "commands and applications take it from BOXSCORE_API_KEY."
)
NO_KEY = "this key is not known here, or it was revoked or has expired: ask an owner of the project for a new one."
THROUGH_A_PROXY = (
    "this server has no owner yet, and answers to this machine alone until it has: open the one-time link that it "
    "printed when it started, at an address of loopback."
)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do in the project that they ask about. `name` is for the record of what was done:
    "local", "user NAME", "key ID". `user` is the person of kind "user"; `refusal` why nothing at all is allowed."""

    kind: Kind
    name: str
    project: str
    rights: frozenset[Right]
    user: User | None = None
    refusal: BoxscoreError | None = None

    def require(self, right: Right) -> None:
        """`UnauthenticatedError` for nobody, `NotFoundError` for a project that the caller has no part in,
        `ForbiddenError` without the right."""
        self.require_someone()
        if right not in self.rights:
            raise ForbiddenError(right, self.project)

    def require_someone(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    @property
    def elsewhere(self) -> bool:
        """Whether the project that was asked about is none of the caller's."""
        return isinstance(self.refusal, NotFoundError)

    def may(self, right: Right) -> bool:
        return self.refusal is None and right in self.rights


class Access:
    """`public` are the addresses, as in https://boxscore.example.org, by which browsers reach the server; those of
    loopback need not be told."""

    def __init__(self, people: People, public: Sequence[str] = ()) -> None:
        self._people = people
        self._public = frozenset(url.rstrip("/").lower() for url in public)
        self._reading: asyncio.Future[Roster] | None = None
        self._hosts = LOOPBACK | {_name(url) for url in self._public}

    async def caller(self, scope: Scope) -> Caller:
        """Who makes a request. `RequestError` of kind bad_host or bad_origin."""
        roster = await self.roster()
        asked = _project(scope)
        secret = _bearer(header(scope, b"authorization"))
        if secret is not None and (caller := self._of_key(roster, secret, asked)) is not None:
            return caller
        self._check_addresses(scope)
        if not roster.users:
            return self._of_machine(roster, scope, asked)
        if secret is not None:
            return _nobody(NO_KEY)
        return self._of_login(roster, scope, asked)

    async def caller_of_rpc(self, metadata: Mapping[str, str], peer: str) -> Caller:
        """Who makes a call over gRPC; `peer` as gRPC writes it, in `ipv4:127.0.0.1:50000`."""
        roster = await self.roster()
        asked = metadata.get("boxscore-project")
        secret = _bearer(metadata.get("authorization", ""))
        if secret is not None and (caller := self._of_key(roster, secret, asked)) is not None:
            return caller
        if roster.users:
            return _nobody(NO_KEY if secret is not None else NO_SESSION)
        address = peer.partition(":")[2].rpartition(":")[0].strip("[]")
        return _machine(roster, asked) if peer.startswith("unix:") or _is_loopback(address) else _nobody(NO_SESSION)

    async def roster(self) -> Roster:
        """Read from the store now and then, once for all who wait for it."""
        held = self._people.roster.held()
        if held is not None:
            return held
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().run_in_executor(None, self._people.roster.read)
        return await asyncio.shield(self._reading)

    def is_secure(self, scope: Scope) -> bool:
        """Whether the browser came by https, here or at a proxy in front of us."""
        origin = header(scope, b"origin").lower()
        if origin in self._public:
            return origin.startswith("https:")
        return f"https://{header(scope, b'host').lower()}" in self._public

    def cookie_name(self, scope: Scope, *, secure: bool) -> str:
        """`__Host-`: the browser takes it over https alone, from this host alone, for all its paths. Over http it has
        the port in it, for cookies do not tell ports apart."""
        if secure:
            return "__Host-boxscore"
        try:
            port = urlsplit(f"//{header(scope, b'host')}").port
        except ValueError:
            port = None
        return f"boxscore-{port or 80}"

    def token(self, scope: Scope) -> str:
        """The login's token in the request's cookies; empty where there is none."""
        cookies = _cookies(scope)
        return cookies.get("__Host-boxscore") or cookies.get(self.cookie_name(scope, secure=False)) or ""

    def _check_addresses(self, scope: Scope) -> None:
        """Against pages of others that a browser has open: names that lead here by their own DNS carry another `Host`,
        pages of others an `Origin`."""
        host = header(scope, b"host").lower()
        if host and (not _HOST.fullmatch(host) or _name(f"//{host}") not in self._hosts):
            raise RequestError(
                "bad_host",
                f"this server answers to {', '.join(sorted(self._hosts))}, not to {host[:100]!r}: call it by one of "
                "these, or add the address to BOXSCORE_PUBLIC_URL.",
            )
        origin = header(scope, b"origin").lower()
        if origin and origin not in self._public and (_name(origin) not in LOOPBACK or urlsplit(origin).netloc != host):
            raise RequestError(
                "bad_origin", f"pages of {origin[:100]!r} may not ask this server: only its own pages may."
            )

    def _of_key(self, roster: Roster, secret: str, asked: str | None) -> Caller | None:
        key = roster.key(secret, self._people.clock())
        if key is None:
            return None
        refusal = NotFoundError("project", asked) if asked not in (None, key.project) else None
        rights = roster.limited(frozenset(key.rights), key.project)
        return Caller(kind="key", name=f"key {key.id}", project=key.project, rights=rights, refusal=refusal)

    def _of_machine(self, roster: Roster, scope: Scope, asked: str | None) -> Caller:
        client = scope.get("client")
        if client is None or not _is_loopback(client[0]) or any(header(scope, name) for name in _FORWARDED):
            return _nobody(THROUGH_A_PROXY)
        return _machine(roster, asked)

    def _of_login(self, roster: Roster, scope: Scope, asked: str | None) -> Caller:
        token = self.token(scope)
        found = roster.login(token, self._people.clock()) if token else None
        if found is None:
            return _nobody(NO_SESSION)
        login, user = found
        self._people.roster.see(login)
        project, rights = asked or DEFAULT_PROJECT, frozenset[Right]()
        refusal: BoxscoreError | None = None
        if asked is None and not roster.rights_of(user, project):
            project = next(iter(roster.projects_of(user)), project)
        rights = roster.rights_of(user, project)
        if not rights:
            refusal = NotFoundError("project", project)
        if scope["method"] not in _SAFE:
            sent = header(scope, CSRF)
            if not header(scope, b"origin") or not hmac.compare_digest(sent.encode(), csrf_of(token).encode()):
                refusal = RequestError(
                    "bad_token",
                    "this request changes something and does not prove that a page of this server sends it: send its "
                    "`Origin`, and in the header boxscore-csrf what /api/v1/session tells.",
                )
        return Caller(kind="user", name=f"user {user.name}", project=project, rights=rights, user=user, refusal=refusal)


def address_of(scope: Scope, *, behind_proxy: bool) -> str:
    """Whom wrong tries are counted for: the address of the client, or what a proxy in front of us says of it, which is
    the last entry of `X-Forwarded-For`. Of IPv6 the network of 64 bits, of which one client may have all."""
    client = scope.get("client")
    address = "" if client is None else client[0]
    if behind_proxy:
        told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]  # some proxies add their own
        address = (told[-1].decode("latin-1").rpartition(",")[2].strip() if told else "") or address
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found if isinstance(found, ipaddress.IPv4Address) else found.ipv4_mapped)


def _nobody(why: str) -> Caller:
    return Caller(
        kind="nobody", name="nobody", project=DEFAULT_PROJECT, rights=frozenset(), refusal=UnauthenticatedError(why)
    )


def _machine(roster: Roster, asked: str | None) -> Caller:
    project = asked or DEFAULT_PROJECT
    refusal = NotFoundError("project", project) if project not in roster.projects else None
    return Caller(kind="local", name="local", project=project, rights=roster.limited(ALL, project), refusal=refusal)


def _bearer(text: str) -> str | None:
    scheme, _, secret = text.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def _project(scope: Scope) -> str | None:
    """The project that is asked for by name: in the path, in the query, else in a header."""
    if scope["path"].startswith(_PROJECTS):
        return scope["path"][len(_PROJECTS) :].partition("/")[0]
    if b"project=" in scope["query_string"]:
        found = parse_qs(scope["query_string"].decode("latin-1")).get("project")
        if found:
            return found[0]
    return header(scope, b"boxscore-project") or None


def _cookies(scope: Scope) -> dict[str, str]:
    pairs = (part.partition("=") for part in header(scope, b"cookie").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removesuffix(".")
    except ValueError:
        return ""
