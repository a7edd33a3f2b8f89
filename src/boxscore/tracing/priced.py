"""The arithmetic of a span's cost: which price row, how many of what at which price."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from boxscore.costs import PriceBook, cost, default_book
from boxscore.errors import UnreadableUsageError
from boxscore.store.spans import SpanRow
from boxscore.tracing.normal import Normaliser
from boxscore.tracing.pricing import Counts
from boxscore.tracing.providers import seller_of

__all__ = ["Priced", "PricedPart", "explain"]


class PricedPart(msgspec.Struct, frozen=True, kw_only=True):
    """`count` units of a kind at `usd_per_unit` for `per` of them are `usd`. Money and counts are decimal strings;
    `above` is the threshold of input tokens that the call crossed, where the price is a tier's."""

    kind: str
    count: str
    usd_per_unit: str
    per: int
    usd: str
    above: int | None


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """How a cost comes to be. `price` names the row, `since` the day from which it holds, None where the book does not
    tell. `agrees`: the parts sum to what the span keeps as its cost; else the book changed after it was priced."""

    price: str
    source: str
    provider: str | None
    model: str
    since: str | None
    total_usd: str
    agrees: bool
    parts: Sequence[PricedPart]


def explain(span: SpanRow, book: PriceBook | None = None) -> Priced | None:
    """The arithmetic of a span's cost, by the book as it is now; None for a span without cost, and where the book does
    not have the row any more."""
    model = span.model or span.model_asked
    if span.cost_usd is None or span.price is None or model is None:
        return None
    seller = seller_of(span.provider) if span.provider is not None else None
    at = datetime.fromtimestamp(span.start_ns // 10**9, UTC)
    row = (book or default_book()).look_up(model.rpartition("/models/")[2], seller, at)
    if row is None or row.ref != span.price:
        return None
    try:
        found = cost(_counts(span).usage(), row)
    except UnreadableUsageError:
        return None
    return Priced(
        price=row.ref,
        source=row.source,
        provider=row.provider,
        model=row.model,
        since=row.since.start.isoformat() if row.since is not None and row.since.start is not None else None,
        total_usd=f"{found.total_usd:f}",
        agrees=abs(found.total_usd - span.cost_usd) < 1e-12,
        parts=[
            PricedPart(
                kind=part.kind,
                count=f"{part.count:f}",
                usd_per_unit=f"{part.usd_per_unit:f}",
                per=part.per,
                usd=f"{part.usd:f}",
                above=part.above,
            )
            for part in found.parts
        ],
    )


def _counts(span: SpanRow) -> Counts:
    """As the span tells them; rows keep all but how many tokens were written to a cache."""
    told = Normaliser.counts_of(span)
    if told is not None and (told.input, told.output) == (span.input_tokens, span.output_tokens):
        return told
    return Counts(span.input_tokens, span.output_tokens, span.cached_tokens, None, span.reasoning_tokens)
