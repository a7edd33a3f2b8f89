"""A baseline file stands in the place of a run: the same verdict, half the calls, and nothing that a model wrote."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import boxscore
from boxscore.cli import main
from boxscore.errors import BoxscoreError, FileError, NothingToCompareError, SpecError
from boxscore.experiments.baseline import (
    Baseline,
    BaselineExample,
    BaselineTrial,
    read_baseline,
    stand,
    write_baseline,
)
from boxscore.experiments.compare import compare_spec
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.spec import load_spec

SCORER = "def good(output: str, reference: str) -> bool:\n    return output == reference\n"

FUNCTIONS = """
import pathlib

def _count():
    with pathlib.Path(__file__).with_name("calls.txt").open("a") as file:
        file.write("x")

def old(number: int) -> dict:
    _count()
    return {"output": "secret even", "cost_usd": 0.01, "usage": {"input_tokens": 7, "output_tokens": 3}}

def new(number: int) -> dict:
    _count()
    return {"output": "even" if number % 2 == 0 else "odd", "cost_usd": 0.02}
"""

SPEC = """
dataset: numbers.jsonl
variants:
  old: {python: "functions.py:old"}
  new: {python: "functions.py:new"}
scorers: [exact, "function:scorers.py:good", cost]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec over 40 numbers, and a baseline file of the variant `old`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
    write_numbers(tmp_path)
    for name, text in {"functions.py": FUNCTIONS, "scorers.py": SCORER, "boxscore.yaml": SPEC}.items():
        (tmp_path / name).write_text(text)
    assert run("run", "--variant", "old", "--write-baseline", "base.json") == 0
    return tmp_path


def write_numbers(folder: Path, size: int = 40, **changes: object) -> None:
    rows = [{"id": f"n{n}", "inputs": {"number": n}, "reference": "odd" if n % 2 else "even"} for n in range(size)]
    rows[0].update(changes)
    (folder / "numbers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert isinstance(left.value.code, int)
    return left.value.code


def against(project: Path, *candidates: str) -> Comparison:
    spec = load_spec(project / "boxscore.yaml").against_file(candidates)
    return compare_spec(spec, baseline_file=project / "base.json")[0]


def calls(project: Path) -> int:
    return len((project / "calls.txt").read_text())


def test_the_verdict_is_that_of_two_runs_and_only_the_candidate_is_asked(project: Path) -> None:
    before = calls(project)
    found = against(project).verdict
    paid = calls(project) - before
    both = compare_spec(load_spec(project / "boxscore.yaml"))[0].verdict

    assert paid == 40
    assert found.verdict == both.verdict == "ship"
    assert found.comparisons == both.comparisons
    assert found.cost == both.cost
    assert found.baseline.metrics == both.baseline.metrics
    assert (found.baseline.tokens_in, found.baseline.tokens_out) == (7, 3)


def test_the_file_holds_no_answer_and_one_line_an_example(project: Path) -> None:
    text = (project / "base.json").read_text()

    assert "secret" not in text
    assert sum('"asked"' in line for line in text.splitlines()) == 40
    assert text.index('"n10"') < text.index('"n2"'), "in the order of ids"


def test_the_answer_that_is_not_there_is_named_as_such(project: Path) -> None:
    (first, *_) = against(project).evidence.pairs

    assert first.baseline.output == "(not kept: a baseline file has scores and no answers)"
    assert first.candidate.output in ("even", "odd")


def test_the_same_run_gives_the_same_bytes(project: Path) -> None:
    before = (project / "base.json").read_bytes()
    again = run("run", "--variant", "old", "--write-baseline", "base.json")

    assert (again, (project / "base.json").read_bytes()) == (0, before)
    read = read_baseline(project / "base.json", again="")
    write_baseline(read, project / "copy.json")
    assert (project / "copy.json").read_bytes() == before


def test_an_example_that_is_new_or_changed_is_left_out_and_counted(project: Path) -> None:
    write_numbers(project, size=42, reference="even, of course")
    before = calls(project)

    verdict = against(project).verdict

    assert calls(project) - before == 39, "what cannot be paired is not paid for"
    assert (verdict.dataset.examples, verdict.dataset.total, verdict.dataset.unpaired) == (39, 42, 0)
    assert any(
        text.startswith("3 of 42 examples are left out: 2 are not in base.json, 1 changed since.")
        for text in verdict.warnings
    )


@pytest.mark.parametrize("change", [{"inputs": {"number": 100}}, {"reference": "x"}, {"metadata": {"k": 1}}])
def test_all_that_a_score_depends_on_is_watched(project: Path, change: dict[str, object]) -> None:
    write_numbers(project, **change)

    assert against(project).verdict.dataset.examples == 39


def test_a_cluster_or_a_slice_is_not_asked_and_changes_nothing(project: Path) -> None:
    write_numbers(project, cluster="c", slices={"s": "t"})

    assert against(project).verdict.dataset.examples == 40


def test_a_dataset_that_has_nothing_in_common_is_refused_with_the_way_out(project: Path) -> None:
    rows = ({"id": f"m{n}", "inputs": {"number": n}, "reference": "even"} for n in range(30))
    (project / "numbers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    with pytest.raises(NothingToCompareError, match=r"boxscore run \S+ --variant old --write-baseline \S+base.json"):
        against(project)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("scorers.py", SCORER + "# softer\n", "'function:scorers.py:good' changed since"),
        ("boxscore.yaml", SPEC.replace("exact,", "contains,"), "was not among its scorers"),
    ],
)
def test_another_scorer_is_refused_with_the_way_out(project: Path, name: str, text: str, sentence: str) -> None:
    (project / name).write_text(text)

    with pytest.raises(FileError, match=sentence) as raised:
        against(project)
    assert "--write-baseline" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<<<<<<< HEAD\n{}", "this is no baseline file"),
        (b"{}", "this is no baseline file"),
        (b"\xff\xfe", "this is no baseline file"),
        (None, "no baseline is here"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_way_out(project: Path, content: bytes | None, sentence: str) -> None:
    (project / "base.json").unlink()
    if content is not None:
        (project / "base.json").write_bytes(content)

    with pytest.raises(FileError, match=sentence) as raised:
        against(project)
    assert "--write-baseline" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scores": {"exact": 7.0}}, "'n0' has 7, and a rate is 0 or 1"),
        ({"cost_usd": Decimal("NaN")}, "'n0' has NaN dollars"),
        ({"cost_usd": Decimal(-1)}, "'n0' has -1 dollars"),
    ],
)
def test_values_that_cannot_be_are_refused_with_the_way_out(
    project: Path, change: dict[str, Any], sentence: str
) -> None:
    baseline = read_baseline(project / "base.json", again="")
    (trial,) = baseline.examples["n0"].trials
    example = msgspec.structs.replace(baseline.examples["n0"], trials=(msgspec.structs.replace(trial, **change),))
    examples = {**baseline.examples, "n0": example}
    write_baseline(msgspec.structs.replace(baseline, examples=examples), project / "base.json")

    with pytest.raises(FileError, match=sentence) as raised:
        against(project)
    assert "--write-baseline" in str(raised.value)


