"""Locks between processes that the kernel lets go of when their holder dies."""

import contextlib
import os
from pathlib import Path
from types import TracebackType

from boxscore.writing import make_private

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there, two processes may do the same work twice
    fcntl = None


class FileLock:
    """An exclusive lock on the file at `path`; the file stays, empty.

    As a context manager it waits for the lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, *, wait: bool) -> bool:
        """True when the lock is ours now; without `wait`, False when another process or another holder here has it."""
        make_private(self.path.parent)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Lets go; without effect when it is not held."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with contextlib.suppress(OSError):  # whatever it says: a file without content is let go of
                os.close(handle)

    def __enter__(self) -> "FileLock":
        self.acquire(wait=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
