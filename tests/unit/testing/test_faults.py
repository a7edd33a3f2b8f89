"""Every fault of the fake server, seen by a client that knows nothing of it."""

import asyncio
import json
import time
import tracemalloc

import aiohttp
import pytest

from boxscore.errors import ProviderError, UnknownNameError
from boxscore.providers import Message, Request
from boxscore.providers.dialects.anthropic import Anthropic
from boxscore.providers.dialects.openai_chat import OpenAIChat
from boxscore.providers.endpoint import Endpoint
from boxscore.providers.transport import HttpTransport, Limits
from boxscore.testing import FakeProvider, FakeServer, Fault
from boxscore.testing.faults import KINDS

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "2 + 2?"}]}
STREAM = QUESTION | {"stream": True}
TIMEOUT = aiohttp.ClientTimeout(total=10)


def meet(fault, client, body=QUESTION):
    """What `client` makes of its call."""

    async def run():
        async with FakeServer(fault) as server, aiohttp.ClientSession(timeout=TIMEOUT) as session:
            return await client(session.post(f"{server.base_url}/chat/completions", json=body)), server

    return asyncio.run(run())


async def whole(post):
    async with post as answer:
        return answer.status, answer.headers, await answer.read()


async def until_it_breaks(post):
    got = b""
    try:
        async with post as answer:
            async for part in answer.content.iter_any():
                got += part
    except (aiohttp.ClientError, ConnectionResetError):
        return got
    pytest.fail("the answer came to a good end")


async def for_a_while(post):
    """What came until nothing more came."""
    got = b""
    async with post as answer:
        while True:
            try:
                got += await asyncio.wait_for(answer.content.readany(), 0.2)
            except TimeoutError:
                return got


def test_an_unknown_fault_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError) as caught:
        Fault("cut_streem")

    assert caught.value.nearest == "cut_stream"


def test_a_refusing_server_has_a_port_where_nobody_listens():
    async def run():
        async with FakeServer(Fault("refuse")) as server, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.post(server.url)
            return server.calls

    assert asyncio.run(run()) == 0


@pytest.mark.parametrize("kind", ["refuse", "reset"])
def test_a_refused_call_among_others_is_reset_before_any_answer(kind):
    got, server = meet([Fault(kind)], until_it_breaks)

    assert (got, server.calls) == (b"", 1)


@pytest.mark.parametrize("body", [QUESTION, STREAM])
def test_a_hang_sends_nothing_at_all(body):
    async def run():
        async with FakeServer(Fault("hang")) as server, aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await session.post(server.url, json=body)

    asyncio.run(run())


@pytest.mark.parametrize("body", [QUESTION, STREAM])
def test_a_hang_in_the_stream_comes_after_the_first_pieces(body):
    got, _ = meet(Fault("hang_in_stream", "one two three four", after=3), for_a_while, body)

    assert got
    assert got.count(b"data: ") == (3 if body is STREAM else 0)
    assert b"[DONE]" not in got


@pytest.mark.parametrize("body", [QUESTION, STREAM])
def test_a_cut_stream_breaks_within_a_piece(body):
    got, _ = meet(Fault("cut_stream", "one two three four", after=2), until_it_breaks, body)

    assert got
    assert not got.endswith((b"}", b"\n\n"))


def test_a_wrong_length_is_an_answer_that_lacks_its_end():
    got, _ = meet(Fault("wrong_length"), until_it_breaks)

    assert json.loads(got)["choices"]


