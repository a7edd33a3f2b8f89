"""A price row: what one model costs from one date on, and the rule on model names that it belongs to."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec

__all__ = ["Context", "Match", "ModelPrices", "PriceRow", "Rate", "Since", "Tier", "Variant"]

Context = dict[str, str]
"""How a request was served, as far as the price depends on it: `service_tier`, `processing`, `speed`, …"""


class Match(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A rule on names. All that is set must hold; case counts in `regex` only (and the name comes in lower case)."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any_of: tuple["Match", ...] | None = msgspec.field(name="or", default=None)
    all_of: tuple["Match", ...] | None = msgspec.field(name="and", default=None)

    def __call__(self, name: str) -> bool:
        name = name.lower()
        return (
            (self.equals is None or name == self.equals.lower())
            and (self.starts_with is None or name.startswith(self.starts_with.lower()))
            and (self.ends_with is None or name.endswith(self.ends_with.lower()))
            and (self.contains is None or self.contains.lower() in name)
            and (self.regex is None or _compiled(self.regex).search(name) is not None)
            and (self.any_of is None or any(rule(name) for rule in self.any_of))
            and (self.all_of is None or all(rule(name) for rule in self.all_of))
        )

    @property
    def empty(self) -> bool:
        return self == Match()


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`price` holds for every token of a request that has more than `above` input tokens, cached included."""

    above: int
    price: Decimal


class Rate(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """US dollars per unit of the kind (a million tokens, a thousand calls, an hour).

    The highest tier that the request's input tokens exceed gives the price of *all* its tokens: crossing a threshold
    reprices the whole request. Source: the published terms of the providers that have tiers, and genai-prices.
    """

    base: Decimal
    tiers: tuple[Tier, ...] = ()

    def at(self, input_tokens: int | Decimal) -> tuple[Decimal, int | None]:
        """The price for a request of that many input tokens, and the threshold it crossed (None: base)."""
        for tier in reversed(self.tiers):
            if input_tokens > tier.above:
                return tier.price, tier.above
        return self.base, None


class Since(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """When a price holds: from a UTC date on, or daily between two UTC times (which may span midnight)."""

    start: date | None = msgspec.field(name="from", default=None)
    hours: tuple[time, time] | None = None

    def holds(self, at: datetime) -> bool:
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if self.start is not None and moment.date() < self.start:
            return False
        if self.hours is None:
            return True
        begin, end = (_utc_time(limit) for limit in self.hours)
        now = moment.time()
        return begin <= now < end if begin <= end else now >= begin or now < end

    @property
    def turns(self) -> tuple[time, ...]:
        """The times of a day, in UTC, at which it begins and ends to hold."""
        return () if self.hours is None else (_utc_time(self.hours[0]), _utc_time(self.hours[1]))


def _utc_time(value: time) -> time:
    if value.tzinfo is None:
        return value
    return datetime.combine(date(2000, 1, 2), value).astimezone(UTC).time()


class Price(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Rates by name of kind, from when on."""

    rates: dict[str, Rate | Decimal]
    since: Since | None = None


class Variant(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Rates that stand in for the usual ones when the request was served as `when` says (all of it, exactly)."""

    when: Context
    rates: dict[str, Rate | Decimal]
    since: Since | None = None


class ModelPrices(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A model of a price table with all its prices, early before late."""

    id: str
    match: Match
    prices: tuple[Price, ...]
    name: str | None = None
    context_window: int | None = None
    deprecated: bool = False
    variants: tuple[Variant, ...] = ()

    def select(self, at: datetime, context: Context | None) -> tuple[int, dict[str, Rate], tuple[Variant, ...]]:
        """Index of the price that holds at that moment, its rates, and the variants that changed them.

        The last price whose condition holds wins; when none does, the first one stands (a price from before its own
        first date). Variants are tried in order, and the first that names a kind decides it.
        """
        index = next(
            (i for i in range(len(self.prices) - 1, -1, -1) if _holds(self.prices[i].since, at)),
            0,
        )
        rates = dict(self.prices[index].rates)
        used: list[Variant] = []
        overrides: dict[str, Rate | Decimal] = {}
        for variant in self.variants if context else ():
            if context and _holds(variant.since, at) and variant.when.items() <= context.items():
                fresh = {kind: rate for kind, rate in variant.rates.items() if kind not in overrides}
                if fresh:
                    overrides.update(fresh)
                    used.append(variant)
        rates.update(overrides)
        return index, {k: r if isinstance(r, Rate) else Rate(r) for k, r in rates.items()}, tuple(used)


def _holds(since: Since | None, at: datetime) -> bool:
    return since is None or since.holds(at)


class PriceRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The prices of one model at one moment, ready to multiply with.

    `id` names the row in its table and `version` the table's version: together (`ref`) they are what every cost
    keeps, so that a cost can always be traced to the numbers it came from. `rates` are US dollars per unit by kind.
    """

    id: str
    version: str
    source: Literal["genai-prices", "own", "fixed", "local"]
    provider: str | None
    model: str
    rates: dict[str, Rate]
    since: Since | None = None
    context_window: int | None = None
    context: Context = {}
    deprecated: bool = False

    @property
    def ref(self) -> str:
        return f"{self.id}@{self.version}" if self.version else self.id

    @property
    def free(self) -> bool:
        return all(not rate.base and not any(tier.price for tier in rate.tiers) for rate in self.rates.values())
