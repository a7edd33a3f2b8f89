"""Variants: everything that produced an answer here."""

from collections.abc import Sequence

import msgspec

from boxscore.experiments.history import History, VariantEntry
from boxscore.server.api.parameters import Cursor, Limit, Project
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]


class VariantPage(msgspec.Struct, frozen=True, kw_only=True):
    """Variants by hash; `cursor` asks for those after them, None when there are none."""

    items: Sequence[VariantEntry]
    cursor: str | None


def add(api: Api, service: Service) -> None:
    @api.get("/variants", answer=VariantPage, right="read")
    def variants(project: Project, limit: Limit = 50, cursor: Cursor = None) -> VariantPage:
        """Variants that were run, by their hash."""
        items, following = History(service.records.of(project)).variants(limit=limit, cursor=cursor)
        return VariantPage(items=items, cursor=following)

    @api.get("/variants/{hash}", answer=VariantEntry, right="read", errors=(404,))
    def variant(project: Project, hash: str) -> VariantEntry:
        """What the hash was computed from: prompt, model, parameters; never a secret."""
        return History(service.records.of(project)).variant(hash)
