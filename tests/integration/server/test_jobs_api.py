"""Jobs asked of a real server, done by a worker of its own."""

import json
import time

import pytest

from boxscore.testing import FakeServer
from serving import JSON, printed

ROWS = [{"id": str(n), "inputs": {"n": n}, "reference": f"b {n}"} for n in range(40)]


def said(body):
    question = body["messages"][0]["content"]
    return {
        "model": "m",
        "choices": [{"message": {"content": question}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    }


@pytest.fixture
def provider():
    with FakeServer(said, latency_s=0.01) as server:
        yield server


@pytest.fixture
def server(serve, provider):
    return serve(environment={"BOXSCORE_PROVIDERS": f"shop={provider.base_url}"})


def spec(**more):
    variant = {"provider": "shop", "model": "m", "usd_per_mtok": 1}
    variants = {name: {**variant, "prompt": f"{name} {{{{ n }}}}"} for name in "ab"}
    return {"dataset": ROWS, "variants": variants, "scorers": ["exact"], **more}


def post(server, path, body=None, **headers):
    return server.ask(f"/api/v1{path}", json.dumps(body or {}).encode(), JSON | headers, method="POST")


def get(server, path):
    return server.ask(f"/api/v1{path}")


def until(server, job, states=("done", "failed", "cancelled")):
    end = time.monotonic() + 60
    while (found := get(server, f"/jobs/{job['id']}").json)["state"] not in states:
        assert time.monotonic() < end, printed(server)
        time.sleep(0.02)
    return found


def test_a_comparison_is_planned_asked_for_followed_and_read(server, provider):
    plan = post(server, "/comparisons/plan", spec())
    assert plan.status == 200, plan.body
    assert (plan.json["calls"], plan.json["plan"]["examples"], plan.json["spend_cap_usd"]) == (80, 40, "10")
    assert 0 < float(plan.json["usd"]) < 1
    assert provider.calls == 0

    asked = post(server, "/comparisons", spec())
    assert asked.status == 202, asked.body
    assert (asked.json["state"], asked.json["created_by"], asked.json["kind"]) == ("waiting", "local", "comparison")
    assert asked.json["spec"]["spend_cap_usd"] == 10.0

    events = get(server, f"/jobs/{asked.json['id']}/events").body.decode().split("\n\n")
    told = [json.loads(line[6:]) for event in events for line in event.splitlines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done"
    assert told[-1]["progress"]["b"]["done"] == 40

    done = get(server, f"/jobs/{asked.json['id']}").json
    [verdict] = done["result"]["verdicts"]
    assert (verdict["verdict"], verdict["candidate"]) == ("ship", "b")
    assert get(server, f"/comparisons/{verdict['id']}").json["verdict"] == "ship"
    assert {run["id"] for run in get(server, "/runs").json["items"]} == set(done["result"]["runs"])
    assert [job["id"] for job in get(server, "/jobs?state=done&kind=comparison").json["items"]] == [done["id"]]
    assert provider.calls == 80
    assert post(server, "/comparisons/plan", spec()).json["calls"] == 0  # the answers are kept


def test_a_run_is_of_the_variant_that_is_named_or_of_the_baseline(server):
    for more, name in (({"variant": "b"}, "b"), ({}, "a"), ({"baseline": "b"}, "b")):
        asked = post(server, "/runs", spec(**more))
        assert asked.status == 202, asked.body
        [run] = until(server, asked.json)["result"]["runs"]
        assert get(server, f"/runs/{run}").json["run"]["variant"]["name"] == name


def test_a_dataset_of_the_server_is_named_with_its_version(server):
    rows = "\n".join(map(json.dumps, ROWS)).encode()
    made = server.ask("/api/v1/datasets/talks/import?filename=a.jsonl", rows, {"content-type": "text/plain"})
    assert made.status == 201, made.body
    for name in ("talks", "talks@1"):
        done = until(server, post(server, "/comparisons", spec(dataset=name)).json)
        assert done["state"] == "done", done["error"]
        told = get(server, f"/comparisons/{done['result']['verdicts'][0]['id']}").json["dataset"]
        assert (told["name"], told["examples"]) == ("talks", 40)
    assert post(server, "/comparisons", spec(dataset="talks@9")).status == 404


def test_a_job_is_cancelled_and_tried_again(server, provider):
    provider.hold()
    asked = post(server, "/comparisons", spec())
    until(server, asked.json, ("running",))
    assert post(server, f"/jobs/{asked.json['id']}/retry").status == 409
    assert post(server, f"/jobs/{asked.json['id']}/cancel").status == 200
    assert until(server, asked.json)["state"] == "cancelled"
    provider.release()
    assert post(server, f"/jobs/{asked.json['id']}/retry").status == 202
    assert until(server, asked.json)["state"] == "done"


def test_a_job_stops_at_its_spend_cap_and_says_so(server):
    asked = post(server, "/comparisons", spec(spend_cap_usd=0.00006, concurrency=2))
    failed = until(server, asked.json)
    assert (failed["state"], failed["error"]["code"]) == ("failed", "spend_cap")
    assert "trials were not run" in failed["error"]["message"]


def test_the_same_request_twice_makes_one_job(server):
    answers = [post(server, "/comparisons", spec(), **{"idempotency-key": "k1"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert len(get(server, "/jobs").json["items"]) == 1


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"variants": {"a": {"model": "m", "prompt": "x", "base_url": "http://10.0.0.1"}}}, 400, "base_url"),
        ({"variants": {"a": {"model": "m", "command": "id"}}}, 400, "command"),
        ({"variants": {"a": {"model": "m", "prompt_file": "/etc/passwd"}}}, 400, "prompt_file"),
        ({"variants": {"a": {"provider": "ollama", "model": "m", "prompt": "x"}}}, 400, "provider"),
        ({"scorers": ["function:os:system"]}, 400, "loads no code"),
        ({"scorers": [{"schema": "/etc/passwd"}]}, 400, "names no files"),
        ({"prices": "/etc/passwd"}, 400, "prices"),
        ({"dataset": "nobody"}, 404, "nobody"),
        ({"dataset": "/etc/passwd"}, 400, "dataset"),
        ({"metric": "nothing"}, 400, "nothing"),
        ({"spend_cap_usd": -1}, 400, "spend_cap_usd"),
    ],
)
def test_what_a_spec_may_not_say_is_refused_and_makes_no_job(server, more, status, words):
    merged = spec(**more)
    if "variants" in more:
        merged["variants"] = spec()["variants"] | more["variants"]
    for path in ("/comparisons", "/comparisons/plan", "/runs"):
        answer = post(server, path, merged)
        assert (answer.status, answer.json["error"]["code"] != "error") == (status, True), answer.body
        assert words in answer.json["error"]["message"]
    assert get(server, "/jobs").json["items"] == []


def test_a_job_that_is_not_there_is_said(server):
    for answer in (get(server, "/jobs/x"), get(server, "/jobs/x/events"), post(server, "/jobs/x/cancel")):
        assert answer.status == 404
        assert answer.json["error"]["code"] == "not_found"


def test_jobs_wait_where_a_server_has_no_workers(serve, provider):
    server = serve("--workers=0", environment={"BOXSCORE_PROVIDERS": f"shop={provider.base_url}"})
    asked = post(server, "/comparisons", spec())
    time.sleep(1.5)  # longer than a server with workers takes to look
    assert get(server, f"/jobs/{asked.json['id']}").json["state"] == "waiting"
