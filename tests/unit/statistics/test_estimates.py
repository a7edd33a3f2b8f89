import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from boxscore.experiments import statistics

scores = hnp.arrays(np.float64, st.integers(2, 40), elements=st.sampled_from([0.0, 1.0]))
fractions = hnp.arrays(np.float64, st.integers(2, 40), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]))


@settings(deadline=None)
@given(fractions, st.integers(1, 8))
def test_a_rate_lies_inside_its_interval_inside_zero_and_one(values, groups):
    for clusters in (None, np.arange(len(values)) % groups):
        found = statistics.rate(values, clusters)

        assert 0.0 <= found.low <= found.value <= found.high <= 1.0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_rate_at_the_boundary_still_has_a_width(value):
    clusters = np.repeat(np.arange(25), 4)
    found = statistics.rate(np.full(100, value), clusters)
    independent = statistics.rate(np.full(100, value))

    # 25 clusters of 4 know at least as much as 25 independent values and at most as much as 100.
    width = found.high - found.low
    assert independent.high - independent.low < width < 0.25


def test_copies_of_an_example_in_one_cluster_add_no_knowledge():
    rng = np.random.default_rng(0)
    values = (rng.random(60) < 0.7).astype(float)
    once = statistics.mean(values)
    copied = statistics.mean(np.repeat(values, 5), np.repeat(np.arange(60), 5))

    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert (copied.n, copied.clusters) == (300, 60)


def test_clusters_may_be_names():
    values = [1.0, 0.0, 1.0, 1.0]

    assert statistics.mean(values, ["a", "a", "b", "c"]) == statistics.mean(values, [7, 7, 2, 5])


def test_one_cluster_says_nothing_of_its_error():
    found = statistics.mean([1.0, 2.0, 3.0], [0, 0, 0])

    assert (found.low, found.high) == (-math.inf, math.inf)
    assert statistics.rate([1.0, 0.0], [0, 0]).low == 0.0


@settings(deadline=None)
@given(hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6)), st.floats(0.01, 0.99))
def test_a_quantile_is_a_value_inside_its_interval(values, q):
    found = statistics.quantile(values, q)

    assert found.low <= found.value <= found.high
    assert found.value in values


def test_a_p95_of_few_values_is_open_above_the_greatest_seen_and_says_so():
    assert "greatest" in statistics.quantile(np.arange(30.0), 0.95).method
    assert "greatest" not in statistics.quantile(np.arange(300.0), 0.95).method
    assert statistics.quantile(np.arange(71.0), 0.95).high == math.inf
    assert statistics.quantile(np.arange(72.0), 0.95).high == 71.0
    assert statistics.quantile(np.arange(71.0), 0.05).low == -math.inf
    assert statistics.least_for_quantile(0.95) == statistics.least_for_quantile(0.05) == 72


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_the_interval_of_a_quantile_holds_it_in_94_of_100_samples_of_any_size_and_shape(q):
    for n in range(2, 300):
        found = statistics.quantile(np.arange(1.0, n + 1), q)  # the bounds are ranks
        held = stats.binom.cdf(min(found.high, n + 1.0) - 1, n, q) - stats.binom.cdf(max(found.low, 0.0) - 1, n, q)

        assert held >= 0.94, n


def test_where_a_p95_is_open_no_difference_of_two_is_shown():
    values = np.random.default_rng(0).lognormal(size=72)
    few, enough = (statistics.paired_quantile(values[:n], 100 * values[:n], 0.95) for n in (71, 72))

    assert (few.low, few.high, few.p) == (-math.inf, math.inf, 1.0)
    assert few.difference > 0
    assert 0 < enough.low < enough.high < math.inf


@pytest.mark.parametrize("n", [72, 100, 150])
def test_a_slow_mode_that_the_other_side_has_not_does_not_fool_the_difference_of_p95(n):
    rng = np.random.default_rng(0)
    truth = 10 * math.exp(0.1 * stats.norm.ppf(0.5)) - math.exp(0.1 * stats.norm.ppf(0.95))
    held = []
    for _ in range(500):
        before, after = np.exp(0.1 * rng.standard_normal((2, n)))
        slow = rng.random(n) < 0.1  # half of these lie below the true p95
        found = statistics.paired_quantile(before, np.where(slow, 10 * after, after), 0.95, draws=500)
        held.append(found.low <= truth <= found.high)

    assert np.mean(held) >= 0.94


