"""Recorded calls, made again by real clients under real instrumentation: what they send arrives complete."""

import base64
import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from boxscore.store.spans import SqliteSpans, StoredSpan
from serving import start

pytestmark = [pytest.mark.recorded, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
BENCHMARK = HERE.parents[1] / "benchmarks" / "wire.py"
Recorded = Callable[[str], Path]
Exchange = dict[str, Any]
RAISED = {
    ("openai", 400, "BadRequestError"): 7,
    ("openai", 404, "NotFoundError"): 5,
    ("azure", 401, "AuthenticationError"): 6,
    ("azure", 404, "NotFoundError"): 3,
    ("bedrock", 400, "ClientError"): 2,
    ("cohere", 404, "NotFoundError"): 2,
    ("vertex", 200, "AttributeError"): 7,  # enums were recorded as numbers, which the client does not read
    ("vertex", 400, "ClientError"): 2,
    ("vertex", 404, "ClientError"): 1,
}
SILENT = {  # exchanges of which the instrumentation makes no span
    "openinference": {
        ("bedrock", "converse"): 1,
        ("cohere", "chat"): 48,
        ("cohere", "embeddings"): 2,
        ("cohere", "rerank"): 6,
        ("mistral", "embeddings"): 3,
    },
    "traceloop": {("mistral", "chat"): 13, ("mistral", "embeddings"): 3, ("openai", "responses"): 5},
}
EQUAL = {  # of what the bodies say; the rest the instrumentation does not tell, or tells otherwise
    "openinference": {
        "input_tokens": 646,
        "output_tokens": 643,
        "cached_tokens": 33,
        "reasoning_tokens": 25,
        "text": 637,
        "model": 503,
    },
    "traceloop": {
        "input_tokens": 690,
        "output_tokens": 646,
        "cached_tokens": 28,
        "reasoning_tokens": 11,
        "text": 672,
        "model": 495,
    },
}
REFUSED = {"openinference": 25, "traceloop": 28}


class Sent(NamedTuple):
    """A span as its SDK encoded it, beside what the store has of it."""

    exchange: Exchange
    span: Span
    resource: Resource
    scope: InstrumentationScope
    stored: StoredSpan | None


class Replay(NamedTuple):
    family: str
    exchanges: dict[str, Exchange]
    raised: Counter[tuple[str, int, str]]
    sent: list[Sent]


@pytest.fixture(scope="module")
def wire() -> ModuleType:
    """The second reading of the bodies, made by the benchmark."""
    spec = importlib.util.spec_from_file_location("benchmark_wire", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["openinference", "traceloop"])
def replay(request: pytest.FixtureRequest, recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    files = [recorded("wire/openllmetry.jsonl"), recorded("wire/otel_contrib.jsonl")]
    exchanges = {row["id"]: row for file in files for row in map(json.loads, file.read_text("utf-8").splitlines())}
    home = tmp_path_factory.mktemp("home")
    raised: Counter[tuple[str, int, str]] = Counter()
    requests: list[tuple[Exchange, ExportTraceServiceRequest]] = []
    server = start(home)
    try:
        application = [sys.executable, str(HERE / "replay" / "application.py"), request.param, server.url]
        application += map(str, files)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        done = subprocess.run(application, capture_output=True, text=True, check=True, env=environment)
    finally:
        server.stop()
    for line in map(json.loads, done.stdout.splitlines()):
        exchange = exchanges[line["id"]]
        if line["error"]:
            raised[exchange["provider"], exchange["status"], line["error"]] += 1
        requests.append((exchange, ExportTraceServiceRequest.FromString(base64.b64decode(line["spans"]))))
    with SqliteSpans(home, write=False) as store:
        sent = [each for exchange, asked in requests for each in sent_in(exchange, asked, store)]
    return Replay(request.param, exchanges, raised, sent)


def sent_in(exchange: Exchange, asked: ExportTraceServiceRequest, store: SqliteSpans) -> Iterator[Sent]:
    for of_resource in asked.resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                stored = {found.span_id: found for found in store.trace("default", span.trace_id).items}
                yield Sent(exchange, span, of_resource.resource, of_scope.scope, stored.get(span.span_id))


def test_every_recorded_exchange_is_asked_again(replay: Replay) -> None:
    asked = {each.exchange["id"] for each in replay.sent}
    silent = Counter((row["provider"], row["api"]) for row in replay.exchanges.values() if row["id"] not in asked)

    assert len(replay.exchanges) == 875
    assert replay.raised == RAISED
    assert silent == SILENT[replay.family]


def test_every_field_that_was_sent_is_stored_as_it_was_sent(replay: Replay) -> None:
    lost = [
        (each.exchange["id"], each.span.name, name)
        for each in replay.sent
        for name, sent, kept in fields_of(each)
        if sent != kept
    ]

    assert sum(1 for each in replay.sent for _ in fields_of(each)) > 9_000
    assert lost == []


def test_what_the_body_says_is_in_the_normal_form_wherever_the_span_tells_it(replay: Replay, wire: ModuleType) -> None:
    equal: Counter[str] = Counter()
    other: list[tuple[str, str, object, object]] = []
    for each in replay.sent:
        for name, due, found in facts(each, wire):
            if due == found:
                equal[name] += 1
            elif told(each.span, due):
                other.append((each.exchange["id"], name, due, found))

    assert other == []
    assert equal == EQUAL[replay.family]


def test_a_refused_call_is_an_error(replay: Replay) -> None:
    refused = [each for each in replay.sent if each.exchange["status"] != 200]

    assert len(refused) == REFUSED[replay.family]
    assert all(each.stored is not None and each.stored.error for each in refused)


def fields_of(each: Sent) -> Iterator[tuple[str, object, object]]:
    """Every field, attribute and event of a span, as sent and as kept."""
    kept = Span.FromString(each.stored.raw) if each.stored is not None else Span()
    yield "resource", each.resource, Resource.FromString(each.stored.resource) if each.stored else None
    yield "scope", each.scope, InstrumentationScope.FromString(each.stored.scope) if each.stored else None
    for field, value in each.span.ListFields():
        if field.name != "attributes":
            yield field.name, value, getattr(kept, field.name)
    values = {attribute.key: attribute.value for attribute in kept.attributes}
    for attribute in each.span.attributes:
        yield attribute.key, attribute.value, values.get(attribute.key)


def facts(each: Sent, wire: ModuleType) -> Iterator[tuple[str, object, object]]:
    """What the answer's body says, and what the stored span has of it."""
    exchange, stored = each.exchange, each.stored
    if stored is None or exchange["status"] != 200 or wire.spoken(exchange) is None or wire.due_leaf(exchange):
        return
    said = wire.said(exchange)
    names = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
    for name, due in zip(names, said.tokens, strict=True):
        if due:
            yield name, due, getattr(stored, name)
    if said.text.strip():
        text = said.text.strip()
        yield "text", text, text if text in stored.output_text else stored.output_text
    if exchange["response"] and (model := exchange["response"].get("model")):
        yield "model", model, stored.model


def told(span: Span, due: object) -> bool:
    """Whether the value stands anywhere in what the span tells of the answer."""
    asked = ("request", "input.", "input_messages", "invocation_parameters")
    return any(
        _tells(attribute.value, due)
        for attribute in span.attributes
        if not any(word in attribute.key for word in asked)
    )


def _tells(value: AnyValue, due: object) -> bool:
    match value.WhichOneof("value"):
        case "string_value" if isinstance(due, str):
            return due in value.string_value
        case "int_value":
            return value.int_value == due
        case "array_value":
            return any(_tells(item, due) for item in value.array_value.values)
        case _:
            return False
