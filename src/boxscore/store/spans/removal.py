"""What leaves the span files before they do: whole traces, with all that is kept of them. For the writing thread.

A block holds spans of one trace alone, so that no text of others has to be written again; a dictionary may have texts
of many, and is replaced.
"""

from collections.abc import Iterable, Sequence, Set
from typing import cast

import msgspec
import zstandard

from boxscore.store.spans import blocks, rollups
from boxscore.store.spans.blocks import Dictionary, Owner, Payload
from boxscore.store.spans.columns import AT, BLOCK, PLACE, SEQ
from boxscore.store.spans.database import Database, Row
from boxscore.store.spans.files import Files
from boxscore.store.spans.schema import COLUMNS, NAMED, QUOTED
from boxscore.store.spans.segment import Segment, Trace, tag

STEP_BLOCKS = 200
RECENT_SPANS = 5_000

_NAME_ID = "SELECT id FROM names WHERE value = ?"
_ROWS = f"SELECT {', '.join(QUOTED)} FROM spans WHERE project = ? AND trace = ?"  # noqa: S608 - our own names
_DROP_TAG = "DELETE FROM tags WHERE project = ? AND tag = ? AND at_ns = ? AND seq = ?"
_DROP_TAGS = "DELETE FROM tags WHERE project = ? AND seq = ?"
_ADD_CHANGE = "INSERT INTO changes(seq, project, at_ns) VALUES (?, ?, ?)"
_NOTE = """
INSERT INTO state(name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)
"""
_DICTIONARIES = """
SELECT d.id, p.value, a.value, d.trained FROM dictionaries d JOIN names p ON p.id = d.project
JOIN names a ON a.id = d.application
"""
_RECENT = """
SELECT DISTINCT trace, block FROM (SELECT trace, block FROM spans WHERE project = (SELECT id FROM names WHERE value = ?)
AND application = (SELECT id FROM names WHERE value = ?) ORDER BY seq DESC LIMIT ?)
"""
_NAMED_PLACES = [COLUMNS.index(column) for column in NAMED]


class Removed(msgspec.Struct):
    """How many spans of which project were removed, and by file the names that may be unused now."""

    projects: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    names: dict[int, set[int]] = msgspec.field(default_factory=dict[int, set[int]])

    @property
    def spans(self) -> int:
        return sum(self.projects.values())

    def add(self, more: "Removed") -> None:
        for project, spans in more.projects.items():
            self.projects[project] = self.projects.get(project, 0) + spans
        for number, names in more.names.items():
            self.names.setdefault(number, set()).update(names)


def remove(files: Files, traces: Sequence[Trace], *, keep_totals: bool) -> Removed:
    """All spans of the traces and the scores of them, a transaction for each file. With `keep_totals` roll-ups still
    count them."""
    removed = Removed()
    placed: dict[Segment, list[Trace]] = {}
    for trace in traces:
        if (home := files.home(trace)) is not None:
            placed.setdefault(home, []).append(trace)
    files.scores.remove(traces)  # first: who finds no spans after a kill would not look for scores
    for segment, of_segment in placed.items():
        segment.begin()
        try:
            if keep_totals:
                number = {project: _name_id(segment, project) for project, _ in of_segment}
                rollups.keep_totals(segment.database, [(number[project], trace) for project, trace in of_segment])
            for trace in of_segment:
                removed.add(_remove(segment, trace))
            segment.commit()
        except BaseException:
            segment.rollback()
            raise
        segment.reload()
    files.forget()
    return removed


def _remove(segment: Segment, trace: Trace) -> Removed:
    database = segment.database
    project = _name_id(segment, trace[0])
    rows = database.execute(_ROWS, (project, trace[1])).fetchall()
    names: set[int] = {cast(int, row[place]) for row in rows for place in _NAMED_PLACES if row[place] is not None}
    opened = {block: _payloads(segment, block) for block in {cast(int, row[BLOCK]) for row in rows}}
    for row in rows:
        payloads = opened[cast(int, row[BLOCK])]
        if payloads is None:  # damaged: its tags cannot be known, and are looked for
            database.execute(_DROP_TAGS, (project, row[SEQ]))
            continue
        for key, value in payloads[cast(int, row[PLACE])].metadata.items():
            if (number := cast("int | None", database.execute(_NAME_ID, (tag(key, value),)).get)) is not None:
                database.execute(_DROP_TAG, (project, number, row[AT], row[SEQ]))
                names.add(number)
    database.executemany("DELETE FROM blocks WHERE id = ?", [(block,) for block in opened])
    database.execute("DELETE FROM spans WHERE project = ? AND trace = ?", (project, trace[1]))
    database.executemany(_ADD_CHANGE, [(row[SEQ], project, row[AT]) for row in rows])
    if rows:
        database.execute(_NOTE, ("spans", max(cast(int, row[SEQ]) for row in rows)))
        database.execute(_NOTE, ("blocks", max(opened)))
    return Removed({trace[0]: len(rows)}, {segment.number: names})


