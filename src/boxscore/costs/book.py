"""The price book: the user's own rows first, then the built-in table; dated, and never a guess."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from boxscore import settings
from boxscore.costs.cost import Cost, cost
from boxscore.costs.kinds import KINDS, find_kind
from boxscore.costs.row import Context, ModelPrices, PriceRow, Rate
from boxscore.costs.table import ProviderPrices, builtin_table
from boxscore.errors import SpecError, UnknownPriceError
from boxscore.providers.response import Usage

if TYPE_CHECKING:  # it brings YAML along, which only those need who have a table
    from boxscore.costs.own import OwnTable

__all__ = ["LOCAL", "PriceBook", "default_book", "fixed_row", "price"]

LOCAL = PriceRow(id="local", version="", source="local", provider=None, model="local", rates={})
"""The row of what runs on the user's own machine: free to call."""

_LOCAL_PROVIDERS = frozenset({"local", "tiny"})
_APPLICATIONS = frozenset({"callable", "command"})  # who serves the model that they name is not told
_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


_Asked = tuple[str, str | None, tuple[tuple[str, str], ...]]


class PriceBook:
    """Prices by model, provider and date. `own` is the user's table; without one there is only the built-in."""

    def __init__(self, own: "OwnTable | None" = None) -> None:
        self.own = own
        self._recent: tuple[datetime, dict[_Asked, PriceRow | None]] = (datetime.min.replace(tzinfo=UTC), {})

    @classmethod
    def load(cls, path: str | Path | None = None) -> "PriceBook":
        """The book with the table at `path`, or else where the settings say; `SpecError` names a bad row."""
        if path is None:
            where = settings.load()
            path = where.prices
            if path is None:
                usual = settings.home(where) / "prices.yaml"
                path = usual if usual.exists() else None
        if path is None:
            return cls()
        from boxscore.costs.own import read_own_table

        return cls(read_own_table(Path(path)))

    @property
    def version(self) -> str:
        """Of the built-in table, and of the user's where there is one: `genai-prices 0.2.3, prices.yaml 1f0c9a2b`."""
        table = builtin_table()
        own = f", {self.own.name} {self.own.version}" if self.own else ""
        return f"{table.source} {table.version}{own}"

    def find(
        self,
        model: str,
        provider: str | None = None,
        at: datetime | date | None = None,
        *,
        context: Context | None = None,
        needed_by: str | None = None,
    ) -> PriceRow:
        """The price row of a model at a moment (default: now), or `UnknownPriceError`.

        `model` may be any name the provider answers to, and may carry the provider in front (`anthropic/claude-…`);
        `provider` an id of the table, a common alias of it, or a base address. A date means its start in UTC, and a
        time without zone is UTC. `context` is how the request was served: `{"service_tier": "flex"}`.
        """
        found = self.look_up(model, provider, at, context=context)
        if found is None:
            raise UnknownPriceError(model, provider=provider, needed_by=needed_by)
        return found

    def look_up(
        self,
        model: str,
        provider: str | None = None,
        at: datetime | date | None = None,
        *,
        context: Context | None = None,
    ) -> PriceRow | None:
        """As `find`, with None for a price that is not known."""
        moment = as_moment(at)
        # Prices begin on whole seconds, and a run asks for the same one hundreds of times in each.
        second = moment.replace(microsecond=0)
        if self._recent[0] != second:
            self._recent = (second, {})
        found, asked = self._recent[1], (model, provider, tuple(sorted((context or {}).items())))
        if asked not in found:
            found[asked] = self._look_up(model, provider, second, context)
        return found[asked]

    def _look_up(self, model: str, provider: str | None, moment: datetime, context: Context | None) -> PriceRow | None:
        if provider is not None and provider.lower() in _APPLICATIONS:
            provider = None
        if self.own is not None and (row := self.own.find(model, provider, moment, context)):
            return row
        if provider is not None and provider.lower() in _LOCAL_PROVIDERS:
            return LOCAL
        for seller, name in _sellers(model, provider):
            for owner, entry in _entries(seller, name):
                return _row(seller, owner, entry, moment, context)
        return None

    def models(self, at: datetime | date | None = None) -> Iterator[PriceRow]:
        """Every model of the built-in table at its price of that moment, after the rows of the user's table."""
        moment = as_moment(at)
        if self.own is not None:
            yield from self.own.rows(moment)
        for provider in builtin_table().providers:
            for entry in provider.models:
                yield _row(provider, provider, entry, moment, None)

    def history(self, model: str, provider: str | None = None) -> tuple[PriceRow, ...]:
        """All dated prices of the model that `find` finds, first to last."""
        for seller, name in _sellers(model, provider):
            for owner, entry in _entries(seller, name):
                return tuple(
                    PriceRow(
                        id=_row_id(owner.id, entry.id, n),
                        version=builtin_table().version,
                        source="genai-prices",
                        provider=seller.id,
                        model=entry.id,
                        rates={kind: r if isinstance(r, Rate) else Rate(r) for kind, r in step.rates.items()},
                        since=step.since,
                        context_window=entry.context_window,
                    )
                    for n, step in enumerate(entry.prices)
                )
        return ()

    def sellers_of(self, model: str) -> tuple[str, ...]:
        """Ids of the providers that have a price for a model of this name: what to offer when none was named."""
        return tuple(p.id for p in builtin_table().providers if next(_entries(p, model, fallback=False), None))


def price(
    usage: Usage,
    *,
    model: str,
    provider: str | None = None,
    at: datetime | date | None = None,
    context: Context | None = None,
    book: PriceBook | None = None,
    needed_by: str | None = None,
) -> Cost:
    """What `usage` of `model` costs at a moment (default: now). `UnknownPriceError` when the price is not known.

    To price an old call as of then pass its time, to price it under today's or any other prices pass that: usage and
    names are all that a cost depends on.
    """
    book = book or default_book()
    return cost(usage, book.find(model, provider, at, context=context, needed_by=needed_by))


