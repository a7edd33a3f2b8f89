"""The JSON of what a store answers.

Field by field as the structs of `boxscore.store.spans` have it. Ids are lower-case hex. Money is a decimal string, for
exact sums; times and durations are whole nanoseconds as numbers, which JavaScript rounds to some hundred nanoseconds.
Bytes (the raw span, its resource and scope, in OTLP protobuf) are base64.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar, cast

import msgspec

from boxscore.errors import UsageError
from boxscore.types import Json

__all__ = ["decode", "encode"]

Kind = TypeVar("Kind")
_IDS = ("trace_id", "span_id", "parent_id")
_INNER = ("items", "points", "entry", "values")
"""Fields that hold structs; whatever else is a dictionary is the application's own."""

_encoder = msgspec.json.Encoder()


def encode(found: object) -> bytes:
    """The JSON of a struct, or of a list of them."""
    return _encoder.encode(_form(found))


def decode(body: bytes, kind: type[Kind]) -> Kind:
    """What `encode` was given; a `UsageError` that says where for what is no such JSON."""
    try:
        return msgspec.convert(_unform(msgspec.json.decode(body)), kind)
    except RecursionError:
        raise UsageError("the body is no JSON that is taken here: values lie in values too deep.") from None
    except ValueError as error:  # of msgspec, of an id that is no hex, of a text that is no UTF-8
        raise UsageError(f"the body is no JSON that is taken here: {error}.") from None


def _form(value: Json) -> Json:
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.asdict(value)
        for name, found in fields.items():
            if isinstance(found, bytes) and name in _IDS:
                fields[name] = found.hex()
            elif isinstance(found, Decimal):
                fields[name] = f"{found:f}"
        for name in _INNER:
            if name in fields:
                fields[name] = _form(fields[name])
        return fields
    if isinstance(value, list | tuple):
        return [_form(one) for one in cast("Sequence[Json]", value)]
    return f"{value:f}" if isinstance(value, Decimal) else value


def _unform(value: Json) -> Json:
    if isinstance(value, list):
        return [_unform(one) for one in cast("Sequence[Json]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Json]", value)
        for name in _IDS:
            if isinstance(fields.get(name), str):
                fields[name] = bytes.fromhex(fields[name])
        for name in _INNER:
            if name in fields:
                fields[name] = _unform(fields[name])
        return fields
    return value
