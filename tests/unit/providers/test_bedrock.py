"""Bedrock's Converse: bodies valid by Amazon's own model of the API, answers whole and streamed; InvokeModel too."""

import base64
import json
from typing import Any

import botocore.session
import pytest
from botocore.model import OperationModel, ServiceModel
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.costs import read_body
from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.dialects.bedrock_invoke import BedrockInvoke
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

NOVA = "us.amazon.nova-lite-v1:0"
CLAUDE = "anthropic.claude-3-5-haiku-20241022-v1:0"
NEW = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SCHEMA = {"type": "object", "properties": {"rating": {"type": "integer"}}, "required": ["rating"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Now.", "parameters": SCHEMA}}
PIXEL = base64.b64encode(b"\x89PNG").decode()
USAGE = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}

texts = st.text(min_size=1, max_size=10)
contents = st.one_of(
    texts,
    st.lists(
        st.one_of(
            texts.map(lambda text: {"type": "text", "text": text}),
            st.just({"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PIXEL}"}}),
            st.just({"type": "image_url", "image_url": {"url": "s3://bucket/a.JPG"}}),
            st.just({"guardContent": {"text": {"text": "a"}}}),
        ),
        min_size=1,
    ),
)
calls = st.builds(
    ToolCall,
    name=st.just("weather"),
    arguments=st.one_of(st.just({"city": "Rome"}), st.just('{"city": "Rome"}')),
    id=st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True),
)
messages = st.one_of(
    st.builds(Message, role=st.sampled_from(["user", "assistant"]), content=contents),
    st.builds(Message, role=st.just("system"), content=texts),
    st.builds(
        Message, role=st.just("assistant"), content=st.none() | texts, tool_calls=st.lists(calls, max_size=2).map(tuple)
    ),
    st.builds(Message, role=st.just("tool"), content=texts, tool_call_id=st.just("t1")),
)
requests = st.builds(
    Request,
    messages=st.lists(messages, min_size=1, max_size=6).map(tuple),
    model=st.sampled_from([NOVA, CLAUDE, NEW, "mistral.mistral-large-2407-v1:0"]),
    params=st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0, 1),
            "top_p": st.floats(0, 1),
            "max_tokens": st.integers(1, 9),
            "stop": st.one_of(texts, st.lists(texts)),
            "seed": st.integers(0),
            "top_k": st.integers(1),
            "guardrailConfig": st.just({"guardrailIdentifier": "g", "guardrailVersion": "DRAFT"}),
            "serviceTier": st.just({"type": "flex"}),
            "requestMetadata": st.just({"team": "a"}),
        },
    ),
    tools=st.sampled_from([(), (WEATHER,), ({"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}, WEATHER)]),
    output_schema=st.sampled_from([None, SCHEMA]),
)


@pytest.fixture(scope="module")
def api() -> ServiceModel:
    return botocore.session.get_session().get_service_model("bedrock-runtime")


@pytest.fixture(scope="module")
def converse(api: ServiceModel) -> OperationModel:
    return api.operation_model("Converse")


@settings(deadline=None)
@given(request=requests)
def test_every_body_is_valid_by_amazons_own_model_of_the_api(request: Request, converse: OperationModel) -> None:
    body = Bedrock().body(request, stream=False)

    report = ParamValidator().validate({"modelId": request.model, **body}, converse.input_shape)

    assert report.generate_report() == ""
    assert body.keys() <= set(converse.input_shape.members)
    assert [turn["role"] for turn in body["messages"]] == _alternating(body["messages"])
    json.dumps(body)


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        (CLAUDE, False, "/model/anthropic.claude-3-5-haiku-20241022-v1%3A0/converse"),
        (
            "arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.x-v1:0",
            True,
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A012345678901%3Ainference-profile%2Fus.x-v1%3A0/converse-stream",
        ),
    ],
)
def test_the_model_is_in_the_path(model: str, stream: bool, path: str) -> None:
    assert Bedrock().path(model, stream=stream) == path


@settings(deadline=None)
@given(model=st.text(min_size=1), stream=st.booleans())
def test_any_model_has_the_path_that_amazons_own_client_asks(model: str, stream: bool, api: ServiceModel) -> None:
    operation = api.operation_model("ConverseStream" if stream else "Converse")

    due = create_serializer("rest-json").serialize_to_request({"modelId": model, **_body()}, operation)["url_path"]

    assert Bedrock().path(model, stream=stream) == due


def test_params_have_converses_names_and_those_of_the_model_go_where_it_reads_them() -> None:
    body = _body(params={"temperature": 0, "max_tokens": 7, "stop": "END", "top_k": 3, "serviceTier": {"type": "flex"}})

    assert body == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"temperature": 0, "maxTokens": 7, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"top_k": 3},
        "serviceTier": {"type": "flex"},
    }


