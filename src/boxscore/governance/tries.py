"""How often somebody may be wrong: each try beyond a few has to wait longer than the one before."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Tries"]

FREE = 5
FIRST_S, LONGEST_S = 1.0, 300.0
FORGOTTEN_S = 3_600.0
MOST = 10_000


class _Wrong(NamedTuple):
    times: int
    last: float

    @property
    def wait_s(self) -> float:
        return 0.0 if self.times < FREE else min(LONGEST_S, FIRST_S * 2.0 ** min(self.times - FREE, 16))


class Tries:
    """Wrong tries by what was tried: a name, an address. A try that comes too early is not counted, so that a name is
    not locked for good by somebody who goes on and on. Holds `MOST` at most; then the oldest is forgotten. For one
    event loop."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()

    def wait_s(self, whom: Sequence[str]) -> float:
        """Seconds until the next try may be made for all of these; 0 for now."""
        now = self._monotonic()
        return max((self._left(one, now) for one in whom), default=0.0)

    def wrong(self, whom: Sequence[str]) -> None:
        now = self._monotonic()
        for one in whom:
            known = self._wrong.pop(one, None)
            times = 0 if known is None or now - known.last > FORGOTTEN_S else known.times
            self._wrong[one] = _Wrong(times + 1, now)
        while len(self._wrong) > MOST:
            self._wrong.popitem(last=False)

    def undo(self, whom: Sequence[str]) -> None:
        """The last `wrong` of each was none: nothing was tried."""
        for one in whom:
            if (known := self._wrong.get(one)) is not None:
                self._wrong[one] = known._replace(times=known.times - 1)

    def right(self, whom: Sequence[str]) -> None:
        for one in whom:
            self._wrong.pop(one, None)

    def __len__(self) -> int:
        return len(self._wrong)

    def _left(self, one: str, now: float) -> float:
        known = self._wrong.get(one)
        return 0.0 if known is None else max(0.0, known.last + known.wait_s - now)
