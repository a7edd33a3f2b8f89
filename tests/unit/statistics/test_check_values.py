"""Published figures that the estimators must reproduce."""

import math

import numpy as np
import pytest

from boxscore.experiments import statistics


def test_sample_size_for_three_points_is_969():
    # Miller 2024: variance of a paired difference 1/9, 80 % power, two-sided 5 %.
    assert math.ceil(statistics.sample_size(0.03, 1 / 9)) == 969


def test_ten_repeats_bring_the_detectable_difference_of_198_examples_from_13_to_8_points():
    found = [
        100 * statistics.minimum_detectable(statistics.paired_variance(1 / 9, 1 / 6, repeats), 198)
        for repeats in (1, 10)
    ]

    assert found == pytest.approx([13.27, 7.57], abs=0.005)


def test_mcnemar_on_agrestis_approval_table():
    assert statistics.mcnemar(wins=86, losses=150).z == pytest.approx(-4.17, abs=0.005)


def test_wilson_interval_of_81_in_263():
    found = statistics.rate([1] * 81 + [0] * 182)

    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=0.00005)
    assert found.method == "Wilson"


def test_benjamini_hochberg_rejects_four_of_their_fifteen_and_holm_three():
    ps = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
    ]

    assert statistics.benjamini_hochberg(ps, 0.05) == [True] * 4 + [False] * 11
    assert sum(p < 0.05 for p in statistics.holm(ps)) == 3


def test_cohen_kappa_of_agrestis_pathologists():
    table = [[22, 2, 2, 0], [5, 7, 14, 0], [0, 2, 36, 0], [0, 1, 17, 10]]
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]

    assert statistics.cohen_kappa([i for i, _ in pairs], [j for _, j in pairs]) == pytest.approx(0.493, abs=0.0005)


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_krippendorffs_own_example(level, published):
    n = np.nan
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, n, n, n],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, n, 3],
        [n, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, n],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, n],
    ]

    assert statistics.krippendorff_alpha(ratings, level) == pytest.approx(published, abs=0.0005)


def test_prediction_powered_mean_covers_under_a_biased_judge_and_is_shorter_than_people_alone():
    rng = np.random.default_rng(0)
    truth, people, judged, runs = 0.6, 150, 3000, 800
    held, width, alone = 0, 0.0, 0.0
    for _ in range(runs):
        label = rng.random(people + judged) < truth
        noise = rng.random(people + judged)
        judge = np.where(label, noise > 0.05, noise < 0.30).astype(float)  # wrongly yes 30 %, wrongly no 5 %
        found = statistics.ppi_mean(label[:people].astype(float), judge[:people], judge[people:])
        held += found.low <= truth <= found.high
        width += found.high - found.low
        alone += 2 * 1.96 * label[:people].std() / math.sqrt(people)

    assert held / runs >= 0.93
    assert width < 0.8 * alone
