"""Totals by minute, computed behind the write from what is stored, each in a file beside its span file.

A roll-up covers the rows up to its mark, and is written together with it: a step that is lost is done again from the
same place, and a repeated batch, which adds no row, adds nothing. Minutes of rows that changed since are counted anew.
The files can be deleted at any time; they are made again.
"""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast

import apsw
import msgspec

from boxscore.errors import StoreError
from boxscore.store.spans.columns import to_usd
from boxscore.store.spans.database import Database, Row, open_database
from boxscore.store.spans.schema import connect
from boxscore.store.spans.sketch import Sketch
from boxscore.store.spans.store import Point

MINUTE_NS = 60 * 10**9
STEP_ROWS = 20_000

_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE mark(seq INTEGER NOT NULL, change INTEGER NOT NULL) STRICT;
INSERT INTO mark VALUES (0, 0);
CREATE TABLE minutes(
    project INTEGER NOT NULL, minute INTEGER NOT NULL, model INTEGER NOT NULL, application INTEGER NOT NULL,
    totals BLOB NOT NULL, PRIMARY KEY (project, minute, model, application)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
COMMIT
"""
_FIELDS = "seq, project, at_ns, model, application, error, input_tokens, output_tokens, cost_picousd, duration_ns"
_FRESH = f"SELECT {_FIELDS} FROM spans WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our own words
_OF_MINUTE = f"SELECT {_FIELDS} FROM spans WHERE project = ? AND at_ns >= ? AND at_ns < ? AND seq <= ?"  # noqa: S608
_OF_TRACE = f"SELECT {_FIELDS} FROM spans WHERE project = ? AND trace = ?"  # noqa: S608
_REMOVED = "SELECT model, application, totals FROM removed WHERE project = ? AND minute = ?"
_CHANGES = "SELECT id, project, at_ns FROM changes WHERE id > ? ORDER BY id"
_LAST_CHANGE = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'"
_PUT = "INSERT OR REPLACE INTO {} VALUES (?, ?, ?, ?, ?)"
_GET = "SELECT totals FROM {} WHERE project = ? AND minute = ? AND model = ? AND application = ?"
_NAMED = "SELECT (SELECT value FROM s.names WHERE id = {}), minute, totals FROM minutes"
_BETWEEN = "WHERE project = (SELECT id FROM s.names WHERE value = ?) AND minute >= ? AND minute < ?"


class Totals(msgspec.Struct, array_like=True):
    """Of one minute, model and application. Money is trillionths of a dollar; `durations` a sketch."""

    spans: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    picousd: int = 0
    durations: bytes = Sketch().to_bytes()


class Key(NamedTuple):
    project: int
    minute: int
    model: int
    application: int


Sums: TypeAlias = dict[Key, tuple[Totals, Sketch]]

_decoder = msgspec.msgpack.Decoder(Totals)


def rollup_path(path: Path) -> Path:
    return path.with_suffix(".rollup")


def _is_made(path: Path) -> bool:
    if not path.exists():
        return False
    database = open_database(path, write=False)
    try:
        return database.pragma("user_version") != 0
    finally:
        database.close()


def step(path: Path) -> bool:
    """Brings the roll-up of a span file nearer to it; True when there is more to do."""
    source = connect(path, write=False)
    try:
        target = _open(rollup_path(path))
        try:
            return _step(source, target)
        finally:
            target.close()
    except apsw.Error as error:
        raise StoreError(f"the roll-up of {path} could not be brought up to it: {error}.") from error
    finally:
        source.close()


def _open(path: Path) -> Database:
    database = open_database(path, write=True)
    database.pragma("journal_mode", "wal")
    database.pragma("synchronous", "NORMAL")  # what a power loss takes is computed again
    if database.pragma("user_version") == 0:
        database.execute(_TABLES)
    return database


def _step(source: Database, target: Database) -> bool:
    source.execute("BEGIN")  # rows and changes of one moment
    seq, change = cast("tuple[int, int]", target.execute("SELECT seq, change FROM mark").fetchone())
    rows = source.execute(_FRESH, (seq, STEP_ROWS)).fetchall()
    changes = cast("list[tuple[int, int, int]]", source.execute(_CHANGES, (change,)).fetchall())
    stale = {(project, at_ns // MINUTE_NS) for _, project, at_ns in changes}
    if not (seq or change):  # made anew: what was removed counts, though its changes may be forgotten
        stale |= set(cast("list[tuple[int, int]]", source.execute("SELECT project, minute FROM removed").fetchall()))
    if not rows and not stale:
        return False
    seq = cast(int, rows[-1][0]) if rows else seq
    change = max(change, cast(int, source.execute(_LAST_CHANGE).get))
    target.execute("BEGIN IMMEDIATE")
    with_stale: list[Row] = []
    removed: list[tuple[Key, bytes]] = []
    for project, minute in stale:
        target.execute("DELETE FROM minutes WHERE project = ? AND minute = ?", (project, minute))
        bounds = (project, max(minute * MINUTE_NS, -(2**63)), min((minute + 1) * MINUTE_NS, 2**63 - 1), seq)
        with_stale += source.execute(_OF_MINUTE, bounds).fetchall()
        for model, application, totals in source.execute(_REMOVED, (project, minute)):
            key = Key(project, minute, cast(int, model), cast(int, application))
            removed.append((key, cast(bytes, totals)))
    with_stale += [row for row in rows if (row[1], cast(int, row[2]) // MINUTE_NS) not in stale]
    summed = _summed(with_stale)
    for key, totals in removed:
        _merge(summed, key, totals)
    _put(target, "minutes", summed)
    target.execute("UPDATE mark SET seq = ?, change = ?", (seq, change))
    target.execute("COMMIT")
    return True


def keep_totals(database: Database, project: int, trace: bytes) -> None:
    """Notes the totals of a trace in its span file: its spans can be removed and still count."""
    _put(database, "removed", _summed(database.execute(_OF_TRACE, (project, trace)).fetchall()))


def _put(database: Database, table: Literal["minutes", "removed"], summed: Sums) -> None:
    """Adds to what the table has."""
    for key, (totals, durations) in summed.items():
        if (before := cast("bytes | None", database.execute(_GET.format(table), key).get)) is not None:
            _merge(summed, key, before)
        totals.durations = durations.to_bytes()
        database.execute(_PUT.format(table), (*key, msgspec.msgpack.encode(totals)))


def _merge(summed: Sums, key: Key, packed: bytes) -> None:
    stored = _decoder.decode(packed)
    totals, durations = summed.setdefault(key, (Totals(), Sketch()))
    _add(totals, stored)
    durations.merge(Sketch.from_bytes(stored.durations))


def _summed(rows: Iterable[Row]) -> Sums:
    summed: Sums = {}
    for row in cast("Iterable[tuple[int, int, int, int | None, int | None, int, int, int, int, int | None]]", rows):
        _, project, at_ns, model, application, error, tokens_in, tokens_out, cost, duration = row
        key = Key(project, at_ns // MINUTE_NS, model or 0, application or 0)
        if key not in summed:
            summed[key] = (Totals(), Sketch())
        totals, durations = summed[key]
        _add(totals, Totals(1, error, tokens_in or 0, tokens_out or 0, cost or 0))
        if duration is not None:
            durations.add(duration)
    return summed


def _add(totals: Totals, more: Totals) -> None:
    totals.spans += more.spans
    totals.errors += more.errors
    totals.input_tokens += more.input_tokens
    totals.output_tokens += more.output_tokens
    totals.picousd += more.picousd


class Buckets:
    """Sums of minutes over files, by step and by value."""

    def __init__(self, start_ns: int, step_ns: int) -> None:
        self._start_ns = start_ns
        self._step_ns = step_ns
        self._sums: dict[tuple[int, str | None], tuple[Totals, Sketch]] = {}

    def read(self, path: Path, project: str, end_ns: int, by: str | None) -> int:
        """Adds the minutes of one file; gives back how many of its spans are not in them yet."""
        try:
            newest = "SELECT coalesce(max(seq), 0) FROM {}spans"
            if not _is_made(rollup_path(path)):
                source = connect(path, write=False)
                try:
                    return cast(int, source.execute(newest.format("")).get)
                finally:
                    source.close()
            database = open_database(rollup_path(path), write=False)
            try:
                database.execute("ATTACH ? AS s", (str(path),))
                database.execute("BEGIN")
                bounds = (project, self._start_ns // MINUTE_NS, end_ns // MINUTE_NS)
                named = _NAMED.format(by or "0")
                for value, minute, totals in database.execute(f"{named} {_BETWEEN}", bounds):
                    self._add(cast("str | None", value), cast(int, minute), _decoder.decode(cast(bytes, totals)))
                mark = cast(int, database.execute("SELECT seq FROM mark").get)
                return max(0, cast(int, database.execute(newest.format("s.")).get) - mark)
            finally:
                database.close()
        except apsw.Error as error:
            raise StoreError(f"the roll-up of {path} could not be read: {error}.") from error

    def _add(self, value: str | None, minute: int, totals: Totals) -> None:
        bucket = (minute * MINUTE_NS - self._start_ns) // self._step_ns
        sums, durations = self._sums.setdefault((bucket, value), (Totals(), Sketch()))
        _add(sums, totals)
        durations.merge(Sketch.from_bytes(totals.durations))

    def points(self) -> list[Point]:
        return [
            Point(
                start_ns=self._start_ns + bucket * self._step_ns,
                value=value,
                spans=totals.spans,
                errors=totals.errors,
                input_tokens=totals.input_tokens,
                output_tokens=totals.output_tokens,
                cost_usd=to_usd(totals.picousd) if totals.picousd else Decimal(0),
                duration_p50_ns=durations.quantile(0.5),
                duration_p95_ns=durations.quantile(0.95),
            )
            for (bucket, value), (totals, durations) in sorted(
                self._sums.items(), key=lambda item: (item[0][0], item[0][1] or "")
            )
        ]
