"""The last step of a restore: what stands ready inside the home takes the place of what is there.

It is a row of renames and goes on where a kill stopped it, whoever opens the home next.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from boxscore.errors import StoreError
from boxscore.store.locks import FileLock

FOLDER = ".restoring"
REPLACED = ".replaced"
LOCK = "restore.lock"
READY = "ready.json"


class _Ready(msgspec.Struct, frozen=True):
    """Names in the home: what goes, and what comes."""

    old: Sequence[str]
    new: Sequence[str]


def make_ready(home: Path, *, old: Sequence[str], new: Sequence[str]) -> None:
    """Decides it: from here on the restore is finished, never undone."""
    path = home / FOLDER / READY
    making = path.with_suffix(".new")
    making.write_bytes(msgspec.json.encode(_Ready(old, new)))
    sync(making)
    making.rename(path)
    sync(path.parent)


def finish_restore(home: Path) -> None:
    """Finishes a restore that was decided; without effect where there is none."""
    ready = home / FOLDER / READY
    if not ready.exists() and not (home / REPLACED).exists():
        return
    try:
        with FileLock(home / LOCK):
            if ready.exists():  # else another process finished it meanwhile, or only its rest is left
                _move(home, msgspec.json.decode(ready.read_bytes(), type=_Ready))
                ready.unlink()
                sync(ready.parent)
            shutil.rmtree(home / REPLACED, ignore_errors=True)
            shutil.rmtree(home / FOLDER, ignore_errors=True)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"a restore into {home} was cut short and could not be finished: {error}.") from error


def _move(home: Path, ready: _Ready) -> None:
    staged, replaced = home / FOLDER / "home", home / REPLACED
    replaced.mkdir(exist_ok=True)
    for name in dict.fromkeys((*ready.old, *ready.new)):
        comes = (staged / name).exists()
        if (home / name).exists() and (comes or name not in ready.new):
            if (replaced / name).exists():  # it went already, and something was made in its place since
                _remove(home / name)
            else:
                (home / name).rename(replaced / name)
        if comes:
            (staged / name).rename(home / name)
    sync(home)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def sync(path: Path) -> None:
    """The file, or the names in the folder, are there after a power loss."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
