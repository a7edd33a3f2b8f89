"""The one writing thread: many small writes, one commit, and an answer to each only after the disk has it."""

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing, suppress

import msgspec

from boxscore.errors import StoreAwayError, StoreError
from boxscore.store.records.backend import Statement, Transactions, Write
from boxscore.store.records.rows import Cell
from boxscore.store.records.statements import statements

BATCH = 512
Outcome = tuple["asyncio.Future[None]", Exception | None]


class _Change(msgspec.Struct, frozen=True):
    """One statement that gives rows back, in a transaction of its own."""

    statement: Statement
    done: "Future[list[tuple[Cell, ...]]]"


class _Job(msgspec.Struct, frozen=True):
    writes: Sequence[Write]
    done: "Future[None] | asyncio.Future[None]"


class Writer:
    """Takes writes from any thread and any event loop, and runs them as `transactions`; `close` waits for all of them.
    `name` is the database's."""

    def __init__(self, transactions: Transactions, name: str) -> None:
        self._transactions = transactions
        self._name = name
        self._queue: queue.SimpleQueue[_Job | _Change | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="boxscore-records", daemon=True)
        self._thread.start()

    def submit(self, writes: Sequence[Write]) -> "Future[None]":
        """Done when the writes are committed and synced; a failure is a `StoreError` in the future."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # who stops waiting does not unwrite it
        self._put(_Job(writes, done))
        return done

    def submit_async(self, writes: Sequence[Write]) -> "asyncio.Future[None]":
        """The same for the running event loop, which is woken once for all that a commit has served."""
        done = asyncio.get_running_loop().create_future()
        self._put(_Job(writes, done))
        return done

    def change(self, statement: str, given: tuple[Cell, ...]) -> "Future[list[tuple[Cell, ...]]]":
        """The rows that its RETURNING gives, once it is committed and synced."""
        done: Future[list[tuple[Cell, ...]]] = Future()
        done.set_running_or_notify_cancel()
        self._put(_Change((statement, given), done))
        return done

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _put(self, job: _Job | _Change) -> None:
        with self._lock:  # or it would come behind the end, and be waited for in vain
            if self._closed:
                raise StoreError(f"{self._name} was closed, and something was still to be written to it.")
            self._queue.put(job)

    def _work(self) -> None:
        with closing(self._transactions):
            while (job := self._queue.get()) is not None:
                batch: list[_Job] = []
                while isinstance(job, _Job):
                    batch.append(job)
                    if len(batch) == BATCH:
                        break
                    try:
                        job = self._queue.get_nowait()
                    except queue.Empty:
                        break
                if batch:
                    _tell(self._commit(batch))
                if isinstance(job, _Change):
                    self._run_change(job)
                if job is None:
                    return

    def _run_change(self, job: _Change) -> None:
        try:
            found = self._transactions.run([job.statement])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            job.done.set_exception(error)
        else:
            job.done.set_result(found)

    def _commit(self, batch: list[_Job]) -> list[tuple[_Job, Exception | None]]:
        try:
            self._transactions.run(statements([write for job in batch for write in job.writes]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            if len(batch) == 1 or isinstance(error, StoreAwayError):
                return [(job, error) for job in batch]
            # One bad write must not take its neighbours with it.
            return [outcome for job in batch for outcome in self._commit([job])]
        return [(job, None) for job in batch]


def _tell(outcomes: Sequence[tuple[_Job, Exception | None]]) -> None:
    waiting: defaultdict[asyncio.AbstractEventLoop, list[Outcome]] = defaultdict(list)
    for job, error in outcomes:
        if isinstance(job.done, Future):
            job.done.set_exception(error) if error else job.done.set_result(None)
        else:
            waiting[job.done.get_loop()].append((job.done, error))
    for loop, told in waiting.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, told)


def _settle(told: Sequence[Outcome]) -> None:
    for done, error in told:
        if done.cancelled():
            continue
        done.set_exception(error) if error else done.set_result(None)
