"""Parcels on their way to the server: in memory while it answers, on disk while it does not.

One thread sends, the oldest first. What comes in while the server is away, or slower than what is made, is appended to
the spool and sent when it is back.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable

from boxscore.sdk.notices import tell
from boxscore.sdk.parcel import Kind, Parcel, Tally
from boxscore.sdk.post import Outcome
from boxscore.sdk.spool import Segment, Spool
from boxscore.sdk.wake import Wake

__all__ = ["Outbox", "Sending"]

MEMORY_BYTES = 12 * 1024 * 1024
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_LOOK_S = 60.0  # for what processes that are gone have left

Sending = Callable[[Parcel, float | None], Outcome]
"""Sends a parcel within a number of seconds, or the usual number; never raises."""


class Outbox:
    """`send` is called by one thread at a time. Without a spool, memory is all there is, and the oldest goes first."""

    def __init__(self, send: Sending, spool: Spool | None, tally: Tally) -> None:
        self._send = send
        self._spool = spool
        self._tally = tally
        if spool is not None:
            spool.dropped = self._gone
        self.reset()

    def reset(self) -> None:
        """As it was at first. After a fork, what waited is the parent's."""
        self._lock = threading.RLock()  # of all below and of the spool; never held while sending
        self._settled = threading.Condition(self._lock)
        self._sending = threading.Lock()
        self._wake = Wake()
        self._memory: deque[Parcel] = deque()
        self._bytes = 0
        self._segment: Segment | None = None
        self._spooling = False  # what comes in goes to disk, behind what is there
        self._sleeps_until = 0.0
        self._wait_s = 0.0
        self._failures = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def forget(self) -> None:
        """After a fork."""
        segment = self._segment
        if segment is not None:
            segment.close()
        if self._spool is not None:
            self._spool.forget()
        self.reset()

    def put(self, parcel: Parcel) -> None:
        """Takes a parcel; does not wait for the network."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._start()
            spooled = self._spool is not None and (
                self._closed or self._spooling or self._bytes + len(parcel.body) > MEMORY_BYTES
            )
            if not (spooled and self._keep(parcel)):
                self._memory.append(parcel)
                self._bytes += len(parcel.body)
                while self._bytes > MEMORY_BYTES or (self._closed and self._memory):
                    self._lose(self._memory.popleft())
        self._wake.set()

    @property
    def reaches(self) -> bool:
        """Whether the server answered when it was last asked."""
        return self._wait_s == 0.0

    def flush(self, deadline: float, *, leave: bool = False) -> bool:
        """Waits until all was answered; False when the server did not take it until `deadline` (monotonic). With
        `leave`, nothing more is sent after it, and what is left goes to the spool."""
        with self._lock:
            self._sleeps_until = 0.0  # one more try, now
            failures = self._failures
            alone = self._thread is None or not self._thread.is_alive()
        self._wake.set()
        if alone:
            while time.monotonic() < deadline and self._step(deadline):
                pass
        with self._lock:
            while not self._is_empty() and self._failures == failures and not alone:
                left = deadline - time.monotonic()
                if left <= 0 or not self._settled.wait(left):
                    break
            done = self._is_empty()
            if leave:
                self._leave()
        return done

    def _start(self) -> None:
        self._spooling = self._spool is not None and self._spool.holds_any()
        self._thread = threading.Thread(target=self._run, name="boxscore-sender", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is ending, or the process may have no more threads
            self._thread = None

    def _run(self) -> None:
        while not self._closed:
            try:
                if not self._step(None):
                    with self._lock:
                        wait = self._sleeps_until - time.monotonic() if self._sleeps_until else _LOOK_S
                    self._wake.wait(wait)
            except Exception as error:  # noqa: BLE001 - this thread has nobody to raise to, and must not end
                tell("sender", f"sending failed inside Boxscore and goes on: {type(error).__name__}: {error}")
                time.sleep(_FIRST_WAIT_S)

    def _step(self, deadline: float | None) -> bool:
        """Sends one parcel; False when there is none, or it is not yet time."""
        with self._sending:
            with self._lock:
                if self._closed or time.monotonic() < self._sleeps_until:
                    return False
                parcel = self._next()
                if parcel is None:
                    self._settled.notify_all()
                    return False
            timeout_s = None if deadline is None else max(deadline - time.monotonic(), 0.001)
            outcome = self._send(parcel, timeout_s)
            with self._lock:
                self._settle(parcel, outcome)
                self._settled.notify_all()
            return outcome.kind != "later"

    def _next(self) -> Parcel | None:
        """The oldest parcel. What is in memory was there before what was spooled since."""
        if self._memory:
            return self._memory[0]
        while self._spool is not None:
            if self._segment is None:
                self._segment = self._spool.oldest()
                if self._segment is None:
                    break
            parcel = self._segment.next()
            if parcel is not None:
                return parcel
            self._segment.remove()
            self._segment = None
        self._spooling = False
        return None

    def _settle(self, parcel: Parcel, outcome: Outcome) -> None:
        if self._closed:
            return
        if outcome.kind == "later":
            self._back_off(outcome)
            self._spool_all()
            return
        self._wait_s = self._sleeps_until = 0.0
        if self._memory and self._memory[0] is parcel:
            self._memory.popleft()
            self._bytes -= len(parcel.body)
        elif self._segment is not None:
            self._segment.advance(parcel)
            self._tally.add(parcel.kind, "spooled", -parcel.count)
        self._tally.add(parcel.kind, "acknowledged", parcel.count - outcome.refused)
        self._tally.add(parcel.kind, "refused", outcome.refused)
        if outcome.refused:
            tell("refused", f"{outcome.refused} of {parcel.count} {parcel.kind} were refused for good: {outcome.why}")

    def _back_off(self, outcome: Outcome) -> None:
        self._failures += 1
        self._wait_s = min(max(_FIRST_WAIT_S, self._wait_s * 2), _LONGEST_WAIT_S)
        wait = max(self._wait_s * random.uniform(0.8, 1.2), outcome.wait_s or 0.0)
        self._sleeps_until = time.monotonic() + wait
        where = "they wait on disk" if self._spool is not None else "they wait in memory"
        tell("away", f"spans and scores cannot be sent now ({outcome.why}); {where} and the application goes on.")

    def _spool_all(self) -> None:
        """From memory to disk: should this process end now, another one will send it."""
        if self._spool is None or not self._memory:
            return
        self._spool.rotate()  # what is there is younger
        while self._memory and self._keep(self._memory[0]):
            self._bytes -= len(self._memory.popleft().body)
        self._spool.rotate()
        self._spooling = True

    def _keep(self, parcel: Parcel) -> bool:
        """Appends to the spool."""
        assert self._spool is not None  # noqa: S101
        try:
            self._spool.append(parcel)
        except OSError as error:
            said = error.strerror or str(error)
            tell("spool", f"nothing can be kept in {self._spool.folder}: {said}; spans wait in memory instead.")
            return False
        self._spooling = True
        self._tally.add(parcel.kind, "spooled", parcel.count)
        return True

    def _gone(self, kind: Kind, count: int) -> None:
        self._tally.add(kind, "spooled", -count)
        self._tally.add(kind, "dropped", count)
        tell("dropped", "the server has been away for so long that the oldest spans were dropped.")

    def _lose(self, parcel: Parcel) -> None:
        self._bytes -= len(parcel.body)
        self._tally.add(parcel.kind, "dropped", parcel.count)
        tell("dropped", "the server is away, the disk takes nothing, and memory is full: the oldest was dropped.")

    def _leave(self) -> None:
        self._closed = True
        self._spool_all()
        while self._memory:
            self._lose(self._memory.popleft())
        if self._spool is not None:
            self._spool.rotate()

    def _is_empty(self) -> bool:
        return not self._memory and not self._spooling
