"""Spans in, over OTLP: the same in protobuf and in JSON, and hostile ones counted."""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from boxscore.errors import UnreadableTracesError
from boxscore.tracing import Batch, Limits, answer_json, answer_protobuf, read_json, read_protobuf, read_value

TRACE, SPAN, PARENT = bytes(range(16)), bytes(range(1, 9)), bytes(range(2, 10))
START = 1_790_000_000_000_000_000
U64, U32 = (1 << 64) - 1, (1 << 32) - 1

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.one_of(
    st.builds(lambda v: AnyValue(string_value=v), texts),
    st.builds(lambda v: AnyValue(bool_value=v), st.booleans()),
    st.builds(lambda v: AnyValue(int_value=v), st.integers(-(1 << 63), (1 << 63) - 1)),
    st.builds(lambda v: AnyValue(double_value=v), st.floats(allow_nan=False)),
    st.builds(lambda v: AnyValue(bytes_value=v), st.binary(max_size=20)),
    st.just(AnyValue()),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda v: AnyValue(array_value=ArrayValue(values=v)), st.lists(inner, max_size=3)),
        st.builds(
            lambda v: AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=i) for k, i in v.items()])),
            st.dictionaries(texts, inner, max_size=3),
        ),
    ),
    max_leaves=6,
)
attributes = st.dictionaries(texts, values, max_size=4).map(
    lambda found: [KeyValue(key=key, value=value) for key, value in found.items()]
)
times = st.integers(1, (1 << 63) - 1)
ids = st.binary(min_size=8, max_size=8).filter(any)
spans = st.builds(
    Span,
    trace_id=st.binary(min_size=16, max_size=16).filter(any),
    span_id=ids,
    parent_span_id=ids | st.just(b""),
    trace_state=texts,
    name=texts,
    kind=st.integers(0, 5),
    start_time_unix_nano=times,
    end_time_unix_nano=times | st.just(0),
    attributes=attributes,
    dropped_attributes_count=st.integers(0, U32),
    events=st.lists(
        st.builds(Span.Event, time_unix_nano=st.integers(0, U64), name=texts, attributes=attributes), max_size=2
    ),
    links=st.lists(st.builds(Span.Link, trace_id=st.binary(max_size=16), attributes=attributes), max_size=1),
    flags=st.integers(0, U32),
)


def request(*some: Span, service: str = "shop") -> ExportTraceServiceRequest:
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=some)])
    group.resource.attributes.add(key="service.name").value.string_value = service
    group.scope_spans[0].scope.name = "tests"
    return ExportTraceServiceRequest(resource_spans=[group])


def as_otlp_json(message: ExportTraceServiceRequest) -> bytes:
    """Protobuf's own JSON, with the ids in hex as OTLP wants them."""
    document: dict[str, Any] = MessageToDict(message)
    for group in document.get("resourceSpans", []):
        for scope in group.get("scopeSpans", []):
            for span in scope.get("spans", []):
                for holder in (span, *span.get("links", [])):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = base64.b64decode(holder[key]).hex()
    return json.dumps(document).encode()


def a_span(**fields: Any) -> Span:
    usual = {"trace_id": TRACE, "span_id": SPAN, "name": "chat", "start_time_unix_nano": START}
    return Span(**{**usual, **fields})


def plain(values: Mapping[str, bytes]) -> dict[str, Any]:
    return {key: read_value(value) for key, value in values.items()}


def official(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [official(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: official(item.value) for item in value.kvlist_value.values}
    return getattr(value, kind)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spans, max_size=3))
def test_a_request_reads_the_same_in_protobuf_and_in_json_to_the_last_raw_byte(some: list[Span]) -> None:
    message = request(*some)

    binary = read_protobuf(message.SerializeToString(deterministic=True))
    text = read_json(as_otlp_json(message))

    assert binary.rejected == text.rejected == {}
    assert [span.raw for span in binary.spans] == [span.raw for span in text.spans]
    assert [span.resource for span in binary.spans] == [span.resource for span in text.spans]
    assert [span.scope for span in binary.spans] == [span.scope for span in text.spans]


