"""The JSON of what a store answers.

Field by field as the structs of `boxscore.store.spans` have it. Ids are lower-case hex. Money is a decimal string, for
exact sums; times and durations are whole nanoseconds as numbers, which JavaScript rounds to some hundred nanoseconds.
Bytes (the raw span, its resource and scope, in OTLP protobuf) are base64.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import TypeVar, Union, cast, get_args, get_origin

import msgspec

from boxscore.errors import UsageError
from boxscore.types import Json

__all__ = ["check_number", "decode", "encode"]

Kind = TypeVar("Kind")
_IDS = ("trace_id", "span_id", "parent_id")

_encoder = msgspec.json.Encoder()


def encode(found: object) -> bytes:
    """The JSON of a struct, or of a list of them."""
    return _encoder.encode(_form(found))


def decode(body: bytes, kind: type[Kind]) -> Kind:
    """What `encode` was given; a `UsageError` that says where for what is no such JSON."""
    try:
        return msgspec.convert(_unform(msgspec.json.decode(body), kind), kind)
    except RecursionError:
        raise UsageError("the body is no JSON that is taken here: values lie in values too deep.") from None
    except ValueError as error:  # of msgspec, of an id that is no hex, of a text that is no UTF-8
        raise UsageError(f"the body is no JSON that is taken here: {error}.") from None


def _form(value: Json) -> Json:
    """Structs, and lists of them, in structs; whatever is a dictionary is the application's own."""
    if isinstance(value, msgspec.Struct):
        fields = _named(value)
        for name, found in fields.items():
            if isinstance(found, bytes) and name in _IDS:
                fields[name] = found.hex()
            elif isinstance(found, Decimal | msgspec.Struct | list | tuple):
                fields[name] = _form(found)
        return fields
    if isinstance(value, list | tuple):
        return [_form(one) for one in cast("Sequence[Json]", value)]
    return f"{value:f}" if isinstance(value, Decimal) else value


def check_number(name: str, number: int) -> None:
    """`UsageError` for a whole number that no store holds."""
    if not -(2**63) <= number < 2**63:
        raise UsageError(f"{name} is {number:.3g}, and no whole number here has more than 64 bits.")


def _named(struct: msgspec.Struct) -> dict[str, Json]:
    """The fields of a struct, and its tag, by their names in JSON."""
    fields, config = msgspec.structs.asdict(struct), struct.__struct_config__
    if struct.__struct_encode_fields__ != struct.__struct_fields__:
        fields = dict(zip(struct.__struct_encode_fields__, fields.values(), strict=True))
    return fields if config.tag is None else {str(config.tag_field): config.tag, **fields}


def _unform(value: Json, kind: Json) -> Json:
    """The ids of structs as bytes, where the kind has structs."""
    if isinstance(value, list):
        items = _items(kind)
        listed = cast("list[Json]", value)
        return listed if items is None else [_unform(one, items) for one in listed]
    if isinstance(value, dict):
        fields = cast("dict[str, Json]", value)
        ids, numbers, inner = _fields(kind)
        for name in numbers:
            if isinstance(number := fields.get(name), int):
                check_number(name, number)
        for name in ids:
            if isinstance(fields.get(name), str):
                fields[name] = bytes.fromhex(fields[name])
        for name, inside in inner.items():
            if name in fields:
                fields[name] = _unform(fields[name], inside)
        return fields
    return value


@cache
def _items(kind: Json) -> Json:
    """The kind of what is in a list of that kind, None where it is no list of structs."""
    for part in _parts(kind):
        origin = get_origin(part)
        if isinstance(origin, type) and issubclass(origin, Sequence) and any(map(_is_struct, get_args(part))):
            return get_args(part)[0]
    return None


@cache
def _fields(kind: Json) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Json]]:
    """Of the struct that a kind is, or may be: the fields that are ids in bytes, whole numbers, and those that hold
    structs."""
    ids: list[str] = []
    numbers: list[str] = []
    inner: dict[str, Json] = {}
    for part in filter(_is_struct, _parts(kind)):
        for field in msgspec.structs.fields(part):
            if field.name in _IDS and bytes in (field.type, *get_args(field.type)):
                ids.append(field.name)
            elif int in _parts(field.type):
                numbers.append(field.encode_name)
            elif _items(field.type) is not None or any(map(_is_struct, _parts(field.type))):
                inner[field.encode_name] = field.type
    return tuple(ids), tuple(numbers), inner


def _parts(kind: Json) -> tuple[Json, ...]:
    """What a kind may be: the members of a union."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _is_struct(kind: Json) -> bool:
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
