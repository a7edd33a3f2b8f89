"""Usage times a price row: money, in Decimal from end to end."""

from decimal import Context as DecimalContext
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import cast

import msgspec

from boxscore.costs.kinds import KINDS, Kind, is_part_of
from boxscore.costs.row import PriceRow
from boxscore.errors import UnreadableUsageError
from boxscore.providers.response import Usage

__all__ = ["Cost", "Part", "cost"]

# Our own arithmetic context: an application may have set the thread's to few digits.
_MONEY = DecimalContext(prec=28, traps=[InvalidOperation])
_ZERO = Decimal(0)

# Providers that bill a short recording as if it were this long, in seconds. Source: Groq's price page.
_LEAST_SECONDS: dict[tuple[str | None, str], int] = {
    ("groq", "whisper-large-v3"): 10,
    ("groq", "whisper-large-v3-turbo"): 10,
}
_SECONDS = frozenset({"audio_seconds", "input_audio_seconds"})
_BY_FIELD = {kind.field: kind for kind in KINDS.values() if kind.field in Usage.__struct_fields__}


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`count` units of `kind` that no narrower priced kind has taken, at `usd_per_unit` for `per` of them.

    `above` is the threshold of input tokens that the request crossed, when the price is a tier's.
    """

    kind: str
    count: Decimal
    usd_per_unit: Decimal
    per: int
    usd: Decimal
    above: int | None = None


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars. `total_usd` is the sum of the parts; input, output and other (fees) are its three shares.

    `price` names the price row and its version (`genai-prices/openai/gpt-4o/0@0.2.3`).
    """

    total_usd: Decimal
    input_usd: Decimal
    output_usd: Decimal
    other_usd: Decimal
    price: str
    parts: tuple[Part, ...] = ()


def cost(usage: Usage, row: PriceRow) -> Cost:
    """What `usage` costs by `row`, exactly.

    Each priced kind is charged for what is left of its count after the narrower priced kinds have taken theirs, so
    every token is paid once. A narrow kind without a price of its own (reasoning, mostly) is paid as part of the
    broad one. `UnreadableUsageError` when the counts contradict one another (more cached than input tokens) or a
    count that the price needs is missing while its parts are there.
    """
    shares = {"input": _ZERO, "output": _ZERO, "other": _ZERO}
    parts: list[Part] = []
    left: dict[str, Decimal] = {}
    input_tokens = (_reported(usage, KINDS["input"]) or _ZERO) if _tiered(row) else _ZERO
    reported = cast("dict[str, object]", msgspec.to_builtins(usage))  # without what is not reported
    told = tuple([field for field, count in reported.items() if count])
    for kind, taken in _due(tuple(row.rates), tuple(reported), told):
        count = left[kind.name] = _left(usage, kind, taken, left, row, told)
        if not count:
            continue
        price, above = row.rates[kind.name].at(input_tokens)
        usd = _MONEY.divide(_MONEY.multiply(price, count), kind.per)
        shares[kind.direction] = _MONEY.add(shares[kind.direction], usd)
        parts.append(Part(kind=kind.name, count=count, usd_per_unit=price, per=kind.per, usd=usd, above=above))
    parts.reverse()
    total = _MONEY.add(_MONEY.add(shares["input"], shares["output"]), shares["other"])
    return Cost(
        total_usd=total,
        input_usd=shares["input"],
        output_usd=shares["output"],
        other_usd=shares["other"],
        price=row.ref,
        parts=tuple(parts),
    )


@lru_cache(maxsize=1024)
def _plan(names: tuple[str, ...]) -> tuple[tuple[Kind, tuple[str, ...]], ...]:
    """The priced kinds, narrow before broad, each with the priced kinds that are parts of it."""
    kinds = [KINDS[name] for name in names]
    order = {name: n for n, name in enumerate(KINDS)}
    kinds.sort(key=lambda kind: (len(kind.dimensions), order[kind.name]), reverse=True)
    return tuple((kind, tuple(other.name for other in kinds if is_part_of(other, kind))) for kind in kinds)