@pytest.mark.parametrize("n", [20, 30, 50])
def test_intervals_of_skewed_amounts_hold_the_truth_and_those_of_even_ones_stay_short(n):
    rng = np.random.default_rng(0)
    drawn = rng.lognormal(size=(4000, n))
    found = [statistics.mean(run) for run in drawn]
    held = np.mean([one.low <= math.exp(0.5) <= one.high for one in found])
    even = [(statistics.mean(run), run) for run in rng.normal(size=(400, n))]
    wider = np.mean(
        [(one.high - one.low) / np.ptp(stats.t.interval(0.95, n - 1, scale=stats.sem(run))) for one, run in even]
    )

    assert held >= 0.94
    assert 1.0 <= wider <= 1 + 1.6 / n


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused_by_place_and_column(bad):
    with pytest.raises(ValueError, match="value 2 of the candidate is") as told:
        statistics.paired([0.0, 1.0, 1.0], [0.0, bad, 1.0])

    assert "1 of 3" in str(told.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: statistics.paired([0.0, 1.0], [0.0]),
        lambda: statistics.paired([], []),
        lambda: statistics.rate([0.0, 2.0]),
        lambda: statistics.mean([1.0, 2.0], [1]),
        lambda: statistics.mean([[1.0]]),
        lambda: statistics.quantile([1.0], 1.0),
        lambda: statistics.holm([1.2]),
    ],
)
def test_input_without_a_meaning_is_refused(call):
    with pytest.raises(ValueError):
        call()