def test_calls_and_their_results_are_blocks_and_neighbours_are_one_turn() -> None:
    body = _body(
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="Weather?"),
            Message(role="assistant", content=None, tool_calls=(ToolCall(name="weather", arguments={}, id="t1"),)),
            Message(role="tool", content="Sun", tool_call_id="t1"),
            Message(role="user", content="And?"),
        ),
        tools=(WEATHER,),
    )

    tool = {"toolSpec": {"name": "weather", "description": "Now.", "inputSchema": {"json": SCHEMA}}}
    assert body == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Weather?"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}}]},
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "Sun"}]}}, {"text": "And?"}],
            },
        ],
        "toolConfig": {"tools": [tool]},
    }


@pytest.mark.parametrize(("model", "forced"), [(NOVA, True), (CLAUDE, True), (NEW, False), ("qwen.qwen3-32b", False)])
def test_structured_output_is_asked_for_as_the_model_can(model: str, forced: bool) -> None:
    body = _body(model=model, output_schema=SCHEMA)

    if forced:
        assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "boxscore_answer"}}
    else:
        asked = body["outputConfig"]["textFormat"]
        assert asked["type"] == "json_schema"
        assert json.loads(asked["structure"]["jsonSchema"]["schema"]) == SCHEMA


def test_the_input_of_that_tool_is_the_answer() -> None:
    response = _read([{"toolUse": {"toolUseId": "t", "name": "boxscore_answer", "input": {"rating": 7}}}])

    assert (response.output, response.tool_calls) == ('{"rating": 7}', ())


def test_what_cannot_be_said_is_refused_before_it_is_sent() -> None:
    web = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    for wrong, words in (
        (Message(role="user", content=web), "no image from the web"),
        (Message(role="tool", content="Sun"), "tool_call_id"),
        (Message(role="critic", content="Hm."), "'critic'"),
    ):
        with pytest.raises(SpecError, match=words):
            _body(messages=(wrong,))


