"""Signing in: passwords are checked one at a time, behind everything else, and wrong ones may not come often."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from boxscore.errors import BusyError, TooManyTriesError, UnauthenticatedError
from boxscore.governance.people import People
from boxscore.governance.tries import Tries
from boxscore.governance.users import User

__all__ = ["SignIn"]

WAITING = 8
"""Checks that may wait for their turn; each takes a tenth of a second and 64 MB."""
_NICE = 10

Found = TypeVar("Found")


class SignIn:
    """For one event loop."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._tries = Tries(people.monotonic)
        self._waiting = 0
        self._pool = ThreadPoolExecutor(1, "boxscore-password", initializer=_step_back)

    async def check(self, name: str, password: str, address: str) -> User:
        """The person with that name and password. `UnauthenticatedError` for a wrong one, `TooManyTriesError` where
        the name or the address was wrong too often to be heard now."""
        return await self._tried(
            (f"name {name[:100].casefold()}", f"address {address}"), lambda: self._people.users.check(name, password)
        )

    async def redeem(self, taken: Callable[[], Found], address: str) -> Found:
        """What a one-time link gives, with the limits of passwords."""
        return await self._tried((f"address {address}",), taken)

    async def hash(self, work: Callable[[], Found]) -> Found:
        """What computes a password's hash, in its turn. `BusyError` where too many wait."""
        if self._waiting >= WAITING:
            raise BusyError("too many passwords are being checked", retry_after_s=2.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _tried(self, whom: Sequence[str], work: Callable[[], Found]) -> Found:
        if (wait_s := self._tries.wait_s(whom)) > 0:
            raise TooManyTriesError(retry_after_s=wait_s)
        self._tries.wrong(whom)  # until it turns out right: many at once are many
        try:
            found = await self.hash(work)
        except UnauthenticatedError:
            raise
        except BaseException:
            self._tries.undo(whom)
            raise
        self._tries.right(whom)
        return found


def _step_back() -> None:
    """The thread, and those that argon2 starts from it, give way to spans and questions. Linux alone has priorities by
    thread."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