def test_a_file_of_a_later_form_is_refused(project: Path) -> None:
    later = msgspec.structs.replace(read_baseline(project / "base.json", again=""), boxscore_baseline=9)
    write_baseline(later, project / "base.json")

    with pytest.raises(FileError, match="its form is 9"):
        against(project)


def told(baseline: Baseline, project: Path, days: int) -> str:
    spec = load_spec(project / "boxscore.yaml")
    standing = stand(
        baseline,
        spec.read_dataset(),
        spec.scorers,
        path=project / "base.json",
        folder=spec.folder,
        again="",
        now=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=days),
        timed=True,
    )
    return standing.warnings[0]


@pytest.mark.parametrize(
    ("days", "words"), [(0, "answered today"), (1, "answered yesterday"), (30, "answered 2026-03-01, 30 days ago")]
)
def test_its_age_is_told(project: Path, days: int, words: str) -> None:
    baseline = msgspec.structs.replace(
        read_baseline(project / "base.json", again=""), answered_to=datetime(2026, 3, 1, tzinfo=UTC)
    )

    said = told(baseline, project, days)

    assert f"The baseline is old as base.json has it, {words}: it was not asked again" in said
    assert said.endswith("Its latency is of that day and that machine.")


def test_a_prompt_that_was_edited_in_place_is_compared_with_what_it_was(project: Path) -> None:
    """One variant in the spec, edited in a branch; the file has what it was."""
    (project / "functions.py").write_text(FUNCTIONS.replace('"secret even"', '"even"'))
    (project / "boxscore.yaml").write_text(SPEC.replace('  new: {python: "functions.py:new"}\n', ""))

    verdict = against(project).verdict

    assert (verdict.baseline.name, verdict.candidate.name) == ("old (base.json)", "old")
    assert verdict.verdict == "ship"


def test_what_did_not_change_is_said(project: Path) -> None:
    warnings = against(project, "old").verdict.warnings

    assert any(text.startswith("old is what base.json has, unchanged") for text in warnings)


def test_a_spec_that_has_moved_on_is_said(project: Path) -> None:
    (project / "functions.py").write_text(FUNCTIONS.replace("secret even", "another"))

    warnings = against(project).verdict.warnings

    assert any(text.startswith("old of the spec is another than in base.json") for text in warnings)


def test_stopping_early_needs_a_baseline_that_is_run(project: Path) -> None:
    (project / "boxscore.yaml").write_text(SPEC + "stop_early: true\n")

    with pytest.raises(SpecError, match="the baseline of a file is not run"):
        against(project)


def test_the_command_takes_it_and_refuses_two_baselines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", "--baseline-file", "base.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "ship"
    assert run("compare", "--baseline-file", "base.json", "--baseline", "old") == 2
    assert "there is one baseline" in capsys.readouterr().err


def test_python_takes_it_with_a_spec_and_only_so(project: Path) -> None:
    assert boxscore.compare("boxscore.yaml", baseline_file="base.json").verdict.baseline.name == "old"
    with pytest.raises(SpecError, match="belongs to a spec"):
        boxscore.compare(dataset="numbers.jsonl", baseline_file="base.json")


def test_a_verdict_shown_again_has_the_candidates_answers(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = against(project).verdict

    assert run("show", verdict.id, "--better", "--json") == 0
    pairs = json.loads(capsys.readouterr().out)
    assert [pair["example_id"] for pair in pairs] == list(verdict.improvements)
    assert pairs[0]["baseline"]["output"].startswith("(not kept")
    assert pairs[0]["candidate"]["output"] in ("even", "odd")


def test_every_refusal_is_of_the_one_tree(project: Path) -> None:
    (project / "base.json").write_text("[]")

    with pytest.raises(BoxscoreError):
        against(project)


def test_every_field_is_described() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "formats.md"
    _, _, section = page.read_text().partition("## Baseline files")

    fields = (*Baseline.__struct_fields__, *BaselineExample.__struct_fields__, *BaselineTrial.__struct_fields__)
    assert [name for name in fields if f"`{name}`" not in section] == []
