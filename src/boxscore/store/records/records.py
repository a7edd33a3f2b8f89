"""The records store's narrow interface: what goes in, what comes out, nothing decided."""

# ruff: noqa: S608 - what is put into statements is our own words; what is given is bound

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TypeVar, cast

import msgspec

from boxscore.errors import UnknownNameError
from boxscore.store.records.backend import Database, Lock, Write
from boxscore.store.records.rows import (
    Cell,
    ExampleRow,
    ResponseRow,
    RunRow,
    ScoreRow,
    Totals,
    TrialRow,
    VariantRow,
    VerdictRow,
    cells,
    rows,
    time_cell,
)
from boxscore.store.records.schema import DEFAULT_PROJECT
from boxscore.store.records.sqlite import SqliteDatabase

Row = TypeVar("Row", bound=msgspec.Struct)


def _columns(kind: type[msgspec.Struct], table: str | None = None) -> str:
    return ", ".join(name if table is None else f"{table}.{name}" for name in kind.__struct_fields__)


_ADD_VARIANT = f"INSERT INTO variants (project_id, {_columns(VariantRow)}) VALUES {{}} ON CONFLICT DO NOTHING"
_ADD_EXAMPLE = "INSERT INTO examples (project_id, hash, content_json) VALUES {} ON CONFLICT DO NOTHING"
_ADD_RUN = f"INSERT INTO runs (project_id, {_columns(RunRow)}) VALUES {{}}"
_ADD_RUN_EXAMPLE = (
    "INSERT INTO run_examples (project_id, run_id, position, example_id, example_hash, question_hash) VALUES {}"
)
_ADD_RESPONSE = f"INSERT INTO responses (project_id, {_columns(ResponseRow)}) VALUES {{}}"
_PUT_TRIAL = (
    f"INSERT INTO trials ({_columns(TrialRow)}) VALUES {{}} "
    "ON CONFLICT (run_id, example_id, repeat) DO UPDATE SET response_id = excluded.response_id"
)
_PUT_SCORE = (
    f"INSERT INTO scores ({_columns(ScoreRow)}) VALUES {{}} ON CONFLICT (run_id, example_id, repeat, metric) "
    "DO UPDATE SET value = excluded.value, label = excluded.label, note = excluded.note"
)
_FINISH_RUN = "UPDATE runs SET finished_at = given.column2 FROM (VALUES {}) AS given WHERE id = given.column1"
_PUT_VERDICT = (
    f"INSERT INTO verdicts (project_id, {_columns(VerdictRow)}) VALUES {{}} ON CONFLICT (id) DO UPDATE SET "
    "created_at = excluded.created_at, verdict = excluded.verdict, baseline_run = excluded.baseline_run, "
    "candidate_run = excluded.candidate_run, content_json = excluded.content_json"
)


def open_database(home: Path, url: str | None = None) -> Database:
    """The database at `url`, without one that in the folder `home`."""
    if url is None:
        return SqliteDatabase(home)
    from boxscore.store.records.postgres import PostgresDatabase

    return PostgresDatabase(url)


_OURS = "EXISTS (SELECT 1 FROM runs WHERE runs.id = {table}.run_id AND runs.project_id = ?)"
"""Ids alone open nothing: a run is asked for with its project."""


