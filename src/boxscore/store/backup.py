"""Backup of a whole home while others write to it, and its way back."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import msgspec

from boxscore.errors import FileError, StoreError, UsageError
from boxscore.store.locks import FileLock
from boxscore.store.records import database as records
from boxscore.store.restoring import FOLDER, LOCK, REPLACED, finish_restore, make_ready, sync
from boxscore.store.spans import scores
from boxscore.store.spans.files import FOLDER as SPANS
from boxscore.writing import make_private

FORMAT = 1
MANIFEST = "manifest.json"
LAST = "tombstones.jsonl"
"""Copied after all else: what is erased while a backup runs is known to it."""
_CHUNK = 1 << 20
_OURS = {FOLDER, REPLACED, LOCK, "server.json", "locks"}
_MADE_AGAIN = {".rollup", ".search", ".columns", ".new", ".part", ".lock", ".backup"}

Progress = Callable[[str, int, int], None]
"""Told the file at hand, bytes done and bytes in all."""


class BackupFile(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is in the home; `schema` the version of a database, `spans` how many a span file has."""

    path: str
    bytes: int
    sha256: str
    schema: str | None = None
    spans: int | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `digest` is the SHA-256 of its JSON without it: a change of the manifest is seen too."""

    format: int
    boxscore: str
    made_at_ns: int
    files: tuple[BackupFile, ...]
    digest: str = ""


def backup(
    home: Path, target: Path, *, now_ns: int | None = None, progress: Progress = lambda file, done, total: None
) -> Manifest:
    """Copies the home to the new folder `target`, consistent file by file, while others write. The manifest is written
    last and synced, under another name of the folder until then: a backup that was killed is none.

    Roll-ups, search and columns are left out; they are made again from the spans.
    """
    if not home.is_dir():
        raise FileError(home, "there is no such folder, and so nothing to back up. BOXSCORE_HOME names another.")
    if target.exists():
        raise FileError(target, "it exists: name a new folder. A backup never writes over another.")
    if target.resolve().is_relative_to(home.resolve()):
        raise UsageError(f"{target} is inside of {home}: a backup has to be elsewhere, best on another disk.")
    part = target.with_name(f"{target.name}.part")
    try:
        if part.exists():
            shutil.rmtree(part)
        make_private(part)
        found = sorted(_paths(home), key=lambda path: (path == LAST, not path.endswith(scores.FILE), path))
        total = sum((home / path).stat().st_size for path in found if (home / path).exists())
        done, files = 0, list[BackupFile]()
        for path in found:
            progress(path, done, total)
            try:
                copied = _copy(home / path, part / path)
            except FileNotFoundError:
                continue  # retention was quicker
            files.append(_described(path, part / path, *copied))
            done += files[-1].bytes
        manifest = Manifest(
            format=FORMAT, boxscore=version("boxscore"), made_at_ns=now_ns or time.time_ns(), files=tuple(files)
        )
        manifest = msgspec.structs.replace(manifest, digest=_digest(manifest))
        _write(part / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        for folder, _, _ in os.walk(part):
            sync(Path(folder))
        part.rename(target)
        sync(target.parent)
    except OSError as error:
        raise StoreError(f"the backup to {target} failed: {error}. {part} is no backup and can be removed.") from error
    progress("", total, total)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """The manifest of a backup; a `FileError` where it is none, or damaged."""
    path = source / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise FileError(source, f"it is no backup: its {MANIFEST} cannot be read ({error.strerror}).") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FileError(path, f"it is damaged: {error}. Use another backup.") from error
    if manifest.format > FORMAT:
        raise FileError(source, f"it was made by a newer Boxscore ({manifest.boxscore}): upgrade first.")
    if manifest.digest != _digest(manifest):
        raise FileError(path, "it is damaged: its checksum differs. Use another backup.")
    return manifest


def check(source: Path, *, progress: Progress = lambda file, done, total: None) -> list[str]:
    """What is wrong with a backup, a sentence each: files that lack, that are too many, that differ."""
    manifest = read_manifest(source)
    total, done = sum(file.bytes for file in manifest.files), 0
    wrong: list[str] = []
    for file in manifest.files:
        progress(file.path, done, total)
        path = source / file.path
        try:
            size, digest = _hash(path)
        except OSError as error:
            wrong.append(f"{path} cannot be read: {error.strerror}.")
            continue
        if size != file.bytes or digest != file.sha256:
            wrong.append(f"{path} is damaged: its checksum differs from the one of the backup.")
        done += file.bytes
    known = {file.path for file in manifest.files} | {MANIFEST}
    there = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    wrong += [f"{source / path} does not belong to the backup." for path in sorted(there - known)]
    return wrong


def restore(
    source: Path,
    home: Path,
    *,
    replace: bool = False,
    prepare: Callable[[Path, Path], None] = lambda staged, home: None,
    progress: Progress = lambda file, done, total: None,
) -> Manifest:
    """Brings a backup back into an empty home, or with `replace` in place of what is there.

    All checksums are looked at before anything is touched. What is restored stands complete and synced beside the old,
    inside the home, before it takes its place; `prepare` sees it there first. A kill before leaves the old home, a kill
    after is finished by whoever opens the home next.
    """
    manifest = read_manifest(source)
    if wrong := check(source, progress=progress):
        raise StoreError(f"{source} is damaged and was not restored; nothing was changed. {wrong[0]}")
    if any(not _inside(file.path) for file in manifest.files):
        raise StoreError(f"{source} names files outside of itself and was not restored; nothing was changed.")
    try:
        make_private(home)
        finish_restore(home)
        lock, owner = FileLock(home / LOCK), FileLock(home / SPANS / "lock")
        if not lock.acquire(wait=False):
            raise StoreError(f"another restore into {home} is under way: wait for it.")
        try:
            if not owner.acquire(wait=False):
                raise StoreError(f"a server or another process writes to {home}: stop it first. Nothing was changed.")
            _restore(source, home, manifest, replace, prepare, progress)
        finally:
            owner.release()
            lock.release()
        finish_restore(home)
    except OSError as error:
        raise StoreError(f"{source} could not be restored into {home}: {error}.") from error
    return manifest


def _restore(
    source: Path,
    home: Path,
    manifest: Manifest,
    replace: bool,
    prepare: Callable[[Path, Path], None],
    progress: Progress,
) -> None:
    old = sorted(path.name for path in home.iterdir() if path.name not in _OURS and not _bare(path))
    if old and not replace:
        raise UsageError(f"{home} is not empty: name an empty folder, or say --replace to put the backup in its place.")
    staged = home / FOLDER / "home"
    shutil.rmtree(home / FOLDER, ignore_errors=True)
    staged.mkdir(parents=True)
    total, done = sum(file.bytes for file in manifest.files), 0
    for file in manifest.files:
        progress(file.path, done, total)
        (staged / file.path).parent.mkdir(parents=True, exist_ok=True)
        if _copy_bytes(source / file.path, staged / file.path) != (file.bytes, file.sha256):
            raise StoreError(f"{source / file.path} changed while it was read, and was not restored.")
        done += file.bytes
    prepare(staged, home)
    for folder, _, names in os.walk(staged):
        for name in names:
            sync(Path(folder) / name)
        sync(Path(folder))
    make_ready(home, old=[*old, SPANS], new=sorted(path.name for path in staged.iterdir()))


def _paths(home: Path) -> Iterator[str]:
    """Files of the home that cannot be made again, relative to it."""
    for folder, folders, names in os.walk(home):
        at = Path(folder).relative_to(home)
        if at == Path():
            folders[:] = [name for name in folders if name not in _OURS]
        for name in names:
            path = Path(name)
            if (at == Path() and name in _OURS) or name.endswith(("-wal", "-shm", "-journal")) or name == "lock":
                continue
            if path.suffix not in _MADE_AGAIN and (Path(folder) / name).is_file():
                yield str(at / name)


def _copy(path: Path, to: Path) -> tuple[str | None, int | None]:
    """A synced copy, of a database by its own means; its version and its spans."""
    to.parent.mkdir(parents=True, exist_ok=True)
    described: tuple[str | None, int | None] = (None, None)
    if path.name == records.FILE:
        records.backup(path, to)
        described = (records.revision(path), None)
    elif path.parent.name == SPANS and path.suffix in (".db", ".sqlite"):
        from boxscore.store.spans.database import copy_database

        described = copy_database(path, to, "spans" if path.suffix == ".db" else None)
    else:
        _copy_bytes(path, to)
    sync(to)
    return described


def _described(path: str, copy: Path, schema: str | None, spans: int | None) -> BackupFile:
    size, digest = _hash(copy)
    return BackupFile(path=path, bytes=size, sha256=digest, schema=schema, spans=spans)


def _copy_bytes(path: Path, to: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, to.open("wb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _hash(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _digest(manifest: Manifest) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(manifest, digest=""))).hexdigest()


def _write(path: Path, data: bytes) -> None:
    with closing(path.open("xb")) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _inside(path: str) -> bool:
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _bare(path: Path) -> bool:
    """Whether it is the folder of spans with nothing but its lock, as taking the lock makes it."""
    return path.name == SPANS and all(one.name == "lock" for one in path.iterdir())
