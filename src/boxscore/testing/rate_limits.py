"""A provider's rate limit: so many requests and tokens in a window of time."""

import time
from collections.abc import Callable

import msgspec


class RateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`requests` and `tokens` (of input, one for every four characters) within `window_s` seconds. The window opens
    with the first request and is followed by the next."""

    requests: int = 1_000_000
    tokens: int = 1_000_000_000
    window_s: float = 60.0


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of `limits`, and in how many seconds they are whole again. `exceeded`: this request is too much."""

    limits: RateLimits
    requests: int
    tokens: int
    reset_s: float
    exceeded: bool


class Meter:
    """Counts against the limits; what exceeds them counts nothing."""

    def __init__(self, limits: RateLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._opened = float("-inf")
        self._requests = 0
        self._tokens = 0

    def take(self, tokens: int) -> Left:
        now, limits = self._clock(), self._limits
        if now - self._opened >= limits.window_s:
            self._opened, self._requests, self._tokens = now, 0, 0
        exceeded = self._requests + 1 > limits.requests or self._tokens + tokens > limits.tokens
        if not exceeded:
            self._requests += 1
            self._tokens += tokens
        return Left(
            limits=limits,
            requests=limits.requests - self._requests,
            tokens=limits.tokens - self._tokens,
            reset_s=self._opened + limits.window_s - now,
            exceeded=exceeded,
        )
