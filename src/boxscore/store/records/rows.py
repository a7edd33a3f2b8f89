"""Rows as the store gives and takes them. Fields called `*_json` hold JSON text that the store does not look into."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias, TypeVar, cast, get_args, get_type_hints

import msgspec

from boxscore.errors import StoreError

Cell: TypeAlias = int | float | str | None
"""What a column holds."""
Row = TypeVar("Row", bound=msgspec.Struct)


def cells(row: msgspec.Struct) -> tuple[Cell, ...]:
    """The fields as columns hold them: money as exact text, for a binary float would round what a bill is made of."""
    found: tuple[Cell | datetime | Decimal, ...] = msgspec.structs.astuple(row)
    spelled = _spelled(type(row))
    if not spelled:
        return cast("tuple[Cell, ...]", found)
    values = list(found)
    for place in spelled:
        value = values[place]
        if isinstance(value, datetime):
            values[place] = time_cell(value)
        elif value is not None:
            values[place] = str(value)
    return cast("tuple[Cell, ...]", tuple(values))


def rows(kind: type[Row], found: Sequence[tuple[Cell, ...]]) -> list[Row]:
    """Back again, from columns in the order of the fields."""
    return msgspec.convert(found, list[kind], strict=False)  # SQLite has no booleans


def time_cell(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds: it sorts as text. `StoreError` for a time whose zone is not known."""
    if value.tzinfo is None:
        raise StoreError(f"{value} cannot be stored: its time zone is not known.")
    return f"{value.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


@lru_cache
def _spelled(kind: type[msgspec.Struct]) -> tuple[int, ...]:
    """The places of times and money."""
    hints = get_type_hints(kind)
    return tuple(
        place
        for place, name in enumerate(kind.__struct_fields__)
        if {datetime, Decimal} & {hints[name], *get_args(hints[name])}
    )


class VariantRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`description_json` is what `hash` was computed from; it never holds a secret."""

    hash: str
    kind: str
    model: str | None
    description_json: str


class ExampleRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One example of a run, in its place. `hash` is of the whole example, `question_hash` of what a variant sees."""

    position: int
    example_id: str
    hash: str
    question_hash: str
    content_json: str


class RunRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A run. `plan_hash` is of everything that was asked for: the same plan again resumes an unfinished run. `job_id`
    is the job that it was begun for, if there is one: that job alone resumes it."""

    id: str
    plan_hash: str
    variant_hash: str
    variant_name: str
    model: str | None
    dataset_name: str
    dataset_version: str
    repeats: int
    metrics_json: str
    scorer_specs_json: str
    fresh: bool
    started_at: datetime
    finished_at: datetime | None = None
    job_id: str | None = None


class ResponseRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One answer or error. `run_id` is the run that paid for it; times in seconds.

    Its identity for reuse is (`variant_hash`, `question_hash`, `draw`); `draw` numbers the answers that one variant
    gave to one question inside one run.
    """

    id: str
    run_id: str
    variant_hash: str
    question_hash: str
    draw: int
    recorded_at: datetime
    output: str
    tool_calls_json: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    provider: str | None = None
    fingerprint: str | None = None
    usage_json: str | None = None
    usage_raw_json: str | None = None
    cost_usd: Decimal | None = None
    price: str | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    error_kind: str | None = None
    error_message: str | None = None
    error_status: int | None = None
    reasoning: str | None = None
    extra_json: str | None = None


class TrialRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    run_id: str
    example_id: str
    repeat: int
    response_id: str


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    run_id: str
    example_id: str
    repeat: int
    metric: str
    value: float | None
    label: str | None = None
    note: str | None = None


class VerdictRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`content_json` is the verdict as `--json` prints it."""

    id: str
    created_at: datetime
    verdict: str
    baseline_run: str | None
    candidate_run: str | None
    content_json: str


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counted and summed over rows at the moment of asking.

    `spent_usd` is the exact sum over the responses that this run paid for, `unpriced` how many of them have no known
    cost; `reused` trials took a response that another run had paid for.
    """

    trials: int
    errors: int
    reused: int
    calls: int
    unpriced: int
    spent_usd: Decimal
