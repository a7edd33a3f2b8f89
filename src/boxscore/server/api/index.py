"""The API about itself."""

from boxscore.server.api.routes import Api
from boxscore.server.schema import describe
from boxscore.server.service import Service
from boxscore.types import Json

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    @api.get("/openapi.json", answer=dict[str, Json], right="none")
    def openapi() -> dict[str, Json]:
        """This description."""
        return describe(api)
