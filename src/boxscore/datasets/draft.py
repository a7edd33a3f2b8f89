"""A version that is being made: what the one before holds, and what is put and removed since."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from boxscore.datasets.dataset import content_id, version_of_sorted
from boxscore.datasets.example import Example
from boxscore.datasets.version import DatasetSummary, Limits
from boxscore.errors import DatasetError
from boxscore.store.records.datasets import DatasetStore, MemberRow
from boxscore.types import Json

__all__ = ["ORIGIN", "Draft", "hash_of"]

ORIGIN = "trace_id"
"""The key of an example's metadata that says which trace it was made from, in hexadecimal digits."""
DEEPEST = 100
"""Levels of lists and objects in a row."""
_STEP_ROWS, _STEP_BYTES = 500, 4 * 1024 * 1024
_SLICES, _VALUES = 50, 200


class Draft:
    """Holds references to rows and no content: that is kept in the store some at a time as it comes, where nobody sees
    it before a version refers to it. `places` are where rows stood that may come back."""

    def __init__(
        self,
        store: DatasetStore,
        name: str,
        before: Mapping[str, MemberRow],
        limits: Limits,
        *,
        replace: bool = False,
        places: Mapping[str, int] | None = None,
    ) -> None:
        self._store = store
        self._name = name
        self._limits = limits
        self._before = before
        self._places = places or {}
        self._next = store.last_position(name) + 1
        self._waiting: dict[str, str] = {}
        self._bytes = 0
        self._kept: list[str] = []
        self.rows: dict[str, MemberRow] = {} if replace else dict(before)

    def put(self, example: Example) -> None:
        """A new row, or one in the place of that with its id. `DatasetError` beyond a limit."""
        text = self._text(example)
        there = self._before.get(example.id) or self.rows.get(example.id)
        if there is not None:
            position = there.position
        elif (position := self._places.get(example.id, -1)) < 0:
            position, self._next = self._next, self._next + 1
        row = _row(example, text, position)
        self.rows[example.id] = row
        if len(self.rows) > self._limits.rows:
            raise DatasetError(
                f"{self._name!r} would have more than {self._limits.rows:,} rows, which is the most that a version "
                "holds; nothing was written. Split it into several datasets."
            )
        if there is None or there.hash != row.hash:
            self._waiting[row.hash] = text
            self._bytes += len(text)
            if len(self._waiting) >= _STEP_ROWS or self._bytes >= _STEP_BYTES:
                self.keep()

    def remove(self, example_id: str) -> None:
        del self.rows[example_id]

    def keep(self) -> None:
        """Keeps what waits for it."""
        if self._waiting:
            self._kept += self._waiting
            self._store.keep(list(self._waiting.items()))
            self._waiting, self._bytes = {}, 0

    def discard(self) -> None:
        """Lets go of what was kept for a version that is not made."""
        self._store.discard(self._kept)

    @property
    def added(self) -> list[MemberRow]:
        return [row for id, row in self.rows.items() if id not in self._before]

    @property
    def changed(self) -> list[MemberRow]:
        return [row for id, row in self.rows.items() if id in self._before and self._before[id].hash != row.hash]

    @property
    def removed(self) -> list[str]:
        return [id for id in self._before if id not in self.rows]

    def described(self) -> tuple[str, DatasetSummary]:
        """Content hash and summary, from one pass over all that it holds. `DatasetError` where that is too much."""
        size = references = 0
        clusters: Counter[str] = Counter()
        slices: dict[str, Counter[str]] = {}

        def counted() -> Iterator[Example]:
            nonlocal size, references
            for text in self._store.contents(self.rows[id].hash for id in sorted(self.rows)):
                size += len(text.encode())
                if size > self._limits.bytes:
                    raise DatasetError(
                        f"{self._name!r} would hold more than {self._limits.bytes / 1024 / 1024:g} MB, which is the "
                        "most; nothing was written. Split it into several datasets."
                    )
                example = msgspec.json.decode(text, type=Example)
                references += example.reference is not None
                if example.cluster is not None:
                    clusters[example.cluster] += 1
                for key, value in example.slices.items():
                    slices.setdefault(key, Counter())[value] += 1
                yield example

        version = version_of_sorted(counted())
        alone = len(self.rows) - clusters.total()
        return version, DatasetSummary(
            bytes=size,
            references=references,
            clusters=len(clusters),
            units=len(clusters) + alone,
            typical=(sum(size**2 for size in clusters.values()) + alone) / max(1, len(self.rows)),
            slices={key: dict(values.most_common(_VALUES)) for key, values in list(slices.items())[:_SLICES]},
        )

    def _text(self, example: Example) -> str:
        """The JSON that is kept. Equal examples have equal ones."""
        if not example.id or len(example.id) > 500 or "\0" in example.id:
            raise DatasetError("must have between 1 and 500 characters, and none that is NUL.", field="id")
        encoded = _encoded(example)
        if len(encoded) > self._limits.row_bytes:
            raise DatasetError(
                f"example {example.id!r} has {len(encoded):,} bytes as JSON, and a row has "
                f"{self._limits.row_bytes:,} at most; nothing was written. Keep large payloads out of the row."
            )
        if encoded.count(b"{") + encoded.count(b"[") > DEEPEST and _depth(example) > DEEPEST:
            raise DatasetError(
                f"example {example.id!r} is nested more than {DEEPEST} levels deep; nothing was written. Keep what "
                "lies deeper as text."
            )
        return encoded.decode()


def _depth(example: Example) -> int:
    """How many lists and objects lie in one another, found without recursion."""
    deepest = 0
    left: list[tuple[Json, int]] = [(part, 1) for part in (example.inputs, example.reference, example.metadata)]
    while left:
        value, depth = left.pop()
        if isinstance(value, dict | list):
            deepest = max(deepest, depth)
            if depth > DEEPEST:
                break
            inner = cast("dict[str, Json]", value).values() if isinstance(value, dict) else cast("list[Json]", value)
            left += ((one, depth + 1) for one in inner)
    return deepest


def hash_of(example: Example) -> str:
    """Under which its content lies: the same as of a run's examples."""
    return hashlib.sha256(_encoded(example)).hexdigest()


def _encoded(example: Example) -> bytes:
    return msgspec.json.encode(example, order="deterministic")


def _row(example: Example, text: str, position: int) -> MemberRow:
    origin = example.metadata.get(ORIGIN)
    return MemberRow(
        position=position,
        example_id=example.id,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        inputs_hash=content_id(example.inputs),
        trace_id=origin if isinstance(origin, str) and len(origin) == 32 else None,
    )