@given(spans)
def test_every_value_is_read_as_the_official_messages_read_it(span: Span) -> None:
    (read,) = read_protobuf(request(span).SerializeToString()).spans

    assert plain(read.attributes) == {item.key: official(item.value) for item in span.attributes}
    assert [plain(event.attributes) for event in read.events] == [
        {item.key: official(item.value) for item in event.attributes} for event in span.events
    ]
    assert (read.trace_id, read.span_id, read.parent_id or b"") == (span.trace_id, span.span_id, span.parent_span_id)
    assert (read.name, read.start_ns) == (span.name, span.start_time_unix_nano)
    assert Span.FromString(read.raw) == span


def test_a_span_without_an_end_or_with_one_before_its_start_has_no_duration() -> None:
    ends = [0, START - 1, START, START + 5]

    read = read_protobuf(request(*[a_span(end_time_unix_nano=end) for end in ends]).SerializeToString())

    assert [span.duration_ns for span in read.spans] == [None, None, 0, 5]


def test_numbers_of_64_bits_may_be_text_or_numbers_in_json() -> None:
    body = {"traceId": TRACE.hex().upper(), "spanId": SPAN.hex(), "startTimeUnixNano": str(START), "name": "x"}
    body["attributes"] = [
        {"key": "a", "value": {"intValue": "9007199254740993"}},
        {"key": "b", "value": {"intValue": 7}},
    ]
    body["aFieldOfALaterVersion"] = {"anything": [1]}

    (span,) = read_json(in_json(body)).spans

    assert plain(span.attributes) == {"a": 9007199254740993, "b": 7}
    assert span.start_ns == START


def in_json(*some: Mapping[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": some}]}]}).encode()


GOOD = {"traceId": TRACE.hex(), "spanId": SPAN.hex(), "name": "good", "startTimeUnixNano": START}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"traceId": "0" * 32}, "trace id"),
        ({"traceId": ""}, "trace id"),
        ({"spanId": "0" * 16}, "span id"),
        ({"spanId": "zz"}, "no hex"),
        ({"parentSpanId": "abcd"}, "parent"),
        ({"startTimeUnixNano": "-5"}, "out of range"),
        ({"startTimeUnixNano": str(1 << 64)}, "out of range"),
        ({"startTimeUnixNano": str(1 << 63)}, "before 2262"),
        ({"startTimeUnixNano": 0}, "after 1970"),
        ({"endTimeUnixNano": str(U64)}, "before 2262"),
        ({"name": 5}, "wrong type"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "%"}}]}, "wrong type"),
        ({"attributes": [{"key": str(n), "value": {}} for n in range(5_000)]}, "4096 attributes"),
        ({"events": [{"name": "e"}] * 5_000}, "4096 events"),
        ({"name": "n" * 5_000_000}, "larger than"),
    ],
)
def test_a_bad_span_in_a_good_batch_is_counted_with_its_reason(bad: Mapping[str, Any], reason: str) -> None:
    batch = read_json(in_json(GOOD, {**GOOD, **bad}))

    assert [span.name for span in batch.spans] == ["good"]
    assert list(batch.rejected.values()) == [1]
    assert reason in batch.message


def test_values_nested_deeper_than_can_be_read_cost_the_request_or_the_span_never_the_server() -> None:
    deep = '{"arrayValue":{"values":[' * 10_000 + "{}" + "]}}" * 10_000
    body = in_json({**GOOD, "attributes": [{"key": "deep", "value": "HERE"}]}).replace(b'"HERE"', deep.encode())

    with pytest.raises(UnreadableTracesError, match="too deep"):
        read_json(body)


def test_a_value_nested_deeper_than_the_cap_stays_in_the_raw_span_alone() -> None:
    value = AnyValue(string_value="bottom")
    for _ in range(40):
        value = AnyValue(array_value=ArrayValue(values=[value]))

    (span,) = read_protobuf(request(a_span(attributes=[KeyValue(key="deep", value=value)])).SerializeToString()).spans
    inner = read_value(span.attributes["deep"])
    depth = 0
    while isinstance(inner, list):
        inner, depth = inner[0], depth + 1

    assert (inner, depth) == (None, 33)
    assert b"bottom" in span.raw


