"""Versions as files that other tools read, and `load_dataset` too: JSONL, CSV, Parquet."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any, BinaryIO, Literal, TypeAlias, cast

import msgspec

from boxscore.datasets.example import Example
from boxscore.datasets.fields import as_text
from boxscore.errors import ExtraMissingError
from boxscore.types import Json

__all__ = ["ENDINGS", "Form", "write_examples"]

Form: TypeAlias = Literal["jsonl", "csv", "parquet"]
ENDINGS: dict[str, Form] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
OURS = {b"boxscore": b"examples"}
JSON_COLUMN = {b"boxscore": b"json"}
"""What a Parquet column says whose cells are JSON as text: values that no one type of Parquet holds."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 1000
_PARTS = ("inputs", "metadata", "slices")


def write_examples(
    form: Form, examples: Callable[[], Iterable[Example]], out: BinaryIO, *, spreadsheet: bool = False
) -> None:
    """Writes them some at a time; CSV and Parquet look at all of them once before, for the columns.

    JSONL and Parquet read again are the same examples. CSV knows text alone: other values are written as JSON. With
    `spreadsheet` a CSV cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage
    return) gets an apostrophe before it; without, it is as it is. Raises `ExtraMissingError` for Parquet without its
    extra.
    """
    match form:
        case "jsonl":
            for example in examples():
                out.write(msgspec.json.encode(_plain(example)) + b"\n")
        case "csv":
            _write_csv(examples, out, _quoted if spreadsheet else str)
        case "parquet":
            _write_parquet(examples, out)


def _plain(example: Example) -> dict[str, Json]:
    """What it holds, without what is empty."""
    told = msgspec.structs.asdict(example)
    empty: dict[str, Json] = {"reference": None, "cluster": None, "metadata": {}, "slices": {}}
    return {key: value for key, value in told.items() if key not in empty or value != empty[key]}


def _cells(example: Example) -> Iterator[tuple[str, Json]]:
    """Column and value."""
    yield "id", example.id
    for part in _PARTS:
        for key, value in cast("dict[str, Json]", getattr(example, part)).items():
            yield f"{part}.{key}", value
    if example.reference is not None:
        yield "reference", example.reference
    if example.cluster is not None:
        yield "cluster", example.cluster


def _ordered(columns: Iterable[str]) -> list[str]:
    """In the order in which people read them: id, inputs, reference, the rest."""
    ranks = {"id": 0, "inputs": 1, "reference": 2, "cluster": 3, "slices": 4, "metadata": 5}
    return sorted(columns, key=lambda column: ranks[column.partition(".")[0]])


def _write_csv(examples: Callable[[], Iterable[Example]], out: BinaryIO, safe: Callable[[str], str]) -> None:
    seen: dict[str, None] = {}
    for example in examples():
        seen.update((column, None) for column, _ in _cells(example))
    columns = _ordered(seen)
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow([safe(column) for column in columns])
        for example in examples():
            cells = dict(_cells(example))
            writer.writerow([safe(_cell(cells.get(column))) for column in columns])
    finally:
        text.detach()


def _cell(value: Json) -> str:
    if isinstance(value, str):
        return value
    return _json(value) if isinstance(value, dict | list | float) else as_text(value) or ""


def _quoted(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _json(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _write_parquet(examples: Callable[[], Iterable[Example]], out: BinaryIO) -> None:
    """A column has the one plain type of all its values, else it is JSON as text, and says so. Empty is absent."""
    try:
        pa, pq = (cast("Any", import_module(name)) for name in ("pyarrow", "pyarrow.parquet"))  # they bring no types
    except ImportError:
        raise ExtraMissingError("writing Parquet", "parquet") from None
    kinds: dict[str, set[type]] = {}
    for example in examples():
        for column, value in _cells(example):
            kinds.setdefault(column, set()).add(_kind(value))
    types = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    columns = _ordered(kinds)
    as_json = {column for column in columns if len(kinds[column]) > 1 or not kinds[column] <= types.keys()}
    fields = [
        pa.field(column, pa.string(), metadata=JSON_COLUMN)
        if column in as_json
        else pa.field(column, types[next(iter(kinds[column]))])
        for column in columns
    ]
    schema = pa.schema(fields, metadata=OURS)
    rows = (dict(_cells(example)) for example in examples())
    with pq.ParquetWriter(out, schema) as writer:
        while part := list(islice(rows, _AT_ONCE)):
            for row in part:
                row.update((column, _json(row[column])) for column in as_json & row.keys())
            writer.write_batch(pa.RecordBatch.from_pylist(part, schema=schema))


def _kind(value: Json) -> type:
    """`object` for what no plain column holds as it is."""
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return object
    return type(value) if isinstance(value, str | bool | int | float) else object
