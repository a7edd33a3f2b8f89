"""A dialect, an address and a key as one: what is asked, and what becomes of an answer that is none."""

import asyncio
import json

import pytest

from boxscore.errors import ProviderError
from boxscore.providers import Message, Request
from boxscore.providers.known import connect
from boxscore.providers.pace import Pace
from boxscore.providers.transport import Reply

URL = "https://api.acme.example/v1"
GOOD = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}], "model": "m-2"}


class Answering:
    """A transport that answers each call with the next of its replies: a body, a reply, an error, or pieces of a
    stream."""

    def __init__(self, *replies):
        self._replies = list(replies)
        self.posts = 0

    async def post(self, url, body, *, headers, name, on_chunk=None):
        self.posts += 1
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(reply, list):
            for piece in reply:
                on_chunk(piece)
            return Reply(status=200, headers={}, body=b"", wall_s=0.5, streamed=True, first_token_s=0.1)
        if isinstance(reply, Reply):
            return reply
        return Reply(status=200, headers={}, body=json.dumps(reply).encode(), wall_s=0.5)

    async def close(self):
        pass


def endpoint(*replies, **options):
    return connect("acme", base_url=URL, transport=Answering(*replies), **options)


def question(model="m"):
    return Request(messages=(Message(role="user", content="2 + 2?"),), model=model)


def ask(*replies, **options):
    async def run():
        provider = endpoint(*replies, **options)
        try:
            return await provider.complete(question())
        finally:
            await provider.close()

    return asyncio.run(run())


def failure(*replies, **options) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(*replies, **options)
    return caught.value


def event(body):
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def delta(text, **more):
    return event({"choices": [{"index": 0, "delta": {"content": text}, **more}]})


END = [delta("", finish_reason="stop"), b"data: [DONE]\n\n"]


def test_an_answer_has_its_times():
    response = ask(GOOD)

    assert (response.output, response.model, response.latency_s, response.first_token_s) == ("4", "m-2", 0.5, None)


def test_a_stream_is_put_together_and_has_the_time_of_its_first_token():
    response = ask([delta("f"), delta("our"), *END], stream=True)

    assert (response.output, response.latency_s, response.first_token_s) == ("four", 0.5, 0.1)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param({"completion": "4"}, id="another dialect"),
        pytest.param(Reply(status=200, headers={}, body=b"<html>Log in</html>", wall_s=0), id="a web page"),
        pytest.param(Reply(status=204, headers={}, body=b"", wall_s=0), id="nothing"),
        pytest.param(Reply(status=200, headers={}, body=b'{"choices": [', wall_s=0), id="half of it"),
        pytest.param(Reply(status=401, headers={}, body=b'{"error": {"message": "who?"}}', wall_s=0), id="no key"),
        pytest.param({"error": {"message": "overloaded", "code": 503}}, id="an error that calls itself good"),
        pytest.param(ProviderError("cut", "the stream broke off; try again.", provider="acme"), id="cut"),
    ],
)
def test_whatever_goes_wrong_names_who_was_asked_for_which_model_and_where(reply):
    said = str(failure(reply))

    assert said.startswith("acme: ")
    assert said.count("m at https://api.acme.example") == 1
    assert said.count("acme: ") == 1


def test_an_error_that_names_the_address_itself_is_left_as_it_is():
    error = ProviderError("connect", "no connection to https://api.acme.example: refused.", provider="acme")

    assert failure(error) is error


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([delta("f"), b"data: {broken\n\n"], id="broken"),
        pytest.param([delta("f"), event({"error": {"message": "overloaded", "code": 503}})], id="an error"),
        pytest.param([delta("f")], id="cut off"),
        pytest.param([event({"type": "content_block_delta"})], id="another dialect"),
    ],
)
def test_a_stream_that_goes_wrong_says_so_likewise(pieces):
    assert "m at https://api.acme.example" in str(failure(pieces, stream=True))


def test_a_long_stream_of_small_pieces_is_read_and_one_of_a_large_text_is_not():
    long = [delta("word ", id="chatcmpl-0123456789", obfuscation="x" * 200) for _ in range(20_000)]

    assert len(ask([*long, *END], stream=True).output) == 100_000
    for piece in (delta("x" * 50_000), b"x" * 50_000):
        error = failure([piece] * 100, stream=True)
        assert (error.kind, "larger than 2 MB" in str(error)) == ("bad_answer", True)


def refused(status=401):
    return Reply(status=status, headers={}, body=b'{"error": {"message": "no"}}', wall_s=0)


async def kinds(*asking):
    met = []
    for provider, model in asking:
        try:
            await provider.complete(question(model))
            met.append("answered")
        except ProviderError as error:
            met.append(error.kind)
    return met


def test_endpoints_with_one_key_share_what_they_learn_of_a_model_and_others_do_not():
    first = endpoint(refused(), key="key-one-0123")
    same, other = endpoint(GOOD, key="key-one-0123"), endpoint(GOOD, key="key-two-0123")

    met = asyncio.run(kinds((first, "m"), (same, "m"), (same, "n"), (other, "m")))

    assert met == ["auth", "not_sent", "answered", "answered"]


def test_who_comes_back_after_closing_finds_out_anew():
    async def run():
        provider = endpoint(refused(), GOOD, key="key-three-0123")
        before = await kinds((provider, "m"), (provider, "m"))
        await provider.close()
        return before + await kinds((provider, "m"))

    assert asyncio.run(run()) == ["auth", "not_sent", "answered"]


def test_another_api_or_address_is_another_place_and_a_stream_is_not():
    usual = endpoint().where("m")

    assert endpoint(stream=True).where("m") == usual
    assert len({usual, endpoint(api="responses").where("m"), connect("openai", key="k").where("m")}) == 3


def test_a_pace_of_ones_own_takes_the_place_of_the_shared_one():
    class Patient(Pace):
        def __init__(self):
            super().__init__("acme")
            self.turns = 0

        def turn(self, tokens):
            self.turns += 1
            return super().turn(tokens)

    async def run():
        from boxscore.providers.dialects import dialect
        from boxscore.providers.endpoint import Endpoint

        pace = Patient()
        provider = Endpoint(name="acme", dialect=dialect("chat"), base_url=URL, transport=Answering(GOOD), pace=pace)
        await provider.complete(question())
        return pace.turns

    assert asyncio.run(run()) == 1
