"""Versions of a span become one span, the same one whatever the order in which they came."""

from decimal import Decimal
from typing import TypeVar

import msgspec

from boxscore.store.spans.rows import SpanRow

Text = TypeVar("Text", str, bytes)

_FULLER = (
    *("parent_id", "name", "status_message", "operation", "step", "application", "environment", "release", "session"),
    *("user", "model_asked", "model", "provider", "fingerprint", "prompt", "prompt_version", "variant", "graph"),
    *("input_text", "output_text", "raw", "resource", "scope"),
)
_LARGER = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def merge(one: SpanRow, other: SpanRow) -> SpanRow:
    """Both versions of one span in one, field by field:

    - what is set beats what is not;
    - the earliest start and the latest end; the duration is what lies between them;
    - of texts and bytes the longer, of equally long ones the greater; of token counts the larger; of times to the
      first token the shorter;
    - the larger cost, together with the price row that it was computed from;
    - an error or an entry in one version is one;
    - metadata key by key.

    Each field takes the maximum of a total order, so that merging is commutative, associative and idempotent: order
    and number of arrivals do not matter.
    """
    if one == other:
        return one
    merged: dict[str, object] = {
        **{field: _fuller(getattr(one, field), getattr(other, field)) for field in _FULLER},
        **{field: _larger(getattr(one, field), getattr(other, field)) for field in _LARGER},
    }
    start = min(one.start_ns, other.start_ns)
    end = _larger(_end(one), _end(other))
    priced = max(one, other, key=_priced)
    first = [value for value in (one.first_token_ns, other.first_token_ns) if value is not None]
    merged |= {
        "start_ns": start,
        "duration_ns": None if end is None else end - start,
        "first_token_ns": min(first, default=None),
        "cost_usd": priced.cost_usd,
        "price": priced.price,
        "entry": one.entry or other.entry,
        "error": one.error or other.error,
        "metadata": other.metadata
        | {key: _fuller(value, other.metadata.get(key)) or value for key, value in one.metadata.items()},
    }
    return msgspec.structs.replace(one, **merged)


def _end(row: SpanRow) -> int | None:
    return None if row.duration_ns is None else row.start_ns + row.duration_ns


def _larger(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _fuller(one: Text | None, other: Text | None) -> Text | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=lambda value: (len(value), value))


def _priced(row: SpanRow) -> tuple[bool, Decimal, bool, str]:
    return (row.cost_usd is not None, row.cost_usd or Decimal(0), row.price is not None, row.price or "")
