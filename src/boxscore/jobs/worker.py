"""A worker: takes jobs, one after the other or a few at once, and looks after those of workers that died.

Nothing here depends on clocks that agree. A worker has a lock that its death lets go of, and counts up a beat in the
rows of its jobs: who finds the lock free, or has seen the beat stand still for `lease_s` by its own clock, puts the job
back into the queue. A wrong clock makes the times that are shown wrong, and a repeated attempt early or late.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from itertools import count

import msgspec

from boxscore.errors import BoxscoreError, BusyError, OperationError, StoreError, WorkerLostError
from boxscore.jobs.job import error_of, job_of
from boxscore.jobs.jobs import Jobs
from boxscore.jobs.task import Handler, Task
from boxscore.store.records.backend import Lock
from boxscore.store.records.jobs import JobRow, Turn

__all__ = ["ATTEMPTS", "LEASE_S", "Worker"]

LEASE_S = 10.0
"""A worker that says nothing for so long has lost its jobs."""
ATTEMPTS = 5
"""So often a job is begun without finishing a step; then it has failed."""
LOOK_S = 0.5
TELL_S = 1.0
log = logging.getLogger("boxscore")


class Worker:
    """Does the jobs of the kinds in `handlers`, `at_once` at a time, each in a thread of its own."""

    def __init__(
        self,
        jobs: Jobs,
        handlers: Mapping[str, Handler],
        *,
        at_once: int = 2,
        lease_s: float = LEASE_S,
        look_s: float = LOOK_S,
    ) -> None:
        self._jobs = jobs
        self._rows = jobs.rows
        self._handlers = handlers
        self._at_once = at_once
        self._lease_s = lease_s
        self._look_s = look_s
        self._tasks: dict[str, Task] = {}
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}
        self._locks_due = 0.0
        self._wake = threading.Event()
        self._stopping = False
        self.name, self._lock = self._named()

    def run(self, *, idle_s: float | None = None) -> None:
        """Works until `stop`, or until there was nothing to do for `idle_s`. What is under way then goes back into the
        queue and is gone on with by the next worker."""
        quiet_since = time.monotonic()
        try:
            while not self._stopping:
                try:
                    busy = self._turn()
                except StoreError as error:
                    log.warning("the jobs cannot be looked at: %s", error)
                    busy = True
                    self._give_up()
                now = time.monotonic()
                quiet_since = now if busy else quiet_since
                if idle_s is not None and now - quiet_since >= idle_s:
                    return
                self._wake.wait(self._look_s)
                self._wake.clear()
        finally:
            self._hand_back()
            self._lock.release()

    def stop(self) -> None:
        """From any thread or a signal's handler: `run` returns when what is under way was handed back."""
        self._stopping = True
        self._wake.set()

    # What it does twice a second

    def _turn(self) -> bool:
        """Whether there is anything to do, now or soon."""
        for task in list(self._tasks.values()):
            self._tend(task)
        waiting, running = self._rows.open()
        self._bury(running)
        if waiting and len(self._tasks) < self._at_once and self._claim():
            self._wake.set()  # there may be more
        return bool(waiting or running or self._tasks)

    def _tend(self, task: Task) -> None:
        if not task.running:
            self._finish(task)
            return
        now = time.monotonic()
        if task.stepped or now - task.told >= min(TELL_S, self._lease_s / 5):
            news = task.news
            step, progress = (task.step, None) if news is None else (news[0], news[1].decode())
            held, asked = self._rows.beat(task.turn, step, progress)
            task.told = now
            task.kept(news)
        else:
            held, asked = self._rows.look(task.turn)
        if held:
            task.heard = now
        if not held:
            task.stop("lost")
        elif asked:
            task.stop("cancelled")

    def _claim(self) -> bool:
        row = self._rows.claim(self.name, list(self._handlers), self._jobs.clock())
        if row is None:
            return False
        task = Task(job_of(row, self._rows.spec(row.id)), Turn(row.id, row.turn), self._rows.database, self._wake.set)
        self._tasks[row.id] = task
        log.info("job %s (%s) begins on %s, attempt %d", row.id, row.kind, self.name, row.attempts)
        if row.cancel_asked_at is not None:
            task.stop("cancelled")
        task.start(self._handlers[row.kind])
        return True

    def _finish(self, task: Task) -> None:
        """Ends the turn of a handler that is over, as it ended."""
        job, error = task.job, task.error
        now = self._jobs.clock()
        progress = None if task.news is None else task.news[1].decode()
        state, error_json, attempts, wait_s = "done", None, 0 if task.stepped else task.attempts, 0.0
        if error is not None and task.why is not None:
            state = "waiting" if task.why == "stopping" else "cancelled"
            attempts = max(0, attempts - 1)
        elif isinstance(error, StoreError | BusyError) and attempts < ATTEMPTS:
            state, error_json, wait_s = "waiting", error_of(error), _patience_s(attempts + 1)
        elif error is not None:
            state, error_json = "failed", error_of(_told(error, job.id))
        result = msgspec.json.encode(task.result).decode() if state == "done" else None
        held = task.why != "lost" and self._rows.end(
            task.turn,
            state,
            step=task.step,
            attempts=attempts,
            due_at=now + timedelta(seconds=wait_s),
            finished_at=None if state == "waiting" else now,
            result_json=result,
            error_json=error_json,
            progress_json=progress,
        )
        del self._tasks[job.id]
        if held:
            log.info("job %s (%s) is %s", job.id, job.kind, state)
        else:
            log.warning("job %s (%s) was taken over by another worker", job.id, job.kind)
            self._lock.release()  # if it was lost, with its connection, others take all of ours for dead
            self.name, self._lock = self._named()

    def _bury(self, running: list[JobRow]) -> None:
        """Puts back what workers had that died or say nothing any more."""
        now = time.monotonic()
        own = {task.turn for task in self._tasks.values()}
        others = [row for row in running if Turn(row.id, row.turn) not in own]
        self._seen = {row.id: self._seen[row.id] for row in others if row.id in self._seen}
        looks = now >= self._locks_due
        if looks:
            self._locks_due = now + self._lease_s / 5  # each look may be a connection to the database
        for row in others:
            sign, since = self._seen.get(row.id, (None, now))
            if sign != (row.turn, row.beat):
                self._seen[row.id] = ((row.turn, row.beat), now)
                since = now
            if now - since >= self._lease_s or (looks and self._died(row.worker)):
                self._put_back(row)

    def _died(self, worker: str | None) -> bool:
        if worker is None or worker == self.name:  # it had this name before us
            return True
        lock = self._rows.database.lock(worker)
        if lock is not None:
            lock.release()
        return lock is not None

    def _put_back(self, row: JobRow) -> None:
        now, error_json, state = self._jobs.clock(), row.error_json, "waiting"
        if row.cancel_asked_at is not None:
            state = "cancelled"
        elif row.attempts >= ATTEMPTS:
            state, error_json = "failed", error_of(WorkerLostError(row.id, row.attempts))
        done = self._rows.end(
            Turn(row.id, row.turn),
            state,
            step=row.step,
            attempts=row.attempts,
            due_at=now + timedelta(seconds=_patience_s(row.attempts)),
            finished_at=None if state == "waiting" else now,
            error_json=error_json,
            beat=row.beat,
        )
        if done:
            log.warning("job %s (%s): %s died or says nothing any more; it is %s", row.id, row.kind, row.worker, state)

    # Its end

    def _give_up(self) -> None:
        """The database was not heard of: another worker may have taken what is under way."""
        now = time.monotonic()
        for task in self._tasks.values():
            if now - task.heard >= self._lease_s:
                task.stop("lost")

    def _hand_back(self) -> None:
        for task in self._tasks.values():
            task.stop("stopping")
        until = time.monotonic() + self._lease_s
        for task in list(self._tasks.values()):
            task.join(max(0.0, until - time.monotonic()))
            with contextlib.suppress(StoreError):  # its lock is let go of: the next worker finds it
                if not task.running:
                    self._finish(task)

    def _named(self) -> tuple[str, Lock]:
        """The first name that nobody has, with its lock."""
        for number in count():
            name = f"worker-{number}"
            lock = self._rows.database.lock(name)
            if lock is not None:
                return name, lock
        raise AssertionError


def _patience_s(attempts: int) -> float:
    """None after the first time, then ever more: 2, 8, 32 seconds."""
    return 0.0 if attempts <= 1 else 0.5 * 4.0 ** (attempts - 1)


def _told(error: BaseException, job_id: str) -> BoxscoreError:
    if isinstance(error, BoxscoreError):
        return error
    log.error("job %s: a fault of Boxscore itself, please report it:", job_id, exc_info=error)
    return OperationError(f"a fault of Boxscore itself, {type(error).__name__}: its worker's log says where.")
