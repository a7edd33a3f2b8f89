"""Google's generateContent: what is asked, what is read, and that a stream is the same answer in pieces."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.costs import read_body
from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.dialects.gemini import Gemini
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

MODEL = "gemini-2.5-flash"
SCHEMA = {"type": "object", "properties": {"rating": {"type": "integer"}}, "required": ["rating"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Now.", "parameters": SCHEMA}}
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 10}


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        (MODEL, False, "/models/gemini-2.5-flash:generateContent"),
        (MODEL, True, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("tunedModels/my-own", False, "/tunedModels/my-own:generateContent"),
        ("gemini 2?x=1#", False, "/models/gemini%202%3Fx%3D1%23:generateContent"),
    ],
)
def test_the_model_is_in_the_path(model: str, stream: bool, path: str) -> None:
    assert Gemini().path(model, stream=stream) == path


def test_system_turns_and_params_have_googles_names() -> None:
    body = _body(
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="Hi"),
            Message(role="assistant", content="Hello"),
            Message(role="user", content=[{"type": "text", "text": "And?"}]),
        ),
        params={"temperature": 0, "top_p": 0.9, "max_tokens": 7, "stop": "END", "seed": 1, "safetySettings": [{}]},
    )

    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hello"}]},
            {"role": "user", "parts": [{"text": "And?"}]},
        ],
        "generationConfig": {
            "temperature": 0,
            "topP": 0.9,
            "maxOutputTokens": 7,
            "stopSequences": ["END"],
            "seed": 1,
        },
        "safetySettings": [{}],
    }


def test_structured_output_stands_beside_what_the_user_configured() -> None:
    body = _body(output_schema=SCHEMA, params={"max_tokens": 7, "generationConfig": {"topK": 40, "maxOutputTokens": 9}})

    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
        "topK": 40,
    }


def test_functions_are_one_declaration_and_googles_own_tools_stay_as_they_came() -> None:
    assert _body(tools=(WEATHER, {"googleSearch": {}}))["tools"] == [
        {"functionDeclarations": [{"name": "weather", "description": "Now.", "parametersJsonSchema": SCHEMA}]},
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize("ids", [("c1", "c2"), (None, None)])
def test_answers_of_functions_carry_the_name_of_the_call_and_stand_in_one_turn(ids: tuple[str | None, ...]) -> None:
    first, second = ids
    calls = (
        ToolCall(name="weather", arguments={"city": "Rome"}, id=first),
        ToolCall(name="time", arguments="", id=second),
    )
    turns = _body(
        messages=(
            Message(role="user", content="Weather and time?"),
            Message(role="assistant", content=None, tool_calls=calls),
            Message(role="tool", content='{"sky": "blue"}', tool_call_id=first),
            Message(role="tool", content="noon", tool_call_id=second),
            Message(role="user", content="Thanks"),
        )
    )["contents"][1:]

    given = [{"id": call_id} if call_id else {} for call_id in ids]
    assert turns == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {**given[0], "name": "weather", "args": {"city": "Rome"}}},
                {"functionCall": {**given[1], "name": "time", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {**given[0], "name": "weather", "response": {"sky": "blue"}}},
                {"functionResponse": {**given[1], "name": "time", "response": {"output": "noon"}}},
                {"text": "Thanks"},
            ],
        },
    ]


def test_what_cannot_be_said_is_refused_before_it_is_sent() -> None:
    with pytest.raises(SpecError, match="no earlier call has the id 'x'"):
        _body(messages=(Message(role="tool", content="Sunny", tool_call_id="x"),))
    with pytest.raises(SpecError, match="'critic'"):
        _body(messages=(Message(role="critic", content="Hm."),))


def test_images_go_as_their_bytes_or_their_address_and_its_own_parts_as_they_are() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg?size=1"}},
        {"type": "image_url", "image_url": {"url": "gs://bucket/a"}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
    ]

    assert _body(messages=(Message(role="user", content=content),))["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}},
        {"fileData": {"fileUri": "https://example.com/a.jpg?size=1", "mimeType": "image/jpeg"}},
        {"fileData": {"fileUri": "gs://bucket/a"}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
    ]


def test_text_thoughts_and_calls_are_told_apart_and_the_rest_is_kept() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    response = _read(
        [
            {"text": "Hm.", "thought": True},
            {"text": "It is "},
            code,
            {"text": "7.", "thoughtSignature": "sig"},
            {"functionCall": {"name": "weather", "args": {"city": "Rome"}, "id": "c1"}, "thoughtSignature": "sig2"},
            {"functionCall": {"name": "time"}},
        ],
        groundingMetadata={"webSearchQueries": ["x"]},
    )

    assert response == Response(
        output="It is 7.",
        reasoning="Hm.",
        tool_calls=(
            ToolCall(name="weather", arguments={"city": "Rome"}, id="c1"),
            ToolCall(name="time", arguments={}),
        ),
        finish_reason="STOP",
        model="gemini-2.5-flash-001",
        provider="google",
        usage_raw=USAGE,
        extra={
            "responseId": "r",
            "groundingMetadata": {"webSearchQueries": ["x"]},
            "parts": [
                {"index": 2, **code},
                {"index": 3, "thoughtSignature": "sig"},
                {"index": 4, "thoughtSignature": "sig2"},
            ],
        },
    )
    usage = read_body(response.usage_raw, provider="google").usage
    assert (usage.input_tokens, usage.output_tokens, usage.output_reasoning_tokens) == (3, 7, 2)


@pytest.mark.parametrize(("number", "reason"), [(1, "STOP"), (2, "MAX_TOKENS"), (9, "MALFORMED_FUNCTION_CALL")])
def test_reasons_written_as_numbers_get_their_names(number: int, reason: str) -> None:
    assert _read([], finishReason=number).finish_reason == reason


def test_further_candidates_are_kept() -> None:
    body = _answer([{"text": "one"}])
    second = {"content": {"parts": [{"text": "two"}]}, "finishReason": "STOP", "index": 1}
    body["candidates"].append(second)

    response = Gemini().read(body, provider="google")

    assert response.output == "one"
    assert response.extra["candidates"] == [second]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "filtered", r"the prompt was blocked \(SAFETY\)"),
        ({"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "no"}}, "filtered", "OTHER: no"),
        ({"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]}, "filtered", "the answer was blocked"),
        ({"candidates": [{"finishReason": 3}]}, "filtered", "SAFETY"),
        ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down"}}, "rate_limit", "slow down"),
        ({"choices": []}, "bad_answer", "has choices"),
    ],
)
def test_what_is_no_answer_says_why(body: Any, kind: str, words: str) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        Gemini().read(body, provider="google")

    assert caught.value.kind == kind


def test_an_answer_that_was_cut_or_half_blocked_is_an_answer() -> None:
    assert _read([], finishReason="MAX_TOKENS").output == ""
    assert _read([{"text": "Some"}], finishReason="SAFETY").output == "Some"


parts = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(min_size=1)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(min_size=1)),
    st.just({"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "s"}),
    st.just({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
    st.just({"text": "signed", "thoughtSignature": "s"}),
)


@settings(deadline=None)
@given(content=st.lists(parts, max_size=6), size=st.integers(1, 5), reason=st.sampled_from(["STOP", "MAX_TOKENS"]))
def test_a_stream_is_the_same_answer_as_the_body_it_makes(content: list[Any], size: int, reason: str) -> None:
    whole: list[Any] = []
    for part in content:  # neighbours that say nothing but text are one part once they are in a stream
        plain = part.keys() <= {"text", "thought"}
        if plain and whole and whole[-1].keys() == part.keys():
            whole[-1] = {**part, "text": whole[-1]["text"] + part["text"]}
        else:
            whole.append(part)

    assembly = Gemini().assembly(provider="google")
    for event in _events(content, size, reason):
        assembly.feed(event)

    assert assembly.finish() == _read(whole, finishReason=reason)


def test_only_what_is_of_the_answer_ends_the_wait_for_the_first_token() -> None:
    assembly = Gemini().assembly(provider="google")

    assert not assembly.feed(Event(None, {"usageMetadata": {"promptTokenCount": 3}}))
    assert not assembly.feed(Event(None, {"candidates": [{"content": {"parts": [{"text": ""}]}}]}))
    assert assembly.feed(Event(None, {"candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}]}}]}))
    assert assembly.feed(Event(None, {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}}]}))


def test_counts_of_a_stream_stay_once_they_are_told() -> None:
    assembly = Gemini().assembly(provider="google")
    assembly.feed(Event(None, {"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}))
    last = {
        "candidates": [{"finishReason": "STOP"}],
        "usageMetadata": {"candidatesTokenCount": 5, "totalTokenCount": 8},
    }
    assembly.feed(Event(None, last))

    due = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
    assert assembly.finish().usage_raw == due


def test_a_stream_that_ends_too_early_says_how_much_had_come() -> None:
    assembly = Gemini().assembly(provider="google")
    for event in _events([{"text": "Hello"}], 5, "STOP")[:-1]:
        assembly.feed(event)

    with pytest.raises(ProviderError, match="google: the stream broke off after 5 characters of text") as caught:
        assembly.finish()
    assert caught.value.kind == "cut"


def test_a_prompt_blocked_in_a_stream_and_an_error_inside_it_are_of_their_kinds() -> None:
    assembly = Gemini().assembly(provider="google")
    assembly.feed(Event(None, {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}))
    with pytest.raises(ProviderError) as blocked:
        assembly.finish()
    with pytest.raises(ProviderError) as failed:
        assembly.feed(Event(None, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}}))

    assert blocked.value.kind == "filtered"
    assert failed.value.kind == "overloaded"


def _body(**fields: Any) -> dict[str, Any]:
    asked = {"model": MODEL, "messages": (Message(role="user", content="Hi"),), **fields}
    return Gemini().body(Request(**asked), stream=False)


def _answer(content: list[Any], **candidate: Any) -> dict[str, Any]:
    return {
        "candidates": [
            {"content": {"role": "model", "parts": content}, "finishReason": "STOP", "index": 0, **candidate}
        ],
        "usageMetadata": USAGE,
        "modelVersion": "gemini-2.5-flash-001",
        "responseId": "r",
    }


def _read(content: list[Any], **candidate: Any) -> Response:
    return Gemini().read(_answer(content, **candidate), provider="google")


def _events(content: list[Any], size: int, reason: str) -> list[Event]:
    """The events that Google would send: texts in pieces, counts that grow, the reason at the end."""
    events: list[dict[str, Any]] = []
    for part in content:
        cut = range(0, len(part["text"]), size) if part.keys() <= {"text", "thought"} else [None]
        for at in cut:
            piece = part if at is None else {**part, "text": part["text"][at : at + size]}
            events.append({"candidates": [{"content": {"role": "model", "parts": [piece]}, "index": 0}]})
            events[-1]["usageMetadata"] = {"promptTokenCount": 3, "totalTokenCount": 3}
    events.append(
        {
            "candidates": [{"finishReason": reason, "index": 0}],
            "usageMetadata": USAGE,
            "modelVersion": "gemini-2.5-flash-001",
            "responseId": "r",
        }
    )
    return [Event(None, event) for event in events]
