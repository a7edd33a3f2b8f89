"""Estimators of a verdict: each says its interval, its method and on how many independent units it rests.

numpy only. Every function names the source of its method; `docs/discussions/statistics.md` says why each was taken and
where it is weak, and `benchmarks/verdict.py` measures it.
"""

from boxscore.experiments.statistics.agreement import cohen_kappa, krippendorff_alpha, ppi_mean
from boxscore.experiments.statistics.bootstrap import paired_quantile, paired_quantiles
from boxscore.experiments.statistics.difference import Difference, McNemar, mcnemar, paired
from boxscore.experiments.statistics.estimate import Estimate, least_for_quantile, mean, quantile, rate
from boxscore.experiments.statistics.multiple import benjamini_hochberg, holm, holm_levels
from boxscore.experiments.statistics.power import (
    design_effect,
    detectable_again,
    detectable_gain,
    detectable_margin,
    detectable_mean,
    examples_needed,
    minimum_detectable,
    paired_variance,
    rate_power,
    sample_size,
)
from boxscore.experiments.statistics.sequence import (
    AsymptoticSequence,
    BoundedSequence,
    Bounds,
    ConfidenceSequence,
    sequence,
)
from boxscore.experiments.statistics.units import PSEUDO, distinct
from boxscore.experiments.statistics.worth import CostPerSuccess, benefit_line, cost_per_success, net_benefit

__all__ = [
    "PSEUDO",
    "AsymptoticSequence",
    "BoundedSequence",
    "Bounds",
    "ConfidenceSequence",
    "CostPerSuccess",
    "Difference",
    "Estimate",
    "McNemar",
    "benefit_line",
    "benjamini_hochberg",
    "cohen_kappa",
    "cost_per_success",
    "design_effect",
    "detectable_again",
    "detectable_gain",
    "detectable_margin",
    "detectable_mean",
    "distinct",
    "examples_needed",
    "holm",
    "holm_levels",
    "krippendorff_alpha",
    "least_for_quantile",
    "mcnemar",
    "mean",
    "minimum_detectable",
    "net_benefit",
    "paired",
    "paired_quantile",
    "paired_quantiles",
    "paired_variance",
    "ppi_mean",
    "quantile",
    "rate",
    "rate_power",
    "sample_size",
    "sequence",
]
