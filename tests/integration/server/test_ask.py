"""What was sent over OTLP is asked for over HTTP."""

import contextlib
import json
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from google.protobuf.json_format import MessageToDict

from boxscore.client.spans import RemoteSpans, open_spans
from boxscore.errors import UnknownNameError, UsageError
from boxscore.settings import Settings
from boxscore.store.spans import Score, SqliteSpans, parse_condition
from boxscore.store.spans.measures import parse_measure
from serving import JSON, Server, request

MINUTE = 60 * 10**9


def test_a_trace_is_there_when_its_request_was_answered(server: Server) -> None:
    trace = b"\x01" * 16

    sent = server.send(request("ask", "think", trace=trace).SerializeToString())
    found = server.ask(f"/api/v1/traces/{trace.hex()}").json

    assert (sent.status, sent.body, sent.headers["content-type"]) == (200, b"", "application/x-protobuf")
    assert [(span["trace_id"], span["name"]) for span in found["items"]] == [
        (trace.hex(), "ask"),
        (trace.hex(), "think"),
    ]


def test_spans_in_json_are_answered_in_json(server: Server) -> None:
    body = MessageToDict(request("in json", trace=b"\x02" * 16))
    for group in body["resourceSpans"]:
        for span in group["scopeSpans"][0]["spans"]:
            span["traceId"], span["spanId"] = "02" * 16, "01" * 8

    sent = server.ask("/v1/traces", json.dumps(body).encode(), {"content-type": "application/json; charset=utf-8"})

    assert (sent.status, sent.json, sent.headers["content-type"]) == (200, {}, "application/json")
    assert server.ask(f"/api/v1/traces/{'02' * 16}").json["items"][0]["name"] == "in json"


def test_a_span_that_cannot_be_stored_is_counted_and_the_rest_is_kept(server: Server) -> None:
    batch = request("good", trace=b"\x03" * 16)
    batch.resource_spans[0].scope_spans[0].spans.add(name="without ids")

    sent = server.send(batch.SerializeToString())

    assert sent.status == 200
    assert b"trace id" in sent.body
    assert len(server.ask(f"/api/v1/traces/{'03' * 16}").json["items"]) == 1


def test_a_client_gets_what_the_store_gives(serve: Callable[..., Server]) -> None:
    server = serve()
    for model in ("gpt-4o-mini", "claude-sonnet-4-5"):
        for _ in range(3):
            server.send(
                request(
                    "chat",
                    "tool",
                    gen_ai__operation__name="chat",
                    gen_ai__request__model=model,
                    gen_ai__conversation__id="talk",
                    tenant="ac me/ü&=",
                    input__value="where is my parcel",
                ).SerializeToString()
            )
    score = Score(id="s1", name="good", value=True, session="talk", at_ns=time.time_ns())
    assert server.ask("/api/v1/search?text=parcel&wait=10").json["pending"] == 0
    now = time.time_ns() // MINUTE * MINUTE
    span = {"start_ns": now - 60 * MINUTE, "end_ns": now + 2 * MINUTE, "step_ns": MINUTE}
    filter = [parse_condition("metadata.tenant=ac me/ü&="), parse_condition("error=false")]

    remote = open_spans(Settings(home=server.home))
    assert isinstance(remote, RemoteSpans)
    remote.put_scores("default", [score])
    with SqliteSpans(server.home, write=False) as local:
        trace = local.traces("default", limit=1).items[0].entry.trace_id
        for ask in (
            lambda reader: reader.traces("default", filter, limit=4, whole=True),
            lambda reader: reader.traces(
                "default", cursor=reader.traces("default", limit=4).cursor, oldest_first=False
            ),
            lambda reader: reader.spans("default", [parse_condition("model_asked=gpt-4o-mini")], oldest_first=True),
            lambda reader: reader.trace("default", trace),
            lambda reader: reader.trace("default", b"?" * 16),
            lambda reader: reader.trace_ids("default", trace.hex()[:5]),
            lambda reader: reader.sessions("default"),
            lambda reader: reader.search("default", '"my parcel"', filter),
            lambda reader: reader.counts("default", [parse_condition("cost_usd>=0.0000001")]),
            lambda reader: reader.facets("default", "model_asked"),
            lambda reader: reader.aggregate(
                "default",
                [parse_measure("count"), parse_measure("sum(cost_usd)"), parse_measure("p95(duration_ns)")],
                by=["model_asked", "hour", "error"],
            ),
            lambda reader: reader.series("default", **span, by="model"),
            lambda reader: reader.scores("default", session="talk"),
        ):
            there, here = ask(remote), ask(local)
            assert there == here
            assert type(there) is type(here) or isinstance(there, list)
        with pytest.raises(UnknownNameError) as there_:
            remote.facets("default", "modle")
        assert (there_.value.nearest, there_.value.kind) == ("model", "field")
        with pytest.raises(UsageError, match="cursor"):
            remote.spans("default", cursor="?!")
    remote.close()


def test_a_long_trace_comes_page_by_page(server: Server) -> None:
    trace = b"\x05" * 16
    names = [str(number) for number in range(3_000)]
    assert server.send(request(*names, trace=trace).SerializeToString()).status == 200
    with RemoteSpans(server.url) as remote:
        pages, cursor = [], None
        while not pages or cursor:
            page = remote.trace("default", trace, cursor=cursor)
            pages.append(len(page.items))
            cursor = page.cursor

    assert pages == [1000, 1000, 1000]


def test_a_page_of_large_spans_is_short_and_goes_on(server: Server) -> None:
    trace = b"\x06" * 16
    body = request(*["large"] * 40, trace=trace, text="x" * 400_000).SerializeToString()
    assert server.send(body).status == 200
    with RemoteSpans(server.url) as remote:
        page = remote.trace("default", trace)
        rest = remote.trace("default", trace, cursor=page.cursor)

    assert 10 <= len(page.items) < 40
    assert page.cursor is not None
    assert page.items[-1].span_id < rest.items[0].span_id


def test_scores_are_kept_and_replaced_by_their_id(server: Server) -> None:
    one = {"id": "a", "name": "tone", "value": 0.25, "trace_id": "07" * 16, "at_ns": 5}

    first = server.ask("/api/v1/scores", json.dumps([one]).encode(), JSON)
    server.ask("/api/v1/scores", json.dumps([one | {"value": "polite", "at_ns": 6}]).encode(), JSON)
    found = server.ask(f"/api/v1/scores?trace_id={'07' * 16}").json

    assert (first.status, first.json) == (200, {"stored": 1})
    assert [(score["id"], score["value"], score["trace_id"]) for score in found] == [("a", "polite", "07" * 16)]


def test_money_is_told_exactly(server: Server) -> None:
    told = server.ask("/api/v1/counts").json["cost_usd"]

    assert Decimal(told) >= 0
    assert "E" not in told


def test_a_read_waits_for_what_is_on_its_way(server: Server) -> None:
    trace = b"\x08" * 16
    with contextlib.closing(server.connect()) as waiting:
        waiting.request("GET", f"/api/v1/traces/{trace.hex()}?wait=20")
        server.send(request("late", trace=trace).SerializeToString())
        answer = waiting.getresponse()

        assert answer.status == 200
