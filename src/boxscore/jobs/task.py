"""A job while a worker has it."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

import msgspec

from boxscore.jobs.job import Job
from boxscore.store.records.backend import Database
from boxscore.store.records.jobs import Fenced, Turn
from boxscore.types import Json

__all__ = ["Handler", "Task", "Why"]

Why: TypeAlias = Literal["cancelled", "lost", "stopping"]
"""Why a handler is to stop: someone cancelled the job, another worker has it, or this worker stops."""


class Task:
    """What a handler is given. It writes to `database`, which takes nothing any more when the worker has lost the job.
    The handler is a coroutine in an event loop of its own, which is cancelled when the job is to stop. `wake` is called
    when the worker should look."""

    def __init__(self, job: Job, turn: Turn, database: Database, wake: Callable[[], None]) -> None:
        self.job = job
        self.turn = turn
        self.database: Database = Fenced(database, turn)
        self.step = job.step
        self.attempts = job.attempts
        self.result: Json = None
        self.error: BaseException | None = None
        self.why: Why | None = None
        self.heard = time.monotonic()
        """When the database last said that the turn is held."""
        self.told = self.heard
        """When it was last told how far the job is."""
        self._wake = wake
        self._news: tuple[int, bytes] | None = None
        self._kept = job.step
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._coroutine: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None

    def report(self, progress: Json, *, step: int | None = None) -> None:
        """How far it is; the newest is kept within a second or so, a further `step` at once. Steps count what has not
        to be done again. To be called from any thread, as often as one likes."""
        with self._lock:
            self.step = max(self.step, step or 0)
            self._news = (self.step, msgspec.json.encode(progress))
        if self.stepped:
            self._wake()

    # For the worker

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def stepped(self) -> bool:
        """Whether a step is finished that the database was not told of."""
        return self.step > self._kept

    def kept(self, news: "tuple[int, bytes] | None") -> None:
        """The database was told. Where a step is finished, this attempt is none of those that came to nothing."""
        with self._lock:
            if news is not None and news is self._news:
                self._news = None
            if news is not None and news[0] > self._kept:
                self._kept, self.attempts = news[0], 0

    def start(self, handler: "Handler") -> None:
        self._thread = threading.Thread(
            target=self._work, args=[handler], name=f"boxscore-job-{self.job.id}", daemon=True
        )
        self._thread.start()

    def stop(self, why: Why) -> None:
        """Cancels the handler; the first reason stays."""
        with self._lock:
            self.why = self.why or why
            if self._loop is not None and self._coroutine is not None:
                self._loop.call_soon_threadsafe(self._coroutine.cancel)

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def news(self) -> "tuple[int, bytes] | None":
        """Step and progress that the database was not told of."""
        with self._lock:
            return self._news

    def _work(self, handler: "Handler") -> None:
        try:
            asyncio.run(self._handle(handler))
        except BaseException as error:  # noqa: BLE001 - the worker says what is to become of it
            self.error = error
        finally:
            self._wake()

    async def _handle(self, handler: "Handler") -> None:
        with self._lock:
            self._loop, self._coroutine = asyncio.get_running_loop(), asyncio.current_task()
            if self.why is not None and self._coroutine is not None:
                self._coroutine.cancel()
        try:
            self.result = await handler(self)
        finally:
            with self._lock:
                self._loop = self._coroutine = None


Handler: TypeAlias = Callable[[Task], Awaitable[Json]]
"""Does a job and gives its result. It may be begun again at any moment after a kill, and has to go on from what is in
the database then."""
