"""What runs and verdicts left, listed and counted, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from boxscore.datasets.example import Example
from boxscore.errors import UsageError
from boxscore.experiments.box_scores import BoxScores
from boxscore.experiments.comparing import compare_runs
from boxscore.experiments.history import History
from boxscore.experiments.journal import example_rows, load_run, run_row, score_rows
from boxscore.experiments.trial import Run, VariantInfo
from boxscore.experiments.verdict import Rule
from boxscore.scoring.scorer import Metric, Score
from boxscore.store.records import Records, ResponseRow, RunRow, ScoreRow, TrialRow, VariantRow, VerdictRow
from boxscore.store.records.backend import Database
from boxscore.store.records.results import Results

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EXAMPLES = tuple(Example(id=f"e{n}", inputs={"q": f"question {n}"}, reference="yes") for n in range(30))


def kept(records: Records, name: str, *, at: datetime, right: int, finished: bool = True, failed: int = 0) -> Run:
    """A run of 30 examples in the store: `right` answers, `failed` errors."""
    run = Run(
        id=f"{name}-{at:%H%M}",
        variant=VariantInfo(name=name, hash=f"hash-{name}", model=name),
        dataset_name="made",
        dataset_version="v1",
        examples=EXAMPLES,
        metrics=(Metric(name="right"),),
        trials=(),
        started_at=at,
        finished_at=None,
    )
    row: RunRow = run_row(run, plan_hash=name, repeats=1, fresh=False)
    variant = VariantRow(hash=run.variant.hash, kind="prompt", model=name, description_json="{}")
    records.start_run(row, variant, example_rows(EXAMPLES))
    writes: list[tuple[ResponseRow, TrialRow]] = []
    scores: list[ScoreRow] = []
    for n, example in enumerate(EXAMPLES[: 30 if finished else 10]):
        error = n < failed
        writes.append(
            (
                ResponseRow(
                    id=f"{run.id}-{n}", run_id=run.id, variant_hash=run.variant.hash, question_hash=f"{n}", draw=0,
                    recorded_at=at + timedelta(seconds=n), output="" if error else "yes", cost_usd=Decimal("0.1"),
                    latency_s=0.5, error_kind="timeout" if error else None, error_message="late" if error else None,
                ),
                TrialRow(run_id=run.id, example_id=example.id, repeat=0, response_id=f"{run.id}-{n}"),
            )
        )  # fmt: skip
        score: dict[str, Score] = {} if error else {"right": Score(value=float(n < right), label="read", note="note")}
        scores += score_rows(run.id, example.id, 0, score)
    save(records, writes, scores)
    if finished:
        records.finish_run(run.id, at + timedelta(minutes=1))
    return run


def save(records: Records, writes: list[tuple[ResponseRow, TrialRow]], scores: list[ScoreRow]) -> None:
    async def all_of_it() -> None:
        await asyncio.gather(*(records.save_response(*one) for one in writes))
        await records.save_scores(scores)

    asyncio.run(all_of_it())


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


def test_runs_are_listed_newest_first_page_by_page_each_once(records: Records) -> None:
    made = [kept(records, f"m{n}", at=NOW + timedelta(minutes=n // 2), right=3).id for n in range(5)]
    history = History(records)

    seen: list[str] = []
    cursor = None
    while True:
        page, cursor = history.runs(limit=2, cursor=cursor)
        seen += [run.id for run in page]
        if cursor is None:
            break

    assert sorted(seen) == sorted(made)
    assert len(set(seen)) == 5
    assert seen[0] == made[4]
    assert [run.id for run in history.runs(limit=9, dataset="made@v1", variant="m3")[0]] == [made[3]]
    assert history.runs(limit=9, dataset="made@v2")[0] == []
    assert history.runs(limit=9, dataset="others")[0] == []


def test_a_run_is_counted_over_its_rows_to_the_last_cent(records: Records) -> None:
    run = kept(records, "m", at=NOW, right=20, failed=2)

    results = Results(records.database, records.project)
    counts = results.counts([records.run(run.id)], now=NOW + timedelta(seconds=89))[run.id]

    assert (counts.asked, counts.trials, counts.errors, counts.reused) == (30, 30, 2, 0)
    assert counts.spent_usd == Decimal("3.0")
    assert counts.failures == {"timeout": 2}
    assert counts.latest == NOW + timedelta(seconds=29)
    assert counts.recent == 0
    again = results.counts([records.run(run.id)], now=NOW + timedelta(seconds=69))
    assert again[run.id].recent == 20


def test_an_unfinished_run_without_a_sign_of_life_has_stopped(records: Records) -> None:
    kept(records, "m", at=NOW, right=1, finished=False)

    [run] = History(records).runs(limit=5, unfinished=True)[0]

    assert run.state == "stopped"
    assert (run.counts.trials, run.counts.asked, run.left_s) == (10, 30, None)


def test_what_an_unfinished_run_has_not_asked_is_no_failure_of_it(records: Records) -> None:
    run = kept(records, "m", at=NOW, right=5, finished=False)

    detail = History(records).detail(run.id)

    assert detail.summary is not None
    assert detail.summary.metrics["right"].value == 0.5
    assert detail.summary.trials == 10


def test_trials_come_with_example_and_scores_in_the_order_of_the_dataset(records: Records) -> None:
    run = kept(records, "m", at=NOW, right=20, failed=2)
    history = History(records)

    first, cursor = history.trials(run.id, limit=12)
    rest, end = history.trials(run.id, limit=30, cursor=cursor)
    errors, _ = history.trials(run.id, limit=30, which="errors")

    assert [trial.position for trial in first + rest] == list(range(30))
    assert end is None
    assert first[2].question == "question 2"
    assert first[2].scores["right"].value == 1.0
    assert first[2].scores["right"].label == "read"
    assert [trial.error.kind for trial in errors if trial.error] == ["timeout", "timeout"]
    assert [trial.example_id for trial in history.trials(run.id, limit=9, example="e5")[0]] == ["e5"]
    assert history.trials(run.id, limit=9, which="reused")[0] == []


def test_of_each_variant_the_newest_run_is_in_the_matrix(records: Records) -> None:
    kept(records, "a", at=NOW, right=3)
    newest = kept(records, "a", at=NOW + timedelta(minutes=5), right=24)
    kept(records, "b", at=NOW, right=12)
    kept(records, "c", at=NOW, right=12, finished=False)
    history = History(records)

    [dataset] = history.datasets()
    matrix = history.matrix("made", "v1")

    assert (dataset.name, dataset.version, dataset.runs) == ("made", "v1", 3)
    assert {line.name: line.run for line in matrix.lines}["a"] == newest.id
    assert {line.name: line.cells[0].text for line in matrix.lines} == {"a": "80.0", "b": "40.0"}


def test_variants_are_those_of_the_project_alone(records: Records, database: Database) -> None:
    kept(records, "a", at=NOW, right=3)
    assert [one.hash for one in History(records).variants(limit=5)[0]] == ["hash-a"]
    assert History(records.of("another")).variants(limit=5)[0] == []
    assert History(records.of("another")).runs(limit=5)[0] == []
    assert History(records.of("another")).datasets() == []
    assert BoxScores(records.of("another")).entries(limit=5)[0] == []


def test_verdicts_are_filtered_by_what_their_runs_were_of(records: Records) -> None:
    old, new = kept(records, "a", at=NOW, right=3), kept(records, "b", at=NOW, right=27)
    verdict = compare_runs(load_run(records, old.id), load_run(records, new.id), Rule(metric="right")).verdict
    content = msgspec.json.encode(verdict).decode()
    records.save_verdict(
        VerdictRow(
            id=verdict.id,
            created_at=NOW,
            verdict="ship",
            baseline_run=old.id,
            candidate_run=new.id,
            content_json=content,
        )
    )
    scores = BoxScores(records)

    def found(**asked: str) -> list[str]:
        return [one.id for one in scores.entries(limit=5, **asked)[0]]  # type: ignore[arg-type]

    assert found(dataset="made") == found(dataset="made@v1") == [verdict.id]
    assert found(variant="hash-a") == found(variant="b") == [verdict.id]
    assert found(dataset="made@v2") == found(variant="c") == found(verdict="reject") == []
    assert scores.verdict(verdict.id) == content
    assert len(scores.pairs(verdict.id, limit=100, outcome="better")[0]) == 24


def test_what_is_no_cursor_is_the_askers_fault(records: Records) -> None:
    run = kept(records, "a", at=NOW, right=3)
    history = History(records)

    for ask in (
        lambda: history.runs(limit=1, cursor="x"),
        lambda: history.trials(run.id, limit=1, cursor="1.x"),
        lambda: BoxScores(records).entries(limit=1, cursor="~"),
    ):
        with pytest.raises(UsageError, match="no cursor"):
            ask()
