"""Columns of spans, many rows of one column together: what no index answers is found, counted and summed in them.

Made behind the write from stored rows, each in a file beside its span file that can be deleted at any time and is made
again. A stripe holds rows that arrived one after the other. Answers stay exact meanwhile: rows behind the mark, and
rows that changed since, are read from the span file itself.
"""

import random
from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

import apsw
import numpy as np
import zstandard

from boxscore.errors import StoreError
from boxscore.store.spans.database import Database, open_database
from boxscore.store.spans.kept import KEPT
from boxscore.store.spans.parts import Numbers, Part, encode
from boxscore.store.spans.reader import EVERY, Reader, columns_path
from boxscore.store.spans.schema import NAMED, NUMBERS

ROWS = 16_384
"""A stripe has about as many rows: smaller ones, the last, are joined when they are as many together."""
PARTS = 4
"""A stripe begins with so many times fewer rows: less is read from the span file itself."""
CHANGED = 1_000
"""As many changed spans are read one by one before their stripes are written anew,"""
CHANGES = 5_000
"""or as many changes, most of them of spans that came before their stripe was written."""
COLUMNS = ("seq", "project", "at_ns", "entry", "error", "cost_picousd", *NUMBERS, *NAMED)
"""The number of a column in the file is its place here."""

_PER_STRIPE = 64
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE mark(seq INTEGER NOT NULL, change INTEGER NOT NULL) STRICT;
INSERT INTO mark VALUES (0, 0);
CREATE TABLE stripes(
    id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, change INTEGER NOT NULL,
    rows INTEGER NOT NULL, oldest_ns INTEGER NOT NULL, newest_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE parts(
    id INTEGER PRIMARY KEY, width INTEGER NOT NULL, words BLOB NOT NULL, data BLOB NOT NULL
) STRICT;
PRAGMA user_version = 1;
COMMIT
"""
_PUT_STRIPE = "INSERT OR REPLACE INTO stripes VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_PART = "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)"
_PART = "SELECT width, words FROM parts WHERE id = ?"
_DATA = "SELECT data FROM parts WHERE id = ?"
_ALL = "SELECT id, first, last, change, rows, oldest_ns, newest_ns FROM stripes ORDER BY id"

_FEW = frozenset(("project", "entry", "error", *NAMED))


class Stripe(NamedTuple):
    """`first` to `last` by order of arrival, some of which may be gone: `rows` are there, as they were after
    `change`."""

    id: int
    first: int
    last: int
    change: int
    rows: int
    oldest_ns: int
    newest_ns: int


def step(path: Path) -> bool:
    """Brings the columns of a span file nearer to it; True when there is more to do."""
    reader = Reader(path, 0)
    try:
        with _writing(columns_path(path)) as database, reader.snapshot():
            return _step(reader, database)
    except (apsw.Error, zstandard.ZstdError) as error:
        raise StoreError(f"the columns of {path} could not be brought up to it: {error}.") from error
    finally:
        reader.close()


@contextmanager
def _writing(path: Path) -> Generator[Database]:
    if not path.exists():
        _make(path)
    database = open_database(path, write=True)
    try:
        database.pragma("synchronous", "NORMAL")  # what a power loss takes is made again
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()


def _make(path: Path) -> None:
    making = path.with_suffix(".new-columns")  # readers meet it when it has its tables
    for left in path.parent.glob(f"{making.name}*"):
        left.unlink()
    database = open_database(making, write=True)
    try:
        database.pragma("page_size", 16_384)
        database.pragma("journal_mode", "wal")
        database.execute(_TABLES)
        database.pragma("application_id", random.SystemRandom().getrandbits(31))  # another file where it is made again
    finally:
        database.close()
    making.replace(path)


def _step(reader: Reader, database: Database) -> bool:
    before = seq, change = cast("tuple[int, int]", database.execute("SELECT seq, change FROM mark").fetchone())
    changes = reader.changes_after(change)
    now = changes[-1][0] if changes else change
    noted = as_changes(changes)
    stale = [(stripe, seqs) for stripe in stripes(database) if len(seqs := changed(stripe, noted))] if changes else []
    if len(changes) >= CHANGES or sum(len(seqs) for _, seqs in stale) >= CHANGED:
        for stripe, seqs in stale:
            _renew(reader, database, stripe._replace(change=now), seqs)
        stale = []
    if not stale:
        change = now
    where = EVERY.having([("s.seq > ? ORDER BY s.seq LIMIT ?", (seq, ROWS))])
    rows = [row for some in reader.numbers(where, COLUMNS) for row in some]
    if len(rows) >= ROWS // PARTS:
        number = cast(int, database.execute("SELECT coalesce(max(id), 0) + 1 FROM stripes").get)
        first, seq = rows[0][0], rows[-1][0]
        columns = dict(zip(COLUMNS, np.array(rows, np.int64).T, strict=True))
        _write(database, Stripe(number, first, seq, now, 0, 0, 0), columns)
        _join(database)
    if (seq, change) != before:
        database.execute("UPDATE mark SET seq = ?, change = ?", (seq, change))
    return len(rows) == ROWS


def _join(database: Database) -> None:
    """Makes one stripe of the small ones at the end, where they are enough for one."""
    small: list[Stripe] = []
    for stripe in reversed(stripes(database)):
        if stripe.last - stripe.first + 1 >= ROWS:
            break
        small.insert(0, stripe)
    if len(small) < 2 or small[-1].last - small[0].first + 1 < ROWS:
        return
    parts = [{column: part(database, stripe, column).values() for column in COLUMNS} for stripe in small]
    for stripe in small:
        numbers = (stripe.id * _PER_STRIPE, (stripe.id + 1) * _PER_STRIPE)
        database.execute("DELETE FROM parts WHERE id >= ? AND id < ?", numbers)
        database.execute("DELETE FROM stripes WHERE id = ?", (stripe.id,))
    joined = small[0]._replace(last=small[-1].last, change=min(stripe.change for stripe in small))
    _write(database, joined, {column: np.concatenate([one[column] for one in parts]) for column in COLUMNS})


def as_changes(changes: Sequence[tuple[int, int]]) -> Numbers:
    """Numbered changes as two columns."""
    return np.array(changes, np.int64).reshape(-1, 2)


def changed(stripe: Stripe, changes: Numbers) -> Numbers:
    """The spans of a stripe that are not what it says."""
    change, seq = changes.T
    return np.unique(seq[(change > stripe.change) & (seq >= stripe.first) & (seq <= stripe.last)])


def _renew(reader: Reader, database: Database, stripe: Stripe, seqs: Numbers) -> None:
    """Writes a stripe with some rows as they stand now, without those of them that are gone."""
    before = {column: part(database, stripe, column).values() for column in COLUMNS}
    kept = ~np.isin(before["seq"], seqs)
    where = EVERY.having([(f"s.seq IN ({', '.join(map(str, seqs.tolist()))})", ())])
    rows = [row for some in reader.numbers(where, COLUMNS) for row in some]
    now = np.array(rows, np.int64).reshape(-1, len(COLUMNS)).T
    joined = {column: np.append(before[column][kept], more) for column, more in zip(COLUMNS, now, strict=True)}
    order = np.argsort(joined["seq"])
    _write(database, stripe, {column: values[order] for column, values in joined.items()})


def _write(database: Database, stripe: Stripe, columns: Mapping[str, Numbers]) -> None:
    rows = len(columns["seq"])
    times = (int(columns["at_ns"].min()), int(columns["at_ns"].max())) if rows else (0, 0)
    database.execute(_PUT_STRIPE, (stripe.id, stripe.first, stripe.last, stripe.change, rows, *times))
    for place, column in enumerate(COLUMNS):
        part = encode(columns[column], few=column in _FEW)
        database.execute(_PUT_PART, (stripe.id * _PER_STRIPE + place, *part))


def stripes(database: Database) -> list[Stripe]:
    return [Stripe(*cast("tuple[int, int, int, int, int, int, int]", row)) for row in database.execute(_ALL).fetchall()]


def identity(path: Path, database: Database) -> Hashable:
    """What no other file of columns has, nor the same when it is made again: stripes could look alike there."""
    return path, database.pragma("application_id")


def part(database: Database, stripe: Stripe, column: str, file: Hashable = None) -> Part:
    """A column of a stripe; with the `identity` of their file it is kept for the next who asks."""
    number = stripe.id * _PER_STRIPE + COLUMNS.index(column)

    def head() -> tuple[int, bytes]:
        return cast("tuple[int, bytes]", database.execute(_PART, (number,)).fetchone())

    def data() -> bytes:
        return cast(bytes, database.execute(_DATA, (number,)).get)

    if file is None:
        return Part(stripe.rows, *head(), data)
    key = (file, stripe, number)
    return Part(stripe.rows, *KEPT.of((*key, "head"), head), data, lambda decode: KEPT.of(key, decode))
