"""What a live response costs."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from boxscore.costs import PriceBook, fixed_row
from boxscore.experiments.pricing import priced
from boxscore.providers import ErrorInfo, Response

AT = datetime(2026, 1, 1, tzinfo=UTC)
USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}


def cost(response, model=None, **options):
    return priced(response, model=model, at=AT, **options)


def test_a_known_price_gives_cost_usage_and_the_row_it_came_from():
    found = cost(Response(usage_raw=USAGE, provider="openai", model="gpt-4o-mini"))

    assert found.cost_usd == Decimal("0.15")
    assert found.usage.input_tokens == 1_000_000
    assert "gpt-4o-mini" in found.price


def test_a_tier_that_the_provider_names_is_heard():
    book = PriceBook()
    slow = cost(Response(usage_raw={"usage": USAGE, "service_tier": "flex"}, provider="openai", model="o3"), book=book)
    usual = cost(Response(usage_raw=USAGE, provider="openai", model="o3"), book=book)

    assert slow.cost_usd is not None
    assert slow.cost_usd <= usual.cost_usd


def test_the_name_asked_for_helps_where_the_one_that_answered_has_no_price():
    found = cost(Response(usage_raw=USAGE, provider="openai", model="our-private-name"), model="gpt-4o-mini")

    assert found.cost_usd == Decimal("0.15")


@pytest.mark.parametrize(
    "response",
    [
        Response(usage_raw=USAGE, provider="openai", model="no-such-model-0"),
        Response(usage_raw=USAGE, provider="my-own-server", model="gpt-4o-mini"),
        Response(usage_raw={}, provider="openai", model="gpt-4o-mini"),
        Response(usage_raw={"surprise": 1}, provider="openai", model="gpt-4o-mini"),
        Response(usage_raw="many", provider="openai", model="gpt-4o-mini"),
        Response(output="no usage at all", provider="openai", model="gpt-4o-mini"),
        Response(usage_raw=USAGE, provider="openai", model="gpt-4o-mini", error=ErrorInfo(kind="server", message="")),
    ],
)
def test_what_is_not_known_costs_none_and_never_nothing(response):
    assert cost(response).cost_usd is None


def test_a_cost_that_came_with_the_answer_is_kept():
    found = cost(Response(usage_raw=USAGE, provider="openai", model="gpt-4o-mini", cost_usd=Decimal(7), price="own"))

    assert (found.cost_usd, found.price) == (Decimal(7), "own")


def test_a_price_that_the_variant_states_goes_before_the_book():
    response = Response(usage_raw=USAGE, provider="openai", model="gpt-4o-mini")

    assert cost(response, row=fixed_row(3)).cost_usd == Decimal(3)
    assert cost(response, row=fixed_row(0)).cost_usd == 0
    assert cost(Response(output="no usage"), row=fixed_row(0)).cost_usd == 0
