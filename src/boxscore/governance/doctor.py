"""What a person wants to know when something is wrong with a home."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from boxscore.costs import PriceBook
from boxscore.errors import BoxscoreError
from boxscore.governance import journal, tombstones
from boxscore.governance.retention import Policy
from boxscore.settings import Secret, Settings
from boxscore.store.records import database as records
from boxscore.store.spans import SqliteSpans
from boxscore.store.spans.files import FOLDER, is_owned, segment_paths
from boxscore.store.spans.upkeep import Inventory

BACKUP_NS = 7 * 24 * 3600 * 10**9
_SECRET = ("key", "token", "secret", "password", "records_url")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `problem` says what to do, None where nothing is wrong."""

    what: str
    found: str
    problem: str | None = None


def examine(home: Path, settings: Settings, *, now_ns: int) -> list[Line]:
    """Looks at a home and writes nothing; a look that fails is a line with its problem."""
    lines: list[Line] = []
    for look in (_folder, _room, _owner, _records, _spans, _erased, _backup):
        try:
            lines += look(home, settings, now_ns)
        except (BoxscoreError, OSError) as error:
            lines.append(Line(what=look.__name__.strip("_"), found="could not be looked at", problem=str(error)))
    return [*lines, *_settings(settings), *_prices()]


def _folder(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    if not home.is_dir():
        yield Line(what="folder", found=f"{home}, which does not exist yet: what stores first makes it")
        return
    writable = os.access(home, os.R_OK | os.W_OK | os.X_OK)
    mode = stat.S_IMODE(home.stat().st_mode)
    problem = None if writable else "this user cannot read and write it: change its owner or its mode."
    if problem is None and mode & 0o007:
        problem = "other users of this machine can look into it, and it holds prompts: chmod 700."
    yield Line(what="folder", found=f"{home}, mode {mode:o}", problem=problem)


def _room(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    at = home if home.is_dir() else home.parent
    disk = shutil.disk_usage(at)
    reserve = min(disk.total // 20, 10**9) if settings.reserve_gb is None else int(settings.reserve_gb * 1e9)
    problem = None
    if disk.free < reserve:
        problem = "nothing is taken in below the reserve: make room, or remove spans (`boxscore retain`)."
    yield Line(what="room", found=f"{_gb(disk.free)} free, {_gb(reserve)} stay free", problem=problem)


def _owner(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    if not is_owned(home):
        yield Line(what="owner", found="nobody writes spans to it")
        return
    try:
        told = msgspec.json.decode((home / "server.json").read_bytes())
        yield Line(what="owner", found=f"the server at {told['url']}, process {told['pid']}")
    except (OSError, msgspec.MsgspecError, KeyError):
        yield Line(what="owner", found="a process that writes spans to it")


def _records(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    path = home / records.FILE
    if settings.records_url is not None:
        from boxscore.store.records import postgres

        found = postgres.look(settings.records_url)
        problem = None if found.synced else "its fsync is off: a power loss takes records that were acknowledged."
        if found.schema is None:
            problem = "it has no schema yet: what stores first makes it, or `boxscore migrate`."
        told = f"{found.name}, PostgreSQL {found.version}, schema {found.schema or 'none'}, {_gb(found.bytes)}"
        yield Line(what="records", found=told, problem=problem)
        if path.exists():
            yield Line(what="records", found=f"{path} is there too", problem="nobody reads it: BOXSCORE_RECORDS_URL.")
    elif path.exists():
        yield Line(what="records", found=f"schema {records.revision(path)}, {_gb(path.stat().st_size)}")


def _spans(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    if not segment_paths(home / FOLDER):
        yield Line(what="spans", found="none")
        return
    files = Inventory(home / FOLDER).files()
    spans, size = sum(file.spans for file in files), sum(file.bytes for file in files)
    yield Line(what="spans", found=f"{spans:,} in {len(files)} files, {_gb(size)}")
    policy = Policy.of(settings)
    kept = [f"{policy.days:g} days"] if policy.days is not None else []
    kept += [f"{policy.gigabytes:g} GB"] if policy.gigabytes is not None else []
    if policy.sample < 1:
        kept.append(f"{policy.sample:.1%} of unremarkable traces after {policy.sample_days:g} days")
    yield Line(what="kept", found=", ".join(kept) or "for ever")
    with SqliteSpans(home, write=False) as store:
        series = store.series("", start_ns=0, end_ns=0, step_ns=60 * 10**9)
        found = store.search("", "anything", limit=1)
    for what, pending in (("roll-ups", series.pending), ("search", found.pending)):
        problem = None
        if pending and not (home / "server.json").exists():
            problem = "they follow as soon as a server runs."
        yield Line(what=what, found=f"{pending:,} spans behind" if pending else "up to date", problem=problem)


def _erased(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    stones = tombstones.read(home)
    if stones:
        left = sum(not done for done in stones.values())
        problem = f"{left:,} were cut short: `boxscore erase --again` finishes them." if left else None
        yield Line(what="erasures", found=f"{len(stones):,}", problem=problem)


def _backup(home: Path, settings: Settings, now_ns: int) -> Iterator[Line]:
    # What a restore brought is a backup that is there; its own entry came after it was made.
    told = [(entry.what, entry.at_ns, entry.data.get("made_at_ns")) for entry in journal.entries(home)]
    made = [at_ns for what, at_ns, _ in told if what == "backup"]
    made = sorted([*made, *(of for what, _, of in told if what == "restore" and isinstance(of, int))])
    if not made:
        if home.is_dir():
            yield Line(what="backup", found="none was made", problem="`boxscore backup TARGET` makes one.")
        return
    old = "it is older than a week: `boxscore backup TARGET`." if now_ns - made[-1] > BACKUP_NS else None
    yield Line(what="backup", found=f"the last on {_date(made[-1])}", problem=old)


def _settings(settings: Settings) -> Iterator[Line]:
    default = Settings()
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        if value != getattr(default, name):
            shown = "***" if isinstance(value, Secret) or any(part in name for part in _SECRET) else str(value)
            yield Line(what=f"BOXSCORE_{name.upper()}", found=shown)


def _prices() -> Iterator[Line]:
    try:
        yield Line(what="prices", found=PriceBook.load().version)
    except BoxscoreError as error:
        yield Line(what="prices", found="could not be read", problem=str(error))


def _gb(size: int) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 10**8 else f"{size / 1e6:,.1f} MB"


def _date(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M} UTC"
