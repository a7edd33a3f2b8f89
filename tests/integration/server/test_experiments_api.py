"""Runs, variants and box scores over HTTP: the numbers are those of the verdict and of the report."""

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from boxscore.datasets import from_rows
from boxscore.experiments.live import Effort, compare_variants
from boxscore.experiments.verdict import Guard, Rule
from boxscore.providers.response import ErrorInfo, Response, Usage
from boxscore.scoring import make_scorers
from boxscore.store.records import Records
from played import PRIMES, Played, play, slices_of_primes
from serving import JSON, Server, start

OLD, NEW, CHEAP = "gpt-3.5-turbo-0301", "gpt-4-0314", "gpt-3.5-turbo-0613"
HOSTILE = (
    '<script>alert(1)</script>[x](javascript:alert(1)) <img src="data:image/svg+xml,<svg onload=alert(1)>"> \u202e‮'
)


@pytest.fixture(scope="module")
def primes(tmp_path_factory: pytest.TempPathFactory, recorded_path: Path) -> Iterator[tuple[Server, str]]:
    """A server over a store in which two recorded models were compared, and a third was run beside them."""
    home = tmp_path_factory.mktemp("primes") / "home"
    guards = (Guard(metric="cost_per_1k_usd", margin=15.0),)
    rule = Rule(metric="choice", margin=0.02, guards=guards)
    [comparison] = play(home, recorded_path, [OLD, NEW], rule, also=[CHEAP], slices=slices_of_primes)
    server = start(home)
    yield server, comparison.verdict.id
    server.process.kill()
    server.process.wait()


@pytest.fixture(scope="module")
def recorded_path() -> Path:
    import os

    path = Path(os.environ.get("BOXSCORE_DATA", "/nowhere")) / PRIMES
    if not path.exists():
        pytest.skip("BOXSCORE_DATA is not set: recorded data is not here")
    return path


def get(server: Server, path: str) -> Any:
    answer = server.ask(f"/api/v1/{path}")
    assert answer.status == 200, answer.body[:500]
    return answer.json


def text(server: Server, path: str) -> str:
    answer = server.ask(f"/api/v1/{path}")
    assert answer.status == 200, answer.body[:500]
    return answer.body.decode()


def test_the_verdict_is_answered_as_it_was_kept(primes: tuple[Server, str]) -> None:
    server, found = primes
    with Records.open(server.home) as records:
        kept = records.verdict(found).content_json

    assert text(server, f"comparisons/{found}") == kept
    assert get(server, f"comparisons/{found}")["baseline"]["metrics"]["choice"]["value"] == pytest.approx(
        0.496, abs=1e-3
    )


def test_the_page_has_the_numbers_of_the_verdict_and_of_the_report(primes: tuple[Server, str]) -> None:
    server, found = primes
    verdict, sheet = get(server, f"comparisons/{found}"), get(server, f"comparisons/{found}/sheet")
    page = text(server, f"comparisons/{found}/report.html")
    report = html.unescape(re.sub(r"<[^>]+>", "\n", page))
    printed = re.findall(r'<td class="num[^"]*" role="cell">([^<]*)<small>([^<]*)</small>', page)

    said = "".join(phrase["text"] for phrase in sheet["said"])
    accuracy = [cell["cells"][0] for cell in sheet["lines"]]

    assert said == verdict["reason"]
    assert [line["name"] for line in sheet["lines"]] == [OLD, NEW, CHEAP]
    assert [cell["text"] for cell in accuracy] == ["49.6", "84.0", "76.2"]
    assert [cell["best"] for cell in accuracy] == [False, True, False]
    assert [(cell["text"], cell["under"]) for line in sheet["lines"] for cell in line["cells"]] == printed
    for row in sheet["differences"]:
        assert f"{row['difference']}\n" in report
        assert row["interval"] in report
    for row in sheet["slices"]["lines"]:
        assert row["difference"] in report
    for entry in sheet["fine_print"]:
        assert entry["text"][:60] in report
    assert sheet["frontier"]["svg"] in page
    assert sheet["latency"]["svg"] in page
    assert sheet["counts"] == {
        "worse": len(verdict["regressions"]),
        "better": len(verdict["improvements"]),
        "tied": verdict["tied"],
    }


