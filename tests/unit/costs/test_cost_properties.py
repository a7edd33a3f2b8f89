"""What must hold of any bill."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from boxscore.costs import PriceBook, PriceRow, Rate, Tier, add_usage, cost, normalise, reprice
from boxscore.providers.response import Response, Usage

tokens = st.integers(min_value=0, max_value=10**9)
dollars = st.decimals(min_value=0, max_value=1000, places=4)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """A usage whose parts fit into their totals."""
    plain, cached, five, hour, output, reasoning = (draw(tokens) for _ in range(6))
    return Usage(
        input_tokens=plain + cached + five + hour,
        cache_read_tokens=cached,
        cache_write_tokens=five + hour,
        cache_write_5m_tokens=five,
        cache_write_1h_tokens=hour,
        output_tokens=output + reasoning,
        output_reasoning_tokens=reasoning,
        web_searches=draw(st.integers(0, 100)),
    )


@st.composite
def rows(draw: st.DrawFn, tiers: bool = False) -> PriceRow:
    """A price row; with tiers their prices rise."""
    names = ["input", "output", "cache_read", "cache_write", "cache_write_1h", "output_reasoning", "web_searches"]
    rates: dict[str, Rate] = {}
    for name in names:
        base = draw(dollars)
        above = draw(st.integers(0, 10**6))
        rates[name] = Rate(base, (Tier(above, base * 2),) if tiers else ())
    return PriceRow(id="row", version="1", source="own", provider=None, model="m", rates=rates)


@given(usages(), rows(tiers=True))
def test_parts_sum_to_the_total_and_so_do_the_shares(usage: Usage, row: PriceRow) -> None:
    paid = cost(usage, row)

    assert paid.total_usd == sum((part.usd for part in paid.parts), Decimal(0))
    assert paid.total_usd == paid.input_usd + paid.output_usd + paid.other_usd


@given(usages(), rows(tiers=True))
def test_no_bill_is_negative(usage: Usage, row: PriceRow) -> None:
    paid = cost(usage, row)

    assert paid.total_usd >= 0
    assert all(part.usd >= 0 for part in paid.parts)


@given(usages(), rows(tiers=True))
def test_every_token_is_paid_once(usage: Usage, row: PriceRow) -> None:
    parts = {part.kind: part.count for part in cost(usage, row).parts}
    read = ("input", "cache_read", "cache_write", "cache_write_1h")

    assert sum(parts.get(kind, Decimal(0)) for kind in read) == usage.input_tokens
    assert parts.get("output", 0) + parts.get("output_reasoning", 0) == usage.output_tokens


@given(usages(), usages(), rows())
def test_without_tiers_two_calls_cost_what_their_sum_costs(one: Usage, two: Usage, row: PriceRow) -> None:
    assert cost(add_usage([one, two]), row).total_usd == cost(one, row).total_usd + cost(two, row).total_usd


@given(usages(), rows(tiers=True), st.sampled_from(["input_tokens", "output_tokens"]), st.integers(1, 10**6))
def test_more_tokens_never_cost_less(usage: Usage, row: PriceRow, field: str, more: int) -> None:
    longer = msgspec.structs.replace(usage, **{field: getattr(usage, field) + more})

    assert cost(longer, row).total_usd >= cost(usage, row).total_usd


@given(st.permutations(range(4)), st.integers(0, 5000), st.integers(1, 5000), st.integers(0, 5000))
def test_the_order_of_the_events_of_a_stream_does_not_matter(
    order: list[int], plain: int, output: int, cached: int
) -> None:
    events = [
        {
            "type": "message_start",
            "message": {"usage": {"input_tokens": plain, "cache_read_input_tokens": cached, "output_tokens": 1}},
        },
        {"type": "ping"},
        {"type": "message_delta", "usage": {"output_tokens": output}},
        {"type": "message_stop"},
    ]

    usage = normalise([events[i] for i in order])

    assert usage == Usage(input_tokens=plain + cached, cache_read_tokens=cached, output_tokens=output)


@given(usages())
def test_a_usage_survives_its_own_normal_form(usage: Usage) -> None:
    assert normalise(msgspec.to_builtins(usage)) == usage


@given(st.lists(usages(), max_size=5))
def test_pricing_again_at_the_same_moment_gives_the_same_bill(calls: list[Usage]) -> None:
    at = datetime(2025, 10, 15, tzinfo=UTC)
    row = PriceBook().find("claude-haiku-4-5", at=at)
    responses = [
        Response(model="claude-haiku-4-5", usage=usage, cost_usd=cost(usage, row).total_usd) for usage in calls
    ]

    again = reprice(responses, at, book=PriceBook())

    assert again.usd == again.was_usd
    assert again.unpriced == 0
