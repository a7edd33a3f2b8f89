"""What scans keep in memory of stripes that they read: the next question mostly asks for the same columns and rows."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import numpy as np

LIMIT = 32 * 2**20
"""Bytes, in all files together."""
_BESIDE = 400
"""About what an item takes beside its bytes."""

Item = TypeVar("Item")


class Kept:
    """Items by a key that says all that they depend on; those go that were not asked for longest."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._items: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, key: Hashable, make: Callable[[], Item]) -> Item:
        """What is kept, or else is made and kept. It is not to be written to."""
        with self._lock:
            found = self._items.get(key)
            if found is not None:
                self._items.move_to_end(key)
                return cast(Item, found[0])
        made = make()
        size = _BESIDE + _bytes(made)
        with self._lock:
            if key not in self._items:
                self._items[key] = (made, size)
                self._bytes += size
            while self._bytes > self._limit:
                _, (_, gone) = self._items.popitem(last=False)
                self._bytes -= gone
        return made


def _bytes(item: object) -> int:
    if isinstance(item, np.ndarray):
        return cast("np.ndarray[tuple[int, ...], np.dtype[np.generic]]", item).nbytes
    if isinstance(item, tuple):
        return sum(_bytes(part) for part in cast("tuple[object, ...]", item))
    return len(item) if isinstance(item, bytes) else 0


KEPT = Kept()
