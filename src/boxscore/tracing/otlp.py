"""OTLP requests to spans: raw bytes kept, attributes unread, and what cannot be a span counted with its reason."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from boxscore.errors import UnreadableTracesError
from boxscore.store.spans import SpanRow
from boxscore.tracing.limits import Limits
from boxscore.tracing.otlp_json import encode_span, read_groups, varint
from boxscore.tracing.wire import BrokenWireError, EventMessage, ResourceSpans, read_request, read_span

__all__ = ["Batch", "Span", "answer_json", "answer_protobuf", "read_json", "read_protobuf", "read_stored"]

_Part = TypeVar("_Part")
_LATEST = (1 << 63) - 1  # nanoseconds, in the year 2262: what a signed column holds
_ERROR = 2
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


class Span(msgspec.Struct, frozen=True, gc=False):
    """A span of a request. Times as in `SpanRow`. The values of `attributes` are encoded (`values.read_value`), `raw`,
    `resource` and `scope` the OTLP protobuf messages as they came."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    name: str
    start_ns: int
    duration_ns: int | None
    error: bool
    status_message: str | None
    attributes: Mapping[str, bytes]
    events: Sequence[EventMessage]
    raw: bytes
    resource: bytes
    scope: bytes


class Batch(NamedTuple):
    """What a request held. `rejected` counts, by reason, the spans that no sending again will make good."""

    spans: list[Span]
    rejected: dict[str, int]

    @property
    def message(self) -> str:
        """The rejections in one sentence, or nothing."""
        return "; ".join(f"{count} of the spans: {reason}" for reason, count in self.rejected.items())


class _BadSpanError(ValueError):
    """A span that cannot be stored; the text is the reason."""


_USUAL = Limits()


def read_protobuf(body: bytes, limits: Limits = _USUAL) -> Batch:
    """The spans of an `ExportTraceServiceRequest` in protobuf. `UnreadableTracesError` when the body is none."""
    try:
        groups = read_request(body)
    except BrokenWireError as error:
        raise UnreadableTracesError(
            "protobuf", "the bytes end in the middle of a field, or are another format"
        ) from error
    return _batch(_parts(groups), bytes, limits)


def read_json(body: bytes, limits: Limits = _USUAL) -> Batch:
    """As `read_protobuf`, for OTLP/JSON; the raw bytes of the spans are what the same spans in protobuf would be."""
    try:
        groups = list(read_groups(body))
    except RecursionError as error:
        raise UnreadableTracesError("JSON", "values lie in values too deep to be read") from error
    except ValueError as error:
        raise UnreadableTracesError("JSON", str(error)) from error
    return _batch(
        ((raw, group.resource, group.scope) for group in groups for raw in group.spans),
        encode_span,
        limits,
    )


def _parts(groups: Sequence[ResourceSpans]) -> Iterator[tuple[bytes, bytes, bytes]]:
    for group in groups:
        resource = group.resource  # read once: every look makes a new object
        for spans in group.scope_spans:
            scope = spans.scope
            for raw in spans.spans:
                yield raw, resource, scope


def _batch(parts: Iterator[tuple[_Part, bytes, bytes]], encode: Callable[[_Part], bytes], limits: Limits) -> Batch:
    spans: list[Span] = []
    rejected: dict[str, int] = {}
    for part, resource, scope in parts:
        try:
            if len(spans) >= limits.spans:
                raise _BadSpanError(f"more than {limits.spans} in one request")
            spans.append(_read(encode(part), resource, scope, limits))
        except _BadSpanError as error:
            reason = str(error)
        except BrokenWireError:
            reason = "not a span, or a key that is no UTF-8"
        except RecursionError:
            reason = "values nested too deep"
        except ValueError:
            reason = "not a span: a wrong type, a number out of range or an id that is no hex"
        else:
            continue
        rejected[reason] = rejected.get(reason, 0) + 1
    return Batch(spans, rejected)


def _read(raw: bytes, resource: bytes, scope: bytes, limits: Limits) -> Span:
    if len(raw) > limits.span_bytes:
        raise _BadSpanError(f"larger than {limits.span_bytes} bytes")
    if len(resource) + len(scope) > limits.around_bytes:
        raise _BadSpanError(f"resource and scope larger than {limits.around_bytes} bytes")
    message = read_span(raw)
    trace_id, span_id, parent_id = message.trace_id, message.span_id, message.parent_span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise _BadSpanError("a trace id is 16 bytes that are not all zero")
    if len(span_id) != 8 or span_id == _NO_SPAN:
        raise _BadSpanError("a span id is 8 bytes that are not all zero")
    if parent_id and len(parent_id) != 8:
        raise _BadSpanError("the span id of a parent is 8 bytes")
    start, end = message.start, message.end
    if not 0 < start <= _LATEST or end > _LATEST:
        raise _BadSpanError("a start is nanoseconds after 1970 and before 2262")
    attributes, events = message.attributes, message.events
    if len(attributes) > limits.attributes:
        raise _BadSpanError(f"more than {limits.attributes} attributes")
    if len(events) > limits.events:
        raise _BadSpanError(f"more than {limits.events} events")
    status = message.status
    return Span(
        trace_id,
        span_id,
        parent_id if parent_id and parent_id != _NO_SPAN else None,
        message.name.decode("utf-8", "replace"),
        start,
        end - start if end >= start else None,
        status.code == _ERROR,
        status.message.decode("utf-8", "replace") or None,
        attributes,
        events,
        raw,
        resource,
        scope,
    )


def read_stored(row: SpanRow) -> Span | None:
    """The span that a row was made from, None where its raw bytes are none."""
    try:
        return _read(row.raw, row.resource, row.scope, _USUAL)
    except (BrokenWireError, ValueError, RecursionError):
        return None


def answer_protobuf(batch: Batch) -> bytes:
    """The `ExportTraceServiceResponse` to a batch: empty when all was taken, a partial success otherwise."""
    if not batch.rejected:
        return b""
    text = batch.message.encode()
    part = b"\x08" + varint(sum(batch.rejected.values())) + b"\x12" + varint(len(text)) + text
    return b"\x0a" + varint(len(part)) + part


def answer_json(batch: Batch) -> bytes:
    if not batch.rejected:
        return b"{}"
    told = {"rejectedSpans": str(sum(batch.rejected.values())), "errorMessage": batch.message}
    return msgspec.json.encode({"partialSuccess": told})
