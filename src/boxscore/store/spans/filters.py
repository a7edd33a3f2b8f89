"""Filters: typed conditions on whitelisted fields, the one syntax of command line, API and UI."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from string import ascii_letters
from typing import Literal, TypeAlias

import msgspec

from boxscore.errors import UnknownNameError, UsageError

Kind: TypeAlias = Literal["text", "number", "money", "flag", "score"]
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
Value: TypeAlias = str | int | Decimal | bool | None

OPERATORS: tuple[Operator, ...] = ("=", "!=", "<=", ">=", "<", ">")
"""Longer ones before those that they begin with."""
METADATA = "metadata."
"""`metadata.KEY` asks for the application's own attribute KEY, as text."""
SCORE = "score."
"""`score.NAME` asks for scores of that name: on the span, its whole trace or its session; of an entry, on any span of
its trace."""

FIELDS: dict[str, Kind] = {
    **dict.fromkeys(
        (
            *("name", "operation", "step", "application", "environment", "release", "session", "user"),
            *("model_asked", "model", "provider", "fingerprint"),
            *("prompt", "prompt_version", "variant", "graph", "price"),
        ),
        "text",
    ),
    **dict.fromkeys(("start_ns", "duration_ns", "first_token_ns"), "number"),
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"), "number"),
    "cost_usd": "money",
    "entry": "flag",
    "error": "flag",
}
"""What can be asked for, beside `metadata.KEY`."""

DURATIONS = ("duration_ns", "first_token_ns")
"""Nanoseconds that people may write with a unit: `duration_ns>=2s`, `first_token_ns<350ms`."""

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_NUMBERS: dict[str, str] = dict.fromkeys(DURATIONS, "a duration, as in 350ms or 2s, or whole nanoseconds")
_INT64 = 2**63 - 1


class Condition(msgspec.Struct, frozen=True):
    """One condition. `=` and `!=` take every field, the others numbers and money; `!=` holds also where nothing is set.
    The value None stands for "not set"."""

    field: str
    operator: Operator
    value: Value

    def __post_init__(self) -> None:
        kind = kind_of(self.field)
        if self.operator not in OPERATORS:
            raise UnknownNameError("operator", self.operator, OPERATORS)
        if self.operator not in ("=", "!=") and (kind in ("text", "flag") or self.value is None):
            raise UsageError(f"{self.field} cannot be asked with {self.operator!r}: use = or !=.")
        if self.field.startswith(METADATA) and self.value is None:
            raise UsageError(f"{self.field} cannot be asked for being absent: ask for a value, with = or !=.")
        if kind == "score" and isinstance(self.value, str) and self.operator not in ("=", "!="):
            raise UsageError(f"{self.field} cannot be asked with {self.operator!r} {self.value!r}: give a number.")
        if not _fits(kind, self.value):
            raise UsageError(f"{self.field} is a {kind}, and {self.value!r} is none: change the value.")


Filter: TypeAlias = Sequence[Condition]
"""Conditions that all hold."""


def kind_of(field: str) -> Kind:
    """The kind of a field's values; `UnknownNameError` where there is no such field."""
    if field.startswith(METADATA) and len(field) > len(METADATA):
        return "text"
    if field.startswith(SCORE) and len(field) > len(SCORE):
        return "score"
    if field not in FIELDS:
        raise UnknownNameError("field", field, [*FIELDS, f"{METADATA}KEY", f"{SCORE}NAME"])
    return FIELDS[field]


def parse_condition(text: str) -> Condition:
    """A condition as people write it: `model=gpt-5`, `cost_usd>=0.01`, `duration_ns>=2s`, `error=true`,
    `metadata.tier!=gold`; `user=` asks for spans without a user. A `UsageError` says what is wrong."""
    at = min((place for place in map(text.find, "=!<>") if place >= 0), default=-1)
    operator: Operator | None = next((known for known in OPERATORS if text.startswith(known, at)), None)
    if at <= 0 or operator is None:
        raise UsageError(f"{text!r} is no condition: write FIELD, one of {' '.join(OPERATORS)}, and a value.")
    field, written = text[:at].strip(), text[at + len(operator) :].strip()
    return Condition(field, operator, _value(field, written))


def _value(field: str, written: str) -> Value:
    kind = kind_of(field)
    if not written:
        return None
    try:
        match kind:
            case "text":
                return written
            case "number":
                return _duration(written) if field in DURATIONS else int(written)
            case "money":
                return Decimal(written)
            case "flag":
                return {"true": True, "false": False}[written.lower()]
            case "score":
                return _score(written)
    except (ValueError, KeyError, InvalidOperation):
        wanted = {
            "number": _NUMBERS.get(field, "a whole number"),
            "money": "an amount of dollars",
            "flag": "true or false",
        }.get(kind)
        raise UsageError(f"{field} takes {wanted}, not {written!r}.") from None


def _fits(kind: Kind, value: Value) -> bool:
    if value is None:
        return kind != "flag"
    match kind:
        case "text":
            return isinstance(value, str)
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _INT64
        case "money":
            return isinstance(value, Decimal | int) and not isinstance(value, bool) and Decimal(value).is_finite()
        case "score":
            return isinstance(value, bool | str) or Decimal(value).is_finite()


def _duration(written: str) -> int:
    """Nanoseconds, with a unit or without."""
    number = written.rstrip(ascii_letters + "µ")
    unit = written[len(number) :]
    return round(Decimal(number) * _UNITS[unit]) if unit else int(number)


def _score(written: str) -> Value:
    """A number, true or false, or else a category."""
    if written.lower() in ("true", "false"):
        return written.lower() == "true"
    try:
        number = Decimal(written)
    except InvalidOperation:
        return written
    return number if number.is_finite() else written
