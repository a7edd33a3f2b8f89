"""The fake server as a place: how it is entered and left, what it counts, when it waits."""

import asyncio
import base64
import http.client
import json
import socket
import struct
import threading
import time

import aiohttp
import pytest

from boxscore.providers import ErrorInfo, Response
from boxscore.testing import FakeServer, Fault


def post(server, body, path="/v1/chat/completions"):
    """Status and JSON, by the standard library."""
    status, _, raw = post_raw(server, json.dumps(body), path)
    return status, json.loads(raw)


def post_raw(server, body, path="/v1/chat/completions"):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def asked(text, **more):
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def text_in(body):
    return body["choices"][0]["message"]["content"]


def test_a_blocking_client_is_served_from_a_thread_that_ends():
    with FakeServer("4") as server:
        status, body = post(server, asked("2 + 2?"))
        names = [thread.name for thread in threading.enumerate()]

    assert (status, text_in(body), body["model"]) == (200, "4", "m")
    assert "boxscore-fake-server" in names
    assert "boxscore-fake-server" not in [thread.name for thread in threading.enumerate()]


def test_a_mapping_answers_by_the_last_text_in_any_dialect():
    with FakeServer({"2 + 2?": "4", "*": Fault("refused")}) as server:
        chat = post(server, asked("2 + 2?"))
        message = post(server, asked([{"type": "text", "text": "2 + 2?"}]), "/v1/messages")
        response = post(server, {"input": [{"role": "user", "content": "2 + 2?"}]}, "/v1/responses")
        gemini = post(server, {"contents": [{"parts": [{"text": "2 + 2?"}]}]}, "/v1beta/models/g:generateContent")
        other = post(server, asked("3 + 3?"))

    assert [status for status, _ in (chat, message, response, gemini, other)] == [200, 200, 200, 200, 400]
    assert message[1]["content"][0]["text"] == response[1]["output"][0]["content"][0]["text"] == "4"
    assert gemini[1]["candidates"][0]["content"]["parts"] == [{"text": "4"}]


def test_json_and_status_go_as_they_are_and_a_text_as_a_page():
    script = [{"output": "4"}, (418, {"tea": True}, {"X-Pot": "short"}), (200, "<html>Log in</html>")]
    with FakeServer(script) as server:
        plain, teapot, page = (post_raw(server, "{}", "/answer") for _ in script)

    assert (plain[0], json.loads(plain[2])) == (200, {"output": "4"})
    assert (teapot[0], teapot[1]["x-pot"], json.loads(teapot[2])) == (418, "short", {"tea": True})
    assert (page[1].get_content_type(), page[2]) == ("text/html", b"<html>Log in</html>")


def test_an_iterable_that_is_used_up_says_so():
    with FakeServer(["4"]) as server:
        post(server, asked("a"))
        status, body = post(server, asked("b"))

    assert (status, body["error"]["message"]) == (400, "the script is used up")


def test_a_recorded_error_comes_back_as_an_error():
    with FakeServer(Response(error=ErrorInfo(kind="rate_limit", message="slow down", status=429))) as server:
        status, body = post(server, asked("a"))

    assert (status, body["error"]["code"]) == (429, "rate_limit_exceeded")


@pytest.mark.parametrize("sent", ['{"model": ', "[1]"])
def test_a_request_that_is_no_json_object_is_refused(sent):
    with FakeServer("4") as server:
        status, _, raw = post_raw(server, sent)

    assert (status, "no JSON object" in json.loads(raw)["error"]["message"], server.calls) == (400, True, 0)


def test_calls_are_kept_and_repeated_ones_counted_whether_they_stream_or_not():
    with FakeServer("4") as server:
        post(server, asked("a", seed=1))
        post_raw(server, json.dumps(asked("a", seed=1, stream=True)))
        post(server, asked("a", seed=2))

    assert (server.calls, server.repeated, server.most_in_flight) == (3, 1, 1)
    assert [body["seed"] for body in server.bodies] == [1, 1, 2]
    assert server.headers[0]["content-type"] == "application/json"


def test_an_error_in_the_script_is_a_500_and_is_raised_when_the_server_closes():
    def script(body):
        assert body["model"] == "n", "the wrong model"
        return "4"

    server = FakeServer(script)
    with pytest.raises(AssertionError, match="the wrong model"), server:
        status, body = post(server, asked("a"))

    assert (status, "the wrong model" in body["error"]["message"]) == (500, True)


def test_held_calls_are_in_flight_until_they_are_released():
    async def run():
        arrived = asyncio.Event()

        def script(body):
            if server.calls == 3:
                arrived.set()
            return "4"

        async with FakeServer(script) as server, aiohttp.ClientSession() as session:
            server.hold()
            calls = [asyncio.create_task(session.post(server.url, json=asked(text))) for text in "abc"]
            await arrived.wait()
            in_flight, done = server.in_flight, sum(call.done() for call in calls)
            server.release()
            statuses = [(await call).status for call in calls]
            return in_flight, done, statuses, server.most_in_flight

    assert asyncio.run(run()) == (3, 0, [200, 200, 200], 3)


