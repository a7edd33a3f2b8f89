"""Scales: the answers that a judge may give to one criterion, and what each is worth."""

from collections.abc import Mapping
from typing import cast

import msgspec

from boxscore.types import Json


class UnreadableError(ValueError):
    """A judge's reply holds no verdict. The sentence says what is wrong, for the judge who is asked again."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """`options` in the order in which a judge reads them, `values` what each is worth, from 0 to 1.

    `anchors` say what an option means; `aliases` are other words for an option that judges do use. Comparing words,
    case is ignored.
    """

    options: tuple[str | int, ...]
    values: tuple[float, ...]
    anchors: dict[str, str] = {}
    aliases: dict[str, str] = {}

    @property
    def ordinal(self) -> bool:
        """A scale of numbers, not of words."""
        return isinstance(self.options[0], int)

    def value(self, option: str | int) -> float:
        return self.values[self.options.index(option)]

    def label(self, option: str | int) -> str:
        """`yes`, `4 of 5`."""
        return f"{option} of {self.options[-1]}" if self.ordinal else str(option)

    def words(self) -> str:
        """The options as a judge is told them: `"yes" or "no"`, `a whole number from 1 to 5`."""
        if self.ordinal:
            return f"a whole number from {self.options[0]} to {self.options[-1]}"
        quoted = [f'"{option}"' for option in self.options]
        return f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def schema(self) -> dict[str, Json]:
        return {"type": "integer" if self.ordinal else "string", "enum": list(self.options)}

    def read(self, given: Json) -> str | int:
        """The option that was given. Raises `UnreadableError` for anything else, a number between two too."""
        if self.ordinal:
            found = _whole(given)
        elif isinstance(given, bool):  # a judge asked for "yes" or "no" may well write true or false
            found = str(given).lower()
        else:
            found = str(given).strip().strip(".").lower() if isinstance(given, str | int) else None
        if isinstance(found, str):
            found = self.aliases.get(found, found)
        if found is None or found not in self.options:
            raise UnreadableError(f"{repr(given)[:80]} is no verdict: it must be {self.words()}")
        return found


YES_NO = Scale(
    options=("yes", "no"),
    values=(1.0, 0.0),
    aliases={"true": "yes", "false": "no", "pass": "yes", "fail": "no", "1": "yes", "0": "no"},
)
PREFERENCE = Scale(
    options=("first", "second", "tie"),
    values=(1.0, 0.0, 0.5),
    aliases={"a": "first", "b": "second", "1": "first", "2": "second", "equal": "tie", "both": "tie", "neither": "tie"},
)


def ordinal(low: int, high: int, anchors: Mapping[str, str] | None = None) -> Scale:
    """Whole numbers from `low` to `high`, evenly spaced from 0 to 1. Raises ValueError where there are not 2 to 101."""
    if not 1 <= high - low <= 100:
        raise ValueError(f"a scale has 2 to 101 steps, and {low} to {high} has {max(0, high - low + 1)}")
    return Scale(
        options=tuple(range(low, high + 1)),
        values=tuple((step - low) / (high - low) for step in range(low, high + 1)),
        anchors=dict(anchors or {}),
    )


def _whole(given: Json) -> int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, str):
        text = given.strip()
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 10 else None
    if isinstance(given, int | float) and given == cast("float", given) // 1:
        return int(given)
    return None