@lru_cache(maxsize=1024)
def _due(
    names: tuple[str, ...], reported: tuple[str, ...], told: tuple[str, ...]
) -> tuple[tuple[Kind, tuple[str, ...]], ...]:
    """The plan without the kinds that are zero for sure: no part of them has a count, and they themselves are reported
    as none, or not reported and not doubtful. `told` are the reported fields whose count is not zero."""
    left: set[str] = set()
    due: list[tuple[Kind, tuple[str, ...]]] = []
    for kind, parts in _plan(names):
        taken = tuple(name for name in parts if name in left)
        own = kind.name == "requests" or kind.name in _SECONDS or kind.field == "cache_write_tokens"
        count = kind.field in told if kind.field in reported else any(_against_zero(kind.name, told))
        if own or taken or count:
            left.add(kind.name)
            due.append((kind, taken))
    return tuple(due)


def _tiered(row: PriceRow) -> bool:
    return any(rate.tiers for rate in row.rates.values())


def _left(
    usage: Usage,
    kind: Kind,
    taken: tuple[str, ...],
    left: dict[str, Decimal],
    row: PriceRow,
    told: tuple[str, ...],
) -> Decimal:
    """Units of the kind that its priced parts have not taken."""
    if kind.name == "requests":
        return Decimal(usage.requests if usage.requests is not None else 1)
    count = _count(usage, kind, row, told)
    if not taken:
        return count
    parts = _ZERO
    for name in taken:
        parts = _MONEY.add(parts, left[name])
    rest = _MONEY.subtract(count, parts)
    if rest < 0:
        names = ", ".join(KINDS[name].field for name in taken if left[name])
        raise UnreadableUsageError(
            f"the usage contradicts itself: {names} add up to {parts}, more than the {count} {kind.field} "
            f"that they are part of (priced by {row.ref})"
        )
    return rest


def _count(usage: Usage, kind: Kind, row: PriceRow, told: tuple[str, ...]) -> Decimal:
    if kind.name in _SECONDS and (row.provider, row.model) in _LEAST_SECONDS:
        seconds = usage.audio_seconds or usage.input_audio_seconds
        if seconds:
            return max(Decimal(str(seconds)), Decimal(_LEAST_SECONDS[row.provider, row.model]))
    reported = _reported(usage, kind)
    if reported is None:
        _refuse_guess(kind, row, told)
        return _ZERO
    return reported


def _reported(usage: Usage, kind: Kind) -> Decimal | None:
    """The count as reported; the cache writes of all lifetimes stand in for their sum."""
    value: int | float | None = getattr(usage, kind.field, None)
    if value is None and kind.field == "cache_write_tokens":
        lifetimes = (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens)
        value = sum(n for n in lifetimes if n is not None) if any(n is not None for n in lifetimes) else None
    if value is None:
        return None
    if isinstance(value, int) and value >= 0:
        return Decimal(value)
    number = Decimal(str(value))
    if number < 0 or not number.is_finite():
        raise UnreadableUsageError(f"{kind.field} is {value}: a count is a finite number, zero or more")
    return number


def _refuse_guess(kind: Kind, row: PriceRow, told: tuple[str, ...]) -> None:
    """A count that is not reported is zero, unless what is reported shows that it cannot be or need not be."""
    parts, overlap = _against_zero(kind.name, told)
    if parts:
        raise UnreadableUsageError(
            f"the usage lacks {kind.field}, which {row.ref} prices, although it has {', '.join(parts)}: "
            "the total is needed to know what is left at the usual price"
        )
    if overlap:
        raise UnreadableUsageError(
            f"the usage lacks {kind.field}, which {row.ref} prices: with {overlap[0]} and {overlap[1]} both "
            "there, how many tokens are of both kinds must be told"
        )


@lru_cache(maxsize=1024)
def _against_zero(name: str, fields: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, str] | None]:
    """What of the reported fields shows that a count that is not reported need not be zero: parts of it, or two kinds
    that may overlap in it."""
    kind = KINDS[name]
    present = [_BY_FIELD[field] for field in fields if field in _BY_FIELD]
    parts = tuple(other.field for other in present if is_part_of(other, kind))
    for i, one in enumerate(present):
        for two in present[i + 1 :]:
            meet = {**one.dimensions, **two.dimensions} == kind.dimensions
            if meet and not is_part_of(one, two) and not is_part_of(two, one):
                return parts, (one.field, two.field)
    return parts, None
