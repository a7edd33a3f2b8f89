"""CPU of reading spans: OTLP in, rows in normal form out, beside the official messages read to dictionaries.

python benchmarks/tracing.py            prints a table; spans are generated, the same every time (seeded)

A trace is an agent, a retrieval, a call of a model, a tool and a second call that repeats the first one's messages;
about 2 kB a span, as real ones weigh. Every figure is the least CPU time of several runs over the same requests.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from boxscore.costs import PriceBook
from boxscore.tracing import Normaliser, read_json, read_protobuf

START = 1_770_000_000_000_000_000
MODELS = (("gpt-4o-mini", "openai"), ("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-flash", "gcp.gemini"))
TEXT = "the a of to in on for with invoice order ticket refund shipping delay customer please check status paid"
WORDS = TEXT.split()


def message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def trace(rng: random.Random, system: str) -> Iterator[tuple[str, dict[str, Any]]]:
    def words(n: int) -> str:
        return " ".join(rng.choices(WORDS, k=n))

    model, provider = rng.choice(MODELS)
    question, passages, found = words(30), [words(60) for _ in range(4)], words(40)
    common = {"gen_ai.conversation.id": f"s-{rng.random()}", "user.id": f"u-{rng.randrange(5_000)}", "tenant": "acme"}
    first = [message("system", system), message("user", question + " ".join(passages))]
    second = [*first, message("assistant", words(20)), message("tool", found)]

    def call(messages: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 512,
            "gen_ai.response.id": f"resp-{rng.random()}",
            "gen_ai.usage.input_tokens": rng.randrange(200, 2_000),
            "gen_ai.usage.output_tokens": rng.randrange(10, 400),
            "gen_ai.usage.cache_read.input_tokens": rng.randrange(0, 200),
            "gen_ai.response.time_to_first_chunk": rng.random(),
            "gen_ai.input.messages": json.dumps(messages),
            "gen_ai.output.messages": json.dumps([message("assistant", words(50))]),
            **common,
        }

    yield "invoke_agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper", **common}
    yield "retrieval", {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": json.dumps(passages)}
    yield "chat", call(first)
    yield "execute_tool", {"gen_ai.tool.name": "lookup", "gen_ai.tool.call.result": json.dumps({"text": found})}
    yield "chat", call(second)


def any_value(value: str | float) -> AnyValue:
    match value:
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case _:
            return AnyValue(string_value=value)


def request(rng: random.Random, traces: int) -> tuple[bytes, bytes]:
    """The same spans in protobuf and in JSON."""
    system = "You are a helpful assistant. Answer briefly and cite. " + " ".join(rng.choices(WORDS, k=110))
    spans, plain = [], []
    for _ in range(traces):
        trace_id, root = rng.randbytes(16), b""
        for n, (name, attributes) in enumerate(trace(rng, system)):
            span_id, start = rng.randbytes(8), START + rng.randrange(10**11)
            spans.append(
                Span(
                    trace_id=trace_id,
                    span_id=span_id,
                    parent_span_id=root,
                    name=name,
                    kind=3,
                    start_time_unix_nano=start,
                    end_time_unix_nano=start + rng.randrange(10**10),
                    attributes=[KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()],
                )
            )
            plain.append(in_json(spans[-1]))
            root = root or span_id if n == 0 else root
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="shop"))])
    group = ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])
    text = {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}}
    body = {"resourceSpans": [{**text, "scopeSpans": [{"spans": plain}]}]}
    return ExportTraceServiceRequest(resource_spans=[group]).SerializeToString(), json.dumps(body).encode()


def in_json(span: Span) -> dict[str, Any]:
    kinds = {"string_value": "stringValue", "int_value": "intValue", "double_value": "doubleValue"}
    attributes = []
    for item in span.attributes:
        kind = item.value.WhichOneof("value")
        value = getattr(item.value, kind)
        attributes.append({"key": item.key, "value": {kinds[kind]: str(value) if kind == "int_value" else value}})
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": attributes,
    }


def official(body: bytes) -> list[dict[str, Any]]:
    """The peer: the official messages, every attribute to a dictionary, the span to bytes again."""
    rows = []
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                row: dict[str, Any] = {"raw": span.SerializeToString(), "name": span.name, "id": span.span_id}
                for item in span.attributes:
                    kind = item.value.WhichOneof("value")
                    row[item.key] = getattr(item.value, kind) if kind else None
                rows.append(row)
    return rows


def least(work: Callable[[], object], runs: int = 9) -> float:
    """Seconds of CPU."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def main() -> None:
    rng, to_row = random.Random(7), Normaliser(PriceBook())
    requests = [request(rng, 100) for _ in range(8)]
    spans = sum(len(read_protobuf(body).spans) for body, _ in requests)
    batches = [read_protobuf(body).spans for body, _ in requests]
    assert [to_row(s) for s in read_json(requests[0][1]).spans] == [to_row(s) for s in batches[0]]
    size = sum(len(body) for body, _ in requests) / spans
    print(f"{spans:,} spans in requests of 500, {size:,.0f} bytes a span in protobuf\n")
    print(f"{'CPU, ms per 1,000 spans':48} {'ms':>6}")
    for what, work in (
        ("protobuf to spans, attributes unread", lambda: [read_protobuf(body) for body, _ in requests]),
        ("JSON to spans", lambda: [read_json(body) for _, body in requests]),
        ("spans to rows in normal form, with cost", lambda: [[to_row(s) for s in batch] for batch in batches]),
        ("protobuf to rows", lambda: [[to_row(s) for s in read_protobuf(body).spans] for body, _ in requests]),
        ("JSON to rows", lambda: [[to_row(s) for s in read_json(body).spans] for _, body in requests]),
        ("peer: official messages to dictionaries", lambda: [official(body) for body, _ in requests]),
    ):
        print(f"{what:48} {least(work) / spans * 1e6:6.1f}")


if __name__ == "__main__":
    main()
