"""Fields of examples by name, as `--slice` and `--cluster` take them."""

from collections.abc import Iterable, Sequence

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import DatasetError, UnknownNameError
from boxscore.types import Json

_PARTS = ("slices", "metadata", "inputs")


def known_fields(examples: Iterable[Example]) -> list[str]:
    """Every name that `field_values` understands for these examples, prefixed, in order of first sight."""
    found: dict[str, None] = {}
    for example in examples:
        for part in _PARTS:
            for key in _part(example, part):
                found.setdefault(f"{part}.{key}")
        if example.cluster is not None:
            found.setdefault("cluster")
        if example.reference is not None:
            found.setdefault("reference")
    return list(found)


def field_values(examples: Sequence[Example], field: str, *, kind: str = "field") -> list[str | None]:
    """The field of every example as text, None where an example lacks it.

    `field` is `slices.X`, `metadata.X`, `inputs.X`, `cluster`, `reference`, or a bare `X`, which is looked up in that
    order. Raises `UnknownNameError` when no example has it and `DatasetError` when a value is a list or an object.
    """
    known = known_fields(examples)
    full = next((name for name in (field, *(f"{part}.{field}" for part in _PARTS)) if name in known), None)
    if full is None:
        bare = [name.partition(".")[2] or name for name in known]
        raise UnknownNameError(kind, field, known if "." in field else dict.fromkeys(bare))
    part, _, key = full.partition(".")
    values: list[str | None] = []
    for example in examples:
        value: Json = _part(example, part).get(key) if key else getattr(example, part)
        if isinstance(value, list | dict):
            raise DatasetError(
                f"cannot be used as a {kind}: example {example.id!r} has a list or an object there, and one plain "
                "value is needed.",
                field=full,
            )
        values.append(as_text(value))
    return values


def with_fields(
    examples: Sequence[Example], *, cluster: str | None = None, slices: Sequence[str] = ()
) -> tuple[Example, ...]:
    """The examples with `cluster` and `slices` taken from the named fields. A slice keeps the name it was asked by."""
    result = tuple(examples)
    if cluster is not None:
        names = field_values(result, cluster, kind="cluster field")
        result = tuple(
            msgspec.structs.replace(example, cluster=name) for example, name in zip(result, names, strict=True)
        )
    for field in slices:
        values = field_values(result, field, kind="slice field")
        result = tuple(
            example if value is None else msgspec.structs.replace(example, slices={**example.slices, field: value})
            for example, value in zip(result, values, strict=True)
        )
    return result


def as_text(value: Json) -> str | None:
    """A plain JSON value as the text of a slice: true, 3, de."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _part(example: Example, part: str) -> dict[str, Json]:
    found: dict[str, Json] = getattr(example, part)
    return found
