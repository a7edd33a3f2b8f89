"""The API as a whole: its description, its errors, its metrics."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from boxscore import errors
from boxscore.server.metrics import METRICS
from serving import JSON, PROTOBUF, Server, request

CODES = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
TRACE = "1a" * 16


@pytest.fixture(scope="module")
def described(server: Server) -> dict[str, Any]:
    body = request("chat", trace=bytes.fromhex(TRACE), session__id="talk", gen_ai__request__model="gpt-4o-mini")
    server.send(body.SerializeToString())
    score = {"id": "s", "name": "good", "value": True, "trace_id": TRACE, "at_ns": 1}
    assert server.ask("/api/v1/scores", json.dumps([score]).encode(), JSON).status == 200
    return server.ask("/api/v1/openapi.json").json


def test_the_description_is_whole(described: dict[str, Any]) -> None:
    assert {"get", "post"} <= set(described["paths"]["/api/v1/scores"])
    assert described["components"]["schemas"]["StoredSpan"]["properties"]["trace_id"]["pattern"] == "^[0-9a-f]{32}$"
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert referred <= set(described["components"]["schemas"])


ASKED = {
    "/api/v1/traces": "?whole=true",
    "/api/v1/traces/{trace_id}": "",
    "/api/v1/trace-ids": "?beginning=1a",
    "/api/v1/spans": "?filter=model_asked%3Dgpt-4o-mini&whole=true",
    "/api/v1/sessions": "",
    "/api/v1/sessions/{session}": "",
    "/api/v1/search": "?text=none&wait=5",
    "/api/v1/facets": "?field=model_asked",
    "/api/v1/counts": "",
    "/api/v1/aggregate": "?measure=count&measure=sum(cost_usd)&by=model_asked&by=day",
    "/api/v1/series": "?start_ns=0&end_ns=60000000000&step_ns=60000000000",
    "/api/v1/scores": f"?trace_id={TRACE}",
}


@pytest.mark.parametrize("path", ASKED)
def test_answers_are_what_the_description_says(server: Server, described: dict[str, Any], path: str) -> None:
    import jsonschema

    real = path.format(trace_id=TRACE, session="talk")
    answer = server.ask(real.replace("{session:path}", "talk") + ASKED[path])
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    assert answer.status == 200, answer.body
    jsonschema.validate(answer.json, {**schema, "components": described["components"]})


KNOWN = {"trace_id": TRACE, "span_id": "00" * 7 + "01", "session": "talk"}


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, ways in described["paths"].items():
        for way in ways:
            yield way.upper(), re.sub(r"{(\w+)}", lambda found: KNOWN.get(found[1], "nothing"), path)


def test_every_error_of_every_route_has_the_one_shape(server: Server, described: dict[str, Any]) -> None:
    seen: set[int] = set()
    for way, path in [*operations(described), ("GET", "/nothing"), ("GET", "/api/v2"), ("PUT", "/v1/metrics")]:
        wrong = "filter=no=1&limit=abc&start_ns=x&cursor=%20&trace_id=zz&measure=&field=no&wait=-1&text="
        for answer in (
            server.ask(f"{path}?{wrong}", b"{" if way == "POST" else None, JSON, method=way),
            server.ask(path, method="PATCH"),
            server.ask(path, headers={"host": "elsewhere.example"}, method=way),
            server.ask(f"{path}/no/such", method=way),
        ):
            if answer.status < 400:  # a session may have any name, and what is not asked for is not read
                continue
            seen.add(answer.status)
            error = answer.json["error"]
            assert set(answer.json) == {"error"}
            assert error["code"] in CODES
            assert answer.headers["content-type"] == "application/json"
            assert error["message"][-1] in ".?!"
            assert 400 <= answer.status < 500
    assert seen >= {400, 403, 404, 405}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000,
        b'[{"id": "a"}]',
        b"\xff",
        b"{}",
        b'[{"id":"a","name":"n","value":1,"trace_id":"zz","at_ns":1}]',
        b'[{"id":"a","name":"n","value":1e999,"trace_id":"' + b"ab" * 16 + b'","at_ns":1}]',
        b'[{"id":"a","name":"n n","value":1,"trace_id":"' + b"ab" * 16 + b'","at_ns":1}]',
        b'[{"id":"a","name":"n","value":1,"trace_id":7,"at_ns":1}]',
        b'[{"id":"a","name":"n","value":1,"trace_id":"' + b"ab" * 16 + b'","at_ns":99999999999999999999}]',
        b" " * 5_000_000,
    ],
    ids=range(10),
)
def test_a_score_that_is_none_is_refused_whole(server: Server, body: bytes) -> None:
    answer = server.ask("/api/v1/scores", body, JSON)

    assert answer.status in (400, 413), answer.body
    assert {"code", "message"} <= set(answer.json["error"])


def test_pages_of_others_cannot_send_scores(server: Server) -> None:
    """A form of another page is sent without asking, as text."""
    answer = server.ask("/api/v1/scores", b"[]", {"content-type": "text/plain", "origin": "https://evil.example"})

    assert answer.status == 403


def test_every_metric_of_the_table_is_told(serve: Callable[..., Server]) -> None:
    server = serve()
    body = request("a", "b").SerializeToString()
    bad = request("good")
    bad.resource_spans[0].scope_spans[0].spans.add(name="without ids")
    for sent in (body, body, bad.SerializeToString(), b"\xff"):
        server.send(sent, PROTOBUF)
    answer = server.ask("/metrics")
    text = answer.body.decode()
    values = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#")
    }
    never = {"boxscore_backup_timestamp_seconds", "boxscore_spans_expired_total"}  # there was none

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for metric in METRICS:
        assert f"# TYPE {metric.name} {metric.kind}" in text
        assert any(name.startswith(metric.name) for name in values) != (metric.name in never), metric.name
    assert values["boxscore_spans_accepted_total"] == 5
    assert values["boxscore_spans_stored_total"] == 5
    assert values["boxscore_spans_repeated_total"] == 2
    assert values['boxscore_requests_refused_total{reason="unreadable_traces"}'] == 1
    assert sum(value for name, value in values.items() if name.startswith("boxscore_spans_rejected_total")) == 1
    assert values['boxscore_acknowledgement_seconds_bucket{le="+Inf"}'] == 3
    assert values["boxscore_ready"] == 1
    assert values["boxscore_queue_spans"] == values["boxscore_queue_bytes"] == 0


def test_live_and_ready_are_two_questions(server: Server) -> None:
    assert server.ask("/health/live").json == {"status": "live"}
    assert server.ask("/health/ready").json == {"status": "ready"}
