"""Whatever is sent, each request is answered or left, and the server stays up and small."""

import contextlib
import gzip
import json
import socket
import zlib
from collections.abc import Iterator

import pytest

from serving import JSON, PROTOBUF, Server

MB = 1024 * 1024
GZIP = {"content-encoding": "gzip"}
SMALL_MB = 300
"""Resident, after all of this: half of what is promised."""


@pytest.fixture(scope="module", autouse=True)
def small(server: Server) -> Iterator[None]:
    """The server of this module lives through all its tests, and stays small."""
    yield
    assert server.ask("/health/ready").status == 200
    assert server.memory_mb() < SMALL_MB


def spans_json(text: str) -> bytes:
    return b'{"resourceSpans": [{"scopeSpans": [{"spans": [' + text.encode() + b"]}]}]}"


def span_json(**fields: object) -> str:
    usual = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "n", "startTimeUnixNano": "5", "endTimeUnixNano": "6"}
    return json.dumps(usual | fields)


def test_a_body_of_100_mb_is_refused_before_it_is_read(server: Server) -> None:
    with contextlib.closing(server.connect()) as connection:
        connection.putrequest("POST", "/v1/traces")
        connection.putheader("content-type", "application/x-protobuf")
        connection.putheader("content-length", str(100 * MB))
        connection.endheaders()
        answer = connection.getresponse()

        assert answer.status == 413
        assert b"32 MB" in answer.read()


