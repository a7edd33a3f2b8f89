"""An OpenAI-compatible endpoint against a real HTTP server on loopback."""

import asyncio

import pytest

from boxscore.errors import ProviderError
from boxscore.providers import Message, Request, ToolCall
from boxscore.providers.dialects import dialect
from boxscore.providers.known import connect
from boxscore.providers.refusals import parsed
from boxscore.providers.transport import Limits, Reply
from boxscore.testing import FakeServer

KEY = "sk-live-0123456789abcdefghij"


read = dialect("chat").read


def ask(script, *, limits=None, delay_s=0.0, api_key=KEY, request=None, path="/v1"):
    async def run():
        async with FakeServer(script, latency_s=delay_s) as server:
            provider = connect("fake", base_url=f"{server.url}{path}", key=api_key, limits=limits)
            try:
                return await provider.complete(request or question()), server
            finally:
                await provider.close()

    return asyncio.run(run())


def question(**more):
    return Request(messages=(Message(role="user", content="2 + 2?"),), model="m", **more)


def failure(script, **options) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(script, **options)
    return caught.value


def test_a_completion_brings_text_usage_model_and_fingerprint():
    response, server = ask("4")

    assert (response.output, response.finish_reason, response.provider) == ("4", "stop", "fake")
    assert (response.model, response.fingerprint) == ("m", "fp_fake")
    assert response.usage_raw["completion_tokens"] == 1
    assert response.latency_s > 0
    assert server.bodies == [{"model": "m", "messages": [{"role": "user", "content": "2 + 2?"}]}]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_params_tools_and_schema_are_sent_as_the_format_wants_them():
    tool = {"type": "function", "function": {"name": "f"}}
    _, server = ask("4", request=question(params={"temperature": 0}, tools=(tool,), output_schema={"type": "object"}))

    body = server.bodies[0]
    assert (body["temperature"], body["tools"]) == (0, [tool])
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_tool_calls_are_parsed_and_broken_arguments_kept_as_text():
    calls = [
        {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}},
        {"id": "2", "type": "function", "function": {"name": "add", "arguments": '{"a": '}},
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    response, _ = ask({"choices": [{"message": message, "finish_reason": "tool_calls"}]})

    assert response.output == ""
    assert response.tool_calls == (
        ToolCall(name="add", arguments={"a": 2}, id="1"),
        ToolCall(name="add", arguments='{"a": ', id="2"),
    )


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "refused"), (401, "auth"), (403, "auth"), (404, "not_found"), (500, "server")]
)
def test_a_status_becomes_an_error_of_its_kind_with_the_providers_words(status, kind):
    error = failure((status, {"error": {"message": f"no, because {KEY}"}}))

    assert (error.kind, error.status) == (kind, status)
    assert "no, because" in str(error)
    assert KEY not in str(error)


def test_a_rate_limit_that_asks_for_an_hour_is_an_error_at_once():
    error = failure((429, {"error": "tomorrow"}, {"Retry-After": "3600"}))

    assert (error.kind, error.retry_after_s) == ("rate_limit", 3600)


def test_a_slow_answer_is_a_timeout():
    error = failure("4", delay_s=5, limits=Limits(total_s=0.05))

    assert error.kind == "timeout"
    assert "timeout_s" in str(error)


def test_a_huge_answer_is_given_up():
    error = failure("x" * 100_000, limits=Limits(body_bytes=10_000))

    assert error.kind == "bad_answer"


def test_a_web_page_in_place_of_json_is_called_one():
    error = failure((200, "<html><body>Log in</body></html>"))

    assert error.kind == "bad_answer"
    assert "web page" in str(error)


def test_json_of_another_dialect_is_named_by_its_fields():
    error = failure({"completion": "4"})

    assert error.kind == "bad_answer"
    assert "completion" in str(error)


def test_a_redirect_to_another_host_is_not_followed_and_the_key_stays():
    async def run():
        async with FakeServer("4") as other:
            with pytest.raises(ProviderError) as caught:
                await asyncio.to_thread(ask, (307, {}, {"Location": f"{other.url}/v1/chat/completions"}))
            return caught.value, other.calls

    error, calls = asyncio.run(run())

    assert (error.kind, calls) == ("refused", 0)


def test_a_redirect_on_the_same_host_is_followed():
    replies = iter([(308, {}, {"Location": "/v2/chat/completions"}), "4"])

    response, server = ask(lambda _body: next(replies))

    assert (response.output, server.calls) == ("4", 2)


@pytest.mark.parametrize(
    ("status", "location", "said"),
    [(301, "/v2/chat/completions", "/v2/chat/completions"), (307, "http://[not", "no address"), (307, "", "circle")],
)
def test_a_redirect_that_leads_nowhere_is_a_sentence_that_says_where(status, location, said):
    with pytest.raises(ProviderError, match=said) as caught:
        ask((status, {}, {"Location": location}))

    assert caught.value.kind == "refused"


def test_nobody_listening_is_a_sentence_with_the_address():
    async def run():
        provider = connect("vllm", base_url="http://127.0.0.1:9/v1")
        with pytest.raises(ProviderError) as caught:
            await provider.complete(question())
        await provider.close()
        return caught.value

    error = asyncio.run(run())

    assert error.kind == "connect"
    assert "http://127.0.0.1:9" in str(error)


def test_half_a_surrogate_pair_is_read_as_it_came():
    page = '{"choices":[{"message":{"content":"a\\ud83d"},"finish_reason":"stop"}]}'
    body = parsed(Reply(status=200, headers={}, body=page.encode(), wall_s=0), "x")

    assert read(body, provider="x").output == "a\ud83d"


def test_an_error_inside_a_good_status_is_an_error_with_its_own_reason():
    body = {"error": {"message": "the model is overloaded upstream", "code": 400}}

    error = failure(body)

    assert "overloaded upstream" in str(error)
    assert error.status == 400


def test_a_call_without_arguments_has_none_however_it_is_written():
    function = {"name": "now", "arguments": ""}
    body = {"choices": [{"message": {"tool_calls": [{"id": "1", "function": function}]}}]}

    response = read(body, provider="fake")

    assert response.tool_calls == (ToolCall(name="now", arguments={}, id="1"),)
