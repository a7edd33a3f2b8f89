"""Whether what is stored is whole: every page, every block, every count; named where it is not."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import apsw
import msgspec
import zstandard

from boxscore.errors import StoreError
from boxscore.store.records import database as records
from boxscore.store.spans import blocks, rollups, scores, search
from boxscore.store.spans.blocks import Payload
from boxscore.store.spans.database import Database, open_database
from boxscore.store.spans.files import FOLDER, segment_paths
from boxscore.store.spans.schema import NAMED, connect

_SCORE = "SELECT project, id, name, at_ns, trace, span, session, content FROM scores"
_PLACES = "SELECT block, place FROM spans"
_TAGLESS = "SELECT count(*) FROM tags t WHERE NOT EXISTS (SELECT 1 FROM spans s WHERE s.seq = t.seq)"
_NAMELESS = "SELECT count(*) FROM spans WHERE {0} IS NOT NULL AND {0} NOT IN (SELECT id FROM names)"

_DELETE = "Delete the file; it is made again."
_LAST_CHANGE = "SELECT coalesce(max(seq), 0) FROM s.sqlite_sequence WHERE name = 'changes'"
_TOTALS = f"""
SELECT project, at, spans, errors, input_tokens, output_tokens, microusd, picousd FROM totals
WHERE field = 0 AND unit_ns = {rollups.MINUTE_NS}
"""  # noqa: S608 - a number of ours
_COUNTED = f"""
SELECT project, at, sum(spans), sum(errors), sum(tokens_in), sum(tokens_out), sum(micro), sum(pico) FROM (
    SELECT project, at_ns / ?1 - (at_ns % ?1 < 0) AS at, count(*) AS spans, sum(error) AS errors,
        coalesce(sum(max(min(input_tokens, ?3), -?3)), 0) AS tokens_in,
        coalesce(sum(max(min(output_tokens, ?3), -?3)), 0) AS tokens_out,
        coalesce(sum(cost_picousd / 1000000 - (cost_picousd % 1000000 < 0)), 0) AS micro,
        coalesce(sum((cost_picousd % 1000000 + 1000000) % 1000000), 0) AS pico
        FROM s.spans WHERE seq <= ?2 GROUP BY 1, 2
    UNION ALL SELECT project, at, spans, errors, input_tokens, output_tokens, microusd, picousd
    FROM s.removed WHERE field = 0 AND unit_ns = {rollups.MINUTE_NS}
) GROUP BY project, at
"""  # noqa: S608

Problem = tuple[Path, str]
Progress = Callable[[str], None]


def verify(home: Path, progress: Progress = lambda file: None) -> list[Problem]:
    """What is wrong with the stores of a home, by file; nothing is written, and others may write meanwhile.

    Looked at are every page of the span files, the search index, roll-ups and scores by its checksum, every block of
    texts by its own, that every span has its block, its names and its tags, that roll-ups equal the spans, and scores
    themselves. Of the records store the structure is checked, for its pages carry no checksums: a flipped bit in a
    number there is seen only in a backup, by its manifest. Freed pages, which nobody reads, are not looked at.
    """
    found: list[Problem] = []
    if (path := home / records.FILE).exists():
        progress(path.name)
        found += [(path, problem) for problem in _records(path)]
    for _, path in segment_paths(home / FOLDER):
        for part, check in (
            (path, _spans),
            (rollups.rollup_path(path), _rollup),
            (search.search_path(path), _search),
            (path.with_suffix(".columns"), _pages_of),
        ):
            if part.exists():
                progress(part.name)
                found += [(part, problem) for problem in _caught(check, part)]
    if (path := home / FOLDER / scores.FILE).exists():
        progress(path.name)
        found += [(path, problem) for problem in _caught(_scores, path)]
    return found


def _caught(check: Callable[[Path], Iterator[str]], path: Path) -> Iterator[str]:
    try:
        yield from check(path)
    except (apsw.Error, StoreError, msgspec.DecodeError, zstandard.ZstdError, ValueError) as error:
        yield f"it is damaged: {error}."


def _records(path: Path) -> Iterator[str]:
    try:
        records.revision(path)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for (said,) in connection.execute("PRAGMA integrity_check(3)"):
                if said != "ok":
                    yield f"its structure is damaged: {said}."
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
            if broken:
                yield f"{len(broken):,} of its rows refer to rows that are not there."
    except (sqlite3.Error, StoreError) as error:
        yield f"it is damaged: {error}."


def _pages(database: Database) -> Iterator[str]:
    for (said,) in database.execute("PRAGMA integrity_check(3)"):
        if said != "ok":
            yield f"its structure is damaged: {said}."


def _pages_of(path: Path) -> Iterator[str]:
    with closing(open_database(path, write=False)) as database:
        yield from _pages(database)


def _spans(path: Path) -> Iterator[str]:
    with closing(connect(path, write=False)) as database:
        database.execute("BEGIN")
        damaged = list(_pages(database))
        yield from damaged
        if damaged:
            return  # what is read of such a file may be of any kind
        sizes: dict[int, int] = {}
        dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        for number, dictionary, data in database.execute("SELECT id, dictionary, data FROM blocks"):
            block = cast(int, number)
            try:
                sizes[block] = len(_unpacked(database, dictionaries, cast("int | None", dictionary), cast(bytes, data)))
            except (zstandard.ZstdError, msgspec.DecodeError, TypeError) as error:
                yield f"block {block} of its texts is damaged: {error}."
                sizes[block] = 2**31
        used: set[int] = set()
        lost = 0
        for number, place in cast("Iterator[tuple[int, int]]", database.execute(_PLACES)):
            used.add(number)
            lost += place >= sizes.get(number, 0)
        if lost:
            yield f"{lost:,} spans have no texts and raw bytes."
        if unused := sizes.keys() - used:
            yield f"{len(unused):,} blocks of texts belong to no span."
        for column in NAMED:
            if nameless := cast(int, database.execute(_NAMELESS.format(f'"{column}"')).get):
                yield f"the {column} of {nameless:,} spans is not known."
        if tagless := cast(int, database.execute(_TAGLESS).get):
            yield f"{tagless:,} of its tags belong to no span."


def _unpacked(
    database: Database, dictionaries: dict[int, zstandard.ZstdCompressionDict], number: int | None, data: bytes
) -> list[Payload]:
    if number is not None and number not in dictionaries:
        trained = database.execute("SELECT data FROM dictionaries WHERE id = ?", (number,)).get
        dictionaries[number] = zstandard.ZstdCompressionDict(cast(bytes, trained))
    dictionary = None if number is None else dictionaries[number]
    return blocks.unpack(data, zstandard.ZstdDecompressor(dict_data=dictionary))


def _rollup(path: Path) -> Iterator[str]:
    with closing(open_database(path, write=False)) as database:
        yield from _pages(database)
        if database.pragma("user_version") == 0:
            return
        database.execute("ATTACH ? AS s", (str(path.with_suffix(".db")),))
        database.execute("BEGIN")
        seq, change = cast("tuple[int, int]", database.execute("SELECT seq, change FROM mark").fetchone())
        if change < cast(int, database.execute(_LAST_CHANGE).get):
            return  # some minutes are to be counted anew: they follow
        counted = {
            row[:2]: row[2:] for row in database.execute(_COUNTED, (rollups.MINUTE_NS, seq, rollups.MOST_TOKENS))
        }
        if unlike := [row[:2] for row in database.execute(_TOTALS) if counted.pop(row[:2], None) != row[2:]]:
            yield f"the totals of {len(unlike):,} minutes are not those of the spans. {_DELETE}"
        if counted:
            yield f"it lacks {len(counted):,} minutes that have spans. {_DELETE}"


def _search(path: Path) -> Iterator[str]:
    with closing(open_database(path, write=False)) as database:
        yield from _pages(database)
        if database.pragma("user_version") == 0:
            return
        seq, change = cast("tuple[int, int]", database.execute("SELECT seq, change FROM mark").fetchone())
    with closing(connect(path.with_suffix(".db"), write=False)) as source:
        last = cast(int, source.execute("SELECT coalesce(max(seq), 0) FROM spans").get)
        removed = cast(int, source.execute("SELECT coalesce(max(value), 0) FROM state WHERE name = 'spans'").get)
        changes = cast(int, source.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").get)
    if seq > max(last, removed) or change > changes:
        yield f"it says that it has spans which are not there. {_DELETE}"


def _scores(path: Path) -> Iterator[str]:
    with closing(scores.connect(path, write=False)) as database:
        yield from _pages(database)
        for *columns, content in database.execute(_SCORE):
            score = scores.decode(cast(bytes, content))
            told = (score.id, score.name, score.at_ns, score.trace_id, score.span_id, score.session)
            if tuple(columns[1:]) != told:
                yield f"score {columns[1]!r} says two things."
