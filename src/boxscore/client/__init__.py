"""A server's API in Python: `Client`, and `AsyncClient` for event loops, from one core."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boxscore.client.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> object:
    """Both when first asked for: what asks about spans alone does without the rest."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from boxscore.client import client

    return getattr(client, name)
