"""What the page of traces asks a real server: outline, span, conversation, histogram, live tail, files."""

import contextlib
import csv
import io
import json
import time
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

import pytest

from serving import JSON, Server, request


@pytest.fixture
def sent(server: Server) -> str:
    """The id of a trace of three spans that was acknowledged by a server that has others too."""
    trace = bytes.fromhex("5e" * 16)
    asked = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "gpt-4o"}
    said = json.dumps([{"role": "user", "content": "Where is the 4711th order?"}])
    batch = request("ask", "think", "answer", trace=trace, gen_ai__input__messages=said, **asked)
    assert server.send(batch.SerializeToString()).status == 200
    return trace.hex()


def test_an_outline_has_the_spans_without_their_texts(server: Server, sent: str) -> None:
    answer = server.ask(f"/api/v1/traces/{sent}/outline")

    outline = answer.json
    assert [outline["words"][at] for at in outline["columns"]["name"]] == ["ask", "think", "answer"]
    assert outline["columns"]["parent"] == [-1, 0, 0]
    assert b"4711th" not in answer.body


def test_an_outline_of_a_part_says_that_there_is_more(server: Server, sent: str) -> None:
    outline = server.ask(f"/api/v1/traces/{sent}/outline?limit=2").json

    assert (outline["spans"], outline["left_out"]) == (2, True)


