"""People, their logins and links, members, keys, projects and the audit record: what is kept of them, nothing decided.

Of passwords, tokens and keys only hashes come here.
"""

# ruff: noqa: S608 - what is put into statements is our own words; what is given is bound

from datetime import datetime
from typing import TypeVar

import msgspec

from boxscore.store.records.backend import Database, Reading, Write
from boxscore.store.records.rows import Cell, cells, rows, time_cell

__all__ = [
    "AuditRow",
    "Identity",
    "KeyRow",
    "Known",
    "LinkRow",
    "LoginRow",
    "MemberRow",
    "ProjectRow",
    "UserRow",
]

Row = TypeVar("Row", bound=msgspec.Struct)

LOGINS = 50
"""Of one person: all logins are read with the roster, and nobody has more browsers."""


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    id: str
    name: str
    created_at: datetime | None
    archived_at: datetime | None = None


class UserRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`role` is in every project, None for one who is member of some. Without `password_hash` nobody can sign in as
    the user yet."""

    id: str
    name: str
    password_hash: str | None
    role: str | None
    created_at: datetime
    disabled_at: datetime | None = None


class MemberRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    project_id: str
    user_id: str
    role: str
    since: datetime


class LoginRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    token_hash: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime


class LinkRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A link that works once. It lets `user_id` choose a password; without one it makes the first owner."""

    token_hash: str
    user_id: str | None
    created_at: datetime
    expires_at: datetime


class KeyRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    id: str
    project_id: str
    name: str
    secret_hash: str
    last_four: str
    rights_json: str
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`outcome` is the HTTP status that the actor was told."""

    id: str
    at: datetime
    project_id: str | None
    actor: str
    action: str
    object: str
    outcome: int
    detail_json: str | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody and everything that may ask, of one moment."""

    projects: list[ProjectRow]
    users: list[UserRow]
    members: list[MemberRow]
    logins: list[LoginRow]
    keys: list[KeyRow]


def _columns(kind: type[msgspec.Struct]) -> str:
    return ", ".join(kind.__struct_fields__)


def _insert(kind: type[msgspec.Struct], table: str) -> str:
    marks = ", ".join("?" * len(kind.__struct_fields__))
    return f"INSERT INTO {table} ({_columns(kind)}) VALUES ({marks})"


_ADD_AUDIT = f"INSERT INTO audit ({_columns(AuditRow)}) VALUES {{}}"
_SEEN = "UPDATE logins SET seen_at = given.column2 FROM (VALUES {}) AS given WHERE token_hash = given.column1"
_ONE_LEFT = (
    "(? = 1 OR EXISTS (SELECT 1 FROM users AS others WHERE others.id <> users.id AND others.role = 'owner' "
    "AND others.disabled_at IS NULL))"
)


