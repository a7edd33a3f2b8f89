"""Room on the disk: writing stops while there is some left, so that reading and deleting go on."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from boxscore.server.limits import Limits

__all__ = ["Room"]

LOOK_S = 1.0


class Room:
    """The disk of a folder, looked at once a second at most: it counts again as soon as there is room."""

    def __init__(self, folder: Path, limits: Limits, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._limits = limits
        self._clock_s = clock_s
        self._looked = float("-inf")
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """Why nothing more is written, None while there is room."""
        now = self._clock_s()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._problem = self._look()
        return self._problem

    def reserve(self, total: int) -> int:
        """Bytes that stay free on a disk of so many."""
        return int(min(self._limits.reserve_bytes, total * self._limits.reserve_share))

    def _look(self) -> str | None:
        try:
            disk = shutil.disk_usage(self._folder)
        except OSError as error:
            return f"the disk of {self._folder} cannot be asked for its room: {error.strerror}."
        reserve = self.reserve(disk.total)
        if disk.free >= reserve:
            return None
        return (
            f"the disk of {self._folder} has {disk.free / 1e6:,.0f} MB left, and {reserve / 1e6:,.0f} MB stay free: "
            "nothing more is written until there is room. Reading and deleting go on; what was acknowledged is kept."
        )
