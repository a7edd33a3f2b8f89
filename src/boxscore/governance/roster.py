"""Everybody and everything that may ask, as of a moment ago: what each request is held against."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from boxscore.governance.keys import Key
from boxscore.governance.logins import NOTED, Logins, holds
from boxscore.governance.roles import RIGHTS_OF, Right
from boxscore.governance.tokens import hashed
from boxscore.governance.users import User
from boxscore.store.records.identity import Identity, Known, LoginRow

__all__ = ["LIFETIME_S", "Roster", "RosterOf"]

LIFETIME_S = 2.0
"""A change made by another process is seen so late at most; one of this process at once."""
_SEEN = 10_000
_WHEN_ARCHIVED: frozenset[Right] = frozenset({"read", "admin", "server"})


class Roster(msgspec.Struct, frozen=True):
    """Tables in memory by the hash of a token: who tries tokens that do not exist asks no database."""

    projects: Mapping[str, bool]
    """By id, whether it is archived."""
    users: Mapping[str, User]
    members: Mapping[tuple[str, str], frozenset[Right]]
    """Rights by project and user id."""
    logins: dict[str, LoginRow]
    keys: Mapping[str, Key]

    @classmethod
    def of(cls, known: Known) -> "Roster":
        return cls(
            projects={row.id: row.archived_at is not None for row in known.projects},
            users={row.id: User.of(row) for row in known.users},
            members={
                (row.project_id, row.user_id): right
                for row in known.members
                for role, right in RIGHTS_OF.items()
                if role == row.role
            },
            logins={row.token_hash: row for row in known.logins},
            keys={row.secret_hash: Key.of(row) for row in known.keys},
        )

    def key(self, secret: str, now: datetime) -> Key | None:
        found = self.keys.get(hashed(secret))
        return None if found is None or (found.expires_at is not None and found.expires_at <= now) else found

    def login(self, token: str, now: datetime) -> tuple[LoginRow, User] | None:
        row = self.logins.get(hashed(token))
        user = None if row is None else self.users.get(row.user_id)
        if row is None or user is None or user.disabled_at is not None or not holds(row, now):
            return None
        return row, user

    def rights_of(self, user: User, project: str) -> frozenset[Right]:
        """None of them in a project that is not there."""
        if project not in self.projects:
            return frozenset()
        rights = self.members.get((project, user.id), frozenset[Right]())
        if user.role is not None:
            rights |= RIGHTS_OF[user.role]
        if user.role == "owner":
            rights |= frozenset[Right]({"server"})
        return self.limited(rights, project)

    def limited(self, rights: frozenset[Right], project: str) -> frozenset[Right]:
        """What is left of the rights when the project is archived."""
        return rights & _WHEN_ARCHIVED if self.projects.get(project) else rights

    def projects_of(self, user: User) -> list[str]:
        return [project for project in sorted(self.projects) if self.rights_of(user, project)]


class RosterOf:
    """The roster of a store, read again when it is older than `LIFETIME_S`, and at once after `forget`. For threads."""

    def __init__(
        self,
        store: Identity,
        logins: Logins,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._logins = logins
        self.clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: tuple[float, Roster] | None = None
        self._seen: dict[str, datetime] = {}

    def held(self) -> Roster | None:
        """The one at hand, None where it is too old."""
        held = self._held
        return held[1] if held is not None and self._monotonic() - held[0] < LIFETIME_S else None

    def read(self) -> Roster:
        """The one at hand, else read from the store."""
        with self._lock:
            if (found := self.held()) is None:
                begun = self._monotonic()
                found = Roster.of(self._store.known(self.clock()))
                for token_hash, at in self._seen.items():  # which may not be on disk yet
                    if (row := found.logins.get(token_hash)) is not None and row.seen_at < at:
                        found.logins[token_hash] = msgspec.structs.replace(row, seen_at=at)
                self._held = begun, found
            return found

    def forget(self) -> None:
        """Somebody or something has changed. What is being read at this moment may not know of it yet."""
        with self._lock:
            self._held = None

    def see(self, row: LoginRow) -> None:
        """Somebody signed in asks: written down now and then, so that idle logins end."""
        now = self.clock()
        if now - max(row.seen_at, self._seen.get(row.token_hash, row.seen_at)) < NOTED:
            return
        with self._lock:
            if len(self._seen) > _SEEN:
                self._seen.clear()
            self._seen[row.token_hash] = now
            if self._held is not None and row.token_hash in self._held[1].logins:
                self._held[1].logins[row.token_hash] = msgspec.structs.replace(row, seen_at=now)
        self._logins.seen(row)
