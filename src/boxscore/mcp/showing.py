"""Answers as a model reads them: without what is empty, times as dates, long texts cut."""

from datetime import UTC, datetime
from typing import cast

import msgspec

from boxscore.types import Json

__all__ = ["show", "since_condition"]

TEXT = 2_000
_LEFT_OUT = ("raw", "resource", "scope", "received_ns")
_TIMES = ("start_ns", "at_ns")
_DURATIONS = ("duration_ns", "first_token_ns")


def show(answer: Json, *, text: int = TEXT) -> str:
    """As JSON; texts of more than `text` characters are cut, and say so."""
    return msgspec.json.encode(_shown(answer, text)).decode()


def since_condition(since: str) -> str:
    """A condition on when a trace began. A ValueError for what is no date or time of ISO 8601; UTC without a zone."""
    at = datetime.fromisoformat(since)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return f"start_ns>={int(at.timestamp()) * 10**9}"


def _shown(value: Json, text: int) -> Json:
    if isinstance(value, str) and len(value) > text:
        return f"{value[:text]}… ({len(value) - text:,} more characters)"
    if isinstance(value, list):
        return [_shown(one, text) for one in cast("list[Json]", value)]
    if isinstance(value, dict):
        told = cast("dict[str, Json]", value)
        return dict(_field(name, one, text) for name, one in told.items() if name not in _LEFT_OUT and not _empty(one))
    return value


def _field(name: str, value: Json, text: int) -> tuple[str, Json]:
    if name in _TIMES and isinstance(value, int):
        at = datetime.fromtimestamp(value / 1e9, UTC)
        return name.removesuffix("_ns"), at.isoformat(timespec="milliseconds")
    if name in _DURATIONS and isinstance(value, int):
        return f"{name.removesuffix('_ns')}_s", round(value / 1e9, 6)
    return name, _shown(value, text)


def _empty(value: Json) -> bool:
    return value is None or value in ("", {})
