"""A dataset: an immutable version of examples."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import UnknownNameError
from boxscore.types import Json


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is a hash of what the examples hold (12 hex digits): the same version means the same examples.

    It does not depend on the file's name or form, on the order of keys, or on the order of rows. `examples` keep the
    order of the file. `path` is the file, None when the rows came from Python.
    """

    name: str
    version: str
    examples: tuple[Example, ...]
    path: Path | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def subset(self, ids: Iterable[str]) -> "Dataset":
        """Only the named examples, in the dataset's order, as a version of its own."""
        wanted = set(ids)
        if unknown := wanted - {example.id for example in self.examples}:
            raise UnknownNameError("example", min(unknown), [example.id for example in self.examples], where=self.name)
        kept = tuple(example for example in self.examples if example.id in wanted)
        return msgspec.structs.replace(self, examples=kept, version=version_of(kept))


def version_of(examples: Iterable[Example]) -> str:
    """Content hash of a set of examples: SHA-256 over their canonical JSON, sorted by id, cut to 12 hex digits."""
    return version_of_sorted(sorted(examples, key=lambda example: example.id))


def version_of_sorted(examples: Iterable[Example]) -> str:
    """The same for examples that come sorted by id, one at a time."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(canonical(msgspec.structs.asdict(example)).encode())
        digest.update(b"\n")
    return digest.hexdigest()[:12]


def content_id(inputs: dict[str, Json]) -> str:
    """The id of a row that has none: a hash of its inputs, so that it stays when rows are added, moved or corrected."""
    return hashlib.sha256(canonical(inputs).encode()).hexdigest()[:12]


def canonical(value: Json) -> str:
    """JSON text that is equal for equal values: keys sorted, no spaces, shortest form of numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
