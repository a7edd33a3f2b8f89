"""Links that work once: one makes the first owner, others let a person choose a password."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from boxscore.errors import ConflictError, UnauthenticatedError
from boxscore.governance.tokens import hashed, new_token
from boxscore.governance.users import User, Users, check_name, check_password
from boxscore.store.records.identity import Identity, LinkRow

__all__ = ["LASTS", "Link", "Links"]

LASTS = timedelta(hours=24)
OVER = "this link was used already, is too old, or was replaced by another: ask for a new one."


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """`token` goes into the link, behind its `#`, so that no server on the way writes it down. `user` is the name of
    whom it is for, None where it makes the first owner."""

    token: str
    user: str | None
    expires_at: datetime


class Links:
    def __init__(self, store: Identity, users: Users, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._users = users
        self._clock = clock

    def for_owner(self) -> Link | None:
        """One that makes the first owner, in place of any before; None where there are users."""
        return None if self._users.any() else self._made(None)

    def for_user(self, name: str) -> Link:
        """One by which that person chooses a password, in place of any before."""
        return self._made(self._users.get(name))

    def make_owner(self, token: str, name: str, password: str) -> User:
        """The first owner, of everything. `UnauthenticatedError` where the link is over: of many that try at once, one
        succeeds. A name or password that cannot be leaves the link as it is."""
        check_name(name)
        check_password(password, name)
        self._take(token, None)
        if self._users.any():
            raise ConflictError("owner", "there are users already: sign in, or ask an owner for a link.")
        return self._users.add(name, role="owner", password=password)

    def choose_password(self, token: str, password: str) -> User:
        """The person of the link, with the new password; what was signed in with the old one is so no more."""
        row = self._store.link(hashed(token))
        user = None if row is None or row.user_id is None else self._store.user_of(row.user_id)
        if user is None or user.disabled_at is not None:
            raise UnauthenticatedError(OVER)
        check_password(password, user.name)
        self._take(token, user.id)
        self._store.end_logins(user.id)
        return self._users.set_password(user.name, password)

    def _take(self, token: str, user_id: str | None) -> None:
        held = self._store.link(hashed(token))
        if held is None or held.user_id != user_id or self._store.take_link(held.token_hash, self._clock()) is None:
            raise UnauthenticatedError(OVER)

    def _made(self, user: User | None) -> Link:
        now, token = self._clock(), new_token()
        row = LinkRow(
            token_hash=hashed(token),
            user_id=None if user is None else user.id,
            created_at=now,
            expires_at=now + LASTS,
        )
        self._store.add_link(row)
        return Link(token=token, user=None if user is None else user.name, expires_at=row.expires_at)