class Identity:
    """The tables of identity. Writes return when they are on disk; what has to be found and taken at once is one
    statement."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def known(self, now: datetime) -> Known:
        """Of logins and keys, those that hold at `now`."""
        at = time_cell(now)
        live = "WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
        with self.database.reading() as reading:
            return Known(
                projects=_found(reading, ProjectRow, "projects"),
                users=_found(reading, UserRow, "users"),
                members=_found(reading, MemberRow, "members"),
                logins=_found(reading, LoginRow, "logins", "WHERE expires_at > ?", at),
                keys=_found(reading, KeyRow, "keys", live, at),
            )

    # Projects

    def projects(self) -> list[ProjectRow]:
        return self._found(ProjectRow, "projects", "ORDER BY id")

    def add_project(self, row: ProjectRow) -> bool:
        """False where the id or the name is taken."""
        return self._changed(f"{_insert(ProjectRow, 'projects')} ON CONFLICT DO NOTHING RETURNING id", *cells(row))

    def change_project(self, row: ProjectRow) -> bool:
        """False where there is none; name and archiving are what changes."""
        name, archived = cells(row)[1], cells(row)[3]
        asked = "UPDATE projects SET name = ?, archived_at = ? WHERE id = ? RETURNING id"
        return self._changed(asked, name, archived, row.id)

    # Users

    def users(self) -> list[UserRow]:
        return self._found(UserRow, "users", "ORDER BY name")

    def user(self, name: str) -> UserRow | None:
        return next(iter(self._found(UserRow, "users", "WHERE name = ?", name)), None)

    def user_of(self, user_id: str) -> UserRow | None:
        return next(iter(self._found(UserRow, "users", "WHERE id = ?", user_id)), None)

    def any_user(self) -> bool:
        return bool(self.database.rows("SELECT 1 FROM users LIMIT 1"))

    def add_user(self, row: UserRow) -> bool:
        """False where the name is taken."""
        return self._changed(f"{_insert(UserRow, 'users')} ON CONFLICT DO NOTHING RETURNING id", *cells(row))

    def put_password(self, user_id: str, password_hash: str) -> bool:
        return self._changed("UPDATE users SET password_hash = ? WHERE id = ? RETURNING id", password_hash, user_id)

    def change_user(self, row: UserRow) -> bool:
        """Sets role and disabling. False where there is none, or no owner of everything would be left."""
        stays = row.role == "owner" and row.disabled_at is None
        was = self.user_of(row.id)
        harmless = stays or was is None or was.role != "owner" or was.disabled_at is not None
        return self._changed(
            f"UPDATE users SET role = ?, disabled_at = ? WHERE id = ? AND {_ONE_LEFT} RETURNING id",
            row.role,
            None if row.disabled_at is None else time_cell(row.disabled_at),
            row.id,
            int(harmless),
        )

    # Members

    def members(self, project: str) -> list[MemberRow]:
        return self._found(MemberRow, "members", "WHERE project_id = ? ORDER BY since, user_id", project)

    def put_member(self, row: MemberRow) -> None:
        self.database.change(
            f"{_insert(MemberRow, 'members')} ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role "
            "RETURNING user_id",
            *cells(row),
        )

    def remove_member(self, project: str, user_id: str) -> bool:
        asked = "DELETE FROM members WHERE project_id = ? AND user_id = ? RETURNING user_id"
        return self._changed(asked, project, user_id)

    # Logins

    def add_login(self, row: LoginRow) -> None:
        """And forgets those that are over, and of the same user all but the newest `LOGINS`."""
        self.database.change(f"{_insert(LoginRow, 'logins')} RETURNING user_id", *cells(row))
        self.database.change("DELETE FROM logins WHERE expires_at <= ? RETURNING user_id", time_cell(row.created_at))
        self.database.change(
            "DELETE FROM logins WHERE user_id = ? AND token_hash NOT IN (SELECT token_hash FROM logins "
            "WHERE user_id = ? ORDER BY created_at DESC, token_hash LIMIT ?) RETURNING user_id",
            row.user_id,
            row.user_id,
            LOGINS,
        )

    def seen_login(self, token_hash: str, at: datetime) -> None:
        """Returns at once: it is no loss when it is lost."""
        self.database.submit([Write(0, _SEEN, [(token_hash, time_cell(at))])])

    def end_login(self, token_hash: str) -> bool:
        return self._changed("DELETE FROM logins WHERE token_hash = ? RETURNING token_hash", token_hash)

    def end_logins(self, user_id: str, *, but: str = "") -> int:
        """All of a user, but the one of that token's hash."""
        asked = "DELETE FROM logins WHERE user_id = ? AND token_hash <> ? RETURNING token_hash"
        return len(self.database.change(asked, user_id, but))

    # Links

    def add_link(self, row: LinkRow) -> None:
        """In place of an earlier one for the same."""
        self.void_links(row.user_id)
        self.database.change(f"{_insert(LinkRow, 'links')} RETURNING token_hash", *cells(row))

    def void_links(self, user_id: str | None) -> None:
        if user_id is None:
            self.database.change("DELETE FROM links WHERE user_id IS NULL RETURNING token_hash")
        else:
            self.database.change("DELETE FROM links WHERE user_id = ? RETURNING token_hash", user_id)

    def link(self, token_hash: str) -> LinkRow | None:
        return next(iter(self._found(LinkRow, "links", "WHERE token_hash = ?", token_hash)), None)

    def take_link(self, token_hash: str, now: datetime) -> LinkRow | None:
        """Whoever of many takes it first has it; None for all others, and for one that is over."""
        taken = self.database.change(
            f"DELETE FROM links WHERE token_hash = ? AND expires_at > ? RETURNING {_columns(LinkRow)}",
            token_hash,
            time_cell(now),
        )
        return next(iter(rows(LinkRow, taken)), None)

    # Keys

    def keys(self, project: str) -> list[KeyRow]:
        """Those revoked and expired too, the newest first."""
        return self._found(KeyRow, "keys", "WHERE project_id = ? ORDER BY created_at DESC, id DESC", project)

    def add_key(self, row: KeyRow) -> None:
        self.database.change(f"{_insert(KeyRow, 'keys')} RETURNING id", *cells(row))

    def revoke_key(self, project: str, key_id: str, at: datetime) -> bool:
        """False where there is none. The time of the first revocation stays."""
        return self._changed(
            "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE project_id = ? AND id = ? RETURNING id",
            time_cell(at),
            project,
            key_id,
        )

    # Audit

    def add_audit(self, row: AuditRow) -> None:
        self.database.submit([Write(0, _ADD_AUDIT, [cells(row)])]).result()

    async def add_audit_async(self, row: AuditRow) -> None:
        await self.database.submit_async([Write(0, _ADD_AUDIT, [cells(row)])])

    def audit(self, project: str | None, *, before: tuple[str, str] | None = None, limit: int = 100) -> list[AuditRow]:
        """The newest first, of a project or of the server itself (None: what is of no project), from after the row
        with this time and id on."""
        of = "project_id IS NULL" if project is None else "project_id = ?"
        then = "" if before is None else "AND (at < ? OR (at = ? AND id < ?))"
        given: tuple[Cell, ...] = () if before is None else (before[0], before[0], before[1])
        return self._found(
            AuditRow,
            "audit",
            f"WHERE {of} {then} ORDER BY at DESC, id DESC LIMIT ?",
            *(() if project is None else (project,)),
            *given,
            limit,
        )

    # Within

    def _found(self, kind: type[Row], table: str, asked: str = "", *given: Cell) -> list[Row]:
        return _found(self.database, kind, table, asked, *given)

    def _changed(self, statement: str, *given: Cell) -> bool:
        return bool(self.database.change(statement, *given))


def _found(reading: Reading | Database, kind: type[Row], table: str, asked: str = "", *given: Cell) -> list[Row]:
    return rows(kind, reading.rows(f"SELECT {_columns(kind)} FROM {table} {asked}", *given))
