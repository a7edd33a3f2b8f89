"""What the handlers of a server share."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from boxscore.errors import BusyError, TimeLimitError
from boxscore.server.limits import Budget, Limits
from boxscore.server.meters import Meters
from boxscore.store.spans import SqliteSpans
from boxscore.tracing.ingest import Ingest

__all__ = ["Service"]

Found = TypeVar("Found")


class Service:
    """The store, what takes spans in, and the limits under which both are asked. For one event loop."""

    def __init__(self, store: SqliteSpans, ingest: Ingest, limits: Limits) -> None:
        self.store = store
        self.ingest = ingest
        self.limits = limits
        self.meters = Meters()
        self.bodies = Budget(limits.bodies_bytes, "requests that are being received")
        self.answers = Budget(limits.answers_bytes, "answers that are being read")
        self.stopping = False
        self._threads = ThreadPoolExecutor(limits.questions, "boxscore-question")
        self._asked = 0
        self._catching_up = asyncio.Lock()
        self._caught_up_from = 0.0

    async def ask(self, question: Callable[[], Found]) -> Found:
        """What the question finds, in one of few threads, so that questions never keep spans from being taken in.
        `BusyError` where too many wait, `TimeLimitError` for one that takes too long (its thread is free when it
        ends)."""
        if self._asked >= self.limits.questions + self.limits.questions_waiting:
            raise BusyError("too many questions wait for their answers", retry_after_s=1.0)
        self._asked += 1
        future = self._threads.submit(question)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._answered))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.question_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            future.cancel()
            raise TimeLimitError(
                f"the question took longer than {self.limits.question_s:g} s: narrow it by time, by a filter or by a "
                "smaller limit.",
                limit_s=self.limits.question_s,
            ) from None

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

    @property
    def problem(self) -> str | None:
        """Why no spans are taken now, None when they are."""
        return "the server is stopping." if self.stopping else None

    def readiness(self) -> bytes:
        problem = self.problem
        return msgspec.json.encode({"status": "ready"} if problem is None else {"status": "not ready", "why": problem})

    def exposition(self) -> bytes:
        return b""

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._threads.shutdown(wait=True, cancel_futures=True)
