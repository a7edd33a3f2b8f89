"""Reading a foreign file so that nothing of it is lost in silence.

A source is a tree of `Node`s. An importer takes what it understands; what it never touched is found by walking the tree
afterwards. So the list of what was not carried is complete by construction, and no importer keeps one by hand.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

import msgspec

from boxscore.types import Json

__all__ = ["Left", "Node", "Source", "leftovers", "list_of", "mapping_of"]

UNKNOWN: Final = "not known to this import"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the source that was not carried, or not as it was.

    `place` is where it stands: the dotted path, after the file's name where that is not the one that was imported.
    `[*]` is any index; `count` says how often it was met, `line` (from 1) is the first, where it is known. `remedy` is
    what to do about it, None where nothing needs doing.
    """

    place: str
    reason: str
    remedy: str | None = None
    count: int = 1
    line: int | None = None


class Source:
    """One file that is read, or one line of it: its name in places, and where in it keys stand, if that is known."""

    def __init__(self, name: str = "", lines: Mapping[str, int] | None = None, line: int | None = None) -> None:
        self.name = name
        self.lines = lines or {}
        self.line = line

    def place(self, path: str) -> str:
        return ": ".join(part for part in (self.name, path) if part) or "(the file)"


class Node:
    """A value of the source that remembers whether it was carried.

    Asking for a key that is not there gives a node without a value, so that reading needs no checks. `text`, `number`,
    `flag`, `take` give the value and count it as carried; a value of another kind than was asked for stays untouched,
    and is listed at the end.
    """

    __slots__ = ("_children", "_reason", "_remedy", "_rest", "_taken", "path", "source", "value")

    def __init__(self, value: Json, source: Source, path: str = "") -> None:
        self.value = value
        self.source = source
        self.path = path
        self._children: dict[str | int, Node] = {}
        self._taken = False
        self._reason: str | None = None
        self._remedy: str | None = None
        self._rest: str | None = None

    def __bool__(self) -> bool:
        return self.value is not None

    def __contains__(self, key: str) -> bool:
        return key in mapping_of(self.value)

    def __iter__(self) -> Iterator["Node"]:
        """The items of a list; of anything else nothing."""
        for index in range(len(list_of(self.value))):
            yield self._child(index)

    def __getitem__(self, key: str) -> "Node":
        return self._child(key)

    def names(self) -> list[str]:
        """Keys of a mapping; of anything else nothing."""
        return list(mapping_of(self.value))

    def items(self) -> Iterator[tuple[str, "Node"]]:
        for name in self.names():
            yield name, self._child(name)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    def take(self) -> Json:
        """The value with all that is in it, carried."""
        self._taken = True
        return self.value

    def text(self) -> str | None:
        return cast("str", self.take()) if isinstance(self.value, str) else None

    def flag(self) -> bool | None:
        return cast("bool", self.take()) if isinstance(self.value, bool) else None

    def number(self) -> int | float | None:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        return cast("int | float", self.take())

    def whole(self) -> int | None:
        number = self.number() if isinstance(self.value, int) else None
        return None if number is None else int(number)

    def leave(self, reason: str, remedy: str | None = None) -> None:
        """List all that is here and below as not carried, even what was taken. The first reason stays."""
        if self._reason is None:
            self._reason, self._remedy = reason, remedy

    def rest(self, reason: str) -> None:
        """The reason of what is here and below and will not have been taken."""
        self._rest = self._rest or reason

    def lefts(self, reason: str = UNKNOWN) -> Iterator[Left]:
        """What is here and below and was not carried: the highest nodes of which nothing was."""
        if _empty(self.value) or (self._taken and self._reason is None):
            return
        reason = self._rest or reason
        children = [self._child(key) for key in _keys(self.value)]
        if self._reason is None and any(child.touched() for child in children):
            for child in children:
                yield from child.lefts(reason)
            return
        yield Left(
            place=self.source.place(self.path),
            reason=self._reason or reason,
            remedy=self._remedy,
            line=self.source.lines.get(self.path, self.source.line),
        )

    def touched(self) -> bool:
        """Whether anything was said of this node or one below."""
        said = self._taken or self._reason is not None or self._rest is not None
        return said or any(child.touched() for child in self._children.values())

    def _child(self, key: str | int) -> "Node":
        known = self._children.get(key)
        if known is None:
            if isinstance(key, int):
                value, path = list_of(self.value)[key], f"{self.path}[{key}]"
            else:
                value = mapping_of(self.value).get(key)
                path = f"{self.path}.{key}" if self.path else key
            known = self._children[key] = Node(value, self.source, path)
        return known


def leftovers(nodes: "list[Node]", more: "list[Left]") -> tuple[Left, ...]:
    """All that was not carried, in the order of the source; places that differ in an index alone are counted."""
    found: dict[tuple[str, str, str | None], Left] = {}
    for left in [*(left for node in nodes for left in node.lefts()), *more]:
        key = (re.sub(r"\[\d+\]", "[*]", left.place), left.reason, left.remedy)
        before = found.get(key)
        if before is None:
            found[key] = left
        else:
            found[key] = msgspec.structs.replace(before, place=key[0], count=before.count + left.count)
    return tuple(found.values())


def _keys(value: Json) -> "list[str | int]":
    return [*mapping_of(value), *range(len(list_of(value)))]


def mapping_of(value: Json) -> dict[str, Json]:
    """The value where it is an object, else an empty one."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def list_of(value: Json) -> list[Json]:
    """The value where it is a list, else an empty one."""
    return cast("list[Json]", value) if isinstance(value, list) else []


def _empty(value: Json) -> bool:
    """Null and containers without anything in them say nothing that could be carried."""
    return value is None or value == [] or value == {}
