"""The user's own price table, changed: rows are added to its file and taken out of it, and the rest of it, comments
too, stays as it is."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import cast

import yaml

from boxscore.costs.own import OwnTable, parse_own_table, read_own_table
from boxscore.errors import ConflictError, NotFoundError
from boxscore.types import Json
from boxscore.writing import write_whole

__all__ = ["add_row", "own_table", "remove_row"]

_HEAD = "# Own prices, looked at before the built-in ones. `boxscore prices --help` shows the form.\nprices:\n"


def own_table(path: Path) -> OwnTable:
    """The table at `path`, without rows where there is no file."""
    return read_own_table(path) if path.exists() else OwnTable(path.name, "", ())


def add_row(path: Path, fields: Mapping[str, Json]) -> OwnTable:
    """The table with one more row at its end, in the form of the file. `SpecError` names a field that cannot be,
    `ConflictError` says why the file is not one to write to."""
    text = path.read_text(encoding="utf-8-sig") if path.exists() else _HEAD
    row = yaml.safe_dump([_plain(dict(fields))], sort_keys=False, allow_unicode=True, default_flow_style=None)
    rows = _rows(path, text)
    if rows is None:
        written = _HEAD + row
    else:
        margin = " " * (rows.start_mark.column if rows.value else 0)
        before = text if rows.value else text[: rows.start_mark.index]
        lines = "".join(f"{margin}{line}\n" for line in row.splitlines())
        written = f"{before.rstrip()}\n{lines}"
    return _write(path, written)


def remove_row(path: Path, line: int, *, version: str) -> OwnTable:
    """The table without the row that begins in that line of its file. `ConflictError` where the file is not of that
    version any more, `NotFoundError` where no row begins there."""
    table = own_table(path)
    if table.version != version:
        raise ConflictError(
            "prices", "the price table was changed meanwhile: look at it again before you remove a row."
        )
    begins = [row.line for row in table.entries]
    if line not in begins:
        raise NotFoundError("price row", str(line))
    text = path.read_text(encoding="utf-8-sig")
    if len(begins) == 1:
        rows = cast("yaml.SequenceNode", _rows(path, text))
        return _write(path, f"{text[: rows.start_mark.index].rstrip()}\n  []\n")
    _rows(path, text)
    lines = text.splitlines(keepends=True)
    place = begins.index(line)
    end = begins[place + 1] - 1 if place + 1 < len(begins) else len(lines)
    while end > line and lines[end - 1].lstrip()[:1] in ("", "#"):
        end -= 1  # what is said above the next row is about that one
    return _write(path, "".join(lines[: line - 1] + lines[end:]))


def _write(path: Path, text: str) -> OwnTable:
    table = parse_own_table(path, text.encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return table


def _rows(path: Path, text: str) -> yaml.SequenceNode | None:
    """The list of rows in the file, None in an empty one. `ConflictError` for one that is not written row by row."""
    if path.suffix.lower() in (".yaml", ".yml"):
        root = cast("yaml.Node | None", yaml.compose(text, yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        if isinstance(root, yaml.MappingNode):
            root = next((value for key, value in root.value if key.value == "prices"), None)
        if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
            return None
        if isinstance(root, yaml.SequenceNode) and not (root.flow_style and root.value):
            return root
    raise ConflictError(
        "prices", f"{path.name} is not YAML with one row below the other, so it is changed by hand: edit the file."
    )


def _plain(value: Json) -> Json:
    """As YAML writes it: a price as a number where a binary one is exact enough to come back."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in cast("Mapping[str, Json]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in cast("list[Json]", value)]
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    return value
