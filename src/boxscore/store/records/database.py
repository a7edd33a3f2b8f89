"""Opening the database file: pragmas, transactions, schema, copies."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from boxscore.errors import StoreError
from boxscore.store.locks import FileLock
from boxscore.store.migrations import REVISIONS
from boxscore.store.records import schema
from boxscore.store.restoring import finish_restore
from boxscore.writing import make_private

FILE = "records.db"
BUSY_MS = 30_000


def prepare(path: Path) -> None:
    """Brings the file at `path` to the newest schema; makes it, with its folder, where there is none."""
    finish_restore(path.parent)
    try:
        make_private(path.parent)
    except OSError as error:
        raise StoreError(f"the folder {path.parent} cannot be made: {error.strerror}.") from error
    try:
        if revision(path) != REVISIONS[-1]:
            with FileLock(path.with_name(f"{path.name}.lock")):
                _use_wal(path)
                if revision(path) is None:  # another process may have made it before we had the lock
                    create(path)
                else:
                    migrate(path)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be used as a records store: {error}.") from error


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose every transaction says itself whether it writes (`transaction`), for one thread at a time."""
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")  # in WAL mode only FULL keeps a commit across a power loss
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool) -> Generator[None, None, None]:
    """All or nothing. One that writes takes the write lock at the start, so that two writers wait for each other
    instead of failing half-way."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def revision(path: Path) -> str | None:
    """The schema revision of the file, None when it has no schema yet. A newer one than ours is a `StoreError`."""
    with closing(connect(path)) as connection:
        asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
        if connection.execute(asked).fetchone() is None:
            return None
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
    schema.check_known(found, str(path))
    return found


def create(path: Path) -> None:
    """The newest schema in an empty file."""
    with closing(connect(path)) as connection, transaction(connection, write=True):
        for statement in schema.fresh():
            connection.execute(statement)


def migrate(path: Path, *, to: str = REVISIONS[-1]) -> None:
    """Brings the file to revision `to`, step by step; a copy of what was there is kept beside it first."""
    before = revision(path)
    if before == to:
        return
    if before is not None:
        backup(path, path.with_name(f"{path.name}.{before}.backup"))
    with closing(connect(path)) as connection:
        for step, statements in schema.steps(before, to):
            try:
                with transaction(connection, write=True):
                    for statement in statements:
                        connection.execute(statement)
            except sqlite3.Error as error:
                raise StoreError(
                    f"{path} cannot be brought to schema {step}: {error}. It has schema {revision(path)} now, and the "
                    "next start tries again."
                ) from error


def backup(path: Path, to: Path) -> None:
    """A consistent copy of the database at `path`, taken while others may write; an older copy at `to` is replaced."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)
    part.replace(to)


def _use_wal(path: Path) -> None:
    """Write-ahead logging, which the file remembers. SQLite does not wait for readers here, busy timeout or not, and
    another process may be looking at this moment whether the file is new."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        until = time.monotonic() + BUSY_MS / 1000
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise StoreError(f"{path} cannot be used as a records store: {error}.") from error
                time.sleep(0.02)
