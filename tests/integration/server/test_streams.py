"""Streams of events of a real server: they tell what happens, and end when they have to."""

import contextlib
import http.client
import json
import time
from collections.abc import Callable

from serving import JSON, Server, request

LIVE = "/api/v1/traces/live"


def listen(
    server: Server, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = server.connect()
    connection.request("GET", LIVE, headers=headers or {})
    return connection, connection.getresponse()


def until(answer: http.client.HTTPResponse, line: bytes) -> bytes:
    """The first line that begins so."""
    while (found := answer.readline()) and not found.startswith(line):
        pass
    return found


def test_what_is_sent_is_told_at_once(server: Server) -> None:
    connection, answer = listen(server)
    with contextlib.closing(connection):
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        until(answer, b"retry:")
        trace = b"\x21" * 16
        while True:  # the stream begins with what comes after it
            server.send(request("live", trace=trace).SerializeToString())
            if trace.hex().encode() in until(answer, b"data:"):
                break


def test_a_server_that_stops_ends_its_streams_whole(serve: Callable[..., Server]) -> None:
    server = serve()
    connection, answer = listen(server)
    with contextlib.closing(connection):
        until(answer, b"retry:")
        began = time.monotonic()
        assert server.stop() == 0
        rest = answer.read()  # raises where the answer is cut

    assert time.monotonic() - began < 5
    assert b"event: error" not in rest


def test_a_key_that_is_revoked_ends_its_streams(serve: Callable[..., Server]) -> None:
    server = serve()
    reader, owner = (
        server.ask("/api/v1/keys", json.dumps({"name": "k", "rights": [right]}).encode(), JSON).json
        for right in ("read", "admin")
    )
    server.ask("/api/v1/users", json.dumps({"name": "ann", "role": "owner"}).encode(), JSON)  # now a key is needed
    connection, answer = listen(server, {"authorization": f"Bearer {reader['secret']}"})
    with contextlib.closing(connection):
        until(answer, b"retry:")
        began = time.monotonic()
        headers = {"authorization": f"Bearer {owner['secret']}"}
        assert server.ask(f"/api/v1/keys/{reader['id']}", headers=headers, method="DELETE").status == 200
        assert until(answer, b"event: error")
        told = json.loads(until(answer, b"data:").removeprefix(b"data:"))

    assert told["error"]["code"] == "unauthenticated"
    assert time.monotonic() - began < 10


def test_more_streams_than_may_be_open_are_sent_away(serve: Callable[..., Server]) -> None:
    server = serve(limits={"streams": 2})
    with contextlib.ExitStack() as open_ones:
        for _ in range(2):
            connection, answer = listen(server)
            open_ones.enter_context(contextlib.closing(connection))
            until(answer, b"retry:")
        refused = server.ask(LIVE)

        assert (refused.status, refused.json["error"]["code"]) == (503, "busy")
        assert refused.headers["retry-after"] == "5"
    while server.ask("/api/v1/health").json["streams_open"]:
        time.sleep(0.02)
