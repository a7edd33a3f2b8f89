"""Jobs on the command line, of a server and of a folder."""

import json
import os
import subprocess
import sys

import pytest

import serving
from boxscore.testing import FakeServer

SPEC = """
dataset: rows.jsonl
variants:
  a: {provider: shop, model: m, prompt: "a {{ n }}", usd_per_mtok: 1}
  b: {provider: shop, model: m, prompt_file: b.txt, usd_per_mtok: 1}
scorers: exact
concurrency: 4
"""


def said(body):
    question = body["messages"][0]["content"]
    return {
        "model": "m",
        "choices": [{"message": {"content": question}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    }


@pytest.fixture
def provider():
    with FakeServer(said, latency_s=0.005) as server:
        yield server


@pytest.fixture
def server(tmp_path, provider):
    server = serving.start(tmp_path / "home", environment={"BOXSCORE_PROVIDERS": f"shop={provider.base_url}"})
    yield server
    assert server.stop() == 0


@pytest.fixture
def folder(tmp_path):
    rows = [{"id": str(n), "inputs": {"n": n}, "reference": f"b {n}"} for n in range(30)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "b.txt").write_text("b {{ n }}")
    (tmp_path / "boxscore.yaml").write_text(SPEC)
    return tmp_path


def command(folder, *arguments, **environment):
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE_")}
    return subprocess.run(
        [sys.executable, "-m", "boxscore", *arguments],
        cwd=folder,
        env=own | {"BOXSCORE_HOME": str(folder / "home"), "COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("by_url", [False, True])
def test_a_server_does_the_comparison_of_a_spec_file(server, folder, by_url):
    environment = {"BOXSCORE_URL": server.url, "BOXSCORE_HOME": str(folder / "other")} if by_url else {}
    done = command(folder, "compare", "--server", **environment)
    assert done.returncode == 0, done.stderr
    assert "ship" in done.stdout.lower()
    assert "exact" in done.stdout

    listed = json.loads(command(folder, "jobs", "list", "--json", **environment).stdout)
    assert [(job["kind"], job["state"]) for job in listed] == [("comparison", "done")]
    told = command(folder, "jobs", "show", **environment).stdout
    assert "a: 30 of 30" in told
    assert "ship: " in told
    followed = command(folder, "jobs", "tail", listed[0]["id"], **environment)
    assert (followed.returncode, followed.stdout) == (0, told)
    assert "comparison  done   60 of 60" in command(folder, "jobs", "list", **environment).stdout


def test_a_server_does_a_run(server, folder):
    there = json.loads(command(folder, "run", "--server", "--variant", "b", "--limit", "20", "--json").stdout)
    told = command(folder, "run", "--server", "--variant", "b").stdout
    refused = command(folder, "run", "--server", "--write-baseline", "base.json")

    assert (there["variant"]["name"], there["variant"]["trials"], there["variant"]["metrics"]["exact"]["value"]) == (
        "b",
        20,
        1.0,
    )
    assert told.startswith("b on ")
    assert "n = 30" in told
    assert refused.returncode == 2
    assert "without --server" in refused.stderr


def test_options_of_the_command_line_go_with_the_spec(server, folder):
    options = ["--limit", "10", "--spend-cap", "1", "--rule", "noninferiority", "--margin", "0.1", "--seed", "7"]
    found = command(folder, "compare", "--server", "--json", *options)
    verdict = json.loads(found.stdout)
    assert (verdict["dataset"]["examples"], verdict["rule"]["kind"], verdict["rule"]["margin"]) == (
        10,
        "noninferiority",
        0.1,
    )
    assert verdict["provenance"]["seed"] == 7
    planned = command(folder, "compare", "--server", "--plan", "--fresh")
    assert "60 calls to make, about $" in planned.stdout
    assert "the cap is $10" in planned.stdout


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("provider: shop, model: m, prompt:", "python: app.py:f, prompt:", "python"),
        ("prompt_file: b.txt", "prompt: x, base_url: http://127.0.0.1", "base_url"),
        ("scorers: exact", "scorers: function:os:system", "sent to a server"),
        ("scorers: exact", "scorers: exact\nprices: p.yaml", "prices"),
    ],
)
def test_what_a_server_does_not_take_is_said_with_where_it_is(server, folder, was, now, words):
    (folder / "boxscore.yaml").write_text(SPEC.replace(was, now, 1))
    refused = command(folder, "compare", "--server")
    assert refused.returncode == 2, refused.stdout
    assert words in refused.stderr


def test_a_job_that_failed_is_said_shown_and_tried_again(server, folder, provider):
    failed = command(folder, "compare", "--server", "--spend-cap", "0.00001", "--concurrency", "1")
    assert failed.returncode == 4
    assert "spend cap" in failed.stderr
    assert command(folder, "jobs", "tail").returncode == 4
    job = json.loads(command(folder, "jobs", "show", "--json").stdout)
    assert (job["state"], job["error"]["code"]) == ("failed", "spend_cap")
    assert "is waiting" in command(folder, "jobs", "retry", job["id"]).stdout
    assert "is done" not in command(folder, "jobs", "cancel", job["id"]).stdout


def test_without_a_server_the_jobs_of_the_folder_are_told_and_none_can_be_asked_for(folder):
    assert "No job is here" in command(folder, "jobs", "list").stdout
    nobody = command(folder, "compare", "--server")
    assert nobody.returncode == 4
    assert "boxscore serve" in nobody.stderr
    assert command(folder, "jobs", "show", "x").returncode == 2