def test_pairs_come_page_by_page_each_once_and_worst_first(primes: tuple[Server, str]) -> None:
    server, found = primes
    ids: list[str] = []
    cursor = ""
    while True:
        page = get(server, f"comparisons/{found}/pairs?outcome=worse&limit=40{cursor}")
        ids += [pair["example_id"] for pair in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    assert ids == get(server, f"comparisons/{found}")["regressions"]
    assert len(set(ids)) == len(ids) == 125


def test_a_slice_opens_its_own_examples(primes: tuple[Server, str]) -> None:
    server, found = primes
    sheet = get(server, f"comparisons/{found}/sheet")
    line = next(line for line in sheet["slices"]["lines"] if line["value"] == "by 17 or more")

    query = f"slice={quote(line['slice'])}&value={quote(line['value'])}&limit=1000"
    worse = get(server, f"comparisons/{found}/pairs?outcome=worse&{query}")["items"]
    everything = get(server, f"comparisons/{found}/pairs?{query}")["items"]

    assert len(worse) == line["losses"]
    assert len(everything) == line["examples"]
    assert {pair["slices"][line["slice"]] for pair in everything} == {line["value"]}


def test_the_csv_has_every_example_with_both_answers(primes: tuple[Server, str]) -> None:
    server, found = primes
    rows = list(csv.DictReader(io.StringIO(text(server, f"comparisons/{found}/pairs.csv"))))

    assert len(rows) == 1000
    assert sum(row["outcome"] == "worse" for row in rows) == 125
    assert sum(float(row["candidate_value"]) for row in rows) == pytest.approx(840, abs=1)


def test_lists_are_filtered_and_end(primes: tuple[Server, str]) -> None:
    server, found = primes
    [entry] = get(server, "comparisons?dataset=primes&verdict=ship")["items"]

    assert entry["id"] == found
    assert (entry["baseline"]["name"], entry["candidate"]["name"]) == (OLD, NEW)
    assert get(server, "comparisons?verdict=reject")["items"] == []
    assert get(server, "comparisons?dataset=others")["items"] == []
    assert [one["id"] for one in get(server, f"comparisons?variant={NEW}")["items"]] == [found]
    first = get(server, "runs?limit=2")
    rest = get(server, f"runs?limit=2&cursor={quote(first['cursor'])}")
    assert {run["variant"]["name"] for run in first["items"] + rest["items"]} == {OLD, NEW, CHEAP}
    assert rest["cursor"] is None


def test_a_runs_counts_are_over_its_rows(primes: tuple[Server, str]) -> None:
    server, _ = primes
    run = next(run for run in get(server, "runs")["items"] if run["variant"]["name"] == NEW)
    trials = get(server, f"runs/{run['id']}/trials?limit=1000")["items"]

    assert run["counts"]["trials"] == run["counts"]["asked"] == len(trials) == 1000
    assert run["state"] == "finished"
    assert sum(float(trial["cost_usd"]) for trial in trials) == pytest.approx(float(run["counts"]["spent_usd"]))
    assert sum(trial["scores"]["choice"]["value"] for trial in trials) == pytest.approx(840, abs=1)
    detail = get(server, f"runs/{run['id']}")
    assert detail["summary"]["metrics"]["choice"]["value"] == pytest.approx(0.84, abs=1e-3)
    assert detail["cells"][0]["text"] == "84.0"


def test_trials_go_on_where_the_page_before_ended(primes: tuple[Server, str]) -> None:
    server, _ = primes
    run = get(server, "runs?limit=1")["items"][0]["id"]
    first = get(server, f"runs/{run}/trials?limit=600")
    rest = get(server, f"runs/{run}/trials?limit=600&cursor={first['cursor']}")

    positions = [trial["position"] for trial in first["items"] + rest["items"]]

    assert positions == list(range(1000))
    assert rest["cursor"] is None


def test_the_matrix_has_each_variant_once(primes: tuple[Server, str]) -> None:
    server, _ = primes
    [dataset] = get(server, "matrix/datasets")
    found = get(server, f"matrix?dataset={dataset['name']}&version={dataset['version']}")

    assert {line["name"] for line in found["lines"]} == {OLD, NEW, CHEAP}
    assert found["examples"] == 1000
    assert found["columns"][0]["key"] == "choice"


def test_a_variant_says_what_its_hash_is_of(primes: tuple[Server, str]) -> None:
    server, _ = primes
    listed = get(server, "variants?limit=2")
    more = get(server, f"variants?limit=2&cursor={listed['cursor']}")

    assert {one["model"] for one in listed["items"] + more["items"]} == {OLD, NEW, CHEAP}
    one = listed["items"][0]
    assert get(server, f"variants/{one['hash']}")["description"] == {"model": one["model"], "recorded": True}


@pytest.mark.parametrize(
    "path",
    ["runs/nope", "runs/nope/trials", "runs/nope/events", "comparisons/nope", "comparisons/nope/sheet",
     "comparisons/nope/pairs", "comparisons/nope/again", "comparisons/nope/report.html", "comparisons/nope/report.md",
     "comparisons/nope/pairs.csv", "variants/nope", "matrix?dataset=nope&version=1"],
)  # fmt: skip
def test_what_is_not_there_is_404(server: Server, path: str) -> None:
    answer = server.ask(f"/api/v1/{path}")

    assert answer.status == 404
    assert answer.json["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["runs?cursor=x", "comparisons?cursor=x", "runs?limit=0", "comparisons?verdict=maybe"])
def test_what_is_not_understood_is_400(server: Server, path: str) -> None:
    assert server.ask(f"/api/v1/{path}").status == 400


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """Names, questions, answers, notes and errors that would do something if anything read them as more than text."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    rows = [
        {"id": f"{n} {HOSTILE}", "inputs": {"q": HOSTILE}, "reference": "yes", "slices": {HOSTILE: str(n % 2)}}
        for n in range(40)
    ]
    dataset = msgspec.structs.replace(from_rows(rows), name=HOSTILE)
    ids = [example.id for example in dataset.examples]
    failed = Response(error=ErrorInfo(kind="bad_answer", message=HOSTILE))
    said = Response(output=f"=HYPERLINK(1){HOSTILE}", usage=Usage(output_tokens=3), latency_s=0.1)
    answers = {id: said if n % 3 else failed for n, id in enumerate(ids)}
    good = {id: Response(output="yes", latency_s=0.2) for id in ids}
    variants = {"a": Played(f"a {HOSTILE}", good), "b": Played("b", answers)}
    [comparison] = compare_variants(
        variants, dataset, make_scorers(["exact"]), Rule(metric="exact"), baseline="a", candidates=["b"], home=home,
        effort=Effort(),
    )  # fmt: skip
    server = start(home)
    yield server, comparison.verdict.id
    server.process.kill()
    server.process.wait()


def test_hostile_text_is_answered_as_text_and_drawn_by_nothing(hostile: tuple[Server, str]) -> None:
    server, found = hostile
    sheet = get(server, f"comparisons/{found}/sheet")
    pairs = get(server, f"comparisons/{found}/pairs?outcome=worse")["items"]
    report = server.ask(f"/api/v1/comparisons/{found}/report.html")

    for drawing in (sheet["frontier"], sheet["latency"]):
        assert "<script" not in drawing["svg"]
        assert "onload" not in re.sub(r"&lt;.*?&gt;", "", drawing["svg"])
    assert "\u202e" not in json.dumps([sheet["said"], sheet["notes"], pairs], ensure_ascii=False)
    assert any("⟨RLO⟩" in piece["text"] for pair in pairs for piece in pair["candidate"]["pieces"])
    assert b"<script>alert" not in report.body
    assert "sandbox" in report.headers["content-security-policy"]
    assert text(server, f"comparisons/{found}/pairs.csv").count("'=HYPERLINK") > 10


def test_a_runs_errors_are_counted_by_kind_and_shown_alone(hostile: tuple[Server, str]) -> None:
    server, _ = hostile
    run = next(run for run in get(server, "runs")["items"] if run["variant"]["name"] == "b")
    errors = get(server, f"runs/{run['id']}/trials?which=errors")["items"]

    assert run["counts"]["failures"] == {"bad_answer": 14}
    assert len(errors) == run["counts"]["errors"] == 14
    assert {trial["error"]["kind"] for trial in errors} == {"bad_answer"}
    assert all(trial["scores"] == {} for trial in errors)


def test_an_undecided_comparison_is_run_on_as_many_more(server: Server) -> None:
    """From a dataset of the store to a verdict on twice as many: answers that are there are not asked again."""
    from boxscore.datasets.tickets import tickets

    rows = [
        {"id": f"t-{n}", "inputs": {"ticket": example.inputs["ticket"]}, "reference": example.reference}
        for n, ticket in enumerate(tickets(60, split="demo"))
        for example in [ticket.example(f"t-{n}")]
    ]
    post(server, "datasets", {"name": "tickets"})
    post(server, "datasets/tickets/versions", {"base": 0, "put": rows})
    messages = [{"role": "system", "content": "extract"}, {"role": "user", "content": "{{ ticket }}"}]
    side = {"provider": "tiny", "messages": messages}
    asked = {
        "dataset": "tickets", "limit": 30, "scorers": ["fields:mode=all"], "rule": {"margin": 0.05},
        "variants": {"old": {**side, "model": "tiny-1"}, "new": {**side, "model": "tiny-2"}},
    }  # fmt: skip
    first = ended(server, post(server, "comparisons", asked)["id"])
    again = get(server, f"comparisons/{first}/again")

    assert (again["dataset"], again["left"]) == ("tickets", 30)
    second = ended(server, post(server, "comparisons", {**again["asked"], "limit": 60})["id"])

    sheet = get(server, f"comparisons/{second}/sheet")
    assert sheet["size"] == "60 examples"
    assert get(server, f"comparisons/{second}/again")["left"] == 0
    runs = [run for run in get(server, "runs")["items"] if run["counts"]["asked"] == 60]
    assert [run["counts"]["reused"] for run in runs] == [30, 30]
    assert all(run["job"] for run in runs)


def post(server: Server, path: str, body: object) -> Any:
    answer = server.ask(f"/api/v1/{path}", json.dumps(body).encode(), JSON)
    assert answer.status < 300, answer.body[:500]
    return answer.json


def ended(server: Server, job: str) -> str:
    """The verdict of a job, once it has ended: its events tell."""
    told = server.ask(f"/api/v1/jobs/{job}/events").body.decode()
    found = json.loads(told.strip().rsplit("data: ", 1)[1])
    assert found["state"] == "done", found
    return found["result"]["verdicts"][0]["id"]
