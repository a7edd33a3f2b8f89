"""Asking for jobs, and asking after them."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from boxscore.errors import ConflictError, NotFoundError
from boxscore.jobs.job import Job, JobPage, JobState, job_of
from boxscore.store.records.backend import Database
from boxscore.store.records.jobs import JobRow, JobRows
from boxscore.types import Json

__all__ = ["Jobs"]


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """Sorts by time, as a list of jobs does."""
    seconds, micros = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}{micros:06d}-{os.urandom(4).hex()}"


class Jobs:
    """All jobs of a database. What is submitted is on disk when `submit` returns, and stays a job until a worker has
    done it, it failed, or was cancelled. Failures are `boxscore.errors.StoreError`."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime] = utc_now, ids: Callable[[], str] = new_id
    ) -> None:
        self.rows = JobRows(database)
        self.clock = clock
        self._ids = ids

    def submit(self, project: str, kind: str, spec: Json, *, by: str | None = None) -> Job:
        """`spec` is JSON that the handler of that kind understands; `by` is who asks, as a person would name them."""
        now, spec_json = self.clock(), msgspec.json.encode(spec).decode()
        row = JobRow(
            id=self._ids(),
            project_id=project,
            kind=kind,
            state="waiting",
            step=0,
            progress_json=None,
            result_json=None,
            error_json=None,
            attempts=0,
            created_by=by,
            created_at=now,
            due_at=now,
        )
        self.rows.add(row, spec_json)
        return job_of(row, spec_json)

    def get(self, project: str, job_id: str, *, whole: bool = True) -> Job:
        """`NotFoundError` where the project has no such job. `whole`: with its spec."""
        row = self.rows.find(project, job_id)
        if row is None:
            raise NotFoundError("job", job_id)
        return job_of(row, self.rows.spec(job_id) if whole else None)

    def list(
        self,
        project: str,
        *,
        state: JobState | None = None,
        kind: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """The newest first, without their specs."""
        found = self.rows.newest(project, state=state, kind=kind, before=cursor, limit=limit + 1)
        more = found[limit - 1].id if len(found) > limit else None
        return JobPage(items=[job_of(row) for row in found[:limit]], cursor=more)

    def cancel(self, project: str, job_id: str) -> Job:
        """One that waits is cancelled at once; one that runs is told, and stops within a second or so; one that has
        ended stays as it is."""
        row = self.rows.cancel(project, job_id, self.clock())
        return self.get(project, job_id, whole=False) if row is None else job_of(row)

    def retry(self, project: str, job_id: str) -> Job:
        """Lets one that failed or was cancelled go on from its last finished step. `ConflictError` for any other."""
        row = self.rows.retry(project, job_id, self.clock())
        if row is None:
            job = self.get(project, job_id, whole=False)
            raise ConflictError(
                "job", f"job {job_id} is {job.state}: only one that failed or was cancelled can be tried again."
            )
        return job_of(row)
