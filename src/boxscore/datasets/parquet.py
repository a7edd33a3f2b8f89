"""Parquet files as rows (extra `parquet`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

import msgspec

from boxscore.datasets.lines import explain
from boxscore.datasets.rows import ExampleRow, plain
from boxscore.errors import DatasetError, ExtraMissingError, FileError
from boxscore.types import Json


class _Batch(Protocol):
    """What we use of pyarrow's RecordBatch, which brings no types."""

    def to_pylist(self, *, maps_as_pydicts: str) -> list[dict[str, Json]]: ...


_FIELDS = ExampleRow.__struct_fields__


def read_parquet(path: Path) -> Iterator[tuple[int, ExampleRow]]:
    """Row number (from 1) and row.

    Columns are those of JSONL, as structs or maps (`inputs`, `metadata`, `slices`), or spelt out as in CSV
    (`metadata.lang`, and any other column is an input). Dates become ISO 8601 text. Raises `ExtraMissingError` without
    pyarrow, `FileError` for what is no Parquet, `DatasetError` for a row. In a file of ours (`write_examples`) an empty
    cell is an absent one, and a column that says so holds JSON.
    """
    if not path.is_file():
        raise FileError(path, "no such file.")
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ExtraMissingError(f"reading {path.name}", "parquet") from None
    unreadable = cast("type[Exception]", pa.ArrowException)  # pyright: ignore[reportUnknownMemberType]
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            form = _Form.of(cast("_Schema", file.schema_arrow))  # pyright: ignore[reportUnknownMemberType]
            batches = cast("Iterator[_Batch]", file.iter_batches(batch_size=1024))  # pyright: ignore[reportUnknownMemberType]
            for batch in batches:
                for cells in batch.to_pylist(maps_as_pydicts="strict"):
                    number += 1
                    yield number, _row(form.plain(cells, number, path), number, path)
    except (unreadable, OSError) as error:
        raise FileError(path, f"is no readable Parquet file ({str(error).splitlines()[0]}).") from None


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
