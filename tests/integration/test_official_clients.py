"""The official OpenAI and Anthropic clients, unmodified, against the fake server."""

import asyncio
import json
from typing import Literal

import anthropic
import openai
import pydantic
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from boxscore.providers import Response, ToolCall, Usage
from boxscore.testing import FakeServer, Fault, RateLimits

QUESTION = [{"role": "user", "content": "2 + 2?"}]
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
    },
}
ADD_FOR_ANTHROPIC = {"name": "add", "description": "a sum", "input_schema": ADD["function"]["parameters"]}
CALLS = (ToolCall(name="add", arguments={"a": 2, "b": 2}, id="call_1"), ToolCall(name="now", arguments={}, id="call_2"))


def of_openai(server, **options):
    return openai.OpenAI(base_url=server.base_url, api_key="sk-test", **{"max_retries": 0, **options})


def of_anthropic(server, **options):
    return anthropic.Anthropic(base_url=server.url, api_key="sk-ant-test", **{"max_retries": 0, **options})


def chat(client, **more):
    return client.chat.completions.create(model="gpt-test", messages=QUESTION, **more)


def say(client, **more):
    return client.messages.create(model="claude-test", max_tokens=100, messages=QUESTION, **more)


# OpenAI, chat completions


def test_openai_chat_brings_text_finish_reason_usage_and_request_id():
    with FakeServer({"2 + 2?": "It is 4.", "*": "?"}) as server, of_openai(server) as client:
        answer = chat(client)

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("It is 4.", "stop")
    assert (answer.model, answer.usage.completion_tokens, answer._request_id) == ("gpt-test", 2, "req_fake_1")
    assert server.headers[0]["authorization"] == "Bearer sk-test"


