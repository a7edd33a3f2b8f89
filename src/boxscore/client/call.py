"""A question to a server, and its answer: what is sent and how it is read, without sending it."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from boxscore import errors, settings
from boxscore.client.forms import decode, encode
from boxscore.client.place import find_place
from boxscore.errors import BoxscoreError, OperationError
from boxscore.providers.transport import Reply, check_url
from boxscore.settings import Secret
from boxscore.store.spans import Condition
from boxscore.types import Json

__all__ = ["Address", "Call", "ask", "error_of", "path", "put", "read", "send", "written"]

Found = TypeVar("Found")


class Call(msgspec.Struct, Generic[Found], frozen=True, kw_only=True):
    """`kind` is what is answered: None for nothing, `bytes` as it came. `path` is below `/api/v1`, and quoted already.
    `once`: it makes something, and is sent with an idempotency key."""

    method: str
    path: str
    kind: type[Found]
    query: Mapping[str, object] = {}
    body: bytes = b""
    media: str | None = None
    once: bool = False


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and what goes with every request to it: the key that opens it, and the project that is meant."""

    url: str
    headers: Mapping[str, str] = {}

    @classmethod
    def of(cls, url: str | None, key: str | None = None, project: str | None = None) -> "Address":
        """With what is None as the settings say; without a URL there, the server that owns the folder of the stores.
        `SpecError` for an address that is none, `OperationError` where there is no server."""
        chosen = settings.load()
        if url is None and chosen.url is None:
            place = find_place(settings.home(chosen))
            if place is None:
                raise OperationError(
                    "no server is known: start one with `boxscore serve`, or name one by `url` or BOXSCORE_URL."
                )
            url = place.url
        found = msgspec.structs.replace(
            chosen, api_key=Secret(key) if key else chosen.api_key, project=project or chosen.project
        )
        return cls(url=check_url(url or chosen.url or "", key="BOXSCORE_URL"), headers=settings.headers(found))

    def __repr__(self) -> str:
        return f"Address({self.url!r})"  # the headers hold the key

    def sent(self, call: Call[Found]) -> tuple[str, dict[str, str]]:
        """The address to send the call to, and its headers."""
        headers = dict(self.headers)
        if call.media is not None:
            headers["content-type"] = call.media
        if call.once:
            headers["idempotency-key"] = uuid.uuid4().hex
        query = urlencode(list(_pairs(call.query)), quote_via=quote)
        return f"{self.url}/api/v1{call.path}{'?' if query else ''}{query}", headers


def path(*parts: object) -> str:
    """The path of those parts, each quoted."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def ask(kind: type[Found], path: str, /, **query: object) -> Call[Found]:
    return Call(method="GET", path=path, kind=kind, query=query)


def send(kind: type[Found], path: str, body: object = None, *, method: str = "POST", once: bool = True) -> Call[Found]:
    """A write, whose body is JSON where there is one."""
    media, sent = (None, b"") if body is None else ("application/json", encode(body))
    return Call(method=method, path=path, kind=kind, body=sent, media=media, once=once and method == "POST")


def put(kind: type[Found], path: str, body: object) -> Call[Found]:
    return send(kind, path, body, method="PUT")


def read(call: Call[Found], reply: Reply, url: str) -> Found:
    """What was answered; the error that the server met, as a leaf of the same tree."""
    if not 200 <= reply.status < 300:
        raise _error(reply, url)
    if call.kind is bytes:
        return reply.body  # type: ignore[return-value]
    if call.kind is type(None):
        return None  # type: ignore[return-value]
    try:
        return decode(reply.body, call.kind)
    except errors.UsageError as error:
        raise OperationError(
            f"{url} answers what this Boxscore cannot read ({error}): is it another version, or no Boxscore?"
        ) from error


def written(condition: Condition) -> str:
    """The condition as `parse_condition` reads it."""
    value = condition.value
    if isinstance(value, Decimal):
        return f"{condition.field}{condition.operator}{value:f}"
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"{condition.field}{condition.operator}{text}"


def _pairs(asked: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in asked.items():
        if isinstance(value, str) or not isinstance(value, Sequence):
            if value is not None:
                yield name, _text(value)
        else:
            for one in value:  # pyright: ignore[reportUnknownVariableType]
                yield name, _text(one)  # pyright: ignore[reportUnknownArgumentType]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Condition):
        return written(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


class _Said(msgspec.Struct):
    error: dict[str, Json]


def error_of(body: bytes) -> BoxscoreError:
    """The error that a body of `{"error": …}` tells, as a leaf of the same tree. `MsgspecError` or `KeyError` where it
    tells none."""
    data = msgspec.json.decode(body, type=_Said).error
    code, message = str(data.pop("code")), str(data.pop("message"))
    kinds: Iterator[Any] = map(vars(errors).get, errors.__all__)
    kind: type[BoxscoreError] = next((kind for kind in kinds if getattr(kind, "code", None) == code), OperationError)
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    vars(error).update(data)
    return error


def _error(reply: Reply, url: str) -> BoxscoreError:
    try:
        return error_of(reply.body)
    except (msgspec.MsgspecError, KeyError):
        return OperationError(f"{url} answers with status {reply.status}, and not as Boxscore does: is it one?")
