"""Errors as answers: the one shape of the API, and its status codes."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec

from boxscore.errors import (
    BoxscoreError,
    BusyError,
    RequestError,
    TooManyTriesError,
    UnauthenticatedError,
    UsageError,
)

__all__ = ["OUR_FAULT", "error_body", "error_headers", "no_route", "status_of"]

_OF_REQUESTS = {
    "bad_host": 403,
    "bad_origin": 403,
    "bad_token": 403,
    "no_route": 404,
    "method": 405,
    "slow": 408,
    "too_large": 413,
    "media_type": 415,
    "key_reused": 422,
    "too_many": 429,
    "headers_too_large": 431,
}
"""By the kind of a `RequestError`; any other is 400."""
OUR_FAULT = BoxscoreError("a fault of Boxscore itself: its log says where. Please report it.")
_OF_CODES = {
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "dataset_moved": 409,
    "too_many_tries": 429,
    "busy": 503,
    "store": 503,
    "store_away": 503,
    "disk_full": 503,
    "time_limit": 504,
}


def status_of(error: BoxscoreError) -> int:
    """The HTTP status that says the same: 4xx where the request has to change, 5xx where it may be sent again."""
    if isinstance(error, RequestError):
        return _OF_REQUESTS.get(error.kind, 400)
    if error.code in _OF_CODES:
        return _OF_CODES[error.code]
    return 400 if isinstance(error, UsageError) else 500


def error_body(error: BoxscoreError) -> bytes:
    """`{"error": {"code", "message", …}}`, with what the error carries beside its sentence."""
    data = {name: _plain(value) for name, value in vars(error).items() if not name.startswith("_")}
    return msgspec.json.encode({"error": {"code": error.code, "message": str(error), **data}})


def error_headers(error: BoxscoreError) -> list[tuple[bytes, bytes]]:
    """`Retry-After` in whole seconds, where waiting helps; for nobody known, what would make one known."""
    if isinstance(error, UnauthenticatedError):
        return [(b"www-authenticate", b"Bearer")]
    if isinstance(error, BusyError | TooManyTriesError):
        return [(b"retry-after", str(max(1, round(error.retry_after_s))).encode())]
    return [(b"retry-after", b"10")] if error.code in ("store", "store_away", "disk_full") else []


def no_route(path: str) -> RequestError:
    return RequestError("no_route", f"there is nothing at {path[:200]}: /api/v1/openapi.json lists what there is.")


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | Decimal):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in cast("Sequence[object]", value)]
    return str(value) if isinstance(value, Path) else repr(value)
