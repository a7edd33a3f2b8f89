"""What we use of apsw, typed: its own stubs speak of a type that Python has from 3.12.

Every page carries a checksum (SQLite's `cksumvfs`), which is looked at whenever the page is read: a flipped bit is an
error, wherever it is, and never a wrong value.
"""

import ctypes
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import apsw

from boxscore.errors import StoreError
from boxscore.store import deadline

BUSY_MS = 30_000
CHECKED = "cksmvfs"
CHECKSUM_BYTES = 8
"""At the end of each page; a file without them is read unchecked."""

_CHECKED_EVERY = 20_000
"""Steps of SQLite's machine, about a millisecond, after which a question looks at its deadline."""

_loading = threading.Lock()

Cell: TypeAlias = int | float | str | bytes | None
"""What SQLite keeps."""
Row: TypeAlias = tuple[Cell, ...]


class Cursor(Protocol):
    def __iter__(self) -> Iterator[Row]: ...
    def fetchall(self) -> list[Row]: ...
    def fetchone(self) -> Row | None: ...

    @property
    def get(self) -> Cell | Row:
        """The first row; its value where it has one column, None where there is no row."""
        ...


class Database(Protocol):
    """A connection. For one thread at a time; its failures are `apsw.Error`."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, statements: str, bindings: Sequence[Cell] = ..., /) -> Cursor: ...
    def executemany(self, statements: str, bindings: Iterable[Sequence[Cell]], /) -> Cursor: ...
    def pragma(self, name: str, value: Cell = ..., /) -> Cell: ...
    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def close(self) -> None: ...


def open_database(path: Path, *, write: bool) -> Database:
    _load_checksums()
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if write else apsw.SQLITE_OPEN_READONLY
    connection = apsw.Connection(str(path), flags=flags, vfs=CHECKED)
    if write and (not path.exists() or path.stat().st_size == 0):
        _make_room(connection)
    if not write:
        connection.set_progress_handler(_is_late, _CHECKED_EVERY)
    database = cast(Database, connection)
    database.set_busy_timeout(BUSY_MS)
    return database


def _is_late() -> bool:
    deadline.check()  # what it raises comes out of the statement
    return False


def truncate_log(database: Database) -> None:
    """Brings all commits into the file and empties its log, so that nothing of what was removed stays there. Waits for
    readers that are in the middle of a question."""
    busy, _, _ = cast("tuple[int, int, int]", database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    if busy:
        raise apsw.BusyError("readers kept the log from being emptied")


def _make_room(connection: apsw.Connection) -> None:
    room = ctypes.c_int(CHECKSUM_BYTES)
    connection.file_control("main", apsw.SQLITE_FCNTL_RESERVE_BYTES, ctypes.addressof(room))


def copy_database(path: Path, to: Path, counted: str | None) -> tuple[str, int | None]:
    """A consistent copy of the file at `path` while others write to it, in one step: a copy in steps begins again with
    every commit. Gives back its version, and how many rows it has of the table `counted`. Failures are `StoreError`."""
    try:
        source = open_database(path, write=False)
        try:
            _load_checksums()
            connection = apsw.Connection(str(to), vfs=CHECKED)
            target = cast(Database, connection)
            try:
                # Pages of the log have no checksums yet: the copy makes them once its first page says so.
                _make_room(connection)
                target.pragma("page_size", source.pragma("page_size"))
                target.pragma("user_version", 1)
                with connection.backup("main", cast(apsw.Connection, source), "main") as copying:
                    copying.step(-1)
                target.pragma("journal_mode", "delete")  # one file, without a log beside it
                version = target.pragma("user_version")
                asked = None if counted is None else f"SELECT count(*) FROM {counted}"  # noqa: S608 - our own word
                rows = None if asked is None else cast(int, target.execute(asked).get)
            finally:
                target.close()
        finally:
            source.close()
    except apsw.CantOpenError as error:
        raise FileNotFoundError(str(path)) from error
    except apsw.Error as error:
        raise StoreError(f"{path} could not be copied: {error}. `boxscore verify` says more.") from error
    return str(version), rows


def _load_checksums() -> None:
    """SQLite's own extension, which comes with apsw; once in a process."""
    with _loading:
        if CHECKED in apsw.vfs_names():
            return
        from apsw import sqlite_extra

        loader = apsw.Connection(":memory:")
        try:
            sqlite_extra.load(loader, "cksumvfs")
        finally:
            loader.close()
