"""The API about itself."""

from functools import cache

import msgspec

from boxscore import __version__
from boxscore.client.forms import encode
from boxscore.server.api.routes import PREFIX, Api
from boxscore.server.schema import describe
from boxscore.server.service import Service
from boxscore.types import Json

__all__ = ["add"]


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """What this is. `description` is the address of the OpenAPI document."""

    name: str
    version: str
    description: str


def add(api: Api, service: Service) -> None:
    @cache
    def described() -> bytes:
        return encode(describe(api))

    @api.get("", answer=Index, right="none")
    async def index() -> Index:
        """What this is, and where its description is."""
        return Index(name="Boxscore", version=__version__, description=f"{PREFIX}/openapi.json")

    @api.get("/openapi.json", answer=dict[str, Json], right="none")
    def openapi() -> bytes:
        """This description."""
        return described()