def test_openai_chat_streams_the_same_text_in_many_pieces_with_usage_when_asked():
    text = "Zwölf Boxkämpfer — 十二 🥊"
    with FakeServer(text, chunk_bytes=3) as server, of_openai(server) as client:
        chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))
        silent = list(chat(client, stream=True))

    deltas = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(deltas) == text
    assert len([delta for delta in deltas if delta]) > 3
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [-(-len(text) // 4)]
    assert not any(chunk.usage for chunk in silent)


def test_openai_chat_brings_tool_calls_whole_and_in_pieces():
    with FakeServer(Response(tool_calls=CALLS)) as server, of_openai(server) as client:
        whole = chat(client, tools=[ADD])
        with client.chat.completions.stream(model="gpt-test", messages=QUESTION, tools=[ADD]) as stream:
            pieces = [event.arguments_delta for event in stream if event.type == "tool_calls.function.arguments.delta"]
            streamed = stream.get_final_completion()

    for answer in (whole, streamed):
        made = answer.choices[0].message.tool_calls
        assert answer.choices[0].finish_reason == "tool_calls"
        assert [(call.id, call.function.name, json.loads(call.function.arguments)) for call in made] == [
            (call.id, call.name, call.arguments) for call in CALLS
        ]
    assert len(pieces) > 2


class Sum(pydantic.BaseModel):
    total: int
    sure: Literal["yes", "no"]


def test_openai_structured_outputs_are_parsed_in_both_apis():
    with FakeServer('{"total": 4, "sure": "yes"}') as server, of_openai(server) as client:
        answer = client.chat.completions.parse(model="gpt-test", messages=QUESTION, response_format=Sum)
        response = client.responses.parse(model="gpt-test", input="2 + 2?", text_format=Sum)

    assert answer.choices[0].message.parsed == Sum(total=4, sure="yes")
    assert response.output_parsed == Sum(total=4, sure="yes")


def test_openai_tool_calls_are_parsed_by_the_tools_own_model():
    class Add(pydantic.BaseModel):
        a: int
        b: int

    tool = openai.pydantic_function_tool(Add, name="add")
    with FakeServer(Response(tool_calls=CALLS[:1])) as server, of_openai(server) as client:
        answer = client.chat.completions.parse(model="gpt-test", messages=QUESTION, tools=[tool])

    assert answer.choices[0].message.tool_calls[0].function.parsed_arguments == Add(a=2, b=2)


def test_openai_async_client_streams_too():
    async def run():
        async with (
            FakeServer("one two three") as server,
            openai.AsyncOpenAI(base_url=server.base_url, api_key="sk-test") as client,
        ):
            whole = await chat(client)
            stream = await chat(client, stream=True)
            return whole, [chunk.choices[0].delta.content or "" async for chunk in stream]

    whole, deltas = asyncio.run(run())

    assert whole.choices[0].message.content == "".join(deltas) == "one two three"


# OpenAI, the rest


def test_openai_responses_bring_text_tool_calls_and_usage():
    said = Response(output="Let me add.", tool_calls=CALLS, usage=Usage(input_tokens=9, output_tokens=7))
    with FakeServer(said) as server, of_openai(server) as client:
        answer = client.responses.create(model="gpt-test", input="2 + 2?")

    assert (answer.output_text, answer.status) == ("Let me add.", "completed")
    assert [(item.call_id, item.name, json.loads(item.arguments)) for item in answer.output[1:]] == [
        (call.id, call.name, call.arguments) for call in CALLS
    ]
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (9, 7, 16)


def test_openai_responses_stream_adds_up_to_the_same():
    said = Response(output="Let me add.", tool_calls=CALLS)
    with (
        FakeServer(said, chunk_bytes=7) as server,
        of_openai(server) as client,
        client.responses.stream(model="gpt-test", input="2 + 2?") as stream,
    ):
        events = list(stream)
        final = stream.get_final_response()

    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Let me add."
    assert (final.output_text, [item.name for item in final.output[1:]]) == ("Let me add.", ["add", "now"])
    assert [event.sequence_number for event in events if hasattr(event, "sequence_number")] == list(range(len(events)))


def test_an_answer_that_was_cut_by_its_length_says_so_in_every_api():
    with FakeServer(Response(output="It is", finish_reason="length")) as server:
        with of_openai(server) as client:
            answer, response = chat(client), client.responses.create(model="gpt-test", input="2 + 2?")
        with of_anthropic(server) as client:
            message = say(client)

    assert answer.choices[0].finish_reason == "length"
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert message.stop_reason == "max_tokens"


def test_openai_embeddings_are_near_for_texts_with_common_words():
    with FakeServer("") as server, of_openai(server) as client:
        found = client.embeddings.create(model="e", input=["a red apple", "a green apple", "tax law"], dimensions=256)

    apple, other, law = (row.embedding for row in found.data)
    assert len(apple) == 256
    assert near(apple, apple) == pytest.approx(1)
    assert near(apple, other) > near(apple, law)


def near(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_models_are_listed_for_both_clients_and_an_unknown_one_is_not_found():
    with FakeServer("4", models=["small", "large"]) as server:
        with of_openai(server) as client:
            names = [model.id for model in client.models.list()]
            with pytest.raises(openai.NotFoundError):
                client.models.retrieve("huge")
        with of_anthropic(server) as client:
            same = [model.id for model in client.models.list()]

    assert names == same == ["small", "large"]
    assert server.calls == 0


# OpenAI, what goes wrong


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("auth", "wrong key"), openai.AuthenticationError),
        (Fault("auth", "not yours", 403), openai.PermissionDeniedError),
        (Fault("refused", "too long"), openai.BadRequestError),
        (Fault("refused", "no such model", 404), openai.NotFoundError),
        (Fault("rate_limit", "slow down"), openai.RateLimitError),
        (Fault("server", "boom"), openai.InternalServerError),
        (Fault("server", "overloaded", 503), openai.InternalServerError),
    ],
)
def test_openai_errors_are_of_their_class_with_the_words_of_the_script(fault, error):
    with FakeServer([fault]) as server, of_openai(server) as client, pytest.raises(error) as caught:
        chat(client)

    assert caught.value.body["message"] == fault.message
    assert (caught.value.request_id, caught.value.type is None) == ("req_fake_1", False)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("auth", "invalid_api_key"),
        ("not_found", "model_not_found"),
        ("quota", "insufficient_quota"),
        ("too_long", "context_length_exceeded"),
        ("filtered", "content_filter"),
    ],
)
def test_openai_error_codes_are_those_of_the_service(kind, code):
    with FakeServer(Fault(kind)) as server, of_openai(server) as client, pytest.raises(openai.APIStatusError) as caught:
        chat(client)

    assert caught.value.code == code


@pytest.mark.parametrize("ask", [chat, lambda client: chat(client, stream=True)])
def test_openai_hang_is_a_timeout(ask):
    with (
        FakeServer(Fault("hang")) as server,
        of_openai(server, timeout=0.2) as client,
        pytest.raises(openai.APITimeoutError),
    ):
        ask(client)


@pytest.mark.parametrize("script", [Fault("refuse"), [Fault("refuse")], [Fault("cut_stream")], [Fault("wrong_length")]])
def test_openai_refusal_and_cut_are_failed_connections(script):
    with FakeServer(script) as server, of_openai(server) as client, pytest.raises(openai.APIConnectionError):
        chat(client)


def test_openai_client_meets_a_rate_limit_by_its_own_retry():
    script = [Fault("rate_limit", retry_after_s=0.01), "4"]
    with FakeServer(script) as server, of_openai(server, max_retries=2) as client:
        answer = chat(client)

    assert (answer.choices[0].message.content, server.calls, server.repeated) == ("4", 2, 1)
    assert server.headers[1]["x-stainless-retry-count"] == "1"


