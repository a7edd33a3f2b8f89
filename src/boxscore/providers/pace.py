"""How fast a provider may be asked: learned from its headers and from what it refuses.

One pace per account and model, shared by all that ask there. It waits, and it gives up where asking is of no use; it
never asks again by itself.
"""

import asyncio
import math
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple
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
_PROBES = 6
"""Failures of such tries after which nothing more is asked."""
_UNREACHABLE_S = 2.0
"""Who could not be reached after pauses that grew so long, and never was, is not there."""
_REST_S = 60.0
"""How long nothing is asked after giving up; then one call tries again."""
_DEAD = frozenset({"auth", "quota", "not_found", "connect"})
"""What the next call would meet as well: where nothing has ever worked, nothing more is asked."""
_TROUBLE = _DEAD | {"timeout", "rate_limit", "overloaded", "server", "cut", "bad_answer"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_HEADERS = {
    what: tuple(
        (form % "limit", form % "remaining", form % "reset")
        for form in (f"x-ratelimit-%s-{what}", f"anthropic-ratelimit-{what}-%s")
    )
    for what in ("requests", "tokens")
}
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
    """Put each call inside `async with pace.turn(tokens) as told:`, and give `told` the headers of its answer.

    A turn waits while the provider's limits or its last refusals say so, and raises `ProviderError` of kind not_sent
    once there is no use in asking. Limits are token buckets: what is left, refilled evenly until the time of reset.
    Where they are not told, calls at once are as many as the provider takes: a refusal halves them, answers make them
    more again (slow start and additive increase, as in Jacobson, "Congestion avoidance and control", 1988).
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
        self._in_flight = 0
        self._begun = 0
        self._seen = 0
        self._at_once = self._careful_from = math.inf
        self._waiting: list[asyncio.Future[None]] = []
        self._ever_answered = False
        self._given_up: tuple[str, int | None] | None = None
        self._given_up_until = 0.0

    def turn(self, tokens: int) -> "Turn":
        """One call of about so many tokens. A `ProviderError` that leaves the block is its failure; a request that was
        itself at fault says nothing of the provider."""
        return Turn(self, tokens)

    async def come(self, tokens: int) -> "Ticket":
        """Waits until the call may begin. `leave` follows in every case."""
        await self._come(tokens)
        self._begun += 1
        self._in_flight += 1
        return Ticket(self._begun, self._doubtful, self._requests.taken, self._tokens.taken)

    def leave(self, ticket: "Ticket", error: BaseException | None) -> None:
        if error is None:
            self._answered()
        elif isinstance(error, ProviderError) and error.kind in _TROUBLE:
            self._failed(error, ticket.number, ticket.probe)
        self._in_flight -= 1
        if self._waiting:
            self._wake()

    def learn(self, ticket: "Ticket", headers: Mapping[str, str]) -> None:
        """What an answer says is of the time when its call came in: what was taken since is no longer left."""
        now = self._now()
        for what, bucket, taken in (
            ("requests", self._requests, ticket.requests),
            ("tokens", self._tokens, ticket.tokens),
        ):
            for limit_name, left_name, reset_name in _HEADERS[what]:
                if limit_name not in headers:
                    continue
                limit, left = _number(headers[limit_name]), _number(headers.get(left_name))
                reset = _reset_s(headers.get(reset_name))
                if limit is not None and left is not None and reset is not None:
                    bucket.fill(limit, left, reset, now, taken)

    @property
    def _doubtful(self) -> bool:
        return self._failures >= _DOUBTFUL

    async def _come(self, tokens: int) -> None:
        while True:
            if self._given_up is not None:
                if self._now() < self._given_up_until:
                    raise self._not_sent(*self._given_up)
                self._given_up, self._probes = None, 0
            wait = self._wait_s(tokens)
            if wait > 0.0:
                await self._sleep(wait)
            elif self._in_flight >= self._at_once:
                landed = asyncio.get_running_loop().create_future()
                self._waiting.append(landed)
                await landed
            else:
                break
        self._requests.take(1.0)
        self._tokens.take(float(tokens))

    def _wake(self) -> None:
        """Those that wait may be of another thread's loop, or of one that is over."""
        waiting, self._waiting = self._waiting, []
        for landed in waiting:
            with suppress(RuntimeError):
                landed.get_loop().call_soon_threadsafe(_settle, landed)

    def _answered(self) -> None:
        self._ever_answered = True
        self._failures = self._probes = 0
        self._pause_s = _FIRST_PAUSE_S
        self._at_once += 1.0 if self._at_once < self._careful_from else 1.0 / self._at_once

    def _failed(self, error: ProviderError, number: int, probe: bool) -> None:
        self._failures += 1
        news = number > self._seen  # calls that were in flight together fail together, and count as one
        if error.kind in ("rate_limit", "overloaded"):
            self._hold(error, news)
        elif error.kind in _DEAD and not self._ever_answered:
            if error.kind != "connect" or self._pause_s > _UNREACHABLE_S:
                self._give_up(error)
            elif news:
                self._pause()
        elif news and (error.kind == "connect" or self._doubtful):
            self._pause()
        if self._doubtful:
            self._at_once = 1.0
        if probe:
            self._probes += 1
            if self._probes >= _PROBES:
                self._give_up(error)

    def forgive(self) -> None:
        """Forgets what went wrong, for who comes back after all have left: the provider may be well again."""
        if not self._in_flight:
            self._given_up, self._not_before, self._pause_s = None, 0.0, _FIRST_PAUSE_S
            self._failures = self._probes = 0
            self._at_once = self._careful_from = math.inf

    def _give_up(self, error: ProviderError) -> None:
        said = str(error).removeprefix(f"{self.name}: ")  # not the error: it holds the frames it came through
        self._given_up, self._given_up_until = (said, error.status), self._now() + _REST_S
        self._at_once = 1.0

    def _hold(self, error: ProviderError, news: bool) -> None:
        if news:
            self._at_once = self._careful_from = max(1.0, min(self._at_once, self._in_flight) / 2.0)
        if error.retry_after_s is not None and error.retry_after_s > _PATIENCE_S:
            self._give_up(error)
        elif error.retry_after_s is not None:
            self._not_before = max(self._not_before, self._now() + error.retry_after_s)
            self._seen = self._begun
        elif news:
            self._pause()

    def _pause(self) -> None:
        self._seen = self._begun
        self._not_before = max(self._not_before, self._now() + self._pause_s)
        self._pause_s = min(_LONGEST_PAUSE_S, 2.0 * self._pause_s)

    def _wait_s(self, tokens: int) -> float:
        now = self._now()
        if now < self._not_before:
            # Not all at once when the time has come.
            return self._not_before - now + random.uniform(0.0, min(self._pause_s, _FIRST_PAUSE_S))
        wait = max(self._requests.wait_s(1.0, now), self._tokens.wait_s(float(tokens), now))
        if wait > _PATIENCE_S:
            raise ProviderError(
                "not_sent",
                f"not asked, because by its own limits the next call may go in {wait:,.0f} s; try again then, or "
                "raise your limits there.",
                provider=self.name,
            )
        return wait

    def _not_sent(self, said: str, status: int | None) -> ProviderError:
        after = f"{self._failures} calls in a row failed, the last of them" if self._failures > 1 else "a call failed"
        return ProviderError("not_sent", f"not asked any more after {after}: {said}", provider=self.name, status=status)


class Ticket(NamedTuple):
    """What was so when a call came in: its number, whether it tries if the provider is back, and what was taken of the
    limits."""

    number: int
    probe: bool
    requests: float
    tokens: float


class Turn:
    """One call of a pace, as a context."""

    __slots__ = ("_pace", "_ticket", "_tokens")

    def __init__(self, pace: Pace, tokens: int) -> None:
        self._pace = pace
        self._tokens = tokens
        self._ticket = Ticket(0, False, 0.0, 0.0)

    async def __aenter__(self) -> Callable[[Mapping[str, str]], None]:
        self._ticket = await self._pace.come(self._tokens)
        return self._told

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pace.leave(self._ticket, error)

    def _told(self, headers: Mapping[str, str]) -> None:
        self._pace.learn(self._ticket, headers)


def _settle(landed: "asyncio.Future[None]") -> None:
    if not landed.done():
        landed.set_result(None)


class _Bucket:
    """What is left of a limit, as the provider last said and as time has refilled it since. Unknown is no limit."""

    def __init__(self) -> None:
        self.taken = 0.0
        self._limit = 0.0
        self._left: float | None = None
        self._rate = 0.0
        self._at = 0.0

    def fill(self, limit: float, left: float, reset_s: float, now: float, taken: float) -> None:
        self._limit, self._left, self._at = limit, left - (self.taken - taken), now
        self._rate = (limit - left) / reset_s if reset_s > 0.0 else float("inf")

    def take(self, amount: float) -> None:
        self.taken += amount
        if self._left is not None:
            self._left -= amount

    def wait_s(self, amount: float, now: float) -> float:
        if self._left is None or self._rate <= 0.0:
            return 0.0
        left = min(self._limit, self._left + (now - self._at) * self._rate)
        need = min(amount, self._limit)  # more than the limit never fits: let the provider say so
        return 0.0 if left > need - 1e-6 else (need - left) / self._rate


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
