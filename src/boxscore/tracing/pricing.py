"""What a span cost, by the price book, at the moment it began.

`costs.cost` is the authority. Between two thresholds of a price what it computes is a straight line in the five counts
that spans tell, so the lines are taken from it once per price row and spans are priced with them: a tenth of the time.
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import NamedTuple

import msgspec

from boxscore.costs import PriceBook, PriceRow, Rate, cost
from boxscore.errors import UnreadableUsageError
from boxscore.providers.response import Usage

__all__ = ["Counts", "Pricing"]

_MONEY = Context(prec=28)
_KEPT = 4_096
_UNIT = 1_000_000
_MINUTE_NS, _DAY = 60 * 10**9, 24 * 60


class Counts(NamedTuple):
    """Tokens of one call: `input` with the cached and written ones, `output` with those of reasoning."""

    input: int | None
    output: int | None
    cached: int | None
    written: int | None
    reasoning: int | None

    def usage(self) -> Usage:
        return Usage(
            input_tokens=self.input,
            output_tokens=self.output,
            cache_read_tokens=self.cached,
            cache_write_tokens=self.written,
            output_reasoning_tokens=self.reasoning,
        )


class _Line(NamedTuple):
    """US dollars of a call without tokens, and per token of each kind."""

    base: Decimal
    rates: tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


class _Priced(NamedTuple):
    """A price row by its lines: `lines[n]` holds for calls with more input tokens than `n` of the thresholds; None
    where a line cannot be had, and `costs.cost` has to be asked."""

    row: PriceRow
    ref: str
    thresholds: tuple[int, ...]
    lines: tuple[_Line | None, ...]


class Pricing:
    """Prices spans with a book; one per process that ingests, for what it remembers."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._found: dict[tuple[str, str | None, int, int], _Priced | None] = {}
        self._turns: dict[tuple[str, str | None], list[int]] = {}
        self._rows: dict[str, _Priced] = {}

    def __call__(
        self, model: str, seller: str | None, start_ns: int, counts: Counts
    ) -> tuple[Decimal | None, str | None]:
        """Dollars and the price row's reference, both None when the price is not known or the counts contradict."""
        day, minute = divmod(start_ns // _MINUTE_NS, _DAY)
        turns = self._turns.get((model, seller))
        if turns is None:
            turns = self._turns[model, seller] = self._turns_of(model, seller)
        key = (model, seller, day, bisect_right(turns, minute))
        if key in self._found:
            known = self._found[key]
        else:
            if len(self._found) >= _KEPT:
                self._found.clear()
                self._rows.clear()
                self._turns.clear()
            known = self._found[key] = self._find(model, seller, day * _DAY + minute)
        if known is None:
            return None, None
        line = known.lines[bisect_left(known.thresholds, counts.input or 0)]
        if line is None:
            try:
                return cost(counts.usage(), known.row).total_usd, known.ref
            except UnreadableUsageError:
                return None, None  # the raw span keeps the counts that make no sense
        usd = line.base
        for count, rate in zip(counts, line.rates, strict=True):
            if count and rate:
                usd = _MONEY.add(usd, _MONEY.multiply(rate, count))
        return usd, known.ref

    def _turns_of(self, model: str, seller: str | None) -> list[int]:
        """The minutes of a day, in UTC, at which a price of the model may change: beside those they change with a day.
        Prices change on whole minutes."""
        sinces = [row.since for row in self._book.history(model, seller)]
        if self._book.own is not None:
            sinces += [row.since for row in self._book.own.entries]
        return sorted({60 * at.hour + at.minute for since in sinces if since is not None for at in since.turns})

    def _find(self, model: str, seller: str | None, minute: int) -> _Priced | None:
        row = self._book.look_up(model, seller, datetime.fromtimestamp(minute * 60, UTC))
        if row is None:
            return None
        ref = row.ref
        known = self._rows.get(ref)
        if known is None or known.row != row:
            thresholds = tuple(sorted({tier.above for rate in row.rates.values() for tier in rate.tiers}))
            lines = tuple(_line(row, above + 1) for above in (-1, *thresholds))
            known = self._rows[ref] = _Priced(row, ref, thresholds, lines)
        return known


def _line(row: PriceRow, tokens: int) -> _Line | None:
    """The line of calls with that many input tokens."""
    flat = msgspec.structs.replace(row, rates={kind: Rate(rate.at(tokens)[0]) for kind, rate in row.rates.items()})

    def usd(*counts: int) -> Decimal:
        return cost(Counts(*counts).usage(), flat).total_usd

    try:
        base = usd(0, 0, 0, 0, 0)
        whole, answer = usd(_UNIT, 0, 0, 0, 0), usd(0, _UNIT, 0, 0, 0)
        totals = (
            (whole, base),
            (answer, base),
            (usd(_UNIT, 0, _UNIT, 0, 0), whole),
            (usd(_UNIT, 0, 0, _UNIT, 0), whole),
            (usd(0, _UNIT, 0, 0, _UNIT), answer),
        )
    except UnreadableUsageError:
        return None
    rates = [_MONEY.divide(_MONEY.subtract(more, less), _UNIT) for more, less in totals]
    return _Line(base, (rates[0], rates[1], rates[2], rates[3], rates[4]))