def test_rate_limit_headers_count_down_and_what_exceeds_them_is_refused():
    with FakeServer("4", limits=RateLimits(requests=2, tokens=5000)) as server, of_openai(server) as client:
        seen = [client.chat.completions.with_raw_response.create(model="m", messages=QUESTION) for _ in range(2)]
        with pytest.raises(openai.RateLimitError) as caught:
            chat(client)

    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in seen] == ["1", "0"]
    assert seen[0].headers["x-ratelimit-limit-tokens"] == "5000"
    assert seen[0].headers["x-ratelimit-reset-requests"] == "1m0s"
    assert caught.value.response.headers["retry-after"] == "60"


# Anthropic


def test_anthropic_message_brings_text_stop_reason_usage_and_request_id():
    said = Response(output="It is 4.", usage=Usage(input_tokens=12, output_tokens=3, cache_read_tokens=5))
    with FakeServer(said) as server, of_anthropic(server) as client:
        message = say(client)

    assert [block.text for block in message.content] == ["It is 4."]
    assert (message.stop_reason, message.model, message._request_id) == ("end_turn", "claude-test", "req_fake_1")
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (7, 5, 3)
    assert "sk-ant-test" in server.headers[0].get("x-api-key", server.headers[0].get("authorization"))


def test_anthropic_stream_helper_adds_up_to_the_same_message():
    said = Response(output="Zwölf — 十二 🥊, and I add.", tool_calls=CALLS)
    with FakeServer(said, chunk_bytes=5) as server, of_anthropic(server) as client:
        with client.messages.stream(
            model="claude-test", max_tokens=100, messages=QUESTION, tools=[ADD_FOR_ANTHROPIC]
        ) as stream:
            text = list(stream.text_stream)
            final = stream.get_final_message()
        whole = say(client, tools=[ADD_FOR_ANTHROPIC])

    assert "".join(text) == said.output
    assert len(text) > 3
    assert final.stop_reason == whole.stop_reason == "tool_use"
    for message in (final, whole):
        assert message.content[0].text == said.output
        assert [(block.id, block.name, block.input) for block in message.content[1:]] == [
            (call.id, call.name, call.arguments) for call in CALLS
        ]
    assert final.usage.output_tokens == whole.usage.output_tokens


def test_anthropic_raw_stream_has_the_events_of_the_service_in_order():
    with FakeServer("four") as server, of_anthropic(server) as client:
        kinds = [event.type for event in say(client, stream=True)]

    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert "content_block_delta" in kinds


def test_anthropic_async_client_streams_too():
    async def run():
        async with (
            FakeServer("one two three") as server,
            anthropic.AsyncAnthropic(base_url=server.url, api_key="k") as client,
        ):
            whole = await say(client)
            async with client.messages.stream(model="c", max_tokens=9, messages=QUESTION) as stream:
                return whole, [text async for text in stream.text_stream]

    whole, texts = asyncio.run(run())

    assert whole.content[0].text == "".join(texts) == "one two three"


