"""Conversations: who said what to whom, as each family of instrumentation tells it."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.costs import PriceBook
from boxscore.store.spans import SpanRow
from boxscore.tracing import Normaliser, read_json
from boxscore.tracing.conversation import conversation, read_exchange
from boxscore.tracing.said import Media, Message, Reasoning, Text, ToolCall, ToolResult, read_said

START = 1_770_000_000_000_000_000
to_row = Normaliser(PriceBook())

ASKED = Message("user", (Text("Weather in Oslo?"),))
CALLED = Message("assistant", (ToolCall("weather", {"city": "Oslo"}, "c1"),))
RESULT = Message("tool", (ToolResult("rain", None, "c1"),))
ANSWER = Message("assistant", (Text("It rains."),))
SYSTEM = Message("system", (Text("Be brief."),))

OPENAI = [
    {"role": "user", "content": "Weather in Oslo?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "rain"},
]
ANTHROPIC = [
    {"role": "user", "content": "Weather in Oslo?"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}}]},
    {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]},
]
GENAI = [
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Oslo?"}]},
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
]
VERCEL = [
    {"role": "user", "content": [{"type": "text", "text": "Weather in Oslo?"}]},
    {
        "role": "assistant",
        "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Oslo"}}],
    },
    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "output": "rain"}]},
]
BEDROCK = [
    {"role": "user", "content": [{"text": "Weather in Oslo?"}]},
    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Oslo"}}}]},
    {"role": "tool", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "rain"}]}}]},
]
LANGCHAIN = [
    {"lc": 1, "type": "constructor", "id": ["m", "HumanMessage"], "kwargs": {"content": "Weather in Oslo?"}},
    {"type": "ai", "content": "", "tool_calls": [{"name": "weather", "args": {"city": "Oslo"}, "id": "c1"}]},
    {"type": "tool", "content": "rain", "tool_call_id": "c1"},
]
RESPONSES = [
    {"role": "user", "content": [{"type": "input_text", "text": "Weather in Oslo?"}]},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "rain"},
]
SHAPES = {
    "OpenAI": OPENAI,
    "Anthropic": ANTHROPIC,
    "GenAI": GENAI,
    "Vercel": VERCEL,
    "Bedrock": BEDROCK,
    "LangChain": LANGCHAIN,
    "Responses": RESPONSES,
}


def span(
    attributes: dict[str, Any],
    *,
    events: Sequence[tuple[str, dict[str, Any]]] = (),
    name: str = "call",
    number: int = 1,
) -> SpanRow:
    def pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"key": key, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}
            for key, value in values.items()
        ]

    message = {
        "traceId": "0a" * 16,
        "spanId": f"{number:016x}",
        "name": name,
        "startTimeUnixNano": str(START + number),
        "endTimeUnixNano": str(START + number + 10),
        "attributes": pairs(attributes),
        "events": [{"name": name, "attributes": pairs(values)} for name, values in events],
    }
    (read,) = read_json(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [message]}]}]}).encode()).spans
    return to_row(read)


@pytest.mark.parametrize("name", SHAPES)
def test_a_call_of_a_tool_and_its_result_read_the_same_in_every_shape(name: str) -> None:
    assert read_said(SHAPES[name]) == [ASKED, CALLED, RESULT]


@pytest.mark.parametrize("name", SHAPES)
def test_messages_may_lie_in_an_object_as_json_text(name: str) -> None:
    assert read_said(json.dumps({"messages": SHAPES[name], "model": "m"})) == [ASKED, CALLED, RESULT]


def test_gemini_tells_parts_of_contents() -> None:
    said = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather in Oslo?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"sky": "rain"}}}]},
        ],
    }

    system, asked, called, result = read_said(said)
    assert (system, asked) == (SYSTEM, ASKED)
    assert called == Message("assistant", (ToolCall("weather", {"city": "Oslo"}),))
    assert result == Message("user", (ToolResult('{"sky":"rain"}', "weather"),))


def test_images_and_files_are_named_and_not_shown() -> None:
    said = {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "A" * 40_000}},
            {"type": "blob", "mime_type": "audio/wav", "modality": "audio", "content": "A" * 40},
            {"type": "file", "file": {"filename": "bill.pdf", "file_id": "f1"}},
            {"inlineData": {"mimeType": "image/webp", "data": "A" * 80}},
        ],
    }

    (message,) = read_said(said)
    assert message.parts == (
        Media("image", "https://example.org/cat.png"),
        Media("image", "300 bytes", "image/png"),
        Media("image", "30 kB", "image/jpeg"),
        Media("audio", "30 bytes", "audio/wav"),
        Media("file", "bill.pdf"),
        Media("image", "60 bytes", "image/webp"),
    )


@pytest.mark.parametrize(
    "part",
    [
        {"type": "reasoning", "content": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"text": "hm", "thought": True},
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    ],
)
def test_reasoning_is_kept_apart_from_the_answer(part: dict[str, Any]) -> None:
    (message,) = read_said({"role": "assistant", "content": [part, {"type": "text", "text": "It rains."}]})

    assert message.parts == (Reasoning("hm"), Text("It rains."))


def test_tools_that_are_offered_are_no_messages() -> None:
    offered: Any = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}

    assert read_said([OPENAI[0], {"role": "tool", "content": offered}]) == [ASKED]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["role", "content", "parts", "type", "text", "messages", "tool_calls",
       "function", "name", "arguments", "message", "image", "source", "lc", "kwargs", "choices", "id"]), inner,
       max_size=4), max_leaves=12))  # fmt: skip
def test_whatever_a_value_is_it_is_read_without_a_fault(value: Any) -> None:
    assert all(message.parts for message in read_said(value))


FLAT = {
    "{p}.0.role": "user",
    "{p}.0.content": "Weather in Oslo?",
    "{p}.1.role": "assistant",
    "{p}.1.tool_calls.0.id": "c1",
    "{p}.1.tool_calls.0.name": "weather",
    "{p}.1.tool_calls.0.arguments": '{"city": "Oslo"}',
    "{p}.2.role": "tool",
    "{p}.2.content": "rain",
    "{p}.2.tool_call_id": "c1",
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "input.value": "{}",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "Weather in Oslo?",
    "llm.input_messages.1.message.role": "assistant",
    "llm.input_messages.1.message.tool_calls.0.tool_call.id": "c1",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "weather",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.content": "rain",
    "llm.input_messages.2.message.tool_call_id": "c1",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "It rains.",
}
DIALECTS: dict[str, dict[str, Any]] = {
    "GenAI": {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": GENAI,
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "It rains."}]}],
    },
    "Traceloop": {
        "llm.request.type": "chat",
        **{key.format(p="gen_ai.prompt"): value for key, value in FLAT.items()},
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "It rains.",
    },
    "OpenInference": OPENINFERENCE,
    "Langfuse": {
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": OPENAI,
        "langfuse.observation.output": {"role": "assistant", "content": "It rains."},
    },
    "LangSmith": {
        "langsmith.span.kind": "llm",
        "gen_ai.prompt": {"messages": [LANGCHAIN]},
        "gen_ai.completion": {"generations": [[{"text": "It rains.", "message": {"content": "It rains."}}]]},
    },
    "Braintrust": {
        "braintrust.span_attributes": {"type": "llm"},
        "braintrust.input_json": OPENAI,
        "braintrust.output_json": [{"index": 0, "message": {"role": "assistant", "content": "It rains."}}],
    },
    "Vercel": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.prompt.messages": VERCEL,
        "ai.response.text": "It rains.",
    },
    "MLflow": {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": {"messages": OPENAI, "model": "m"},
        "mlflow.spanOutputs": {"choices": [{"message": {"role": "assistant", "content": "It rains."}}]},
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_tells_the_same_conversation(dialect: str) -> None:
    row = span(DIALECTS[dialect])

    assert read_exchange(row) == ([ASKED, CALLED, RESULT], [ANSWER])
    assert row.operation == "chat"


def test_messages_in_events_are_read_old_names_and_new() -> None:
    events = [
        ("gen_ai.system.message", {"content": "Be brief."}),
        ("gen_ai.user.message", {"content": "Weather in Oslo?"}),
        ("gen_ai.assistant.message", {"tool_calls": OPENAI[1]["tool_calls"]}),
        ("gen_ai.tool.message", {"content": "rain", "id": "c1"}),
        ("gen_ai.choice", {"index": "0", "message": {"content": "It rains."}}),
    ]
    older = [("gen_ai.content.prompt", {"gen_ai.prompt": OPENAI}), ("gen_ai.content.completion", {
        "gen_ai.completion": [{"role": "assistant", "content": "It rains."}]})]  # fmt: skip

    assert read_exchange(span({"gen_ai.operation.name": "chat"}, events=events)) == (
        [SYSTEM, ASKED, CALLED, RESULT],
        [ANSWER],
    )
    assert read_exchange(span({"gen_ai.operation.name": "chat"}, events=older)) == ([ASKED, CALLED, RESULT], [ANSWER])


def test_an_answer_told_as_text_and_calls_apart_is_one_message() -> None:
    said = {
        "ai.operationId": "ai.streamText.doStream",
        "ai.response.text": "One moment.",
        "ai.response.toolCalls": [{"toolCallId": "c1", "toolName": "weather", "input": '{"city": "Oslo"}'}],
    }

    assert read_exchange(span(said)).output == [Message("assistant", (Text("One moment."), *CALLED.parts))]


def test_instructions_told_apart_come_first() -> None:
    said = {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.input.messages": GENAI[:1],
    }

    assert read_exchange(span(said)).input == [SYSTEM, ASKED]


def test_a_tools_span_is_its_call_and_its_result() -> None:
    said = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.call.arguments": {"city": "Oslo"},
        "gen_ai.tool.call.result": "rain",
    }

    assert read_exchange(span(said)) == ([CALLED], [Message("tool", (ToolResult("rain", "weather", "c1"),))])


def chat(number: int, came: Sequence[dict[str, Any]], answered: dict[str, Any]) -> SpanRow:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.prompt": came, "gen_ai.completion": [answered]}
    return span({key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()},
                number=number)  # fmt: skip


def test_what_later_calls_repeat_as_their_history_is_told_once() -> None:
    yes = {"role": "user", "content": "yes"}
    ok = {"role": "assistant", "content": "ok"}
    spans = [chat(1, [yes], ok), chat(2, [yes, ok, yes], ok), chat(3, [yes, ok, yes, ok, yes], ok)]

    told = [(said.message.role, said.span.span_id[-1]) for said in conversation(spans)]
    assert told == [("user", 1), ("assistant", 1), ("user", 2), ("assistant", 2), ("user", 3), ("assistant", 3)]


def test_a_question_that_is_asked_again_in_a_later_trace_is_told_again() -> None:
    asked = {"role": "user", "content": "where is my order?"}
    first = [chat(1, [asked], {"role": "assistant", "content": "billing"})]
    first.append(chat(2, [asked], {"role": "assistant", "content": "on its way"}))
    later = [msgspec.structs.replace(one, trace_id=b"2" * 16) for one in first]

    told = [(said.message.role, said.span.span_id[-1]) for said in conversation([*first, *later])]
    assert told == 2 * [("user", 1), ("assistant", 1), ("assistant", 2)]


def test_a_stream_told_as_a_message_per_chunk_is_one_message() -> None:
    chunks = [f"llm.output_messages.{n}.message.content" for n in range(230, 250)]
    row = span({"openinference.span.kind": "LLM", **dict.fromkeys(chunks, "la ")})

    assert read_exchange(row).output == [Message("assistant", (Text("la " * 20),))]


def test_of_a_trace_without_a_call_of_a_model_the_first_span_that_says_anything_is_told() -> None:
    first = [span({}), span({"boxscore.input": "in", "boxscore.output": "out"}, number=2)]
    second = msgspec.structs.replace(first[1], trace_id=b"2" * 16)
    call = chat(1, [{"role": "user", "content": "yes"}], {"role": "assistant", "content": "ok"})
    third = msgspec.structs.replace(call, trace_id=b"3" * 16)

    told = [said.message.parts for said in conversation([*first, second, third])]
    assert told == [(Text("in"),), (Text("out"),)] * 2 + [(Text("yes"),), (Text("ok"),)]


def test_a_span_without_raw_bytes_tells_what_the_store_keeps() -> None:
    row = SpanRow(trace_id=b"t" * 16, span_id=b"s" * 8, name="n", start_ns=1, input_text="in", output_text="out")

    assert read_exchange(row) == ([Message("user", (Text("in"),))], [Message("assistant", (Text("out"),))])
