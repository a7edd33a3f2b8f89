"""Times, durations, tokens and money of traces, as short as they can be read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from boxscore.figures import counted, money

__all__ = ["absolute", "ago", "clock", "counted", "share", "short", "tokens", "took", "usd"]

_S = 1_000_000_000
_LATEST_S = 253_402_300_799  # the end of the year 9999


def took(duration_ns: float | None) -> str:
    """`85 µs`, `590 ms`, `4.82 s`, `12.4 s`, `3.3 min`, `2.1 h`; … for what is not over yet."""
    if duration_ns is None:
        return "…"
    if duration_ns < 1_000_000:
        return f"{duration_ns / 1e3:.0f} µs" if duration_ns else "0"
    if duration_ns < 999_500_000:
        return f"{duration_ns / 1e6:.0f} ms" if duration_ns >= 9_950_000 else f"{duration_ns / 1e6:.1f} ms"
    if duration_ns < 100 * _S:
        return f"{duration_ns / _S:.2f} s" if duration_ns < 9.995 * _S else f"{duration_ns / _S:.1f} s"
    for size, unit in ((86_400, "d"), (3_600, "h")):
        if duration_ns >= 1.5 * size * _S:
            count = duration_ns / size / _S
            return f"{_one(count)} {unit}" if count < 99.5 else f"{count:,.0f} {unit}"
    return f"{_one(duration_ns / 60 / _S)} min"


def _one(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def ago(at_ns: int, now_ns: int) -> str:
    """How long ago, within a week; else the day."""
    since = (now_ns - at_ns) // _S
    if since < 0:
        return "ahead" if since < -60 else "now"
    if since < 60:
        return f"{since} s" if since else "now"
    if since < 3600:
        return f"{since // 60} min"
    if since < 86_400:
        return f"{since // 3600} h"
    return f"{since // 86_400} d" if since < 7 * 86_400 else absolute(at_ns)[:10]


def absolute(at_ns: int) -> str:
    """`2026-01-31 08:30:12` in UTC."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=max(0, min(at_ns // _S, _LATEST_S)))
    return f"{at:%Y-%m-%d %H:%M:%S}"


def clock(at_ns: int) -> str:
    """`08:30:12` in UTC."""
    return absolute(at_ns)[11:]


def short(count: int) -> str:
    """`421`, `3,614`, `48.2k`, `1.24M`: a count in at most six columns."""
    if count < 10_000:
        return f"{count:,}"
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size * 0.9995:
            return f"{count / size:.3g}{letter}" if count < size * 999.5 else f"{count // size:,}{letter}"
    return f"{count:,}"


def tokens(came: int | None, answered: int | None) -> str:
    """Of both sides together; nothing where none told."""
    return "" if came is None and answered is None else short((came or 0) + (answered or 0))


def usd(cost: Decimal | None) -> str:
    """Two significant digits; nothing where no cost is known."""
    if cost is None:
        return ""
    return "$0" if not cost else money(float(cost))


def share(fraction: float) -> str:
    return f"{fraction * 100:.0f} %" if fraction >= 0.005 else "<1 %"
