"""Datasets in the records store: names, numbered versions, and the rows with the numbers that each is in."""

# ruff: noqa: S608 - what is put into statements is our own words; what is given is bound

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar, cast

import msgspec

from boxscore.store.records.backend import Database, Write
from boxscore.store.records.rows import Cell, cells, rows

__all__ = ["DatasetRow", "DatasetStore", "MemberRow", "VersionRow"]

AT_ONCE = 500
"""Most values that one statement names."""
CONTENTS_AT_ONCE = 50
"""Fewer, where each may bring a megabyte."""


class DatasetRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`head` is the number of its newest version, 0 while it has none."""

    name: str
    created_at: str
    created_by: str | None
    archived_at: str | None
    description: str | None
    head: int = 0

    @classmethod
    def new(cls, name: str, at: str, by: str | None) -> "DatasetRow":
        return cls(name=name, created_at=at, created_by=by, archived_at=None, description=None)


class VersionRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`number` counts from 1 and is never given twice. `version` is the content hash: equal ones hold the same.

    `added`, `changed` and `removed` are against the version before; of the `examples` it held, `erased` are gone.
    """

    number: int
    version: str
    examples: int
    added: int
    changed: int
    removed: int
    erased: int
    summary_json: str
    created_at: str
    created_by: str | None
    note: str | None


class MemberRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A row of a version by reference: its content lies under `hash`. `trace_id` (hex) is where it was made from."""

    position: int
    example_id: str
    hash: str
    inputs_hash: str
    trace_id: str | None


Row = TypeVar("Row", bound=msgspec.Struct)

_VERSION = ", ".join(VersionRow.__struct_fields__)
_MEMBER = "position, example_id, example_hash, inputs_hash, trace_id"
_WITHIN = "since_number <= ? AND (until_number IS NULL OR until_number > ?)"
_KEEP = "INSERT INTO examples (project_id, hash, content_json) VALUES {} ON CONFLICT DO NOTHING"
_CREATE = "INSERT INTO datasets (project_id, name, created_at, created_by, description) VALUES {}"
_ADD_VERSION = f"INSERT INTO dataset_versions (project_id, dataset_name, {_VERSION}) VALUES {{}}"
_END = (
    "UPDATE dataset_examples SET until_number = given.column4 FROM (VALUES {}) AS given "
    "WHERE project_id = given.column1 AND dataset_name = given.column2 AND example_id = given.column3 "
    "AND until_number IS NULL"
)
_ADD = f"INSERT INTO dataset_examples (project_id, dataset_name, since_number, {_MEMBER}) VALUES {{}}"
_HEAD = (
    "(SELECT coalesce(max(number), 0) FROM dataset_versions AS v "
    "WHERE v.project_id = datasets.project_id AND v.dataset_name = datasets.name)"
)
_DATASET = f"SELECT name, created_at, created_by, archived_at, description, {_HEAD} FROM datasets"
_UNUSED = (
    "AND NOT EXISTS (SELECT 1 FROM run_examples AS r "
    "WHERE r.project_id = examples.project_id AND r.example_hash = examples.hash) "
    "AND NOT EXISTS (SELECT 1 FROM dataset_examples AS d "
    "WHERE d.project_id = examples.project_id AND d.example_hash = examples.hash)"
)


class DatasetStore:
    """One project's datasets. Every write returns after its commit is on disk; failures are `StoreError`."""

    def __init__(self, database: Database, project: str) -> None:
        self.database = database
        self.project = project

    def datasets(self) -> list[DatasetRow]:
        """All, archived ones among them, by name."""
        return self._found(DatasetRow, f"{_DATASET} WHERE project_id = ? ORDER BY name", self.project)

    def dataset(self, name: str) -> DatasetRow | None:
        found = self._found(DatasetRow, f"{_DATASET} WHERE project_id = ? AND name = ?", self.project, name)
        return found[0] if found else None

    def versions(self, name: str, *, before: int | None = None, limit: int = 100) -> list[VersionRow]:
        """Newest first, those with a number below `before`."""
        asked = (
            f"SELECT {_VERSION} FROM dataset_versions WHERE project_id = ? AND dataset_name = ? AND number < ? "
            "ORDER BY number DESC LIMIT ?"
        )
        return self._found(VersionRow, asked, self.project, name, 2**31 - 1 if before is None else before, limit)

    def heads(self) -> dict[str, VersionRow]:
        """The newest version of every dataset that has one."""
        asked = (
            f"SELECT dataset_name, {_VERSION} FROM dataset_versions AS v WHERE project_id = ? AND number = "
            "(SELECT max(number) FROM dataset_versions AS w WHERE w.project_id = v.project_id "
            "AND w.dataset_name = v.dataset_name)"
        )
        found = self.database.rows(asked, self.project)
        heads = rows(VersionRow, [row[1:] for row in found])
        return dict(zip((str(row[0]) for row in found), heads, strict=True))

    def version(self, name: str, number: int) -> VersionRow | None:
        found = self.versions(name, before=number + 1, limit=1)
        return found[0] if found and found[0].number == number else None

    def version_of_hash(self, name: str, version: str) -> VersionRow | None:
        """The newest one that holds what the hash stands for."""
        asked = (
            f"SELECT {_VERSION} FROM dataset_versions WHERE project_id = ? AND dataset_name = ? AND version = ? "
            "ORDER BY number DESC LIMIT 1"
        )
        found = self._found(VersionRow, asked, self.project, name, version)
        return found[0] if found else None

    def members(self, name: str, number: int, *, after: int = -1, limit: int | None = None) -> list[MemberRow]:
        """Rows of a version in order, those behind the position `after`."""
        asked = (
            f"SELECT {_MEMBER} FROM dataset_examples WHERE project_id = ? AND dataset_name = ? AND position > ? "
            f"AND {_WITHIN} ORDER BY position LIMIT ?"
        )
        most = 2**31 - 1 if limit is None else limit
        return self._found(MemberRow, asked, self.project, name, after, number, number, most)

    def member(self, name: str, number: int, example_id: str) -> MemberRow | None:
        asked = (
            f"SELECT {_MEMBER} FROM dataset_examples WHERE project_id = ? AND dataset_name = ? AND example_id = ? "
            f"AND {_WITHIN}"
        )
        found = self._found(MemberRow, asked, self.project, name, example_id, number, number)
        return found[0] if found else None

    def last_position(self, name: str) -> int:
        """The highest that any version has given, -1 where none has."""
        asked = "SELECT max(position) FROM dataset_examples WHERE project_id = ? AND dataset_name = ?"
        [(found,)] = self.database.rows(asked, self.project, name)
        return -1 if found is None else int(found)

    def contents(self, hashes: Iterable[str]) -> Iterator[str]:
        """The JSON under each hash, in their order, some at a time."""
        for part in _batched(hashes, CONTENTS_AT_ONCE):
            marks = ", ".join("?" * len(part))
            asked = f"SELECT hash, content_json FROM examples WHERE project_id = ? AND hash IN ({marks})"
            found = cast("list[tuple[str, str]]", self.database.rows(asked, self.project, *part))
            texts = dict(found)
            yield from (texts[hash] for hash in part)

    def keep(self, contents: Sequence[tuple[str, str]]) -> None:
        """Keeps (hash, JSON) of examples, for a version that is being made: until one refers to them nobody sees
        them."""
        unique = dict(contents)
        self.database.submit([Write(0, _KEEP, [(self.project, *pair) for pair in unique.items()])]).result()

    def create(self, name: str, at: str, by: str | None, description: str | None) -> None:
        self.database.submit([Write(0, _CREATE, [(self.project, name, at, by, description)])]).result()

    def add_version(
        self,
        name: str,
        version: VersionRow,
        *,
        ended: Iterable[str],
        added: Iterable[MemberRow],
        created: DatasetRow | None = None,
    ) -> None:
        """The version with all its changes, or an error and nothing: of two with the same number one fails. `ended` are
        ids of rows of the version before that go or change, `added` rows that come or changed; `created` is a dataset
        that begins with it."""
        project, number = self.project, version.number
        writes = [
            Write(1, _ADD_VERSION, [(project, name, *cells(version))]),
            Write(2, _END, [(project, name, example_id, number) for example_id in ended]),
            Write(3, _ADD, [(project, name, number, *cells(member)) for member in added]),
        ]
        if created is not None:
            row = (project, name, created.created_at, created.created_by, created.description)
            writes.append(Write(0, _CREATE, [row]))
        self.database.submit([write for write in writes if write.rows]).result()

    def archive(self, name: str, at: str | None) -> bool:
        """Sets the time that it was archived at, None: it is back. False where there is no such dataset."""
        asked = "UPDATE datasets SET archived_at = ? WHERE project_id = ? AND name = ? RETURNING name"
        return bool(self.database.change(asked, at, self.project, name))

    def describe(self, name: str, description: str | None) -> bool:
        asked = "UPDATE datasets SET description = ? WHERE project_id = ? AND name = ? RETURNING name"
        return bool(self.database.change(asked, description, self.project, name))

    def delete(self, name: str) -> bool:
        """Deletes the dataset with all its versions, and what its rows held where nothing else refers to it."""
        held = "SELECT DISTINCT example_hash FROM dataset_examples WHERE project_id = ? AND dataset_name = ?"
        hashes = [str(hash) for (hash,) in self.database.rows(held, self.project, name)]
        asked = "DELETE FROM datasets WHERE project_id = ? AND name = ? RETURNING name"
        gone = bool(self.database.change(asked, self.project, name))
        self.discard(hashes)
        return gone

    def made_from(self, trace_ids: Iterable[str]) -> list[tuple[str, str]]:
        """(dataset, example id) of rows, of any version, that were made from one of these traces."""
        found: list[tuple[Cell, ...]] = []
        for part in _batched(trace_ids):
            marks = ", ".join("?" * len(part))
            asked = (
                "SELECT DISTINCT dataset_name, example_id FROM dataset_examples "
                f"WHERE project_id = ? AND trace_id IN ({marks})"
            )
            found += self.database.rows(asked, self.project, *part)
        return sorted({(str(name), str(example)) for name, example in found})

    def erase(self, trace_ids: Sequence[str]) -> int:
        """Takes rows that were made from these traces out of all versions, and counts them. What they held goes where
        no run refers to it."""
        gone: list[str] = []
        for part in _batched(trace_ids):
            marks = ", ".join("?" * len(part))
            asked = (
                f"DELETE FROM dataset_examples WHERE project_id = ? AND trace_id IN ({marks}) RETURNING example_hash"
            )
            gone += (str(hash) for (hash,) in self.database.change(asked, self.project, *part))
        if gone:
            self.database.change(
                "UPDATE dataset_versions SET erased = examples - (SELECT count(*) FROM dataset_examples AS d "
                "WHERE d.project_id = dataset_versions.project_id AND d.dataset_name = dataset_versions.dataset_name "
                "AND d.since_number <= dataset_versions.number "
                "AND (d.until_number IS NULL OR d.until_number > dataset_versions.number)) "
                "WHERE project_id = ? RETURNING 1",
                self.project,
            )
            self.discard(gone)
        return len(gone)

    def discard(self, hashes: Iterable[str]) -> None:
        """Deletes what lies under these hashes where no version and no run refers to it."""
        for part in _batched(dict.fromkeys(hashes)):
            marks = ", ".join("?" * len(part))
            asked = f"DELETE FROM examples WHERE project_id = ? AND hash IN ({marks}) {_UNUSED} RETURNING 1"
            self.database.change(asked, self.project, *part)

    def runs(self, name: str, *, limit: int = 50) -> list[tuple[str, str, str, str]]:
        """(id, variant, version hash, start) of the newest runs over a dataset of this name."""
        asked = (
            "SELECT id, variant_name, dataset_version, started_at FROM runs WHERE project_id = ? AND dataset_name = ? "
            "ORDER BY started_at DESC, id DESC LIMIT ?"
        )
        return cast("list[tuple[str, str, str, str]]", self.database.rows(asked, self.project, name, limit))

    def run_counts(self) -> dict[str, int]:
        """How many runs were over a dataset of each name."""
        asked = "SELECT dataset_name, count(*) FROM runs WHERE project_id = ? GROUP BY dataset_name"
        return dict(cast("list[tuple[str, int]]", self.database.rows(asked, self.project)))

    def _found(self, kind: type[Row], asked: str, *given: Cell) -> list[Row]:
        return rows(kind, self.database.rows(asked, *given))


def _batched(values: Iterable[str], most: int = AT_ONCE) -> Iterator[tuple[str, ...]]:
    left = iter(values)
    while part := tuple(islice(left, most)):
        yield part
