"""A signal to a thread that may be given from anywhere, from a finaliser that interrupts another signal too."""

import threading
from contextlib import suppress

__all__ = ["Wake"]


class Wake:
    """As `threading.Event` with one waiter that clears it; made of one bare lock, whose operations cannot be
    interrupted half-way: `Event.set` holds a lock that the same thread may come to ask for while it collects
    garbage."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        with suppress(RuntimeError):  # it is set
            self._lock.release()

    def wait(self, timeout_s: float | None = None) -> bool:
        """True when it was set before `timeout_s` seconds were over."""
        return self._lock.acquire(timeout=-1 if timeout_s is None else max(timeout_s, 0.0))
