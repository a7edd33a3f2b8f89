"""Jobs as rows: who has one, whose turn it is, how far it is. What any of it means is decided in `boxscore.jobs`.

Who works on a job holds a turn of it. Every change of hands counts `turn` up, and every write in a turn's name is one
statement or one transaction that asks for that number: whoever has lost a job can neither end it nor write on for it.
"""

# ruff: noqa: S608 - what is put into statements is our own words; what is given is bound

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple

import msgspec

from boxscore.store.records.backend import Database, Lock, Reading, Write
from boxscore.store.records.rows import Cell, rows, time_cell

__all__ = ["Fenced", "JobRow", "JobRows", "Turn"]


class JobRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A job but for its spec. `state`: waiting, running, done, failed or cancelled. `step` counts the steps that are
    finished, `attempts` how often it was begun since the last of them; it is not begun before `due_at`. `beat` is
    counted up by the worker that has it."""

    id: str
    project_id: str
    kind: str
    state: str
    step: int
    progress_json: str | None
    result_json: str | None
    error_json: str | None
    attempts: int
    created_by: str | None
    created_at: datetime
    due_at: datetime
    started_at: datetime | None = None
    claimed_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_asked_at: datetime | None = None
    worker: str | None = None
    turn: int = 0
    beat: int = 0


class Turn(NamedTuple):
    """What one worker holds of one job."""

    job_id: str
    number: int


_COLUMNS = ", ".join(JobRow.__struct_fields__)
_ADD = f"INSERT INTO jobs ({_COLUMNS}) VALUES {{}}"
_ADD_SPEC = "INSERT INTO job_specs (job_id, spec_json) VALUES {}"
_NEXT = (
    "SELECT waiting.id FROM jobs AS waiting JOIN ("
    "SELECT project_id, max(claimed_at) AS served, count(*) FILTER (WHERE state = 'running') AS busy "
    "FROM jobs GROUP BY project_id) AS whose ON whose.project_id = waiting.project_id "
    "WHERE waiting.state = 'waiting' AND waiting.due_at <= ? AND waiting.kind IN ({kinds}) "
    "ORDER BY whose.busy, coalesce(whose.served, ''), waiting.created_at, waiting.id LIMIT 1"
)
"""The oldest job of the project that has the fewest running, and of those the one that has waited longest for one."""
_CLAIM = (
    "UPDATE jobs SET state = 'running', worker = ?, turn = turn + 1, attempts = attempts + 1, claimed_at = ?, "
    f"started_at = coalesce(started_at, ?) WHERE state = 'waiting' AND id = ({_NEXT}) RETURNING {_COLUMNS}"
)
_BEAT = (
    "UPDATE jobs SET beat = beat + 1, progress_json = coalesce(?, progress_json), "
    "attempts = CASE WHEN step < ? THEN 0 ELSE attempts END, step = ? "
    "WHERE id = ? AND turn = ? AND state = 'running' RETURNING cancel_asked_at"
)
_END = (
    "UPDATE jobs SET state = ?, step = ?, attempts = ?, due_at = ?, finished_at = ?, result_json = ?, error_json = ?, "
    "progress_json = coalesce(?, progress_json), worker = NULL, turn = turn + 1 "
    "WHERE id = ? AND turn = ? AND state = 'running'"
)
_CANCEL = (
    "UPDATE jobs SET cancel_asked_at = coalesce(cancel_asked_at, ?), "
    "finished_at = CASE WHEN state = 'waiting' THEN ? ELSE finished_at END, "
    "state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END "
    f"WHERE project_id = ? AND id = ? AND state IN ('waiting', 'running') RETURNING {_COLUMNS}"
)
_RETRY = (
    "UPDATE jobs SET state = 'waiting', attempts = 0, due_at = ?, error_json = NULL, finished_at = NULL, "
    "cancel_asked_at = NULL WHERE project_id = ? AND id = ? AND state IN ('failed', 'cancelled') "
    f"RETURNING {_COLUMNS}"
)


class JobRows:
    """All projects' jobs in a database. Failures are `boxscore.errors.StoreError`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, row: JobRow, spec_json: str) -> None:
        cells: list[Cell] = [
            time_cell(value) if isinstance(value, datetime) else value for value in msgspec.structs.astuple(row)
        ]
        self.database.submit([Write(1, _ADD, [tuple(cells)]), Write(2, _ADD_SPEC, [(row.id, spec_json)])]).result()

    def find(self, project: str, job_id: str) -> JobRow | None:
        return self._one(f"SELECT {_COLUMNS} FROM jobs WHERE project_id = ? AND id = ?", project, job_id)

    def spec(self, job_id: str) -> str:
        [(spec,)] = self.database.rows("SELECT spec_json FROM job_specs WHERE job_id = ?", job_id)
        return str(spec)

    def newest(
        self, project: str, *, state: str | None, kind: str | None, before: str | None, limit: int
    ) -> list[JobRow]:
        """By id, which sorts by time, the newest first."""
        asked = {"state = ?": state, "kind = ?": kind, "id < ?": before}
        given = {condition: value for condition, value in asked.items() if value is not None}
        where = "".join(f" AND {condition}" for condition in given)
        found = self.database.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE project_id = ?{where} ORDER BY id DESC LIMIT ?",
            project,
            *given.values(),
            limit,
        )
        return rows(JobRow, found)

    def open(self) -> tuple[bool, list[JobRow]]:
        """Whether one waits, and those that run."""
        asked = f"SELECT {_COLUMNS} FROM jobs WHERE state = 'running'"
        waiting = self.database.rows("SELECT 1 FROM jobs WHERE state = 'waiting' LIMIT 1")
        return bool(waiting), rows(JobRow, self.database.rows(asked))

    def counts(self, project: str | None) -> dict[str, int]:
        """Those that wait and run, of a project or of all."""
        asked = "SELECT state, count(*) FROM jobs WHERE state IN ('waiting', 'running')"
        of, given = ("", ()) if project is None else (" AND project_id = ?", (project,))
        found = {
            str(state): int(count or 0) for state, count in self.database.rows(f"{asked}{of} GROUP BY state", *given)
        }
        return {"waiting": 0, "running": 0} | found

    def cancel(self, project: str, job_id: str, at: datetime) -> JobRow | None:
        """One that waits is cancelled, one that runs is asked to stop; None for one that has ended."""
        return self._changed(_CANCEL, time_cell(at), time_cell(at), project, job_id)

    def retry(self, project: str, job_id: str, at: datetime) -> JobRow | None:
        """None for one that has not failed and was not cancelled."""
        return self._changed(_RETRY, time_cell(at), project, job_id)

    # In a worker's name

    def claim(self, worker: str, kinds: Sequence[str], at: datetime) -> JobRow | None:
        """The next job that waits, now running by `worker`; None where there is none, or another was quicker."""
        now = time_cell(at)
        return self._changed(_CLAIM.format(kinds=", ".join("?" * len(kinds))), worker, now, now, now, *kinds)

    def look(self, turn: Turn) -> tuple[bool, bool]:
        """Whether the turn is held still, and whether the job is to stop."""
        asked = "SELECT cancel_asked_at FROM jobs WHERE id = ? AND turn = ? AND state = 'running'"
        found = self.database.rows(asked, turn.job_id, turn.number)
        return bool(found), bool(found and found[0][0] is not None)

    def beat(self, turn: Turn, step: int, progress_json: str | None) -> tuple[bool, bool]:
        """Says that the worker lives, and how far it is; then as `look`."""
        found = self.database.change(_BEAT, progress_json, step, step, turn.job_id, turn.number)
        return bool(found), bool(found and found[0][0] is not None)

    def end(
        self,
        turn: Turn,
        state: str,
        *,
        step: int,
        attempts: int,
        due_at: datetime,
        finished_at: datetime | None = None,
        result_json: str | None = None,
        error_json: str | None = None,
        progress_json: str | None = None,
        beat: int | None = None,
    ) -> bool:
        """Ends the turn, and with it the job unless it waits again. False where it was not held any more, or where
        `beat` is given and its worker has counted on."""
        alive = "" if beat is None else " AND beat = ?"
        found = self.database.change(
            f"{_END}{alive} RETURNING id",
            state,
            step,
            attempts,
            time_cell(due_at),
            None if finished_at is None else time_cell(finished_at),
            result_json,
            error_json,
            progress_json,
            turn.job_id,
            turn.number,
            *(() if beat is None else (beat,)),
        )
        return bool(found)

    def _one(self, statement: str, *given: Cell) -> JobRow | None:
        return next(iter(rows(JobRow, self.database.rows(statement, *given))), None)

    def _changed(self, statement: str, *given: Cell) -> JobRow | None:
        return next(iter(rows(JobRow, self.database.change(statement, *given))), None)


class Fenced:
    """A `Database` for work done in a turn: what is submitted is written while the turn is held, and never after. It
    does not close the database that it stands before."""

    def __init__(self, database: Database, turn: Turn) -> None:
        self._database = database
        self.name = database.name
        # A kind of null is refused, and all that was to be written with it. The row is written, and not just looked at,
        # so that PostgreSQL lets nobody else take the turn before the commit.
        statement = f"UPDATE jobs SET kind = CASE WHEN turn = {turn.number:d} THEN kind END WHERE id IN ({{}})"
        self._guard = Write(-1, statement, [(turn.job_id,)])

    def rows(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        return self._database.rows(statement, *given)

    def reading(self) -> AbstractContextManager[Reading]:
        return self._database.reading()

    def change(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        raise NotImplementedError("a statement of its own cannot be fenced: submit it")

    def submit(self, writes: Sequence[Write]) -> "Future[None]":
        return self._database.submit([self._guard, *writes])

    def submit_async(self, writes: Sequence[Write]) -> "asyncio.Future[None]":
        return self._database.submit_async([self._guard, *writes])

    def lock(self, name: str) -> Lock | None:
        return self._database.lock(name)

    def close(self) -> None:
        """Leaves it open for others."""
