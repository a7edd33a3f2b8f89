"""The JSON of what a store answers.

Field by field as the structs of `boxscore.store.spans` have it. Ids are lower-case hex. Money is a decimal string, for
exact sums; times and durations are whole nanoseconds as numbers, which JavaScript rounds to some hundred nanoseconds.
Bytes (the raw span, its resource and scope, in OTLP protobuf) are base64.
"""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

__all__ = ["decode", "encode"]

Kind = TypeVar("Kind")
_IDS = ("trace_id", "span_id", "parent_id")
_INNER = ("items", "points", "entry")
"""Fields that hold structs; whatever else is a dictionary is the application's own."""

_encoder = msgspec.json.Encoder()


def encode(found: object) -> bytes:
    """The JSON of a struct, or of a list of them."""
    return _encoder.encode(_form(found))


def decode(body: bytes, kind: type[Kind]) -> Kind:
    """What `encode` was given. `msgspec.MsgspecError` or `ValueError` for what is no such JSON."""
    return msgspec.convert(_unform(msgspec.json.decode(body)), kind)


def _form(value: Any) -> Any:
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
    return [_form(one) for one in value] if isinstance(value, list | tuple) else value


def _unform(value: Any) -> Any:
    if isinstance(value, list):
        return [_unform(one) for one in value]
    if isinstance(value, dict):
        for name in _IDS:
            if (found := value.get(name)) is not None:
                value[name] = bytes.fromhex(found)
        for name in _INNER:
            if name in value:
                value[name] = _unform(value[name])
    return value
