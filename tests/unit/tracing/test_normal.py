"""The normal form: one span as each family of instrumentation tells it, and what no attribute can do."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import opentelemetry.semconv_ai as traceloop
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, mcp_attributes
from opentelemetry.trace import StatusCode

from boxscore.costs import PriceBook, normalise, price
from boxscore.store.spans import SpanRow
from boxscore.tracing import Normaliser, read_protobuf
from boxscore.tracing.conventions import DIALECTS, Name

START = 1_770_000_000_000_000_000
BOOK = PriceBook()
to_row = Normaliser(BOOK)


def any_value(value: Any) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(v) for v in value]))
        case _:
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))


def key_values(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def row(
    attributes: dict[str, Any],
    *,
    events: dict[str, dict[str, Any]] | None = None,
    resource: dict[str, Any] | None = None,
    by: Normaliser = to_row,
    **fields: Any,
) -> SpanRow:
    span = Span(
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        name="call",
        start_time_unix_nano=START,
        end_time_unix_nano=START + 2_000_000_000,
        attributes=key_values(attributes),
        **fields,
    )
    for n, (name, said) in enumerate((events or {}).items(), start=1):
        span.events.add(name=name, time_unix_nano=START + n * 1_000_000, attributes=key_values(said))
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    group.resource.attributes.extend(key_values(resource or {}))
    (read,) = read_protobuf(ExportTraceServiceRequest(resource_spans=[group]).SerializeToString()).spans
    return by(read)


def parts(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


USUAL = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is the sky blue?"}]
AS_PARTS = [parts("system", "Be brief."), parts("user", "Why is the sky blue?")]
ANSWER = "Rayleigh scattering."

TOLD: dict[str, dict[str, Any]] = {
    "GenAI today": {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": "s-1",
        "user.id": "u-1",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.input.messages": json.dumps(AS_PARTS),
        "gen_ai.output.messages": json.dumps([parts("assistant", ANSWER)]),
        "gen_ai.agent.name": "answerer",
        "plan": "pro",
    },
    "GenAI today, as structured values": {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": "s-1",
        "user.id": "u-1",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.input.messages": AS_PARTS,
        "gen_ai.output.messages": [parts("assistant", ANSWER)],
        "gen_ai.agent.name": "answerer",
        "plan": "pro",
    },
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "session.id": "s-1",
        "user.id": "u-1",
        "llm.provider": "openai",
        "llm.request.model_name": "gpt-4o",
        "llm.response.model_name": "gpt-4o-2024-08-06",
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 20,
        "llm.token_count.prompt_details.cache_read": 40,
        "llm.token_count.completion_details.reasoning": 5,
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Why is the sky blue?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": ANSWER,
        "input.value": json.dumps({"messages": USUAL}),
        "graph.node.id": "answerer",
        "metadata": json.dumps({"plan": "pro"}),
    },
    "Traceloop": {
        "llm.request.type": "chat",
        "traceloop.association.properties.session_id": "s-1",
        "traceloop.association.properties.user_id": "u-1",
        "traceloop.association.properties.plan": "pro",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.usage.cache_read_input_tokens": 40,
        "gen_ai.usage.reasoning_tokens": 5,
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "Why is the sky blue?",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": ANSWER,
        "traceloop.entity.path": "answerer",
    },
    "Langfuse": {
        "langfuse.observation.type": "generation",
        "session.id": "s-1",
        "user.id": "u-1",
        "langfuse.observation.metadata.ls_provider": "openai",
        "langfuse.observation.metadata.ls_model_name": "gpt-4o",
        "langfuse.observation.model.name": "gpt-4o-2024-08-06",
        "langfuse.observation.usage_details": json.dumps(
            {"input": 60, "output": 20, "input_cached_tokens": 40, "output_reasoning_tokens": 5}
        ),
        "langfuse.observation.completion_start_time": json.dumps("2026-02-02T02:40:00.250Z"),
        "langfuse.observation.input": json.dumps(USUAL),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": ANSWER}),
        "langfuse.observation.metadata.langgraph_node": "answerer",
        "langfuse.trace.metadata.plan": "pro",
    },
    "LangSmith": {
        "langsmith.span.kind": "llm",
        "gen_ai.operation.name": "chat",
        "langsmith.metadata.thread_id": "s-1",
        "langsmith.metadata.user_id": "u-1",
        "langsmith.metadata.ls_provider": "openai",
        "langsmith.metadata.ls_model_name": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.input_token_details": json.dumps({"cache_read": 40}),
        "gen_ai.usage.output_token_details": json.dumps({"reasoning": 5}),
        "gen_ai.prompt": json.dumps({"messages": USUAL}),
        "gen_ai.completion": json.dumps({"role": "assistant", "content": ANSWER}),
        "langsmith.metadata.langgraph_node": "answerer",
        "langsmith.metadata.plan": "pro",
    },
    "Braintrust": {
        "braintrust.span_attributes": json.dumps({"type": "llm"}),
        "session.id": "s-1",
        "user.id": "u-1",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "braintrust.metrics": json.dumps(
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "prompt_cached_tokens": 40,
                "completion_reasoning_tokens": 5,
                "time_to_first_token": 0.25,
            }
        ),
        "braintrust.input_json": json.dumps(USUAL),
        "braintrust.output_json": json.dumps([{"message": {"role": "assistant", "content": ANSWER}}]),
        "braintrust.metadata": json.dumps({"plan": "pro"}),
        "gen_ai.agent.name": "answerer",
    },
    "Vercel AI SDK": {
        "ai.operationId": "ai.streamText.doStream",
        "ai.telemetry.metadata.sessionId": "s-1",
        "ai.telemetry.metadata.userId": "u-1",
        "ai.telemetry.metadata.plan": "pro",
        "ai.model.provider": "openai.chat",
        "ai.model.id": "gpt-4o",
        "ai.response.model": "gpt-4o-2024-08-06",
        "ai.usage.promptTokens": 100,
        "ai.usage.completionTokens": 20,
        "ai.usage.cachedInputTokens": 40,
        "ai.usage.reasoningTokens": 5,
        "ai.response.msToFirstChunk": 250.0,
        "ai.prompt.messages": json.dumps(
            [USUAL[0], {"role": "user", "content": [{"type": "text", "text": "Why is the sky blue?"}]}]
        ),
        "ai.response.text": ANSWER,
        "ai.telemetry.functionId": "answerer",
    },
    "MLflow": {
        "mlflow.spanType": '"CHAT_MODEL"',
        "session.id": "s-1",
        "user.id": "u-1",
        "mlflow.llm.provider": '"openai"',
        "gen_ai.request.model": "gpt-4o",
        "mlflow.llm.model": '"gpt-4o-2024-08-06"',
        "mlflow.chat.tokenUsage": json.dumps(
            {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "cache_read_input_tokens": 40}
        ),
        "gen_ai.usage.reasoning.output_tokens": 5,
        "mlflow.spanInputs": json.dumps({"messages": USUAL}),
        "mlflow.spanOutputs": json.dumps({"choices": [{"message": {"role": "assistant", "content": ANSWER}}]}),
        "mlflow.spanFunctionName": '"answerer"',
        "mlflow.traceTag.plan": "pro",
    },
}


@pytest.mark.parametrize("dialect", TOLD)
def test_a_call_is_the_same_row_in_every_dialect(dialect: str) -> None:
    read = row(TOLD[dialect])

    assert (read.operation, read.step, read.session, read.user) == ("chat", "answerer", "s-1", "u-1")
    assert (read.provider, read.model_asked, read.model) == ("openai", "gpt-4o", "gpt-4o-2024-08-06")
    assert (read.input_tokens, read.output_tokens, read.cached_tokens, read.reasoning_tokens) == (100, 20, 40, 5)
    assert (read.input_text, read.output_text) == ("Why is the sky blue?", ANSWER)
    assert read.metadata["plan"] == "pro"
    assert read.cost_usd == Decimal("0.0004")  # 60 x 2.50 + 40 x 1.25 + 20 x 10 dollars a million
    assert read.price is not None
    assert read.price.startswith("genai-prices/openai/gpt-4o/")
    assert read.first_token_ns == (
        250_000_000 if dialect.startswith(("GenAI", "Langfuse", "Braintrust", "Vercel")) else None
    )


def test_a_row_keeps_the_span_as_it_came_and_what_came_around_it() -> None:
    read = row(
        {"a": 1}, resource={"service.name": "shop", "service.version": "7", "deployment.environment.name": "live"}
    )

    assert Span.FromString(read.raw).attributes[0].key == "a"
    assert b"shop" in read.resource
    assert (read.application, read.release, read.environment) == ("shop", "7", "live")
    assert (read.trace_id, read.span_id, read.parent_id, read.entry) == (b"t" * 16, b"s" * 8, None, True)
    assert (read.start_ns, read.duration_ns, read.error) == (START, 2_000_000_000, False)


def test_messages_may_come_as_events_of_today_and_of_before() -> None:
    before = {
        "gen_ai.content.prompt": {"gen_ai.prompt": json.dumps(USUAL)},
        "gen_ai.content.completion": {"gen_ai.completion": ANSWER},
    }
    between = {
        "gen_ai.system.message": {"content": "Be brief."},
        "gen_ai.user.message": {"content": "Why is the sky blue?"},
        "gen_ai.choice": {"message": json.dumps({"role": "assistant", "content": ANSWER})},
    }
    today = {
        "gen_ai.client.inference.operation.details": {
            "gen_ai.input.messages": AS_PARTS,
            "gen_ai.output.messages": [parts("assistant", ANSWER)],
        }
    }

    for events in (before, between, today):
        read = row({"gen_ai.operation.name": "chat"}, events=events)
        assert (read.input_text, read.output_text) == ("Why is the sky blue?", ANSWER)


def test_the_first_token_may_be_an_event() -> None:
    assert row({}, events={"First Token Stream Event": {}}).first_token_ns == 1_000_000
    assert row({"gen_ai.response.time_to_first_chunk": -3.0}).first_token_ns is None


def test_calls_of_tools_are_read_as_what_was_said() -> None:
    asked = {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}]}
    as_parts = {"role": "assistant", "parts": [{"type": "tool_call", "name": "weather", "arguments": {"city": "Oslo"}}]}
    numbered = {
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
    }
    answer = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "Rain"}]}

    assert row({"gen_ai.output.messages": json.dumps([asked])}).output_text == 'weather({"city": "Oslo"})'
    assert row({"gen_ai.output.messages": json.dumps([as_parts])}).output_text == 'weather({"city":"Oslo"})'
    assert row(numbered).output_text == 'weather({"city": "Oslo"})'
    assert row({"gen_ai.input.messages": json.dumps([asked, answer])}).input_text == "Rain"


def test_tokens_and_cost_belong_to_calls_of_models_so_that_sums_count_nothing_twice() -> None:
    told = {key: value for key, value in TOLD["GenAI today"].items() if key != "gen_ai.operation.name"}

    around = row({**told, "gen_ai.operation.name": "invoke_agent"})

    assert (around.input_tokens, around.output_tokens, around.cost_usd, around.price) == (None, None, None, None)
    assert around.model == "gpt-4o-2024-08-06"
    assert row(told).input_tokens == 100


def test_cached_tokens_that_were_counted_apart_are_added_to_the_input() -> None:
    read = row({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 500})

    assert (read.input_tokens, read.cached_tokens) == (510, 500)


def test_a_cost_is_none_where_no_price_is_known() -> None:
    used = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 1}

    assert row({**used, "gen_ai.request.model": "our-own"}).cost_usd is None
    assert row({**used, "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "groq"}).cost_usd is None
    assert row({**used, "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "langchain"}).cost_usd is not None
    assert row(used).cost_usd is None


MODELS = [
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4o-audio-preview",
    "o3-mini",
    "claude-sonnet-4-5",
    "claude-3-5-haiku-latest",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "deepseek-chat",
    "mistral-large-latest",
    "grok-4",
]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(MODELS), st.data())
def test_the_cost_of_a_span_is_what_costs_say_of_its_usage(model: str, data: st.DataObject) -> None:
    came, answered = data.draw(st.integers(0, 400_000)), data.draw(st.integers(0, 100_000))
    cached = data.draw(st.integers(0, came))
    written, reasoning = data.draw(st.integers(0, came - cached)), data.draw(st.integers(0, answered))

    read = row(
        {
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": came,
            "gen_ai.usage.output_tokens": answered,
            "gen_ai.usage.cache_read.input_tokens": cached,
            "gen_ai.usage.cache_creation.input_tokens": written,
            "gen_ai.usage.reasoning.output_tokens": reasoning,
        }
    )
    usage = normalise(
        {
            "input_tokens": came,
            "output_tokens": answered,
            "cache_read_tokens": cached,
            "cache_write_tokens": written,
            "output_reasoning_tokens": reasoning,
        },
        dialect="boxscore",
    )
    due = price(usage, model=model, at=datetime.fromtimestamp(START / 1e9, UTC), book=BOOK)

    assert (read.cost_usd, read.price) == (due.total_usd, due.price)


def test_what_no_table_has_is_metadata_when_it_is_the_applications_own_and_raw_alone_otherwise() -> None:
    read = row(
        {
            "tenant": "acme",
            "retries": 3,
            "ratio": 0.5,
            "beta": True,
            "labels": ["a", "b"],
            "http.request.method": "POST",
            "gen_ai.request.temperature": 0.1,
            "essay": "long " * 1_000,
            "k" * 1_000_000: "v",
            "__proto__": "x",
            "": "nameless",
        }
    )

    assert read.metadata == {
        "__proto__": "x",
        "beta": "true",
        "labels": '["a","b"]',
        "ratio": "0.5",
        "retries": "3",
        "tenant": "acme",
    }
    assert b"essay" in read.raw
    assert b"gen_ai.request.temperature" in read.raw


def test_the_message_of_an_error_is_the_statuss_or_the_exceptions() -> None:
    raised = {"exception": {"exception.type": "TimeoutError", "exception.message": "too slow"}}

    told = row({}, status={"code": 2, "message": "upstream"}, events=raised)
    silent = row({}, status={"code": 2}, events=raised)
    fine = row({}, events=raised)

    assert (told.error, told.status_message) == (True, "upstream")
    assert (silent.error, silent.status_message) == (True, "too slow")
    assert (fine.error, fine.status_message) == (False, None)
    assert row({"langfuse.observation.level": "ERROR"}).error
    assert row({"error.type": "timeout"}).error


def test_a_span_below_another_is_an_entry_only_where_the_sender_says_so() -> None:
    assert not row({}, parent_span_id=b"p" * 8).entry
    assert row({"langfuse.internal.as_root": True}, parent_span_id=b"p" * 8).entry


def test_our_own_names_count_before_all_others() -> None:
    read = row(
        {
            "session.id": "theirs",
            "boxscore.session": "ours",
            "boxscore.prompt.name": "greeting",
            "boxscore.prompt.version": 7,
            "boxscore.variant": "b",
            "boxscore.graph": "9f2c",
            "boxscore.metadata.plan": "pro",
        }
    )

    assert (read.session, read.prompt, read.prompt_version, read.variant, read.graph) == (
        "ours",
        "greeting",
        "7",
        "b",
        "9f2c",
    )
    assert read.metadata == {"plan": "pro"}


def test_the_calls_of_an_mcp_server_are_calls_of_tools() -> None:
    read = row({"mcp.method.name": "tools/call", "gen_ai.tool.name": "search", "mcp.session.id": "c-1"})

    assert (read.operation, read.step, read.session) == ("execute_tool", "search", "c-1")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.sampled_from(
        [
            "[",
            "{}",
            '["a",',
            '"\\"[1]\\""',
            "[[[]]]",
            '{"messages":[{"role":5}]}',
            "NaN",
            "1e999",
            "9" * 5_000,
            "[" * 50_000,
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "type", "content", "parts", "tool_calls", "function", "choices", "x"]), inner
        )
    ),
    max_leaves=5,
)
names = [
    *sorted({name for dialect in DIALECTS for name in dialect.names}),
    "llm.input_messages.0.message.content",
    "llm.input_messages.99999999999999999999.message.content",
    "gen_ai.prompt.0.tool_calls",
    "gen_ai.completion.0",
    "metadata.",
]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(names), anything, max_size=8))
def test_no_attribute_of_a_known_name_costs_a_span(attributes: dict[str, Any]) -> None:
    read = row(attributes, events={"gen_ai.choice": attributes})

    assert read.raw
    assert all(isinstance(value, str) for value in read.metadata.values())
    assert isinstance(read.input_text, str)
    assert isinstance(read.output_text, str)


short = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5_000)
    | st.sampled_from(["", "a", '"a"', "LLM", "chat", "[]", "{}", "x" * 200])
)


few = st.sampled_from(
    [
        *("openinference.span.kind", "gen_ai.operation.name", "session.id", "tool.name", "plan", "metadata.plan"),
        *("input.value", "output.value", "llm.input_messages.0.message.content", "llm.token_count.prompt"),
    ]
)


@given(st.lists(st.dictionaries(few, short, max_size=4), min_size=2, max_size=6))
def test_what_was_read_before_changes_nothing_of_a_row(told: list[dict[str, Any]]) -> None:
    used = Normaliser(BOOK)

    assert [row(one, by=used) for one in told] == [row(one, by=Normaliser(BOOK)) for one in told]


def test_the_same_word_means_what_its_attribute_says() -> None:
    for _ in range(2):
        read = row({"openinference.span.kind": "LLM", "tool.name": "LLM", "session.id": "LLM"})

        assert (read.operation, read.step, read.session) == ("chat", "LLM", "LLM")


def test_a_field_has_its_own_value_however_many_others_there_were() -> None:
    sessions = [f"session {n % 700}" for n in range(2_000)]

    assert [row({"gen_ai.conversation.id": session}).session for session in sessions] == sessions


def test_the_sdk_of_opentelemetry_is_read_as_it_writes() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("tests", "1.0")
    with (
        tracer.start_as_current_span("answer", attributes={"session.id": "s-1"}),
        tracer.start_as_current_span("chat") as span,
    ):
        span.set_attributes({"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 7, "tags": ["a", "b"]})
        span.set_status(StatusCode.ERROR, "cut")

    batch = read_protobuf(encode_spans(kept.get_finished_spans()).SerializeToString())
    chat, answer = (to_row(span) for span in batch.spans)

    assert (answer.name, answer.session, answer.application, answer.entry) == ("answer", "s-1", "shop", True)
    assert (chat.name, chat.parent_id, chat.entry) == ("chat", answer.span_id, False)
    assert (chat.model_asked, chat.input_tokens, chat.error, chat.status_message) == ("gpt-4o", 7, True, "cut")


def texts_of(holder: object) -> set[str]:
    return {value for value in vars(holder).values() if isinstance(value, str)}


def dialect(title: str) -> Any:
    return next(dialect for dialect in DIALECTS if dialect.title.startswith(title))


def test_the_names_of_the_tables_are_those_of_the_official_packages() -> None:
    genai = texts_of(gen_ai_attributes)
    openinference = texts_of(SpanAttributes)
    openllmetry = texts_of(traceloop.SpanAttributes)
    others = {  # names of before or of the other repository, that the package of today lacks
        "gen_ai.prompt.version",
        "gen_ai.response.system_fingerprint",
        "openai.response.system_fingerprint",
        "gen_ai.latency.time_to_first_token",
        "error.type",
    }

    assert set(dialect("OpenTelemetry GenAI").names) - genai == others
    assert {n for n in dialect("MCP").names if n.startswith("mcp.")} - texts_of(mcp_attributes) - openllmetry == set()
    assert set(dialect("OpenInference").names) - openinference == set()
    assert {n.rstrip(".") for n in dialect("OpenInference").indexed} - openinference == set()
    assert {n for n in dialect("Traceloop").names if "association.properties." not in n} - openllmetry == set()


def test_the_kinds_of_openinference_and_traceloop_all_have_an_operation_of_ours() -> None:
    kinds = dialect("OpenInference").names["openinference.span.kind"]
    spans = dialect("Traceloop").names["traceloop.span.kind"]

    assert isinstance(kinds, Name)
    assert isinstance(spans, Name)
    assert set(kinds.values) == {kind.value for kind in OpenInferenceSpanKindValues}
    assert set(spans.values) == {kind.value for kind in traceloop.TraceloopSpanKindValues}


def test_langchains_calls_of_tools_and_vertex_ais_names_of_models_are_read() -> None:
    asked = {
        "role": "assistant",
        "content": "",
        "additional_kwargs": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
    }
    long_name = "projects/p/locations/l/publishers/google/models/gemini-2.5-flash"

    read = row({"output.value": json.dumps(asked), "llm.model_name": long_name, "llm.token_count.prompt": 1_000_000})

    assert (read.output_text, read.model, read.cost_usd) == ("f({})", long_name, Decimal("0.3"))


@pytest.mark.parametrize("came", [199_999, 200_000, 200_001, 272_000, 272_001])
def test_the_tier_of_a_price_is_the_one_of_the_whole_calls_input(came: int) -> None:
    for model in ("claude-sonnet-4-5", "gemini-2.5-pro"):
        read = row({"gen_ai.request.model": model, "gen_ai.usage.input_tokens": came, "gen_ai.usage.output_tokens": 10})
        usage = normalise({"input_tokens": came, "output_tokens": 10}, dialect="boxscore")
        due = price(usage, model=model, at=datetime.fromtimestamp(START / 1e9, UTC), book=BOOK)

        assert read.cost_usd == due.total_usd
