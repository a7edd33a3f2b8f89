"""What the server counts of its own doing."""

import bisect
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from boxscore.errors import BoxscoreError
from boxscore.server.metrics import Sample, counted

__all__ = ["Meters"]

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram, in seconds."""


class Meters:
    """Counters since the start. For the event loop's thread alone."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.open = 0
        self.began = time.time()
        self._acknowledged = [0] * (len(BOUNDS) + 1)
        self._acknowledged_s = 0.0
        self._waiting: dict[object, float] = {}  # in the order of arrival

    @contextmanager
    def acknowledging(self) -> Generator[None]:
        """Around the wait for a request's spans to be on disk."""
        key, began = object(), time.perf_counter()
        self._waiting[key] = began
        try:
            yield
        finally:
            del self._waiting[key]
        took = time.perf_counter() - began
        self._acknowledged[bisect.bisect_left(BOUNDS, took)] += 1
        self._acknowledged_s += took

    def refused(self, error: BoxscoreError) -> None:
        """A request with spans of which nothing was kept."""
        kind = getattr(error, "kind", None)
        self.refusals[kind if isinstance(kind, str) else error.code] += 1

    def samples(self) -> Iterator[Sample]:
        oldest = next(iter(self._waiting.values()), None)
        yield Sample("boxscore_queue_age_seconds", 0.0 if oldest is None else time.perf_counter() - oldest)
        yield Sample("boxscore_requests_open", self.open)
        yield Sample("boxscore_start_timestamp_seconds", self.began)
        yield from counted("boxscore_requests_total", self.statuses)
        yield from counted("boxscore_requests_refused_total", self.refusals)
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._acknowledged, strict=True):
            total += count
            yield Sample("boxscore_acknowledgement_seconds", total, bound, "_bucket")
        yield Sample("boxscore_acknowledgement_seconds", self._acknowledged_s, suffix="_sum")
        yield Sample("boxscore_acknowledgement_seconds", total, suffix="_count")
