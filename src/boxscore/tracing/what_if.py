"""What the calls of a time would cost at other prices: on other models, or on another day.

Prices are straight lines in the counts of tokens, but for the tiers of those that have them: so calls are counted
together, once for each side of every threshold, and the sums are priced by `costs.cost`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, cast

import msgspec

from boxscore.costs import Part, PriceBook, PriceRow, Rate, cost
from boxscore.costs.book import as_moment
from boxscore.errors import UnreadableUsageError, UsageError
from boxscore.providers.response import Usage
from boxscore.store.spans import Condition, Filter, parse_measure
from boxscore.store.spans.store import SpanReader
from boxscore.tracing.providers import seller_of

__all__ = ["Asked", "Mix", "Then", "WhatIf", "what_if"]

_MEASURES = tuple(
    map(
        parse_measure,
        (
            *("sum(cost_usd)", "count", "count(cost_usd)"),
            *("sum(input_tokens)", "sum(cached_tokens)", "sum(output_tokens)", "sum(reasoning_tokens)"),
        ),
    )
)
_GROUPS = 1_000
_OWN = "own"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Prices that the calls are put to. `model` and `provider` are None for each call's own. `price` names the row,
    None where it is not one, and where there is none."""

    name: str
    model: str | None
    provider: str | None
    price: str | None


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """What calls would cost, by which price row, and its arithmetic. `usd` is None where no price is known, or where
    the counts do not tell."""

    usd: Decimal | None
    price: str | None
    parts: Sequence[Part]


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one model, of one value of the field asked by. `cached_tokens` are among the input's, `reasoning_tokens`
    among the output's. `cost_usd` is what they cost, but for the `unpriced` ones; `then` is in the order of what was
    asked."""

    value: str | int | bool | None
    model: str | None
    provider: str | None
    calls: int
    unpriced: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: Decimal
    then: Sequence[Then]


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What calls cost, and what they would have cost at the prices of `at`, the same tokens taken: another model would
    have counted and answered its own way. `totals` are in the order of `asked`, each None where a row has none. Stored
    counts do not tell how many tokens were written to a cache: those are priced as plain input."""

    by: str | None
    at: datetime
    asked: Sequence[Asked]
    rows: Sequence[Mix]
    cost_usd: Decimal
    totals: Sequence[Decimal | None]


class _Key(NamedTuple):
    value: str | int | bool | None
    model: str | None
    provider: str | None


class _Sums(NamedTuple):
    cost: Decimal
    calls: int
    priced: int
    input: int
    cached: int
    output: int
    reasoning: int

    def plus(self, other: "_Sums", sign: int = 1) -> "_Sums":
        counts = (one + sign * two for one, two in zip(self[1:], other[1:], strict=True))
        return _Sums(self.cost + sign * other.cost, *counts)


_NONE = _Sums(Decimal(0), 0, 0, 0, 0, 0, 0)


def what_if(
    spans: SpanReader,
    project: str,
    filter: Filter,
    *,
    book: PriceBook,
    by: str | None = None,
    models: Sequence[str] = (),
    at: datetime | date | None = None,
) -> WhatIf:
    """The calls that the filter takes, grouped by a field (as `SpanReader.aggregate` does) and model, at the prices of
    `at` (default: now) of each of `models`, written `model` or `provider/model`, or `own` for each call's own; none
    means their own alone. `UsageError` for a model that has no price."""
    moment = as_moment(at)
    columns = [_column(book, name, moment) for name in models or [_OWN]]
    total = _sums(spans, project, filter, by)
    rows = [[row or _own_row(book, key, moment) for _, row in columns] for key in total]
    thresholds = sorted({above for found in rows for row in found if row is not None for above in _thresholds(row)})
    above = [
        _sums(spans, project, [*filter, Condition("input_tokens", ">", threshold)], by) for threshold in thresholds
    ]
    mixes = [
        _mix(key, sums, found, thresholds, [one.get(key, _NONE) for one in above])
        for (key, sums), found in zip(total.items(), rows, strict=True)
    ]
    return WhatIf(
        by=by,
        at=moment,
        asked=[asked for asked, _ in columns],
        rows=sorted(mixes, key=lambda mix: (-mix.cost_usd, -mix.calls)),
        cost_usd=sum((mix.cost_usd for mix in mixes), Decimal(0)),
        totals=[_total([mix.then[place].usd for mix in mixes]) for place in range(len(columns))],
    )