def test_text_reasoning_and_calls_are_told_apart_and_the_rest_is_kept() -> None:
    search = {"toolUse": {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use", "input": {}}}
    response = _read(
        [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}},
            {"reasoningContent": {"redactedContent": "AAAA"}},
            {"text": "It is "},
            {"citationsContent": {"content": [{"text": "7."}], "citations": [{"title": "a"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Rome"}}},
            search,
        ],
        stopReason="tool_use",
    )

    assert response == Response(
        output="It is 7.",
        reasoning="Hm.",
        tool_calls=(ToolCall(name="weather", arguments={"city": "Rome"}, id="t1"),),
        finish_reason="tool_use",
        provider="bedrock",
        usage_raw=USAGE,
        extra={
            "metrics": {"latencyMs": 9},
            "content": [
                {"index": 0, "reasoningContent": {"signature": "sig"}},
                {"index": 1, "reasoningContent": {"redactedContent": "AAAA"}},
                {"index": 3, "citationsContent": {"citations": [{"title": "a"}]}},
                {"index": 5, **search},
            ],
        },
    )


def test_the_tier_goes_with_the_usage_because_prices_depend_on_it() -> None:
    response = Bedrock().read(_answer([], serviceTier={"type": "flex"}), provider="bedrock")

    reading = read_body(response.usage_raw, provider="bedrock")
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (3, 5)
    assert reading.context == {"service_tier": "flex"}


def test_a_router_names_the_model_that_answered() -> None:
    trace = {"promptRouter": {"invokedModelId": "arn:x"}}

    assert Bedrock().read(_answer([], trace=trace), provider="bedrock").model == "arn:x"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"output": {"message": {"content": []}}, "stopReason": "content_filtered"}, "filtered"),
        ({"message": "The provided model identifier is invalid."}, "not_found"),
        ({"choices": []}, "bad_answer"),
        ("text", "bad_answer"),
    ],
)
def test_what_is_no_answer_says_why(body: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        Bedrock().read(body, provider="bedrock")

    assert caught.value.kind == kind


pieces = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4)
blocks = st.one_of(
    pieces.map(lambda made: [{"text": piece} for piece in made]),
    pieces.map(
        lambda made: [
            *({"reasoningContent": {"text": piece}} for piece in made),
            {"reasoningContent": {"signature": "sig"}},
        ]
    ),
    st.just([{"reasoningContent": {"redactedContent": "AAAA"}}]),
    st.tuples(st.dictionaries(st.text(max_size=3), st.integers()), st.integers(1, 5)).map(
        lambda made: [
            {"toolUse": {"input": json.dumps(made[0])[at : at + made[1]]}}
            for at in range(0, len(json.dumps(made[0])), made[1])
        ]
    ),
)


@settings(deadline=None)
@given(content=st.lists(blocks, max_size=5), reason=st.sampled_from(["end_turn", "max_tokens", "tool_use"]))
def test_a_stream_is_the_same_answer_as_the_body_it_makes(content: list[Any], reason: str) -> None:
    assembly = Bedrock().assembly(provider="bedrock")
    for event in _events(content, reason):
        assembly.feed(event)

    assert assembly.finish() == _read([_whole(deltas) for deltas in content], stopReason=reason)


def test_only_what_is_of_the_answer_ends_the_wait_for_the_first_token() -> None:
    assembly = Bedrock().assembly(provider="bedrock")

    told = [assembly.feed(event) for event in _events([[{"text": "Hi"}], [{"toolUse": {"input": "{}"}}]], "tool_use")]

    assert told == [False, True, False, True, True, False, False, False]


def test_events_and_blocks_of_unknown_kinds_are_kept() -> None:
    assembly = Bedrock().assembly(provider="bedrock")
    start, *others = _events([[{"text": "Hi"}]], "end_turn")
    glow = {"contentBlockIndex": 1, "delta": {"glow": 1}}
    for event in (start, Event("news", {"a": 1}), Event("contentBlockDelta", glow), *others):
        assembly.feed(event)
    response = assembly.finish()

    assert response.output == "Hi"
    assert response.extra["events"] == [{"event": "news", "data": {"a": 1}}]
    assert response.extra["content"] == [{"index": 1, "deltas": [{"glow": 1}]}]


def test_a_stream_that_ends_too_early_says_how_much_had_come() -> None:
    assembly = Bedrock().assembly(provider="bedrock")
    for event in _events([[{"text": "Hello"}]], "end_turn")[:-2]:
        assembly.feed(event)

    with pytest.raises(ProviderError, match="bedrock: the stream broke off after 5 characters of text") as caught:
        assembly.finish()
    assert caught.value.kind == "cut"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", "rate_limit"),
        ("serviceUnavailableException", "overloaded"),
        ("internalServerException", "server"),
        ("modelStreamErrorException", "server"),
        ("validationException", "refused"),
        ("error", "server"),
    ],
)
def test_an_exception_inside_the_stream_is_of_its_kind(name: str, kind: str) -> None:
    assembly = Bedrock().assembly(provider="bedrock")

    with pytest.raises(ProviderError, match="because") as caught:
        assembly.feed(Event(name, {"message": "because"}))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("body", "output", "reason"),
    [
        ({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}, "Hi", "stop"),
        ({"text": "Hi", "finish_reason": "COMPLETE"}, "Hi", "COMPLETE"),
        ({"choices": [{"text": "Hi", "finish_reason": "length"}]}, "Hi", "length"),
        ({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}, "Hi", "stop"),
    ],
)
def test_invokes_bodies_are_read_by_their_shape(body: Any, output: str, reason: str) -> None:
    response = BedrockInvoke().read(body, provider="bedrock")

    assert (response.output, response.finish_reason, response.usage_raw) == (output, reason, None)


