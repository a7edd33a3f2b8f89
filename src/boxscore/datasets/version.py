"""What is told of datasets of the store: the line, its versions, their rows."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from boxscore.datasets.example import Example
from boxscore.store.records.datasets import DatasetRow, VersionRow

__all__ = [
    "Changes",
    "DatasetLine",
    "DatasetSummary",
    "DatasetVersion",
    "Difference",
    "Edit",
    "Limits",
    "Made",
    "PlacedExample",
    "info_of",
    "version_from",
]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one version may hold: `rows`, bytes of JSON of a row, and of all of them."""

    rows: int = 100_000
    row_bytes: int = 1024 * 1024
    bytes: int = 512 * 1024 * 1024


class DatasetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a version: `bytes` of JSON, `references` how many rows have one, `clusters` how many there are (0: no
    row has one), `typical` the size of the cluster that a row picked at random is in, `slices` how many rows have each
    value, of at most 50 names and 200 values each."""

    bytes: int = 0
    references: int = 0
    clusters: int = 0
    units: int = 0
    """Clusters, and rows without one."""
    typical: float = 1.0
    slices: dict[str, dict[str, int]] = {}


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version. `number` counts from 1, `version` is the content hash: two with the same hold the same examples.

    `added`, `changed` and `removed` count rows against the version before. `examples` is what it held when it was made;
    of these, `erased` were taken out since because a trace that they were made from was erased.
    """

    number: int
    version: str
    examples: int
    added: int
    changed: int
    removed: int
    erased: int
    created_at: str
    created_by: str | None
    note: str | None
    summary: DatasetSummary


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows differ."""

    added: int
    changed: int
    removed: int


class DatasetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset; `head` is its newest version, None while it has none, `runs` how many were over it."""

    name: str
    description: str | None
    created_at: str
    created_by: str | None
    archived_at: str | None
    runs: int
    head: DatasetVersion | None


class PlacedExample(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a version in its place."""

    position: int
    example: Example


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One example that differs between two versions: `before` is None where it came, `after` where it went."""

    id: str
    before: Example | None
    after: Example | None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to `put`, each new or in the place of the one with its id, and ids to `remove`."""

    put: Sequence[Example] = ()
    remove: Sequence[str] = ()


class Made(NamedTuple):
    """The newest version, and whether it was made now: what holds the same makes none."""

    version: DatasetVersion
    new: bool


def info_of(row: DatasetRow, head: VersionRow | None, runs: int) -> DatasetLine:
    return DatasetLine(
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        created_by=row.created_by,
        archived_at=row.archived_at,
        runs=runs,
        head=None if head is None else version_from(head),
    )


def version_from(row: VersionRow) -> DatasetVersion:
    told = {name: getattr(row, name) for name in VersionRow.__struct_fields__ if name != "summary_json"}
    return DatasetVersion(**told, summary=msgspec.json.decode(row.summary_json, type=DatasetSummary))
