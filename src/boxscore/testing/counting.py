"""Clocks and ids that count."""

from datetime import UTC, datetime, timedelta


class CountingClock:
    """A clock that moves by `step_s` seconds each time that it is asked, and by `advance`; it never looks at the real
    time.

    >>> clock = CountingClock()
    >>> clock().isoformat(), clock().isoformat()
    ('2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00')
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, step_s: float = 1.0) -> None:
        self.now = start
        self._step = timedelta(seconds=step_s)

    def __call__(self) -> datetime:
        now = self.now
        self.now += self._step
        return now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class CountingIds:
    """Ids that count from 1.

    >>> ids = CountingIds("run")
    >>> ids(), ids()
    ('run-1', 'run-2')
    """

    def __init__(self, prefix: str = "id") -> None:
        self.prefix = prefix
        self.last = 0

    def __call__(self) -> str:
        self.last += 1
        return f"{self.prefix}-{self.last}"
