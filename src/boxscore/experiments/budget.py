"""A spend cap that holds under concurrency."""

import asyncio
from decimal import Decimal

from boxscore.errors import SpecError


class Budget:
    """Money that may be spent, in US dollars; `cap_usd` None is no limit. One event loop, any number of runs.

    Before a call the mean cost so far is set aside; a call starts only while all that is spent and set aside stays
    within the cap. What is spent passes the cap by no more than the calls in flight cost above that mean. Raises
    `SpecError` for a cap that is not above 0.
    """

    def __init__(self, cap_usd: Decimal | float | None) -> None:
        if cap_usd is not None and not float(cap_usd) > 0:  # what is no number caps nothing
            raise SpecError(f"must be above 0 dollars, and is {cap_usd}.", key="spend_cap_usd")
        self.cap_usd = None if cap_usd is None else Decimal(str(cap_usd))
        self.spent_usd = Decimal(0)
        self._priced = 0
        self._in_flight = 0
        self._changed = asyncio.Event()

    async def reserve(self) -> bool:
        """Waits until one more call fits, or says that none ever will. After True comes one `settle`."""
        while not self._fits():
            if self._in_flight == 0 or self._used_up():
                return False
            # A call in flight may turn out cheaper than what was set aside for it.
            self._changed.clear()
            await self._changed.wait()
        self._in_flight += 1
        return True

    def settle(self, cost_usd: Decimal | None) -> None:
        """The call is over and cost this much; None: nothing is known of it."""
        self._in_flight -= 1
        if cost_usd is not None:
            self._priced += 1
            self.spent_usd += cost_usd
        self._changed.set()

    def already_spent(self, spent_usd: Decimal, calls: int) -> None:
        """Counts what an earlier sitting of the same run paid."""
        self.spent_usd += spent_usd
        self._priced += calls

    def _used_up(self) -> bool:
        return self.cap_usd is not None and self.spent_usd >= self.cap_usd

    def _fits(self) -> bool:
        if self.cap_usd is None:
            return True
        mean = self.spent_usd / self._priced if self._priced else Decimal(0)
        return not self._used_up() and self.spent_usd + mean * (self._in_flight + 1) <= self.cap_usd
