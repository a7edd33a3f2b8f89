"""One span file as its one writer has it: names, traces, blocks and rows of a stretch of time."""

from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import cast

import msgspec
import zstandard

from boxscore.store.spans import blocks
from boxscore.store.spans.blocks import Dictionaries, Dictionary, Owner, Payload
from boxscore.store.spans.columns import AT, BLOCK, ENTRY, PLACE, SEQ, from_values, to_values
from boxscore.store.spans.database import Database, Row
from boxscore.store.spans.merge import merge
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.schema import COLUMNS, QUOTED, connect

Trace = tuple[str, bytes]
"""Project and trace id."""

NAMES_KEPT = 200_000
_COLUMNS = ", ".join(QUOTED)
_INSERT = f"INSERT INTO spans({_COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our own names
_UPDATE = f"UPDATE spans SET {', '.join(f'{column} = ?' for column in QUOTED)} WHERE seq = ?"  # noqa: S608
_SELECT = f"SELECT {_COLUMNS} FROM spans WHERE project = ? AND trace = ? AND span = ?"  # noqa: S608
_KNOWS = "SELECT 1 FROM spans WHERE project = ? AND trace = ? LIMIT 1"
_ENTRIES = "SELECT seq, entry, start_ns, span FROM spans WHERE project = ? AND trace = ? AND entry > 0"
_SET_ENTRY = "UPDATE spans SET entry = ? WHERE seq = ?"
_SEQ = "SELECT seq FROM spans WHERE project = ? AND trace = ? AND span = ?"
_ADD_TAG = "INSERT OR IGNORE INTO tags(project, tag, at_ns, seq) VALUES (?, ?, ?, ?)"
_DROP_TAG = "DELETE FROM tags WHERE project = ? AND tag = ? AND at_ns = ? AND seq = ?"
_ADD_BLOCK = "INSERT INTO blocks(id, dictionary, data) VALUES (?, ?, ?)"
_ADD_CHANGE = "INSERT INTO changes(seq, project, at_ns) VALUES (?, ?, ?)"
_SET_BLOCK = "UPDATE blocks SET dictionary = NULL, data = ? WHERE id = ?"
_BLOCK = "SELECT data, dictionary FROM blocks WHERE id = ?"
_DICTIONARIES = """
SELECT d.id, p.value, a.value, d.data, d.trained FROM dictionaries d JOIN names p ON p.id = d.project
JOIN names a ON a.id = d.application
"""
_NAME_ID = "SELECT id FROM names WHERE value = ?"
_ADD_NAME = "INSERT INTO names(value) VALUES (?) ON CONFLICT DO NOTHING RETURNING id"
_ADD_DICTIONARY = "INSERT INTO dictionaries(id, project, application, data, trained) VALUES (?, ?, ?, ?, ?)"
_LAST = "SELECT max((SELECT coalesce(max({}), 0) FROM {}), coalesce((SELECT value FROM state WHERE name = ?), 0))"


