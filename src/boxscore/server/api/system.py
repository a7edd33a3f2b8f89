"""The server itself: whether it is well, and how it is set up."""

import platform
import shutil
from datetime import UTC, datetime

from boxscore import __version__, settings
from boxscore.client.system import Disk, Health, Retention, ServerSettings
from boxscore.costs import default_book
from boxscore.governance import journal
from boxscore.governance.retention import Policy
from boxscore.server.api.parameters import Asker
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]


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

    @api.get("/settings", answer=ServerSettings, right="read")
    def read_settings(caller: Asker) -> ServerSettings:
        """How the server is set up: by BOXSCORE_* variables, which are read when it starts. No secret is told."""
        chosen, folder = settings.load(), service.store.folder
        home = folder.parent
        policy = Policy.of(chosen)
        disk = shutil.disk_usage(folder)
        backups = [entry.at_ns for entry in journal.entries(home) if entry.what == "backup"]
        inside = caller.may("admin")
        return ServerSettings(
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
