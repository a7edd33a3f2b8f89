"""The one writing thread: many small writes, one commit, and an answer to each only after the disk has it."""

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress

import msgspec
from sqlalchemy import Engine, Executable, exc

from boxscore.errors import StoreError

BATCH = 512
Parameters = Mapping[str, object]
Outcome = tuple["asyncio.Future[None]", Exception | None]


class Write(msgspec.Struct, frozen=True):
    """One statement with its rows. Writes of a batch are run by ascending `order`, so that parents precede children,
    and those with the same statement object become one call."""

    order: int
    statement: Executable
    rows: Sequence[Parameters]


class _Job(msgspec.Struct, frozen=True):
    writes: Sequence[Write]
    done: "Future[None] | asyncio.Future[None]"


class Writer:
    """Takes writes from any thread and any event loop; `close` waits for all of them."""

    def __init__(self, engine: Engine, path: str) -> None:
        self._engine = engine
        self._path = path
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
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

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _put(self, job: _Job) -> None:
        if self._closed:
            raise StoreError(f"{self._path} was closed, and something was still to be written to it.")
        self._queue.put(job)

    def _work(self) -> None:
        last = False
        while not last:
            job = self._queue.get()
            if job is None:
                return
            batch = [job]
            while len(batch) < BATCH:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                batch.append(more)
            _tell(self._commit(batch))

    def _commit(self, batch: list[_Job]) -> list[tuple[_Job, Exception | None]]:
        try:
            self._run([write for job in batch for write in job.writes])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            if len(batch) == 1:
                return [(batch[0], _explained(error, self._path))]
            # One bad write must not take its neighbours with it.
            return [outcome for job in batch for outcome in self._commit([job])]
        return [(job, None) for job in batch]

    def _run(self, writes: list[Write]) -> None:
        grouped: dict[int, tuple[Executable, list[Parameters]]] = {}
        for write in sorted(writes, key=_order):
            _, rows = grouped.setdefault(id(write.statement), (write.statement, []))
            rows.extend(write.rows)
        with self._engine.connect().execution_options(boxscore_writes=True) as connection, connection.begin():
            for statement, rows in grouped.values():
                if rows:
                    connection.execute(statement, rows)


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


def _order(write: Write) -> int:
    return write.order


def _explained(error: Exception, path: str) -> Exception:
    if isinstance(error, exc.StatementError):
        return StoreError(f"{path} could not be written: {error.orig}. What was acknowledged before is kept.")
    return error
