"""Chat completions: what is asked, what is read, and that a stream is the same answer in pieces."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.costs import read_body
from boxscore.errors import ProviderError
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.dialects.framing import DONE
from boxscore.providers.dialects.openai_chat import Mistral, OpenAIChat
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

CHAT = OpenAIChat()
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 5}


def asked(*messages: Message, stream: bool = False, dialect: OpenAIChat = CHAT, **more: Any) -> dict[str, Any]:
    request = Request(messages=messages or (Message(role="user", content="Hi"),), **{"model": "gpt-4o", **more})
    return dialect.body(request, stream=stream)


def completion(message: Any, reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": USAGE, **more}


def read(body: Any) -> Response:
    return CHAT.read(body, provider="acme")


def streamed(*chunks: Any, done: bool = True, name: str | None = None) -> Response:
    assembly = CHAT.assembly(provider="acme")
    for chunk in chunks:
        assembly.feed(Event(name, chunk))
    if done:
        assembly.feed(DONE)
    return assembly.finish()


def delta(reason: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": fields, "finish_reason": reason}]}


# What is asked


def test_a_conversation_with_calls_goes_out_in_openais_form() -> None:
    body = asked(
        Message(role="developer", content="Be brief."),
        Message(role="user", content="2 + 2?"),
        Message(role="assistant", content=None, tool_calls=(ToolCall(name="add", arguments={"a": 2}, id="1"),)),
        Message(role="tool", content="4", tool_call_id="1"),
    )

    assert body["messages"] == [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "2 + 2?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":2}'}}],
        },
        {"role": "tool", "content": "4", "tool_call_id": "1"},
    ]


def test_parts_go_out_as_they_were_written_and_other_forms_in_this_ones() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
    flat = {"type": "input_image", "image_url": "https://example.com/b.png"}
    body = asked(Message(role="user", content=["Look:", {"type": "input_text", "text": "two"}, image, flat]))

    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "text", "text": "two"},
        image,
        {"type": "image_url", "image_url": {"url": "https://example.com/b.png"}},
    ]


def test_tools_of_other_forms_become_functions_and_unknown_ones_go_out_as_they_are() -> None:
    nested = {"type": "function", "function": {"name": "f"}}
    flat = {"type": "function", "name": "g", "parameters": SCHEMA, "strict": True}
    claude = {"name": "h", "description": "Does.", "input_schema": SCHEMA}
    own = {"type": "web_search_preview"}

    assert asked(tools=(nested, flat, claude, own))["tools"] == [
        nested,
        {"type": "function", "function": {"name": "g", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "h", "description": "Does.", "parameters": SCHEMA}},
        own,
    ]


def test_a_schema_is_a_response_format_unless_params_say_otherwise() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}

    assert asked(output_schema=SCHEMA)["response_format"] == form
    own = {"response_format": {"type": "json_object"}}
    assert asked(output_schema=SCHEMA, params=own)["response_format"] == own["response_format"]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "max_tokens"),
        ("gpt-4.1-mini", "max_tokens"),
        ("gpt-oss-120b", "max_tokens"),
        ("llama-3", "max_tokens"),
        ("o3", "max_completion_tokens"),
        ("o4-mini-2025-04-16", "max_completion_tokens"),
        ("gpt-5-nano", "max_completion_tokens"),
        ("gpt-5.2", "max_completion_tokens"),
        ("openai/gpt-5", "max_completion_tokens"),
        ("ft:gpt-5-mini:acme::1", "max_completion_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_model_takes(model: str, name: str) -> None:
    body = asked(model=model, params={"max_tokens": 9})

    assert body[name] == 9
    assert ("max_tokens" in body) == (name == "max_tokens")


def test_a_stream_asks_for_its_usage() -> None:
    assert asked(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream" not in asked()


def test_mistral_has_its_own_seed_and_counts_unasked() -> None:
    body = asked(dialect=Mistral(), stream=True, params={"seed": 7, "temperature": 0})

    assert body.keys() == {"model", "messages", "stream", "random_seed", "temperature"}


# What is read


def test_what_nothing_carries_is_extra_by_its_place() -> None:
    second = {"index": 1, "message": {"content": "5"}, "finish_reason": "stop"}
    body = {
        "id": "c1",
        "object": "chat.completion",
        "model": "m-1",
        "system_fingerprint": "fp",
        "choices": [
            second,
            {
                "index": 0,
                "finish_reason": "stop",
                "content_filter_results": {"hate": {"filtered": False}},
                "message": {"role": "assistant", "content": "4", "refusal": None, "annotations": [{"url": "u"}]},
            },
        ],
        "citations": ["https://example.com"],
        "usage": USAGE,
    }
    response = read(body)

    assert (response.output, response.model, response.fingerprint) == ("4", "m-1", "fp")
    assert response.extra == {
        "id": "c1",
        "citations": ["https://example.com"],
        "choice": {"content_filter_results": {"hate": {"filtered": False}}},
        "message": {"annotations": [{"url": "u"}]},
        "choices": [second],
    }


def test_a_refusal_is_the_answer_where_there_is_no_other() -> None:
    assert read(completion({"content": None, "refusal": "No."})).output == "No."


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_kept_apart_whole_and_streamed(name: str) -> None:
    whole = read(completion({"content": "4", name: "2 and 2"}))
    pieces = streamed(delta(**{name: "2 and"}), delta(**{name: " 2"}), delta("stop", content="4"), {"usage": USAGE})

    assert (whole.output, whole.reasoning) == ("4", "2 and 2")
    assert pieces == whole


def test_thinking_parts_of_mistral_are_reasoning() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "2 and 2"}]}
    whole = read(completion({"content": [thinking, {"type": "text", "text": "4"}]}))
    pieces = streamed(delta(content=[thinking]), delta(content="4"), delta("stop"))

    assert (whole.output, whole.reasoning) == (pieces.output, pieces.reasoning) == ("4", "2 and 2")


def test_calls_of_every_form_are_read() -> None:
    custom = {"id": "1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    broken = {"id": "2", "function": {"name": "add", "arguments": '{"a": '}}
    parsed = {"id": "3", "function": {"name": "add", "arguments": {"a": 2}}}
    message = {"tool_calls": [custom, broken, parsed], "function_call": {"name": "old", "arguments": ""}}

    assert read(completion(message, "tool_calls")).tool_calls == (
        ToolCall(name="shell", arguments="ls", id="1"),
        ToolCall(name="add", arguments='{"a": ', id="2"),
        ToolCall(name="add", arguments={"a": 2}, id="3"),
        ToolCall(name="old", arguments={}),
    )


def test_a_tier_of_service_stands_beside_the_usage_because_prices_depend_on_it() -> None:
    plain = read(completion({"content": "4"}, service_tier="default"))
    flex = read(completion({"content": "4"}, service_tier="flex"))

    assert plain.usage_raw == USAGE
    assert flex.usage_raw == {"usage": USAGE, "service_tier": "flex"}
    assert read_body(flex.usage_raw).usage == read_body(plain.usage_raw).usage


def test_an_answer_of_which_the_filter_left_nothing_is_filtered_and_one_that_it_cut_is_an_answer() -> None:
    with pytest.raises(ProviderError, match="withheld the whole answer") as caught:
        read({"choices": [{"index": 0, "finish_reason": "content_filter"}], "usage": USAGE})
    cut = read(completion({"content": "It is"}, "content_filter"))

    assert caught.value.kind == "filtered"
    assert (cut.output, cut.finish_reason) == ("It is", "content_filter")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "busy", "code": 503}}, "overloaded"),
        ({"error": {"message": "no", "code": "content_filter"}}, "filtered"),
        ({"object": "error", "message": "max context length is 10", "code": 400}, "too_long"),
        ({"choices": [{"finish_reason": "error", "error": {"message": "upstream", "code": 502}}]}, "server"),
        ({"completion": "4"}, "bad_answer"),
        ({"choices": []}, "bad_answer"),
        ([], "bad_answer"),
        ("hello", "bad_answer"),
        (None, "bad_answer"),
    ],
)
def test_an_error_inside_a_good_status_is_its_leaf_and_another_shape_a_bad_answer(body: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read(body)

    assert (caught.value.kind, caught.value.provider) == (kind, "acme")


# Streams


@given(text=st.text(), cuts=st.lists(st.integers(0, 40)), written=st.text(max_size=30))
def test_a_stream_is_the_same_answer_as_unstreamed(text: str, cuts: list[int], written: str) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": written}}
    whole = read(completion({"content": text or None, "tool_calls": [call]}, "tool_calls", model="m", id="c"))
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    pieces = [delta(content=text[a:b]) for a, b in pairwise(places)]
    begun = {**call, "index": 0, "function": {"name": "f", "arguments": ""}}
    calls = [delta(tool_calls=[begun]), *(_more(character) for character in written)]

    head = {"model": "m", "id": "c", "object": "chat.completion.chunk"}
    assert streamed(head | delta(role="assistant"), *pieces, *calls, delta("tool_calls"), {"usage": USAGE}) == whole


def _more(text: str) -> dict[str, Any]:
    return delta(tool_calls=[{"index": 0, "function": {"arguments": text}}])


def test_calls_are_told_apart_by_index_or_by_id_or_by_order() -> None:
    def piece(**fields: Any) -> dict[str, Any]:
        name, text = fields.pop("name", None), fields.pop("text", None)
        return delta(tool_calls=[{**fields, "function": {"name": name, "arguments": text}}])

    by_index = [
        piece(index=0, id="1", name="f", text=""),
        piece(index=1, id="2", name="g", text="{"),
        piece(index=0, text="{}"),
        piece(index=1, text="}"),
    ]
    same_index = [piece(index=0, id="1", name="f", text="{}"), piece(index=0, id="2", name="g", text="{}")]
    no_index = [piece(id="1", name="f", text="{"), piece(text="}"), piece(id="2", name="g", text="{}")]
    repeated = [
        piece(index=0, id="1", name="f", text="{"),
        piece(index=0, id="1", name="f", text="}"),
        piece(index=1, id="2", name="g", text="{}"),
    ]
    due = (ToolCall(name="f", arguments={}, id="1"), ToolCall(name="g", arguments={}, id="2"))

    for pieces in (by_index, same_index, no_index, repeated):
        assert streamed(*pieces, delta("tool_calls")).tool_calls == due


def test_further_choices_of_a_stream_are_extra_as_unstreamed() -> None:
    response = streamed(delta(index=1, content="5"), delta(content="4"), delta("stop"), delta("length", index=1))

    assert response.output == "4"
    assert response.extra["choices"] == [{"index": 1, "message": {"content": "5"}, "finish_reason": "length"}]


def test_usage_comes_in_the_last_chunk_or_where_groq_puts_it() -> None:
    assert streamed(delta(content="4"), delta("stop"), {"choices": [], "usage": USAGE}).usage_raw == USAGE
    assert streamed(delta("stop", content="4") | {"x_groq": {"id": "r", "usage": USAGE}}).usage_raw == USAGE


def test_the_first_token_is_the_first_piece_of_text_thought_or_call_and_no_empty_one() -> None:
    assembly = CHAT.assembly(provider="acme")
    told = [
        assembly.feed(Event(None, chunk))
        for chunk in (
            {"choices": [], "prompt_filter_results": [{}]},
            delta(role="assistant", content="", refusal=None),
            delta(reasoning="hm"),
            delta(content="4"),
            delta(tool_calls=[{"index": 0, "id": "1", "function": {"name": "f"}}]),
            delta("stop"),
        )
    ]

    assert told == [False, False, True, True, True, False]


def test_a_stream_that_ends_before_its_end_says_how_much_had_come() -> None:
    with pytest.raises(ProviderError, match="broke off after 5 characters") as caught:
        streamed(delta(content="hello"), done=False)

    assert caught.value.kind == "cut"
    assert streamed(delta("stop", content="hello"), done=False).output == "hello"
    assert streamed(delta(content="hello")).output == "hello"


@pytest.mark.parametrize("name", [None, "error"])
def test_an_error_in_the_stream_is_raised(name: str | None) -> None:
    with pytest.raises(ProviderError) as caught:
        streamed({"error": {"message": "The server had an error", "type": "server_error"}}, name=name)

    assert (caught.value.kind, caught.value.provider) == ("server", "acme")
