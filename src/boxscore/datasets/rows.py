"""Rows become examples: the one place where the fields of a row are checked."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import cast

import msgspec

from boxscore.datasets.dataset import content_id
from boxscore.datasets.example import Example
from boxscore.datasets.fields import as_text
from boxscore.datasets.lines import decode_line, explain, read_lines
from boxscore.errors import DatasetError, FileError
from boxscore.types import Json


class ExampleRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row as it is written. An unknown key is refused: it would be a misspelt one that is lost in silence."""

    inputs: dict[str, Json]
    id: str | int | None = None
    reference: Json = None
    metadata: dict[str, Json] | None = None
    cluster: str | int | None = None
    slices: dict[str, str | int | float | bool | None] | None = None


_DECODER = msgspec.json.Decoder(ExampleRow)


def read_jsonl(path: Path) -> Iterator[tuple[int, ExampleRow]]:
    """Line number and row, one at a time. Raises `FileError` and `DatasetError`."""
    for line, raw in read_lines(path):
        yield line, decode_line(_DECODER, raw, path, line)


def read_rows(rows: Iterable[Mapping[str, Json]]) -> Iterator[tuple[int, ExampleRow]]:
    """Rows of Python dicts, counted from 1. Values are copied, and must be what JSON can hold."""
    for line, row in enumerate(rows, start=1):
        copy = plain(row, line, "")
        try:
            yield line, msgspec.convert(copy, ExampleRow)
        except msgspec.ValidationError as error:
            explain(error, ExampleRow, path=None, line=line)


def to_examples(rows: Iterable[tuple[int, ExampleRow]], path: Path | None) -> tuple[Example, ...]:
    """All rows as examples, or an error and none. Raises as `each_example`."""
    return tuple(each_example(rows, path))


def each_example(rows: Iterable[tuple[int, ExampleRow]], path: Path | None) -> Iterator[Example]:
    """Rows as examples, one at a time. Raises `DatasetError` for an empty or a doubled id, and at the end where no row
    came."""
    lines: dict[str, int] = {}
    for line, row in rows:
        example = to_example(row, path, line)
        first = lines.setdefault(example.id, line)
        if first != line:
            raise DatasetError(_doubled(row, example.id, first), path=path, line=line, field="id")
        yield example
    if not lines:
        if path is None:
            raise DatasetError("has no rows; it needs at least one.")
        raise FileError(path, "has no rows; it needs at least one.")


def to_example(row: ExampleRow, path: Path | None, line: int) -> Example:
    """One row as an example; a row without an id gets that of its inputs. `DatasetError` for an empty id."""
    if row.id == "":
        raise DatasetError(
            "is empty; give the row an id, or leave the field out to have one made of its inputs.",
            path=path,
            line=line,
            field="id",
        )
    return Example(
        id=content_id(row.inputs) if row.id is None else str(row.id),
        inputs=row.inputs,
        reference=row.reference,
        metadata=row.metadata or {},
        cluster=None if row.cluster is None or row.cluster == "" else str(row.cluster),
        slices={key: text for key, value in (row.slices or {}).items() if (text := as_text(value)) is not None},
    )


def _doubled(row: ExampleRow, name: str, first: int) -> str:
    if row.id is None:
        return (
            f"the row has no id and the same inputs as line {first}; remove one of the two, or give both an id "
            "if the same question is meant to count twice."
        )
    return f"{name!r} is the id of line {first} already; every row needs an id of its own."


def plain(value: object, line: int, field: str, *, path: Path | None = None, dates: bool = False) -> Json:
    """A copy of a Python value that holds only what JSON can, else `DatasetError`. `dates` become ISO 8601 text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            problem = "has half of a surrogate pair, which is no character."
            raise DatasetError(problem, path=path, line=line, field=field or None)
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        problem = f"is {value}, which is no number to work with; leave it empty instead."
        raise DatasetError(problem, path=path, line=line, field=field or None)
    if dates and isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        return {
            str(key): plain(inner, line, f"{field}.{key}" if field else str(key), path=path, dates=dates)
            for key, inner in items.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        parts = cast("Sequence[object]", value)
        return [plain(inner, line, f"{field}[{index}]", path=path, dates=dates) for index, inner in enumerate(parts)]
    raise DatasetError(
        f"is a {type(value).__name__}, and a row holds only text, numbers, booleans, nothing, lists and dicts.",
        path=path,
        line=line,
        field=field or None,
    )
