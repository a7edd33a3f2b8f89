"""`boxscore.compare` from Python: functions over rows, kept, reused, stopped early."""

import subprocess
import sys
from pathlib import Path

import pytest

import boxscore
from boxscore.errors import ScorerError, SpecError, UnknownNameError

ROWS = [{"inputs": {"n": n}, "reference": str(n * n)} for n in range(60)]


def square(n: int) -> str:
    return str(n * n)


ASKED: list[int] = []


def counting(n: int) -> str:
    ASKED.append(n)
    return str(n * n)


def sometimes(n: int) -> str:
    return str(n * n if n % 3 else n + 1)


def test_two_functions_get_a_verdict(tmp_path: Path) -> None:
    result = boxscore.compare(dataset=ROWS, baseline=sometimes, candidate=square, scorers=["exact"], home=tmp_path)

    assert result.verdict.verdict == "ship"
    assert result.verdict.comparisons[0].wins == 20
    assert "SHIP" in str(result)


@pytest.mark.parametrize(("fresh", "calls"), [(False, 60), (True, 120)])
def test_answers_are_not_asked_for_twice_unless_fresh(tmp_path: Path, fresh: bool, calls: int) -> None:
    ASKED.clear()

    for _ in range(2):
        boxscore.compare(
            dataset=ROWS, baseline=square, candidate=counting, scorers=["exact"], home=tmp_path, fresh=fresh
        )

    assert len(ASKED) == calls
    assert set(ASKED) == set(range(60))


def test_it_stops_early_when_the_answer_is_clear(tmp_path: Path) -> None:
    rows = [{"inputs": {"n": n}, "reference": str(n * n)} for n in range(400)]

    result = boxscore.compare(
        dataset=rows, baseline=sometimes, candidate=square, scorers=["exact"], home=tmp_path, stop_early=True
    )

    assert result.verdict.verdict == "ship"
    assert result.verdict.dataset.examples < 200
    assert result.verdict.dataset.total == 400
    assert "sequence" in result.verdict.comparisons[0].method


def test_it_does_not_stop_early_where_nothing_differs(tmp_path: Path) -> None:
    result = boxscore.compare(
        dataset=ROWS, baseline=square, candidate=square, scorers=["exact"], home=tmp_path, stop_early=True
    )

    assert result.verdict.verdict == "undecided"
    assert result.verdict.dataset.examples == 60


def test_stopping_early_is_for_one_question() -> None:
    with pytest.raises(SpecError, match="superiority"):
        boxscore.compare(
            dataset=ROWS,
            baseline=square,
            candidate=square,
            scorers=["exact"],
            rule="noninferiority",
            margin=0.1,
            stop_early=True,
        )


def test_an_error_of_the_application_is_a_row(tmp_path: Path) -> None:
    def failing(n: int) -> str:
        if n % 2:
            raise ValueError("no odd numbers")
        return str(n * n)

    verdict = boxscore.compare(
        dataset=ROWS, baseline=square, candidate=failing, scorers=["exact"], home=tmp_path
    ).verdict

    assert verdict.verdict == "reject"
    assert verdict.candidate.errors == 30


def test_a_scorer_of_your_own(tmp_path: Path) -> None:
    def even(output: str) -> bool:
        return int(output) % 2 == 0

    verdict = boxscore.compare(
        dataset=ROWS, baseline=square, candidate=lambda n: str(2 * n), scorers=[even], home=tmp_path
    ).verdict

    assert verdict.verdict == "ship"
    assert verdict.rule.metric == "even"


def test_a_scorer_that_raises_is_named_with_the_example(tmp_path: Path) -> None:
    def broken(output: str) -> bool:
        raise KeyError("x")

    with pytest.raises(ScorerError) as caught:
        boxscore.compare(dataset=ROWS, baseline=square, candidate=square, scorers=[broken], home=tmp_path)

    assert caught.value.example_id is not None


def test_what_is_missing_is_said() -> None:
    with pytest.raises(SpecError, match="candidate"):
        boxscore.compare(dataset=ROWS, baseline=square, scorers=["exact"])
    with pytest.raises(SpecError, match="dataset or recordings"):
        boxscore.compare(baseline=square, candidate=square, scorers=["exact"])
    with pytest.raises(UnknownNameError):
        boxscore.compare(dataset=ROWS, baseline=square, candidate=square, scorers=["exact"], metric="other")


def test_the_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    result = boxscore.compare(dataset=ROWS, baseline=sometimes, candidate=square, scorers=["exact"], home=tmp_path)

    path = result.save(tmp_path / "report.html")

    assert path.read_text().startswith("<!doctype html>")
    assert [entry.name for entry in tmp_path.iterdir() if "unfinished" in entry.name] == []


def test_importing_boxscore_loads_nothing_heavy() -> None:
    heavy = ("numpy", "aiohttp", "fastapi", "starlette", "uvicorn", "rich", "click", "genai_prices")
    code = f"import boxscore, sys; print([name for name in {heavy!r} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"


def test_every_public_name_is_there() -> None:
    assert all(getattr(boxscore, name) is not None for name in boxscore.__all__)
    with pytest.raises(AttributeError, match="nope"):
        boxscore.nope  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
