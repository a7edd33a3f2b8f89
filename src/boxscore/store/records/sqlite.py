"""The records store's database in one SQLite file."""

import asyncio
import sqlite3
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import msgspec

from boxscore.errors import StoreError
from boxscore.store.locks import FileLock
from boxscore.store.records.backend import Statement, Write
from boxscore.store.records.database import FILE, connect, prepare, transaction
from boxscore.store.records.rows import Cell
from boxscore.store.records.writer import Writer


class _Snapshot(msgspec.Struct, frozen=True):
    connection: sqlite3.Connection

    def rows(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        return self.connection.execute(statement, given).fetchall()


class _Transactions(msgspec.Struct, frozen=True):
    connection: sqlite3.Connection
    path: Path

    def run(self, statements: Sequence[Statement]) -> list[tuple[Cell, ...]]:
        found: list[tuple[Cell, ...]] = []
        try:
            with transaction(self.connection, write=True):
                for text, given in statements:
                    found = self.connection.execute(text, given).fetchall()
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path} could not be written: {error}. What was acknowledged before is kept."
            ) from error
        return found

    def close(self) -> None:
        self.connection.close()


class SqliteDatabase:
    """`Database` in `HOME/records.db`, made where there is none, migrated where older. Two processes may write."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self.name = str(self.path)
        prepare(self.path)
        self._reader = connect(self.path)
        self._turn = threading.Lock()
        self._writer = Writer(_Transactions(connect(self.path), self.path), self.name)

    def rows(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        with self._reading() as reader:
            return reader.execute(statement, given).fetchall()

    @contextmanager
    def reading(self) -> Generator[_Snapshot, None, None]:
        with self._reading() as reader, transaction(reader, write=False):
            yield _Snapshot(reader)

    def change(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        return self._writer.change(statement, given).result()

    def submit(self, writes: Sequence[Write]) -> "Future[None]":
        return self._writer.submit(writes)

    def submit_async(self, writes: Sequence[Write]) -> "asyncio.Future[None]":
        return self._writer.submit_async(writes)

    def lock(self, name: str) -> FileLock | None:
        lock = FileLock(self.path.parent / "locks" / f"{name}.lock")
        return lock if lock.acquire(wait=False) else None

    def close(self) -> None:
        self._writer.close()
        with self._turn:
            self._reader.close()

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection, None, None]:
        try:
            with self._turn:
                yield self._reader
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} could not be read: {error}.") from error