class Segment:
    """A span file, for one thread. `put` wants a transaction around it (`begin`, `commit`, `rollback`)."""

    def __init__(self, path: Path, number: int, dictionaries: Dictionaries, *, now_ns: int = 0) -> None:
        self.number = number
        self._connection = connect(path, write=True)
        self._dictionaries = dictionaries
        try:
            if self._connection.execute("SELECT 1 FROM made").get is None:
                self._connection.execute("INSERT INTO made(at_ns) VALUES (?)", (now_ns,))
            self.made_ns = cast(int, self._connection.execute("SELECT at_ns FROM made").get)
            self._load()
        except BaseException:
            self._connection.close()
            raise
        for owner, dictionary in self._stored_dictionaries.items():
            dictionaries.add(owner, dictionary)

    def close(self) -> None:
        self._connection.close()

    @property
    def database(self) -> Database:
        """For what removes from the file; `reload` afterwards."""
        return self._connection

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Nothing of the transaction stays, in the file or in memory."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._load()

    def reload(self) -> None:
        """Forgets what is kept in memory of rows that were removed."""
        self._load()

    def count(self) -> int:
        """About how many spans the file has: where seq stands."""
        return self._next_seq - 1

    def knows(self, trace: Trace) -> bool:
        project = self._names.get(trace[0]) or self._connection.execute(_NAME_ID, (trace[0],)).get
        return project is not None and self._connection.execute(_KNOWS, (cast(int, project), trace[1])).get is not None

    def put(self, traces: Mapping[Trace, Sequence[SpanRow]], known: Set[Trace], now_ns: int) -> None:
        """Stores rows of whole or partial traces. `known` are those of which this file has spans already."""
        values: list[Row] = []
        tags: list[Row] = []
        self._new_blocks: list[Row] = []
        for (project_name, trace), rows in traces.items():
            project = self._names[project_name]
            assert project is not None  # noqa: S101 - a project has a name
            is_known = (project_name, trace) in known
            touched = _one_each(rows)
            fresh = self._merge_stored(project, trace, touched) if is_known else touched
            stand_in = self._settle_entry(project, trace, touched, known=is_known)
            for part in blocks.split(fresh):
                block = self._add_block(project_name, trace, part)
                for place, row in enumerate(part):
                    entry = 1 if row.entry else 2 if row.span_id == stand_in else 0
                    made = to_values(
                        row,
                        seq=self._next_seq,
                        project=project,
                        ids=self._names,
                        received_ns=now_ns,
                        entry=entry,
                        block=block,
                        place=place,
                    )
                    self._next_seq += 1
                    values.append(made)
                    if row.metadata:
                        tags.extend(self._tags(project, row.metadata, made))
        self._connection.executemany(_ADD_BLOCK, self._new_blocks)
        self._connection.executemany(_INSERT, values)
        self._connection.executemany(_ADD_TAG, tags)

    def _merge_stored(self, project: int, trace: bytes, touched: list[SpanRow]) -> list[SpanRow]:
        """Merges rows into those that are stored, in place in `touched`; gives back those that are not stored yet."""
        fresh: list[SpanRow] = []
        opened: dict[int, list[Payload]] = {}
        for place, row in enumerate(touched):
            values = cast("Row | None", self._connection.execute(_SELECT, (project, trace, row.span_id)).get)
            if values is None:
                fresh.append(row)
                continue
            block = cast(int, values[BLOCK])
            if block not in opened:
                opened[block] = self.read_block(block)
            touched[place] = self._update(project, values, opened[block], row)
        return fresh

    def _update(self, project: int, values: Row, payloads: list[Payload], row: SpanRow) -> SpanRow:
        seq, block, place = cast(int, values[SEQ]), cast(int, values[BLOCK]), cast(int, values[PLACE])
        stored = from_values(values, self._name_of, payloads[place])
        before = SpanRow(
            **{name: getattr(stored, name) for name in SpanRow.__struct_fields__ if name != "entry"},
            entry=values[ENTRY] == 1,
        )
        after = merge(before, row)
        if after == before:
            return after
        changed = to_values(
            after,
            seq=seq,
            project=project,
            ids=self._names,
            received_ns=stored.received_ns,
            entry=1 if after.entry else cast(int, values[ENTRY]),
            block=block,
            place=place,
        )
        self._connection.execute(_UPDATE, (*changed, seq))
        self._connection.executemany(_DROP_TAG, self._tags(project, before.metadata, values))
        self._connection.executemany(_ADD_TAG, self._tags(project, after.metadata, changed))
        self._connection.executemany(_ADD_CHANGE, [(seq, project, at_ns) for at_ns in {values[AT], changed[AT]}])
        payload = blocks.payload_of(after)
        if payload != payloads[place]:
            payloads[place] = payload
            self._connection.execute(_SET_BLOCK, (blocks.compress(blocks.pack(payloads), None), block))
        return after

    def _settle_entry(self, project: int, trace: bytes, touched: Sequence[SpanRow], *, known: bool) -> bytes | None:
        """A trace without an entry is listed by its earliest span: the one of `touched` that has to stand in now, None
        where there is an entry or an earlier span does."""
        has_entry = any(row.entry for row in touched)
        if has_entry and not known:
            return None
        earliest = min([(row.start_ns, row.span_id) for row in touched])
        if known:
            # Few rows: the entries of one trace, and at most one that stands in.
            for seq, entry, start_ns, span in self._connection.execute(_ENTRIES, (project, trace)).fetchall():
                if entry == 1:
                    has_entry = True
                elif (start_ns, span) <= earliest and not has_entry:
                    return None
                else:
                    self._set_entry(cast(int, seq), 0)
            stored = None if has_entry else self._connection.execute(_SEQ, (project, trace, earliest[1])).get
            if stored is not None:  # what came now moved its start to the front
                self._set_entry(cast(int, stored), 2)
        return None if has_entry else earliest[1]

    def _set_entry(self, seq: int, entry: int) -> None:
        self._connection.execute(_SET_ENTRY, (entry, seq))
        self._connection.execute(_ADD_CHANGE, (seq, 0, 0))  # its columns change, its times and words do not

    def _tags(self, project: int, metadata: Mapping[str, str], values: Row) -> Iterable[Row]:
        for key, value in metadata.items():
            yield (project, self._names[tag(key, value)], values[AT], values[SEQ])

    # Blocks

    def _add_block(self, project: str, trace: bytes, rows: Sequence[SpanRow]) -> int:
        packed = blocks.pack([blocks.payload_of(row) for row in rows])
        owner = (project, rows[0].application or "")
        dictionary = self._dictionaries.of(owner)
        if dictionary is None:
            self._dictionaries.learn(owner, trace, packed)
        block = self._next_block
        self._next_block += 1
        number = None if dictionary is None else self.dictionary_id(owner, dictionary)
        self._new_blocks.append((block, number, blocks.compress(packed, dictionary)))
        return block

    def read_block(self, block: int) -> list[Payload]:
        data, number = cast("tuple[bytes, int | None]", self._connection.execute(_BLOCK, (block,)).get)
        if number is not None and number not in self._opened_dictionaries:
            trained = cast(bytes, self._connection.execute("SELECT data FROM dictionaries WHERE id = ?", (number,)).get)
            self._opened_dictionaries[number] = zstandard.ZstdCompressionDict(trained)
        dictionary = None if number is None else self._opened_dictionaries[number]
        return blocks.unpack(data, zstandard.ZstdDecompressor(dict_data=dictionary))

    def dictionary_id(self, owner: Owner, dictionary: Dictionary) -> int:
        """The number of the dictionary in this file, written to it first if need be: a file is whole by itself."""
        number = self._dictionary_ids.get((owner, dictionary.data))
        if number is None:
            number = self._last("dictionaries", "id") + 1
            project, application = (self._names[name] for name in owner)
            values = (number, project, application, dictionary.data, dictionary.trained)
            self._connection.execute(_ADD_DICTIONARY, values)
            self._dictionary_ids[owner, dictionary.data] = number
        return number

    # Names

    def _load(self) -> None:
        """Reads what is kept in memory of the file."""
        self._names = _Names(self._connection)
        get = self._connection.execute
        self._next_seq = 1 + self._last("spans", "seq")
        self._next_block = 1 + self._last("blocks", "id")
        self._dictionary_ids: dict[tuple[Owner, bytes], int] = {}
        self._stored_dictionaries: dict[Owner, Dictionary] = {}
        self._opened_dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        for number, project, application, data, trained in get(_DICTIONARIES):
            owner = (cast(str, project), cast(str, application))
            self._dictionary_ids[owner, cast(bytes, data)] = cast(int, number)
            self._stored_dictionaries[owner] = Dictionary(cast(bytes, data), cast("bytes | None", trained))

    def _last(self, table: str, key: str) -> int:
        """The highest number that the table has or had."""
        return cast(int, self._connection.execute(_LAST.format(key, table), (table,)).get)

    def _name_of(self, number: int) -> str:
        return cast(str, self._connection.execute("SELECT value FROM names WHERE id = ?", (number,)).get)


