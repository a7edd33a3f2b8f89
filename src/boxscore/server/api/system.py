"""The server itself: whether it is well, and how it is set up."""

import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from boxscore import __version__, settings
from boxscore.costs import default_book
from boxscore.governance import journal
from boxscore.governance.retention import Policy
from boxscore.server.api.parameters import Asker
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]


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


class SettingsView(msgspec.Struct, frozen=True, kw_only=True):
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


def add(api: Api, service: Service) -> None:
    @api.get("/health", answer=Health, right="read")
    def health() -> Health:
        """Whether the server is well. `/health/live` and `/health/ready` are for those that watch processes."""
        search, rollups = service.lag()
        problems = [problem for problem in (service.problem, service.store.problem) if problem is not None]
        return Health(
            ready=service.problem is None,
            problems=problems,
            version=__version__,
            started_at=datetime.fromtimestamp(service.meters.began, UTC),
            spans_stored=service.store.written.spans,
            spans_waiting=service.store.waiting,
            search_lag=search,
            rollup_lag=rollups,
            streams_open=service.streams.open,
        )

    @api.get("/settings", answer=SettingsView, right="read")
    def read_settings(caller: Asker) -> SettingsView:
        """How the server is set up: by BOXSCORE_* variables, which are read when it starts. No secret is told."""
        chosen, folder = settings.load(), service.store.folder
        home = folder.parent
        policy = Policy.of(chosen)
        disk = shutil.disk_usage(folder)
        backups = [entry.at_ns for entry in journal.entries(home) if entry.what == "backup"]
        inside = caller.may("admin")
        return SettingsView(
            version=__version__,
            python=platform.python_version(),
            system=f"{platform.system()} {platform.machine()}",
            home=str(home) if inside else None,
            records=service.records.database.name if inside else None,
            addresses=service.public,
            prices=default_book().version,
            retention=Retention(
                days=policy.days, gigabytes=policy.gigabytes, sample=policy.sample, sample_days=policy.sample_days
            ),
            disk=Disk(
                total=disk.total,
                free=disk.free,
                reserve=service.room.reserve(disk.total),
                spans=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
                records=sum(path.stat().st_size for path in home.glob("records.db*") if path.is_file()),
            ),
            last_backup_at=datetime.fromtimestamp(max(backups) / 1e9, UTC) if backups else None,
            concurrency=chosen.concurrency,
            reuse_max_age_s=chosen.reuse_max_age_s,
        )
