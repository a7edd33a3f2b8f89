"""How fast a provider may be asked: learned from its headers and from what it refuses.

One pace per account and model, shared by all that ask there. It waits, and it gives up where asking is of no use; it
never asks again by itself.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from boxscore.errors import ProviderError

Sleep = Callable[[float], Awaitable[None]]
Now = Callable[[], float]

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 20.0
_PATIENCE_S = 60.0
"""Longest wait that a provider may ask for: beyond it, it is not asked again."""
_DOUBTFUL = 10
"""Failures in a row after which one call at a time tries whether it is back."""
_PROBES = 4
"""Failures of such tries after which nothing more is asked."""
_UNREACHABLE_S = 2.0
"""Who could not be reached after pauses that grew so long, and never was, is not there."""
_REST_S = 60.0
"""How long nothing is asked after giving up; then one call tries again."""
_POLL_S = 0.05
_DEAD = frozenset({"auth", "quota", "not_found", "connect"})
"""What the next call would meet as well: where nothing has ever worked, nothing more is asked."""
_TROUBLE = _DEAD | {"timeout", "rate_limit", "overloaded", "server", "cut", "bad_answer"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


_paces: WeakValueDictionary[tuple[str, str, str], "Pace"] = WeakValueDictionary()


def pace_of(name: str, *, where: str, account: str, model: str) -> "Pace":
    """The one pace of an account for a model at an address, for as long as anybody uses it."""
    key = (where, account, model)
    pace = _paces.get(key)
    if pace is None:
        pace = _paces[key] = Pace(name)
    return pace


class Pace:
    """Call `turn` before each call, then `answered` or `failed` after it.

    `turn` waits while the provider's limits or its last refusals say so, and raises `ProviderError` of kind not_sent
    once it has given up. Limits are token buckets: what is left, refilled evenly until the time of reset.
    """

    def __init__(self, name: str, *, sleep: Sleep = asyncio.sleep, now: Now = time.monotonic) -> None:
        self.name = name
        self._sleep = sleep
        self._now = now
        self._requests = _Bucket()
        self._tokens = _Bucket()
        self._not_before = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._failures = 0
        self._probes = 0
        self._probing = False
        self._ever_answered = False
        self._given_up: ProviderError | None = None
        self._given_up_until = 0.0

    async def turn(self, tokens: int) -> None:
        """Waits until a call of about so many tokens may go."""
        while True:
            if self._given_up is not None:
                if self._now() < self._given_up_until:
                    raise self._not_sent(self._given_up)
                self._given_up, self._probes = None, 0
            wait = self._wait_s(tokens)
            if wait <= 0.0:
                break
            await self._sleep(wait)
        self._requests.take(1.0)
        self._tokens.take(float(tokens))
        self._probing = self._failures >= _DOUBTFUL

    def answered(self, headers: Mapping[str, str]) -> None:
        """The call was answered; `headers` (names in lower case) may tell of limits."""
        self._ever_answered = True
        self._probing = False
        self._failures = self._probes = 0
        self._pause_s = _FIRST_PAUSE_S
        self._learn(headers)

    def failed(self, error: ProviderError) -> None:
        """The call failed. A request that was itself at fault says nothing of the provider."""
        probe, self._probing = self._probing, False
        if error.kind not in _TROUBLE:
            return
        self._failures += 1
        now = self._now()
        if error.kind in _DEAD and not self._ever_answered and error.kind != "connect":
            self._give_up(error)
        elif error.kind in ("rate_limit", "overloaded"):
            self._hold(error, now)
        elif error.kind == "connect" and not self._ever_answered and self._pause_s > _UNREACHABLE_S:
            self._give_up(error)
        elif error.kind == "connect" or self._failures >= _DOUBTFUL:
            self._pause(now)
        if probe:
            self._probes += 1
            if self._probes >= _PROBES:
                self._give_up(error)

    def _give_up(self, error: ProviderError) -> None:
        self._given_up, self._given_up_until = error, self._now() + _REST_S

    def _hold(self, error: ProviderError, now: float) -> None:
        if error.retry_after_s is None:
            self._pause(now)
        elif error.retry_after_s > _PATIENCE_S:
            self._give_up(error)
        else:
            self._not_before = max(self._not_before, now + error.retry_after_s)

    def _pause(self, now: float) -> None:
        """A growing pause; failures of calls that were in flight together count as one."""
        if now >= self._not_before:
            self._not_before = now + self._pause_s
            self._pause_s = min(_LONGEST_PAUSE_S, 2.0 * self._pause_s)

    def _wait_s(self, tokens: int) -> float:
        now = self._now()
        if now < self._not_before:
            # Not all at once when the time has come.
            return self._not_before - now + random.uniform(0.0, min(self._pause_s, _FIRST_PAUSE_S))
        if self._failures >= _DOUBTFUL and self._probing:
            return _POLL_S
        return max(self._requests.wait_s(1.0, now), self._tokens.wait_s(float(tokens), now))

    def _learn(self, headers: Mapping[str, str]) -> None:
        now = self._now()
        for prefix in ("x-ratelimit-", "anthropic-ratelimit-"):
            for what, bucket in (("requests", self._requests), ("tokens", self._tokens)):
                if prefix == "x-ratelimit-":
                    found = [headers.get(f"x-ratelimit-{word}-{what}") for word in ("limit", "remaining", "reset")]
                else:
                    found = [headers.get(f"{prefix}{what}-{word}") for word in ("limit", "remaining", "reset")]
                limit, remaining, reset = _number(found[0]), _number(found[1]), _reset_s(found[2])
                if limit is not None and remaining is not None and reset is not None:
                    bucket.fill(limit, remaining, reset, now)

    def _not_sent(self, error: ProviderError) -> ProviderError:
        said = str(error).removeprefix(f"{self.name}: ")
        return ProviderError(
            "not_sent",
            f"not asked any more after {self._failures} failures in a row, the last of them: {said}",
            provider=self.name,
            status=error.status,
        )


class _Bucket:
    """What is left of a limit, as the provider last said and as time has refilled it since. Unknown is no limit."""

    def __init__(self) -> None:
        self._limit = 0.0
        self._left: float | None = None
        self._rate = 0.0
        self._at = 0.0

    def fill(self, limit: float, left: float, reset_s: float, now: float) -> None:
        self._limit, self._left, self._at = limit, left, now
        self._rate = (limit - left) / reset_s if reset_s > 0.0 else float("inf")

    def take(self, amount: float) -> None:
        if self._left is not None:
            self._left -= amount

    def wait_s(self, amount: float, now: float) -> float:
        if self._left is None or self._rate <= 0.0:
            return 0.0
        left = min(self._limit, self._left + (now - self._at) * self._rate)
        need = min(amount, self._limit)  # more than the limit never fits: let the provider say so
        return 0.0 if left >= need else (need - left) / self._rate


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _reset_s(value: str | None) -> float | None:
    """Seconds until a limit is full again: `1s`, `6m0s`, `120ms` (OpenAI, Groq), seconds, or a moment (Anthropic)."""
    if not value:
        return None
    if parts := _DURATION.findall(value):
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        return max(0.0, (datetime.fromisoformat(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
