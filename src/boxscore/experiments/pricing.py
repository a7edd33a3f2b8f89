"""The cost of a live response, from the usage that its provider reported."""

from datetime import datetime
from decimal import Decimal

import msgspec

from boxscore.costs import PriceBook, PriceRow, cost, default_book, read_body
from boxscore.costs.book import find_provider
from boxscore.errors import UnreadableUsageError
from boxscore.providers.response import Response, Usage

_OURS = frozenset({"local", "tiny", "callable", "command"})


def priced(
    response: Response,
    *,
    model: str | None,
    at: datetime,
    row: PriceRow | None = None,
    book: PriceBook | None = None,
) -> Response:
    """The response with normalised usage, cost and price row, as far as they are known; a cost it brings is kept.

    `row` is a price that the variant itself states. Otherwise the price is looked up under the model that answered,
    then under the one asked for (`model`), in `book` or else the default one. An unknown price leaves
    the cost None: it is never taken for 0.
    """
    source = response.usage if response.usage is not None else response.usage_raw
    if source is None:
        if row is not None and response.cost_usd is None and response.error is None and not row.rates:
            return msgspec.structs.replace(response, cost_usd=Decimal(0), price=row.id)
        return response
    try:
        reading = read_body(source, provider=response.provider)
    except UnreadableUsageError:
        return response
    response = msgspec.structs.replace(response, usage=response.usage or reading.usage)
    if response.cost_usd is not None or response.error is not None:
        return response
    book = book or default_book()
    for name in (response.model, model):
        if row is None and name is not None:
            row = _row(book, name, response.provider, at, reading.context)
    if row is None:
        return response
    if reading.usage == Usage():
        return response  # an empty usage object tells of no tokens, not of none
    try:
        money = cost(reading.usage, row)
    except UnreadableUsageError:
        return response
    return msgspec.structs.replace(response, cost_usd=money.total_usd, price=money.price)


def row_of(model: str, provider: str | None, at: datetime, book: PriceBook) -> PriceRow | None:
    """The price of a call of that model, as far as it is known before anything is asked."""
    return _row(book, model, provider, at, {})


def _row(book: PriceBook, model: str, provider: str | None, at: datetime, context: "dict[str, str]") -> PriceRow | None:
    if provider is not None and provider not in _OURS and find_provider(provider) is None:
        # Somebody's own server: only the user's own table knows what it costs, whatever the model is called.
        return None if book.own is None else book.own.find(model, provider, at, context)
    return book.look_up(model, provider, at, context=context)
