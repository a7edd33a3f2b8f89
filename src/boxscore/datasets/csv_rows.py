"""CSV and tab-separated files as rows. Every cell stays text: "007" is not 7, and no date is guessed."""

import csv
import difflib
import io
from collections.abc import Iterator
from pathlib import Path

from boxscore.datasets.lines import LINE_CAP, check_text_file, nearest
from boxscore.datasets.rows import ExampleRow
from boxscore.errors import DatasetError, FileError
from boxscore.types import Json

_PLAIN = ("id", "reference", "cluster")
_PREFIXES = ("inputs", "metadata", "slices")
COLUMNS = 10_000
"""Most columns; spreadsheets have 16,384."""


def read_csv(path: Path) -> Iterator[tuple[int, ExampleRow]]:
    """Line where each row begins, and the row.

    The first row names the columns: `id`, `reference`, `cluster`, `metadata.X`, `slices.X`; every other column is an
    input (`inputs.X`, or just `X`). An empty cell is no reference, no cluster, no slice; an input stays empty text.
    The delimiter is the comma, or the tab or semicolon when the header has that and no comma.
    Raises `FileError` and `DatasetError`.
    """
    check_text_file(path)
    with path.open("rb") as binary:
        reader = _Reader(path, binary)
        header = next(reader, None)
        if header is None:
            raise FileError(path, "is empty; it needs a header and at least one row.")
        columns = _columns(header[1], path)
        for line, cells in reader:
            if len(cells) != len(columns):
                raise DatasetError(
                    f"has {len(cells)} cells, and the header {len(columns)}; put cells with a delimiter or a line end "
                    "in double quotes.",
                    path=path,
                    line=line,
                )
            yield line, _row(columns, cells, line, path)


class _Reader:
    """Rows of cells with the line that each begins on, skipping blank lines, in bounded memory."""

    def __init__(self, path: Path, binary: io.BufferedIOBase) -> None:
        self._path = path
        self._binary = binary
        self._line = 0
        self._size = 0
        self._first = self._next_line()
        # The csv module has one limit for the whole process, 128 KB by default: ours is on the row, see `_lines`.
        csv.field_size_limit(max(csv.field_size_limit(), LINE_CAP))
        self._rows = csv.reader(self._lines(), delimiter=_delimiter(self._first), strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            begin = self._rows.line_num + 1
            self._size = 0
            try:
                cells = next(self._rows)
            except csv.Error as error:
                raise DatasetError(f"is no CSV ({error}).", path=self._path, line=begin) from None
            if cells:
                return begin, cells

    def _lines(self) -> Iterator[str]:
        line = self._first
        while line:
            self._size += len(line)
            if self._size > LINE_CAP:
                raise FileError(
                    self._path,
                    f"the row that ends on line {self._line} is longer than {LINE_CAP / 1024 / 1024:g} MB; "
                    "check for a double quote that is never closed.",
                )
            yield line
            line = self._next_line()

    def _next_line(self) -> str:
        raw = self._binary.readline(LINE_CAP + 1)
        self._line += 1
        if len(raw) > LINE_CAP:
            raise FileError(
                self._path, f"line {self._line} is longer than {LINE_CAP / 1024 / 1024:g} MB and was not read."
            )
        if self._line == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as bad:
            raise DatasetError(
                f"column {bad.start + 1}: the bytes are no UTF-8; save the file as UTF-8.",
                path=self._path,
                line=self._line,
            ) from None


def _delimiter(header: str) -> str:
    if "," in header:
        return ","
    return "\t" if "\t" in header else ";" if ";" in header else ","


def _columns(header: list[str], path: Path) -> list[tuple[str, str]]:
    """(part, key) of every column: ("inputs", "ticket"), ("id", "")."""
    if len(header) > COLUMNS:
        raise FileError(path, f"has {len(header):,} columns, and {COLUMNS:,} may be; is the header a row of data?")
    columns: dict[tuple[str, str], None] = {}
    for number, cell in enumerate(header, start=1):
        name = cell.strip()
        if not name:
            raise DatasetError(f"column {number} has no name in the header.", path=path, line=1)
        prefix, dot, key = name.partition(".")
        if name in _PLAIN:
            column = (name, "")
        elif dot and prefix in _PREFIXES and key:
            column = (prefix, key)
        elif dot and (hint := nearest(prefix, _PREFIXES)):
            raise DatasetError(f"is no column{hint}.", path=path, line=1, field=name)
        elif hint := _misspelt(name):
            raise DatasetError(
                f"looks like a misspelt column{hint}; if it is an input, name it 'inputs.{name}'.",
                path=path,
                line=1,
                field=name,
            )
        else:
            column = ("inputs", name)
        if column in columns:
            raise DatasetError("stands twice in the header.", path=path, line=1, field=name)
        columns[column] = None
    return list(columns)


def _misspelt(name: str) -> str:
    """A hint when a bare column is one slip away from a column that we know."""
    known = ("reference", "cluster", "metadata", "slices")
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.85)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _row(columns: list[tuple[str, str]], cells: list[str], line: int, path: Path) -> ExampleRow:
    parts: dict[str, dict[str, Json]] = {"inputs": {}, "metadata": {}, "slices": {}}
    plain: dict[str, str] = {}
    for (part, key), cell in zip(columns, cells, strict=True):
        if part in _PLAIN:
            plain[part] = cell
        elif part == "inputs" or cell:
            parts[part][key] = cell
    if "id" in plain and not plain["id"].strip():
        raise DatasetError("is empty; give the row an id, or leave the column out.", path=path, line=line, field="id")
    return ExampleRow(
        inputs=parts["inputs"],
        id=plain["id"].strip() if "id" in plain else None,
        reference=plain.get("reference") or None,
        metadata=parts["metadata"],
        cluster=plain.get("cluster") or None,
        slices=parts["slices"],
    )
