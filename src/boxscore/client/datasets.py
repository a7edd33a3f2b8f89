"""Datasets of a server: what is answered, and how it is asked for."""

from collections.abc import Sequence

import msgspec

from boxscore.client.call import Call, ask, path, send
from boxscore.datasets.example import Example
from boxscore.datasets.export import Form
from boxscore.datasets.from_spans import SpanMapping, SpanSelection, Taken
from boxscore.datasets.preview import Looked
from boxscore.datasets.version import Changes, DatasetLine, DatasetVersion, Difference, PlacedExample
from boxscore.store.spans import Page
from boxscore.types import Json

__all__ = [
    "DatasetDetail",
    "DatasetDiff",
    "DatasetRun",
    "FileLooked",
    "FromTraces",
    "TracesTaken",
    "VersionMade",
    "add_traces",
    "change_dataset",
    "create_dataset",
    "dataset",
    "dataset_example",
    "dataset_examples",
    "dataset_version",
    "dataset_versions",
    "datasets",
    "delete_dataset",
    "diff_versions",
    "edit_dataset",
    "export_dataset",
    "import_dataset",
    "restore_version",
]


class DatasetRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run over the dataset; `number` is that of the version it was over, None where it was over other examples."""

    id: str
    variant: str
    version: str
    number: int | None
    started_at: str


class DatasetDetail(msgspec.Struct, frozen=True, kw_only=True):
    """`detectable` is the smallest gain of a rate, a fraction, that the newest version shows at 80 % power if one
    answer in five changes; None where it shows none."""

    dataset: DatasetLine
    detectable: float | None
    used_by: Sequence[DatasetRun]


class VersionMade(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version; `new` is False where what came holds the same as the one before."""

    version: DatasetVersion
    new: bool


class FileLooked(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are against the newest version; None where the file cannot be imported."""

    looked: Looked
    changes: Changes | None


class DatasetDiff(msgspec.Struct, frozen=True, kw_only=True):
    """How many examples differ, and a page of them: removed, changed, added."""

    before: int
    after: int
    changes: Changes
    items: Sequence[Difference]
    cursor: str | None


class FromTraces(msgspec.Struct, frozen=True, kw_only=True):
    """`look` shows what would come of it, and makes nothing."""

    selection: SpanSelection
    mapping: SpanMapping = SpanMapping()
    note: str | None = None
    look: bool = False


class TracesTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the spans, the first examples of it, and the newest version, None where there is none yet."""

    taken: Taken
    examples: Sequence[Example]
    version: DatasetVersion | None


def datasets(*, archived: bool = False, limit: int = 50, cursor: str | None = None) -> Call[Page[DatasetLine]]:
    """Datasets by name, each with its newest version."""
    return ask(Page[DatasetLine], "/datasets", archived=archived, limit=limit, cursor=cursor)


def dataset(name: str) -> Call[DatasetDetail]:
    """A dataset: its newest version, what that can show, and the runs that were over it."""
    return ask(DatasetDetail, path("datasets", name))


def create_dataset(name: str, *, description: str | None = None) -> Call[DatasetLine]:
    """A dataset without a version. `ConflictError` where there is one of that name."""
    return send(DatasetLine, "/datasets", {"name": name, "description": description})


def change_dataset(name: str, *, description: str | None = None, archived: bool | None = None) -> Call[DatasetLine]:
    """Describes or archives a dataset, or brings it back; what is None stays as it is."""
    return send(DatasetLine, path("datasets", name), {"description": description, "archived": archived}, method="PATCH")


def delete_dataset(name: str) -> Call[None]:
    """Deletes a dataset with all its versions, for good."""
    return Call(method="DELETE", path=path("datasets", name), kind=type(None))


def dataset_versions(name: str, *, limit: int = 50, cursor: str | None = None) -> Call[Page[DatasetVersion]]:
    """Versions, newest first."""
    return ask(Page[DatasetVersion], path("datasets", name, "versions"), limit=limit, cursor=cursor)


def dataset_version(name: str, version: str | int = "head") -> Call[DatasetVersion]:
    """A version, by its number or its content hash, or the newest."""
    return ask(DatasetVersion, path("datasets", name, "versions", version))


def dataset_example(name: str, id: str, version: str | int = "head") -> Call[Example]:
    """One row of a version."""
    return ask(Example, path("datasets", name, "versions", version, "examples", id))


def dataset_examples(
    name: str,
    version: str | int = "head",
    *,
    text: str = "",
    where: Sequence[str] = (),
    limit: int = 100,
    cursor: str | None = None,
) -> Call[Page[PlacedExample]]:
    """Rows of a version in order; those that hold a text, and of which `field=value` holds."""
    below = path("datasets", name, "versions", version, "examples")
    return ask(Page[PlacedExample], below, text=text, where=where, limit=limit, cursor=cursor)


def edit_dataset(
    name: str, *, base: int, put: Sequence[dict[str, Json]] = (), remove: Sequence[str] = (), note: str | None = None
) -> Call[VersionMade]:
    """A version by an edit of the newest, whose number is `base`: rows as in a line of JSONL, new or in the place of
    those with their ids. `ConflictError` where `base` is not the newest any more."""
    body = {"base": base, "put": list(put), "remove": list(remove), "note": note}
    return send(VersionMade, path("datasets", name, "versions"), body)


def import_dataset(
    name: str, file: bytes, *, filename: str, add: bool = False, note: str | None = None
) -> Call[VersionMade]:
    """A version from the bytes of a file, whose name tells the form: JSONL, CSV, tab-separated or Parquet."""
    query = {"filename": filename, "add": add, "note": note}
    media = "application/octet-stream"
    return Call(
        method="POST", path=path("datasets", name, "import"), kind=VersionMade, query=query, body=file, media=media
    )


def restore_version(name: str, number: int, *, base: int, note: str | None = None) -> Call[VersionMade]:
    """A new version that holds what version `number` holds. `ConflictError` where `base` is not the newest any more."""
    return send(VersionMade, path("datasets", name, "restore"), {"number": number, "base": base, "note": note})


def export_dataset(
    name: str, version: str | int = "head", *, form: Form = "jsonl", spreadsheet: bool = False
) -> Call[bytes]:
    """A version as a file; with `spreadsheet` none of whose cells is a formula."""
    return ask(bytes, path("datasets", name, "versions", version, "export"), form=form, spreadsheet=spreadsheet)


def diff_versions(
    name: str, before: str | int, after: str | int = "head", *, limit: int = 50, cursor: str | None = None
) -> Call[DatasetDiff]:
    """What differs between two versions."""
    return ask(DatasetDiff, path("datasets", name, "diff"), before=before, after=after, limit=limit, cursor=cursor)


def add_traces(name: str, asked: FromTraces) -> Call[TracesTaken]:
    """Rows made from spans, added to the newest version."""
    return send(TracesTaken, path("datasets", name, "traces"), asked)
