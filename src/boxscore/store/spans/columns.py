"""A span's typed fields as the numbers of its row, and back."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from operator import attrgetter
from typing import Any, cast

from boxscore.store.spans.blocks import Payload, with_payload
from boxscore.store.spans.database import Row
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.schema import COLUMNS, NAMED, NUMBERS
from boxscore.store.spans.store import StoredSpan

LARGEST = 2**63 - 1
UNSET = -LARGEST - 1
"""Stands for NULL where there are integers alone: no column holds it (`whole`)."""
PICO = 12
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

_AT = {column: place for place, column in enumerate(COLUMNS)}
PROJECT, SEQ, AT, ENTRY = _AT["project"], _AT["seq"], _AT["at_ns"], _AT["entry"]
BLOCK, PLACE = _AT["block"], _AT["place"]
_TRACE, _SPAN, _PARENT, _ERROR, _COST = (_AT[column] for column in ("trace", "span", "parent", "error", "cost_picousd"))
_AS_THEY_ARE = [(column, _AT[column]) for column in (*NUMBERS, "status_message", "received_ns")]
_BY_NAME = [(column, _AT[column]) for column in NAMED]

_names_of = cast("Callable[[SpanRow], tuple[str | None, ...]]", attrgetter(*NAMED))
_numbers_of = cast("Callable[[SpanRow], tuple[int | None, ...]]", attrgetter(*NUMBERS))


def to_picousd(cost: Decimal | None) -> int | None:
    """Whole trillionths of a dollar, finer ones rounded half to even; beyond nine million dollars it saturates."""
    if cost is None:
        return None
    if cost and cost.adjusted() > 8:  # before it becomes a number of as many digits
        return LARGEST if cost > 0 else -LARGEST
    return whole(int(_EXACT.to_integral_value(_EXACT.scaleb(cost, PICO))))


def to_usd(picousd: int) -> Decimal:
    return _EXACT.scaleb(Decimal(picousd), -PICO)


def whole(value: int) -> int:
    """What a column holds: a sender's number beyond 64 bits saturates (the raw span keeps it as it was)."""
    return value if -LARGEST <= value <= LARGEST else (LARGEST if value > 0 else -LARGEST)


def to_values(
    row: SpanRow,
    *,
    seq: int,
    project: int,
    ids: Mapping[str | None, int | None],
    received_ns: int,
    entry: int,
    block: int,
    place: int,
) -> Row:
    """The row's columns, in the order of `schema.COLUMNS`. `ids` gives the number of a name, and None for None."""
    at_ns, cost, numbers = row.start_ns, row.cost_usd, _numbers_of(row)
    if at_ns > received_ns:
        at_ns = received_ns
    for number in numbers:
        if number is not None and not -LARGEST <= number <= LARGEST:
            at_ns = whole(at_ns)
            numbers = [None if value is None else whole(value) for value in numbers]
            break
    return (
        *(seq, project, row.trace_id, row.span_id, row.parent_id, at_ns, received_ns, entry),
        *(row.error, row.status_message, block, place, None if cost is None else to_picousd(cost)),
        *numbers,
        *map(ids.__getitem__, _names_of(row)),
    )


def from_values(
    values: Row, name_of: Callable[[int], str], payload: Payload | None = None, *, resource: bytes = b""
) -> StoredSpan:
    """The span of a row that holds `schema.COLUMNS`."""
    fields: dict[str, object] = {column: values[at] for column, at in _AS_THEY_ARE}
    fields["resource"] = resource
    for column, at in _BY_NAME:
        number = values[at]
        fields[column] = None if number is None else name_of(cast(int, number))
    if payload is not None:
        with_payload(fields, payload)
    cost = values[_COST]
    fields["trace_id"], fields["span_id"], fields["parent_id"] = values[_TRACE], values[_SPAN], values[_PARENT]
    fields["entry"], fields["error"] = values[ENTRY] != 0, values[_ERROR] != 0
    fields["cost_usd"] = None if cost is None else to_usd(cast(int, cost))
    return StoredSpan(**cast("dict[str, Any]", fields))