def test_a_span_is_told_with_what_was_said_and_what_came(server: Server, sent: str) -> None:
    span = f"{1:016x}"
    score = {"id": "views", "name": "right", "value": True, "trace_id": sent, "span_id": span, "at_ns": 1}
    server.ask("/api/v1/scores", json.dumps([score]).encode(), JSON)

    told = server.ask(f"/api/v1/traces/{sent}/spans/{span}/detail").json

    assert told["span"]["name"] == "ask"
    assert told["input"] == [
        {"role": "user", "parts": [{"type": "text", "text": "Where is the 4711th order?"}]},
    ]
    assert told["told"]["attributes"]["gen_ai.request.model"] == "gpt-4o"
    assert told["told"]["resource"] == {"service.name": "shop"}
    assert [score["name"] for score in told["scores"]] == ["right"]
    assert server.ask("/api/v1/scores/views", method="DELETE").status == 204
    assert server.ask(f"/api/v1/traces/{sent}/spans/{span}/detail").json["scores"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/traces/{none}/outline", 404),
        ("/traces/{none}/raw", 404),
        ("/traces/{sent}/spans/ffffffffffffffff", 404),
        ("/traces/{sent}/spans/ffffffffffffffff/detail", 404),
        ("/traces/{sent}/spans/xyz/detail", 400),
        ("/traces/xyz/outline", 400),
        ("/conversation?trace_id={none}", 404),
        ("/conversation?session=none", 404),
        ("/conversation", 400),
        ("/histogram?start_ns=0&end_ns=10&step_ns=0", 400),
        ("/traces/live?filter=nonsense", 400),
        ("/traces.csv?filter=nonsense", 400),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(server: Server, sent: str, path: str, status: int) -> None:
    answer = server.ask("/api/v1" + path.format(sent=sent, none="00" * 15 + "01"))

    assert answer.status == status
    assert set(answer.json["error"]) >= {"code", "message"}


def test_a_list_shows_the_beginnings_of_texts(server: Server) -> None:
    long = json.dumps([{"role": "user", "content": "begin " + "x" * 5000}])
    server.send(request("preview", gen_ai__input__messages=long).SerializeToString())

    (trace,) = server.ask("/api/v1/traces?preview=true&filter=name=preview&limit=1").json["items"]
    (span,) = server.ask("/api/v1/spans?preview=true&filter=name=preview&limit=1").json["items"]

    assert len(trace["entry"]["input_text"]) == len(span["input_text"]) == 240
    assert (span["raw"], span["resource"]) == ("", "")


def test_a_histogram_counts_traces(server: Server) -> None:
    now = time.time_ns()
    server.send(request("counted", "inside").SerializeToString())

    asked = f"start_ns={now - 60 * 10**9}&end_ns={now + 60 * 10**9}&step_ns={120 * 10**9}"
    (found,) = server.ask(f"/api/v1/histogram?{asked}&filter=entry=true&filter=name=counted").json

    assert (found["spans"], found["errors"]) == (1, 0)


def test_lists_are_had_as_files(server: Server) -> None:
    said = json.dumps([{"role": "user", "content": '=HYPERLINK("x")'}])
    more = {"gen_ai__conversation__id": "files, and more", "gen_ai__input__messages": said}
    server.send(request("filed", "inside", **more).SerializeToString())

    traces = list(csv.DictReader(io.StringIO(server.ask("/api/v1/traces.csv?filter=name=filed").body.decode())))
    spans = server.ask("/api/v1/spans.jsonl?filter=name=inside&filter=session=files,%20and%20more").body.splitlines()
    sessions = server.ask("/api/v1/sessions.csv?filter=name=filed")

    assert [(row["name"], row["spans"], row["input_text"]) for row in traces] == [("filed", "2", '\'=HYPERLINK("x")')]
    assert json.loads(spans[0])["attributes"]["gen_ai.conversation.id"] == "files, and more"
    assert sessions.headers["content-type"].startswith("text/csv")
    assert b'"files, and more"' in sessions.body


def next_event(stream: HTTPResponse, name: str = "traces") -> dict[str, Any]:
    """The data of the next event of that name."""
    event = ""
    while True:
        line = stream.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: ") and event == name:
            return json.loads(line.removeprefix("data: "))


@pytest.fixture
def live(server: Server):
    """Opens a live tail."""
    with contextlib.ExitStack() as stack:

        def begin(query: str = "", headers: dict[str, str] | None = None) -> HTTPResponse:
            connection = stack.enter_context(contextlib.closing(server.connect()))
            connection.request("GET", f"/api/v1/traces/live{query}", headers=headers or {})
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.readline().startswith(b"retry: ")  # it listens from here on
            return answer

        yield begin


def test_the_live_tail_tells_traces_as_they_are_acknowledged(server: Server, live: Callable[..., HTTPResponse]) -> None:
    stream = live("?filter=name=wanted")
    server.send(request("unwanted").SerializeToString())
    server.send(request("wanted", "inside").SerializeToString())

    told = next_event(stream)

    assert [(trace["entry"]["name"], trace["spans"]) for trace in told["traces"]] == [("wanted", 2)]
    assert 0 <= told["lag_ms"] < 60_000
    assert told["skipped"] == 0


def test_a_trace_that_grows_is_told_again(server: Server, live: Callable[..., HTTPResponse]) -> None:
    stream = live("?filter=name=grows")
    batch = request("grows", "later")
    spans = batch.resource_spans[0].scope_spans[0].spans
    late = spans.pop()
    server.send(batch.SerializeToString())
    assert next_event(stream)["traces"][0]["spans"] == 1

    spans.pop()
    spans.append(late)
    server.send(batch.SerializeToString())

    assert next_event(stream)["traces"][0]["spans"] == 2


def test_a_flood_is_told_in_few_events_with_how_many_were_skipped(
    server: Server, live: Callable[..., HTTPResponse]
) -> None:
    stream = live("?filter=name=flood")
    batch = request("flood")
    (span,) = batch.resource_spans[0].scope_spans[0].spans
    for n in range(299):
        more = batch.resource_spans[0].scope_spans[0].spans.add()
        more.CopyFrom(span)
        more.trace_id = (n + 1).to_bytes(16, "big")
    server.send(batch.SerializeToString())

    told = next_event(stream)

    assert len(told["traces"]) + told["skipped"] == 300
    assert len(told["traces"]) <= 100
