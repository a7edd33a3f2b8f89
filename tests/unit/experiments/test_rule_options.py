"""Rules: one place checks their options, for specs, flags and Python alike."""

import math

import pytest

from boxscore.errors import SpecError, UnknownNameError
from boxscore.experiments.rule import make_rule
from boxscore.experiments.verdict import Guard, Rule
from boxscore.scoring.scorer import Metric

RIGHT = Metric(name="right")
F1 = Metric(name="f1", kind="mean")
WORDS = Metric(name="words", kind="amount", better="lower")
METRICS = (RIGHT, F1, WORDS)


def test_the_default_is_superiority_of_the_first_metric_by_any_margin() -> None:
    assert make_rule(METRICS) == Rule(metric="right", kind="superiority", margin=0.0, alpha=0.05)


def test_dollars_per_success_alone_mean_the_value_rule() -> None:
    assert make_rule(METRICS, usd_per_success=0.5) == Rule(metric="right", kind="value", usd_per_success=0.5)


def test_whole_numbers_are_numbers() -> None:
    assert make_rule(METRICS, metric="words", kind="noninferiority", margin=5).margin == 5.0


def test_guards_are_mappings_or_made() -> None:
    made = Guard(metric="f1", margin=0.01)

    rule = make_rule(
        METRICS, guards=[made, {"metric": "cost_per_1k_usd", "ceiling": 3}, {"metric": "words", "margin": 9}]
    )

    assert rule.guards == (made, Guard(metric="cost_per_1k_usd", ceiling=3), Guard(metric="words", margin=9))


@pytest.mark.parametrize(
    ("options", "key", "problem"),
    [
        ({"kind": "noninferiority"}, "rule.margin", "needs a margin"),
        ({"kind": "noninferiority", "margin": 0}, "rule.margin", "must be above 0"),
        ({"margin": -0.01}, "rule.margin", "must be 0 or more"),
        ({"margin": 2}, "rule.margin", "two points are 0.02"),
        ({"margin": math.nan}, "rule.margin", "must be a number"),
        ({"margin": "0.1"}, "rule.margin", "must be a number"),
        ({"margin": True}, "rule.margin", "must be a number"),
        ({"alpha": 0}, "rule.alpha", "between 0 and 0.5"),
        ({"alpha": 0.5}, "rule.alpha", "between 0 and 0.5"),
        ({"alpha": 5}, "rule.alpha", "between 0 and 0.5"),
        ({"kind": "value"}, "rule.usd_per_success", "the value rule needs it"),
        ({"kind": "value", "usd_per_success": 0}, "rule.usd_per_success", "must be above 0 dollars"),
        ({"kind": "value", "usd_per_success": 1, "margin": 0.1}, "rule.margin", "takes no margin"),
        ({"kind": "superiority", "usd_per_success": 1}, "rule.usd_per_success", "belongs to the value rule"),
        ({"usd_per_success": 1, "metric": "words"}, "metric", "'words' is an amount"),
        ({"guards": [{"metric": "f1"}]}, "rule.guards[0]", "has neither"),
        ({"guards": [{"metric": "f1", "margin": 0.1, "ceiling": 1}]}, "rule.guards[0]", "has both"),
        ({"guards": [{"margin": 0.1}]}, "rule.guards[0].metric", "needs the name of a metric"),
        ({"guards": [{"metric": "f1", "margin": 5}]}, "rule.guards[0].margin", "margins are fractions"),
        ({"guards": [{"metric": "errors", "margin": 5}]}, "rule.guards[0].margin", "margins are fractions"),
        ({"guards": [{"metric": "f1", "ceiling": "low"}]}, "rule.guards[0].ceiling", "must be a number"),
        ({"guards": [{"metric": "f1", "margin": 0.1}] * 2}, "rule.guards[1]", "guarded in the same way twice"),
    ],
)
def test_a_wrong_option_is_named_by_the_key_of_the_spec(options: dict[str, object], key: str, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        make_rule(METRICS, **options)  # type: ignore[arg-type]

    assert caught.value.key == key
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("options", "kind", "nearest"),
    [
        ({"metric": "rigth"}, "metric", "right"),
        ({"kind": "non-inferiority"}, "rule", "noninferiority"),
        ({"guards": [{"metric": "latency_p95", "margin": 1}]}, "guard metric", "latency_p95_s"),
        ({"guards": [{"metric": "f1", "marg": 1}]}, "guard key", "margin"),
    ],
)
def test_an_unknown_name_has_the_nearest_known_one(options: dict[str, object], kind: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        make_rule(METRICS, **options)  # type: ignore[arg-type]

    assert (caught.value.kind, caught.value.nearest) == (kind, nearest)


def test_without_a_scorer_there_is_nothing_to_decide() -> None:
    with pytest.raises(SpecError, match="at least one scorer"):
        make_rule(())
