"""What one request, one connection and one question may take."""

from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from boxscore.errors import BusyError

__all__ = ["Budget", "Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, seconds and numbers.

    `body_bytes`: of a request's body, as sent and again after decompression. `bodies_bytes`: of all bodies that are
    being received; `waiting_bytes`: of those whose spans are not on disk yet; `answers_bytes`: of all long answers that
    are being sent. `questions` are answered at once, `questions_waiting` may wait; `streams` of events may be open.

    `header_s` and `body_s`: a request has that long to send its headers, and then its body; `idle_s`: a connection
    stays open between two requests; `stall_s`: an answer may go without being read; `question_s`: a question may take;
    `stop_s`: requests under way have that long when the server stops.

    `reserve_bytes` of the disk stay free, or that share of it where it is less: what would fill it is refused, so that
    deleting still works.
    """

    body_bytes: int = 32 * 1024 * 1024
    bodies_bytes: int = 96 * 1024 * 1024
    waiting_bytes: int = 64 * 1024 * 1024
    answers_bytes: int = 64 * 1024 * 1024
    header_bytes: int = 64 * 1024
    connections: int = 2_000
    questions: int = 4
    questions_waiting: int = 64
    streams: int = 100
    header_s: float = 10.0
    body_s: float = 60.0
    idle_s: float = 75.0
    stall_s: float = 30.0
    question_s: float = 10.0
    stop_s: float = 10.0
    reserve_bytes: int = 1_000_000_000
    reserve_share: float = 0.05


class Budget:
    """Bytes that may be held at once, over all requests. For one event loop; nobody waits for it: who finds no room is
    sent away with a `BusyError`."""

    def __init__(self, most: int, what: str) -> None:
        self.most = most
        self.used = 0
        self._what = what

    def take(self, size: int) -> None:
        if self.used and self.used + size > self.most:
            raise BusyError(f"{self._what} take all the memory that is set aside for them", retry_after_s=1.0)
        self.used += size

    def give_back(self, size: int) -> None:
        self.used -= size

    @contextmanager
    def holding(self, size: int) -> Generator[None]:
        self.take(size)
        try:
            yield
        finally:
            self.give_back(size)
