"""The price book: the built-in prices, by date, and the user's own before them."""

import threading
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import Query

from boxscore import settings
from boxscore.client.prices import NewPrice, OwnPrices, Price, PriceHistory, PricePage, RateView, TierView
from boxscore.costs import KINDS, PriceBook, PriceRow, Since, default_book
from boxscore.costs.editing import add_row, own_table, remove_row
from boxscore.costs.own import OwnTable
from boxscore.errors import NotFoundError, SpecError, UsageError
from boxscore.server.api.parameters import Cursor, Limit
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.types import Json

__all__ = ["add"]


At = Annotated[datetime | date | None, Query(description="Prices of this moment. Default: now.")]
_changing = threading.Lock()


def add(api: Api, service: Service) -> None:
    home = service.store.folder.parent

    @api.get("/prices", answer=PricePage, right="read")
    def prices(
        text: Annotated[str, Query(description="Part of a model's or a provider's name.")] = "",
        provider: Annotated[str | None, Query(description="The id of who sells it.")] = None,
        at: At = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> PricePage:
        """Models that have a price."""
        book = default_book()
        begin = _place(cursor)
        found = [
            row
            for row in book.models(at)
            if text.lower() in f"{row.provider or ''}/{row.model}".lower() and provider in (None, row.provider)
        ]
        more = begin + limit < len(found)
        return PricePage(
            items=[_price(row, book.own) for row in found[begin : begin + limit]],
            cursor=str(begin + limit) if more else None,
            book=book.version,
        )

    @api.get("/prices/own", answer=OwnPrices, right="read")
    def own_prices() -> OwnPrices:
        """The user's own prices: a file that people may edit too."""
        return _own(own_table(_path(home)))

    @api.post("/prices/own", body=NewPrice, answer=OwnPrices, right="write", status=201, errors=(409,))
    def add_own_price(body: NewPrice) -> OwnPrices:
        """Adds a row to the file of own prices. It holds for what is priced from now on; costs that are kept stay."""
        fields: dict[str, Json] = msgspec.to_builtins(body, builtin_types=(Decimal,))
        try:
            with _changing:
                table = add_row(_path(home), fields)
        except SpecError as error:
            raise SpecError(error.problem, key=error.key) from None  # where the file is, is the server's affair
        service.ingest.price_by(PriceBook(table))
        return _own(table)

    @api.delete("/prices/own/{line}", answer=OwnPrices, right="write", errors=(404, 409))
    def remove_own_price(
        line: int, version: Annotated[str, Query(description="Of the file, as it was when it was looked at.")]
    ) -> OwnPrices:
        """Takes a row out of the file of own prices."""
        with _changing:
            table = remove_row(_path(home), line, version=version)
        service.ingest.price_by(PriceBook(table))
        return _own(table)

    @api.get("/prices/{model:path}", answer=PriceHistory, right="read", errors=(404,))
    def price(
        model: str,
        provider: Annotated[str | None, Query(description="Who sells it: an id, an alias or an address.")] = None,
        tier: Annotated[str | None, Query(description="How it is served: flex, priority, batch, …")] = None,
        at: At = None,
    ) -> PriceHistory:
        """The price of a model, by any name that its provider answers to; `provider/model` names both."""
        book = default_book()
        context = ({"processing": "batch"} if tier == "batch" else {"service_tier": tier}) if tier else {}
        row = book.look_up(model, provider, at, context=context)
        if row is None:
            raise NotFoundError("price of", model)
        return PriceHistory(
            price=_price(row, book.own),
            history=[_price(step, None) for step in book.history(model, provider)],
            sellers=book.sellers_of(row.model),
        )


def _path(home: Path) -> Path:
    return settings.load().prices or home / "prices.yaml"


def _place(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise UsageError(f"{cursor[:40]!r} is no cursor of prices: give the one that the page before told.")
    return int(cursor)


def _own(table: OwnTable) -> OwnPrices:
    return OwnPrices(file=table.name, version=table.version, rows=[_price(row, table) for row in table.all_rows()])


def _price(row: PriceRow, own: OwnTable | None) -> Price:
    since = row.since or Since()
    line = row.id.rpartition(":")[2] if row.source == "own" and own is not None else ""
    return Price(
        ref=row.ref,
        source=row.source,
        provider=row.provider,
        model=row.model,
        since=since.start,
        hours=since.hours,
        context=row.context,
        context_window=row.context_window,
        deprecated=row.deprecated,
        rates=[
            RateView(
                kind=kind,
                usd=rate.base,
                per=KINDS[kind].per,
                unit=KINDS[kind].unit,
                tiers=[TierView(above=tier.above, usd=tier.price) for tier in rate.tiers],
            )
            for kind, rate in row.rates.items()
        ],
        line=int(line) if line.isdecimal() else None,
    )
