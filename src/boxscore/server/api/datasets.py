"""Datasets: their versions, rows, files, and what is made from traces."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, TypeVar, cast

import fastapi
import msgspec
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from boxscore.client.datasets import (
    DatasetDetail,
    DatasetDiff,
    DatasetRun,
    FileLooked,
    FromTraces,
    TracesTaken,
    VersionMade,
)
from boxscore.datasets.example import Example
from boxscore.datasets.export import Form, write_examples
from boxscore.datasets.from_spans import take
from boxscore.datasets.names import Reference, check_name, parse_reference
from boxscore.datasets.preview import look
from boxscore.datasets.version import Changes, DatasetLine, DatasetVersion, Edit, PlacedExample
from boxscore.datasets.versions import Datasets, examples_of
from boxscore.errors import BoxscoreError, BusyError, DatasetError, DiskFullError, FileError, UsageError
from boxscore.server.api.parameters import Asker, Cursor, Limit, Project
from boxscore.server.api.routes import Api
from boxscore.server.body import Upload
from boxscore.server.service import Service
from boxscore.server.upload import uploaded
from boxscore.store.spans import Page
from boxscore.types import Json

__all__ = ["add"]

UPLOAD_BYTES = 256 * 1024 * 1024
EDIT_BYTES = 32 * 1024 * 1024
AT_ONCE, WAITING = 2, 16
"""Versions that are made at once, and that may wait for it."""
RECEIVING = 4
"""Files that are received or worked on at once: each may take `UPLOAD_BYTES` of the disk."""
MEDIA = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_PIECE = 256 * 1024

Number = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]
Found = TypeVar("Found")


def _request(request: Request) -> Request:
    return request


Sent = Annotated[Request, Depends(_request)]
Name = Annotated[str, fastapi.Path(description="The name of a dataset.")]
VersionName = Annotated[str, fastapi.Path(description="A number, a content hash of 12 digits, or `head`.")]


class NewDataset(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    description: str | None = None


class DatasetChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is None stays as it is."""

    description: str | None = None
    archived: bool | None = None


class VersionEdit(msgspec.Struct, frozen=True, kw_only=True):
    """`put` are rows as in a line of JSONL, new or in the place of those with their ids; `remove` are ids. `base` is
    the version that the edit was made on, 0 for a dataset without one."""

    base: Number
    put: Sequence[dict[str, Json]] = ()
    remove: Sequence[str] = ()
    note: str | None = None


class VersionAgain(msgspec.Struct, frozen=True, kw_only=True):
    """`number` is the version to have again, `base` the newest."""

    number: Number
    base: Number
    note: str | None = None


