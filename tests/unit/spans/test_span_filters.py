"""Conditions as people write them."""

from decimal import Decimal

import pytest

from boxscore.errors import UnknownNameError, UsageError
from boxscore.store.spans import Condition, parse_condition


@pytest.mark.parametrize(
    ("written", "field", "operator", "value"),
    [
        ("model=gpt-5", "model", "=", "gpt-5"),
        ("model = gpt = 5", "model", "=", "gpt = 5"),
        ("model!=gpt-5", "model", "!=", "gpt-5"),
        ("user=", "user", "=", None),
        ("cost_usd>=0.01", "cost_usd", ">=", Decimal("0.01")),
        ("duration_ns<1000", "duration_ns", "<", 1000),
        ("duration_ns>=2.5 s", "duration_ns", ">=", 2_500_000_000),
        ("duration_ns>=1min", "duration_ns", ">=", 60_000_000_000),
        ("first_token_ns<350ms", "first_token_ns", "<", 350_000_000),
        ("error=TRUE", "error", "=", True),
        ("metadata.tier=<gold>", "metadata.tier", "=", "<gold>"),
    ],
)
def test_a_condition_is_a_field_an_operator_and_a_value(written, field, operator, value):
    assert parse_condition(written) == Condition(field, operator, value)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "model",
        "=gpt",
        "error=maybe",
        "input_tokens=1.5",
        "cost_usd<cheap",
        "user<a",
        "duration_ns>2 days",
        "duration_ns>s",
        "duration_ns>1e99s",
        "input_tokens>2s",
    ],
)
def test_what_is_no_condition_is_a_usage_error(written):
    with pytest.raises(UsageError):
        parse_condition(written)


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("model", "=", 5),
        ("input_tokens", "=", True),
        ("input_tokens", "<", None),
        ("input_tokens", "=", 2**64),
        ("cost_usd", "=", Decimal("NaN")),
        ("error", "=", None),
        ("metadata.tier", "=", None),
    ],
)
def test_a_value_that_the_field_cannot_have_is_refused(field, operator, value):
    with pytest.raises(UsageError):
        Condition(field, operator, value)


@pytest.mark.parametrize("field", ["modle", "metadata.", "1=1; DROP TABLE spans", "seq", '"model"'])
def test_only_known_fields_can_be_asked(field):
    with pytest.raises(UnknownNameError) as caught:
        Condition(field, "=", "x")

    assert caught.value.kind == "field"
    assert "model" in caught.value.known


def test_only_known_operators_can_be_asked():
    with pytest.raises(UnknownNameError):
        Condition("model", "LIKE", "x")
