"""Cohere's chat: what is asked, what is read in both versions, and that a stream is the same answer in pieces."""

from typing import Any

import pytest

from boxscore.costs import read_body
from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.cohere import Cohere, CohereV1
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

V1, V2 = CohereV1(), Cohere()
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
USAGE = {"billed_units": {"input_tokens": 3, "output_tokens": 5}, "tokens": {"input_tokens": 70, "output_tokens": 6}}
CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":2}'}}


def asked(*messages: Message, stream: bool = False, **more: Any) -> dict[str, Any]:
    request = Request(messages=messages or (Message(role="user", content="Hi"),), model="command-a", **more)
    return V2.body(request, stream=stream)


def answer(reason: str = "COMPLETE", **message: Any) -> dict[str, Any]:
    return {"id": "c", "message": {"role": "assistant", **message}, "finish_reason": reason, "usage": USAGE}


def read(body: Any) -> Response:
    return V2.read(body, provider="cohere")


def streamed(*events: Any, dialect: Cohere | CohereV1 = V2) -> Response:
    assembly = dialect.assembly(provider="cohere")
    for event in events:
        assembly.feed(Event(event.get("type"), event))
    return assembly.finish()


def event(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    return {"type": kind, "delta": {"message": message}} | ({} if index is None else {"index": index})


END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}}


def test_a_conversation_goes_out_with_cohere_names() -> None:
    body = asked(
        Message(role="user", content="2 + 2?"),
        Message(role="assistant", content=None, tool_calls=(ToolCall(name="add", arguments={"a": 2}, id="1"),)),
        Message(role="tool", content="4", tool_call_id="1"),
        params={"temperature": 0, "top_p": 0.9, "stop": "END", "max_tokens": 9, "seed": 7},
        tools=({"type": "function", "name": "add", "parameters": SCHEMA, "strict": True},),
        output_schema=SCHEMA,
    )

    assert body == {
        "model": "command-a",
        "stream": False,
        "messages": [
            {"role": "user", "content": "2 + 2?"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "4", "tool_call_id": "1"},
        ],
        "temperature": 0,
        "p": 0.9,
        "stop_sequences": ["END"],
        "max_tokens": 9,
        "seed": 7,
        "tools": [{"type": "function", "function": {"name": "add", "parameters": SCHEMA}}],
        "response_format": {"type": "json_object", "json_schema": SCHEMA},
    }


def test_text_plan_thinking_calls_and_citations_are_told_apart() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"}]
    response = read(answer(content=parts, tool_plan="I add.", tool_calls=[CALL], citations=[{"text": "4"}]))

    assert (response.output, response.reasoning, response.finish_reason) == ("4", "hm\n\nI add.", "COMPLETE")
    assert response.tool_calls == (ToolCall(name="add", arguments={"a": 2}, id="1"),)
    assert response.extra == {"id": "c", "message": {"citations": [{"text": "4"}]}}
    assert response.usage_raw == USAGE


def test_what_is_counted_is_what_is_billed() -> None:
    usage = read_body(read(answer(content=[])).usage_raw, provider="cohere").usage

    assert (usage.input_tokens, usage.output_tokens) == (3, 5)


