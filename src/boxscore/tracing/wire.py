"""Protobuf messages of our own over OTLP's wire format: spans stay bytes, attributes a map to bytes.

Reading a request so leaves the spans as they came, which is what the store keeps, and makes no Python object of an
attribute that nobody asks for. Source of the numbers: opentelemetry-proto, `trace/v1/trace.proto` and
`collector/trace/v1/trace_service.proto`. A `repeated KeyValue` and a `map<string, bytes>` are the same on the wire: of
a key that comes twice the last value counts.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

__all__ = ["BrokenWireError", "EventMessage", "ResourceSpans", "SpanMessage", "read_request", "read_span"]

BrokenWireError = DecodeError


class ScopeSpans(Protocol):
    scope: bytes
    spans: Sequence[bytes]


class ResourceSpans(Protocol):
    """The spans of one resource, by scope."""

    resource: bytes
    scope_spans: Sequence[ScopeSpans]


class _Request(Protocol):
    resource_spans: Sequence[ResourceSpans]


class EventMessage(Protocol):
    time: int
    name: bytes
    attributes: Mapping[str, bytes]


class _Status(Protocol):
    message: bytes
    code: int


class SpanMessage(Protocol):
    """A span whose attribute values are still encoded. Texts are bytes, so that what is no UTF-8 can be mended."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: bytes
    start: int
    end: int
    attributes: Mapping[str, bytes]
    events: Sequence[EventMessage]
    status: _Status


class _Parser(Protocol):
    def FromString(self, data: bytes, /) -> object: ...  # noqa: N802 - protobuf's name


_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "boxscore.tracing"


def _field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    kind: "_Field.Type.ValueType",
    *,
    of: str | None = None,
    repeated: bool = False,
) -> None:
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    message.field.add(
        name=name, number=number, type=kind, label=label, type_name=f".{_PACKAGE}.{of}" if of is not None else None
    )


def _attributes(message: descriptor_pb2.DescriptorProto, number: int) -> None:
    entry = message.nested_type.add(name="AttributesEntry")
    entry.options.map_entry = True
    _field(entry, "key", 1, _Field.TYPE_STRING)
    _field(entry, "value", 2, _Field.TYPE_BYTES)
    of = f"{message.name}.AttributesEntry"
    _field(message, "attributes", number, _Field.TYPE_MESSAGE, of=of, repeated=True)


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="boxscore/tracing.proto", package=_PACKAGE, syntax="proto3")
    request = file.message_type.add(name="Request")
    _field(request, "resource_spans", 1, _Field.TYPE_MESSAGE, of="ResourceSpans", repeated=True)
    resource = file.message_type.add(name="ResourceSpans")
    _field(resource, "resource", 1, _Field.TYPE_BYTES)
    _field(resource, "scope_spans", 2, _Field.TYPE_MESSAGE, of="ScopeSpans", repeated=True)
    scope = file.message_type.add(name="ScopeSpans")
    _field(scope, "scope", 1, _Field.TYPE_BYTES)
    _field(scope, "spans", 2, _Field.TYPE_BYTES, repeated=True)
    span = file.message_type.add(name="Span")
    _field(span, "trace_id", 1, _Field.TYPE_BYTES)
    _field(span, "span_id", 2, _Field.TYPE_BYTES)
    _field(span, "parent_span_id", 4, _Field.TYPE_BYTES)
    _field(span, "name", 5, _Field.TYPE_BYTES)
    _field(span, "start", 7, _Field.TYPE_FIXED64)
    _field(span, "end", 8, _Field.TYPE_FIXED64)
    _attributes(span, 9)
    _field(span, "events", 11, _Field.TYPE_MESSAGE, of="Event", repeated=True)
    _field(span, "status", 15, _Field.TYPE_MESSAGE, of="Status")
    event = file.message_type.add(name="Event")
    _field(event, "time", 1, _Field.TYPE_FIXED64)
    _field(event, "name", 2, _Field.TYPE_BYTES)
    _attributes(event, 3)
    status = file.message_type.add(name="Status")
    _field(status, "message", 2, _Field.TYPE_BYTES)
    _field(status, "code", 3, _Field.TYPE_INT32)
    return file


def _parsers() -> tuple[_Parser, _Parser]:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())  # pyright: ignore[reportUnknownMemberType]
    request, span = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in ("Request", "Span")
    )
    return cast("_Parser", request), cast("_Parser", span)


_request, _span = _parsers()


def read_request(body: bytes) -> Sequence[ResourceSpans]:
    """The spans of an `ExportTraceServiceRequest`, by resource and scope. `BrokenWireError` when it is none."""
    return cast("_Request", _request.FromString(body)).resource_spans


def read_span(raw: bytes) -> SpanMessage:
    """`BrokenWireError` when the bytes are no span, or a key in it is no UTF-8."""
    return cast("SpanMessage", _span.FromString(raw))
