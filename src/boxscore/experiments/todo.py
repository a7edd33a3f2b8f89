"""What a run still has to ask: every question once, and again those that were refused where asking again is safe."""

import asyncio
import heapq
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from boxscore.errors import ProviderError

Slot = TypeVar("Slot", bound=Hashable)
Sleep = Callable[[float], Awaitable[None]]
Now = Callable[[], float]

ATTEMPTS = 4
"""Times that one question is asked at the most."""
EXTRA_SHARE = 0.1
"""Calls beyond one for each question, as a share of the questions; three are always allowed."""
_LEAST_EXTRA = 3
_FIRST_S = 0.5
_LONGEST_S = 20.0
_PATIENCE_S = 60.0
"""Longest Retry-After that is waited for; beyond it the call is an error row, and the next run tries again."""
_SAFE = frozenset({"connect", "rate_limit", "overloaded"})
"""The provider did not begin to work. After a timeout, a server's error or a cut stream it may have, and be paid."""


class Todo(Generic[Slot]):
    """Shared by the workers of a run: `next` gives what to ask, `again` takes back what was refused."""

    def __init__(self, slots: Sequence[Slot], *, sleep: Sleep = asyncio.sleep, now: Now = time.monotonic) -> None:
        self._fresh = iter(slots)
        self._sleep = sleep
        self._now = now
        self._extra = max(_LEAST_EXTRA, math.floor(EXTRA_SHARE * len(slots)))
        self._asked: Counter[Slot] = Counter()
        self._waiting: list[tuple[float, int, Slot]] = []
        self._count = 0
        self._stopped = asyncio.Event()

    async def next(self) -> Slot | None:
        """The next question, one that has to wait for its time only when nothing else is left; None at the end."""
        slot = next(self._fresh, None)
        if slot is None and self._waiting:
            due, _, slot = heapq.heappop(self._waiting)
            if (wait := due - self._now()) > 0:
                await self._nap(wait)
        if slot is not None:
            self._asked[slot] += 1
        return slot

    def stop(self) -> None:
        """The run ends: nobody goes on waiting."""
        self._stopped.set()

    async def _nap(self, seconds: float) -> None:
        ends = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._stopped.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def again(self, slot: Slot, error: ProviderError) -> bool:
        """Whether the question will be asked again: after what the provider asks for, or else after a random share of
        a growing wait ("full jitter")."""
        attempts = self._asked[slot]
        if error.kind not in _SAFE or attempts >= ATTEMPTS or self._extra <= 0:
            return False
        wait = error.retry_after_s
        if wait is None:
            wait = random.uniform(0, min(_LONGEST_S, _FIRST_S * 2 ** (attempts - 1)))
        elif wait > _PATIENCE_S:
            return False
        else:
            wait += random.uniform(0, _FIRST_S)  # so that those told the same time do not all come at once
        self._extra -= 1
        self._count += 1
        heapq.heappush(self._waiting, (self._now() + wait, self._count, slot))
        return True
