"""Reading the reference of an example, the same way in every scorer."""

import json
from typing import cast

from boxscore.datasets.example import Example
from boxscore.errors import MissingReferenceError
from boxscore.types import Json

__all__ = ["reference_texts", "reference_value"]


def reference_value(scorer: str, example: Example) -> Json:
    """The reference as it is in the dataset; MissingReferenceError where there is none (null or absent)."""
    if example.reference is None:
        raise MissingReferenceError(scorer, example.id)
    return example.reference


def reference_texts(scorer: str, example: Example) -> tuple[str, ...]:
    """The reference as texts, each of which is right. A list of texts or numbers is a list of right answers; any other
    JSON value is its compact JSON."""
    value: Json = reference_value(scorer, example)
    if isinstance(value, list):
        parts = cast("list[Json]", value)
        if not parts:
            raise MissingReferenceError(scorer, example.id)
        if all(isinstance(part, str | int | float) for part in parts):
            return tuple(_text(part) for part in parts)
    return (_text(value),)


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