def test_models_that_count_nothing_in_the_body_do_in_the_headers() -> None:
    headers = {"x-amzn-bedrock-input-token-count": "9", "x-amzn-bedrock-output-token-count": "17"}
    mistral, titan = (
        {"outputs": [{"text": "Hi"}]},
        {"inputTextTokenCount": 1, "results": [{"tokenCount": 2, "outputText": ""}]},
    )

    counted = [BedrockInvoke().read(body, provider="bedrock", headers=headers).usage_raw for body in (mistral, titan)]

    usages = [read_body(usage, provider="bedrock").usage for usage in counted]
    assert [(usage.input_tokens, usage.output_tokens) for usage in usages] == [(9, 17), (1, 2)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            {"inputTextTokenCount": 1, "results": [{"outputText": "", "completionReason": "CONTENT_FILTERED"}]},
            "filtered",
        ),
        ({"results": []}, "bad_answer"),
        ({"embedding": [0.1]}, "bad_answer"),
        ({"message": "Too many requests", "__type": "ThrottlingException"}, "rate_limit"),
    ],
)
def test_what_is_no_answer_of_invoke_says_why(body: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        BedrockInvoke().read(body, provider="bedrock")

    assert caught.value.kind == kind


def _body(**fields: Any) -> dict[str, Any]:
    asked = {"model": NOVA, "messages": (Message(role="user", content="Hi"),), **fields}
    return Bedrock().body(Request(**asked), stream=False)


def _alternating(turns: list[Any]) -> list[str]:
    first = turns[0]["role"] if turns else "user"
    other = {"user": "assistant", "assistant": "user"}[first]
    return [(first, other)[index % 2] for index in range(len(turns))]


def _answer(content: list[Any], **fields: Any) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "end_turn",
        "usage": USAGE,
        "metrics": {"latencyMs": 9},
        **fields,
    }


def _read(content: list[Any], **fields: Any) -> Response:
    return Bedrock().read(_answer(content, **fields), provider="bedrock")


def _whole(deltas: list[Any]) -> Any:
    """A block out of its deltas."""
    if "text" in deltas[0]:
        return {"text": "".join(delta["text"] for delta in deltas)}
    if "toolUse" in deltas[0]:
        written = "".join(delta["toolUse"]["input"] for delta in deltas)
        return {"toolUse": {"toolUseId": "t", "name": "f", "input": json.loads(written)}}
    thought = [delta["reasoningContent"] for delta in deltas]
    if "redactedContent" in thought[0]:
        return {"reasoningContent": thought[0]}
    text = "".join(piece.get("text", "") for piece in thought)
    return {"reasoningContent": {"reasoningText": {"text": text, "signature": "sig"}}}


def _events(content: list[Any], reason: str) -> list[Event]:
    """The events that Bedrock would send for blocks that are given as their deltas."""
    events = [Event("messageStart", {"role": "assistant", "p": "abc"})]
    for index, deltas in enumerate(content):
        at = {"contentBlockIndex": index, "p": "abc"}
        if "toolUse" in deltas[0]:
            events.append(Event("contentBlockStart", {"start": {"toolUse": {"toolUseId": "t", "name": "f"}}, **at}))
        events += [Event("contentBlockDelta", {"delta": delta, **at}) for delta in deltas]
        events.append(Event("contentBlockStop", at))
    events.append(Event("messageStop", {"stopReason": reason, "p": "abc"}))
    events.append(Event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 9}, "p": "abc"}))
    return events
