"""Asking the Boxscore server: the one at `BOXSCORE_URL`, else the one that serves the folder."""

from typing import TypeVar, cast

from boxscore.client.call import Address, Call, ask, path, send
from boxscore.client.link import Link
from boxscore.types import Json

__all__ = ["Asking"]

Found = TypeVar("Found")


class Asking:
    """Answers as the server gives them. It is looked for at every question: it may start later, or move. Close it."""

    def __init__(self) -> None:
        self._link: Link | None = None

    async def get(self, *parts: str, **asked: Json) -> Json:
        """The JSON at the path of these parts; what is None is not asked."""
        return cast(Json, await self._ask(ask(object, path(*parts), **asked)))

    async def text(self, *parts: str) -> str:
        """An answer that is text."""
        return (await self._ask(ask(bytes, path(*parts)))).decode()

    async def post(self, body: Json, *parts: str) -> Json:
        return cast(Json, await self._ask(send(object, path(*parts), body)))

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()

    async def _ask(self, call: Call[Found]) -> Found:
        address = Address.of(None)
        if self._link is None or self._link.address != address:
            await self.close()
            self._link = Link(address)
        return await self._link.ask(call)
