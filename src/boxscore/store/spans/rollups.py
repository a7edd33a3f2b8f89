"""Totals by minute and by hour, computed behind the write from what is stored, each in a file beside its span file.

A roll-up covers the rows up to its mark, and is written together with it: a step that is lost is done again from the
same place, and a repeated batch, which adds no row, adds nothing. Minutes of rows that changed since are counted anew,
and their hours corrected by the difference. The files can be deleted at any time; they are made again.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

import apsw
import numpy as np
import numpy.typing as npt

from boxscore.errors import StoreError
from boxscore.store.spans.columns import LARGEST, UNSET, to_usd
from boxscore.store.spans.database import Cell, Database, open_database
from boxscore.store.spans.parts import Numbers
from boxscore.store.spans.reader import EVERY, numbers, rollup_path
from boxscore.store.spans.schema import TOTALS, connect
from boxscore.store.spans.sketch import bins_of, value_of
from boxscore.store.spans.store import Point, SeriesBy

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
STEP_ROWS = 20_000
VALUES = 200
"""A field's values that a project's hour tells apart; those that come later count as `OTHERS`."""
OTHERS = "(others)"
MOST_TOKENS = 10**12
"""Of one span: more is a mistake, and sums of mistakes would pass 64 bits."""

_OTHERS = -1
_FIELDS: tuple[str, ...] = ("", *get_args(SeriesBy))
"""What totals are kept by, by the number of its place: all spans, or the values of a field."""
_VERSION = 2
_TABLES = f"""
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS mark;
DROP TABLE IF EXISTS minutes;
CREATE TABLE mark(seq INTEGER NOT NULL, change INTEGER NOT NULL) STRICT;
INSERT INTO mark VALUES (0, 0);
CREATE TABLE totals(
    {TOTALS}
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
COMMIT
"""  # noqa: S608 - our own words
_COLUMNS = ("seq", "project", "at_ns", "error", "input_tokens", "output_tokens", "cost_picousd", "duration_ns")
_ALL = (*_COLUMNS, *_FIELDS[1:])
_KEY = "project = ? AND field = ? AND unit_ns = ? AND at = ?"
_SUMS = "spans, errors, input_tokens, output_tokens, microusd, picousd, bins"
_CHANGES = "SELECT project, at_ns FROM changes WHERE id > ?"
_LAST_CHANGE = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'"
_REMOVED_MINUTES = "SELECT DISTINCT project, at FROM removed"
_PUT = f"INSERT OR REPLACE INTO {{}} VALUES ({', '.join('?' * 12)})"  # noqa: S608
_GET = f"SELECT {_SUMS} FROM {{}} WHERE {_KEY} AND value = ?"  # noqa: S608 - our own words
_OF_MINUTE = f"SELECT value, {_SUMS} FROM {{}} WHERE {_KEY}"  # noqa: S608
_DROP = f"DELETE FROM totals WHERE {_KEY} AND value = ?"  # noqa: S608
_KNOWN = f"SELECT value FROM totals WHERE {_KEY}"  # noqa: S608
_BETWEEN = f"""
SELECT at, value, {_SUMS} FROM totals
WHERE project = (SELECT id FROM s.names WHERE value = ?) AND field = ? AND unit_ns = ? AND at >= ? AND at < ?
"""  # noqa: S608


Table: TypeAlias = Literal["totals", "removed"]


class Key(NamedTuple):
    """`at` counts units since 1970."""

    project: int
    field: int
    unit_ns: int
    at: int
    value: int


class Totals(NamedTuple):
    """Spans, errors, tokens in and out, and cost in millionths of a dollar and the trillionths beyond; and how many
    durations are in which bin of a sketch."""

    sums: Numbers
    bins: Mapping[int, int]

    def plus(self, other: "Totals", *, times: int = 1) -> "Totals":
        bins = dict(self.bins)
        for bin, count in other.bins.items():
            bins[bin] = bins.get(bin, 0) + times * count
        return Totals(self.sums + times * other.sums, {bin: count for bin, count in bins.items() if count})


_NOTHING = Totals(np.zeros(6, np.int64), {})
Deltas: TypeAlias = dict[Key, Totals]


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


def keep_totals(database: Database, traces: Sequence[tuple[int, bytes]]) -> None:
    """Notes the totals of traces in their span file: their spans can be removed and still count."""
    minutes: Deltas = {}
    batches = [_batch(database, "s.project = ? AND s.trace = ?", trace) for trace in traces]
    _count(None, {column: np.concatenate([batch[column] for batch in batches]) for column in _ALL}, minutes, {})
    for key, delta in minutes.items():
        _add(database, "removed", key, delta)


def _open(path: Path) -> Database:
    database = open_database(path, write=True)
    database.pragma("journal_mode", "wal")
    database.pragma("synchronous", "NORMAL")  # what a power loss takes is computed again
    if database.pragma("user_version") != _VERSION:
        database.execute(_TABLES)
    return database


def _is_made(path: Path) -> bool:
    if not path.exists():
        return False
    database = open_database(path, write=False)
    try:
        return database.pragma("user_version") == _VERSION
    finally:
        database.close()


def _step(source: Database, target: Database) -> bool:
    source.execute("BEGIN")  # rows and changes of one moment
    seq, change = cast("tuple[int, int]", target.execute("SELECT seq, change FROM mark").fetchone())
    fresh = _batch(source, "s.seq > ? ORDER BY s.seq LIMIT ?", (seq, STEP_ROWS))
    changes = cast("list[tuple[int, int]]", source.execute(_CHANGES, (change,)).fetchall())
    stale = {(project, at_ns // MINUTE_NS) for project, at_ns in changes}
    if not (seq or change):  # made anew: what was removed counts, though its changes may be forgotten
        stale |= set(cast("list[tuple[int, int]]", source.execute(_REMOVED_MINUTES).fetchall()))
    if not len(fresh["seq"]) and not stale:
        return False
    if len(fresh["seq"]):
        seq = int(fresh["seq"][-1])
    change = max(change, cast(int, source.execute(_LAST_CHANGE).get))
    target.execute("BEGIN IMMEDIATE")
    minutes: Deltas = {}
    hours: Deltas = {}
    for project, minute in stale:
        _forget(target, project, minute, hours)
    for project, minute in stale:
        bounds = (project, max(minute * MINUTE_NS, UNSET), min((minute + 1) * MINUTE_NS, LARGEST), seq)
        anew = _batch(source, "s.project = ? AND s.at_ns >= ? AND s.at_ns < ? AND s.seq <= ?", bounds)
        _count(target, anew, minutes, hours)
        for key, totals in _of_minute(source, "removed", project, minute):
            for deltas, of in ((minutes, key), (hours, _hour(key))):
                deltas[of] = deltas.get(of, _NOTHING).plus(totals)
    if stale:
        counted = [place for place, minute in enumerate(_minutes_of(fresh)) if minute in stale]
        fresh = {column: np.delete(values, counted) for column, values in fresh.items()}
    _count(target, fresh, minutes, hours)
    for key, delta in (*minutes.items(), *hours.items()):
        _add(target, "totals", key, delta)
    target.execute("UPDATE mark SET seq = ?, change = ?", (seq, change))
    target.execute("COMMIT")
    return True


def _batch(database: Database, term: str, parameters: Sequence[Cell]) -> dict[str, Numbers]:
    rows = [row for some in numbers(database, EVERY.having([(term, parameters)]), _ALL) for row in some]
    return dict(zip(_ALL, np.array(rows, np.int64).reshape(-1, len(_ALL)).T, strict=True))


def _minutes_of(batch: Mapping[str, Numbers]) -> Iterable[tuple[int, int]]:
    return zip(batch["project"].tolist(), (batch["at_ns"] // MINUTE_NS).tolist(), strict=True)


def _of_minute(database: Database, table: Table, project: int, minute: int) -> Iterator[tuple[Key, "Totals"]]:
    for field in range(len(_FIELDS)):
        key = (project, field, MINUTE_NS, minute)
        for value, *sums in database.execute(_OF_MINUTE.format(table), key).fetchall():
            yield Key(*key, cast(int, value)), _totals(cast("Sequence[int | bytes]", sums))


def _hour(key: Key) -> Key:
    return key._replace(unit_ns=HOUR_NS, at=key.at * MINUTE_NS // HOUR_NS)


def _forget(target: Database, project: int, minute: int, hours: Deltas) -> None:
    """Takes a minute out, also of its hour."""
    for key, totals in _of_minute(target, "totals", project, minute):
        hours[_hour(key)] = hours.get(_hour(key), _NOTHING).plus(totals, times=-1)
        target.execute(_DROP, key)


def _count(target: Database | None, batch: Mapping[str, Numbers], minutes: Deltas, hours: Deltas) -> None:
    """Adds rows to what is to be added; values are bounded by what `target` has of their hours."""
    if not len(batch["seq"]):
        return
    zeros = np.zeros(len(batch["seq"]), np.int64)
    cost = np.where(batch["cost_picousd"] == UNSET, 0, batch["cost_picousd"])
    told = [np.where(batch[name] == UNSET, 0, batch[name]) for name in ("input_tokens", "output_tokens")]
    tokens = [np.clip(counts, -MOST_TOKENS, MOST_TOKENS) for counts in told]
    sums = np.stack((zeros + 1, batch["error"], *tokens, cost // 10**6, cost % 10**6), axis=1)
    bins = np.where(batch["duration_ns"] == UNSET, UNSET, bins_of(batch["duration_ns"]))
    for field, name in enumerate(_FIELDS):
        values = zeros if not name else np.where(batch[name] == UNSET, 0, batch[name])
        if name and target is not None:
            values = _bounded(target, field, batch["project"], batch["at_ns"] // HOUR_NS, values)
        for unit_ns, deltas in ((MINUTE_NS, minutes), (HOUR_NS, hours)):
            keys = np.stack((batch["project"], zeros + field, zeros + unit_ns, batch["at_ns"] // unit_ns, values))
            _group(keys, sums, bins, deltas)


def _bounded(target: Database, field: int, projects: Numbers, hours: Numbers, values: Numbers) -> Numbers:
    """The values, or `_OTHERS` for those that an hour has no more room for."""
    wanted: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for project, hour, value in sorted(set(zip(projects.tolist(), hours.tolist(), values.tolist(), strict=True))):
        wanted[project, hour].append(value)
    bounded = values.copy()
    for (project, hour), of_hour in wanted.items():
        known = {cast(int, row[0]) for row in target.execute(_KNOWN, (project, field, HOUR_NS, hour))}
        new = [value for value in of_hour if value not in known]
        if excess := new[max(0, VALUES - len(known)) :]:
            bounded[(projects == project) & (hours == hour) & np.isin(values, excess)] = _OTHERS
    return bounded


def _group(keys: Numbers, sums: Numbers, bins: Numbers, deltas: Deltas) -> None:
    order = np.lexsort((bins, keys[4], keys[3], keys[0]))  # field and unit are the same in all
    keys, sums, bins = keys[:, order], sums[order], bins[order]
    is_new = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))
    starts = np.flatnonzero(is_new)
    added = np.add.reduceat(sums, starts, axis=0)
    runs = np.flatnonzero(is_new | np.append(True, bins[1:] != bins[:-1]))
    counts = np.diff(runs, append=len(bins)).tolist()
    found: list[dict[int, int]] = [{} for _ in starts]
    for group, bin, count in zip((np.cumsum(is_new)[runs] - 1).tolist(), bins[runs].tolist(), counts, strict=True):
        if bin != UNSET:
            found[group][bin] = count
    for place, (key, of_key) in enumerate(zip(keys[:, starts].T.tolist(), found, strict=True)):
        named = Key(*key)
        totals = Totals(added[place], of_key)
        deltas[named] = deltas[named].plus(totals) if named in deltas else totals


def _add(database: Database, table: Table, key: Key, delta: Totals) -> None:
    before = database.execute(_GET.format(table), key).fetchone()
    after = delta if before is None else _totals(cast("Sequence[int | bytes]", before)).plus(delta)
    if after.sums[0] == 0:
        database.execute(_DROP, key)
    else:
        database.execute(_PUT.format(table), (*key, *after.sums.tolist(), _packed(after.bins)))


def _totals(row: Sequence[int | bytes]) -> Totals:
    *sums, bins = row
    return Totals(np.array(sums, np.int64), dict(_unpacked(cast(bytes, bins)).tolist()))


def _packed(bins: Mapping[int, int]) -> bytes:
    """Bins and counts, in turn, of two bytes each or of eight; their number is odd of bytes where they are of eight."""
    narrow = max(bins.values(), default=0) < 2**16
    pairs = array("H" if narrow else "Q", chain.from_iterable(sorted(bins.items())))
    return pairs.tobytes() if narrow else b"\0" + pairs.tobytes()


def _unpacked(data: bytes) -> Numbers:
    wide = len(data) % 2
    return np.frombuffer(data, "<u8" if wide else "<u2", offset=wide).reshape(-1, 2).astype(np.int64)


class Buckets:
    """Sums of a series over files, by step and by value. Whole hours are read from hours."""

    def __init__(self, start_ns: int, end_ns: int, step_ns: int, by: str | None) -> None:
        self._start_ns = start_ns
        self._end_ns = end_ns
        self._step_ns = step_ns
        self._field = _FIELDS.index(by or "")
        self._unit_ns = MINUTE_NS if any(value % HOUR_NS for value in (start_ns, end_ns, step_ns)) else HOUR_NS
        self._values: dict[str | None, int] = {}
        self._rows: list[tuple[int, int, Sequence[int], bytes]] = []  # bucket, number of the value, sums, bins

    def read(self, path: Path, project: str) -> int:
        """Adds what one file has; gives back how many of its spans are not in it yet."""
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
                units = (self._start_ns // self._unit_ns, self._end_ns // self._unit_ns)
                names: dict[int, str | None] = {0: None, _OTHERS: OTHERS}
                unit_ns, start_ns, step_ns = self._unit_ns, self._start_ns, self._step_ns
                found = database.execute(_BETWEEN, (project, self._field, unit_ns, *units)).fetchall()
                rows = cast("list[tuple[int, int, int, int, int, int, int, int, bytes]]", found)
                for number in {row[1] for row in rows} - names.keys():
                    named = database.execute("SELECT value FROM s.names WHERE id = ?", (number,)).get
                    names[number] = cast(str, named)
                of = {number: self._values.setdefault(name, len(self._values)) for number, name in names.items()}
                self._rows += [((row[0] * unit_ns - start_ns) // step_ns, of[row[1]], row[2:8], row[8]) for row in rows]
                mark = cast(int, database.execute("SELECT seq FROM mark").get)
                return max(0, cast(int, database.execute(newest.format("s.")).get) - mark)
            finally:
                database.close()
        except apsw.Error as error:
            raise StoreError(f"the roll-up of {path} could not be read: {error}.") from error

    def points(self) -> list[Point]:
        if not self._rows:
            return []
        buckets = np.array([bucket for bucket, _, _, _ in self._rows])
        numbers = np.array([number for _, number, _, _ in self._rows])
        places, of = np.unique(buckets * len(self._values) + numbers, return_inverse=True)
        sums = np.zeros((len(places), 6), np.int64)
        np.add.at(sums, of, np.array([row for _, _, row, _ in self._rows], np.int64))
        middle, high = _quantiles(len(places), of, [bins for _, _, _, bins in self._rows])
        names = list(self._values)
        points = [
            Point(
                start_ns=self._start_ns + place // len(names) * self._step_ns,
                value=names[place % len(names)],
                spans=spans,
                errors=errors,
                input_tokens=tokens_in,
                output_tokens=tokens_out,
                cost_usd=to_usd(microusd * 10**6 + picousd),
                duration_p50_ns=p50,
                duration_p95_ns=p95,
            )
            for place, (spans, errors, tokens_in, tokens_out, microusd, picousd), p50, p95 in zip(
                cast("list[int]", places.tolist()), sums.tolist(), middle, high, strict=True
            )
        ]
        points.sort(key=lambda point: (point.start_ns, point.value or ""))
        return points


def _quantiles(
    places: int, of: npt.NDArray[np.intp], bins: Sequence[bytes]
) -> tuple[list[float | None], list[float | None]]:
    """Median and 95th percentile of each place, from packed bins of each row and the place that it is of."""
    lengths = np.fromiter(map(len, bins), np.int64, len(bins))
    is_wide = lengths % 2 == 1
    pairs = _unpacked(b"".join(data for data in bins if len(data) % 2 == 0))
    owners = np.repeat(of[~is_wide], lengths[~is_wide] // 4)
    for row in np.flatnonzero(is_wide).tolist():
        more = _unpacked(bins[row])
        pairs = np.concatenate((pairs, more))
        owners = np.append(owners, np.full(len(more), of[row]))
    if not len(pairs):
        nothing: list[float | None] = [None] * places
        return nothing, nothing
    found, counts = pairs.T
    low, width = int(found.min()), int(np.ptp(found)) + 1
    # Sums of counts as floats: exact to 2**53, more spans than a lifetime has.
    table = np.bincount(owners * width + (found - low), counts, places * width).reshape(places, width)
    reached = np.cumsum(table, axis=1, out=table)
    ends = reached[:, -1:]
    values = [value_of(bin + low) for bin in range(width)]

    def quantile(q: float) -> list[float | None]:
        first = (reached > q * (ends - 1)).argmax(axis=1).tolist()
        return [values[bin] if end else None for bin, end in zip(first, ends[:, 0].tolist(), strict=True)]

    return quantile(0.5), quantile(0.95)
