"""Ingest: a request's body in, its answer out once every span of it is on disk."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple

from boxscore.costs import PriceBook
from boxscore.errors import BusyError, StoreError
from boxscore.store.spans import SpanRow, SpanStore
from boxscore.tracing.limits import Limits
from boxscore.tracing.normal import Normaliser
from boxscore.tracing.otlp import Batch, answer_json, answer_protobuf, read_json, read_protobuf

__all__ = ["Ingest"]

GROUP_BYTES = 4 * 1024 * 1024
"""Requests that wait are read and stored together, up to so many bytes."""
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


class _Read(NamedTuple):
    job: _Job
    rows: Sequence[SpanRow]
    answer: bytes


class Ingest:
    """Takes OTLP requests from any thread, reads them in one of its own and hands their spans to a store.

    `accepted` spans were read since the start, and handed on; `rejected` ones were not, by reason.

    Memory is bounded: bodies that wait for their answer hold no more than `limits.waiting_bytes`, or `BusyError` is
    raised and nothing is kept of the request. Waiting is too: likewise when those that wait would take longer than
    `limits.waiting_s` at the pace at which the last ones were written, or the first of them has waited as long, for who
    sends gives up after about that time, and what is written then is sent again. Once `limits.waiting_spans` are read
    no more are before those are on disk. Close it before the store, or use it as a context manager: what was taken is
    still handed over.
    """

    def __init__(self, store: SpanStore, book: PriceBook | None = None, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._normalise = Normaliser(book)
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._bytes = 0
        self._room = self._limits.waiting_bytes
        self._since: dict[Future[bytes], float] = {}  # of those that wait, in the order in which they came
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

    def price_by(self, book: PriceBook) -> None:
        """From now on spans are priced by this book."""
        self._normalise.price_by(book)

    @property
    def waiting_bytes(self) -> int:
        """Of bodies that are not answered yet."""
        return self._bytes

    def close(self) -> None:
        with self._lock:
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
        with self._lock:
            if self._closed:
                raise StoreError("ingest was closed: spans are no longer taken. Send them again once it is back.")
            if self._bytes and self._bytes + size > self._room:
                raise BusyError("spans arrive faster than they can be written", retry_after_s=RETRY_AFTER_S)
            now = time.monotonic()
            if now - next(iter(self._since.values()), now) > self._limits.waiting_s:
                raise BusyError("spans have waited long to be written", retry_after_s=RETRY_AFTER_S)
            self._since[done] = now
            self._bytes += size
            self._queue.put(_Job(project, body, format, done))
        return done

    def _work(self) -> None:
        job = self._queue.get()
        while job is not None:
            began = time.monotonic()
            read: list[_Read] = []
            size = spans = 0
            while job is not None:
                size += len(job.body)
                if (found := self._read(job)) is not None:
                    read.append(found)
                    spans += len(found.rows)
                if size >= GROUP_BYTES or spans >= self._limits.waiting_spans or self._queue.empty():
                    break
                job = self._queue.get()
            # All at once, and then a rest: the store commits them together, and two threads that both have much to do
            # take the interpreter from each other.
            stored = [(one, self._put(one)) for one in read]
            outcomes = [(one, future.exception()) for one, future in stored]
            if size >= GROUP_BYTES or spans >= self._limits.waiting_spans:  # of a smaller one the sync says most
                self._room = self._room_at(size / max(0.001, time.monotonic() - began))
            for one, error in outcomes:
                self._answer(one.job, error or one.answer)
            job = self._queue.get() if job is not None else None

    def _room_at(self, pace: float) -> int:
        """Bytes that may wait where so many are written a second; at least as many as show when the pace is better."""
        return min(self._limits.waiting_bytes, max(2 * GROUP_BYTES, int(pace * self._limits.waiting_s)))

    def _read(self, job: _Job) -> _Read | None:
        try:
            batch = job.format.read(job.body, self._limits)
            rows = [self._normalise(span) for span in batch.spans]
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            self._answer(job, error)
            return None
        self.accepted += len(rows)
        self.rejected.update(batch.rejected)
        answer = job.format.answer(batch)
        if not rows:
            self._answer(job, answer)
            return None
        return _Read(job, rows, answer)

    def _put(self, read: _Read) -> "Future[None]":
        try:
            return self._store.put(read.job.project, read.rows)
        except Exception as error:  # noqa: BLE001
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed

    def _answer(self, job: _Job, answer: bytes | BaseException) -> None:
        with self._lock:
            self._bytes -= len(job.body) + _REQUEST_BYTES
            del self._since[job.done]
        if isinstance(answer, bytes):
            job.done.set_result(answer)
        else:
            job.done.set_exception(answer)
