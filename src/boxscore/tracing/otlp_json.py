"""OTLP/JSON to OTLP protobuf, span by span: what follows has one format to read, and the store one to keep.

Source: the OTLP specification, "JSON Protobuf Encoding": ids in hex, other bytes in base64, names in lowerCamelCase,
64-bit numbers as text or numbers, unknown names ignored.
"""

import base64
import binascii
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

__all__ = ["JsonGroup", "encode_resource", "encode_scope", "encode_span", "read_groups", "varint"]

_fixed64 = struct.Struct("<Q").pack
_fixed32 = struct.Struct("<I").pack
_double = struct.Struct("<d").pack
_SIZES = tuple(bytes([size]) for size in range(128))
_U64, _U32 = 1 << 64, 1 << 32
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_ENUMS = {f"SPAN_KIND_{name}": n for n, name in enumerate(_KINDS)} | {
    f"STATUS_CODE_{name}": n for n, name in enumerate(("UNSET", "OK", "ERROR"))
}


class _Object(msgspec.Struct, rename="camel"):
    pass


class _Value(_Object):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: "_Array | None" = None
    kvlist_value: "_Map | None" = None
    bytes_value: str | None = None


class _KeyValue(_Object):
    key: str = ""
    value: _Value | None = None


class _Array(_Object):
    values: list[_Value] = []


class _Map(_Object):
    values: list[_KeyValue] = []


class _Event(_Object):
    time_unix_nano: int | str = 0
    name: str = ""
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str = 0


class _Link(_Object):
    trace_id: str = ""
    span_id: str = ""
    trace_state: str = ""
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str = 0
    flags: int | str = 0


class _Status(_Object):
    message: str = ""
    code: int | str = 0


class _Span(_Object):
    trace_id: str = ""
    span_id: str = ""
    trace_state: str = ""
    parent_span_id: str | None = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str | None = 0
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str = 0
    events: list[_Event] = []
    dropped_events_count: int | str = 0
    links: list[_Link] = []
    dropped_links_count: int | str = 0
    status: _Status | None = None
    flags: int | str = 0


class _Resource(_Object):
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str = 0


class _Scope(_Object):
    name: str = ""
    version: str = ""
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str = 0


class _ScopeSpans(_Object):
    scope: _Scope | None = None
    spans: list[msgspec.Raw] = []


class _ResourceSpans(_Object):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] = []


class _Request(_Object):
    resource_spans: list[_ResourceSpans] = []


_requests = msgspec.json.Decoder(_Request)
_spans = msgspec.json.Decoder(_Span)


class JsonGroup(NamedTuple):
    """Spans of one resource and scope, these encoded, those still JSON."""

    resource: bytes
    scope: bytes
    spans: Sequence[msgspec.Raw]


def read_groups(body: bytes) -> Iterator[JsonGroup]:
    """The spans of an `ExportTraceServiceRequest` in JSON. `ValueError` (or `RecursionError`) when it is none."""
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode("utf-8", "replace").encode()
    for resource in _requests.decode(body).resource_spans:
        encoded = encode_resource(resource.resource)
        for scope in resource.scope_spans:
            yield JsonGroup(encoded, encode_scope(scope.scope), scope.spans)


def encode_resource(resource: _Resource | None) -> bytes:
    out = bytearray()
    if resource is not None:
        _attributes(out, 0x0A, resource.attributes)
        _count(out, 0x10, resource.dropped_attributes_count)
    return bytes(out)


def encode_scope(scope: _Scope | None) -> bytes:
    out = bytearray()
    if scope is not None:
        _text(out, 0x0A, scope.name)
        _text(out, 0x12, scope.version)
        _attributes(out, 0x1A, scope.attributes)
        _count(out, 0x20, scope.dropped_attributes_count)
    return bytes(out)


