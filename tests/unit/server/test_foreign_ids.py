"""Ids are no secrets: whoever guesses one of another project reads nothing of it, and changes nothing."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from door import Answer, Door, opened

from boxscore.governance.keys import NewKey
from boxscore.jobs import Jobs
from boxscore.server.api import make_api
from boxscore.server.api.routes import PREFIX
from boxscore.store.records import ExampleRow, Records, ResponseRow, RunRow, ScoreRow, TrialRow, VariantRow, VerdictRow

MARK = b"zanzibar"
TEXT = "a quokka in zanzibar"
"""In every text of the other project. Questions are asked with its first words alone, so that no answer quotes it."""
TRACE, SPAN = "ab" * 16, "cd" * 8
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RIGHTS = ("read", "score", "ingest", "write", "admin")
GIVEN = {"start_ns": "0", "end_ns": "60000000000", "step_ns": "60000000000", "measure": "count", "bins": "5"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as door:
        door.owner()
        for project in ("mine", "theirs"):
            door.people.projects.create(project)
        yield door


def plant(door: Door, key: NewKey) -> set[str]:
    """Something of every kind in their project; its ids."""
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": TEXT,
        "startTimeUnixNano": "1000000000",
        "endTimeUnixNano": "2000000000",
        "attributes": [
            {"key": name, "value": {"stringValue": value}}
            for name, value in {
                "session.id": "their-talk",
                "user.id": "their-user",
                "gen_ai.request.model": "their-model",
                "input.value": TEXT,
                "output.value": TEXT,
            }.items()
        ],
    }
    sent = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    score = {"id": "their-score", "name": "good", "value": 1.0, "trace_id": TRACE, "at_ns": 1, "comment": TEXT}
    data = [{"id": "their-example", "inputs": {"text": TEXT}, "reference": TEXT}]
    for method, path, body in (
        ("POST", "//v1/traces", sent),
        ("POST", "/scores", [score]),
        ("POST", "/datasets", {"name": "their-data", "description": TEXT}),
        ("POST", "/datasets/their-data/versions", {"base": 0, "put": data, "note": TEXT}),
    ):
        answer = door.ask_with(key, method, path, body)
        assert answer.status in (200, 201), answer.body
    version = door.ask_with(key, "GET", "/datasets/their-data/versions").json["items"][0]["version"]
    run_something(door.records.of("theirs"))
    jobs = Jobs(door.records.database, ids=lambda: "their-job")
    jobs.submit("theirs", "comparison", {"dataset": TEXT})
    jobs.cancel("theirs", "their-job")  # so that the stream of it ends
    door.people.users.add("theo")
    door.people.projects.put_member("theirs", "theo", "editor")
    named = ("talk", "user", "model", "score", "data", "data@1", "example", "run", "variant", "verdict", "job")
    return {TRACE, SPAN, version, "theo", key.id, "theirs", "1", *(f"their-{name}" for name in named)}


def run_something(records: Records) -> None:
    def run(id: str) -> RunRow:
        return RunRow(
            id=id,
            plan_hash="p",
            variant_hash="their-variant",
            variant_name=TEXT,
            model=TEXT,
            dataset_name="their-data",
            dataset_version="1",
            repeats=1,
            metrics_json='[{"name": "good"}]',
            scorer_specs_json='["good"]',
            fresh=False,
            started_at=NOW,
            finished_at=NOW,
        )

    variant = VariantRow(hash="their-variant", kind="prompt", model=TEXT, description_json=f'{{"text": "{TEXT}"}}')
    content = f'{{"id": "their-example", "inputs": {{"text": "{TEXT}"}}}}'
    example = ExampleRow(position=0, example_id="their-example", hash="h", question_hash="q", content_json=content)
    response = ResponseRow(
        id="their-response", run_id="their-run", variant_hash="their-variant", question_hash="q", draw=0,
        recorded_at=NOW, output=TEXT,
    )  # fmt: skip
    trial = TrialRow(run_id="their-run", example_id="their-example", repeat=0, response_id="their-response")
    score = ScoreRow(run_id="their-run", example_id="their-example", repeat=0, metric="good", value=1.0, note=TEXT)

    async def save() -> None:
        await records.save_response(response, trial)
        await records.save_scores([score])

    records.start_run(run("their-run"), variant, [example])
    asyncio.run(save())
    records.save_verdict(
        VerdictRow(
            id="their-verdict", created_at=NOW, verdict="ship", baseline_run="their-run", candidate_run="their-run",
            content_json=f'{{"verdict": "ship", "reason": "{TEXT}"}}',
        )
    )  # fmt: skip


def questions(door: Door, ids: set[str]) -> Iterator[str]:
    """Every GET of the API with each id in each place of its path and its query."""
    for route in make_api(door.service).app.routes:
        if "GET" not in (getattr(route, "methods", None) or ()):
            continue
        path = str(getattr(route, "path", "")).removeprefix(PREFIX)
        asked: Any = getattr(route, "dependant", None)
        names = [field.alias for field in asked.query_params]
        texts = [name for name in names if name not in GIVEN and name not in ("limit", "cursor", "wait", "project")]
        given = [f"{name}={GIVEN[name]}" for name in names if name in GIVEN]
        places = re.findall(r"\{[^}]+\}", path)
        some = sorted(ids) if len(places) < 3 else ["1", "their-data", "their-example"]
        for chosen in product(some, repeat=len(places)):
            whole = path
            for place, id in zip(places, chosen, strict=True):
                whole = whole.replace(place, quote(id, safe=""), 1)
            yield f"{whole}?{'&'.join(given)}"
            if len(places) < 2:
                for name, id in product(texts, [*sorted(ids), "quokka", "a", f"trace_id={TRACE}", "name~quokka"]):
                    query = [*given, *(f"{other}=quokka" for other in texts if other in ("text", "field", "beginning"))]
                    yield f"{whole}?{'&'.join([*query, f'{name}={quote(id)}'])}"


def test_what_is_asked_with_ids_of_another_project_tells_nothing_of_it(door: Door) -> None:
    mine, theirs = door.key(*RIGHTS, project="mine"), door.key(*RIGHTS, project="theirs")
    ids = plant(door, theirs)
    seen: set[str] = set()
    asked = 0
    for question in questions(door, ids):
        if question.startswith("/traces/live"):
            continue
        answer = door.ask_with(mine, "GET", question)
        assert MARK not in answer.body, question
        assert answer.status in (200, 400, 403, 404), (question, answer.status)
        asked += 1
        if re.match(r"/comparisons(\?|/.*/)", question):
            continue  # that verdict is a sketch of one, which nobody can draw
        if question.endswith("?"):  # the same, where they are at home
            answer = door.ask_with(theirs, "GET", question)
            if MARK in answer.body:
                seen.add(question.partition("?")[0])

    assert asked > 2_000
    assert len(seen) > 15, sorted(seen)  # or the questions would be no good


@pytest.mark.parametrize("header", [{"boxscore-project": "theirs"}, {}], ids=["header", "query"])
def test_asking_for_the_project_itself_tells_nothing(door: Door, header: dict[str, str]) -> None:
    mine, theirs = door.key(*RIGHTS, project="mine"), door.key(*RIGHTS, project="theirs")
    plant(door, theirs)

    for path in (
        "/traces?",
        "/spans?whole=true&",
        "/runs?",
        "/variants?",
        "/datasets?",
        "/keys?",
        "/members?",
        "/audit?",
    ):
        answer = door.ask_with(mine, "GET", f"{path}{'' if header else 'project=theirs'}", **header)
        assert answer.status == 404
        assert MARK not in answer.body


BODIES: dict[str, object] = {
    "/scores": [{"id": "their-score", "name": "good", "value": 0.0, "trace_id": TRACE, "at_ns": 2}],
    "/datasets": {"name": "their-data"},
    "/datasets/{name}": {"description": "changed", "archived": True},
    "/datasets/{name}/versions": {"base": 1, "put": [], "remove": ["their-example"]},
    "/datasets/{name}/restore": {"number": 1, "base": 1},
    "/datasets/{name}/traces": {"selection": {"spans": [{"trace_id": TRACE, "span_id": SPAN}]}, "look": True},
    "/members/{user}": {"role": "viewer"},
    "/keys": {"name": "x", "rights": ["read"]},
    "/projects": {"id": "theirs"},
    "/projects/{project}": {"name": "changed", "archived": True},
    "/users": {"name": "theo", "role": "viewer"},
    "/users/{user}": {"disabled": True},
}


def test_what_is_written_with_ids_of_another_project_changes_nothing_of_it(door: Door) -> None:
    mine, theirs = door.key(*RIGHTS, project="mine"), door.key(*RIGHTS, project="theirs")
    ids = plant(door, theirs)

    def everything() -> list[tuple[str, int, bytes]]:
        paths = ("/spans?whole=true", "/scores", "/datasets?archived=true", "/datasets/their-data",
                 "/datasets/their-data/versions/1/examples", "/runs", "/runs/their-run", "/runs/their-run/trials",
                 "/variants", "/comparisons/their-verdict", "/members", "/keys", "/projects/theirs")  # fmt: skip
        found: list[tuple[str, int, bytes]] = []
        for path in paths:
            answer: Answer = door.ask_with(theirs, "GET", path)
            assert answer.status == 200, (path, answer.body)
            found.append((path, answer.status, answer.body))
        return found

    before = everything()
    written = 0
    for route in make_api(door.service).routes:
        if route.method == "GET" or route.right == "none" or route.path.startswith("/prices"):
            continue
        places = re.findall(r"\{[^}]+\}", route.path)
        for chosen in product(sorted(ids), repeat=len(places)):
            path = route.path
            for place, id in zip(places, chosen, strict=True):
                path = path.replace(place, quote(id, safe=""), 1)
            for suffix in ("", "?project=theirs"):
                answer = door.ask_with(mine, route.method, path + suffix, BODIES.get(route.path, {}))
                assert MARK not in answer.body, (route.method, path)
                assert answer.status < 500, (route.method, path, answer.body)
                assert not suffix or answer.status == 404, (route.method, path, answer.status)
                written += 1

    assert written > 300
    assert everything() == before