def _one_each(rows: Sequence[SpanRow]) -> list[SpanRow]:
    """The spans of the rows, the versions of each merged."""
    versions = {row.span_id: row for row in rows}
    if len(versions) == len(rows):
        return list(rows)
    versions.clear()
    for row in rows:
        before = versions.get(row.span_id)
        versions[row.span_id] = row if before is None else merge(before, row)
    return list(versions.values())


class _Names(dict[str | None, int | None]):
    """Numbers of names, looked up or given when first asked for."""

    def __init__(self, connection: Database) -> None:
        super().__init__({None: None})
        self._connection = connection

    def __missing__(self, value: str | None) -> int:
        found = self._connection.execute(_ADD_NAME, (value,)).get
        if found is None:
            found = self._connection.execute(_NAME_ID, (value,)).get
        if len(self) >= NAMES_KEPT:  # sessions and users never end
            self.clear()
            self[None] = None
        number = cast(int, found)
        self[value] = number
        return number


def value_of(tag: str) -> str:
    """The value in the name of a tag."""
    return msgspec.json.decode(tag, type=tuple[str, str])[1]


def tags_of(key: str) -> tuple[str, str]:
    """Names between these two are tags of that key."""
    begin = msgspec.json.encode((key,)).decode().removesuffix("]") + ","
    return begin, begin + "\U0010ffff"


def tag(key: str, value: str) -> str:
    """The name under which an attribute of the application is indexed."""
    return msgspec.json.encode((key, value)).decode()