def add(api: Api, service: Service) -> None:
    making = _Making(service)

    def of(project: str) -> Datasets:
        return Datasets(service.records.database, project)

    @api.get("/datasets", answer=Page[DatasetLine], right="read")
    def datasets(
        project: Project, archived: Annotated[bool, Query(description="Archived ones too.")] = False
    ) -> Page[DatasetLine]:
        """Datasets by name, each with its newest version."""
        return Page(items=of(project).list(archived=archived), cursor=None)

    @api.post("/datasets", body=NewDataset, answer=DatasetLine, right="write", status=201, errors=(409,))
    def create_dataset(project: Project, asker: Asker, body: NewDataset) -> DatasetLine:
        """A dataset without a version: rows come by an edit, a file or from traces."""
        return of(project).create(body.name, by=asker.name, description=body.description)

    @api.get("/datasets/{name}", answer=DatasetDetail, right="read", errors=(404,))
    def dataset(project: Project, name: Name) -> DatasetDetail:
        """A dataset: its newest version, what that can show, and the runs that were over it."""
        from boxscore.experiments.plan import detectable

        line = of(project)
        info = line.get(name)
        seen = None
        if info.head is not None and info.head.examples > info.head.erased:
            summary = info.head.summary
            seen = detectable(info.head.examples - info.head.erased, summary.units, summary.typical)
        numbers = {version.version: version.number for version in reversed(line.versions(name, limit=1000))}
        runs = [
            DatasetRun(id=id, variant=variant, version=version, number=numbers.get(version), started_at=at)
            for id, variant, version, at in line.store.runs(name)
        ]
        return DatasetDetail(dataset=info, detectable=seen, used_by=runs)

    @api.patch("/datasets/{name}", body=DatasetChange, answer=DatasetLine, right="write", errors=(404,))
    def change_dataset(project: Project, name: Name, body: DatasetChange) -> DatasetLine:
        """Describes or archives a dataset, or brings it back. An archived one is out of the list and stays as it is."""
        line = of(project)
        if body.description is not None:
            line.describe(name, body.description or None)
        if body.archived is not None:
            line.archive(name, back=not body.archived)
        return line.get(name)

    @api.delete("/datasets/{name}", right="admin", errors=(404,))
    def delete_dataset(project: Project, name: Name) -> None:
        """Deletes a dataset with all its versions, for good. What runs asked stays with the runs."""
        of(project).delete(name)

    @api.get("/datasets/{name}/versions", answer=Page[DatasetVersion], right="read", errors=(404,))
    def dataset_versions(
        project: Project, name: Name, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[DatasetVersion]:
        """Versions, newest first."""
        found = of(project).versions(name, before=None if cursor is None else _number(cursor), limit=limit + 1)
        more = len(found) > limit
        return Page(items=found[:limit], cursor=str(found[limit - 1].number) if more else None)

    @api.post(
        "/datasets/{name}/versions", body=VersionEdit, answer=VersionMade, right="write", status=201,
        errors=(404, 409), body_bytes=EDIT_BYTES,
    )  # fmt: skip
    async def edit_dataset(project: Project, asker: Asker, name: Name, body: VersionEdit) -> VersionMade:
        """A version by an edit of the newest. Where that is not `base` any more, the error names what changed since."""
        if not body.put and not body.remove:
            raise UsageError("the edit puts nothing and removes nothing.")

        def edit() -> VersionMade:
            put = examples_of(body.put) if body.put else ()
            made = of(project).edit(
                name, Edit(put=put, remove=body.remove), base=body.base, by=asker.name, note=body.note
            )
            return VersionMade(version=made.version, new=made.new)

        return await making.run(edit)

    @api.post(
        "/datasets/{name}/restore", body=VersionAgain, answer=VersionMade, right="write", status=201, errors=(404, 409)
    )
    async def restore_version(project: Project, asker: Asker, name: Name, body: VersionAgain) -> VersionMade:
        """A new version that holds what an older one holds; the content hash is the same, the number is new."""

        def restore() -> VersionMade:
            made = of(project).restore(name, body.number, base=body.base, by=asker.name, note=body.note)
            return VersionMade(version=made.version, new=made.new)

        return await making.run(restore)

    @api.get("/datasets/{name}/versions/{version}", answer=DatasetVersion, right="read", errors=(404,))
    def dataset_version(project: Project, name: Name, version: VersionName) -> DatasetVersion:
        """A version."""
        return of(project).version(_reference(name, version))

    @api.get("/datasets/{name}/versions/{version}/examples", answer=Page[PlacedExample], right="read", errors=(404,))
    def dataset_examples(
        project: Project,
        name: Name,
        version: VersionName,
        text: Annotated[str, Query(description="Text that the rows hold, whatever its case.")] = "",
        where: Annotated[list[str], Query(description="As in `slices.language=de`; all must hold.")] = [],  # noqa: B006
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[PlacedExample]:
        """Rows of a version in order. A page may hold fewer than asked for and still have a cursor."""
        line = of(project)
        number = line.version(_reference(name, version)).number
        after = -1 if cursor is None else _number(cursor)
        found, cursor_at = line.find(name, number, text=text, where=where, after=after, limit=limit)
        return Page(items=found, cursor=None if cursor_at is None else str(cursor_at))

    @api.get("/datasets/{name}/versions/{version}/examples/{id:path}", answer=Example, right="read", errors=(404,))
    def dataset_example(project: Project, name: Name, version: VersionName, id: str) -> Example:
        """One row of a version."""
        line = of(project)
        return line.row(name, line.version(_reference(name, version)).number, id)

    @api.get("/datasets/{name}/diff", answer=DatasetDiff, right="read", errors=(404,))
    def diff_versions(
        project: Project,
        name: Name,
        before: Annotated[str, Query(description="A number, a content hash, or `head`.")],
        after: Annotated[str, Query(description="A number, a content hash, or `head`.")] = "head",
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> DatasetDiff:
        """What differs between two versions, example by example."""
        line = of(project)
        old, new = (line.version(_reference(name, version)).number for version in (before, after))
        added, changed, removed = line.difference(name, old, new)
        ids = [*removed, *changed, *added]
        start = 0 if cursor is None else _number(cursor)
        items = line.differences(name, old, new, ids[start : start + limit])
        return DatasetDiff(
            before=old,
            after=new,
            changes=Changes(added=len(added), changed=len(changed), removed=len(removed)),
            items=items,
            cursor=str(start + limit) if start + limit < len(ids) else None,
        )

    @api.post(
        "/datasets/{name}/import",
        body=Upload,
        answer=VersionMade,
        right="write",
        status=201,
        errors=(404, 409),
        once=False,
    )
    async def import_dataset(
        request: Sent,
        project: Project,
        asker: Asker,
        name: Name,
        filename: Annotated[str, Query(description="What the file is called; its ending tells the form.")],
        add: Annotated[bool, Query(description="Add the rows to those that are there.")] = False,
        note: Annotated[str | None, Query(description="What the version is for.")] = None,
    ) -> VersionMade:
        """A version from a file, which is the body: JSONL, CSV, tab-separated or Parquet. Its rows take the place of
        all that are there, or with `add` of those with the same ids. The dataset is made where there is none."""
        check_name(name)
        async with making.receiving(), uploaded(request, _file_name(filename), most=UPLOAD_BYTES) as path:

            def take() -> VersionMade:
                told = note or f"import of {_shown(filename)}"
                made = of(project).import_file(name, path, by=asker.name, note=told, add=add)
                return VersionMade(version=made.version, new=made.new)

            return await making.run(lambda: _with_name(take, path, filename))

    @api.post("/datasets/{name}/look", body=Upload, answer=FileLooked, right="write", once=False)
    async def look_at_file(
        request: Sent,
        project: Project,
        name: Name,
        filename: Annotated[str, Query(description="What the file is called; its ending tells the form.")],
        add: Annotated[bool, Query(description="Add the rows to those that are there.")] = False,
    ) -> FileLooked:
        """What an import of the file, which is the body, would bring: its first rows, what is wrong with it by line,
        and how many rows would come, change and go. Nothing is kept."""
        check_name(name)
        async with making.receiving(), uploaded(request, _file_name(filename), most=UPLOAD_BYTES) as path:

            def see() -> FileLooked:
                from boxscore.datasets.load import read_file
                from boxscore.datasets.rows import each_example

                looked = look(path)
                changes = None
                if not looked.problems:
                    changes = of(project).compare(name, each_example(read_file(path), path), add=add)
                return FileLooked(looked=looked, changes=changes)

            return await making.run(lambda: _with_name(see, path, filename))

    @api.get(
        "/datasets/{name}/versions/{version}/export", answer=bytes, right="read", media=", ".join(MEDIA.values()),
        errors=(404,),
    )  # fmt: skip
    async def export_dataset(
        request: Sent,
        project: Project,
        name: Name,
        version: VersionName,
        form: Annotated[Form, Query(description="Of the file.")] = "jsonl",
        spreadsheet: Annotated[
            bool, Query(description="CSV whose cells no spreadsheet takes for formulas: those get an apostrophe.")
        ] = False,
    ) -> StreamingResponse:
        """A version as a file."""
        line = of(project)

        def write() -> tuple[BinaryIO, int]:
            number = line.version(_reference(name, version)).number
            out = cast("BinaryIO", tempfile.TemporaryFile(prefix="boxscore-export-"))  # noqa: SIM115 - closed when sent
            try:
                write_examples(form, lambda: line.examples(Reference(name, number)), out, spreadsheet=spreadsheet)
                out.seek(0)
            except BaseException:
                out.close()
                raise
            return out, number

        out, number = await making.run(write)
        headers = {"content-disposition": f'attachment; filename="{name}-{number}.{form}"'}
        return StreamingResponse(_sent(out, service, request), media_type=MEDIA[form], headers=headers)

    @api.post(
        "/datasets/{name}/traces", body=FromTraces, answer=TracesTaken, right="write", status=201, errors=(404, 409)
    )
    async def add_traces(project: Project, asker: Asker, name: Name, body: FromTraces) -> TracesTaken:
        """Rows made from spans, added to the newest version; those with the inputs of a row that is there are counted
        and left out. The dataset is made where there is none. Texts come as they were traced: what they hold of
        persons comes with them."""
        check_name(name)

        def make() -> TracesTaken:
            taken, first, version = take(
                of(project), service.store, name, body.selection, body.mapping, by=asker.name, note=body.note,
                look=body.look,
            )  # fmt: skip
            return TracesTaken(taken=taken, examples=first, version=version)

        return await making.run(make)


class _Making:
    """Work that takes longer than a question: few at once, and to its end even where nobody waits for it any more."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turn: asyncio.Semaphore | None = None
        self._asked = 0
        self._received = 0

    @asynccontextmanager
    async def receiving(self) -> AsyncGenerator[None]:
        """Around a file. `BusyError`, `DiskFullError`."""
        if (full := self._service.room.problem) is not None:
            raise DiskFullError(full)
        if self._received >= RECEIVING:
            raise BusyError("too many files are being received", retry_after_s=5.0)
        self._received += 1
        try:
            yield
        finally:
            self._received -= 1

    async def run(self, work: Callable[[], Found]) -> Found:
        if (full := self._service.room.problem) is not None:
            raise DiskFullError(full)
        if self._asked >= AT_ONCE + WAITING:
            raise BusyError("too many datasets are being worked on", retry_after_s=2.0)
        self._turn = self._turn or asyncio.Semaphore(AT_ONCE)
        self._asked += 1
        try:
            async with self._turn:
                return await asyncio.shield(asyncio.to_thread(work))
        finally:
            self._asked -= 1


async def _sent(out: BinaryIO, service: Service, request: Request) -> AsyncIterator[bytes]:
    checked_s = asyncio.get_running_loop().time()
    with out:
        while piece := await asyncio.to_thread(out.read, _PIECE):
            checked_s = await service.streams.still(request.scope, checked_s)
            yield piece


def _reference(name: str, version: str) -> Reference:
    return Reference(check_name(name)) if version == "head" else parse_reference(f"{name}@{version}")


def _number(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > 9:
        raise UsageError(f"{cursor[:80]!r} is no cursor of this list: ask without one.")
    return int(cursor)


def _shown(filename: str) -> str:
    return filename.replace("\\", "/").rpartition("/")[2][:200]


def _file_name(filename: str) -> str:
    """A name on our disk with the same ending."""
    ending = Path(_shown(filename)).suffix.lower()
    return f"file{ending if ending.isascii() and len(ending) <= 12 and '/' not in ending else ''}"


def _with_name(work: Callable[[], Found], path: Path, filename: str) -> Found:
    """Errors name the file as its sender knows it."""
    try:
        return work()
    except BoxscoreError as error:
        error.args = (str(error).replace(str(path), _shown(filename)),)
        if isinstance(error, DatasetError | FileError):
            error.path = Path(_shown(filename))
        raise
