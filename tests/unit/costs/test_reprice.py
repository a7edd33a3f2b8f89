"""A run under the prices of another day."""

from datetime import date
from decimal import Decimal

from boxscore.costs import PriceBook, reprice
from boxscore.providers.response import Response, Usage

CALL = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


def test_a_run_is_priced_at_any_date_and_nothing_recorded_changes() -> None:
    run = [
        Response(model="o3", usage=CALL, cost_usd=Decimal(50)),
        Response(model="o3", usage=CALL, cost_usd=Decimal(50)),
    ]

    after = reprice(run, date(2025, 6, 10), book=PriceBook())

    assert (after.was_usd, after.usd) == (100, 20)
    assert after.rows[0].prices[0].startswith("genai-prices/openai/o3/1@")
    assert run[0].cost_usd == 50


def test_what_has_no_usage_or_no_price_is_counted_and_left_out_of_both_sums() -> None:
    run = [
        Response(model="o3", usage=CALL, cost_usd=Decimal(50)),
        Response(model="o3", cost_usd=Decimal(7)),
        Response(model="house-model", usage=CALL, cost_usd=Decimal(9)),
        Response(model="o3", usage=CALL),
    ]

    again = reprice(run, date(2025, 6, 10), book=PriceBook())

    assert (again.responses, again.unpriced) == (4, 2)
    assert (again.was_usd, again.usd) == (50, 10)
    assert [(row.model, row.usd) for row in again.rows] == [("o3", 20), ("house-model", None)]


def test_what_was_free_or_stated_stays_so() -> None:
    run = [
        Response(model="o3", usage=CALL, cost_usd=Decimal(0), price="local"),
        Response(model="o3", usage=CALL, cost_usd=Decimal(3), price="fixed/mine"),
    ]

    assert reprice(run, date(2025, 6, 10), book=PriceBook()).usd == 3


def test_a_response_without_a_model_takes_that_of_its_run() -> None:
    again = reprice([Response(usage=CALL)], date(2025, 6, 10), model="o3", book=PriceBook())

    assert again.rows[0].usd == 10
