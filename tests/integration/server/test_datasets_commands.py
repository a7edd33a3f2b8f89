"""`boxscore datasets` of a folder and of a server: the same words, and the same versions."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from boxscore.datasets import load_dataset
from boxscore.store.spans import SpanRow, SqliteSpans
from serving import Server

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["folder", "server"])
def run(request: pytest.FixtureRequest, tmp_path: Path, serve: Callable[..., Server]) -> Run:
    """A command over an empty folder that has five traces, or over a server of it."""
    home = tmp_path / "home"
    with SqliteSpans(home) as spans:
        made = [
            SpanRow(trace_id=bytes([n + 1]) * 16, span_id=b"12345678", name="answer", entry=True, start_ns=10**18 + n,
                    input_text=f"question {n % 4}", output_text="answer", session="s")
            for n in range(5)
        ]  # fmt: skip
        spans.put("default", made).result()
        spans.catch_up()
    environment = {"PATH": "/usr/bin:/bin", "BOXSCORE_HOME": str(home)}
    if request.param == "server":
        environment |= {"BOXSCORE_URL": serve(home=home).url, "BOXSCORE_HOME": str(tmp_path / "elsewhere")}

    def command(*arguments: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "boxscore", "datasets", *arguments]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == exit_code, done.stderr
        return done

    return command


def rows(path: Path, count: int, *, first: int = 0) -> str:
    lines = (
        {"id": f"e{n}", "inputs": {"q": f"question {n}"}, "slices": {"l": "de"}} for n in range(first, first + count)
    )
    path.write_text("\n".join(map(json.dumps, lines)))
    return str(path)


def test_a_dataset_goes_through_its_life(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    assert "No dataset is here" in run("list").stdout
    first = run("import", "d", rows(file, 30)).stdout
    assert first == f"d@1, {load_dataset(file).version}: 30 examples (30 added)\n"
    assert "holds this already: version 1" in run("import", "d", str(file)).stdout

    assert "31 examples (1 added)" in run("add", "d", rows(tmp_path / "more.jsonl", 1, first=30)).stdout
    assert "30 examples (1 removed)" in run("remove", "d", "e0", "--note", "wrong").stdout
    assert run("diff", "d", "1").stdout.splitlines()[0] == "d, version 1 to 3: 1 added, 1 removed"
    shown = run("show", "d", "--text", "QUESTION 30", "--where", "slices.l=de").stdout
    assert shown.splitlines()[0].startswith("30 examples in 1 slice; at this size a difference of")
    assert shown.splitlines()[-1] == "e30  question 30"
    assert "30 examples (1 added, 1 removed)" in run("restore", "d", "1").stdout
    told = json.loads(run("versions", "d", "--json").stdout)
    assert [(one["number"], one["added"], one["removed"]) for one in told] == [
        (4, 1, 1),
        (3, 0, 1),
        (2, 1, 0),
        (1, 30, 0),
    ]
    assert told[0]["version"] == told[3]["version"]

    run("archive", "d")
    assert "No dataset is here" in run("list").stdout
    assert "archived" in run("add", "d", str(file), exit_code=2).stderr
    run("archive", "d", "--back")
    run("delete", "d", "--yes")
    assert "no dataset d" in run("versions", "d", exit_code=2).stderr


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_what_is_exported_is_the_same_again(run: Run, tmp_path: Path, ending: str) -> None:
    file = tmp_path / "rows.jsonl"
    run("import", "d", rows(file, 12))

    run("export", "d@1", f"out.{ending}")

    assert load_dataset(tmp_path / f"out.{ending}").examples == load_dataset(file).examples
    assert run("export", "d", "-").stdout.splitlines() == [
        json.dumps(json.loads(line), separators=(",", ":")) for line in file.read_text().splitlines()
    ]


def test_traces_become_rows_once(run: Run) -> None:
    asked = ("add", "real", "--filter", "name=answer", "--reference", "output")
    assert run(*asked, "--look").stdout == (
        "5 spans: 4 rows, 4 with a reference; 1 left out that ask what is there already. Nothing was made.\n"
    )
    assert "real@1" in run(*asked).stdout
    assert "0 rows" in run("add", "real", "--trace", "01" * 16).stdout
    assert run("show", "real", "--json").stdout.count('"cluster": "s"') == 4
    assert "say what to add" in run("add", "real", exit_code=2).stderr


def test_what_is_wrong_is_said_by_line_and_by_name(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"inputs": {}}\n{"imputs": {}}')

    assert "bad.jsonl, line 2, field 'imputs'" in run("import", "d", str(bad), exit_code=2).stderr
    assert "is no name for a dataset" in run("import", "a.b", str(bad), exit_code=2).stderr
    assert "No command of datasets is called 'lst'" in run("lst", exit_code=2).stderr
    assert "No dataset is here" in run("list").stdout
