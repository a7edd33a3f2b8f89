"""A file looked at before it is imported: its first rows, and what is wrong with it, line by line."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from boxscore.datasets.example import Example
from boxscore.datasets.lines import decode_line, read_lines
from boxscore.datasets.load import read_file
from boxscore.datasets.rows import ExampleRow, each_example, to_example
from boxscore.errors import DatasetError, FileError

__all__ = ["Looked", "Problem", "look"]

FIRST = 20
"""Rows that are shown, and problems that are told."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, and where; None where it is the file as a whole."""

    line: int | None
    field: str | None
    message: str


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` that can be read, the first `examples` of them, and the first `problems`: with any, none is imported."""

    rows: int
    examples: Sequence[Example]
    problems: Sequence[Problem]


def look(path: Path) -> Looked:
    """Reads the whole file. JSONL is read on after a bad line; CSV and Parquet are read up to it."""
    problems: list[Problem] = []
    first: list[Example] = []
    rows = 0
    examples = _lines(path, problems) if path.suffix.lower() in (".jsonl", ".ndjson") else None
    try:
        for example in examples if examples is not None else each_example(read_file(path), path):
            rows += 1
            if len(first) < FIRST:
                first.append(example)
    except DatasetError as error:
        problems.append(Problem(line=error.line, field=error.field, message=_said(error, path)))
    except FileError as error:
        problems.append(Problem(line=None, field=None, message=_said(error, path)))
    return Looked(rows=rows, examples=first, problems=problems[:FIRST])


def _lines(path: Path, problems: list[Problem]) -> Iterator[Example]:
    decoder = msgspec.json.Decoder(ExampleRow)
    lines: dict[str, int] = {}
    for line, raw in read_lines(path):
        try:
            example = to_example(decode_line(decoder, raw, path, line), path, line)
        except DatasetError as error:
            problems.append(Problem(line=line, field=error.field, message=_said(error, path)))
            if len(problems) == FIRST:
                return
            continue
        if (there := lines.setdefault(example.id, line)) != line:
            told = f"line {line}: {example.id!r} is the id of line {there} already; every row needs an id of its own."
            problems.append(Problem(line=line, field="id", message=told))
            continue
        yield example
    if not lines and not problems:
        raise FileError(path, "has no rows; it needs at least one.")


def _said(error: DatasetError | FileError, path: Path) -> str:
    """Without the path, which who sent the file does not know."""
    return str(error).removeprefix(f"{path}, ").removeprefix(f"{path}: ")
