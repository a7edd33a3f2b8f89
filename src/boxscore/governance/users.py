"""People and their passwords."""

import secrets
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, cast

import msgspec

from boxscore.errors import ConflictError, NotFoundError, UnauthenticatedError, UsageError
from boxscore.governance.roles import RIGHTS_OF, Role
from boxscore.governance.tokens import new_id
from boxscore.store.records.identity import Identity, UserRow

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["LEAST", "User", "Users", "check_name", "check_password", "check_role"]

LEAST, MOST = 12, 1024
"""Characters of a password. As NIST SP 800-63B asks, there are no rules about which; wrong tries are limited."""
_NAME = 100
WRONG = "the name or the password is wrong."


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person. `role` is in every project, None for one who is member of some. `signs_in`: whether a password was
    chosen."""

    id: str
    name: str
    role: Role | None
    created_at: datetime
    disabled_at: datetime | None
    signs_in: bool

    @classmethod
    def of(cls, row: UserRow) -> "User":
        return cls(
            id=row.id,
            name=row.name,
            role=check_role(row.role),
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            signs_in=row.password_hash is not None and row.disabled_at is None,
        )


class Users:
    """Passwords are kept as argon2id with the second recommended parameters of RFC 9106 (64 MiB, three passes, four
    lanes), and hashed anew at the next login when the parameters change. A check takes a tenth of a second of a core on
    purpose: call `check`, `add` with a password and `set_password` where that keeps nobody waiting."""

    def __init__(self, store: Identity, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def all(self) -> list[User]:
        return [User.of(row) for row in self._store.users()]

    def get(self, name: str) -> User:
        """`NotFoundError` where there is none."""
        return User.of(self._row(name))

    def any(self) -> bool:
        """Those disabled too."""
        return self._store.any_user()

    def add(self, name: str, *, role: str | None = None, password: str | None = None) -> User:
        """`ConflictError` where the name is taken."""
        password_hash = None if password is None else hash_password(password, name)
        return self.add_hashed(name, password_hash, role=role)

    def add_hashed(self, name: str, password_hash: str | None, *, role: str | None = None) -> User:
        """With a password that was hashed elsewhere; `UsageError` for what is no hash of argon2id."""
        if password_hash is not None:
            _check_hash(password_hash)
        row = UserRow(
            id=new_id("u"),
            name=check_name(name),
            password_hash=password_hash,
            role=check_role(role),
            created_at=self._clock(),
        )
        if not self._store.add_user(row):
            raise ConflictError("user", f"somebody is called {name!r} already: take another name.")
        return User.of(row)

    def check(self, name: str, password: str) -> User:
        """The person with that name and password, else `UnauthenticatedError`. It takes the same time whether there is
        nobody of that name, the password is wrong, or the person is disabled."""
        nobodys = _nobodys_hash()  # whoever asks first waits for it
        row = self._store.user(name)
        known = row is not None and row.password_hash is not None and row.disabled_at is None
        kept = row.password_hash if row is not None and row.password_hash is not None else nobodys
        right = _verified(kept, password)
        if row is None or not (known and right):
            raise UnauthenticatedError(WRONG)
        if _hasher().check_needs_rehash(kept):
            self._store.put_password(row.id, _hasher().hash(password))
        return User.of(row)

    def set_password(self, name: str, password: str) -> User:
        row = self._row(name)
        self._store.put_password(row.id, hash_password(password, name))
        return User.of(self._row(name))

    def set_role(self, name: str, role: str | None) -> User:
        """`ConflictError` where nobody would be left who owns everything."""
        row = self._row(name)
        return self._changed(msgspec.structs.replace(row, role=check_role(role)))

    def disable(self, name: str, disabled: bool = True) -> User:
        """And ends what the person is signed in with. Keys stay: they are a project's."""
        row = self._row(name)
        changed = self._changed(msgspec.structs.replace(row, disabled_at=self._clock() if disabled else None))
        if disabled:
            self._store.end_logins(row.id)
            self._store.void_links(row.id)
        return changed

    def _changed(self, row: UserRow) -> User:
        if not self._store.change_user(row):
            raise ConflictError(
                "last_owner", f"{row.name!r} is the last who owns everything: make somebody else owner first."
            )
        return User.of(row)

    def _row(self, name: str) -> UserRow:
        row = self._store.user(name)
        if row is None:
            raise NotFoundError("user", name)
        return row


def check_name(name: str) -> str:
    if not 0 < len(name) <= _NAME or name != name.strip() or not name.isprintable():
        raise UsageError(f"a name has 1 to {_NAME} printable characters and no space at its ends.")
    return name


def check_role(role: str | None) -> Role | None:
    if role is not None and role not in RIGHTS_OF:
        raise UsageError(f"{role!r} is no role: there are {', '.join(RIGHTS_OF)}.")
    return cast("Role | None", role)


def check_password(password: str, name: str) -> None:
    """`UsageError` for one that is too short, too long, or the name."""
    if not LEAST <= len(password) <= MOST:
        raise UsageError(f"a password has {LEAST} to {MOST} characters: a few words that nobody expects do well.")
    if (name and password.casefold() == name.casefold()) or len(set(password)) < 4:
        raise UsageError("this password is among the first that anybody tries: take another.")


def hash_password(password: str, name: str = "") -> str:
    """argon2id of it, with its parameters, as it is kept."""
    check_password(password, name)
    return _hasher().hash(password)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@cache
def _nobodys_hash() -> str:
    """Of a password that nobody has, so that a name that nobody has takes as long as one that somebody has."""
    return _hasher().hash(secrets.token_urlsafe(16))


def _verified(kept: str, password: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return _hasher().verify(kept, password[: MOST + 1].encode("utf-8", "surrogatepass"))
    except (Argon2Error, InvalidHashError):
        return False


def _check_hash(text: str) -> None:
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHashError
    from argon2.low_level import Type

    try:
        good = extract_parameters(text).type is Type.ID
    except InvalidHashError:
        good = False
    if not good:
        raise UsageError("this is no hash of argon2id: `boxscore users hash` makes one from a password.")
