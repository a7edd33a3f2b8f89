import math

import numpy as np
import pytest
from scipy import stats

from boxscore.experiments import statistics


def share_shown(gain, n, changed, threshold=0.0, runs=4000):
    rng = np.random.default_rng(0)
    wins = rng.multinomial(n, [(changed + gain) / 2, (changed - gain) / 2, 1 - changed], size=runs)
    counts, runs_of = np.unique(wins, axis=0, return_counts=True)
    shown = [statistics.paired(np.zeros(n), np.repeat([1.0, -1.0, 0.0], row)).low > threshold for row in counts]
    return float(np.dot(shown, runs_of)) / runs


@pytest.mark.parametrize(("n", "changed"), [(20, 0.5), (60, 0.2), (200, 0.1)])
def test_the_stated_gain_is_shown_as_often_as_stated_and_a_little_more(n, changed):
    gain = statistics.detectable_gain(n, changed)
    changed = max(changed, gain)

    # 80 % is promised and 82 % aimed at, so that the promise is kept and not only met on average.
    assert statistics.rate_power(gain, n, changed) == pytest.approx(0.82, abs=0.001)
    assert share_shown(gain, n, changed) == pytest.approx(0.82, abs=0.025)
    assert share_shown(gain, n, changed) >= 0.8


@pytest.mark.parametrize("n", [20, 40, 150])
@pytest.mark.parametrize(("kind", "pseudo"), [("mean", statistics.PSEUDO), ("amount", 0.0)])
@pytest.mark.parametrize("threshold", [0.0, 0.1])
def test_the_stated_mean_difference_is_shown_as_often_as_stated(n, kind, pseudo, threshold):
    rng = np.random.default_rng(0)
    difference = statistics.detectable_mean(0.25**2, n, threshold=threshold, pseudo=pseudo)
    drawn = difference + 0.25 * rng.standard_normal((3000, n))
    shown = [statistics.paired(np.zeros(n), run, kind=kind).low > threshold for run in drawn]

    assert 0.8 <= np.mean(shown) <= 0.85


def test_a_greater_promise_holds_back_less():
    gain = statistics.detectable_gain(100, 0.2, power=0.9)

    assert statistics.rate_power(gain, 100, 0.2) == pytest.approx(0.91, abs=0.001)


def test_an_interval_drawn_again_shows_what_it_says_it_can():
    rng = np.random.default_rng(0)
    once = statistics.paired(np.zeros(80), rng.standard_normal(80), kind="amount")
    difference = statistics.detectable_again(once.low, once.high)
    drawn = difference + rng.standard_normal((3000, 80)) * once_spread(once, 80)
    shown = [statistics.paired(np.zeros(80), run, kind="amount").low > 0 for run in drawn]

    assert 0.8 <= np.mean(shown) <= 0.85
    assert statistics.detectable_again(-math.inf, math.inf) == math.inf


def once_spread(found, n):
    return (found.high - found.low) / 2 / stats.t.ppf(0.975, n - 1) * math.sqrt(n)


def test_the_stated_margin_lets_an_equal_candidate_through_as_often_as_stated():
    margin = statistics.detectable_margin(100, 0.2)

    # A candidate that is equal passes in steps, as counts are whole: at least the stated power.
    assert share_shown(0.0, 100, 0.2, threshold=-margin) + 0.025 >= 0.8


def test_the_normal_form_for_many_examples_continues_the_exact_one():
    exact, normal = (statistics.rate_power(0.02, n, 0.1) for n in (4000, 4001))

    assert exact == pytest.approx(normal, abs=0.005)

    exact, normal = (statistics.rate_power(0.04, n, 0.1, noise=0.2) for n in (400, 401))

    assert exact == pytest.approx(normal, abs=0.01)


def test_noise_of_costs_and_few_degrees_of_freedom_cost_power():
    plain = statistics.rate_power(0.1, 100, 0.2)

    assert statistics.rate_power(0.1, 100, 0.2, noise=0.3) < plain
    assert statistics.rate_power(0.1, 100, 0.2, dof=10) < plain
    assert statistics.rate_power(0.1, 100, 0.2, threshold=0.02) < plain
    assert statistics.rate_power(0.1, 100, 0.2, alpha=0.01) < plain


def test_more_examples_see_less():
    seen = [statistics.detectable_gain(n, 0.2) for n in (20, 50, 200, 1000, 10_000)]

    assert seen == sorted(seen, reverse=True)
    assert statistics.detectable_gain(2, 0.2) == math.inf


def test_clusters_are_worth_fewer_examples():
    assert statistics.design_effect(5, 0.0) == 1
    assert statistics.design_effect(5, 1.0) == 5


def test_needed_examples_would_decide_as_often_as_stated():
    before, after = np.zeros(100), np.repeat([-1.0, 0.0, 1.0], [8, 78, 14])
    found = statistics.paired(before, after)
    more = statistics.examples_needed(found.difference, found.low, found.high, 100)
    total = 100 + more
    gain, changed = float(after.mean()), float(np.abs(after).mean())

    assert found.low < 0 < found.high
    # A little more than 80 %: the pseudo-units, which widen the interval at hand, weigh less among more examples.
    assert 0.78 <= statistics.rate_power(gain, total, changed) <= 0.86


@pytest.mark.parametrize(("n", "clusters"), [(20, None), (100, None), (60, 20)])
def test_needed_examples_of_an_amount_would_decide_as_often_as_stated(n, clusters):
    units = clusters or n
    half = stats.t.ppf(0.975, units - 1)  # the standard error is 1
    more = statistics.examples_needed(1.6, 1.6 - half, 1.6 + half, n, clusters=clusters)
    total = units * (n + more) / n

    power = stats.nct.sf(stats.t.ppf(0.975, total - 1), total - 1, 1.6 * math.sqrt(total / units))
    assert 0.8 <= power <= 0.83


def test_none_is_needed_where_it_is_decided_and_no_number_helps_on_the_border():
    assert statistics.examples_needed(0.1, 0.05, 0.15, 100) == 0
    assert statistics.examples_needed(-0.1, -0.15, -0.05, 100) == 0
    assert statistics.examples_needed(0.0, -0.1, 0.1, 100) is None
    assert statistics.examples_needed(-0.05, -0.1, 0.0, 100, threshold=-0.05) is None
    assert statistics.examples_needed(1e-9, -0.1, 0.1, 100) is None
    assert statistics.examples_needed(0.05, -math.inf, math.inf, 5, clusters=1) is None


def test_the_power_of_the_value_rule_is_that_of_its_net_benefit():
    rng = np.random.default_rng(0)
    n, gain, changed, usd, runs = 60, 0.2, 0.25, 0.1, 600
    shown = 0
    for _ in range(runs):
        success = rng.choice([1.0, -1.0, 0.0], n, p=[(changed + gain) / 2, (changed - gain) / 2, 1 - changed])
        shown += statistics.net_benefit(success, rng.normal(0.05 * usd, 0.4 * usd, n), usd).low > 0

    expected = statistics.rate_power(gain, n, changed, threshold=0.05, noise=0.4)
    assert 0.3 < expected < 0.7
    assert shown / runs == pytest.approx(expected, abs=3.3 * math.sqrt(0.25 / runs))
