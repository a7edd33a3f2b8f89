"""The one writing thread: everything that waits becomes one synced commit, and then each is answered."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import apsw
import msgspec

from boxscore.errors import StoreError
from boxscore.store.spans.files import Files
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.scores import Score
from boxscore.store.spans.segment import Trace

BATCH_SPANS = 8_000

Result = TypeVar("Result")


class _Job(msgspec.Struct, frozen=True):
    project: str
    rows: Sequence[SpanRow]
    scores: Sequence[Score]
    done: "Future[None]"


class _Work(msgspec.Struct, frozen=True):
    do: Callable[[Files], object]
    done: "Future[Any]"


class Written(msgspec.Struct):
    """What a writer has done since it began: `commits` and the seconds they took, sync and all; `spans` that were
    acknowledged, `added` of them for the first time: the others were repeats or further versions."""

    commits: int = 0
    seconds: float = 0.0
    spans: int = 0
    added: int = 0


class Writer:
    """Takes spans from any thread; `close` waits for all of them.

    A write that fails for want of room, or for what it holds, fails alone. After any other failure of the disk nothing
    more is taken: what a failed sync left is not known until the files are opened again.
    """

    def __init__(self, files: Files, *, clock_ns: Callable[[], int], committed: Callable[[], None]) -> None:
        self._files = files
        self._clock_ns = clock_ns
        self._committed = committed
        self._queue: queue.SimpleQueue[_Job | _Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._refused: str | None = None
        self._broken = False
        self.written = Written()
        self._thread = threading.Thread(target=self._work, name="boxscore-spans", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Spans that were submitted and are not answered yet."""
        return self._waiting

    @property
    def refused(self) -> str | None:
        """Why nothing more is written, None while it is."""
        return self._refused

    def submit(self, project: str, rows: Sequence[SpanRow], scores: Sequence[Score] = ()) -> "Future[None]":
        """Done when all is committed and synced; a failure is a `StoreError`, in the future or at once."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # who stops waiting does not unwrite it
        with self._lock:
            if self._refused is not None:
                raise StoreError(self._refused)
            self._waiting += len(rows)
            self._queue.put(_Job(project, rows, scores, done))
        return done

    def run(self, do: Callable[[Files], Result]) -> "Future[Result]":
        """Does something to the files between two commits. What takes long comes back in steps."""
        done: Future[Result] = Future()
        done.set_running_or_notify_cancel()
        with self._lock:
            if self._refused is not None:
                raise StoreError(self._refused)
            self._queue.put(_Work(do, done))
        return done

    def close(self) -> None:
        with self._lock:
            self._refused = self._refused or f"{self._files.folder} was closed; spans can no longer be written to it."
            self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        last = False
        while not last:
            job = self._queue.get()
            if job is None:
                return
            if isinstance(job, _Work):
                self._run(job)
                continue
            work = None
            batch, spans = [job], len(job.rows)
            while spans < BATCH_SPANS:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                if isinstance(more, _Work):
                    work = more
                    break
                batch.append(more)
                spans += len(more.rows)
            outcomes = self._commit(batch)
            with self._lock:
                self._waiting -= spans
            for done, error in outcomes:
                done.set_exception(error) if error else done.set_result(None)
            self._committed()
            if work is not None:
                self._run(work)

    def _run(self, work: _Work) -> None:
        try:
            if self._broken:
                raise StoreError(self._refused or "")
            result = work.do(self._files)
        except (apsw.IOError, apsw.CorruptError) as error:
            work.done.set_exception(self._break(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            work.done.set_exception(self._explained(error))
        else:
            work.done.set_result(result)
        self._committed()

    def _commit(self, batch: Sequence[_Job]) -> list[tuple["Future[None]", Exception | None]]:
        try:
            if self._broken:
                raise StoreError(self._refused or "")
            self._store(batch)
        except (apsw.IOError, apsw.CorruptError) as error:
            failed = self._break(error)
            return [(job.done, failed) for job in batch]
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            if len(batch) == 1:
                return [(batch[0].done, self._explained(error))]
            # One bad write must not take its neighbours with it.
            return [outcome for job in batch for outcome in self._commit([job])]
        return [(job.done, None) for job in batch]

    def _break(self, error: Exception) -> StoreError:
        failed = StoreError(
            f"the disk failed under {self._files.folder} ({error}): nothing more is written until the store is "
            "opened again. What was acknowledged before is kept."
        )
        with self._lock:
            self._broken, self._refused = True, str(failed)
        return failed

    def _store(self, batch: Sequence[_Job]) -> None:
        traces: dict[Trace, list[SpanRow]] = {}
        for job in batch:
            for row in job.rows:
                traces.setdefault((job.project, row.trace_id), []).append(row)
        now_ns = self._clock_ns()
        if traces:
            began, before = time.perf_counter(), self._files.count()
            self._files.store(traces, now_ns)
            self.written.commits += 1
            self.written.seconds += time.perf_counter() - began
            self.written.spans += sum(map(len, traces.values()))
            self.written.added += self._files.count() - before
        if scores := [(job.project, score) for job in batch for score in job.scores]:
            self._files.scores.put(scores, now_ns)

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, StoreError):
            return error
        made = StoreError(
            f"spans could not be written to {self._files.folder}: {error}. What was acknowledged before is kept."
        )
        made.__cause__ = error
        return made
