"""OpenAI's Responses: what is asked, what is read, and that a stream is the same answer in pieces."""

from typing import Any

import pytest

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.dialects.openai_responses import OpenAIResponses
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

RESPONSES = OpenAIResponses()
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
USAGE = {"input_tokens": 3, "output_tokens": 5}


def asked(*messages: Message, stream: bool = False, **more: Any) -> dict[str, Any]:
    request = Request(messages=messages or (Message(role="user", content="Hi"),), model="gpt-5", **more)
    return RESPONSES.body(request, stream=stream)


def answer(*output: Any, **more: Any) -> dict[str, Any]:
    return {
        "object": "response",
        "status": "completed",
        "model": "gpt-5",
        "output": list(output),
        "usage": USAGE,
    } | more


def message(*content: Any) -> dict[str, Any]:
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": list(content)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": [], **more}


def read(body: Any) -> Response:
    return RESPONSES.read(body, provider="acme")


def streamed(*events: Any) -> Response:
    assembly = RESPONSES.assembly(provider="acme")
    for event in events:
        assembly.feed(Event(event.get("type"), event))
    return assembly.finish()


# What is asked


def test_a_conversation_becomes_items() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    body = asked(
        Message(role="system", content="Be brief."),
        Message(role="user", content=["Look:", image]),
        Message(role="assistant", content="I add.", tool_calls=(ToolCall(name="add", arguments={"a": 2}, id="1"),)),
        Message(role="tool", content="4", tool_call_id="1"),
        Message(role="assistant", content=[{"type": "text", "text": "4"}]),
    )

    assert body["input"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look:"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ],
        },
        {"role": "assistant", "content": "I add."},
        {"type": "function_call", "call_id": "1", "name": "add", "arguments": '{"a":2}'},
        {"type": "function_call_output", "call_id": "1", "output": "4"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "4"}]},
    ]


def test_tools_are_flat_and_only_strict_when_they_say_so() -> None:
    nested = {"type": "function", "function": {"name": "f", "description": "Does.", "parameters": SCHEMA}}
    flat = {"type": "function", "name": "g", "parameters": SCHEMA, "strict": True}
    own = {"type": "web_search"}

    assert asked(tools=(nested, flat, own))["tools"] == [
        {"type": "function", "name": "f", "description": "Does.", "parameters": SCHEMA, "strict": False},
        flat,
        own,
    ]


def test_params_have_this_formats_names_and_a_schema_stands_beside_other_settings_of_the_text() -> None:
    body = asked(
        output_schema=SCHEMA,
        params={"max_tokens": 9, "temperature": 0, "reasoning": {"effort": "low"}, "text": {"verbosity": "low"}},
        stream=True,
    )

    assert {key: body[key] for key in body if key not in ("model", "input")} == {
        "max_output_tokens": 9,
        "temperature": 0,
        "reasoning": {"effort": "low"},
        "text": {
            "format": {"type": "json_schema", "name": "answer", "strict": True, "schema": SCHEMA},
            "verbosity": "low",
        },
        "stream": True,
    }


@pytest.mark.parametrize("name", ["stop", "seed"])
def test_what_cannot_be_said_is_refused_before_it_is_sent(name: str) -> None:
    with pytest.raises(SpecError, match=f"params.{name}"):
        asked(params={name: 1})


# What is read


def test_text_reasoning_and_calls_are_told_apart_and_the_rest_is_extra() -> None:
    cited = text("4", annotations=[{"type": "url_citation", "url": "u"}])
    response = read(
        answer(
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "2"}, {"text": "and 2"}]},
            {"type": "web_search_call", "id": "w", "status": "completed"},
            message(text("It is "), cited),
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": '{"a": 1}'},
            {"type": "custom_tool_call", "call_id": "2", "name": "shell", "input": "ls"},
            id="resp_1",
            temperature=1.0,
            tools=[{"type": "web_search"}],
        )
    )

    assert (response.output, response.reasoning, response.finish_reason) == ("It is 4", "2\n\nand 2", "completed")
    assert response.tool_calls == (
        ToolCall(name="f", arguments={"a": 1}, id="1"),
        ToolCall(name="shell", arguments="ls", id="2"),
    )
    assert response.extra == {
        "id": "resp_1",
        "output": [
            {"index": 1, "type": "web_search_call", "id": "w", "status": "completed"},
            {"index": 2, "type": "message", "content": [{"annotations": [{"type": "url_citation", "url": "u"}]}]},
        ],
    }


