"""Measures: what is computed over the spans of a group, whitelisted like filters."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, TypeAlias, cast, get_args

import msgspec

from boxscore.errors import UnknownNameError, UsageError
from boxscore.store.spans.filters import FIELDS, METADATA

Function: TypeAlias = Literal["count", "sum", "avg", "min", "max", "p50", "p95"]
FUNCTIONS: tuple[Function, ...] = get_args(Function)
MEASURED = tuple(field for field, kind in FIELDS.items() if kind in ("number", "money", "flag") and field != "start_ns")
"""Fields that can be measured; a flag counts as 1 or 0, so that `avg(error)` is the share of errors."""
TIMES = {"minute": 60 * 10**9, "hour": 3600 * 10**9, "day": 24 * 3600 * 10**9}
"""Groups by time, in nanoseconds, from midnight UTC."""
GROUPED = (*(field for field, kind in FIELDS.items() if kind in ("text", "flag")), *TIMES)
"""What spans can be grouped by, beside `metadata.KEY`."""

_WRITTEN = re.compile(r"\s*(\w+)\s*(?:\(\s*(\w*)\s*\))?\s*")

Key: TypeAlias = str | int | bool | None
Number: TypeAlias = int | float | Decimal | None


class Measure(msgspec.Struct, frozen=True):
    """`count` of spans, or a function of a field's values; spans without a value are left out. Quantiles are within two
    percent. Money is Decimal, the rest int, averages and quantiles float; None where there is no value."""

    function: Function
    field: str | None = None

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise UnknownNameError("measure", self.function, FUNCTIONS)
        if self.function == "count" and self.field is None:
            return
        if self.field is None:
            raise UsageError(f"{self.function} needs a field: write {self.function}(duration_ns), for one.")
        if self.field not in MEASURED:
            raise UnknownNameError("field to measure", self.field, MEASURED)

    def __str__(self) -> str:
        return self.function if self.field is None else f"{self.function}({self.field})"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """`keys` in the order of the fields that were asked by (times in nanoseconds), `values` in that of the measures."""

    keys: tuple[Key, ...]
    values: tuple[Number, ...]


def parse_measure(text: str) -> Measure:
    """A measure as people write it: `count`, `sum(cost_usd)`, `p95(duration_ns)`. A `UsageError` says what is wrong."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no measure: write count, or one of {', '.join(FUNCTIONS)} and a (field).")
    return Measure(cast(Function, found[1]), found[2] or None)


def check_groups(measures: Sequence[Measure], by: Sequence[str]) -> None:
    """`UsageError` where spans cannot be grouped or measured so."""
    if not measures:
        raise UsageError("nothing is measured: ask for count, or another measure.")
    for field in by:
        if field not in GROUPED and not (field.startswith(METADATA) and len(field) > len(METADATA)):
            raise UnknownNameError("field to group by", field, [*GROUPED, f"{METADATA}KEY"])
    if len(set(by)) < len(by):
        raise UsageError("spans are grouped by a field once: leave out the second.")
