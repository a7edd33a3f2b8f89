"""A write is done once, however often it is sent: the header `Idempotency-Key`.

As the IETF's draft has it (draft-ietf-httpapi-idempotency-key-header-07, section 2): the same key with the same request
gives the same answer again; with another request it is 422; while the first is under way it is 409.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from boxscore.errors import BoxscoreError, BusyError, ConflictError, DiskFullError, RequestError, UsageError
from boxscore.server.access import Caller
from boxscore.server.service import Service
from boxscore.store.records.idempotency import AnswerRow, Idempotency

__all__ = ["HEADER", "Once", "request_hash"]

HEADER = "idempotency-key"
KEPT = timedelta(days=1)
KEY_LENGTH = 200
_LOOK_S = 3600.0


def request_hash(caller: Caller, method: str, target: str, body: bytes) -> str:
    """What makes a request the same: who sends it, where to, and what it says."""
    parts = (caller.kind, caller.name, method, target)
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + body).hexdigest()


class Once:
    """Answers of a day by their keys. A request whose answer nobody knows, for its server died, stays so: doing it
    again might do it twice."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept = Idempotency(service.records.database)
        self._looked = float("-inf")

    async def answer(self, project: str, key: str, hashed: str, do: Callable[[], Awaitable[Response]]) -> Response:
        """What `do` answers, now or when it was first asked. `ConflictError` while it is under way or where it was cut
        off, `RequestError` for a key that is none or was used for something else. What was refused can be sent again.
        """
        key = _checked(key)
        kept, ask = self._kept, self._service.ask
        at = datetime.now(UTC)
        if time.monotonic() - self._looked > _LOOK_S:
            self._looked = time.monotonic()
            await ask(lambda: kept.expire(at - KEPT))
        first = await ask(lambda: kept.begin(project, key, hashed, at))
        if first is not None:
            return _again(first, hashed)
        try:
            made = await do()
        except BoxscoreError as error:
            if isinstance(error, UsageError | BusyError | DiskFullError):  # nothing was done
                await ask(lambda: kept.forget(project, key))
            raise
        await ask(lambda: kept.finish(project, key, made.status_code, bytes(made.body).decode()))
        return made


def _again(first: AnswerRow, hashed: str) -> Response:
    if first.request_hash != hashed:
        raise RequestError("key_reused", "this Idempotency-Key was used for another request: use a new one.")
    if first.status is None:
        raise ConflictError(
            "idempotency_key",
            "the first request with this Idempotency-Key is under way, or was cut off: wait for its answer; where none "
            "came, look whether it was done before you send it again with another key.",
        )
    return Response(first.answer or None, first.status, {"idempotent-replayed": "true"}, "application/json")


def _checked(key: str) -> str:
    bare = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if not (0 < len(bare) <= KEY_LENGTH and bare.isascii() and bare.isprintable()):
        raise RequestError("malformed", f"an Idempotency-Key has 1 to {KEY_LENGTH} printable ASCII characters.")
    return bare
