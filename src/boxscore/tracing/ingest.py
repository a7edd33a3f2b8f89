"""Ingest: a request's body in, its answer out once every span of it is on disk."""

import queue
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple

from boxscore.costs import PriceBook
from boxscore.errors import BusyError, StoreError
from boxscore.store.spans import SpanStore
from boxscore.tracing.limits import Limits
from boxscore.tracing.normal import Normaliser
from boxscore.tracing.otlp import Batch, answer_json, answer_protobuf, read_json, read_protobuf

__all__ = ["Ingest"]

RETRY_AFTER_S = 1.0
"""What waits at most is written in about as long."""
_REQUEST_BYTES = 1_024
"""What a request takes beside its body."""


class _Format(NamedTuple):
    read: Callable[[bytes, Limits], Batch]
    answer: Callable[[Batch], bytes]


_PROTOBUF, _JSON = _Format(read_protobuf, answer_protobuf), _Format(read_json, answer_json)


class _Job(NamedTuple):
    project: str
    body: bytes
    format: _Format
    done: "Future[bytes]"


class Ingest:
    """Takes OTLP requests from any thread, reads them in one of its own and hands their spans to a store.

    `accepted` spans were read since the start, and handed on; `rejected` ones were not, by reason.

    Memory is bounded: bodies that wait for their answer hold no more than `limits.waiting_bytes`, or `BusyError` is
    raised and nothing is kept of the request; reading pauses while `limits.waiting_spans` wait for the disk. Close it
    before the store, or use it as a context manager: what was taken is still handed over.
    """

    def __init__(self, store: SpanStore, book: PriceBook | None = None, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._normalise = Normaliser(book)
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._bytes = self._spans = 0
        self.accepted = 0
        self.rejected: Counter[str] = Counter()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="boxscore-ingest", daemon=True)
        self._thread.start()

    def protobuf(self, project: str, body: bytes) -> "Future[bytes]":
        """The `ExportTraceServiceResponse` to an `ExportTraceServiceRequest`, once all spans that it did not reject are
        synced. The future's errors: `UnreadableTracesError`, `StoreError`; `BusyError` and `StoreError` are raised at
        once where nothing more is taken."""
        return self._take(project, body, _PROTOBUF)

    def json(self, project: str, body: bytes) -> "Future[bytes]":
        """As `protobuf`, in OTLP/JSON."""
        return self._take(project, body, _JSON)

    @property
    def waiting_bytes(self) -> int:
        """Of bodies that are not answered yet."""
        return self._bytes

    def close(self) -> None:
        with self._room:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def __enter__(self) -> "Ingest":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, project: str, body: bytes, format: _Format) -> "Future[bytes]":
        done: Future[bytes] = Future()
        done.set_running_or_notify_cancel()  # who stops waiting does not undo it
        size = len(body) + _REQUEST_BYTES
        with self._room:
            if self._closed:
                raise StoreError("ingest was closed: spans are no longer taken. Send them again once it is back.")
            if self._bytes and self._bytes + size > self._limits.waiting_bytes:
                raise BusyError("spans arrive faster than they can be written", retry_after_s=RETRY_AFTER_S)
            self._bytes += size
            self._queue.put(_Job(project, body, format, done))
        return done

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                self._hand_over(job)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
                self._answer(job, 0, error)

    def _hand_over(self, job: _Job) -> None:
        batch = job.format.read(job.body, self._limits)
        self.accepted += len(batch.spans)
        self.rejected.update(batch.rejected)
        rows = [self._normalise(span) for span in batch.spans]
        answer = job.format.answer(batch)
        if not rows:
            self._answer(job, 0, answer)
            return
        with self._room:
            self._room.wait_for(lambda: not self._spans or self._spans + len(rows) <= self._limits.waiting_spans)
            self._spans += len(rows)
        try:
            stored = self._store.put(job.project, rows)
        except Exception as error:  # noqa: BLE001
            self._answer(job, len(rows), error)
            return
        spans = len(rows)
        stored.add_done_callback(lambda future: self._answer(job, spans, future.exception() or answer))

    def _answer(self, job: _Job, spans: int, answer: bytes | BaseException) -> None:
        with self._room:
            self._spans -= spans
            self._bytes -= len(job.body) + _REQUEST_BYTES
            self._room.notify_all()
        if isinstance(answer, bytes):
            job.done.set_result(answer)
        else:
            job.done.set_exception(answer)
