"""Reading JSONL safely: one line at a time, in bounded memory, with every fault named by file, line and field.

A line longer than the cap is refused before it is read whole, so that a file of one endless line costs no more memory
than a good one. JSON is read strictly (RFC 8259): no NaN or Infinity, no key twice in one object.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from boxscore.errors import DatasetError, FileError
from boxscore.types import Json

LINE_CAP = 32 * 1024 * 1024
"""Longest line read, in bytes."""

_SNIFF = 64 * 1024
_MAGIC = {
    b"PAR1": "a Parquet file; name it with the ending .parquet",
    b"PK\x03\x04": "a zip archive or a spreadsheet; export it as CSV or JSONL",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": "a time in ISO 8601",
}

Row = TypeVar("Row", bound=msgspec.Struct)


def check_text_file(path: Path) -> None:
    """Raise `FileError` unless the path is a file that can be read, has content and looks like text."""
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF)
    except FileNotFoundError:
        raise FileError(path, _missing(path)) from None
    except IsADirectoryError:
        raise FileError(path, "is a folder; name a file in it.") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}.") from None
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise FileError(path, "is empty; it needs at least one row.")
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise FileError(path, f"is {what}.")
    if b"\0" in head:
        raise FileError(path, "is a binary file; rows are read from JSONL or CSV in UTF-8 (or from Parquet).")


def read_lines(path: Path, *, cap: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of every line that is not blank, without its end; a byte order mark is left out.

    At most `cap` bytes of the file are held at once. Raises `FileError` for what is no text file or has a line
    longer than the cap.
    """
    cap = LINE_CAP if cap is None else cap
    check_text_file(path)
    with path.open("rb") as file:
        number = 0
        while line := file.readline(cap + 1):
            number += 1
            if len(line) > cap:
                raise FileError(
                    path,
                    f"line {number} is longer than {cap / 1024 / 1024:g} MB and was not read; "
                    "JSONL has one row a line: check the line ends, and keep large payloads out of the row.",
                )
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield number, line.rstrip()


def decode_line(decoder: msgspec.json.Decoder[Row], raw: bytes, path: Path, line: int) -> Row:
    """One line as a struct. Raises `DatasetError` that names line, and field or column."""
    try:
        row = decoder.decode(raw)
        json.loads(raw, object_pairs_hook=_once)
    except _TwiceError as twice:
        raise DatasetError(
            "stands twice in one object, and only one of the two values can be meant.",
            path=path,
            line=line,
            field=twice.key,
        ) from None
    except msgspec.ValidationError as error:
        explain(error, decoder.type, path=path, line=line)
    except RecursionError:
        raise DatasetError("is nested too deeply to be a row.", path=path, line=line) from None
    except (msgspec.DecodeError, ValueError) as error:
        raise DatasetError(_json_problem(raw, error), path=path, line=line) from None
    return row


def explain(
    error: msgspec.ValidationError, struct: type[msgspec.Struct], *, path: Path | None, line: int | None
) -> NoReturn:
    """Say in our words, as a `DatasetError`, why a row is no `struct`."""
    problem, _, where = str(error).partition(" - at `$")
    field = re.sub(r"^\.", "", where.rstrip("`")) or None
    if found := re.search(r"unknown field `(.*)`", problem):
        known = [name for name in struct.__struct_fields__ if not name.startswith("_")]
        name = found[1]
        close = nearest(name, known)
        if not close:
            close = f"; fields are {', '.join(known)}"
        inside = ", what fills the prompt inside 'inputs'" if "inputs" in known else ""
        raise DatasetError(
            f"is no field of a row{close}. What else is known of a row goes inside 'metadata'{inside}.",
            path=path,
            line=line,
            field=f"{field}.{name}" if field else name,
        ) from None
    if found := re.search(r"missing required field `(.*)`", problem):
        name = f"{field}.{found[1]}" if field else found[1]
        raise DatasetError("is missing, and every row needs it.", path=path, line=line, field=name) from None
    if found := re.match(r"Expected `(.*?)`, got `(.*?)`", problem):
        wanted = " or ".join(_WORDS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null")
        got = (
            "a number with a fraction" if "int" in found[1] and found[2] == "float" else _WORDS.get(found[2], found[2])
        )
        problem = f"must be {wanted}, and is {got}."
        if field is None:
            problem = f"a row {problem}"
    if problem.startswith("Invalid RFC3339"):
        problem = "must be a time in ISO 8601, such as 2024-05-01T10:00:00Z."
    raise DatasetError(problem if problem.endswith(".") else f"{problem}.", path=path, line=line, field=field) from None


def nearest(name: str, known: Iterable[str]) -> str:
    """`: did you mean 'x'?` when something known is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


class _TwiceError(ValueError):
    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _TwiceError(key)
            seen.add(key)
    return row


def _json_problem(raw: bytes, error: Exception) -> str:
    """Why a line is no JSON, with the column in characters where that can be told."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        return f"column {bad.start + 1}: the bytes are no UTF-8; save the file as UTF-8."
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except _ConstantError as constant:
        return f"has the value {constant}, which JSON does not know; write null, or leave the row out."
    except json.JSONDecodeError as bad:
        return f"column {bad.colno}: is no JSON ({bad.msg[:1].lower()}{bad.msg[1:]})."
    except (ValueError, RecursionError):
        pass
    if re.search(r"\\u[dD][89a-fA-F]", text):
        return "has half of a surrogate pair (\\ud800 to \\udfff), which is no character."
    return f"is no JSON ({error})."


class _ConstantError(ValueError):
    pass


def _refuse_constant(name: str) -> Json:
    raise _ConstantError(name)


def _missing(path: Path) -> str:
    """That there is no such file, and what stands beside the place where it was looked for."""
    folder = path.parent
    if not folder.is_dir():
        return f"no such file, and no folder {folder} either."
    close = difflib.get_close_matches(path.name, [entry.name for entry in folder.iterdir()], n=1, cutoff=0.6)
    return f"no such file{f'; did you mean {str(folder / close[0])!r}?' if close else '.'}"