def fixed_row(usd_per_mtok: object, *, name: str = "variant") -> PriceRow:
    """A row of fixed rates that a variant states itself: one number for all tokens, or numbers by kind.

    `fixed_row(0)` is free and named "local". `SpecError` when a kind is not known or a rate is no number, zero or more.
    """
    rates: dict[str, Rate] = {}
    given: dict[str, object] = (
        {str(k): v for k, v in usd_per_mtok.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        if isinstance(usd_per_mtok, dict)
        else {"input": usd_per_mtok, "output": usd_per_mtok}
    )
    for key, value in given.items():
        kind = find_kind(key)
        if kind is None or kind.dimensions["family"] != "tokens":
            raise SpecError(f"{key!r} is no kind of token that has a price", key="usd_per_mtok")
        rates[kind.name] = Rate(_rate(value))
    if all(not rate.base for rate in rates.values()):
        return LOCAL
    return PriceRow(id=f"fixed/{name}", version="", source="fixed", provider=None, model=name, rates=rates)


def _rate(value: object) -> Decimal:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = Decimal(str(value))
        if number.is_finite() and number >= 0:
            return number
    raise SpecError(f"{value!r} is no price: a number of US dollars, zero or more", key="usd_per_mtok")


_shared: dict[tuple[str, int, int] | None, PriceBook] = {}


def default_book() -> PriceBook:
    """The book of the settings, read again when the user's table has changed."""
    where = settings.load()
    path = where.prices or settings.home(where) / "prices.yaml"
    if where.prices is None and not path.exists():
        key = None
    else:
        stat = path.stat() if path.exists() else None
        key = (str(path), stat.st_mtime_ns if stat else 0, stat.st_size if stat else 0)
    if key not in _shared:
        _shared.clear()
        _shared[key] = PriceBook.load(path if key else None)
    return _shared[key]


def as_moment(at: datetime | date | None) -> datetime:
    """A moment in UTC: a date is its start, a time without zone is UTC, None is now."""
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime):
        return datetime.combine(at, time(), UTC)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@lru_cache(maxsize=256)
def find_provider(name: str) -> ProviderPrices | None:
    """A provider of the built-in table by id, alias or base address."""
    wanted = name.strip().lower()
    providers = builtin_table().providers
    if "://" in wanted:
        return next((p for p in providers if re.match(p.api, wanted)), None)
    exact = next((p for p in providers if p.id == wanted), None)
    return exact or next((p for p in providers if p.provider_match and p.provider_match(wanted)), None)


def _sellers(model: str, provider: str | None) -> Iterator[tuple[ProviderPrices, str]]:
    """Who may sell the model, and under which name, best first."""
    if provider is not None:
        if (found := find_provider(provider)) is not None:
            yield found, model
            prefix, _, rest = model.partition("/")
            if rest and find_provider(prefix) is found:
                yield found, rest
        return
    for candidate in builtin_table().providers:
        if candidate.model_match is not None and candidate.model_match(model):
            yield candidate, model
            break
    prefix, _, rest = model.partition("/")
    if rest and (found := find_provider(prefix)) is not None:
        yield found, rest


@lru_cache(maxsize=4096)
def _entry(seller_id: str, model: str, fallback: bool) -> tuple[ProviderPrices, ModelPrices] | None:
    providers = builtin_table().providers
    seller = next(p for p in providers if p.id == seller_id)
    owners = [seller, *(p for name in seller.fallback for p in providers if p.id == name)] if fallback else [seller]
    for name in dict.fromkeys((model, _dashed(model))):
        for owner in owners:
            for entry in owner.models:
                if entry.match(name):
                    return owner, entry
    return None


def _entries(
    seller: ProviderPrices, model: str, *, fallback: bool = True
) -> Iterator[tuple[ProviderPrices, ModelPrices]]:
    if (found := _entry(seller.id, model.lower(), fallback)) is not None:
        yield found


def _dashed(model: str) -> str:
    """`gpt-5.2-20251211` as `gpt-5.2-2025-12-11`, the form most names of dated versions have."""

    def dashes(match: re.Match[str]) -> str:
        year, month, day = match.groups()
        try:
            return f"-{date(int(year), int(month), int(day)).isoformat()}"
        except ValueError:
            return match.group(0)

    return _COMPACT_DATE.sub(dashes, model)


def _row(
    seller: ProviderPrices, owner: ProviderPrices, entry: ModelPrices, at: datetime, context: Context | None
) -> PriceRow:
    # What another provider's model costs in special service is that provider's own affair, not the seller's.
    index, rates, variants = entry.select(at, context if seller is owner else None)
    return PriceRow(
        id=_row_id(owner.id, entry.id, index)
        + "".join(f"+{k}={v}" for x in variants for k, v in sorted(x.when.items())),
        version=builtin_table().version,
        source="genai-prices",
        provider=seller.id,
        model=entry.id,
        rates=rates,
        since=entry.prices[index].since,
        context_window=entry.context_window,
        context={key: value for variant in variants for key, value in variant.when.items()},
        deprecated=entry.deprecated,
    )


def _row_id(provider: str, model: str, index: int) -> str:
    return f"genai-prices/{provider}/{model}/{index}"


def kinds_in_order(rows: Sequence[PriceRow]) -> list[str]:
    """The kinds that any of the rows prices, in the order of the table of kinds."""
    named = {kind for row in rows for kind in row.rates}
    return [kind for kind in KINDS if kind in named]
