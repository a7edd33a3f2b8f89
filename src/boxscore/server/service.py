"""What the handlers of a server share."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

import msgspec

from boxscore.errors import BoxscoreError, BusyError, DiskFullError
from boxscore.governance import journal
from boxscore.governance.people import People
from boxscore.server.access import DEFAULT_PROJECT, Access
from boxscore.server.connection import Connection
from boxscore.server.limits import Budget, Limits
from boxscore.server.meters import Meters
from boxscore.server.metrics import Sample, counted, exposition, of_machine
from boxscore.server.room import Room
from boxscore.server.sign_in import SignIn
from boxscore.server.streams import Streams
from boxscore.store import deadline
from boxscore.store.records import Records
from boxscore.store.records.jobs import JobRows
from boxscore.store.spans import SqliteSpans
from boxscore.store.spans.rollups import MINUTE_NS
from boxscore.tracing.ingest import Ingest

__all__ = ["Service"]

Found = TypeVar("Found")


class Service:
    """The stores, what takes spans in, and the limits under which they are asked. For one event loop. `records` are
    those of the default project; `records.of(project)` are another's. `public` are the addresses by which browsers
    reach the server, beside those of loopback; `records_url` is where the records are, None for the folder of `store`.
    """

    def __init__(
        self,
        store: SqliteSpans,
        ingest: Ingest,
        records: Records,
        limits: Limits,
        *,
        public: Sequence[str] = (),
        people: People | None = None,
        records_url: str | None = None,
    ) -> None:
        self.store = store
        self.records = records
        self.public = tuple(public)
        self.people = people or People(records.database)
        self.access = Access(self.people, self.public)
        self.sign_in = SignIn(self.people)
        self.records_url = records_url
        self.ingest = ingest
        self.limits = limits
        self.meters = Meters()
        self.bodies = Budget(limits.bodies_bytes, "requests that are being received")
        self.answers = Budget(limits.answers_bytes, "answers that are being read")
        self.streams = Streams(limits.streams)
        self.room = Room(store.folder, limits)
        self.stopping = False
        self._threads = ThreadPoolExecutor(limits.questions, "boxscore-question")
        self._asked = 0
        self._catching_up = asyncio.Lock()
        self._caught_up_from = 0.0

    async def ask(self, question: Callable[[], Found]) -> Found:
        """What the question finds, in one of few threads, so that questions never keep spans from being taken in.
        `BusyError` where too many wait, `TimeLimitError` for one that takes too long: what works it out stops too."""
        if self._asked >= self.limits.questions + self.limits.questions_waiting:
            raise BusyError("too many questions wait for their answers", retry_after_s=1.0)
        loop = asyncio.get_running_loop()
        limit_s = self.limits.question_s
        until_s = time.monotonic() + limit_s

        def within() -> Found:
            with deadline.until(until_s, limit_s):
                return question()

        def answered(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the question
                loop.call_soon_threadsafe(self._answered)

        self._asked += 1
        future = self._threads.submit(within)
        future.add_done_callback(answered)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            future.cancel()
            raise deadline.exceeded(limit_s) from None

    async def caught_up(self, seconds: float) -> None:
        """Returns when what was acknowledged before is rolled up and found by search, or after so many seconds. Those
        who wait share the work."""
        if not seconds:
            return
        loop = asyncio.get_running_loop()
        asked = loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._catching_up:
                if self._caught_up_from < asked:
                    began = loop.time()
                    await loop.run_in_executor(None, self.store.catch_up)
                    self._caught_up_from = began

    def _answered(self) -> None:
        self._asked -= 1

    async def put(self, put: Callable[[], "Future[Found]"]) -> Found:
        """What is put, once it is on disk. `DiskFullError` where there is no room for it."""
        if (full := self.room.problem) is not None:
            raise DiskFullError(full)
        with self.meters.acknowledging():
            return await asyncio.wrap_future(put())

    @property
    def problem(self) -> str | None:
        """Why no spans are taken now, None when they are."""
        return "the server is stopping." if self.stopping else self.store.refused or self.room.problem

    def readiness(self) -> bytes:
        problem = self.problem
        return msgspec.json.encode({"status": "ready"} if problem is None else {"status": "not ready", "why": problem})

    async def metrics(self, project: str | None = None) -> bytes:
        """All metrics, in Prometheus' text format; without those that ask the store where it does not answer. With a
        `project`, none that names another."""
        asked: list[Sample] = []
        with contextlib.suppress(BoxscoreError):
            asked = await self.ask(lambda: [*self._behind(), *self._kept(project)])
        return exposition(chain(asked, self._samples(), self.meters.samples(), of_machine(self.store.folder)))

    def _samples(self) -> Iterator[Sample]:
        written, ingest = self.store.written, self.ingest
        yield Sample("boxscore_ready", self.problem is None)
        yield Sample("boxscore_spans_accepted_total", ingest.accepted)
        yield Sample("boxscore_spans_stored_total", written.spans)
        yield Sample("boxscore_spans_repeated_total", written.spans - written.added)
        yield from counted("boxscore_spans_rejected_total", ingest.rejected)
        yield Sample("boxscore_queue_spans", self.store.waiting)
        yield Sample("boxscore_queue_bytes", ingest.waiting_bytes)
        yield Sample("boxscore_commit_seconds_total", written.seconds)
        yield Sample("boxscore_commits_total", written.commits)
        yield Sample("boxscore_connections_refused_total", Connection.turned_away)

    def _kept(self, project: str | None) -> Iterator[Sample]:
        """What was done to the home, and what is to be done."""
        home = self.store.folder.parent
        made = [entry.at_ns for entry in journal.entries(home) if entry.what == "backup"]
        if made:
            yield Sample("boxscore_backup_timestamp_seconds", max(made) / 1e9)
        expired = journal.expired(home).items()
        told = {name: spans for name, spans in expired if project in (None, name)}
        yield from counted("boxscore_spans_expired_total", told)
        yield from counted("boxscore_jobs", JobRows(self.records.database).counts(project))

    def _behind(self) -> list[Sample]:
        search, rollups = self.lag()
        return [Sample("boxscore_search_lag_spans", search), Sample("boxscore_rollup_lag_spans", rollups)]

    def lag(self) -> tuple[int, int]:
        """Spans that search, and that roll-ups do not have yet: by a question to each, whose answers tell what is not
        in them."""
        search = self.store.search(DEFAULT_PROJECT, "lag", limit=1).pending
        rollups = self.store.series(DEFAULT_PROJECT, start_ns=0, end_ns=MINUTE_NS, step_ns=MINUTE_NS).pending
        return search, rollups

    def close(self) -> None:
        self.sign_in.close()
        with contextlib.suppress(RuntimeError):
            self._threads.shutdown(wait=True, cancel_futures=True)
