"""What the fake server writes, read by those who know each dialect: our own readers and Amazon's."""

import json

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import example, given
from hypothesis import strategies as st

from boxscore.costs import normalise
from boxscore.providers import Response, ToolCall, Usage
from boxscore.providers.dialects.anthropic import Anthropic
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.dialects.cohere import Cohere
from boxscore.providers.dialects.framing import decoder
from boxscore.providers.dialects.gemini import Gemini
from boxscore.providers.dialects.openai_chat import OpenAIChat
from boxscore.providers.dialects.openai_responses import OpenAIResponses
from boxscore.providers.refusals import refusal
from boxscore.providers.transport import Reply
from boxscore.testing import Fault
from boxscore.testing.dialects import asked_in, whole_response

READERS = {
    "/v1/chat/completions": OpenAIChat(),
    "/v1/messages": Anthropic(),
    "/v1beta/models/gemini-test:generateContent": Gemini(),
    "/model/nova-test/converse": Bedrock(),
    "/v1/responses": OpenAIResponses(),
    "/v2/chat": Cohere(),
}
STREAMS = {path: path.replace(":g", ":streamG").replace("converse", "converse-stream") for path in READERS}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CALLS = st.lists(
    st.builds(ToolCall, name=st.text(min_size=1), arguments=st.dictionaries(st.text(), JSON, max_size=3)), max_size=3
)
ANSWERS = st.builds(Response, output=st.text(), reasoning=st.text(), tool_calls=CALLS.map(tuple))
HALF_A_PAIR = Response(output="é \ud83d", tool_calls=(ToolCall(name="f", arguments={"x": "\udc00"}),))


def written(path, answer, *, stream=False, seed=0):
    body = {"model": "m", "messages": [], "stream": stream, "stream_options": {"include_usage": True}}
    dialect, asked = asked_in(STREAMS.get(path, path) if stream else path, body, number=1, seed=seed)
    said = whole_response(answer, asked)
    return b"".join(dialect.events(asked, said)) if stream else dialect.whole(asked, said)


def streamed(path, answer, **options):
    reader = READERS[path]
    cutter, assembly = decoder(reader.framing, provider="p"), reader.assembly(provider="p")
    for event in [*cutter.feed(written(path, answer, stream=True, **options)), *cutter.close()]:
        assembly.feed(event)
    return assembly.finish()


def parts(response):
    return (
        response.output,
        response.reasoning,
        [(call.name, call.arguments, call.id) for call in response.tool_calls],
        response.finish_reason,
        response.usage_raw,
    )


@pytest.mark.parametrize("path", READERS)
@example(answer=HALF_A_PAIR, seed=0)
@given(answer=ANSWERS, seed=st.integers(0, 9))
def test_any_answer_is_read_back_whole_and_streamed(path, answer, seed):
    whole, stream = READERS[path].read(written(path, answer), provider="p"), streamed(path, answer, seed=seed)

    assert parts(whole) == parts(stream)
    assert (whole.output, whole.reasoning) == (answer.output, answer.reasoning)
    assert [(call.name, call.arguments) for call in whole.tool_calls] == [
        (call.name, call.arguments) for call in answer.tool_calls
    ]


@pytest.mark.parametrize("path", READERS)
def test_usage_of_the_script_is_sent_in_the_dialects_own_names(path):
    said = Response(output="4", usage=Usage(input_tokens=100, output_tokens=20, cache_read_tokens=40))
    raw = READERS[path].read(written(path, said), provider="p").usage_raw
    found = normalise(raw, dialect="cohere-tokens" if path == "/v2/chat" else None)

    assert (found.input_tokens, found.output_tokens, found.cache_read_tokens) == (100, 20, 40)


@pytest.mark.parametrize("path", READERS)
def test_raw_usage_goes_as_it_is(path):
    body = written(path, Response(output="4", usage_raw={"odd": 1}))

    assert {"odd": 1} in body.values()


def test_amazons_own_decoder_reads_the_stream_of_converse():
    buffer = EventStreamBuffer()
    buffer.add_data(written("/model/nova-test/converse", "four — 四", stream=True))
    events = [(message.headers[":event-type"], json.loads(message.payload)) for message in buffer]

    assert [kind for kind, _ in events][:2] == ["messageStart", "contentBlockDelta"]
    assert "".join(body["delta"]["text"] for kind, body in events if kind == "contentBlockDelta") == "four — 四"
    assert [kind for kind, _ in events][-2:] == ["messageStop", "metadata"]


def test_cohere_is_written_as_its_reference_says():
    said = Response(output="Let me see.", reasoning="hm", tool_calls=(ToolCall(name="f", arguments={"x": 1}, id="c"),))
    body = written("/v2/chat", said)
    events = [json.loads(event.partition("data: ")[2]) for event in sse_events(written("/v2/chat", said, stream=True))]

    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Let me see."}]
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    assert body["message"] == {"role": "assistant", "content": content, "tool_calls": [call]}
    assert (body["finish_reason"], body["usage"]["tokens"]["output_tokens"]) == ("TOOL_CALL", 5)
    deltas = [event["delta"]["message"] for event in events if event["type"].endswith("-delta")]
    assert "".join(delta["content"].get("text", "") for delta in deltas if "content" in delta) == "Let me see."
    assert "".join(delta["tool_calls"]["function"]["arguments"] for delta in deltas if "tool_calls" in delta) == (
        '{"x":1}'
    )
    assert (events[0]["type"], events[-1]["delta"]["finish_reason"]) == ("message-start", "TOOL_CALL")


def sse_events(stream):
    return stream.decode().removesuffix("\n\n").split("\n\n")


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize(
    "kind", ["auth", "quota", "rate_limit", "overloaded", "not_found", "too_long", "filtered", "refused", "server"]
)
def test_an_error_is_read_back_as_its_kind(path, kind):
    fault = Fault(kind)
    dialect, asked = asked_in(path, {}, number=1)
    body = json.dumps(dialect.error(fault, asked)).encode()
    error = refusal(Reply(status=fault.http_status, headers={}, body=body, wall_s=0), "p")

    assert (error.kind, error.status) == (kind, fault.http_status)
    assert fault.message in str(error)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("length", ["length", "max_tokens", "MAX_TOKENS", "max_tokens", "incomplete", "MAX_TOKENS"]),
        ("max_tokens", ["length", "max_tokens", "MAX_TOKENS", "max_tokens", "incomplete", "MAX_TOKENS"]),
        ("end_turn", ["stop", "end_turn", "STOP", "end_turn", "completed", "COMPLETE"]),
        ("odd_one", ["odd_one", "odd_one", "odd_one", "odd_one", "completed", "odd_one"]),
    ],
)
def test_a_finish_reason_of_any_dialect_is_told_in_the_words_of_each(reason, words):
    said = Response(output="It is", finish_reason=reason)
    found = [json.dumps(written(path, said)) for path in READERS]

    assert all(f'"{word}"' in body for word, body in zip(words, found, strict=True))


def test_a_model_is_found_in_the_path_where_the_dialect_has_it_there():
    models = [asked_in(path, {}, number=1)[1].model for path in ("/model/us.anthropic%2Fnova%3A1/converse", *READERS)]

    assert models == ["us.anthropic/nova:1", "fake", "fake", "gemini-test", "nova-test", "fake", "fake"]


def test_another_seed_cuts_elsewhere_and_the_same_one_alike():
    text = "a text that is long enough to be cut in many places"
    first, same, other = (written("/v1/messages", text, stream=True, seed=seed) for seed in (1, 1, 2))

    assert first == same != other
