"""A server itself: what it tells of itself, and how it is asked for."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from boxscore.client.call import Call, ask

__all__ = ["Disk", "Health", "Retention", "ServerSettings", "health", "settings"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`ready`: spans are taken. `problems` say what is wrong, in sentences. Spans that wait are taken and not on disk
    yet; those of `search_lag` and `rollup_lag` are on disk, and cannot be found by their words or are in no series
    yet."""

    ready: bool
    problems: Sequence[str]
    version: str
    started_at: datetime
    spans_stored: int
    spans_waiting: int
    search_lag: int
    rollup_lag: int
    streams_open: int


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long spans are kept; None bounds nothing. Of traces without an error and without a score the share `sample`
    is left after `sample_days`."""

    days: float | None
    gigabytes: float | None
    sample: float
    sample_days: float


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of the disk that the stores are on, and what of it they take. Below `reserve` free ones no spans are
    taken."""

    total: int
    free: int
    reserve: int
    spans: int
    records: int


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is set up. `home` and `records`, where the stores are, are told to those with the right admin
    alone. `addresses` are those by which browsers reach it beside loopback."""

    version: str
    python: str
    system: str
    home: str | None
    records: str | None
    addresses: Sequence[str]
    prices: str
    retention: Retention
    disk: Disk
    last_backup_at: datetime | None
    concurrency: int
    reuse_max_age_s: float


def health() -> Call[Health]:
    """Whether the server is well."""
    return ask(Health, "/health")


def settings() -> Call[ServerSettings]:
    """How the server is set up."""
    return ask(ServerSettings, "/settings")
