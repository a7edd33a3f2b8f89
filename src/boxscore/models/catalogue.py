"""The models that can be named: those of the price book, and those that come with Boxscore."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

import msgspec

from boxscore.costs import PriceBook, PriceRow, Rate, default_book
from boxscore.errors import UnknownNameError

__all__ = ["EMBEDDED", "CatalogueEntry", "catalogue", "find_models"]

EMBEDDED: dict[str, str] = {
    "tiny-1": "reads fields out of support tickets; small and briefly trained",
    "tiny-2": "the same task; nearly twice the size, trained six times as long",
}
"""Models inside the package: no key, no network, nothing to pay."""


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a provider. Prices are US dollars a million tokens at the moment asked for; None: not priced so.

    `price` names the row they come from. `deprecated` as the provider says.
    """

    model: str
    provider: str
    context_window: int | None
    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    price: str
    deprecated: bool = False
    note: str | None = None


def catalogue(at: datetime | date | None = None, *, book: PriceBook | None = None) -> Iterator[CatalogueEntry]:
    """Every model: the embedded ones, those of the user's own price table, then the built-in table."""
    for name, note in EMBEDDED.items():
        yield CatalogueEntry(
            model=name,
            provider="tiny",
            context_window=None,
            input_usd_per_mtok=Decimal(0),
            output_usd_per_mtok=Decimal(0),
            price="local",
            note=note,
        )
    for row in (book or default_book()).models(at):
        yield _entry(row)


def find_models(
    words: Iterable[str] = (),
    *,
    provider: str | None = None,
    at: datetime | date | None = None,
    book: PriceBook | None = None,
) -> list[CatalogueEntry]:
    """The models whose name or provider has every word; `UnknownNameError` with the nearest name where none has."""
    wanted = [word.lower() for word in words]
    everything = list(catalogue(at, book=book))
    if provider is not None:
        sellers = {entry.provider for entry in everything}
        if provider not in sellers:
            raise UnknownNameError("provider", provider, sellers)
        everything = [entry for entry in everything if entry.provider == provider]
    found = [entry for entry in everything if all(word in f"{entry.provider}/{entry.model}".lower() for word in wanted)]
    if not found:
        raise UnknownNameError("model", " ".join(words), {entry.model for entry in everything})
    return found


def _entry(row: PriceRow) -> CatalogueEntry:
    return CatalogueEntry(
        model=row.model,
        provider=row.provider or "(any)",
        context_window=row.context_window,
        input_usd_per_mtok=_base(row.rates.get("input")),
        output_usd_per_mtok=_base(row.rates.get("output")),
        price=row.ref,
        deprecated=row.deprecated,
        note="price by length of the input" if any(rate.tiers for rate in row.rates.values()) else None,
    )


def _base(rate: Rate | None) -> Decimal | None:
    return rate.base if rate else None
