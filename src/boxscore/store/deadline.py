"""How long a question may take: who asks says it, whatever works it out heeds it."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from boxscore.errors import TimeLimitError

__all__ = ["check", "exceeded", "until"]


class _Deadline(threading.local):
    at_s = float("inf")
    limit_s = float("inf")


_deadline = _Deadline()


@contextmanager
def until(at_s: float, limit_s: float) -> Generator[None]:
    """Inside, questions of this thread end at `at_s` (`time.monotonic`) with a `TimeLimitError` that names `limit_s`,
    the seconds that they were given."""
    before = _deadline.at_s, _deadline.limit_s
    _deadline.at_s, _deadline.limit_s = at_s, limit_s
    try:
        yield
    finally:
        _deadline.at_s, _deadline.limit_s = before


def check() -> None:
    """`TimeLimitError` when the time is over."""
    if time.monotonic() > _deadline.at_s:
        raise exceeded(_deadline.limit_s)


def exceeded(limit_s: float) -> TimeLimitError:
    return TimeLimitError(
        f"the question took longer than {limit_s:g} s: narrow it by time, by a filter or by a smaller limit.",
        limit_s=limit_s,
    )
