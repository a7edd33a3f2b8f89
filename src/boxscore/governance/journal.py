"""What was done to a home, a line of JSON each in `HOME/maintenance.jsonl`: retention, erasure, backups, restores.

It names nobody, and is what `expired` spans are counted from.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec

from boxscore.errors import StoreError
from boxscore.types import Json

FILE = "maintenance.jsonl"

What = Literal["retention", "erasure", "backup", "restore"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    at_ns: int
    what: What
    data: dict[str, Json] = {}


def note(home: Path, what: What, at_ns: int, **data: Json) -> None:
    """Appends an entry, synced."""
    line = msgspec.json.encode(Entry(at_ns=at_ns, what=what, data=data)) + b"\n"
    path = home / FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}.") from error


def entries(home: Path) -> list[Entry]:
    """All that can be read, the oldest first: a line that a kill cut off says nothing."""
    try:
        lines = (home / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found: list[Entry] = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Entry))
        except msgspec.MsgspecError:
            continue
    return found


def expired(home: Path) -> dict[str, int]:
    """Spans that retention has removed so far, by project."""
    found: dict[str, int] = {}
    for entry in entries(home):
        if entry.what == "retention":
            for project, count in msgspec.convert(entry.data.get("spans", {}), dict[str, int]).items():
                found[project] = found.get(project, 0) + count
    return found