def _name_id(segment: Segment, name: str) -> int:
    return cast(int, segment.database.execute(_NAME_ID, (name,)).get)


def _payloads(segment: Segment, block: int) -> list[Payload] | None:
    try:
        return segment.read_block(block)
    except (zstandard.ZstdError, msgspec.DecodeError, TypeError):
        return None


# Dictionaries


def tainted(files: Files, marks: Set[bytes]) -> list[tuple[Segment, int, Owner]]:
    """Dictionaries that have texts of the marked traces; none of them is used for new blocks any more."""
    files.dictionaries.forget(marks)
    found: list[tuple[Segment, int, Owner]] = []
    for segment in files.segments:
        for number, project, application, trained in segment.database.execute(_DICTIONARIES).fetchall():
            owner = (cast(str, project), cast(str, application))
            if blocks.saw(cast("bytes | None", trained), marks):
                found.append((segment, cast(int, number), owner))
        segment.reload()
    return found


def retrain(segment: Segment, owner: Owner, without: Set[bytes]) -> Dictionary | None:
    """Another dictionary, from recent traces that are not among the marked; None where they are too few."""
    samples: dict[bytes, bytes] = {}
    for trace, block in segment.database.execute(_RECENT, (*owner, RECENT_SPANS)).fetchall():
        mark = blocks.mark(cast(bytes, trace))
        if mark not in without and (payloads := _payloads(segment, cast(int, block))) is not None:
            samples[mark] = blocks.pack(payloads)[: blocks.SAMPLE_BYTES]
        if len(samples) == blocks.SAMPLES:
            return blocks.train(samples)
    return None


def recompress(segment: Segment, number: int, owner: Owner, dictionary: Dictionary | None, after: int) -> int | None:
    """Writes some blocks of a dictionary without it, those after block `after`; gives back the last, None when no more
    are left: then the dictionary is gone."""
    asked = "SELECT id, data FROM blocks WHERE dictionary = ? AND id > ? ORDER BY id LIMIT ?"
    segment.begin()
    try:
        database = segment.database
        rows: list[Row] = database.execute(asked, (number, after, STEP_BLOCKS)).fetchall()
        if rows:
            instead = None if dictionary is None else segment.dictionary_id(owner, dictionary)
            for block, _ in rows:
                data = blocks.compress(blocks.pack(segment.read_block(cast(int, block))), dictionary)
                database.execute("UPDATE blocks SET dictionary = ?, data = ? WHERE id = ?", (instead, data, block))
        else:
            database.execute(_NOTE, ("dictionaries", number))
            database.execute("DELETE FROM dictionaries WHERE id = ?", (number,))
        segment.commit()
    except BaseException:
        segment.rollback()
        raise
    if rows:
        return cast(int, rows[-1][0])
    segment.reload()
    return None


# Names


def unused(database: Database, names: Set[int] | None) -> set[int]:
    """Those of the names, or of all, that no row of a file uses."""
    left = set(names or ())
    if names is None:
        left = {cast(int, number) for (number,) in database.execute("SELECT id FROM names")}
    for column in ("project", *(f'"{column}"' for column in NAMED)):
        left -= _used(database, left, "spans", column)
    for table, columns in (
        ("dictionaries", ("project", "application")),
        ("removed", ("project", "value")),
    ):
        for column in columns:
            left -= _used(database, left, table, column)
    projects = [cast(int, row[0]) for row in database.execute("SELECT DISTINCT project FROM spans")]
    has = "SELECT 1 FROM tags WHERE project = ? AND tag = ? LIMIT 1"
    return {name for name in left if not any(database.execute(has, (project, name)).get for project in projects)}


def _used(database: Database, names: set[int], table: str, column: str) -> set[int]:
    if not names:
        return set()
    asked = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608
    return {cast(int, row[0]) for row in database.execute(asked, (msgspec.json.encode(sorted(names)).decode(),))}


def drop_names(segment: Segment, names: Iterable[int], last_seq: int) -> None:
    """Removes names that were unused when `last_seq` was the last span, and are still. The highest number stays,
    without its text, so that no number comes again."""
    database = segment.database
    columns = ", ".join(f'"{column}"' for column in NAMED)
    fresh = f"SELECT {columns} FROM spans WHERE seq > ? OR seq IN (SELECT seq FROM changes)"  # noqa: S608
    segment.begin()
    try:
        used = {number for row in database.execute(fresh, (last_seq,)) for number in row}
        projects = [row[0] for row in database.execute("SELECT DISTINCT project FROM spans")]
        has = "SELECT 1 FROM tags WHERE project = ? AND tag = ? LIMIT 1"
        for name in set(names) - cast("set[int]", used):
            if any(database.execute(has, (project, name)).get for project in projects):
                continue
            if name == database.execute("SELECT max(id) FROM names").get:
                database.execute("UPDATE names SET value = 'removed ' || id WHERE id = ?", (name,))
            else:
                database.execute("DELETE FROM names WHERE id = ?", (name,))
        segment.commit()
    except BaseException:
        segment.rollback()
        raise
    segment.reload()
