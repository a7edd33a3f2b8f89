"""Answers ready to be sent: status, headers and bytes."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from boxscore.providers.response import Response
from boxscore.testing.dialects import SEED, Asked, Dialect, whole_response, wire_text
from boxscore.testing.dialects.dialect import FILL
from boxscore.testing.faults import Fault
from boxscore.types import Json


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent: the bytes of a body or, as `parts`, of a stream."""

    status: int
    headers: dict[str, str]
    content_type: str
    body: bytes = b""
    parts: Iterator[bytes] | None = None


def said(dialect: Dialect, asked: Asked, answer: str | Response) -> Parcel:
    """A good answer, whole or streamed as it was asked for."""
    response, headers = whole_response(answer, asked), dialect.headers(asked)
    if asked.stream:
        parts = dialect.events(asked, response)
        return Parcel(status=200, headers=headers, content_type=dialect.stream_type, parts=parts)
    return json_parcel(200, dialect.whole(asked, response), headers)


def huge(dialect: Dialect, asked: Asked, size: int) -> Parcel:
    """A good answer with a text of `size` characters, which are made as they are sent."""
    parcel = said(dialect, msgspec.structs.replace(asked, huge=size), SEED)
    return parcel if parcel.parts else msgspec.structs.replace(parcel, parts=_grown(parcel.body, size))


def raw(dialect: Dialect, asked: Asked, status: int, body: Json, headers: Mapping[str, str] | None = None) -> Parcel:
    """What the script wrote itself; a text as a web page."""
    every = dialect.headers(asked) | dict(headers or {})
    if isinstance(body, str):
        return Parcel(status=status, headers=every, content_type="text/html; charset=utf-8", body=body.encode())
    return json_parcel(status, body, every)


def refusal(dialect: Dialect, asked: Asked, fault: Fault) -> Parcel:
    """An error in the dialect's own body."""
    headers = dialect.headers(asked)
    if fault.retry_after_s is not None:
        headers["retry-after"] = f"{fault.retry_after_s:g}"
    return json_parcel(fault.http_status, dialect.error(fault, asked), headers)


def models(path: str, names: Sequence[str]) -> Parcel | None:
    """The list of models, or the one that the path names; None where it names nothing."""
    if path.endswith("/models"):
        return json_parcel(200, {"object": "list", "data": [_model(name) for name in names], "has_more": False}, {})
    found = [name for name in names if path.endswith(f"/models/{name}")]
    return json_parcel(200, _model(found[0]), {}) if found else None


def json_parcel(status: int, body: Json, headers: dict[str, str]) -> Parcel:
    return Parcel(status=status, headers=headers, content_type="application/json", body=wire_text(body).encode())


def _grown(body: bytes, size: int) -> Iterator[bytes]:
    """A body whose text is `SEED` with a text of `size` characters in its place; one without any begins with as much
    white space."""
    before, found, after = body.partition(SEED.encode())
    fill = FILL.encode() if found else b" " * len(FILL)
    yield before if found else b""
    for start in range(0, size, len(fill)):
        yield fill[: size - start]
    yield after if found else before


def _model(name: str) -> Json:
    """A model as OpenAI and as Anthropic describe it, in one."""
    return {
        "id": name,
        "object": "model",
        "type": "model",
        "display_name": name,
        "owned_by": "boxscore",
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
    }
