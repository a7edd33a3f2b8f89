"""Anthropic's messages: what is asked, what is read, and that a stream is the same answer in pieces."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.anthropic import DEFAULT_MAX_TOKENS, SMALL_MAX_TOKENS, Anthropic
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.known import KNOWN
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

MODEL = "claude-sonnet-4-5-20250929"
SCHEMA = {"type": "object", "properties": {"rating": {"type": "integer"}}, "required": ["rating"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Now.", "parameters": SCHEMA}}
USAGE = {"input_tokens": 3, "output_tokens": 5}


def test_it_is_asked_at_the_address_of_the_reference() -> None:
    url = f"{KNOWN['anthropic'].base_url}{Anthropic().path(MODEL, stream=True)}"

    assert url == "https://api.anthropic.com/v1/messages"


def test_the_system_is_lifted_out_and_a_limit_is_always_asked_for() -> None:
    body = _body(messages=(Message(role="system", content="Be brief."), Message(role="user", content="Hi")))

    assert body == {
        "model": MODEL,
        "max_tokens": DEFAULT_MAX_TOKENS,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_several_systems_are_blocks_and_may_be_marked_for_the_cache() -> None:
    marked = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}
    body = _body(
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="Hi"),
            Message(role="system", content=[marked]),
        )
    )

    assert body["system"] == [{"type": "text", "text": "Be brief."}, marked]


def test_params_have_anthropics_names() -> None:
    body = _body(params={"temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "stop": "END", "top_k": 3}, stream=True)

    given = {key: body[key] for key in body if key not in ("model", "messages")}
    due = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "stop_sequences": ["END"], "top_k": 3, "stream": True}
    assert given == due


@pytest.mark.parametrize("model", ["claude-3-opus-20240229", "MiniMax-M2"])
def test_models_that_may_write_less_are_asked_for_less(model: str) -> None:
    assert _body(model=model)["max_tokens"] == SMALL_MAX_TOKENS


def test_the_default_limit_leaves_room_for_thinking() -> None:
    body = _body(params={"thinking": {"type": "enabled", "budget_tokens": 10_000}})

    assert body["max_tokens"] == 10_000 + DEFAULT_MAX_TOKENS


def test_what_cannot_be_said_is_refused_before_it_is_sent() -> None:
    with pytest.raises(SpecError, match="seed"):
        _body(params={"seed": 7})
    with pytest.raises(SpecError, match="'critic'"):
        _body(messages=(Message(role="critic", content="Hm."),))
    with pytest.raises(SpecError, match="tool_call_id"):
        _body(messages=(Message(role="tool", content="Sunny"),))
    with pytest.raises(SpecError, match="'weather' are no JSON object"):
        _body(
            messages=(Message(role="assistant", content=None, tool_calls=(ToolCall(name="weather", arguments="{"),)),)
        )


def test_calls_and_their_results_are_blocks_and_neighbours_are_one_turn() -> None:
    body = _body(
        messages=(
            Message(role="user", content="Weather in Rome and Oslo?"),
            Message(
                role="assistant",
                content="I look.",
                tool_calls=(
                    ToolCall(name="weather", arguments={"city": "Rome"}, id="t1"),
                    ToolCall(name="weather", arguments='{"city": "Oslo"}', id="t2"),
                ),
            ),
            Message(role="tool", content="Sun", tool_call_id="t1"),
            Message(role="tool", content=[{"type": "text", "text": "Snow"}], tool_call_id="t2"),
            Message(role="user", content="And?"),
        ),
        tools=(WEATHER,),
    )

    assert body["tools"] == [{"name": "weather", "description": "Now.", "input_schema": SCHEMA}]
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Rome"}},
                {"type": "tool_use", "id": "t2", "name": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "Sun"},
                {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "Snow"}]},
                {"type": "text", "text": "And?"},
            ],
        },
    ]


def test_images_go_as_their_bytes_or_their_address_and_its_own_blocks_as_they_are() -> None:
    document = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
        document,
    ]

    assert _body(messages=(Message(role="user", content=content),))["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}},
        document,
    ]


def test_tools_of_its_own_go_out_as_they_came() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    own = {"name": "f", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}}

    assert _body(tools=(search, own))["tools"] == [search, own]


def test_structured_output_is_asked_for_beside_what_the_user_configured() -> None:
    body = _body(output_schema=SCHEMA, params={"output_config": {"effort": "low"}})

    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}


@pytest.mark.parametrize(
    ("model", "forced"),
    [
        ("claude-3-5-haiku-20241022", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-opus-4-0", True),
        ("claude-opus-4@20250514", True),
        ("claude-opus-4-1-20250805", True),
        ("claude-opus-4-5", False),
        ("claude-haiku-4-5", False),
        ("claude-sonnet-5", False),
    ],
)
def test_models_without_structured_output_are_made_to_call_a_tool(model: str, forced: bool) -> None:
    body = _body(model=model, output_schema=SCHEMA, tools=(WEATHER,))

    assert ("output_config" not in body) is forced
    assert [tool["name"] for tool in body["tools"]] == ["weather"] + ["boxscore_answer"] * forced
    assert body.get("tool_choice") == ({"type": "tool", "name": "boxscore_answer"} if forced else None)


def test_the_input_of_that_tool_is_the_answer() -> None:
    response = _read(
        [{"type": "tool_use", "id": "t", "name": "boxscore_answer", "input": {"rating": 7, "word": "Größe"}}]
    )

    assert response.output == '{"rating": 7, "word": "Größe"}'
    assert response.tool_calls == ()


def test_text_thinking_and_calls_are_told_apart_and_the_rest_is_kept() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    response = _read(
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
            search,
            {"type": "text", "text": "It is ", "citations": None},
            {"type": "text", "text": "7.", "citations": [{"url": "https://example.com"}]},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
            {"type": "hologram", "data": "?"},
        ],
        stop_reason="tool_use",
        stop_details=None,
        container={"id": "c"},
    )

    assert response == Response(
        output="It is 7.",
        reasoning="Hm.",
        tool_calls=(ToolCall(name="weather", arguments={}, id="t1"),),
        finish_reason="tool_use",
        model=MODEL,
        provider="anthropic",
        usage_raw=USAGE,
        extra={
            "id": "msg_1",
            "container": {"id": "c"},
            "content": [
                {"index": 0, "type": "thinking", "signature": "sig"},
                {"index": 1, **search},
                {"index": 3, "type": "text", "citations": [{"url": "https://example.com"}]},
                {"index": 5, "type": "hologram", "data": "?"},
            ],
        },
    )


@pytest.mark.parametrize("reason", ["end_turn", "max_tokens", "refusal"])
def test_an_answer_that_says_nothing_is_one_unless_it_was_refused(reason: str) -> None:
    if reason != "refusal":
        assert _read([], stop_reason=reason).finish_reason == reason
        return
    with pytest.raises(ProviderError, match="refused to answer") as caught:
        _read([], stop_reason=reason)
    assert caught.value.kind == "filtered"
    assert _read([{"type": "text", "text": "I must"}], stop_reason=reason).output == "I must"


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"choices": []}, "bad_answer", "has choices"),
        ([], "bad_answer", "is list"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded", "Overloaded"),
    ],
)
def test_a_body_that_is_no_message_says_what_it_is(body: Any, kind: str, words: str) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        Anthropic().read(body, provider="anthropic")

    assert caught.value.kind == kind


pieces = st.lists(st.text(max_size=5), max_size=4)
blocks = st.one_of(
    pieces.map(lambda texts: {"type": "text", "text": texts}),
    pieces.map(lambda texts: {"type": "thinking", "thinking": texts, "signature": ["s1", "s2"]}),
    st.tuples(st.dictionaries(st.text(max_size=3), st.integers()), st.integers(1, 5)).map(
        lambda made: {"type": "tool_use", "id": "t", "name": "f", "input": made[0], "cut": made[1]}
    ),
    st.just({"type": "redacted_thinking", "data": "x"}),
)


@settings(deadline=None)
@given(content=st.lists(blocks, max_size=5), reason=st.sampled_from(["end_turn", "max_tokens", "tool_use"]))
def test_a_stream_is_the_same_answer_as_the_body_it_makes(content: list[Any], reason: str) -> None:
    assembly = Anthropic().assembly(provider="anthropic")
    for event in _events(content, reason):
        assembly.feed(event)

    whole = [
        {key: "".join(value) if isinstance(value, list) else value for key, value in block.items() if key != "cut"}
        for block in content
    ]
    assert assembly.finish() == _read(whole, stop_reason=reason, usage={"input_tokens": 3, "output_tokens": 9})


def test_only_what_is_of_the_answer_ends_the_wait_for_the_first_token() -> None:
    assembly = Anthropic().assembly(provider="anthropic")
    content = [{"type": "thinking", "thinking": ["Hm"], "signature": []}, {"type": "text", "text": ["", "Hi"]}]

    told = [(event.name, assembly.feed(event)) for event in _events(content, "end_turn")]

    assert [name for name, first in told if first] == ["content_block_delta", "content_block_delta"]
    assert told[0] == ("message_start", False)


def test_counts_of_a_stream_only_grow() -> None:
    """Some gateways send zeros at the end."""
    assembly = Anthropic().assembly(provider="anthropic")
    start = {"type": "message_start", "message": _message([], usage={"input_tokens": 3, "output_tokens": 1})}
    stop = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"input_tokens": 0, "output_tokens": 9},
    }
    for data in (start, stop):
        assembly.feed(Event(data["type"], data))

    assert assembly.finish().usage_raw == {"input_tokens": 3, "output_tokens": 9}


def test_events_and_deltas_of_unknown_kinds_are_kept() -> None:
    assembly = Anthropic().assembly(provider="anthropic")
    first, *others = _events([{"type": "text", "text": ["Hi"]}], "end_turn")
    strange = {"type": "content_block_delta", "index": 0, "delta": {"type": "glow_delta", "glow": 1}}
    for event in (first, Event("news", {"type": "news"}), Event("[DONE]", None), *others, Event(None, strange)):
        assembly.feed(event)
    response = assembly.finish()

    assert response.output == "Hi"
    assert response.extra["events"] == [{"type": "news"}]
    assert response.extra["content"] == [{"index": 0, "type": "text", "deltas": [{"type": "glow_delta", "glow": 1}]}]


def test_a_stream_that_ends_too_early_says_how_much_had_come() -> None:
    assembly = Anthropic().assembly(provider="anthropic")
    for event in _events([{"type": "text", "text": ["Hello"]}], "end_turn")[:-2]:
        assembly.feed(event)

    with pytest.raises(ProviderError, match="anthropic: the stream broke off after 5 characters of text") as caught:
        assembly.finish()
    assert caught.value.kind == "cut"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limit"),
        ("api_error", "server"),
        ("invalid_request_error", "refused"),
    ],
)
def test_an_error_inside_the_stream_is_of_its_kind(name: str, kind: str) -> None:
    assembly = Anthropic().assembly(provider="anthropic")

    with pytest.raises(ProviderError, match="because") as caught:
        assembly.feed(Event("error", {"type": "error", "error": {"type": name, "message": "because"}}))
    assert caught.value.kind == kind


def _body(stream: bool = False, **fields: Any) -> dict[str, Any]:
    asked = {"model": MODEL, "messages": (Message(role="user", content="Hi"),), **fields}
    return Anthropic().body(Request(**asked), stream=stream)


def _message(content: list[Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }


def _read(content: list[Any], **fields: Any) -> Response:
    return Anthropic().read(_message(content, **{"stop_reason": "end_turn", **fields}), provider="anthropic")


def _events(content: list[Any], reason: str) -> list[Event]:
    """The events that Anthropic would send for blocks whose texts are given in pieces."""
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message([], usage={"input_tokens": 3, "output_tokens": 1})}
    ]
    for index, block in enumerate(content):
        start = {
            key: "" if isinstance(value, list) else {} if key == "input" else value
            for key, value in block.items()
            if key != "cut"
        }
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events.append({"type": "ping"})
        for key in ("text", "thinking", "signature"):
            for piece in block.get(key, []):
                delta = {"type": f"{key}_delta", key: piece}
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
        if "input" in block:
            written = json.dumps(block["input"])
            for at in range(0, len(written), block["cut"]):
                delta = {"type": "input_json_delta", "partial_json": written[at : at + block["cut"]]}
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}})
    events.append({"type": "message_stop"})
    return [Event(event["type"], event) for event in events]
