"""Trying again, only where it is safe: when the provider did not begin to work on the call."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from boxscore.errors import ProviderError

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

ATTEMPTS = 4
_FIRST_S = 0.5
_LONGEST_S = 20.0
_PATIENCE_S = 60.0
"""Longest Retry-After that is waited for; beyond it the call is an error row, and the next run tries again."""
_OVERLOADED = (503, 529)


async def retried(call: Callable[[], Awaitable[T]], *, sleep: Sleep = asyncio.sleep, attempts: int = ATTEMPTS) -> T:
    """What `call` gives. Refused connections, rate limits and overload are tried again, up to `attempts` in all, after
    what the provider asks for or else a random share of a growing wait ("full jitter").

    A timeout or a 500 is not: the call may have been worked on, and paid.
    """
    for attempt in range(attempts - 1):
        try:
            return await call()
        except ProviderError as error:
            if not _safe(error):
                raise
            wait = error.retry_after_s
            if wait is None:
                wait = random.uniform(0, min(_LONGEST_S, _FIRST_S * 2**attempt))
            elif wait > _PATIENCE_S:
                raise
            else:
                wait += random.uniform(0, _FIRST_S)  # so that those told the same time do not all come at once
        await sleep(wait)
    return await call()


def _safe(error: ProviderError) -> bool:
    return error.kind in ("connect", "rate_limit") or error.status in _OVERLOADED
