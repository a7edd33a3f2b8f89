"""The price book of a server, and what its calls would cost elsewhere: what is answered, and how it is asked for."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from urllib.parse import quote

import msgspec

from boxscore.client.call import Call, ask, path, send
from boxscore.costs import Repricing
from boxscore.store.spans import Filter
from boxscore.tracing.what_if import WhatIf

__all__ = [
    "NewPrice",
    "OwnPrices",
    "Price",
    "PriceHistory",
    "PricePage",
    "RateView",
    "TierInput",
    "TierView",
    "TieredRate",
    "add_own_price",
    "cost_what_if",
    "own_prices",
    "price",
    "prices",
    "remove_own_price",
    "run_cost",
]


class TierView(msgspec.Struct, frozen=True, kw_only=True):
    """The price of all tokens of a request with more than `above` input tokens."""

    above: int
    usd: Decimal


class RateView(msgspec.Struct, frozen=True, kw_only=True):
    """`usd` for `per` of a kind; `unit` says it aloud, as in "1M tokens"."""

    kind: str
    usd: Decimal
    per: int
    unit: str
    tiers: Sequence[TierView]


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the price book. `ref` is what costs keep. It holds from the day `from` on, daily within `hours` (UTC),
    for requests served as `context` says. `line` is that of the file of own prices."""

    ref: str
    source: str
    provider: str | None
    model: str
    since: date | None = msgspec.field(name="from")
    hours: tuple[time, time] | None
    context: dict[str, str]
    context_window: int | None
    deprecated: bool
    rates: Sequence[RateView]
    line: int | None


class PricePage(msgspec.Struct, frozen=True, kw_only=True):
    """Prices that hold at a moment, the user's own first; `cursor` asks for those after them, None when there are
    none. `book` names the tables and their versions."""

    items: Sequence[Price]
    cursor: str | None
    book: str


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The price that holds at a moment, all that held one after another, and who else sells the model."""

    price: Price
    history: Sequence[Price]
    sellers: Sequence[str]


class OwnPrices(msgspec.Struct, frozen=True, kw_only=True):
    """The file of own prices. `version` is that of its bytes, "" where there is none; removing a row asks for it."""

    file: str
    version: str
    rows: Sequence[Price]


class TieredRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of `base`, and the higher one of whole requests with more than so many input tokens."""

    base: Decimal
    tiers: Sequence["TierInput"]


class TierInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    above: int
    price: Decimal


class NewPrice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A row as in the file: for a `model` by its exact name, or for those that a rule `match` takes, as in
    `{"starts_with": "acme-"}`. Prices are US dollars by kind (`input`, `output`, `cache_read`, …)."""

    provider: str | None = None
    model: str | None = None
    match: dict[str, str] | None = None
    since: date | None = msgspec.field(name="from", default=None)
    hours: tuple[str, str] | None = None
    when: dict[str, str] | None = None
    usd_per_mtok: dict[str, Decimal | TieredRate] | None = None
    usd_per_1k: dict[str, Decimal | TieredRate] | None = None
    usd_per_hour: dict[str, Decimal | TieredRate] | None = None
    context_window: int | None = None
    note: str | None = None


def prices(
    text: str = "",
    *,
    provider: str | None = None,
    at: datetime | date | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[PricePage]:
    """Models that have a price at a moment, by part of their names."""
    return ask(PricePage, "/prices", text=text, provider=provider, at=at, limit=limit, cursor=cursor)


def price(
    model: str, *, provider: str | None = None, tier: str | None = None, at: datetime | date | None = None
) -> Call[PriceHistory]:
    """The price of a model, by any name that its provider answers to. `NotFoundError` where none is known."""
    return ask(PriceHistory, f"/prices/{quote(model)}", provider=provider, tier=tier, at=at)


def own_prices() -> Call[OwnPrices]:
    """The user's own prices."""
    return ask(OwnPrices, "/prices/own")


def add_own_price(new: NewPrice) -> Call[OwnPrices]:
    """Adds a row to the file of own prices, for what is priced from now on."""
    return send(OwnPrices, "/prices/own", new)


def remove_own_price(line: int, *, version: str) -> Call[OwnPrices]:
    """Takes a row out of the file of own prices. `ConflictError` where the file is not of that version any more."""
    return Call(method="DELETE", path=path("prices", "own", line), kind=OwnPrices, query={"version": version})


def cost_what_if(
    *,
    start_ns: int,
    end_ns: int,
    filter: Filter | Sequence[str] = (),
    by: str | None = None,
    model: Sequence[str] = (),
    at: datetime | date | None = None,
) -> Call[WhatIf]:
    """What the calls of a time cost by model, and what their tokens would have cost on others, or on another day."""
    return ask(WhatIf, "/cost/what-if", start_ns=start_ns, end_ns=end_ns, filter=filter, by=by, model=model, at=at)


def run_cost(
    run: str, *, model: str | None = None, provider: str | None = None, at: datetime | date | None = None
) -> Call[Repricing]:
    """What a run would cost by the prices of a moment, on the models that answered or on another one."""
    return ask(Repricing, path("cost", "runs", run), model=model, provider=provider, at=at)
