"""The pytest plug-in: without its flag it costs nothing, with it a test passes as its verdict does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import boxscore.experiments.compare  # pytester forgets what its inner runs import, and numpy refuses to come twice
import boxscore.store.records  # noqa: F401

pytest_plugins = ["pytester"]

FUNCTIONS = """
def right(number: int) -> dict:
    return {"output": "even" if number % 2 == 0 else "odd", "cost_usd": 0.01}

def even(number: int) -> dict:
    return {"output": "even", "cost_usd": 0.01}

def broken(number: int) -> str:
    raise RuntimeError("the index is gone")
"""

SPEC = """
dataset: numbers.jsonl
variants:
  even: {python: "functions.py:even"}
  right: {python: "functions.py:right"}
  broken: {python: "functions.py:broken"}
baseline: even
scorers: exact
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a dataset of 40 numbers and functions that say whether they are even."""
    monkeypatch.setenv("BOXSCORE_HOME", str(pytester.path / "home"))
    rows = ({"id": str(n), "inputs": {"number": n}, "reference": "odd" if n % 2 else "even"} for n in range(40))
    (pytester.path / "numbers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (pytester.path / "functions.py").write_text(FUNCTIONS)
    (pytester.path / "boxscore.yaml").write_text(SPEC)
    return pytester


def gate(project: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    project.makepyfile(test_gate=f"def test_gate(boxscore_gate):\n    {body}\n")
    return project.runpytest(*options)


def test_without_the_flag_a_gate_is_skipped_with_the_reason(project: pytest.Pytester) -> None:
    ran = gate(project, "boxscore_gate('boxscore.yaml')", "-rs")

    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines(["*may ask models and cost money*--boxscore*"])
    ran.stdout.no_fnmatch_line("*boxscore gates*")


def test_a_candidate_that_ships_passes_and_the_gate_gives_its_comparison(project: pytest.Pytester) -> None:
    ran = gate(
        project,
        "assert boxscore_gate('boxscore.yaml', candidate='right').verdict.candidate.name == 'right'",
        "--boxscore",
    )

    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(
        ["*boxscore gates*", "SHIP       right, +50.0 points exact (*), spent $*test_gate.py::test_gate*"]
    )


def test_a_candidate_that_is_rejected_fails_with_the_box_score_and_without_a_traceback(
    project: pytest.Pytester,
) -> None:
    ran = gate(project, "boxscore_gate('boxscore.yaml', baseline='right', candidate='even')", "--boxscore")

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["reject, and the gate asks for ship: even answers 50.0 points fewer right*", "REJECT *"])
    ran.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_undecided_fails_unless_it_is_accepted(project: pytest.Pytester) -> None:
    call = "boxscore_gate('boxscore.yaml', candidate='right', limit=10{})"

    strict = gate(project, call.format(""), "--boxscore")
    lenient = gate(project, call.format(", accept=('ship', 'undecided')"), "--boxscore")

    strict.assert_outcomes(failed=1)
    strict.stdout.fnmatch_lines(["undecided, and the gate asks for ship: 10 examples cannot decide*"])
    lenient.assert_outcomes(passed=1)
    lenient.stdout.fnmatch_lines(["UNDECIDED  right*"])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("'missing.yaml'", "*missing.yaml: there is no such file; looked for it at *"),
        ("'boxscore.yaml', candidate='rihgt'", "*No variant is called 'rihgt'*did you mean 'right'?"),
        ("'boxscore.yaml'", "*a gate has one candidate, and here are right, broken: name one."),
        (
            "'boxscore.yaml', candidate='right', baseline_file='base.json'",
            "*base.json: there is no such file; looked for it at *",
        ),
    ],
)
def test_what_cannot_be_compared_fails_with_one_sentence(project: pytest.Pytester, call: str, sentence: str) -> None:
    ran = gate(project, f"boxscore_gate({call})", "--boxscore")

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([f"boxscore could not compare: {sentence}"])
    ran.stdout.no_fnmatch_line("*Traceback*")


def test_a_comparison_from_python_is_held_to_the_same_gate(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_gate="""
        import boxscore
        from functions import even, right

        def test_gate(boxscore_gate):
            found = boxscore.compare(dataset="numbers.jsonl", baseline=right, candidate=even, scorers=["exact"])
            boxscore_gate(found)
        """
    )
    project.syspathinsert()

    ran = project.runpytest("--boxscore")

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["reject, and the gate asks for ship*"])


def test_a_spec_is_found_beside_the_test_before_the_root(project: pytest.Pytester) -> None:
    inner = project.mkdir("evals")
    for name in ("numbers.jsonl", "functions.py"):
        (inner / name).write_text((project.path / name).read_text())
    (inner / "boxscore.yaml").write_text(SPEC.replace("  right:", "  better:"))
    (inner / "test_inner.py").write_text(
        "def test_gate(boxscore_gate):\n    boxscore_gate('boxscore.yaml', candidate='better')\n"
    )

    project.runpytest("--boxscore").assert_outcomes(passed=1)


def test_gates_share_one_spend_cap(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_gate="""
        def test_first(boxscore_gate):
            boxscore_gate("boxscore.yaml", candidate="right")

        def test_second(boxscore_gate):
            boxscore_gate("boxscore.yaml", baseline="right", candidate="even", accept=("reject",))
        """
    )

    ran = project.runpytest("--boxscore", "--boxscore-fresh", "--boxscore-spend-cap", "1.0")

    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["boxscore could not compare: stopped at the spend cap*", "ERROR *spend cap*test_second*"])


@pytest.mark.parametrize("cap", ["0", "nan"])
def test_a_cap_that_is_none_is_refused_at_once(project: pytest.Pytester, cap: str) -> None:
    ran = gate(project, "pass", "--boxscore", "--boxscore-spend-cap", cap)

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([f"*--boxscore-spend-cap must be above 0 dollars, and is {cap}."])


def test_reports_are_written_for_every_gate(project: pytest.Pytester) -> None:
    ran = gate(
        project,
        "boxscore_gate('boxscore.yaml', baseline='right', candidate='even')",
        "--boxscore",
        "--boxscore-reports",
        "reports",
    )

    (report,) = (project.path / "reports").iterdir()
    assert report.name.startswith("test_gate.py-test_gate-")
    assert "points fewer right" in report.read_text(encoding="utf-8")
    ran.stdout.fnmatch_lines([f"report: reports/{report.name}"])


def test_what_was_spent_is_not_told_where_it_is_not_known(project: pytest.Pytester) -> None:
    (project.path / "functions.py").write_text(FUNCTIONS.replace(', "cost_usd": 0.01', ""))

    ran = gate(project, "boxscore_gate('boxscore.yaml', candidate='right')", "--boxscore")

    ran.stdout.fnmatch_lines(["SHIP       right, +50.0 points exact (*)  [[]*"])
    ran.stdout.no_fnmatch_line("SHIP *spent*")


def test_the_summary_comes_back_from_the_workers_of_xdist_and_into_junit(project: pytest.Pytester) -> None:
    ran = gate(project, "boxscore_gate('boxscore.yaml', candidate='right')", "--boxscore", "-n1", "--junitxml=j.xml")

    ran.stdout.fnmatch_lines(["SHIP       right*"])
    assert 'name="boxscore" value="SHIP' in (project.path / "j.xml").read_text(encoding="utf-8")


def test_a_run_without_gates_loads_nothing_of_weight(tmp_path: Path) -> None:
    test = tmp_path / "test_plain.py"
    test.write_text(
        "import sys\n\n\ndef test_plain():\n"
        "    heavy = {'numpy', 'aiohttp', 'msgspec', 'yaml', 'click', 'boxscore.experiments'}\n"
        "    assert 'boxscore.pytest_plugin' in sys.modules\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", str(test)]

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert ran.returncode == 0, ran.stdout
