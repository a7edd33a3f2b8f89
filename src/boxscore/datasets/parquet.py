"""Parquet files as rows (extra `parquet`), read in a process of its own: a few kilobytes can unfold to more memory than
a machine has, and nothing in such a file says so before it is read."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Protocol, cast

import msgspec

from boxscore.datasets.lines import LINE_CAP, explain
from boxscore.datasets.rows import ExampleRow, plain
from boxscore.errors import DatasetError, ExtraMissingError, FileError
from boxscore.types import Json

MEMORY_BYTES = 4 * 1024**3
_BATCH = 256
_TOO_LARGE = (
    f"takes more than {MEMORY_BYTES // 1024**3} GB of memory to read; write it with smaller cells, or as JSONL."
)


class _Batch(Protocol):
    """What we use of pyarrow's RecordBatch, which brings no types."""

    def to_pylist(self, *, maps_as_pydicts: str) -> list[dict[str, Json]]: ...


_FIELDS = ExampleRow.__struct_fields__


class _Line(msgspec.Struct, omit_defaults=True):
    """What the process says: a row, what is wrong with a row, or with the file."""

    number: int = 0
    row: ExampleRow | None = None
    problem: str | None = None
    field: str | None = None
    whole: bool = False


def read_parquet(path: Path) -> Iterator[tuple[int, ExampleRow]]:
    """Row number (from 1) and row.

    Columns are those of JSONL, as structs or maps (`inputs`, `metadata`, `slices`), or spelt out as in CSV
    (`metadata.lang`, and any other column is an input). Dates become ISO 8601 text. Raises `ExtraMissingError` without
    pyarrow, `FileError` for what is no Parquet or too large to read, `DatasetError` for a row. In a file of ours
    (`write_examples`) an empty cell is an absent one, and a column that says so holds JSON.
    """
    if not path.is_file():
        raise FileError(path, "no such file.")
    if not _installed():
        raise ExtraMissingError(f"reading {path.name}", "parquet")
    command = (sys.executable, "-m", "boxscore.datasets.parquet", str(path))
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - ourselves
    out = cast("IO[bytes]", child.stdout)
    decoder = msgspec.json.Decoder(_Line)
    try:
        while line := out.readline(LINE_CAP + 1):
            if len(line) > LINE_CAP:
                raise FileError(
                    path, f"has a row of more than {LINE_CAP // 1024**2} MB; keep large payloads out of it."
                )
            if not line.endswith(b"\n"):
                break
            said = decoder.decode(line)
            if said.problem is not None:
                if said.whole:
                    raise FileError(path, said.problem)
                raise DatasetError(said.problem, path=path, line=said.number, field=said.field)
            if said.row is not None:
                yield said.number, said.row
        if child.wait() != 0:
            raise FileError(path, _TOO_LARGE)
    finally:
        child.kill()
        child.wait()
        out.close()


def _installed() -> bool:
    try:
        return find_spec("pyarrow") is not None
    except ValueError:  # it was taken away
        return False


def _lines(path: Path) -> Iterator[_Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    unreadable = cast("type[Exception]", pa.ArrowException)  # pyright: ignore[reportUnknownMemberType]
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            form = _Form.of(cast("_Schema", file.schema_arrow))  # pyright: ignore[reportUnknownMemberType]
            batches = cast("Iterator[_Batch]", file.iter_batches(batch_size=_BATCH, use_threads=False))  # pyright: ignore[reportUnknownMemberType]
            for batch in batches:
                for cells in batch.to_pylist(maps_as_pydicts="strict"):
                    number += 1
                    yield _Line(number=number, row=_row(form.plain(cells, number, path), number, path))
    except MemoryError:  # which pyarrow's own is too
        yield _Line(problem=_TOO_LARGE, whole=True)
    except DatasetError as error:
        yield _Line(number=error.line or number, problem=_bare(error), field=error.field)
    except (unreadable, OSError) as error:
        yield _Line(problem=f"is no readable Parquet file ({str(error).splitlines()[0]}).", whole=True)


def _bare(error: DatasetError) -> str:
    """The problem without the place that stands before it."""
    return str(error).removeprefix(str(DatasetError("", path=error.path, line=error.line, field=error.field)))


def _main(path: Path) -> None:
    try:
        import resource
    except ImportError:  # Windows, which has no such limits
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for line in _lines(path):
            sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # nobody reads on
        os._exit(0)


class _Field(Protocol):
    name: str
    metadata: dict[bytes, bytes] | None


class _Schema(Protocol):
    metadata: dict[bytes, bytes] | None

    def __iter__(self) -> Iterator[_Field]: ...


class _Form(msgspec.Struct, frozen=True):
    """Whether the file is one of ours, and which of its columns hold JSON."""

    ours: bool
    json_columns: frozenset[str]

    @classmethod
    def of(cls, schema: _Schema) -> "_Form":
        ours = (schema.metadata or {}).get(b"boxscore") == b"examples"
        columns = (field.name for field in schema if (field.metadata or {}).get(b"boxscore") == b"json")
        return cls(ours, frozenset(columns) if ours else frozenset())

    def plain(self, cells: dict[str, Json], number: int, path: Path) -> dict[str, Json]:
        if not self.ours:
            return cells
        nothing: dict[str, Json] = {"inputs": {}}
        try:
            return nothing | {
                column: msgspec.json.decode(cell) if column in self.json_columns else cell
                for column, cell in cells.items()
                if cell is not None
            }
        except msgspec.DecodeError as error:
            raise DatasetError(f"a cell that should hold JSON does not ({error}).", path=path, line=number) from None


def _row(cells: dict[str, Json], number: int, path: Path) -> ExampleRow:
    row: dict[str, Json] = {}
    spread: dict[str, dict[str, Json]] = {}
    for column, cell in cells.items():
        prefix, dot, key = column.partition(".")
        if column in _FIELDS:
            row[column] = cell
        elif dot and prefix in ("inputs", "metadata", "slices"):
            spread.setdefault(prefix, {})[key] = cell
        else:
            spread.setdefault("inputs", {})[column] = cell
    for part, values in spread.items():
        row[part] = {**(row.get(part) or {}), **values}
    try:
        return msgspec.convert(plain(row, number, "", path=path, dates=True), ExampleRow)
    except msgspec.ValidationError as error:
        explain(error, ExampleRow, path=path, line=number)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
