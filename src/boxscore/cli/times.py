"""Times as people write them."""

import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from boxscore.errors import UsageError

__all__ = ["date_time", "moment"]

_LAST_NS = 2**63 - 1
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str, now_ns: int, option: str, *, ahead: bool = False) -> int:
    """Nanoseconds since 1970 of so long ago, with `ahead` from now on, or of a date and time (UTC). What lies beyond
    all spans is the first or the last moment that one can have."""
    return max(-_LAST_NS, min(_moment(text, now_ns, option, ahead=ahead), _LAST_NS))


def date_time(text: str, option: str, *, ahead: bool = False) -> datetime:
    """The same in UTC."""
    return _EPOCH + timedelta(microseconds=moment(text, time.time_ns(), option, ahead=ahead) // 1000)


def _moment(text: str, now_ns: int, option: str, *, ahead: bool) -> int:
    if found := _SPAN.fullmatch(text.strip().lower()):
        length_ns = int(Decimal(found[1]) * _UNITS[found[2]] * 10**9)
        return now_ns + length_ns if ahead else now_ns - length_ns
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        span = f"how long {'from now on' if ahead else 'ago'} (90s, 30m, 2h, 7d)"
        raise UsageError(f"{option} {text!r} is no time: write {span}, or 2026-01-31 or 2026-01-31T08:30Z.") from None
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH
    return since // timedelta(microseconds=1) * 1_000
