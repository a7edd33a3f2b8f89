"""The record of writes: who did what to what, when, and what they were told. No secret and no text of a model is in
it."""

import secrets
import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from boxscore.errors import UsageError
from boxscore.store.records.identity import AuditRow, Identity
from boxscore.store.records.rows import time_cell

__all__ = ["Audit", "AuditPage", "Entry"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`actor` is "local", "user NAME" or "key ID"; `action` the route, as in "POST /keys"; `object` its address;
    `outcome` the HTTP status that was answered. `project` is None for what is of the server."""

    id: str
    at: datetime
    project: str | None
    actor: str
    action: str
    object: str
    outcome: int


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[Entry]
    cursor: str | None


class Audit:
    def __init__(self, store: Identity, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def note(self, actor: str, action: str, object: str, outcome: int, *, project: str | None) -> None:
        """Returns when it is on disk."""
        await self._store.add_audit_async(self._row(actor, action, object, outcome, project))

    def note_now(self, actor: str, action: str, object: str, outcome: int, *, project: str | None) -> None:
        """The same for a thread."""
        self._store.add_audit(self._row(actor, action, object, outcome, project))

    def page(self, project: str | None, *, cursor: str | None = None, limit: int = 100) -> AuditPage:
        """The newest first; of the server itself where `project` is None."""
        before: tuple[str, str] | None = None
        if cursor is not None:
            at, separator, id = cursor.partition("~")
            if not separator:
                raise UsageError("the cursor is none that this list gave.")
            before = at, id
        found = self._store.audit(project, before=before, limit=limit)
        last = found[-1] if len(found) == limit else None
        return AuditPage(
            items=[
                Entry(
                    id=row.id,
                    at=row.at,
                    project=row.project_id,
                    actor=row.actor,
                    action=row.action,
                    object=row.object,
                    outcome=row.outcome,
                )
                for row in found
            ],
            cursor=None if last is None else f"{time_cell(last.at)}~{last.id}",
        )

    def _row(self, actor: str, action: str, object: str, outcome: int, project: str | None) -> AuditRow:
        return AuditRow(
            id=f"a_{time.time_ns():016x}{secrets.token_hex(3)}",  # in order, where times are equal
            at=self._clock(),
            project_id=project,
            actor=actor,
            action=action[:64],
            object=object[:500],
            outcome=outcome,
        )