def _column(book: PriceBook, name: str, at: datetime) -> tuple[Asked, PriceRow | None]:
    if name == _OWN:
        return Asked(name=name, model=None, provider=None, price=None), None
    row = book.look_up(name, None, at)
    if row is None:
        raise UsageError(f"no price of {name!r} is known: write provider/model, as `boxscore models` lists them.")
    return Asked(name=name, model=row.model, provider=row.provider, price=row.ref), row


def _own_row(book: PriceBook, key: _Key, at: datetime) -> PriceRow | None:
    if key.model is None:
        return None
    seller = seller_of(key.provider) if key.provider is not None else None
    return book.look_up(key.model.rpartition("/models/")[2], seller, at)


def _thresholds(row: PriceRow) -> set[int]:
    return {tier.above for rate in row.rates.values() for tier in rate.tiers}


def _sums(spans: SpanReader, project: str, filter: Filter, by: str | None) -> dict[_Key, _Sums]:
    """Calls by key: those spans that tell tokens or a cost."""
    fields = ["model", "model_asked", "provider"]
    if by is not None and by not in fields:
        fields.insert(0, by)
    found: dict[_Key, _Sums] = {}
    for group in spans.aggregate(project, _MEASURES, filter, by=fields, limit=_GROUPS):
        named = dict(zip(fields, group.keys, strict=True))
        cost_usd, *counts = group.values
        sums = _Sums(cast("Decimal | None", cost_usd) or Decimal(0), *(int(count or 0) for count in counts))
        if not any((sums.priced, sums.input, sums.output)):
            continue
        key = _Key(
            named[by] if by is not None else None,
            cast("str | None", named["model"] or named["model_asked"]),
            cast("str | None", named["provider"]),
        )
        found[key] = found.get(key, _NONE).plus(sums)
    return found


def _mix(
    key: _Key, sums: _Sums, rows: Sequence[PriceRow | None], thresholds: Sequence[int], above: Sequence[_Sums]
) -> Mix:
    levels = [sums, *above]
    bands = {
        least: one.plus(more, -1)
        for least, one, more in zip([0, *(t + 1 for t in thresholds)], levels, [*levels[1:], _NONE], strict=True)
    }
    return Mix(
        value=key.value,
        model=key.model,
        provider=key.provider,
        calls=sums.calls,
        unpriced=sums.calls - sums.priced,
        input_tokens=sums.input,
        cached_tokens=sums.cached,
        output_tokens=sums.output,
        reasoning_tokens=sums.reasoning,
        cost_usd=sums.cost,
        then=[_then(row, bands) for row in rows],
    )


def _then(row: PriceRow | None, bands: Mapping[int, _Sums]) -> Then:
    """What the calls cost by the row; `bands` are their sums by the least input tokens of those in it."""
    if row is None:
        return Then(usd=None, price=None, parts=())
    usd, parts = Decimal(0), dict[tuple[str, int | None], Part]()
    for least, sums in bands.items():
        if not sums.calls:
            continue
        flat = {kind: rate.at(least) for kind, rate in row.rates.items()}
        usage = Usage(
            input_tokens=sums.input,
            output_tokens=sums.output,
            cache_read_tokens=sums.cached,
            output_reasoning_tokens=sums.reasoning,
            requests=sums.calls,
        )
        try:
            found = cost(usage, _flat(row, flat))
        except UnreadableUsageError:
            return Then(usd=None, price=row.ref, parts=())
        usd += found.total_usd
        for part in found.parts:
            above = flat[part.kind][1]
            before = parts.get((part.kind, above))
            count, paid = (
                (part.count, part.usd) if before is None else (before.count + part.count, before.usd + part.usd)
            )
            parts[part.kind, above] = msgspec.structs.replace(part, count=count, usd=paid, above=above)
    return Then(usd=usd, price=row.ref, parts=list(parts.values()))


def _flat(row: PriceRow, rates: Mapping[str, tuple[Decimal, int | None]]) -> PriceRow:
    return msgspec.structs.replace(row, rates={kind: Rate(price) for kind, (price, _) in rates.items()})


def _total(found: Sequence[Decimal | None]) -> Decimal | None:
    known = [usd for usd in found if usd is not None]
    return sum(known, Decimal(0)) if len(known) == len(found) else None
