"""What is sent in one request, and the counts of what became of it."""

import threading
from typing import Literal

import msgspec

__all__ = ["Counts", "Kind", "Parcel", "Tally"]

Kind = Literal["spans", "scores"]


class Parcel(msgspec.Struct, frozen=True):
    """The body of one request: `count` spans or scores, made into bytes at `made_ns` (nanoseconds since 1970)."""

    kind: Kind
    count: int
    made_ns: int
    body: bytes


class Counts(msgspec.Struct, frozen=True):
    """What became of the spans, or the scores, of this process: `made` = `acknowledged` + `refused` (by the server, for
    good) + `spooled` + `dropped` + what waits in memory. `spooled` is what was put on disk less what was taken from
    there, so below nothing in a process that sends what others left. A span is made when it is encoded, a moment after
    its end."""

    made: int = 0
    acknowledged: int = 0
    refused: int = 0
    spooled: int = 0
    dropped: int = 0


Fate = Literal["made", "acknowledged", "refused", "spooled", "dropped"]


class Tally:
    """Counts that several threads add to. Its lock may be taken again by the thread that has it, for a span can end
    wherever Python collects garbage."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = threading.RLock()
        self._counts: dict[tuple[Kind, Fate], int] = {}

    def add(self, kind: Kind, fate: Fate, count: int) -> None:
        with self._lock:
            self._counts[kind, fate] = self._counts.get((kind, fate), 0) + count

    def of(self, kind: Kind) -> Counts:
        with self._lock:
            return Counts(**{fate: count for (which, fate), count in self._counts.items() if which == kind})
