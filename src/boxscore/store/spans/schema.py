"""The span files: their pragmas, tables and versions."""

from pathlib import Path

import apsw

from boxscore.errors import StoreError
from boxscore.store.spans.database import Database, open_database

VERSION = 2
PAGE = 16_384
LOG_BYTES = 64 * 1024 * 1024
"""A log that grew longer while something was reading, a backup perhaps, is cut to so much once it was written back."""

NAMED = (
    *("name", "operation", "step", "application", "environment", "release", "session", "user", "model_asked", "model"),
    *("provider", "fingerprint", "prompt", "prompt_version", "variant", "graph", "price"),
)
"""Text fields of a span that are kept as numbers of the table `names`: their values come again and again."""

NUMBERS = (
    *("start_ns", "duration_ns", "first_token_ns"),
    *("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
)

COLUMNS = (
    *("seq", "project", "trace", "span", "parent", "at_ns", "received_ns", "entry", "error", "status_message"),
    *("block", "place", "cost_picousd", *NUMBERS, *NAMED),
)
"""`seq` is the order of arrival. `at_ns` is what lists are sorted by. `entry` is 1 for an entry and 2 for the earliest
span of a trace that has none yet. `block` and `place` say where the span's texts and raw bytes are. Money is whole
trillionths of a dollar: a price per million tokens is a whole number of them."""

QUOTED = tuple(f'"{column}"' for column in COLUMNS)

TOTALS = """project INTEGER NOT NULL, field INTEGER NOT NULL, unit_ns INTEGER NOT NULL, at INTEGER NOT NULL,
    value INTEGER NOT NULL, spans INTEGER NOT NULL, errors INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, microusd INTEGER NOT NULL, picousd INTEGER NOT NULL, bins BLOB NOT NULL,
    PRIMARY KEY (project, field, unit_ns, at, value)"""
"""Columns of totals of some spans (`rollups`)."""

_TABLES = f"""
CREATE TABLE made(at_ns INTEGER NOT NULL) STRICT;
CREATE TABLE names(id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE spans(
    seq INTEGER PRIMARY KEY, project INTEGER NOT NULL, trace BLOB NOT NULL, span BLOB NOT NULL, parent BLOB,
    at_ns INTEGER NOT NULL, received_ns INTEGER NOT NULL, entry INTEGER NOT NULL, error INTEGER NOT NULL,
    status_message TEXT, block INTEGER NOT NULL, place INTEGER NOT NULL, cost_picousd INTEGER,
    {", ".join(f'"{column}" INTEGER' for column in (*NUMBERS, *NAMED))}
) STRICT;
CREATE UNIQUE INDEX spans_key ON spans(project, trace, span);
CREATE INDEX spans_time ON spans(project, at_ns);
CREATE INDEX spans_entry ON spans(project, at_ns) WHERE entry > 0;
CREATE INDEX spans_entry_of ON spans(project, trace) WHERE entry > 0;
CREATE INDEX spans_session ON spans(project, session, at_ns) WHERE entry > 0 AND session IS NOT NULL;
CREATE INDEX spans_user ON spans(project, "user", at_ns) WHERE entry > 0 AND "user" IS NOT NULL;
CREATE TABLE tags(
    project INTEGER NOT NULL, tag INTEGER NOT NULL, at_ns INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (project, tag, at_ns, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE dictionaries(
    id INTEGER PRIMARY KEY, project INTEGER NOT NULL, application INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE TABLE changes(
    id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, project INTEGER NOT NULL, at_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE blocks(id INTEGER PRIMARY KEY, dictionary INTEGER, data BLOB NOT NULL) STRICT;
"""
# `changes` tells columns, roll-ups and search which spans and times they have to look at again; with a project of 0 it
# is a span that no longer stands in for its trace's entry, which moves no total and no word. `tags` has no index by
# span: a changed span names its old tags itself.

_REMOVAL = f"""
CREATE TABLE removed(
    {TOTALS}
) STRICT, WITHOUT ROWID;
CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE dictionaries ADD COLUMN trained BLOB;
"""
# `removed` are totals of spans that were sampled away and still count. `state` has the highest numbers that removed
# rows had, so that none comes again: the marks of roll-ups and search stand on them. `trained` are marks of the traces
# that a dictionary has its texts from (`blocks.mark`).

_STEPS = (_TABLES, _REMOVAL)


def connect(path: Path, *, write: bool) -> Database:
    """A connection to the span file at `path`. A writing one makes and migrates it; a `StoreError` where it cannot be
    used or a newer Boxscore made it."""
    try:
        database = open_database(path, write=write)
        try:
            if write:
                _prepare(database, path)
            else:
                _version(database, path)
        except BaseException:
            database.close()
            raise
    except apsw.Error as error:
        raise StoreError(f"{path} cannot be used as a span file: {error}.") from error
    return database


def _prepare(database: Database, path: Path) -> None:
    """Sets what has to be set, and migrates. Each step is a transaction that sets its own version: after a kill between
    two, the next start goes on."""
    found = _version(database, path)
    database.pragma("page_size", PAGE)
    database.pragma("auto_vacuum", "INCREMENTAL")  # both take while the file is empty, and only then
    database.pragma("journal_mode", "wal")
    database.pragma("synchronous", "FULL")  # in WAL mode only FULL keeps a commit across a power loss
    database.pragma("journal_size_limit", LOG_BYTES)
    database.pragma("secure_delete", 1)  # what is erased is overwritten
    database.pragma("cache_size", -64 * 1024)
    for version in range(found, VERSION):
        database.execute(f"BEGIN IMMEDIATE; {_STEPS[version]} PRAGMA user_version = {version + 1}; COMMIT")


def _version(database: Database, path: Path) -> int:
    found = database.pragma("user_version")
    if not isinstance(found, int) or found > VERSION:
        raise StoreError(
            f"{path} was written by a newer Boxscore (its schema is {found}, this program knows up to {VERSION}): "
            "upgrade Boxscore, or point BOXSCORE_HOME at another folder. Nothing was changed."
        )
    return found
