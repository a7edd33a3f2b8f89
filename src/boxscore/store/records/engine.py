"""Opening the database file: pragmas, transactions, migrations, and the refusal of what is newer than we are."""

import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from boxscore.errors import StoreError
from boxscore.store.migrations import REVISIONS
from boxscore.store.records import schema
from boxscore.store.records.locks import FileLock

FILE = "records.db"
BUSY_MS = 30_000


def open_engine(path: Path) -> Engine:
    """An engine on the file at `path`, migrated to the newest schema; made with its folder where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {path.parent} cannot be made: {error.strerror}.") from error
    engine = make_engine(path)
    try:
        if revision(engine, path) != REVISIONS[-1]:
            with FileLock(path.with_name(f"{path.name}.lock")):
                _use_wal(path)
                if revision(engine, path) is None:  # another process may have made it before we had the lock
                    create(engine)
                else:
                    migrate(engine, path)
    except exc.DBAPIError as error:
        engine.dispose()
        raise StoreError(f"{path} cannot be used as a records store: {error.orig}.") from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def make_engine(path: Path) -> Engine:
    """An engine whose every transaction says itself whether it writes: `BEGIN IMMEDIATE` takes the write lock at the
    start, so that two writers wait for each other instead of failing half-way."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=4,
        connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def revision(engine: Engine, path: Path) -> str | None:
    """The schema revision of the file, None when it has no schema yet. A newer one than ours is a `StoreError`."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise StoreError(
            f"{path} was written by a newer Boxscore (its schema is {found}, this program knows up to "
            f"{REVISIONS[-1]}): upgrade Boxscore, or point BOXSCORE_HOME at another folder. Nothing was changed."
        )
    return found


def create(engine: Engine) -> None:
    """The newest schema in an empty file. The same as all migrations one after another, which a test holds it to, but
    without Alembic: that takes a third of a second and 10 MB to import."""
    with engine.connect().execution_options(boxscore_writes=True) as connection, connection.begin():
        schema.metadata.create_all(connection, checkfirst=False)
        connection.execute(sa.insert(schema.projects), {"id": schema.DEFAULT_PROJECT, "name": schema.DEFAULT_PROJECT})
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": REVISIONS[-1]})


def migrate(engine: Engine, path: Path, *, to: str = REVISIONS[-1]) -> None:
    """Brings the file to revision `to` in one transaction; a copy of what was there is kept beside it first."""
    from alembic import command
    from alembic.config import Config

    before = revision(engine, path)
    if before == to:
        return
    if before is not None:
        backup(path, path.with_name(f"{path.name}.{before}.backup"))
    config = Config()
    config.set_main_option("script_location", "boxscore.store:migrations")
    with engine.connect().execution_options(boxscore_writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def backup(path: Path, to: Path) -> None:
    """A consistent copy of the database at `path`, taken while others may write; an older copy at `to` is replaced."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    source, target = sqlite3.connect(path), sqlite3.connect(part)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    part.replace(to)


def _use_wal(path: Path) -> None:
    """Write-ahead logging, which the file remembers. SQLite does not wait for readers here, busy timeout or not, and
    another process may be looking at this moment whether the file is new."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        until = time.monotonic() + BUSY_MS / 1000
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise StoreError(f"{path} cannot be used as a records store: {error}.") from error
                time.sleep(0.02)
    finally:
        connection.close()


def _on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own; _on_begin does
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "synchronous=FULL",  # in WAL mode only FULL keeps a commit across a power loss
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("boxscore_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