def test_a_refusal_is_the_answer() -> None:
    assert read(answer(message({"type": "refusal", "refusal": "No."}))).output == "No."


def test_an_incomplete_answer_says_why_as_its_finish_reason() -> None:
    response = read(answer(message(text("4")), status="incomplete", incomplete_details={"reason": "max_output_tokens"}))

    assert (response.output, response.finish_reason) == ("4", "max_output_tokens")


def test_a_tier_of_service_stands_beside_the_usage() -> None:
    assert read(answer(service_tier="default")).usage_raw == USAGE
    assert read(answer(service_tier="priority")).usage_raw == {"usage": USAGE, "service_tier": "priority"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (answer(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"}), "rate_limit"),
        ({"error": {"message": "no such model", "code": "model_not_found"}}, "not_found"),
        (answer(status="incomplete", incomplete_details={"reason": "content_filter"}), "filtered"),
        (answer(status="failed"), "bad_answer"),
        (answer(status="queued"), "bad_answer"),
        ({"choices": [{"message": {"content": "4"}}]}, "bad_answer"),
        ([], "bad_answer"),
    ],
)
def test_an_error_inside_a_good_status_is_its_leaf_and_another_shape_a_bad_answer(body: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read(body)

    assert (caught.value.kind, caught.value.provider) == (kind, "acme")


# Streams

ITEM = {"type": "response.output_item.done", "output_index": 0, "item": message(text("It is 4"))}


def piece(words: str, kind: str = "response.output_text.delta") -> dict[str, Any]:
    return {"type": kind, "delta": words}


def test_a_stream_is_the_answer_of_its_last_event() -> None:
    whole = answer(message(text("It is 4")))

    assert streamed(piece("It is "), piece("4"), {"type": "response.completed", "response": whole}) == read(whole)


def test_items_count_where_the_last_event_leaves_them_out() -> None:
    bare = answer()

    assert streamed(ITEM, {"type": "response.completed", "response": bare}).output == "It is 4"


def test_the_first_token_is_the_first_piece_of_text_thought_or_call() -> None:
    assembly = RESPONSES.assembly(provider="acme")
    kinds = ["response.reasoning_summary_text.delta", "response.function_call_arguments.delta"]
    events = [
        {"type": "response.created", "response": {"status": "in_progress"}},
        *(piece("x", kind) for kind in kinds),
    ]

    assert [assembly.feed(Event(None, event)) for event in events] == [False, True, True]


def test_a_stream_that_ends_before_its_end_says_how_much_had_come() -> None:
    with pytest.raises(ProviderError, match="after 5 characters of text and 1 tool call") as caught:
        streamed(piece("hello"), {**ITEM, "item": {"type": "function_call", "name": "f"}})

    assert caught.value.kind == "cut"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "boom", "param": None},
        {
            "type": "response.failed",
            "response": {"status": "failed", "error": {"code": "server_error", "message": "x"}},
        },
    ],
)
def test_an_error_in_the_stream_is_raised(event: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        streamed(piece("hello"), event)

    assert (caught.value.kind, caught.value.provider) == ("server", "acme")


def test_an_incomplete_stream_is_an_answer_with_its_reason() -> None:
    whole = answer(message(text("4")), status="incomplete", incomplete_details={"reason": "max_output_tokens"})

    assert streamed({"type": "response.incomplete", "response": whole}).finish_reason == "max_output_tokens"