def encode_span(raw: msgspec.Raw) -> bytes:
    """One span in protobuf, fields in the order of their numbers. `ValueError` (or `RecursionError`) when it is no
    span: a wrong type, a number out of range, an id that is no hex."""
    span = _spans.decode(raw)
    out = bytearray()
    _bytes(out, 0x0A, _id(span.trace_id))
    _bytes(out, 0x12, _id(span.span_id))
    _text(out, 0x1A, span.trace_state)
    _bytes(out, 0x22, _id(span.parent_span_id or ""))
    _text(out, 0x2A, span.name)
    _count(out, 0x30, _ENUMS.get(span.kind, span.kind) if isinstance(span.kind, str) else span.kind)
    _time(out, 0x39, span.start_time_unix_nano)
    _time(out, 0x41, span.end_time_unix_nano or 0)
    _attributes(out, 0x4A, span.attributes)
    _count(out, 0x50, span.dropped_attributes_count)
    for event in span.events:
        inner = bytearray()
        _time(inner, 0x09, event.time_unix_nano)
        _text(inner, 0x12, event.name)
        _attributes(inner, 0x1A, event.attributes)
        _count(inner, 0x20, event.dropped_attributes_count)
        _message(out, 0x5A, inner)
    _count(out, 0x60, span.dropped_events_count)
    for link in span.links:
        inner = bytearray()
        _bytes(inner, 0x0A, _id(link.trace_id))
        _bytes(inner, 0x12, _id(link.span_id))
        _text(inner, 0x1A, link.trace_state)
        _attributes(inner, 0x22, link.attributes)
        _count(inner, 0x28, link.dropped_attributes_count)
        _fixed(inner, b"\x35", link.flags)
        _message(out, 0x6A, inner)
    _count(out, 0x70, span.dropped_links_count)
    if span.status is not None:
        inner = bytearray()
        _text(inner, 0x12, span.status.message)
        code = span.status.code
        _count(inner, 0x18, _ENUMS.get(code, code) if isinstance(code, str) else code)
        _message(out, 0x7A, inner)
    _fixed(out, b"\x85\x01", span.flags)
    return bytes(out)


def _id(text: str) -> bytes:
    return bytes.fromhex(text)


def varint(number: int) -> bytes:
    """A number, zero or more, in the wire's own form."""
    out = bytearray()
    _varint(out, number)
    return bytes(out)


def _varint(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _message(out: bytearray, tag: int, data: bytes | bytearray) -> None:
    out.append(tag)
    _varint(out, len(data))
    out += data


def _bytes(out: bytearray, tag: int, data: bytes) -> None:
    if data:
        _message(out, tag, data)


def _text(out: bytearray, tag: int, text: str) -> None:
    if text:
        _message(out, tag, text.encode("utf-8", "replace"))


def _number(value: int | str, limit: int) -> int:
    number = int(value)
    if not 0 <= number < limit:
        raise ValueError(f"{number} is out of range")
    return number


def _count(out: bytearray, tag: int, value: int | str) -> None:
    if number := _number(value, _U32):
        out.append(tag)
        _varint(out, number)


def _time(out: bytearray, tag: int, value: int | str) -> None:
    if number := _number(value, _U64):
        out.append(tag)
        out += _fixed64(number)


def _fixed(out: bytearray, tag: bytes, value: int | str) -> None:
    if number := _number(value, _U32):
        out += tag
        out += _fixed32(number)


def _attributes(out: bytearray, tag: int, attributes: list[_KeyValue]) -> None:
    for attribute in attributes:
        _message(out, tag, _pair(attribute))


def _pair(attribute: _KeyValue) -> bytes:
    name = attribute.key
    key = _key(name) if len(name) < 128 else _encoded_key(name)
    return key if attribute.value is None else key + b"\x12" + _sized(_value(attribute.value))


def _encoded_key(name: str) -> bytes:
    out = bytearray()
    _text(out, 0x0A, name)
    return bytes(out)


_key = lru_cache(maxsize=4_096)(_encoded_key)


def _sized(data: bytes) -> bytes:
    size = len(data)
    if size < 128:
        return _SIZES[size] + data
    return varint(size) + data


def _value(value: _Value) -> bytes:
    if value.string_value is not None:
        return b"\x0a" + _sized(value.string_value.encode("utf-8", "replace"))
    if value.bool_value is not None:
        return b"\x10\x01" if value.bool_value else b"\x10\x00"
    if value.int_value is not None:
        number = int(value.int_value)
        if not -(_U64 >> 1) <= number < _U64 >> 1:
            raise ValueError(f"{number} is out of range")
        return b"\x18" + varint(number % _U64)
    if value.double_value is not None:
        return b"\x21" + _double(float(value.double_value))
    if value.array_value is not None:
        return b"\x2a" + _sized(b"".join(b"\x0a" + _sized(_value(item)) for item in value.array_value.values))
    if value.kvlist_value is not None:
        return b"\x32" + _sized(b"".join(b"\x0a" + _sized(_pair(item)) for item in value.kvlist_value.values))
    if value.bytes_value is not None:
        try:
            return b"\x3a" + _sized(base64.b64decode(value.bytes_value, validate=True))
        except binascii.Error as error:
            raise ValueError("bytes that are no base64") from error
    return b""
