"""YAML, read so that it says what is written: no surprises from its first version, no code, no bombs.

Of YAML's types only those of JSON are kept, with the spellings of YAML 1.2: `yes`, `no`, `on`, `off`, dates and `12:30`
are text. A key twice in one mapping is refused, and so are tags, loops, and aliases that would grow beyond a cap.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from boxscore.datasets.lines import check_text_file
from boxscore.errors import FileError, SpecError
from boxscore.types import Json

SIZE_CAP: Final = 1024 * 1024
"""Largest file read, in bytes."""

NODE_CAP: Final = 100_000
"""Most values a file may hold, with every alias counted as what it stands for."""

_TAG = "tag:yaml.org,2002:"


_PLAIN = (
    ("tTfF", "bool", r"^(?:true|True|TRUE|false|False|FALSE)$"),
    ("nN~", "null", r"^(?:~|null|Null|NULL)$"),
    ("-+0123456789", "int", r"^[-+]?[0-9]+$"),
    ("-+.0123456789", "float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    ("<", "merge", r"^<<$"),
)


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2's JSON types: the first character, then the first pattern that fits."""

    yaml_implicit_resolvers = {
        first: [(f"{_TAG}{kind}", re.compile(pattern)) for firsts, kind, pattern in _PLAIN if first in firsts]
        for first in "tTfFnN~-+.0123456789<"
    } | {"": [(f"{_TAG}null", re.compile(r"^$"))]}


def read_yaml(path: Path) -> tuple[Json, dict[str, int]]:
    """The value in the file, and the line (from 1) of every dotted key (`rule.margin`, `scorers[0]`).

    Raises `FileError` for a file that cannot be used and `SpecError`, with the line, for what is no such YAML.
    """
    check_text_file(path)
    if path.stat().st_size > SIZE_CAP:
        raise FileError(path, f"is larger than {SIZE_CAP // 1024} KB, and no spec is; is it the dataset?")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(path, f"byte {error.start + 1} is no UTF-8; save the file as UTF-8.") from None
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError(
            f"holds the control character U+{ord(text[error.position]):04X}, which no spec may.", path=path, line=line
        ) from None
    try:
        node = loader.get_single_node()
        if node is None:
            raise FileError(path, "says nothing; `boxscore init` writes a spec to begin with.")
        _count(node, {}, path)
        lines: dict[str, int] = {}
        return _value(node, "", lines, path), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise SpecError(f"is no YAML ({problem}).", path=path, line=line) from None
    except yaml.YAMLError as error:
        raise SpecError(f"is no YAML ({str(error).splitlines()[0]}).", path=path) from None
    except RecursionError:
        raise SpecError("is nested too deeply.", path=path) from None
    finally:
        loader.dispose()  # pyright: ignore[reportUnknownMemberType]


def _count(node: yaml.Node, known: dict[int, int], path: Path) -> int:
    """Number of values below the node, aliases written out. Raises `SpecError` beyond the cap and for a loop."""
    if (size := known.get(id(node))) is not None:
        if size == 0:
            raise SpecError("an alias stands inside what it stands for.", path=path, line=_line(node))
        return size
    known[id(node)] = 0
    size = 1 + sum(_count(child, known, path) for child in _children(node))
    if size > NODE_CAP:
        raise SpecError(
            f"holds more than {NODE_CAP} values once its aliases are written out.", path=path, line=_line(node)
        )
    known[id(node)] = size
    return size


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _value(node: yaml.Node, key: str, lines: dict[str, int], path: Path) -> Json:
    lines.setdefault(key, _line(node))
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
        return [_value(child, f"{key}[{index}]", lines, path) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
        return _mapping(node, key, lines, path)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, key, path)
    raise SpecError(f"the tag {node.tag} is not known here.", key=key or None, path=path, line=_line(node))


def _mapping(node: yaml.MappingNode, key: str, lines: dict[str, int], path: Path) -> dict[str, Json]:
    found: dict[str, Json] = {}
    merged: dict[str, Json] = {}
    for name_node, value_node in node.value:
        if name_node.tag == f"{_TAG}merge":
            sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            for source in sources:
                if not isinstance(source, yaml.MappingNode):
                    raise SpecError("'<<' takes a mapping.", key=key or None, path=path, line=_line(source))
                merged = {**_mapping(source, key, {}, path), **merged}
            continue
        if not isinstance(name_node, yaml.ScalarNode):
            raise SpecError("a key must be plain text.", key=key or None, path=path, line=_line(name_node))
        name = str(name_node.value)
        dotted = f"{key}.{name}" if key else name
        if name in found:
            raise SpecError(
                f"stands twice, first on line {lines[dotted]}.", key=dotted, path=path, line=_line(name_node)
            )
        lines[dotted] = _line(name_node)
        found[name] = _value(value_node, dotted, lines, path)
    return {**merged, **found}


def _scalar(node: yaml.ScalarNode, key: str, path: Path) -> Json:
    text = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if len(text) <= 300:
            return int(text)
        case "int" | "float":
            number = float(text)
            if math.isfinite(number):
                return number
            raise SpecError(f"{text} is too large a number.", key=key or None, path=path, line=_line(node))
        case _:
            raise SpecError(f"the tag {node.tag} is not known here.", key=key or None, path=path, line=_line(node))


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
