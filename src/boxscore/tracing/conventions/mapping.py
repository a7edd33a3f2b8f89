"""The tables as rows to read: each attribute of a dialect, and what it says."""

from collections.abc import Iterator, Mapping

from boxscore.tracing.conventions.dialect import Dialect, Field, Name

__all__ = ["says"]

_UNITS = {"s": "seconds", "ms": "milliseconds", "at": "a time"}


def says(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Name and meaning of each attribute, the ones with numbers or the application's words in their names last."""
    for name, target in dialect.names.items():
        if isinstance(target, Mapping):
            keys = ", ".join(f"{key}: {_meaning(inner)}" for key, inner in target.items())
            yield name, f"JSON of {keys}"
        else:
            yield name, _meaning(target)
    for prefix, how in dialect.indexed.items():
        yield f"{prefix}N.…", how.field
    for prefix in dialect.metadata:
        yield f"{prefix}…", "metadata"


def _meaning(target: Field | Name) -> str:
    if isinstance(target, str):
        return target
    more = [_UNITS[target.unit]] if target.unit is not None else []
    if target.values:
        words = (f"{theirs} = {ours}" for theirs, ours in target.values.items() if ours and theirs != ours)
        more.append(", ".join(words))
    if target.implies is not None:
        more.append(f"of a span without operation: {target.implies}")
    more = [text for text in more if text]
    return f"{target.field} ({'; '.join(more)})" if more else target.field
