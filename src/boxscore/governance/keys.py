"""Keys of programs: each for one project, with the rights that it was given, until it expires or is revoked."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from boxscore.errors import NotFoundError, UsageError
from boxscore.governance.roles import RIGHTS, Right
from boxscore.governance.tokens import hashed, new_id, new_token
from boxscore.store.records.identity import Identity, KeyRow

__all__ = ["PREFIX", "Key", "Keys", "NewKey"]

PREFIX = "bxs_"
"""So that a key that leaked into a file is recognised by people and scanners."""
_OF_KEYS = tuple(right for right in RIGHTS if right != "server")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a key: never the key itself."""

    id: str
    project: str
    name: str
    last_four: str
    rights: tuple[Right, ...]
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @classmethod
    def of(cls, row: KeyRow) -> "Key":
        return cls(
            id=row.id,
            project=row.project_id,
            name=row.name,
            last_four=row.last_four,
            rights=msgspec.json.decode(row.rights_json, type=tuple[Right, ...]),
            created_by=row.created_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )


class NewKey(Key, frozen=True, kw_only=True):
    """`secret` is told this once, and nobody can find it out again."""

    secret: str


class Keys:
    def __init__(self, store: Identity, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def all(self, project: str) -> list[Key]:
        return [Key.of(row) for row in self._store.keys(project)]

    def create(
        self,
        project: str,
        name: str,
        rights: Sequence[str],
        *,
        by: str | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        now, secret = self._clock(), new_token(PREFIX)
        if not 0 < len(name) <= 100 or not name.isprintable():
            raise UsageError("a key's name has 1 to 100 printable characters: what uses it, as in 'checkout service'.")
        unknown = [right for right in rights if right not in _OF_KEYS]
        if unknown or not rights:
            raise UsageError(f"a key has one or more of the rights {', '.join(_OF_KEYS)}, not {list(rights)}.")
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
            raise UsageError("a key expires at a time to come, with its zone, as in 2027-01-31T00:00:00Z.")
        row = KeyRow(
            id=new_id("k"),
            project_id=project,
            name=name,
            secret_hash=hashed(secret),
            last_four=secret[-4:],
            rights_json=msgspec.json.encode([right for right in _OF_KEYS if right in rights]).decode(),
            created_by=by,
            created_at=now,
            expires_at=expires_at,
        )
        self._store.add_key(row)
        return NewKey(secret=secret, **msgspec.structs.asdict(Key.of(row)))

    def revoke(self, project: str, key_id: str) -> Key:
        """It is refused from then on: at once in this process, within two seconds in others. `NotFoundError` where the
        project has no such key."""
        if not self._store.revoke_key(project, key_id, self._clock()):
            raise NotFoundError("key", key_id)
        return next(key for key in self.all(project) if key.id == key_id)
