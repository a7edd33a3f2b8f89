"""Our short functions against scipy and statsmodels, where these have the same thing."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from boxscore.experiments import statistics
from boxscore.experiments.statistics import distributions
from boxscore.experiments.statistics.units import Units

degrees = st.floats(0.5, 1e6)
shares = st.floats(1e-6, 1 - 1e-6)


@settings(deadline=None)
@given(degrees, st.floats(-50, 50))
def test_tail_of_t(dof, x):
    assert distributions.t_tail(x, dof) == pytest.approx(stats.t.sf(x, dof), rel=1e-7, abs=1e-14)


@settings(deadline=None)
@given(shares, degrees)
def test_quantile_of_t(p, dof):
    assert distributions.t_quantile(p, dof) == pytest.approx(stats.t.ppf(p, dof), rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.01, 0.99))
def test_tail_of_the_binomial(k, n, p):
    assert distributions.binomial_tail(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson(wins, more):
    n = wins + more
    low, high = proportion_confint(wins, n, method="wilson")
    found = statistics.rate([1] * wins + [0] * more)

    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar(wins, losses):
    found = statistics.mcnemar(wins, losses)

    if wins + losses:
        exact = mcnemar([[0, wins], [losses, 0]], exact=True)
        assert found.exact == pytest.approx(exact.pvalue, rel=1e-9)
        assert found.z**2 == pytest.approx(mcnemar([[0, wins], [losses, 0]], exact=False, correction=False).statistic)
        assert found.mid_p <= found.exact


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_holm_and_benjamini_hochberg(count):
    ps = list(np.random.default_rng(count).random(count) ** 3)

    assert statistics.holm(ps) == pytest.approx(list(multipletests(ps, 0.05, "holm")[1]))
    assert statistics.benjamini_hochberg(ps, 0.05) == list(multipletests(ps, 0.05, "fdr_bh")[0])


def test_mean_of_independent_symmetric_values_is_students_interval():
    values = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
    low, high = stats.t.interval(0.95, 6, loc=0.0, scale=stats.sem(values))
    found = statistics.mean(values)

    assert (found.low, found.high) == pytest.approx((low, high))


def test_clustered_error_of_equal_clusters_is_that_of_least_squares_with_robust_errors():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 5)
    values = rng.normal(size=200) + np.repeat(rng.normal(size=40), 5)
    plain = sm.OLS(values, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False})
    error = np.sqrt(Units.of(200, clusters).moments(values).variance)

    # CR2 for equal clusters is the plain robust error times √(G / (G − 1)).
    assert error == pytest.approx(plain.bse[0] * np.sqrt(40 / 39))


def test_cohen_kappa():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 3, 80), rng.integers(0, 3, 80)
    second[:50] = first[:50]
    table = np.zeros((3, 3))
    np.add.at(table, (first, second), 1)

    assert statistics.cohen_kappa(list(first), list(second)) == pytest.approx(cohens_kappa(table).kappa)


def test_degrees_of_freedom_are_those_of_the_matrix_written_out():
    sizes = np.array([1.0, 8, 3, 3, 2, 7, 5, 1, 4])
    units = Units.of(34, np.repeat(np.arange(9), sizes.astype(int)))
    share = sizes / sizes.sum()
    spread = (np.eye(9) - np.outer(share, np.ones(9))) / np.sqrt(1 - share)[:, None]
    expected = []
    for variances in (sizes, sizes**2):
        values = np.linalg.eigvalsh(spread @ np.diag(variances) @ spread.T)
        expected.append(values.sum() ** 2 / (values**2).sum())

    assert units.dof == pytest.approx(min(expected))


def test_the_bootstrap_agrees_with_scipys_on_a_median():
    rng = np.random.default_rng(3)
    before = rng.lognormal(size=200)
    after = before * rng.lognormal(0.1, 0.3, size=200)
    theirs = stats.bootstrap(
        (before, after),
        lambda a, b, axis: np.quantile(b, 0.5, axis=axis) - np.quantile(a, 0.5, axis=axis),
        paired=True,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = statistics.paired_quantile(before, after, 0.5, seed=1)

    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
