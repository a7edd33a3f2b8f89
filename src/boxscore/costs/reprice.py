"""What a run would cost under the prices of another day."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import msgspec

from boxscore.costs.book import PriceBook, as_moment, default_book
from boxscore.costs.cost import cost
from boxscore.errors import UnknownPriceError
from boxscore.providers.response import Response

__all__ = ["Repriced", "Repricing", "reprice"]

_STATED = ("local", "fixed/")


class Repriced(msgspec.Struct, frozen=True, kw_only=True):
    """One model of a provider: how many responses, what they cost as recorded and at the other prices.

    `was_usd` is None when none of them has a cost on record, `usd` when there is no price.
    """

    model: str
    provider: str | None
    responses: int
    was_usd: Decimal | None
    usd: Decimal | None
    prices: tuple[str, ...] = ()


class Repricing(msgspec.Struct, frozen=True, kw_only=True):
    """Sums by model, and in all. `unpriced` responses have no usage or no price and are in neither sum.

    `was_usd` and `usd` are over the same responses: those with a cost on record and a price now.
    """

    rows: tuple[Repriced, ...]
    responses: int
    unpriced: int
    was_usd: Decimal
    usd: Decimal
    at: datetime | None = None


def reprice(
    responses: Iterable[Response],
    at: datetime | date | None = None,
    *,
    book: PriceBook | None = None,
    model: str | None = None,
    provider: str | None = None,
) -> Repricing:
    """Price the usage of every response at a moment (default: now); nothing recorded is changed.

    What was local, or had its price stated by its variant, costs on any day what it cost. `model` and `provider`
    stand in where a response does not name them.
    """
    book = book or default_book()
    groups: dict[tuple[str, str | None], list[tuple[Decimal | None, Decimal | None, str | None]]] = {}
    for response in responses:
        name, seller = response.model or model or "(no model)", response.provider or provider
        now, ref = None, None
        if response.price is not None and response.price.startswith(_STATED):
            now, ref = response.cost_usd, response.price
        elif response.usage is not None:
            try:
                found = cost(response.usage, book.find(name, seller, at))
                now, ref = found.total_usd, found.price
            except UnknownPriceError:
                pass
        groups.setdefault((name, seller), []).append((response.cost_usd, now, ref))
    both = [(was, now) for rows in groups.values() for was, now, _ in rows if was is not None and now is not None]
    return Repricing(
        rows=tuple(
            Repriced(
                model=name,
                provider=seller,
                responses=len(rows),
                was_usd=_sum(was for was, _, _ in rows),
                usd=_sum(now for _, now, _ in rows),
                prices=tuple(dict.fromkeys(ref for _, _, ref in rows if ref)),
            )
            for (name, seller), rows in groups.items()
        ),
        responses=sum(map(len, groups.values())),
        unpriced=sum(now is None for rows in groups.values() for _, now, _ in rows),
        was_usd=sum((was for was, _ in both), Decimal(0)),
        usd=sum((now for _, now in both), Decimal(0)),
        at=None if at is None else as_moment(at),
    )


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None
