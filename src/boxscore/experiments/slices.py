"""Slices: subsets of the examples in which a change may do something else than on the whole.

Those that the dataset or the user names are taken as they are. Besides, fields with few values (the reference, plain
metadata and inputs) are taken, and the length of the input in thirds, so that a loss hidden in the mean is found. All
are tested together and corrected by Holm (1979): looking at many costs each of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxscore.datasets.example import Example
from boxscore.errors import UnknownNameError
from boxscore.types import Json

SMALLEST = 10
"""Examples below which a slice is not tested: nothing could be shown, and it would cost the others their correction."""

MOST_VALUES = 12
"""A field with more values than this is no slice unless it is named."""


class Slice(NamedTuple):
    """`members` has shape (examples,), True for those inside."""

    field: str
    value: str
    members: NDArray[np.bool_]


def find_slices(examples: Sequence[Example], named: Sequence[str] = ()) -> list[Slice]:
    """Slices of the examples: the named fields, else everything that looks like one. No two have the same members."""
    fields = dict(_fields(examples))
    for name in named:
        if name not in fields:
            raise UnknownNameError("slice field", name, fields)
    found: list[Slice] = []
    seen: set[bytes] = set()
    for field, values in fields.items():
        if named and field not in named:
            continue
        counts = Counter(value for value in values if value is not None)
        if not named and not 2 <= len(counts) <= MOST_VALUES:
            continue
        for value, count in counts.items():
            if not SMALLEST <= count < len(examples):
                continue
            members = np.array([other == value for other in values], dtype=np.bool_)
            if members.tobytes() not in seen:
                seen.add(members.tobytes())
                found.append(Slice(field, value, members))
    return found


def members(examples: Sequence[Example], field: str, value: str) -> set[str]:
    """Ids of the examples in one slice. `UnknownNameError` for a field that they do not have."""
    fields = dict(_fields(examples))
    if field not in fields:
        raise UnknownNameError("slice field", field, fields)
    return {example.id for example, found in zip(examples, fields[field], strict=True) if found == value}


def _fields(examples: Sequence[Example]) -> Iterator[tuple[str, list[str | None]]]:
    """Every field that could be a slice, with its value per example as text. Earlier ones win over equal later ones."""
    for name in _keys(example.slices for example in examples):
        yield name, [example.slices.get(name) for example in examples]
    for name in _keys(example.metadata for example in examples):
        yield f"metadata.{name}", [_text(example.metadata.get(name)) for example in examples]
    for name in _keys(example.inputs for example in examples):
        yield f"inputs.{name}", [_text(example.inputs.get(name)) for example in examples]
    yield "reference", [_text(example.reference) for example in examples]
    lengths = np.array([sum(len(str(value)) for value in example.inputs.values()) for example in examples])
    short, long = np.quantile(lengths, [1 / 3, 2 / 3])
    if short < long:
        names = np.where(lengths <= short, "shortest third", np.where(lengths <= long, "middle third", "longest third"))
        yield "input length", [str(name) for name in names]


def _keys(mappings: Iterable[dict[str, Json]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def _text(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        text = str(value)
        return text if len(text) <= 60 else None
    return None