def test_a_stream_is_the_same_answer_as_unstreamed() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "It is 4"}]
    second = {"id": "2", "type": "function", "function": {"name": "now", "arguments": ""}}
    whole = answer(content=parts, tool_plan="I add.", tool_calls=[CALL, second], citations=[{"text": "4"}])
    begun = {**CALL, "function": {"name": "add", "arguments": ""}}

    pieces = streamed(
        {
            "type": "message-start",
            "id": "c",
            "delta": {"message": {"role": "assistant", "citations": []}},
        },
        event("tool-plan-delta", tool_plan="I "),
        event("tool-plan-delta", tool_plan="add."),
        event("tool-call-start", 0, tool_calls=begun),
        event("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"a"'}}),
        event("tool-call-delta", 0, tool_calls={"function": {"arguments": ":2}"}}),
        {"type": "tool-call-end", "index": 0},
        event("tool-call-start", 1, tool_calls=second),
        event("content-start", 0, content={"type": "thinking", "thinking": ""}),
        event("content-delta", 0, content={"thinking": "hm"}),
        event("content-start", 1, content={"type": "text", "text": ""}),
        event("content-delta", 1, content={"text": "It is "}),
        event("content-delta", 1, content={"text": "4"}),
        {"type": "content-end", "index": 1},
        event("citation-start", 0, citations={"text": "4"}),
        END,
    )

    assert pieces == read(whole)


def test_the_first_token_is_the_first_piece_that_says_something() -> None:
    assembly = V2.assembly(provider="cohere")
    events = [
        event("content-start", 0, content={"type": "text", "text": ""}),
        event("content-delta", 0, content={"text": "4"}),
        event("tool-plan-delta", tool_plan="I add."),
        END,
    ]

    assert [assembly.feed(Event(None, item)) for item in events] == [False, True, True, False]


def test_a_stream_that_ends_before_its_end_says_how_much_had_come() -> None:
    with pytest.raises(ProviderError, match="after 5 characters") as caught:
        streamed(event("content-delta", 0, content={"text": "hello"}))

    assert caught.value.kind == "cut"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"message": "invalid api token"}, "auth"),
        ({"id": "1"}, "bad_answer"),
        ({"choices": []}, "bad_answer"),
        ([], "bad_answer"),
        (answer("ERROR", content=[]), "server"),
        (answer("ERROR_LIMIT", content=[]), "too_long"),
        (answer("TIMEOUT"), "timeout"),
    ],
)
def test_what_is_no_answer_is_its_leaf_of_the_error_tree(body: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read(body)

    assert (caught.value.kind, caught.value.provider) == (kind, "cohere")


def test_what_came_before_an_error_is_kept_with_its_reason() -> None:
    response = read(answer("ERROR", content=[{"type": "text", "text": "It is"}]))

    assert (response.output, response.finish_reason) == ("It is", "ERROR")


def test_an_error_in_the_stream_is_raised() -> None:
    with pytest.raises(ProviderError, match="too many tokens") as caught:
        streamed({"message": "too many tokens"})

    assert caught.value.kind == "too_long"


# Version 1

OLD = {
    "response_id": "r",
    "text": "It is 4",
    "finish_reason": "COMPLETE",
    "chat_history": [{"role": "USER", "message": "2 + 2?"}],
    "tool_calls": [{"name": "add", "parameters": {"a": 2}}],
    "meta": USAGE,
}


def test_version_1_is_read_and_never_asked() -> None:
    response = V1.read(OLD, provider="cohere")

    assert (response.output, response.finish_reason, response.usage_raw) == ("It is 4", "COMPLETE", USAGE)
    assert response.tool_calls == (ToolCall(name="add", arguments={"a": 2}),)
    assert response.extra == {"response_id": "r"}
    with pytest.raises(SpecError, match="version 2"):
        V1.body(Request(messages=(), model="m"), stream=False)


def test_a_stream_of_version_1_is_the_answer_of_its_last_event() -> None:
    start = {"event_type": "stream-start", "generation_id": "g"}
    pieces = [{"event_type": "text-generation", "text": word} for word in ("It ", "is ", "4")]
    end = {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": OLD}

    assert streamed(start, *pieces, end, dialect=V1) == V1.read(OLD, provider="cohere")
    with pytest.raises(ProviderError, match="after 7 characters"):
        streamed(start, *pieces, dialect=V1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"message": "model 'command-r' was removed on September 15, 2025."}, "not_found"),
        (OLD | {"text": "", "tool_calls": [], "finish_reason": "ERROR_TOXIC"}, "filtered"),
        ({"choices": []}, "bad_answer"),
    ],
)
def test_what_is_no_answer_of_version_1_is_its_leaf(body: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        V1.read(body, provider="cohere")

    assert caught.value.kind == kind
