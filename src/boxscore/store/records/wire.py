"""What goes over to PostgreSQL and what comes back, so that a statement means there what it means to SQLite."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from boxscore.errors import ExtraMissingError, SpecError, StoreAwayError, StoreError
from boxscore.store.records.rows import Cell

try:
    import psycopg
    from psycopg.adapt import Loader
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.types.numeric import Int8Dumper
except ImportError as error:
    raise ExtraMissingError("A records store on PostgreSQL", "postgres") from error

if TYPE_CHECKING:
    from psycopg.abc import Buffer

Rows: TypeAlias = list[tuple[Cell, ...]]
Connection: TypeAlias = "psycopg.Connection[tuple[Cell, ...]]"

OLDEST = 14
_DEFAULTS: dict[str, Any] = {
    "application_name": "boxscore",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""So that a server that is gone is noticed; what the address itself says stays."""
_SYNCED = b"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_QUOTED_OR_ASKED = re.compile(r"'[^']*'|\?")
_ESCAPED = re.compile("\x10(.)", re.DOTALL)


class Address:
    """Where a database is. `name` is how a person would call it; the password is in no sentence of ours."""

    def __init__(self, url: str) -> None:
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error:  # it quotes what it was given, password and all
            raise SpecError(
                "BOXSCORE_RECORDS_URL is no address of a PostgreSQL database: one reads "
                "postgresql://user:password@host/database.",
                key="BOXSCORE_RECORDS_URL",
            ) from None
        self._conninfo = make_conninfo("", **(_DEFAULTS | given))
        user, host, port = (str(given.get(part) or "") for part in ("user", "host", "port"))
        self.name = f"postgresql://{user and f'{user}@'}{host}{port and f':{port}'}/{given.get('dbname') or ''}"

    def connect(self) -> Connection:
        """Every statement is a transaction of its own, but between a BEGIN and its COMMIT."""
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True, cursor_factory=psycopg.RawCursor)
        except psycopg.OperationalError as error:
            raise StoreAwayError(f"{self.name} cannot be reached: {said(error)}.") from error
        try:
            if connection.info.server_version < OLDEST * 10_000:
                raise StoreError(f"{self.name} is older than PostgreSQL {OLDEST}: it has to be upgraded first.")
            if connection.info.parameter_status("server_encoding") != "UTF8":
                raise StoreError(f"{self.name} does not keep all text: make the database with ENCODING 'UTF8'.")
            connection.adapters.register_loader("numeric", _NumberLoader)
            connection.adapters.register_dumper(int, Int8Dumper)
            connection.execute(_SYNCED)
        except psycopg.Error as error:
            connection.close()
            raise StoreAwayError(f"{self.name} cannot be reached: {said(error)}.") from error
        except StoreError:
            connection.close()
            raise
        return cast("Connection", connection)


def execute(connection: Connection, statement: str, given: Sequence[Cell] = ()) -> "psycopg.Cursor[tuple[Cell, ...]]":
    return connection.execute(_translated(statement), [_escaped(cell) for cell in given] if given else None)


def rows(cursor: "psycopg.Cursor[tuple[Cell, ...]]") -> Rows:
    """All that it found; none for a statement that gives no rows."""
    if cursor.description is None:
        return []
    found = cursor.fetchall()
    if any(isinstance(cell, str) and "\x10" in cell for row in found for cell in row):
        return [tuple(_plain(cell) for cell in row) for row in found]
    return found


def said(error: "psycopg.Error") -> str:
    """What went wrong, without the values that it went wrong with."""
    text = error.diag.message_primary or str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


@lru_cache(maxsize=512)
def _translated(statement: str) -> bytes:
    """`?` as PostgreSQL's `$1`, `$2`, …"""
    number = count(1)
    return _QUOTED_OR_ASKED.sub(lambda at: f"${next(number)}" if at[0] == "?" else at[0], statement).encode()


def _escaped(cell: Cell) -> Cell:
    """PostgreSQL has no text with a NUL in it, and models do send one: it goes as DLE and @, and a DLE as two."""
    if isinstance(cell, str) and ("\x00" in cell or "\x10" in cell):
        return cell.replace("\x10", "\x10\x10").replace("\x00", "\x10@")
    return cell


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return _ESCAPED.sub(lambda at: "\x00" if at[1] == "@" else at[1], cell)
    return cell


class _NumberLoader(Loader):
    """Sums and means as SQLite gives them: whole numbers, or floats."""

    def load(self, data: "Buffer") -> int | float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else float(text)
