"""Who is signed in: a random token in the browser, its hash here."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from boxscore.governance.tokens import hashed, new_token
from boxscore.store.records.identity import Identity, LoginRow

__all__ = ["IDLE", "LASTS", "Login", "Logins", "csrf_of"]

LASTS, IDLE = timedelta(days=14), timedelta(hours=24)
"""A login ends so long after it was made, and when nothing was asked for so long."""
NOTED = timedelta(minutes=5)
"""That somebody was seen is written down so often at most."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is for the person's browser alone."""

    token: str
    expires_at: datetime


class Logins:
    def __init__(self, store: Identity, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def begin(self, user_id: str) -> Login:
        now, token = self._clock(), new_token()
        row = LoginRow(token_hash=hashed(token), user_id=user_id, created_at=now, expires_at=now + LASTS, seen_at=now)
        self._store.add_login(row)
        return Login(token=token, expires_at=row.expires_at)

    def end(self, token: str) -> None:
        self._store.end_login(hashed(token))

    def end_others(self, user_id: str, *, but: str = "") -> int:
        """All of a user, or all but that of the token `but`; how many."""
        return self._store.end_logins(user_id, but=hashed(but) if but else "")

    def seen(self, row: LoginRow) -> None:
        self._store.seen_login(row.token_hash, self._clock())


def holds(row: LoginRow, now: datetime) -> bool:
    return now < row.expires_at and now - row.seen_at < IDLE


def csrf_of(token: str) -> str:
    """What a page that may read our answers sends with each write, and a page of others cannot know. It follows from
    the login's token, so that it need not be kept, and does not tell it."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"boxscore-csrf", hashlib.sha256).hexdigest()
