"""The records store's database in PostgreSQL."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from queue import Empty, Full, LifoQueue
from typing import TypeVar

import msgspec

from boxscore.errors import StoreAwayError, StoreError
from boxscore.store.migrations import REVISIONS
from boxscore.store.records import schema
from boxscore.store.records.backend import Statement, Write
from boxscore.store.records.rows import Cell
from boxscore.store.records.wire import Address, Connection, Rows, execute, rows, said
from boxscore.store.records.writer import Writer

import psycopg  # isort: skip - after what says which extra has it

READERS = 6
"""Connections that are kept for those who ask; more are made while more ask at the same time."""
PATIENCE_S = 30.0
"""So long a server that is away is waited for, as SQLite waits for another writer."""
_BLOCKED = ("40001", "40P01")
"""Another transaction was in the way, and nothing was kept."""
Found = TypeVar("Found")


class _BlockedError(StoreError):
    """The same may well go through now."""


class AdvisoryLock:
    """A lock of PostgreSQL's own, held on a connection of its own: free when that ends, however it ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def release(self) -> None:
        """Lets go; without effect when it is not held."""
        with suppress(psycopg.Error):  # a connection that ends lets go too, only not at once
            self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()


class _Snapshot(msgspec.Struct, frozen=True):
    connection: Connection
    name: str

    def rows(self, statement: str, *given: Cell) -> Rows:
        try:
            return rows(execute(self.connection, statement, given))
        except psycopg.Error as error:
            if self.connection.closed:
                raise StoreAwayError(f"{self.name} went away: {said(error)}.") from error
            raise StoreError(f"{self.name} could not be read: {said(error)}.") from error


class PostgresDatabase:
    """`Database` in the PostgreSQL database at `url`, its tables made where there are none, migrated where older. Any
    number of processes may write.

    A server that goes away is waited for. What it had not begun to commit is written when it is back; where it went in
    the middle of a commit nobody knows what it kept, and that is a `StoreAwayError` that says so.
    """

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        self._address = Address(url)
        self.name = self._address.name
        self._patience_s = patience_s
        self._free: LifoQueue[Connection] = LifoQueue(READERS)
        self._closed = False
        prepare(url)
        self._writer = Writer(_Transactions(self._address, patience_s), self.name)

    def rows(self, statement: str, *given: Cell) -> Rows:
        def once() -> Rows:
            reader = self._take()
            try:
                return _Snapshot(reader, self.name).rows(statement, *given)
            finally:
                self._give(reader)

        return _patiently(once, self._patience_s)

    @contextmanager
    def reading(self) -> Generator[_Snapshot, None, None]:
        def begin() -> Connection:
            reader = self._take()
            try:
                _Snapshot(reader, self.name).rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except BaseException:
                self._give(reader)
                raise
            return reader

        reader = _patiently(begin, self._patience_s)
        try:
            yield _Snapshot(reader, self.name)
        finally:
            with suppress(psycopg.Error):  # a connection that is lost is not given back
                reader.execute("COMMIT")
            self._give(reader)

    def change(self, statement: str, *given: Cell) -> Rows:
        return self._writer.change(statement, given).result()

    def submit(self, writes: Sequence[Write]) -> "Future[None]":
        return self._writer.submit(writes)

    def submit_async(self, writes: Sequence[Write]) -> "asyncio.Future[None]":
        return self._writer.submit_async(writes)

    def lock(self, name: str) -> AdvisoryLock | None:
        connection = self._address.connect()
        if _locked(connection, "pg_try_advisory_lock", name):
            return AdvisoryLock(connection)
        connection.close()
        return None

    def close(self) -> None:
        self._writer.close()
        self._closed = True
        self._let_go()

    def _take(self) -> Connection:
        if self._closed:
            raise StoreError(f"{self.name} was closed, and something was still to be read from it.")
        try:
            return self._free.get_nowait()
        except Empty:
            return self._address.connect()

    def _give(self, reader: Connection) -> None:
        if self._closed or reader.closed:
            reader.close()
            self._let_go()  # a server that went away left none of them
            return
        try:
            self._free.put_nowait(reader)
        except Full:
            reader.close()

    def _let_go(self) -> None:
        with suppress(Empty):
            while True:
                self._free.get_nowait().close()


