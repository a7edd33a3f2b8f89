"""Wrong input to the real command: one clear sentence on standard error, exit 2, no output, no file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROWS = [{"case_id": str(n), "model": m, "output": f"{n}", "reference": f"{n}"} for n in range(30) for m in ("a", "b")]
SIDES = ("--baseline", "a", "--candidate", "b")


@pytest.fixture
def boxscore(tmp_path: Path) -> Run:
    """The installed command, in an empty folder."""

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BOXSCORE_")}
        return subprocess.run(
            [sys.executable, "-m", "boxscore", *map(str, arguments)],
            cwd=tmp_path,
            env={**environment, "BOXSCORE_NO_BROWSER": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def recordings(tmp_path: Path) -> Callable[..., Path]:
    """A recordings file of the given rows, or of good ones."""

    def write(rows: list[dict[str, object]] | None = None) -> Path:
        path = tmp_path / "answers.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in (ROWS if rows is None else rows)))
        return path

    return write


def refused(result: "subprocess.CompletedProcess[str]", *said: str) -> None:
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for part in said:
        assert part in result.stderr, result.stderr


def compare(boxscore: Run, path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    scorer = () if "--scorer" in more else ("--scorer", "exact")
    sides = () if "--baseline" in more else SIDES
    return boxscore("compare", "--recordings", path, *sides, *scorer, *more)


def test_a_good_file_gives_a_verdict(boxscore: Run, recordings: Callable[..., Path]) -> None:
    assert compare(boxscore, recordings()).returncode == 3


def test_an_unknown_scorer_names_the_nearest(boxscore: Run, recordings: Callable[..., Path]) -> None:
    refused(compare(boxscore, recordings(), "--scorer", "exakt"), "exakt", "did you mean 'exact'")


def test_an_unknown_model_names_the_nearest(boxscore: Run, recordings: Callable[..., Path]) -> None:
    rows = [{**row, "model": f"model-{row['model']}"} for row in ROWS]

    result = compare(boxscore, recordings(rows), "--baseline", "model-a", "--candidate", "modle-b")

    refused(result, "modle-b", "did you mean 'model-b'")


def test_a_missing_file(boxscore: Run, tmp_path: Path) -> None:
    refused(compare(boxscore, tmp_path / "nowhere.jsonl"), "nowhere.jsonl")


def test_a_missing_spec_says_how_to_make_one(boxscore: Run) -> None:
    refused(boxscore("compare"), "boxscore.yaml", "boxscore init")


def test_a_missing_reference(boxscore: Run, recordings: Callable[..., Path]) -> None:
    rows = [{key: value for key, value in row.items() if key != "reference"} for row in ROWS]

    refused(compare(boxscore, recordings(rows)), "exact", "reference", "'0'")


def test_an_answer_recorded_twice(boxscore: Run, recordings: Callable[..., Path]) -> None:
    refused(compare(boxscore, recordings([*ROWS, ROWS[0]])), "line 61", "line 1")


def test_an_empty_file(boxscore: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()

    refused(compare(boxscore, tmp_path / "empty.jsonl"), "empty.jsonl")


def test_a_binary_file(boxscore: Run, tmp_path: Path) -> None:
    (tmp_path / "picture.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(range(256)))

    refused(compare(boxscore, tmp_path / "picture.jsonl"), "picture.jsonl")


def test_a_line_of_200_megabytes_is_refused_in_little_memory(boxscore: Run, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"case_id": "1", "model": "a", "output": "')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n')

    refused(compare(boxscore, path), "long.jsonl", "line 1")


def test_broken_json_names_its_line(boxscore: Run, recordings: Callable[..., Path]) -> None:
    path = recordings()
    path.write_text(path.read_text() + '{"case_id": \n')

    refused(compare(boxscore, path), "line 61")


def test_a_wrong_type_names_line_and_field(boxscore: Run, recordings: Callable[..., Path]) -> None:
    refused(compare(boxscore, recordings([*ROWS, {**ROWS[0], "latency_s": "fast"}])), "line 61", "latency_s")


def test_scores_that_are_no_numbers(boxscore: Run, recordings: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def odd(output):\n    return float('nan')\n")

    refused(compare(boxscore, recordings(), "--scorer", "function:mine.py:odd"), "odd", "nan")


def test_models_without_a_common_case(boxscore: Run, recordings: Callable[..., Path]) -> None:
    rows = [row if row["model"] == "a" else {**row, "case_id": f"x{row['case_id']}"} for row in ROWS]

    refused(compare(boxscore, recordings(rows)), "no example id is common")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rule", "superior"), "superiority"),
        (("--rule", "noninferiority"), "margin"),
        (("--rule", "value"), "usd_per_success"),
        (("--margin", "2"), "0.02"),
        (("--guard", "cost_per_1k_usd"), "--guard"),
        (("--guard", "exakt=0.1"), "exact"),
        (("--slice", "nope"), "nope"),
        (("--metric", "other"), "other"),
        (("--usd-per-success", "1"), "price"),
        (("--guard", "cost_per_1k_usd=1"), "price"),
    ],
)
def test_a_rule_that_cannot_be(
    boxscore: Run, recordings: Callable[..., Path], options: tuple[str, ...], said: str
) -> None:
    refused(compare(boxscore, recordings(), *options), said)


def test_an_unknown_price_is_no_trouble_where_nothing_needs_it(boxscore: Run, recordings: Callable[..., Path]) -> None:
    result = compare(boxscore, recordings())

    assert result.returncode == 3
    assert "Not recorded: cost" in result.stdout


SPEC = """
dataset: rows.jsonl
variants:
  old: {provider: tiny, model: tiny-1, prompt: "{{ text }}"}
  new: {provider: tiny, model: tiny-2, prompt: "{{ text }}"}