def test_a_held_call_does_not_hold_the_server():
    def call():
        try:
            post(server, asked("a"))
        except OSError as error:
            seen.append(error)

    seen, caller = list[OSError](), threading.Thread(target=call)
    with FakeServer("4") as server:
        server.hold()
        caller.start()
        while not server.calls:
            time.sleep(0.005)
        started = time.perf_counter()
    took = time.perf_counter() - started
    caller.join(5)

    assert took < 0.5
    assert len(seen) == 1


def test_latency_is_waited_before_the_first_byte_and_between_pieces_of_a_stream():
    async def run():
        async with (
            FakeServer("one two three four", latency_s=0.1, per_token_s=0.03) as server,
            aiohttp.ClientSession() as session,
        ):
            started, times = time.perf_counter(), list[float]()
            async with session.post(f"{server.base_url}/chat/completions", json=asked("a", stream=True)) as answer:
                async for _ in answer.content.iter_any():
                    times.append(time.perf_counter() - started)
            return times

    times = asyncio.run(run())

    assert times[0] >= 0.1
    assert len(times) > 4
    assert times[-1] - times[0] >= 0.03 * (len(times) - 1) * 0.9


def test_pieces_of_bytes_are_as_small_as_asked_also_within_a_character():
    async def run():
        async with FakeServer("四 — 🥊", chunk_bytes=2) as server, aiohttp.ClientSession() as session:
            answer = await session.post(f"{server.base_url}/chat/completions", json=asked("a", stream=True))
            return [part async for part, _ in answer.content.iter_chunks()]

    chunks = asyncio.run(run())

    assert max(map(len, chunks)) == 2
    assert any(not _is_text(chunk) for chunk in chunks)


def _is_text(chunk):
    try:
        chunk.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_two_servers_at_once_keep_their_calls_apart():
    with FakeServer("a") as one, FakeServer("b") as other:
        answers = [text_in(post(server, asked("?"))[1]) for server in (one, other, other)]

    assert (answers, one.calls, other.calls) == (["a", "b", "b"], 1, 2)


# The wire itself


def talk(server, sent, *, reads=True):
    """What the server sends back to these bytes until it closes, or pauses for good."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=0.5) as peer:
        peer.sendall(sent)
        got = b""
        while reads:
            try:
                part = peer.recv(65_536)
            except TimeoutError:
                return got
            if not part:
                return got
            got += part
    return b""


def test_one_connection_serves_one_request_after_another():
    with FakeServer(["4", Fault("refused"), "6"]) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
        statuses, peers = list[int](), set[str]()
        for text in "abc":
            connection.request("POST", "/v1/chat/completions", json.dumps(asked(text)))
            peers.add(str(connection.sock.getsockname()))
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()

    assert (statuses, len(peers)) == ([200, 400, 200], 1)


def test_requests_that_come_in_one_piece_are_answered_in_order():
    one = b"POST /answer HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
    last = one.replace(b"host: x", b"host: x\r\nconnection: close")
    with FakeServer([{"n": 1}, {"n": 2}]) as server:
        got = talk(server, one + last)

    assert got.index(b'{"n":1}') < got.index(b'{"n":2}')
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert got.count(b"connection: close") == 1


def test_a_body_is_let_in_when_its_client_asks_first():
    head = b"POST /answer HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
    with FakeServer({"n": 1}) as server:
        assert talk(server, head) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_what_is_no_http_is_refused():
    with FakeServer("4") as server:
        got = talk(server, b"\x16\x03\x01 hello\r\n\r\n")

    assert got.startswith(b"HTTP/1.1 400 Bad Request")
    assert server.calls == 0


def test_a_reset_is_a_reset_and_no_polite_end():
    request = b"POST /answer HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
    with FakeServer(Fault("reset")) as server, pytest.raises(ConnectionResetError):
        talk(server, request)


def test_a_client_that_does_not_read_does_not_hold_the_server():
    async def run():
        async with FakeServer(Fault("huge")) as server:
            host, _, port = server.url.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port), limit=1024)
            writer.write(b"POST /answer HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
            while not server.calls:
                await asyncio.sleep(0.005)
            started = time.perf_counter()
        took = time.perf_counter() - started
        writer.close()
        return took, server

    took, server = asyncio.run(run())

    assert took < 0.5
    assert (server.in_flight, server.aborted) == (0, 0)


def test_vectors_come_as_base64_where_they_are_asked_for_so():
    with FakeServer("") as server:
        plain, coded = (
            post(server, {"input": "an apple", "dimensions": 8, "encoding_format": form}, "/v1/embeddings")[1]["data"][
                0
            ]
            for form in ("float", "base64")
        )

    assert struct.unpack("<8f", base64.b64decode(coded["embedding"])) == pytest.approx(plain["embedding"])


def test_a_mapping_finds_the_result_of_a_tool_too():
    result = {"type": "function_call_output", "call_id": "c", "output": "shipped"}
    with FakeServer({"shipped": "It is on its way.", "*": Fault("refused")}) as server:
        status, body = post(server, {"input": [result]}, "/v1/responses")

    assert (status, body["output"][0]["content"][0]["text"]) == (200, "It is on its way.")
