"""Whether an example holds words and values that are looked for."""

from collections.abc import Iterator, Sequence

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import DatasetError
from boxscore.types import Json

__all__ = ["condition_of", "holds"]


def condition_of(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals or not field:
        raise DatasetError(f"{text!r} is no condition: write FIELD=VALUE, as in slices.language=de.")
    return field, value


def holds(example: Example, text: str, wanted: Sequence[tuple[str, str]]) -> bool:
    for field, value in wanted:
        part, _, key = field.partition(".")
        if part in ("slices", "metadata", "inputs") and key:
            found: Json = getattr(example, part).get(key)
        elif field in ("id", "cluster", "reference"):
            found = getattr(example, field)
        else:
            found = next((of[field] for of in (example.slices, example.metadata, example.inputs) if field in of), None)
        if (found if isinstance(found, str) else _encoded(found)) != value:
            return False
    return not text or text.casefold() in _searched(example)


def _searched(example: Example) -> str:
    """Every text in the example, as a person would read it."""
    return "\n".join(_texts(msgspec.structs.asdict(example))).casefold()


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(inner)
    elif value is not None:
        yield value if isinstance(value, str) else _encoded(value)


def _encoded(value: Json) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