class _Transactions:
    """The connection of the writing thread, made again when it was lost."""

    def __init__(self, address: Address, patience_s: float) -> None:
        self._address = address
        self._patience_s = patience_s
        self._connection = address.connect()

    def run(self, statements: Sequence[Statement]) -> Rows:
        return _patiently(lambda: self._once(statements), self._patience_s)

    def close(self) -> None:
        self._connection.close()

    def _once(self, statements: Sequence[Statement]) -> Rows:
        if self._connection.closed:
            self._connection = self._address.connect()
        connection, found, in_doubt = self._connection, list[tuple[Cell, ...]](), False
        try:
            connection.execute("BEGIN")
            if len(statements) == 1:
                found = rows(execute(connection, *statements[0]))
            else:
                with connection.pipeline():  # one way there and back for all of them
                    for statement in statements:
                        execute(connection, *statement)
            in_doubt = True
            connection.execute("COMMIT")
        except psycopg.Error as error:
            _roll_back(connection)
            if connection.closed:
                unsure = " in the middle of a commit: what was being written may be there or not" if in_doubt else ""
                raise StoreAwayError(
                    f"{self._address.name} went away{unsure} ({said(error)}). What was acknowledged before is kept.",
                    in_doubt=in_doubt,
                ) from error
            kind = _BlockedError if error.sqlstate in _BLOCKED else StoreError
            raise kind(
                f"{self._address.name} could not be written: {said(error)}. What was acknowledged before is kept."
            ) from error
        except BaseException:  # a text that is none in UTF-8, for one
            _roll_back(connection)
            raise
        return found


def _roll_back(connection: Connection) -> None:
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


def _patiently(attempt: Callable[[], Found], patience_s: float) -> Found:
    """What it gives in the end: it is tried again where nothing was kept and the same may go through later."""
    until, pause_s = time.monotonic() + patience_s, 0.02
    while True:
        try:
            return attempt()
        except (StoreAwayError, _BlockedError) as error:
            in_doubt = isinstance(error, StoreAwayError) and error.in_doubt
            if in_doubt or time.monotonic() > until:
                raise
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 1.0)


def _locked(connection: Connection, function: str, name: str) -> bool:
    """Takes the lock of that name; False when another connection has it."""
    number = int.from_bytes(hashlib.sha256(f"boxscore {name}".encode()).digest()[:8], signed=True)
    [(taken,)] = rows(execute(connection, f"SELECT {function}(?)", [number]))
    return taken is not False


# Schema


def prepare(url: str) -> None:
    """Brings the database at `url` to the newest schema; makes it where there is none. Of several programs that start
    at once, one does it."""
    address = Address(url)
    connection = address.connect()
    try:
        if _revision(connection, address.name) == REVISIONS[-1]:
            return
        _locked(connection, "pg_advisory_lock", "migration")
        found = _revision(connection, address.name)
        if found is None:
            connection.execute(b";".join(text.encode() for text in ["BEGIN", *schema.fresh(postgres=True), "COMMIT"]))
        elif found != REVISIONS[-1]:
            migrate(url)
    except psycopg.Error as error:
        raise StoreError(f"{address.name} cannot be used as a records store: {said(error)}.") from error
    finally:
        connection.close()


def name_of(url: str) -> str:
    """How a person would call the database at `url`; without its password."""
    return Address(url).name


class Look(msgspec.Struct, frozen=True):
    """`schema` is None where there is none yet; `synced` tells whether what is committed survives a power loss."""

    name: str
    version: str
    schema: str | None
    bytes: int
    synced: bool


def look(url: str) -> Look:
    """What a person wants to know of the database; nothing is written."""
    address = Address(url)
    asked = "SELECT current_setting('server_version'), pg_database_size(current_database()), current_setting('fsync')"
    with closing(address.connect()) as connection:
        [(version, size, fsync)] = rows(execute(connection, asked))
        return Look(address.name, str(version), _revision(connection, address.name), int(size or 0), fsync == "on")


def revision(url: str) -> str | None:
    """The schema revision of the database, None when it has no schema yet. A newer one than ours is a `StoreError`."""
    address = Address(url)
    with closing(address.connect()) as connection:
        return _revision(connection, address.name)


def migrate(url: str, *, to: str = REVISIONS[-1]) -> None:
    """Brings the database to revision `to`, step by step."""
    address = Address(url)
    with closing(address.connect()) as connection:
        for step, statements in schema.steps(_revision(connection, address.name), to, postgres=True):
            try:
                with connection.transaction():
                    for statement in statements:
                        connection.execute(statement.encode())
            except psycopg.Error as error:
                raise StoreError(
                    f"{address.name} cannot be brought to schema {step}: {said(error)}. It has schema {revision(url)} "
                    "now, and the next start tries again."
                ) from error


def _revision(connection: Connection, name: str) -> str | None:
    if rows(execute(connection, "SELECT to_regclass('alembic_version')")) == [(None,)]:
        return None
    [(found,)] = rows(execute(connection, "SELECT version_num FROM alembic_version")) or [(None,)]
    schema.check_known(None if found is None else str(found), name)
    return None if found is None else str(found)