class Records:
    """One project's records. Safe to use from threads and event loops; two processes may write. With the id of a `job`
    the runs that are begun are that job's, and those that are resumed.

    Every write returns after its commit is on disk. Failures are `boxscore.errors.StoreError`. Close it, or use it
    as a context manager.
    """

    def __init__(self, database: Database, *, project: str = DEFAULT_PROJECT, job: str | None = None) -> None:
        self.database = database
        self.project = project
        self.job = job

    @classmethod
    def open(cls, home: Path, url: str | None = None, *, project: str = DEFAULT_PROJECT) -> "Records":
        """Opens the store in the folder `home`, or in the PostgreSQL database at `url` (`Settings.records_url`); makes
        it where there is none, migrates it where it is older."""
        return cls(open_database(home, url), project=project)

    def of(self, project: str) -> "Records":
        """Another project's, in the same database, which `close` closes for all."""
        return Records(self.database, project=project)

    def close(self) -> None:
        """Waits for what is being written, then lets go of the database."""
        self.database.close()

    def __enter__(self) -> "Records":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Runs

    def start_run(self, run: RunRow, variant: VariantRow, examples: Sequence[ExampleRow]) -> None:
        """Writes the run, its variant and its examples; all or nothing."""
        project = self.project
        asked = [(project, run.id, row.position, row.example_id, row.hash, row.question_hash) for row in examples]
        self.database.submit(
            [
                Write(0, _ADD_VARIANT, [(project, *cells(variant))]),
                Write(0, _ADD_EXAMPLE, [(project, row.hash, row.content_json) for row in examples]),
                Write(1, _ADD_RUN, [(project, *cells(run))]),
                Write(2, _ADD_RUN_EXAMPLE, asked),
            ]
        ).result()

    def finish_run(self, run_id: str, at: datetime) -> None:
        self.database.submit([Write(9, _FINISH_RUN, [(run_id, time_cell(at))])]).result()

    def lock_run(self, run_id: str) -> Lock | None:
        """The lock of the one process that works on this run, None when another has it; free when that dies."""
        return self.database.lock(run_id)

    def runs_of_plan(
        self, plan_hash: str, *, finished: bool = True, active_since: datetime | None = None
    ) -> list[RunRow]:
        """Runs of this plan that were begun for the same job, or for none, the newest first: all, or without the
        `finished` ones; only those with a sign of life at or after `active_since` (None: any)."""
        active = (
            "AND coalesce((SELECT max(recorded_at) FROM responses WHERE run_id = runs.id), started_at) >= ?"
            if active_since is not None
            else ""
        )
        return self._found(
            RunRow,
            f"SELECT {_columns(RunRow)} FROM runs WHERE project_id = ? AND plan_hash = ? "
            f"AND job_id IS NOT DISTINCT FROM ? {'' if finished else 'AND finished_at IS NULL'} {active} "
            "ORDER BY started_at DESC, id DESC",
            self.project,
            plan_hash,
            self.job,
            *(() if active_since is None else (time_cell(active_since),)),
        )

    def run(self, run_id: str) -> RunRow:
        """The run of that id; `UnknownNameError` where there is none."""
        asked = f"SELECT {_columns(RunRow)} FROM runs WHERE project_id = ? AND id = ?"
        for found in self._found(RunRow, asked, self.project, run_id):
            return found
        raise UnknownNameError("run", run_id, [row.id for row in self.runs()])

    def runs(self, *, limit: int = 100) -> list[RunRow]:
        """The newest runs first."""
        asked = f"SELECT {_columns(RunRow)} FROM runs WHERE project_id = ? ORDER BY started_at DESC, id DESC LIMIT ?"
        return self._found(RunRow, asked, self.project, limit)

    def runs_of_job(self) -> list[RunRow]:
        """The runs that were begun for this job, the first first."""
        asked = f"SELECT {_columns(RunRow)} FROM runs WHERE project_id = ? AND job_id = ? ORDER BY started_at, id"
        return self._found(RunRow, asked, self.project, self.job)

    def run_examples(self, run_id: str) -> list[ExampleRow]:
        """The examples that the run asks, in order."""
        return self._found(
            ExampleRow,
            "SELECT position, example_id, hash, question_hash, content_json FROM run_examples AS asked "
            "JOIN examples ON examples.project_id = asked.project_id AND hash = example_hash "
            "WHERE run_id = ? AND asked.project_id = ? ORDER BY position",
            run_id,
            self.project,
        )

    # Trials, responses, scores

    async def save_response(self, response: ResponseRow, trial: TrialRow) -> None:
        """Keeps what came back and the trial that it answers. Returns after the commit: only then may it be scored."""
        await self.database.submit_async(
            [Write(3, _ADD_RESPONSE, [(self.project, *cells(response))]), Write(4, _PUT_TRIAL, [cells(trial)])]
        )

    async def save_trials(self, trials: Sequence[TrialRow]) -> None:
        """Trials whose responses are there already; a trial that has one takes the new one."""
        await self.database.submit_async([Write(4, _PUT_TRIAL, [cells(row) for row in trials])])

    async def save_scores(self, scores: Sequence[ScoreRow]) -> None:
        """Scores of saved trials; a score of the same trial and metric is replaced."""
        await self.database.submit_async([Write(5, _PUT_SCORE, [cells(row) for row in scores])])

    def find_response(
        self, variant_hash: str, question_hash: str, draw: int, *, not_older_than: datetime | None = None
    ) -> ResponseRow | None:
        """The newest answer (never an error) of this identity, of any run."""
        found = self._answers(variant_hash, not_older_than, "AND question_hash = ? AND draw = ?", question_hash, draw)
        return found[-1] if found else None

    def answers(
        self, variant_hash: str, *, not_older_than: datetime | None = None
    ) -> dict[tuple[str, int], ResponseRow]:
        """The newest answer (never an error) of this variant by (question hash, draw), of all runs."""
        found = self._answers(variant_hash, not_older_than)
        return {(row.question_hash, row.draw): row for row in found}

    def run_trials(self, run_id: str) -> list[tuple[TrialRow, ResponseRow]]:
        """The trials of a run with their responses, by place of the example, then repeat."""
        asked = (
            f"SELECT trials.run_id, trials.example_id, repeat, response_id, {_columns(ResponseRow, 'responses')} "
            "FROM trials JOIN responses ON responses.id = response_id "
            "JOIN run_examples AS asked ON asked.run_id = trials.run_id AND asked.example_id = trials.example_id "
            "WHERE trials.run_id = ? AND asked.project_id = ? ORDER BY asked.position, repeat"
        )
        found = self.database.rows(asked, run_id, self.project)
        width = len(TrialRow.__struct_fields__)
        trials, responses = [row[:width] for row in found], [row[width:] for row in found]
        return list(zip(rows(TrialRow, trials), rows(ResponseRow, responses), strict=True))

    def run_scores(self, run_id: str) -> list[ScoreRow]:
        """All scores of a run, in no particular order."""
        asked = f"SELECT {_columns(ScoreRow)} FROM scores WHERE run_id = ? AND {_OURS.format(table='scores')}"
        return self._found(ScoreRow, asked, run_id, self.project)

    def totals(self, run_id: str) -> Totals:
        """Counts and sums over the rows of a run as they are now; money is added as exact decimals."""
        counted = (
            "SELECT count(*), count(error_kind), count(*) FILTER (WHERE responses.run_id <> trials.run_id) "
            "FROM trials JOIN responses ON responses.id = response_id WHERE trials.run_id = ? "
            f"AND {_OURS.format(table='trials')}"
        )
        # SQLite would add money as binary floats, so it only groups; the sums are made here.
        paid = "SELECT cost_usd, count(*) FROM responses WHERE run_id = ? AND project_id = ? GROUP BY cost_usd"
        with self.database.reading() as reading:
            [(trials, errors, reused)] = cast("list[tuple[int, int, int]]", reading.rows(counted, run_id, self.project))
            costs = cast("list[tuple[str | None, int]]", reading.rows(paid, run_id, self.project))
        return Totals(
            trials=trials,
            errors=errors,
            reused=reused,
            calls=sum(calls for _, calls in costs),
            unpriced=sum(calls for cost, calls in costs if cost is None),
            spent_usd=sum((Decimal(cost) * calls for cost, calls in costs if cost is not None), Decimal(0)),
        )

    # Verdicts

    def save_verdict(self, verdict: VerdictRow) -> None:
        """Keeps a verdict; one of the same id is replaced."""
        self.database.submit([Write(9, _PUT_VERDICT, [(self.project, *cells(verdict))])]).result()

    def verdict(self, verdict_id: str) -> VerdictRow:
        """The verdict of that id; `UnknownNameError` where there is none."""
        asked = f"SELECT {_columns(VerdictRow)} FROM verdicts WHERE project_id = ? AND id = ?"
        for found in self._found(VerdictRow, asked, self.project, verdict_id):
            return found
        raise UnknownNameError("verdict", verdict_id, [row.id for row in self.verdicts()])

    def verdicts(self, *, limit: int = 100) -> list[VerdictRow]:
        """The newest verdicts first."""
        asked = f"SELECT {_columns(VerdictRow)} FROM verdicts WHERE project_id = ? ORDER BY created_at DESC LIMIT ?"
        return self._found(VerdictRow, asked, self.project, limit)

    # Within

    def _answers(
        self, variant_hash: str, not_older_than: datetime | None, also: str = "", *given: Cell
    ) -> list[ResponseRow]:
        """The oldest first."""
        return self._found(
            ResponseRow,
            f"SELECT {_columns(ResponseRow)} FROM responses WHERE project_id = ? AND variant_hash = ? "
            f"AND error_kind IS NULL AND recorded_at >= ? {also} ORDER BY recorded_at, id",
            self.project,
            variant_hash,
            "" if not_older_than is None else time_cell(not_older_than),
            *given,
        )

    def _found(self, kind: type[Row], asked: str, *given: Cell) -> list[Row]:
        return rows(kind, self.database.rows(asked, *given))
