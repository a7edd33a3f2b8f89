import math

import numpy as np
import pytest

from boxscore.experiments import statistics
from boxscore.experiments.statistics.sequence import FIRST_LOOK, first_above


def differences(seed, runs, length, wins, losses):
    u = np.random.default_rng(seed).random((runs, length))
    return (u < wins).astype(float) - (u > 1 - losses)


@pytest.mark.parametrize("changed", [0.02, 0.3, 1.0])
def test_looking_after_every_example_keeps_alpha(changed):
    null = differences(1, 800, 500, changed / 2, changed / 2)
    declared = np.isfinite(np.minimum(first_above(null, 0.0), first_above(-null, 0.0)))

    assert declared.mean() <= 0.05


def test_the_object_stops_where_the_vectorised_form_says():
    for run in differences(2, 5, 400, 0.3, 0.1):
        sequence = statistics.sequence("rate")
        looks = [sequence.update(x) for x in run]
        first = next((i for i, look in enumerate(looks) if look.low > 0), math.inf)

        assert first == first_above(run[None, :], 0.0)[0]


def test_bounds_only_ever_narrow_and_hold_the_mean():
    sequence = statistics.BoundedSequence()
    looks = [sequence.update(x) for x in differences(3, 1, 500, 0.3, 0.1)[0]]

    lows, highs = [look.low for look in looks], [look.high for look in looks]
    assert lows == sorted(lows)
    assert highs == sorted(highs, reverse=True)
    assert all(low <= 0.2 <= high for low, high in zip(lows, highs, strict=True))
    assert highs[-1] - lows[-1] < 0.25


def test_clusters_count_by_their_size():
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 9, 300).astype(float)
    means = np.clip(rng.normal(0.2, 0.3, 300), -1, 1)
    sequence = statistics.BoundedSequence(largest=8)
    looks = [sequence.update(mean, size) for mean, size in zip(means, sizes, strict=True)]
    first = next(i for i, look in enumerate(looks) if look.low > 0)

    assert first == first_above(means[None, :], 0.0, weights=sizes[None, :] / 8)[0]
    assert looks[-1].value == pytest.approx(np.average(means, weights=sizes))


def test_amounts_wait_for_many_units_and_then_hold():
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(30):
        sequence = statistics.sequence("amount")
        looks = [sequence.update(x) for x in rng.exponential(size=200)]
        assert math.isinf(looks[FIRST_LOOK - 2].high)
        missed += not looks[-1].low <= 1.0 <= looks[-1].high

    assert missed <= 3


@pytest.mark.parametrize("call", [lambda s: s.update(1.5), lambda s: s.update(0.5, 2.0), lambda s: s.update(math.nan)])
def test_what_cannot_be_a_difference_of_rates_is_refused(call):
    with pytest.raises(ValueError):
        call(statistics.sequence("rate"))
