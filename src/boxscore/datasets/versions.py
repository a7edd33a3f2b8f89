"""Datasets of the store: named lines of immutable versions, each the one before with rows added, changed or removed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import msgspec

from boxscore.datasets.dataset import Dataset, version_of
from boxscore.datasets.draft import Draft, hash_of
from boxscore.datasets.example import Example
from boxscore.datasets.fields import with_fields
from boxscore.datasets.finding import condition_of, holds
from boxscore.datasets.names import Reference, check_name
from boxscore.datasets.rows import each_example, read_rows
from boxscore.datasets.version import (
    Changes,
    DatasetLine,
    DatasetVersion,
    Difference,
    Edit,
    Limits,
    Made,
    PlacedExample,
    info_of,
    version_from,
)
from boxscore.errors import ConflictError, DatasetError, DatasetMovedError, NotFoundError, StoreError, UnknownNameError
from boxscore.store.records.backend import Database
from boxscore.store.records.datasets import DatasetRow, DatasetStore, MemberRow, VersionRow
from boxscore.store.records.rows import time_cell
from boxscore.types import Json

__all__ = ["Datasets", "examples_of"]

STEP = 500
"""Rows that are asked for at once."""
PAGE_BYTES = 4 * 1024 * 1024
LOOKED_AT = 5_000
"""Rows that one page looks at."""

Change: TypeAlias = Example | str
"""A row that comes or changes, or the id of one that goes."""


class Datasets:
    """One project's datasets. `by` is who does it, as the record shows it. Failures are of `UsageError`, and
    `StoreError` where the store fails; nothing is ever half-done."""

    def __init__(self, database: Database, project: str, *, limits: Limits | None = None) -> None:
        self.store = DatasetStore(database, project)
        self.limits = limits or Limits()

    # What there is

    def list(self, *, archived: bool = False) -> "list[DatasetLine]":
        """By name; archived ones only when asked."""
        heads, runs = self.store.heads(), self.store.run_counts()
        return [
            info_of(row, heads.get(row.name), runs.get(row.name, 0))
            for row in self.store.datasets()
            if archived or row.archived_at is None
        ]

    def get(self, name: str) -> DatasetLine:
        """`NotFoundError` where there is none."""
        row = self._row(name)
        head = self.store.version(name, row.head) if row.head else None
        return info_of(row, head, self.store.run_counts().get(name, 0))

    def versions(self, name: str, *, before: int | None = None, limit: int = 100) -> "list[DatasetVersion]":
        """Newest first, those with a number below `before`."""
        self._row(name)
        return [version_from(row) for row in self.store.versions(name, before=before, limit=limit)]

    def version(self, reference: Reference) -> DatasetVersion:
        """The version that is meant; `NotFoundError` where there is none."""
        head = self._row(reference.name).head
        asked = reference.version
        if isinstance(asked, str):
            found = self.store.version_of_hash(reference.name, asked)
        else:
            found = self.store.version(reference.name, head if asked is None else asked)
        if found is None:
            raise NotFoundError("dataset version", str(reference))
        return version_from(found)

    def rows(self, name: str, number: int, *, after: int = -1) -> Iterator[PlacedExample]:
        """Rows of a version in order, those behind the position `after`, some in memory at a time."""
        while members := self.store.members(name, number, after=after, limit=STEP):
            for member, example in zip(members, self._examples(members), strict=True):
                yield PlacedExample(position=member.position, example=example)
            after = members[-1].position

    def find(
        self, name: str, number: int, *, text: str = "", where: Sequence[str] = (), after: int = -1, limit: int = 100
    ) -> "tuple[list[PlacedExample], int | None]":
        """Rows that hold the text, whatever its case, and have `FIELD=VALUE` for all of `where`, with the position to
        go on after, None at the end. A page may hold fewer than asked for and still go on: it is looked for in 5,000
        rows, and ends at about 4 MB."""
        wanted = [condition_of(one) for one in where]
        found: list[PlacedExample] = []
        size = 0
        for looked_at, member in enumerate(self.rows(name, number, after=after)):
            if len(found) == limit or size > PAGE_BYTES or looked_at == LOOKED_AT:
                return found, after
            after = member.position
            if holds(member.example, text, wanted):
                found.append(member)
                size += len(msgspec.json.encode(member.example))
        return found, None

    def row(self, name: str, number: int, example_id: str) -> Example:
        member = self.store.member(name, number, example_id)
        if member is None:
            raise NotFoundError("example", f"{example_id} in version {number} of {name}")
        return next(self._examples([member]))

    def examples(self, reference: Reference) -> Iterator[Example]:
        """All examples of a version in order, some in memory at a time."""
        version = self.version(reference)
        return self._examples(self.store.members(reference.name, version.number))

    def load(self, reference: Reference, *, cluster: str | None = None, slices: Sequence[str] = ()) -> Dataset:
        """The version as a `Dataset`, as `load_dataset` gives that of a file."""
        found = with_fields(tuple(self.examples(reference)), cluster=cluster, slices=slices)
        if not found:
            raise DatasetError(f"{reference} has no rows; it needs at least one.")
        return Dataset(name=reference.name, version=version_of(found), examples=found)

    def difference(self, name: str, before: int, after: int) -> "tuple[list[str], list[str], list[str]]":
        """Ids that were added, changed and removed on the way from one version to another, in order of their places."""
        old, new = self._state(name, before), self._state(name, after)
        added = [id for id in new if id not in old]
        changed = [id for id, row in new.items() if id in old and old[id].hash != row.hash]
        return added, changed, [id for id in old if id not in new]

    def differences(self, name: str, before: int, after: int, ids: Iterable[str]) -> "list[Difference]":
        """Both sides of each of these ids."""
        found: list[Difference] = []
        for id in ids:
            sides = [self.store.member(name, number, id) for number in (before, after)]
            old, new = (next(self._examples([side])) if side is not None else None for side in sides)
            found.append(Difference(id=id, before=old, after=new))
        return found

    # What makes versions

    def create(self, name: str, *, by: str | None = None, description: str | None = None) -> DatasetLine:
        """A dataset without a version. `ConflictError` where one of that name is there."""
        check_name(name)
        if self.store.dataset(name) is not None:
            raise self._there(name)
        try:
            self.store.create(name, _now(), by, description)
        except StoreError:
            if self.store.dataset(name) is not None:
                raise self._there(name) from None
            raise
        return self.get(name)

    def edit(self, name: str, edit: Edit, *, base: int, by: str | None = None, note: str | None = None) -> Made:
        """Version `base` with the edit. `DatasetMovedError` where it is not the newest any more."""
        head = self._state(name, base)
        put = [example.id for example in edit.put]
        if twice := [id for id, count in Counter([*put, *edit.remove]).items() if count > 1]:
            raise DatasetError(f"{twice[0]!r} is named twice in one edit.", field="id")
        if unknown := [id for id in edit.remove if id not in head]:
            if self._row(name).head != base:
                raise self._moved(name, base)
            raise UnknownNameError("example", unknown[0], list(head)[:1000], where=f"version {base} of {name}")
        return self._commit(name, [*edit.remove, *edit.put], base=base, by=by, note=note)

    def put(
        self, name: str, examples: Iterable[Example], *, by: str | None = None, note: str | None = None,
        replace: bool = False,
    ) -> Made:  # fmt: skip
        """The newest version with these rows added, or in the place of those with their ids; `replace`: with these rows
        and no others. The dataset is made where there is none. Rows come one at a time."""
        check_name(name)
        row = self.store.dataset(name)
        return self._commit(name, examples, base=row.head if row else 0, by=by, note=note, replace=replace)

    def import_file(
        self, name: str, path: Path, *, by: str | None = None, note: str | None = None, add: bool = False
    ) -> Made:
        """A version that holds the file's rows, or with `add` those of the newest and these. Raises as `load_dataset`,
        which gives the same content hash."""
        from boxscore.datasets.load import read_file

        examples = each_example(read_file(path), path)
        return self.put(name, examples, by=by, note=note or f"import of {path.name}", replace=not add)

    def compare(self, name: str, examples: Iterable[Example], *, add: bool = False) -> Changes:
        """What `put` of these would change, without a change. Raises as it does, but for limits."""
        row = self.store.dataset(name)
        before = self._state(name, row.head) if row is not None else {}
        known, added, changed = 0, 0, 0
        for example in examples:
            there = before.get(example.id)
            known += there is not None
            added += there is None
            changed += there is not None and there.hash != hash_of(example)
        return Changes(added=added, changed=changed, removed=0 if add else len(before) - known)

    def restore(self, name: str, number: int, *, base: int, by: str | None = None, note: str | None = None) -> Made:
        """A new version that holds what version `number` holds: its hash is the same, its number is new."""
        if self.store.version(name, number) is None:
            raise NotFoundError("dataset version", f"{name}@{number}")
        members = self.store.members(name, number)
        places = {member.example_id: member.position for member in members}
        note = note or f"version {number} again"
        return self._commit(name, self._examples(members), base=base, by=by, note=note, replace=True, places=places)

    # What makes none

    def archive(self, name: str, *, back: bool = False) -> DatasetLine:
        """Out of the list, and out of nothing else: versions stay as they are; or `back` in."""
        self._row(name)
        self.store.archive(name, None if back else _now())
        return self.get(name)

    def describe(self, name: str, description: str | None) -> DatasetLine:
        self._row(name)
        self.store.describe(name, description)
        return self.get(name)

    def delete(self, name: str) -> None:
        """For good, with all versions. What runs asked stays with the runs."""
        self._row(name)
        self.store.delete(name)

    def inputs_of_head(self, name: str) -> "set[str]":
        """Hashes of the inputs (`content_id`) of all rows of the newest version."""
        row = self.store.dataset(name)
        return {member.inputs_hash for member in self._state(name, row.head).values()} if row and row.head else set()

    # Within

    def _commit(
        self,
        name: str,
        changes: Iterable[Change],
        *,
        base: int,
        by: str | None,
        note: str | None,
        replace: bool = False,
        places: Mapping[str, int] | None = None,
    ) -> Made:
        """The one way to a new version: contents are kept some at a time as the changes come, and the version appears
        at the end, in one step. `places` are where rows that come stood before."""
        row = self.store.dataset(name)
        if base != (row.head if row else 0):
            raise self._moved(name, base)
        if row is not None and row.archived_at is not None:
            raise ConflictError("dataset", f"dataset {name!r} is archived: bring it back before you change it.")
        draft = Draft(self.store, name, self._state(name, base), self.limits, replace=replace, places=places)
        try:
            for change in changes:
                draft.remove(change) if isinstance(change, str) else draft.put(change)
            draft.keep()
            added, changed, removed = draft.added, draft.changed, draft.removed
            if not (added or changed or removed) and base:
                return Made(self.version(Reference(name, base)), new=False)
            content, summary = draft.described()
            version = VersionRow(
                number=base + 1,
                version=content,
                examples=len(draft.rows),
                added=len(added),
                changed=len(changed),
                removed=len(removed),
                erased=0,
                summary_json=msgspec.json.encode(summary).decode(),
                created_at=_now(),
                created_by=by,
                note=note,
            )
            ended = [*removed, *(member.example_id for member in changed)]
            created = None if row is not None else DatasetRow.new(name, version.created_at, by)
            self.store.add_version(name, version, ended=ended, added=[*added, *changed], created=created)
        except BaseException as error:
            draft.discard()
            if isinstance(error, StoreError):
                found = self.store.dataset(name)
                if found is not None and (row is None or found.head != base):
                    raise self._moved(name, base) from None
            raise
        return Made(version_from(version), new=True)

    def _state(self, name: str, number: int) -> dict[str, MemberRow]:
        return {member.example_id: member for member in self.store.members(name, number)} if number else {}

    def _examples(self, members: Sequence[MemberRow]) -> Iterator[Example]:
        for text in self.store.contents(member.hash for member in members):
            yield msgspec.json.decode(text, type=Example)

    def _row(self, name: str) -> DatasetRow:
        if (row := self.store.dataset(name)) is None:
            raise NotFoundError("dataset", name)
        return row

    def _there(self, name: str) -> ConflictError:
        return ConflictError("dataset", f"there is a dataset {name!r} already; add to it, or take another name.")

    def _moved(self, name: str, base: int) -> DatasetMovedError:
        head = self._row(name).head
        added, changed, removed = self.difference(name, base, head)
        return DatasetMovedError(name, base=base, head=head, added=added, changed=changed, removed=removed)


def examples_of(rows: Iterable[Mapping[str, Json]]) -> tuple[Example, ...]:
    """Examples of rows as the API takes them, checked as a line of JSONL is; a row without an id gets that of its
    inputs. `DatasetError` names the row, counted from 1 as a line."""
    try:
        return tuple(each_example(read_rows(rows), None))
    except RecursionError:
        raise DatasetError("a row is nested too deeply.") from None


def _now() -> str:
    return time_cell(datetime.now(UTC))