def test_bad_json_comes_with_a_good_status():
    (status, headers, body), _ = meet(Fault("bad_json"), whole)

    assert (status, headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_bad_json_in_a_stream_comes_after_good_events():
    (_, _, body), _ = meet(Fault("bad_json", after=2), whole, STREAM)

    *good, bad = body.removeprefix(b"data: ").split(b"data: ")
    assert [json.loads(event)["object"] for event in good] == ["chat.completion.chunk"] * 2
    with pytest.raises(json.JSONDecodeError):
        json.loads(bad)


@pytest.mark.parametrize("status", [None, 502])
def test_html_is_a_proxys_page(status):
    (seen, headers, body), _ = meet(Fault("html", "Bad gateway", status), whole)

    assert (seen, headers["content-type"]) == (status or 200, "text/html; charset=utf-8")
    assert b"Bad gateway" in body


def test_a_rate_limit_says_when_to_come_back_only_if_it_is_told_so():
    (status, headers, body), _ = meet(Fault("rate_limit", "slow down", retry_after_s=1.5), whole)
    (_, silent, _), _ = meet(Fault("rate_limit"), whole)

    assert (status, headers["retry-after"]) == (429, "1.5")
    assert json.loads(body)["error"]["message"] == "slow down"
    assert "retry-after" not in silent


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_server_error_has_the_status_of_the_script(status):
    (seen, _, _), _ = meet(Fault("server", status=status), whole)

    assert seen == status


def test_a_slow_drip_is_one_byte_at_a_time():
    async def first_three(post):
        async with post as answer:
            return [await answer.content.readany() for _ in range(3)]

    parts, _ = meet(Fault("slow_drip", interval_s=0.02), first_three)

    assert [len(part) for part in parts] == [1, 1, 1]


@pytest.mark.parametrize("body", [QUESTION, STREAM])
def test_a_huge_answer_is_well_formed_and_never_in_memory(body):
    async def size(post):
        async with post as answer:
            counted, end = 0, b""
            async for part in answer.content.iter_any():
                counted, end = counted + len(part), part
            return answer.status, counted, end

    tracemalloc.start()
    (status, counted, end), _ = meet(Fault("huge", megabytes=20), size, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (status, 20e6 <= counted <= 20.3e6) == (200, True)
    assert end.endswith(b"[DONE]\n\n" if body is STREAM else b"}")
    assert peak < 6e6


def test_a_small_huge_answer_reads_as_what_it_is():
    (_, _, body), _ = meet(Fault("huge", megabytes=0.2), whole)

    assert json.loads(body)["choices"][0]["message"]["content"] == "x" * 200_000


@pytest.mark.parametrize("kind", ["hang", "hang_in_stream", "slow_drip"])
def test_closing_the_server_ends_what_hangs(kind):
    async def run():
        async with aiohttp.ClientSession() as session:
            server = FakeServer(Fault(kind, interval_s=60))
            async with server:
                calls = [asyncio.create_task(until_it_breaks(session.post(server.url, json=QUESTION))) for _ in "abc"]
                while server.calls < 3:
                    await asyncio.sleep(0.005)
                started = time.perf_counter()
            took = time.perf_counter() - started
            await asyncio.gather(*calls)
            return took, server

    took, server = asyncio.run(run())

    assert took < 0.5
    assert (server.in_flight, server.most_in_flight, server.aborted) == (0, 3, 0)


def test_a_client_that_leaves_is_counted_and_ends_the_hang():
    async def run():
        async with FakeServer(Fault("hang")) as server:
            async with aiohttp.ClientSession() as session:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await session.post(server.url, json=QUESTION)
            while server.in_flight:
                await asyncio.sleep(0.005)
            return server.aborted

    assert asyncio.run(run()) == 1


@pytest.mark.parametrize(("kind", "error"), KINDS.items())
def test_a_fake_provider_raises_what_a_caller_would_make_of_a_fault(kind, error):
    question = Request(model="m", messages=(Message(role="user", content="2 + 2?"),))

    with pytest.raises(ProviderError) as caught:
        asyncio.run(FakeProvider(Fault(kind, "told", retry_after_s=3)).complete(question))

    assert (caught.value.kind, caught.value.retry_after_s, str(caught.value)) == (error, 3, "fake: told")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("cancelled", "not_sent")])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", [OpenAIChat(), Anthropic()], ids=lambda dialect: dialect.name)
def test_our_own_providers_make_of_a_fault_what_it_promises(kind, stream, dialect):
    async def run():
        async with FakeServer(Fault(kind, interval_s=0.05, megabytes=2)) as server:
            provider = Endpoint(
                name="fake",
                dialect=dialect,
                base_url=server.url if dialect.name == "messages" else server.base_url,
                stream=stream,
                transport=HttpTransport(Limits(total_s=0.2, body_bytes=1_000_000)),
            )
            try:
                await provider.complete(Request(model="m", messages=(Message(role="user", content="2 + 2?"),)))
            finally:
                await provider.close()

    with pytest.raises(ProviderError) as caught:
        asyncio.run(run())

    assert caught.value.kind == KINDS[kind]
