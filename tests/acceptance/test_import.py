"""`boxscore import`, and the command that it prints, with the real command line and without a network."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxscore.testing import FakeServer

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COUNTRIES = [f"Land {number}" for number in range(40)]


@pytest.fixture
def boxscore(tmp_path: Path) -> Run:
    """The installed command, in an empty folder, without keys or settings of the caller."""

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("BOXSCORE_", "OPENAI_"))}
        return subprocess.run(
            [sys.executable, "-m", "boxscore", *map(str, arguments)],
            cwd=tmp_path,
            env={**kept, "BOXSCORE_NO_BROWSER": "1", "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def printed_command(result: "subprocess.CompletedProcess[str]") -> list[str]:
    """What `Now run:` says, without the name of the command."""
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("Now run: ")]
    name, *arguments = shlex.split(line.removeprefix("Now run: "))
    assert name == "boxscore"
    return arguments


def promptfoo(url: str) -> dict[str, Any]:
    """A configuration whose two models are on this machine."""
    return {
        "prompts": ["Capital of {{country}}?"],
        "providers": [
            {"id": f"openai:{model}", "config": {"apiBaseUrl": url, "temperature": 0}} for model in ("small", "large")
        ],
        "defaultTest": {"assert": [{"type": "contains", "value": "Capital {{country}}"}]},
        "tests": [
            {"vars": {"country": COUNTRIES[:20]}},
            {"vars": {"country": COUNTRIES[20:]}, "assert": [{"type": "not-icontains", "value": "sorry"}]},
        ],
    }


def answer(body: dict[str, Any]) -> str:
    """The large model knows; the small one does not."""
    country = body["messages"][-1]["content"].removeprefix("Capital of ").removesuffix("?")
    return f"Capital {country}" if body["model"] == "large" else "Sorry."


def test_a_promptfoo_configuration_runs_by_the_command_that_is_printed(boxscore: Run, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        (tmp_path / "promptfooconfig.yaml").write_text(yaml.safe_dump(promptfoo(server.base_url)))
        imported = boxscore("import", "promptfooconfig.yaml")
        compared = boxscore(*printed_command(imported), "--json")

        assert compared.returncode == 0, compared.stderr
        verdict = json.loads(compared.stdout)
    assert (verdict["verdict"], verdict["baseline"]["name"], verdict["candidate"]["name"]) == ("ship", "small", "large")
    assert verdict["candidate"]["metrics"]["checks"]["value"] == 1.0
    assert server.bodies[0]["temperature"] == 0


def test_promptfoo_results_compare_by_the_command_that_is_printed(boxscore: Run, tmp_path: Path) -> None:
    def result(country: str, model: str) -> dict[str, Any]:
        right = model == "large"
        return {
            "provider": {"id": f"openai:{model}"},
            "prompt": {"raw": f"Capital of {country}?", "label": "Capital of {{country}}?"},
            "vars": {"country": country},
            "testCase": {"vars": {"country": country}, "assert": [{"type": "icontains", "value": country}]},
            "response": {"output": f"Capital {country}" if right else "Sorry."},
            "success": right,
            "latencyMs": 100,
        }

    found = [result(country, model) for country in COUNTRIES for model in ("small", "large")]
    (tmp_path / "results.json").write_text(json.dumps({"results": {"version": 3, "results": found}, "config": {}}))

    imported = boxscore("import", "results.json", "--out", "my evals")
    compared = boxscore(*printed_command(imported), "--json")

    assert compared.returncode == 0, compared.stderr
    verdict = json.loads(compared.stdout)
    assert [verdict[side]["metrics"]["contains"]["value"] for side in ("baseline", "candidate")] == [0.0, 1.0]


def test_rows_without_a_model_are_planned_by_the_command_that_is_printed(boxscore: Run, tmp_path: Path) -> None:
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(30)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    imported = boxscore("import", "rows.jsonl")
    planned = boxscore(*printed_command(imported))

    assert "guess: 'question' is what is asked, and 'answer' is what is right." in imported.stdout
    assert planned.returncode == 0, planned.stderr
    assert "30 examples" in planned.stdout


def test_json_says_the_same_as_the_table(boxscore: Run, tmp_path: Path) -> None:
    (tmp_path / "promptfooconfig.yaml").write_text(yaml.safe_dump({**promptfoo("http://127.0.0.1:1/v1"), "hue": "red"}))

    report = json.loads(boxscore("import", "promptfooconfig.yaml", "--json").stdout)

    assert report["source"] == "promptfoo"
    assert report["carried"] == {"variants": 2, "scorers": 1, "examples": 40, "checks of examples": 60}
    assert report["not_carried"] == [
        {
            "place": "hue",
            "reason": "not known to this import",
            "remedy": None,
            "count": 1,
            "line": report["not_carried"][0]["line"],
        }
    ]
    assert report["next"] == ["boxscore compare evals/boxscore.yaml"]
    assert report["files"] == ["evals/boxscore.yaml", "evals/dataset.jsonl"]


@pytest.mark.parametrize(
    ("name", "text", "arguments", "said"),
    [
        ("a.yaml", "prompts: [", (), "no YAML"),
        ("a.yaml", "colour: red", (), "--from"),
        ("a.jsonl", '{"x": 1}\n', (), "--input FIELD"),
        ("a.jsonl", '{"question": "q"\n', (), "no JSON"),
        ("a.eval", "no archive", (), "no log that can be read"),
        ("a.json", "{}", ("--from", "inspect"), "no log of Inspect"),
        ("a.csv", "question,answer\nq,a\n", (), "no import is needed"),
        ("a.jsonl", '{"id": 1, "question": "q"}\n{"id": 1, "question": "r"}\n', (), "every row needs an id of its own"),
        ("a.yaml", "prompts: [a]\ntests: [file://../nowhere.csv]\n", (), "nothing in it can be carried"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    boxscore: Run, tmp_path: Path, name: str, text: str, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / name).write_text(text)

    refused = boxscore("import", name, *arguments)

    assert refused.returncode == 2, refused.stderr
    assert said in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_files_that_are_there_are_kept_unless_forced(boxscore: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"question": "q", "answer": "a"}\n')
    assert boxscore("import", "rows.jsonl").returncode == 0
    (tmp_path / "evals" / "boxscore.yaml").write_text("mine")

    assert boxscore("import", "rows.jsonl").returncode == 2
    assert (tmp_path / "evals" / "boxscore.yaml").read_text() == "mine"
    assert boxscore("import", "rows.jsonl", "--force").returncode == 0
