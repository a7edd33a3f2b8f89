"""Requests that were made with an idempotency key, and what they were answered."""

from datetime import datetime

import msgspec

from boxscore.store.records.backend import Database
from boxscore.store.records.rows import Cell, rows, time_cell

__all__ = ["AnswerRow", "Idempotency"]

_BEGIN = (
    "INSERT INTO idempotency (project_id, key, request_hash, created_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (project_id, key) DO NOTHING RETURNING key"
)
_FOUND = "SELECT request_hash, status, answer FROM idempotency WHERE project_id = ? AND key = ?"
_FINISH = "UPDATE idempotency SET status = ?, answer = ? WHERE project_id = ? AND key = ? RETURNING key"
_FORGET = "DELETE FROM idempotency WHERE project_id = ? AND key = ? RETURNING key"
_EXPIRE = "DELETE FROM idempotency WHERE created_at < ? RETURNING key"


class AnswerRow(msgspec.Struct, frozen=True, array_like=True):
    """`status` and `answer` are None while the request is under way, and for ever where it was cut off."""

    request_hash: str
    status: int | None
    answer: str | None


class Idempotency:
    """The keys of all projects. Every write returns after its commit is on disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, project: str, key: str, request_hash: str, at: datetime) -> AnswerRow | None:
        """None where the key is new: the request is the caller's to do, and to `finish` or `forget`. Of callers at the
        same time one gets it. Else the request that had the key first."""
        while True:
            if self._database.change(_BEGIN, project, key, request_hash, time_cell(at)):
                return None
            for found in rows(AnswerRow, self._database.rows(_FOUND, project, key)):
                return found

    def finish(self, project: str, key: str, status: int, answer: str) -> None:
        self._change(_FINISH, status, answer, project, key)

    def forget(self, project: str, key: str) -> None:
        """As if the key had not been used: what it was used for was not done."""
        self._change(_FORGET, project, key)

    def expire(self, before: datetime) -> int:
        """Forgets keys that were first used before then; how many."""
        return self._change(_EXPIRE, time_cell(before))

    def _change(self, statement: str, *given: Cell) -> int:
        return len(self._database.change(statement, *given))
