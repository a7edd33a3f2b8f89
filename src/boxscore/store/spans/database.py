"""What we use of apsw, typed: its own stubs speak of a type that Python has from 3.12."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import apsw

BUSY_MS = 30_000

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
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if write else apsw.SQLITE_OPEN_READONLY
    database = cast(Database, apsw.Connection(str(path), flags=flags))
    database.set_busy_timeout(BUSY_MS)
    return database