scorers: [exact]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    rows = [{"id": str(n), "inputs": {"text": "hello"}, "reference": "x"} for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "boxscore.yaml"
    path.write_text(SPEC)
    return path


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{{ text }}", "{{ txet }}", ("txet", "text")),
        ("scorers: [exact]", "scorers: [exact]\nscorer: exact", ("scorer", "did you mean 'scorers'")),
        ("provider: tiny, model: tiny-2", "provider: tiny, modle: tiny-2", ("modle", "model")),
        ("provider: tiny, model: tiny-2", "provider: tinny, model: tiny-2", ("tinny", "tiny")),
        ("model: tiny-2", "model: tiny-22", ("tiny-22", "did you mean 'tiny-2'")),
        ("dataset: rows.jsonl", "dataset: cols.jsonl", ("cols.jsonl",)),
        ("scorers: [exact]", "scorers: [exact]\nrule: {kind: value, usd_per_success: 1, margin: 1}", ("margin",)),
    ],
)
def test_a_spec_with_a_mistake_runs_nothing(
    boxscore: Run, spec: Path, tmp_path: Path, before: str, after: str, said: tuple[str, ...]
) -> None:
    assert before in SPEC
    spec.write_text(SPEC.replace(before, after))

    refused(boxscore("compare"), *said)

    assert not (tmp_path / ".boxscore").exists()


def test_duplicate_ids_in_a_dataset(boxscore: Run, spec: Path, tmp_path: Path) -> None:
    row = json.dumps({"id": "1", "inputs": {"text": "hello"}, "reference": "x"})
    (tmp_path / "rows.jsonl").write_text(f"{row}\n{row}\n")

    refused(boxscore("compare"), "'1'", "line 2", "line 1")
    assert not (tmp_path / ".boxscore").exists()


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("rule: {usd_per_success: 0.1}", "value rule"),
        ("rule: {guards: [{metric: cost_per_1k_usd, margin: 1}]}", "guard"),
        ("spend_cap_usd: 1", "spend cap"),
    ],
)
def test_an_unknown_price_is_refused_before_the_first_call(
    boxscore: Run, spec: Path, tmp_path: Path, needs: str, said: str
) -> None:
    mine = "provider: mine, base_url: http://127.0.0.1:9/v1, model: nobody-knows"
    spec.write_text(SPEC.replace("provider: tiny, model: tiny-2", mine) + needs + "\n")

    refused(boxscore("compare"), "nobody-knows", said, "price")

    assert not (tmp_path / ".boxscore").exists()


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_run(
    boxscore: Run, spec: Path, tmp_path: Path
) -> None:
    refused(boxscore("compare", "--report", "nowhere/report.html"), "nowhere/report.html", "no such folder")

    assert not (tmp_path / ".boxscore").exists()


def test_a_plan_counts_clusters_not_examples(boxscore: Run, recordings: Callable[..., Path]) -> None:
    alone = [{**row, "case_id": f"{n}-{row['case_id']}"} for n in range(7) for row in ROWS]
    clustered = [{**row, "cluster": str(row["case_id"]).partition("-")[2]} for row in alone]

    plans = [
        json.loads(compare(boxscore, recordings(rows), "--plan", "--json").stdout)["lines"][2]["detectable"]
        for rows in (alone, clustered)
    ]

    assert plans[1] > 1.5 * plans[0]