@settings(deadline=None)
@given(scores, st.data())
def test_the_difference_turns_its_sign_when_the_sides_are_swapped(before, data):
    after = data.draw(hnp.arrays(np.float64, len(before), elements=st.sampled_from([0.0, 1.0])))
    clusters = data.draw(st.sampled_from([None, np.arange(len(before)) // 3]))
    there = statistics.paired(before, after, clusters=clusters)
    back = statistics.paired(after, before, clusters=clusters)

    assert (there.difference, there.low, there.high) == pytest.approx((-back.difference, -back.high, -back.low))
    assert there.p == pytest.approx(back.p)
    assert (there.wins, there.ties, there.losses) == (back.losses, back.ties, back.wins)
    assert there.wins + there.ties + there.losses == there.n


@settings(deadline=None)
@given(st.sampled_from(["rate", "mean", "amount"]), st.integers(0, 1000), st.floats(0.001, 0.3), st.floats(-0.3, 0.3))
def test_p_and_interval_never_contradict_each_other(kind, seed, alpha, threshold):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    change = rng.choice([-1.0, 0.0, 1.0], n, p=[0.1, 0.6, 0.3]) if kind == "rate" else rng.exponential(size=n) - 0.7
    clusters = None if seed % 2 else rng.integers(0, 12, n)
    found = statistics.paired(
        np.zeros(n), change, clusters=clusters, kind=kind, alpha=alpha, threshold=threshold
    )  # fmt: skip

    if abs(found.p - alpha) > 1e-6:
        bounds = statistics.paired(np.zeros(n), change, clusters=clusters, kind="amount", alpha=alpha)
        low, high = (bounds.low, bounds.high) if kind == "amount" else (found.low, found.high)
        if kind == "amount" or (abs(low) < 1 and abs(high) < 1):  # rates are cut at −1 and 1
            assert (found.p < alpha) == (not low <= threshold <= high)


def test_twenty_of_twenty_wins_is_shown_and_four_of_twenty_is_not():
    assert statistics.paired(np.zeros(20), np.ones(20)).low > 0
    assert statistics.paired(np.zeros(20), np.r_[np.ones(4), np.zeros(16)]).low <= 0


def test_identical_answers_leave_a_width_that_shrinks_with_the_examples():
    few, many = (statistics.paired(np.ones(n), np.ones(n)) for n in (20, 2000))

    assert few.low == -few.high
    assert 0.1 < few.high < 0.25
    assert many.high < 0.002
    assert few.p == 1.0


def test_identical_amounts_are_the_same():
    found = statistics.paired(np.ones(30), np.ones(30), kind="amount")

    assert (found.low, found.high, found.p) == (0.0, 0.0, 1.0)


def test_a_difference_of_quantiles_is_seeded_and_fast():
    rng = np.random.default_rng(0)
    before = rng.lognormal(size=1000)
    started = time.process_time()
    found = statistics.paired_quantile(before, before * 1.5, 0.95)

    assert time.process_time() - started < 0.5
    assert found == statistics.paired_quantile(before, before * 1.5, 0.95)
    assert 0 < found.low < found.difference < found.high
    assert found.p < 0.01
    assert found.difference == pytest.approx(0.5 * statistics.quantile(before, 0.95).value)


def test_a_difference_of_quantiles_between_equal_columns_is_nothing():
    values = np.random.default_rng(0).lognormal(size=50)
    found = statistics.paired_quantile(values, values, 0.5)

    assert (found.low, found.high, found.p) == (0.0, 0.0, 1.0)


def test_dollars_per_success_break_even_where_the_net_benefit_does():
    rng = np.random.default_rng(0)
    success = rng.choice([-1.0, 0.0, 1.0], 300, p=[0.05, 0.7, 0.25])
    cost = rng.normal(0.01, 0.003, 300)
    for clusters in (None, np.arange(300) // 3):
        found = statistics.cost_per_success(cost, success, clusters)

        assert found.value == pytest.approx(cost.mean() / success.mean())
        assert 0 < found.low < found.value < found.high
        assert statistics.net_benefit(success, cost, found.high, clusters=clusters).low == pytest.approx(0, abs=1e-6)
        assert statistics.net_benefit(success, cost, found.low, clusters=clusters).high == pytest.approx(0, abs=1e-6)


def test_dollars_saved_per_success_given_up_are_positive_and_paid_back_gains_negative():
    success = np.r_[np.ones(60), np.zeros(140)]
    cost = np.full(200, 0.01)

    assert statistics.cost_per_success(-cost, -success).value == pytest.approx(0.01 / 0.3)
    assert statistics.cost_per_success(-cost, success).high < 0


def test_dollars_per_success_have_no_interval_where_no_gain_is_shown():
    found = statistics.cost_per_success(np.full(40, 0.01), np.r_[1.0, -1.0, 1.0, np.zeros(37)])

    assert (found.low, found.high) == (None, None)
    assert statistics.cost_per_success(np.full(4, 0.01), np.zeros(4)).value is None


def test_net_benefit_is_dollars_per_thousand_examples():
    found = statistics.net_benefit(np.ones(50), np.full(50, 0.02), 0.05)

    assert found.difference == pytest.approx(1000 * (0.05 - 0.02))
    assert found.wins == 50
    assert found.low > 0
    assert json.dumps([found.low, found.high])


def test_holm_levels_reject_what_holm_rejects():
    rng = np.random.default_rng(0)
    for _ in range(200):
        ps = list(rng.random(5) ** 4)
        levels = statistics.holm_levels(ps, 0.05)

        assert [p < level for p, level in zip(ps, levels, strict=True)] == [p < 0.05 for p in statistics.holm(ps)]


@pytest.mark.parametrize("kind", ["rate", "mean", "amount"])
@pytest.mark.parametrize("clusters", [None, np.arange(60) // 3])
def test_p_at_a_bound_is_the_alpha_of_the_interval(kind, clusters):
    rng = np.random.default_rng(0)
    change = rng.choice([-1.0, 0.0, 1.0], 60, p=[0.1, 0.6, 0.3]) if kind == "rate" else rng.exponential(size=60) / 10
    found = statistics.paired(np.zeros(60), change, clusters=clusters, kind=kind, alpha=0.02)

    for bound in (found.low, found.high):
        at = statistics.paired(np.zeros(60), change, clusters=clusters, kind=kind, threshold=bound)
        assert at.p == pytest.approx(0.02)
