"""The scorer `checks`: each example brings its own."""

from typing import Any

import pytest

from boxscore.datasets import Example
from boxscore.errors import ScorerError, UnknownNameError
from boxscore.providers.response import Response
from boxscore.scoring import make_scorer


def value(checks: Any, output: str, *, threshold: Any = None, reference: Any = None, **response: Any) -> float | None:
    metadata = {"checks": checks} if threshold is None else {"checks": checks, "checks_threshold": threshold}
    example = Example(id="one", reference=reference, metadata=metadata)
    return make_scorer("checks").score(example, Response(output=output, **response)).value


def test_all_checks_of_the_example_must_pass() -> None:
    assert value(["json", {"contains": ["a"]}], '{"a": 1}') == 1.0
    assert value(["json", {"contains": ["b"]}], '{"a": 1}') == 0.0


def test_a_check_brings_its_own_reference() -> None:
    assert value([{"scorer": "exact", "reference": "Lima"}], "Lima", reference="Paris") == 1.0
    assert value(["exact"], "Lima", reference="Paris") == 0.0


def test_not_turns_a_check_round() -> None:
    assert value([{"scorer": "exact", "reference": "no", "not": True}], "yes") == 1.0


def test_a_scorer_that_is_better_low_passes_at_its_low_end() -> None:
    assert value(["refusal"], "Here is the list that you asked for.") == 1.0
    assert value(["refusal"], "I'm sorry, but I can't help with that.") == 0.0


def test_amounts_pass_within_their_bounds() -> None:
    slow = [{"scorer": "latency", "at_most": 1.5}]

    assert value(slow, "x", latency_s=1.5) == 1.0
    assert value(slow, "x", latency_s=1.6) == 0.0


def test_a_check_that_has_nothing_to_say_leaves_no_value_unless_another_failed() -> None:
    slow = {"scorer": "latency", "at_most": 1.5}

    assert value([slow, {"scorer": "exact", "reference": "x"}], "x") is None
    assert value([slow, {"scorer": "exact", "reference": "y"}], "x") == 0.0


def test_with_a_threshold_the_weighted_share_decides() -> None:
    checks = [{"scorer": "json", "weight": 3}, {"scorer": {"contains": ["z"]}}]

    assert value(checks, "{}", threshold=0.75) == 1.0
    assert value(checks, "{}", threshold=0.8) == 0.0


def test_a_check_without_weight_cannot_fail_the_example() -> None:
    assert value([{"scorer": "json", "weight": 0}], "no JSON") == 1.0


def test_an_example_without_checks_has_no_value() -> None:
    assert make_scorer("checks").score(Example(id="one"), Response(output="x")).value is None


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ("json", "must be a list"),
        ([{"scorer": "json", "least": 1}], "no key 'least'"),
        (["latency"], "at_least or at_most"),
        ([{"scorer": "json", "weight": -1}], "0 or more"),
        ([{"scorer": "json", "at_least": "much"}], "must be a number"),
        ([{"scorer": "json", "not": "yes"}], "must be true or false"),
        (["checks"], "cannot be 'checks' itself"),
    ],
)
def test_wrong_checks_are_refused_with_the_example(checks: Any, said: str) -> None:
    with pytest.raises(ScorerError, match=said) as caught:
        value(checks, "x")
    assert caught.value.example_id == "one"


def test_an_unknown_scorer_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="contains"):
        value([{"contians": ["x"]}], "x")
