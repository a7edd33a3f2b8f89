"""Reading the files of a source, each in bounded memory, with errors that name the file."""

import json
from collections.abc import Iterator
from pathlib import Path

from yaml.reader import ReaderError

from boxscore.datasets.lines import read_lines
from boxscore.errors import DatasetError, FileError, SpecError
from boxscore.experiments.yaml_tree import read_yaml
from boxscore.imports.reading import Node, Source
from boxscore.types import Json

__all__ = ["JSON_CAP", "parse_json", "read_json", "read_jsonl", "read_text", "read_tree"]

JSON_CAP = 512 * 1024 * 1024
"""Largest JSON file read, in bytes."""

TEXT_CAP = 16 * 1024 * 1024


def read_tree(path: Path, name: str = "") -> Node:
    """The tree in a YAML or JSON file, by its ending. `name` stands before its places in the list of what was left.

    Raises `FileError` and `SpecError`.
    """
    if path.suffix.lower() == ".json":
        return Node(read_json(path), Source(name))
    try:
        value, lines = read_yaml(path)
    except ReaderError:
        raise FileError(path, "holds a character that YAML does not allow, such as a control character.") from None
    return Node(value, Source(name, lines))


def read_json(path: Path) -> Json:
    return parse_json(_bytes(path, JSON_CAP), path)


def parse_json(raw: bytes, path: Path) -> Json:
    """Strict JSON (RFC 8259) in UTF-8. Raises `FileError`, with the line where it can be told."""
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise FileError(path, f"byte {error.start + 1} is no UTF-8; save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise SpecError(
            f"is no JSON ({error.msg[:1].lower()}{error.msg[1:]}, column {error.colno}).", path=path, line=error.lineno
        ) from None
    except _BadJsonError as error:
        raise FileError(path, f"{error}.") from None
    except RecursionError:
        raise FileError(path, "is nested too deeply.") from None


def read_jsonl(path: Path, name: str = "") -> Iterator[Node]:
    """The objects of a JSONL file, one node a line. Raises `FileError` and `DatasetError` with the line."""
    for line, raw in read_lines(path):
        if line == 1 and raw.startswith(b"version https://git-lfs"):
            raise FileError(path, "is a pointer of Git LFS and not the file itself: fetch it with git lfs pull.")
        try:
            value: Json = json.loads(raw, object_pairs_hook=_once, parse_constant=_refuse)
        except UnicodeDecodeError:
            raise DatasetError("the bytes are no UTF-8; save the file as UTF-8.", path=path, line=line) from None
        except json.JSONDecodeError as error:
            problem = f"column {error.colno}: is no JSON ({error.msg[:1].lower()}{error.msg[1:]})."
            raise DatasetError(problem, path=path, line=line) from None
        except _BadJsonError as error:
            raise DatasetError(f"{error}.", path=path, line=line) from None
        except RecursionError:
            raise DatasetError("is nested too deeply to be a row.", path=path, line=line) from None
        if not isinstance(value, dict):
            raise DatasetError("must be an object.", path=path, line=line)
        yield Node(value, Source(name, line=line), f"[{line - 1}]")


def read_text(path: Path) -> str:
    """Raises `FileError`."""
    try:
        return _bytes(path, TEXT_CAP).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(path, f"byte {error.start + 1} is no UTF-8; save the file as UTF-8.") from None


def _bytes(path: Path, cap: int) -> bytes:
    try:
        if path.is_dir():
            raise FileError(path, "is a folder; name a file in it.")
        if path.stat().st_size > cap:
            raise FileError(path, f"is larger than {cap // 1024 // 1024} MB and was not read.")
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError(path, "no such file.") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}.") from None


class _BadJsonError(ValueError):
    pass


def _refuse(name: str) -> Json:
    raise _BadJsonError(f"has the value {name}, which JSON does not know; write null instead")


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _BadJsonError(f"has the key {twice!r} twice in one object, and only one value can be meant")
    return found
