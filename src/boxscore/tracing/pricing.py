"""What a span cost, by the price book, at the moment it began.

`costs.cost` is the authority. For one price without tiers what it computes is a straight line in the five counts that
spans tell, so the line is taken from it once per price row and the spans are priced with that: a tenth of the time.
"""

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import NamedTuple

from boxscore.costs import PriceBook, PriceRow, cost
from boxscore.errors import UnreadableUsageError
from boxscore.providers.response import Usage

__all__ = ["Counts", "Pricing"]

_MONEY = Context(prec=28)
_KEPT = 4_096
_UNIT = 1_000_000


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


class Pricing:
    """Prices spans with a book; one per process that ingests, for what it remembers."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._found: dict[tuple[str, str | None, int], tuple[PriceRow, _Line | None] | None] = {}

    def __call__(
        self, model: str, seller: str | None, start_ns: int, counts: Counts
    ) -> tuple[Decimal | None, str | None]:
        """Dollars and the price row's reference, both None when the price is not known or the counts contradict."""
        # Prices change on whole minutes: a built-in price begins on a day, or at an hour and minute of it.
        key = (model, seller, start_ns // 60_000_000_000)
        if key in self._found:
            known = self._found[key]
        else:
            if len(self._found) >= _KEPT:
                self._found.clear()
            known = self._found[key] = self._find(*key)
        if known is None:
            return None, None
        row, line = known
        if line is not None:
            usd = line.base
            for count, rate in zip(counts, line.rates, strict=True):
                if count and rate:
                    usd = _MONEY.add(usd, _MONEY.multiply(rate, count))
            return usd, row.ref
        try:
            return cost(counts.usage(), row).total_usd, row.ref
        except UnreadableUsageError:
            return None, None  # the raw span keeps the counts that make no sense

    def _find(self, model: str, seller: str | None, minute: int) -> tuple[PriceRow, _Line | None] | None:
        row = self._book.look_up(model, seller, datetime.fromtimestamp(minute * 60, UTC))
        return None if row is None else (row, _line(row))


def _line(row: PriceRow) -> _Line | None:
    if any(rate.tiers for rate in row.rates.values()):
        return None

    def usd(*counts: int) -> Decimal:
        return cost(Counts(*counts).usage(), row).total_usd

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