def test_anthropic_tokens_are_counted_before_the_call():
    with FakeServer("4") as server, of_anthropic(server) as client:
        short = client.messages.count_tokens(model="c", messages=QUESTION)
        long = client.messages.count_tokens(model="c", messages=[{"role": "user", "content": "2 + 2? " * 100}])

    assert 0 < short.input_tokens < long.input_tokens


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        (Fault("auth", "wrong key"), anthropic.AuthenticationError, "authentication_error"),
        (Fault("auth", "not yours", 403), anthropic.PermissionDeniedError, "permission_error"),
        (Fault("refused", "no"), anthropic.BadRequestError, "invalid_request_error"),
        (Fault("refused", "no such model", 404), anthropic.NotFoundError, "not_found_error"),
        (Fault("rate_limit", "slow down"), anthropic.RateLimitError, "rate_limit_error"),
        (Fault("server", "boom"), anthropic.InternalServerError, "api_error"),
        (Fault("server", "overloaded", 529), anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_anthropic_errors_are_of_their_class_and_type(fault, error, kind):
    with FakeServer([fault]) as server, of_anthropic(server) as client, pytest.raises(error) as caught:
        say(client)

    assert caught.value.body["error"] == {"type": kind, "message": fault.message}
    assert caught.value.request_id == "req_fake_1"


def test_anthropic_hang_is_a_timeout():
    with (
        FakeServer(Fault("hang")) as server,
        of_anthropic(server, timeout=0.2) as client,
        pytest.raises(anthropic.APITimeoutError),
    ):
        say(client)


@pytest.mark.parametrize("script", [Fault("refuse"), [Fault("refuse")], [Fault("cut_stream")], [Fault("wrong_length")]])
def test_anthropic_refusal_and_cut_are_failed_connections(script):
    with FakeServer(script) as server, of_anthropic(server) as client, pytest.raises(anthropic.APIConnectionError):
        say(client)


def test_anthropic_client_meets_overload_by_its_own_retry():
    script = [Fault("server", status=529, retry_after_s=0.01), "4"]
    with FakeServer(script) as server, of_anthropic(server, max_retries=2) as client:
        message = say(client)

    assert (message.content[0].text, server.calls) == ("4", 2)


def test_anthropic_rate_limit_headers_are_the_services_own():
    with FakeServer("4", limits=RateLimits(requests=5)) as server, of_anthropic(server) as client:
        headers = client.messages.with_raw_response.create(model="c", max_tokens=9, messages=QUESTION).headers

    assert headers["anthropic-ratelimit-requests-limit"] == "5"
    assert headers["anthropic-ratelimit-requests-remaining"] == "4"
    assert headers["anthropic-ratelimit-requests-reset"].endswith("Z")


# An agent, as users write them


def test_an_agents_loop_runs_against_a_script():
    script = [Response(tool_calls=CALLS[:1]), "It is 4."]
    with FakeServer(script) as server, of_openai(server) as client:
        messages = list(QUESTION)
        while calls := (said := chat_on(client, messages)).tool_calls:
            messages.append(said.to_dict())
            for call in calls:
                numbers = json.loads(call.function.arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": str(sum(numbers.values()))})

    assert said.content == "It is 4."
    assert [message["role"] for message in server.bodies[1]["messages"]] == ["user", "assistant", "tool"]
    assert server.bodies[1]["messages"][-1]["content"] == "4"


def chat_on(client, messages):
    return client.chat.completions.create(model="gpt-test", messages=messages, tools=[ADD]).choices[0].message


# Whatever the answer

TEXT = st.text(max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TOOL_CALLS = st.lists(
    st.builds(
        ToolCall,
        name=st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True),
        arguments=st.dictionaries(TEXT, JSON, max_size=3),
    ),
    max_size=3,
)
ANSWERS = st.builds(Response, output=TEXT, tool_calls=TOOL_CALLS.map(tuple))
HALF_A_PAIR = "é \ud83d"  # of surrogates, which models do send; Anthropic's client takes it in texts alone
EVERY_ANSWER = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def repeater():
    """A server that answers with what `said` holds, and how it is to be cut."""
    said: list[Response] = [Response()]
    with (
        FakeServer(lambda _body: said[0], chunk_bytes=7) as server,
        of_openai(server) as one,
        of_anthropic(server) as other,
    ):
        yield said, one, other


@EVERY_ANSWER
@example(answer=Response(output=HALF_A_PAIR, tool_calls=(ToolCall(name="f", arguments={"x": HALF_A_PAIR}),)))
@given(answer=ANSWERS)
def test_any_answer_is_the_same_whole_and_streamed_for_openai(repeater, answer):
    said, client, _ = repeater
    said[0] = answer

    whole = chat(client).choices[0].message
    with client.chat.completions.stream(model="m", messages=QUESTION) as stream:
        streamed = stream.get_final_completion().choices[0].message
    response = client.responses.create(model="m", input="x")
    with client.responses.stream(model="m", input="x") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()

    expected = [(call.name, call.arguments) for call in answer.tool_calls]
    for message in (whole, streamed):
        assert (message.content or "") == answer.output
        made = [call.function for call in message.tool_calls or []]
        assert [(call.name, json.loads(call.arguments)) for call in made] == expected
    for found in (response, final):
        assert found.output_text == answer.output
        made = [item for item in found.output if item.type == "function_call"]
        assert [(call.name, json.loads(call.arguments)) for call in made] == expected
    assert "".join(pieces) == answer.output


@EVERY_ANSWER
@example(answer=Response(output=HALF_A_PAIR))
@given(answer=ANSWERS)
def test_any_answer_is_the_same_whole_and_streamed_for_anthropic(repeater, answer):
    said, _, client = repeater
    said[0] = answer

    whole = say(client)
    with client.messages.stream(model="m", max_tokens=9, messages=QUESTION) as stream:
        pieces = list(stream.text_stream)
        streamed = stream.get_final_message()

    expected = [(call.name, call.arguments) for call in answer.tool_calls]
    for message in (whole, streamed):
        assert "".join(block.text for block in message.content if block.type == "text") == answer.output
        assert [(block.name, block.input) for block in message.content if block.type == "tool_use"] == expected
    assert "".join(pieces) == answer.output
