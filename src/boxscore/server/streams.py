"""Streams of events that are open: how many there may be, and their end."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

from boxscore.errors import BusyError

__all__ = ["Streams"]

LOOK_S = 2.0


async def _nothing(scope: Any) -> None:  # noqa: ANN401 - a scope of ASGI
    return


class Streams:
    """For one event loop. `check` raises what the caller of a request would be told now; the door sets it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.check: Callable[[Any], Awaitable[None]] = _nothing
        self._open: set[asyncio.Future[None]] = set()

    @property
    def open(self) -> int:
        return len(self._open)

    @contextmanager
    def one(self) -> "Generator[asyncio.Future[None]]":
        """Around a stream: a future that is done when the server stops. `BusyError` where there are enough."""
        if len(self._open) >= self.most:
            raise BusyError(f"{self.most} streams of events are open, as many as may be", retry_after_s=5.0)
        stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.add(stopping)
        try:
            yield stopping
        finally:
            self._open.discard(stopping)

    async def still(self, scope: Any, checked_s: float) -> float:  # noqa: ANN401 - a scope of ASGI
        """Of a file that is sent piece by piece: raises as `check` where the last look, at `checked_s` of the event
        loop, is long ago; the time of the last look."""
        now_s = asyncio.get_running_loop().time()
        if now_s - checked_s < LOOK_S:
            return checked_s
        await self.check(scope)
        return now_s

    def stop(self) -> None:
        """Ends all. New ones end at once too."""
        for stopping in self._open:
            if not stopping.done():
                stopping.set_result(None)
        self.most = 0