def test_text_that_is_no_utf8_is_mended_and_a_key_that_is_none_costs_its_span() -> None:
    mended = a_span(name="n?me", attributes=[KeyValue(key="k", value=AnyValue(string_value="v?lue"))])
    body = request(mended, a_span(attributes=[KeyValue(key="k?y", value=AnyValue())])).SerializeToString()
    body = body.replace(b"n?me", b"n\xffme").replace(b"v?lue", b"v\xfflue").replace(b"k?y", b"k\xffy")

    batch = read_protobuf(body)
    (span,) = batch.spans

    assert (span.name, plain(span.attributes)) == ("n�me", {"k": "v�lue"})
    assert list(batch.rejected.values()) == [1]
    assert [s.name for s in read_json(in_json({**GOOD, "name": "n?me"}).replace(b"n?me", b"n\xffme")).spans] == ["n�me"]


def test_a_name_of_a_megabyte_is_only_a_long_name() -> None:
    (span,) = read_protobuf(request(a_span(attributes=[KeyValue(key="k" * 1_000_000)])).SerializeToString()).spans

    assert list(span.attributes) == ["k" * 1_000_000]


@pytest.mark.parametrize("body", [b"\x0a\xff", b'{"resourceSpans":[]}', b"<html>"])
def test_a_body_that_is_no_protobuf_request_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableTracesError) as caught:
        read_protobuf(body)

    assert caught.value.format == "protobuf"


@pytest.mark.parametrize("body", [b"", b"\x0a\xff", b"[]", b'{"resourceSpans": {}}', b'{"resourceSpans": [1]}'])
def test_a_body_that_is_no_json_request_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableTracesError, match="OTLP trace request in JSON"):
        read_json(body)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    for read in (read_protobuf, read_json):
        try:
            read(body)
        except UnreadableTracesError:
            continue
    read_value(body)


@given(spans, st.data())
def test_no_damage_to_a_span_does_more_than_cost_that_span(span: Span, data: st.DataObject) -> None:
    raw = bytearray(span.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    inner = b"\x12" + bytes([len(raw) & 127 | 128, len(raw) >> 7]) + bytes(raw)
    scope = b"\x12" + bytes([len(inner) & 127 | 128, len(inner) >> 7]) + inner
    body = b"\x0a" + bytes([len(scope) & 127 | 128, len(scope) >> 7]) + scope

    batch = read_protobuf(body)

    assert len(batch.spans) + sum(batch.rejected.values()) == 1
    for read in batch.spans:
        plain(read.attributes)


def test_spans_beyond_the_cap_of_a_request_are_counted() -> None:
    batch = read_protobuf(request(*[a_span()] * 5).SerializeToString(), Limits(spans=3))

    assert (len(batch.spans), sum(batch.rejected.values())) == (3, 2)


def test_a_resource_beyond_its_cap_costs_the_spans_that_came_with_it() -> None:
    batch = read_protobuf(request(a_span(), service="s" * 70_000).SerializeToString())

    assert batch.spans == []
    assert batch.message == "1 of the spans: resource and scope larger than 65536 bytes"


def test_the_answer_is_empty_or_a_partial_success_in_both_formats() -> None:
    batch = Batch([], {"too old": 300, "too new": 1})

    answer = ExportTraceServiceResponse.FromString(answer_protobuf(batch))

    assert (answer_protobuf(Batch([], {})), answer_json(Batch([], {}))) == (b"", b"{}")
    assert answer.partial_success.rejected_spans == 301
    assert answer.partial_success.error_message == "300 of the spans: too old; 1 of the spans: too new"
    assert json.loads(answer_json(batch)) == {
        "partialSuccess": {"rejectedSpans": "301", "errorMessage": answer.partial_success.error_message}
    }


def test_numbers_that_are_none_are_read_as_protobuf_reads_them() -> None:
    body = in_json({**GOOD, "attributes": [{"key": "x", "value": {"doubleValue": "NaN"}}]})

    assert math.isnan(plain(read_json(body).spans[0].attributes)["x"])
