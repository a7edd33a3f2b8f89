"""Attribute values: OTLP's `AnyValue` in protobuf, read to plain Python only where somebody asks.

Source: opentelemetry-proto, `common/v1/common.proto`.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from boxscore.types import Json

__all__ = ["DEPTH", "attributes_of", "object_of", "read_value"]

DEPTH = 32
_STRING, _INT, _DOUBLE = 0x0A, 0x18, 0x21
_double = struct.Struct("<d").unpack_from


class _BrokenError(ValueError):
    """The bytes are no protobuf."""


def read_value(data: bytes, depth: int = DEPTH) -> Json:
    """The value of an encoded `AnyValue`: str, bool, int, float, bytes, list, dict, or None where there is none, where
    it is nested deeper than `depth`, and where the bytes are no protobuf. Text that is no UTF-8 is read with
    replacement characters."""
    if not data:
        return None
    try:
        kind, size = data[0], len(data)  # what nearly all of them are, without a loop
        if kind == _STRING:
            if data[1] < 128:
                if size == data[1] + 2:
                    return data[2:].decode("utf-8", "replace")
            elif data[2] < 128 and size == (data[1] & 127 | data[2] << 7) + 3:
                return data[3:].decode("utf-8", "replace")
        elif kind == _INT:
            if size == 2 and data[1] < 128:
                return data[1]
            if size == 3 and data[2] < 128:
                return data[1] & 127 | data[2] << 7
        elif kind == _DOUBLE and size == 9:
            return _double(data, 1)[0]
        return _any(data, depth)
    except (_BrokenError, IndexError, struct.error):
        return None


def object_of(value: Json) -> Mapping[str, Json]:
    """A value that is an object, or JSON text of one; empty where it is none."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return {}
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}


def attributes_of(data: bytes, number: int) -> Mapping[str, bytes]:
    """The `KeyValue`s of field `number` of a message, with their values still encoded."""
    found: dict[str, bytes] = {}
    try:
        for tag, part in _fields(data):
            if tag == number << 3 | 2:
                key, value = _pair(part)
                found[key] = value
    except (_BrokenError, IndexError, struct.error):
        return found
    return found


def _any(data: bytes, depth: int) -> Json:
    if depth < 0:
        return None
    value: Json = None
    for tag, part in _fields(data):
        match tag:
            case 0x0A:
                value = part.decode("utf-8", "replace")
            case 0x10:
                value = bool(_varint(part, 0)[0])
            case 0x18:
                number = _varint(part, 0)[0] & 0xFFFF_FFFF_FFFF_FFFF
                value = number - (1 << 64) if number >> 63 else number
            case 0x21:
                value = _double(part)[0]
            case 0x2A:
                value = [_any(item, depth - 1) for inner, item in _fields(part) if inner == 0x0A]
            case 0x32:
                pairs = (_pair(item) for inner, item in _fields(part) if inner == 0x0A)
                value = {key: _any(item, depth - 1) for key, item in pairs}
            case 0x3A:
                value = part
            case _:
                pass  # a field of a later version: the raw span keeps it
    return value


def _pair(data: bytes) -> tuple[str, bytes]:
    key, value = "", b""
    for tag, part in _fields(data):
        if tag == 0x0A:
            key = part.decode("utf-8", "replace")
        elif tag == 0x12:
            value = part
    return key, value


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of each field of a message; a varint's bytes are the varint itself."""
    i, end = 0, len(data)
    while i < end:
        tag, i = _varint(data, i)
        kind = tag & 7
        if kind == 2:
            size, i = _varint(data, i)
            stop = i + size
        elif kind == 0:
            stop = _varint(data, i)[1]
        elif kind == 1:
            stop = i + 8
        elif kind == 5:
            stop = i + 4
        else:
            raise _BrokenError
        if stop > end:
            raise _BrokenError
        yield tag, data[i:stop]
        i = stop


def _varint(data: bytes, i: int) -> tuple[int, int]:
    byte = data[i]
    if byte < 128:
        return byte, i + 1
    number, shift = byte & 127, 7
    while shift < 70:
        i += 1
        byte = data[i]
        number |= (byte & 127) << shift
        if byte < 128:
            return number, i + 1
        shift += 7
    raise _BrokenError
