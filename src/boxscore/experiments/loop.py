"""An event loop of one's own, for the faces that are not asynchronous."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def run_alone(coroutine: Coroutine[object, object, T]) -> T:
    """As `asyncio.run`, which writes its task's result out in full to restore the handler of Ctrl-C: a run of a
    thousand answers takes it a tenth of a second and 10 MB. So the result goes beside the task."""
    result: list[T] = []

    async def kept() -> None:
        result.append(await coroutine)

    asyncio.run(kept())
    return result[0]