def test_a_body_of_100_mb_in_chunks_is_refused_at_its_cap(server: Server) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]), 60)) as raw:
        raw.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                raw.sendall(b"%x\r\n%b\r\n" % (MB, b" " * MB))
                sent += 1
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = raw.recv(65536)

    assert 32 <= sent < 100
    assert not answer or b" 413 " in answer


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_does_not_go_off(server: Server, encoding: str, layers: int) -> None:
    body = b"\0" * (200 * MB)
    for _ in range(layers):
        body = gzip.compress(body, 9) if encoding == "gzip" else zlib.compress(body, 9)
    before = server.memory_mb("VmHWM")

    answers = [server.send(body, PROTOBUF | {"content-encoding": encoding}) for _ in range(3)]

    assert {answer.status for answer in answers} == {413 if layers == 1 else 400}
    assert server.memory_mb("VmHWM") < before + 120


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"not gzip", PROTOBUF | GZIP, 400),
        (gzip.compress(b"cut off" * 1000)[:-20], PROTOBUF | GZIP, 400),
        (b"\x0a\xff\xff\xff\xff\x7f", PROTOBUF, 400),
        (b"<html>", JSON, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", JSON | {"content-encoding": "br"}, 415),
        (b"{}", {"x-no": "content type"}, 415),
        (b'{"resourceSpans": ' + b"[" * 10_000, JSON, 400),
        (b'{"resourceSpans": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, JSON, 400),
        (b'{"resourceSpans": "\xff\xfe"}', JSON, 400),
        (b'{"resourceSpans": 1e999999}', JSON, 400),
    ],
    ids=range(11),
)
def test_what_is_no_request_is_refused_for_good(
    server: Server, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = server.send(body, headers)

    assert answer.status == status
    if headers.get("content-type") == "application/json":
        assert set(answer.json) == {"code", "message"}
        assert answer.json["code"] == 3
    else:
        assert answer.body.startswith(b"\x08\x03\x12")  # google.rpc.Status, INVALID_ARGUMENT


DEEP = '{"arrayValue": {"values": [' * 10_000 + '{"intValue": "1"}' + "]}}" * 10_000


@pytest.mark.parametrize(
    "span",
    [
        span_json(startTimeUnixNano="-5"),
        span_json(startTimeUnixNano=str(2**64 - 1), endTimeUnixNano=str(2**64 - 1)),
        span_json(startTimeUnixNano="0"),
        span_json(traceId="zz"),
        span_json(traceId="00" * 16),
        span_json(spanId=""),
        span_json(attributes=[{"key": "deep", "value": "DEEP"}]).replace('"DEEP"', DEEP),
        span_json(attributes=[{"key": f"k{n}", "value": {"intValue": "1"}} for n in range(10_000)]),
        span_json(attributes=[{"key": "big", "value": {"stringValue": "x" * 5 * MB}}]),
    ],
    ids=["negative", "year 2554", "zero", "no hex", "zero id", "no id", "deep", "many", "5 MB"],
)
def test_a_bad_span_among_good_ones_is_rejected_alone(server: Server, span: str) -> None:
    good = span_json(traceId="ee" * 16, spanId="ef" * 8)

    answer = server.send(spans_json(f"{span}, {good}"), JSON)

    assert answer.status in (200, 400)
    if answer.status == 200:
        assert int(answer.json.get("partialSuccess", {}).get("rejectedSpans", 0)) in (0, 1)
        assert server.ask(f"/api/v1/traces/{'ee' * 16}").status == 200


@pytest.mark.parametrize(
    "span",
    [
        span_json(traceId="f0" * 16, startTimeUnixNano=str(2**63 - 1), endTimeUnixNano=str(2**63 - 1)),
        span_json(traceId="f0" * 16, startTimeUnixNano="10", endTimeUnixNano="1"),
        span_json(traceId="f0" * 16, attributes=[{"key": "k" * MB, "value": {"stringValue": "v"}}]),
        span_json(traceId="f0" * 16, attributes=[{"key": "__proto__", "value": {"stringValue": "v"}}]),
        span_json(traceId="f0" * 16, attributes=[{"key": "'; DROP TABLE spans; --", "value": {"stringValue": "v"}}]),
        span_json(traceId="f0" * 16, name="\u0000\u202e\ud7ff'\"<script>"),
        span_json(traceId="f0" * 16, __proto__={"admin": True}, constructor=1),
        span_json(traceId="f0" * 16, kind="SPAN_KIND_SERVER" * 1000, status={"code": 999}),
    ],
    ids=["year 2262", "ends before", "1 MB name", "proto", "SQL", "odd name", "proto field", "odd kind"],
)
def test_an_odd_span_is_kept_or_told(server: Server, span: str) -> None:
    answer = server.send(spans_json(span), JSON)

    assert answer.status in (200, 400)
    assert server.ask("/api/v1/traces?limit=5").status == 200
    assert server.ask("/api/v1/spans?limit=5&whole=true").status == 200


@pytest.mark.parametrize(
    "query",
    [
        "filter=model%3D'%3B%20DROP%20TABLE%20spans%3B--",
        "filter=';DROP%20TABLE%20spans;--=1",
        "filter=metadata.a'%20OR%201=1--=x",
        "filter=metadata.__proto__=1",
        "filter=__proto__=1",
        "filter=model",
        "filter=cost_usd>=NaN",
        "filter=cost_usd>=1e999999999",
        "filter=duration_ns>=99999999999999999999999",
        "filter=error=maybe",
        "filter=%00=1",
        "filter=model%3D%FF%FE",
        "filter=score.'%3D1",
        "cursor=!!!",
        "cursor=kw",
        "cursor=" + "A" * 5000,
        "limit=0",
        "limit=1000000",
        "limit=abc",
        "limit=-1",
        "&".join(f"filter=metadata.k{n}=1" for n in range(1000)),
    ],
)
def test_a_question_of_any_words_is_answered_in_the_one_shape(server: Server, query: str) -> None:
    for path in ("traces", "spans", "counts", "sessions", "search", "aggregate", "facets"):
        answer = server.ask(f"/api/v1/{path}?{query}&text=a&measure=count&field=model")

        assert answer.status in (200, 400), (path, answer.body)
        if answer.status == 400:
            assert {"code", "message"} <= set(answer.json["error"])


def test_headers_without_end_are_cut_off(server: Server) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]), 60)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(3_000):
                raw.sendall(b"x-%d: %b\r\n" % (number, b"a" * 1000))
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = raw.recv(65536)

    assert not answer or b" 431 " in answer


@pytest.mark.parametrize(
    "line", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET", b"\r\n\r\n\r\nnonsense\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n"]
)
def test_what_is_no_http_is_left(server: Server, line: bytes) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]), 60)) as raw:
        raw.sendall(line)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            raw.recv(65536)

    assert server.ask("/health/live").status == 200


def test_other_names_and_pages_of_others_are_refused(server: Server) -> None:
    port = server.ports["api"]

    rebound = server.ask("/api/v1/traces", headers={"host": f"evil.example:{port}"})
    page = server.ask("/api/v1/traces", headers={"origin": "https://evil.example"})
    other_port = server.ask("/v1/traces", b"{}", JSON | {"origin": "http://localhost:3000"})
    own = server.ask("/api/v1/traces", headers={"host": f"localhost:{port}", "origin": f"http://localhost:{port}"})

    assert [answer.status for answer in (rebound, page, other_port, own)] == [403, 403, 403, 200]
    assert rebound.json["error"]["kind"] == "bad_host"
    assert page.json["error"]["kind"] == "bad_origin"
