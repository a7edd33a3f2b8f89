"""What a run will cost, said before its first call."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from boxscore.costs import PriceBook, fixed_row
from boxscore.datasets.example import Example
from boxscore.experiments.forecast import forecast
from boxscore.experiments.variants import CommandVariant, PromptVariant
from boxscore.providers.response import Response, Usage
from boxscore.testing import FakeProvider

AT = datetime(2026, 1, 1, tzinfo=UTC)
DOLLAR_A_TOKEN = {"input": 1_000_000, "output": 1_000_000}


def variant(**more):
    options = {"prompt": "{{ text }}", "prices": fixed_row(DOLLAR_A_TOKEN), **more}
    return PromptVariant(name="v", provider=FakeProvider("ok"), model="m", **options)


def asking(*lengths):
    return [Example(id=str(n), inputs={"text": "x" * length}) for n, length in enumerate(lengths)]


def foreseen(variant, examples, answered=()):
    return forecast(variant, examples, answered, book=PriceBook(), at=AT)


def test_without_anything_to_go_by_four_characters_are_a_token_and_an_answer_has_250():
    found = foreseen(variant(), asking(40, 40))

    assert (found.calls, found.usd) == (2, Decimal(2 * (10 + 250)))
    assert "250 tokens" in found.basis


def test_max_tokens_bounds_the_length_of_the_answers():
    found = foreseen(variant(params={"max_tokens": 20}), asking(40))

    assert (found.usd, found.basis) == (Decimal(10 + 20), "max_tokens")


def test_earlier_answers_say_how_long_a_token_is_and_how_long_an_answer():
    (example,) = asking(100)
    before = [(example, Response(output="yes", usage=Usage(input_tokens=50, output_tokens=3)))]

    found = foreseen(variant(), asking(200), before)

    assert (found.usd, found.basis) == (Decimal(100 + 3), "earlier answers")


def test_what_is_sent_without_a_character_is_as_long_as_it_was_before():
    (picture,) = asking(0)
    before = [(picture, Response(output="yes", usage=Usage(input_tokens=50, output_tokens=3)))]

    assert foreseen(variant(), [picture], before).usd == Decimal(50 + 3)


def test_an_unknown_price_is_not_taken_for_none(tmp_path):
    assert foreseen(variant(prices=None), asking(40)).usd is None
    assert foreseen(CommandVariant(name="v", command="cat", folder=tmp_path), asking(40)).usd is None


@pytest.mark.parametrize(("examples", "prices"), [(asking(40), fixed_row(0)), ([], fixed_row(DOLLAR_A_TOKEN))])
def test_what_is_free_or_there_already_costs_nothing(examples, prices):
    assert foreseen(variant(prices=prices), examples).usd == 0
