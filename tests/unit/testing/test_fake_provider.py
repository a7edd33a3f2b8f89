"""Scripts, as the fake provider plays them."""

import asyncio

import pytest

from boxscore.errors import ProviderError
from boxscore.providers import Message, Request, Response
from boxscore.testing import FakeProvider, Fault


def ask(provider, *questions):
    async def run():
        return [await provider.complete(question(text)) for text in questions]

    return [response.output for response in asyncio.run(run())]


def question(content):
    return Request(model="m", messages=(Message(role="system", content="Sums."), Message(role="user", content=content)))


def failure(script):
    with pytest.raises(ProviderError) as caught:
        ask(FakeProvider(script), "?")
    return caught.value


def test_a_text_answers_everything_and_a_response_goes_as_it_is():
    response = Response(output="5", model="n")

    assert ask(FakeProvider("4"), "2 + 2?", "3 + 3?") == ["4", "4"]
    assert asyncio.run(FakeProvider(response).complete(question("?"))) is response


def test_a_mapping_answers_by_the_last_messages_text_also_in_parts():
    provider = FakeProvider({"2 + 2?": "4", "*": "no idea"})

    assert ask(provider, "2 + 2?", [{"type": "text", "text": "2 + 2?"}], "3 + 3?") == ["4", "4", "no idea"]


def test_a_mapping_without_a_star_refuses_what_it_lacks():
    error = failure({"2 + 2?": "4"})

    assert (error.kind, "'?'" in str(error)) == ("refused", True)


def test_an_iterable_answers_one_after_another_and_says_when_it_is_used_up():
    provider = FakeProvider(iter(["4", "6"]))

    assert ask(provider, "a", "b") == ["4", "6"]
    with pytest.raises(ProviderError, match="used up"):
        ask(provider, "c")


def test_a_function_answers_what_it_likes():
    assert ask(FakeProvider(lambda request: request.messages[-1].content.upper()), "a", "b") == ["A", "B"]


def test_a_status_is_the_error_that_it_means():
    error = failure((429, {"error": {"message": "slow down"}}, {"Retry-After": "7"}))

    assert (error.kind, error.status, error.retry_after_s) == ("rate_limit", 429, 7)


def test_a_good_status_needs_a_wire():
    with pytest.raises(ValueError, match="FakeServer"):
        ask(FakeProvider((200, {})), "?")


def test_a_fault_is_raised_as_its_error():
    error = failure(Fault("hang_in_stream", "half an answer"))

    assert (error.kind, error.provider, error.status) == ("timeout", "fake", None)
