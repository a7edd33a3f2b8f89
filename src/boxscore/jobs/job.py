"""A job as people and programs see it."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from boxscore.errors import BoxscoreError
from boxscore.store.records.jobs import JobRow
from boxscore.types import Json

__all__ = ["ENDED", "Job", "JobPage", "JobState", "error_of", "job_of"]

JobState: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: frozenset[str] = frozenset({"done", "failed", "cancelled"})


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for and how far it is. `spec`, `progress` and `result` are as its kind says; a list leaves `spec`
    out. `step` counts the steps that are finished for good. `error` is `{"code", "message"}`, of the last failure.
    `attempts` counts how often it was begun since its last finished step. One that runs and is to stop has
    `cancel_asked_at`."""

    id: str
    project: str
    kind: str
    state: JobState
    created_at: datetime
    created_by: str | None = None
    spec: Json = None
    step: int = 0
    progress: Json = None
    result: Json = None
    error: dict[str, Json] | None = None
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_asked_at: datetime | None = None
    worker: str | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """`cursor` gives the next page; None: this is the last."""

    items: list[Job]
    cursor: str | None = None


def job_of(row: JobRow, spec_json: str | None = None) -> Job:
    return Job(
        id=row.id,
        project=row.project_id,
        kind=row.kind,
        state=msgspec.convert(row.state, JobState),
        created_at=row.created_at,
        created_by=row.created_by,
        spec=_json(spec_json),
        step=row.step,
        progress=_json(row.progress_json),
        result=_json(row.result_json),
        error=_json(row.error_json),
        attempts=row.attempts,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_asked_at=row.cancel_asked_at,
        worker=row.worker,
    )


def error_of(error: BoxscoreError) -> str:
    return msgspec.json.encode({"code": error.code, "message": str(error)}).decode()


def _json(text: str | None) -> Json:
    return None if text is None else msgspec.json.decode(text)
