"""Agreement between raters, and means that use few people's labels together with many of a judge's."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from boxscore.experiments.statistics.difference import column
from boxscore.experiments.statistics.distributions import normal_quantile
from boxscore.experiments.statistics.estimate import Estimate
from boxscore.experiments.statistics.units import Floats

Level = Literal["nominal", "ordinal", "interval", "ratio"]


def cohen_kappa(first: Sequence[object], second: Sequence[object]) -> float:
    """Cohen's kappa (1960) of two raters' labels of the same items, shape (n,) each. NaN when only one label occurs."""
    if len(first) != len(second) or not len(first):
        raise ValueError(
            f"two raters of the same items are needed, and there are {len(first)} and {len(second)} labels"
        )
    labels = {label: index for index, label in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(labels), len(labels)))
    for one, other in zip(first, second, strict=True):
        table[labels[one], labels[other]] += 1.0
    table /= len(first)
    chance = float(table.sum(axis=0) @ table.sum(axis=1))
    return float((np.trace(table) - chance) / (1.0 - chance)) if chance < 1.0 else float("nan")


def krippendorff_alpha(ratings: ArrayLike, level: Level = "nominal") -> float:
    """Krippendorff's alpha (2011) of numbers of shape (raters, items), NaN where a rater gave none.

    `level` says what the numbers mean: names, ranks, differences or ratios. NaN when all ratings are equal: there is
    nothing to agree on.
    """
    data = np.asarray(ratings, dtype=np.float64)
    if data.ndim != 2:
        raise ValueError(f"ratings have shape {data.shape}, and (raters, items) was expected")
    values = np.unique(data[~np.isnan(data)])
    counts = np.stack([(data == value).sum(axis=0) for value in values], axis=1).astype(np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        raise ValueError("no item has two ratings: agreement cannot be measured")
    given = counts.sum(axis=1)
    pairs = (counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))) / (
        given[:, None, None] - 1.0
    )
    seen = pairs.sum(axis=0)
    totals = seen.sum(axis=0)
    apart = _distance(values, totals, level)
    expected = float((np.outer(totals, totals) * apart).sum())
    return float(1.0 - (totals.sum() - 1.0) * (seen * apart).sum() / expected) if expected > 0.0 else float("nan")


def _distance(values: Floats, totals: Floats, level: Level) -> Floats:
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return np.subtract.outer(values, values) ** 2
    if level == "ratio":
        total = np.add.outer(values, values)
        return np.divide(np.subtract.outer(values, values), total, out=np.zeros_like(total), where=total != 0) ** 2
    # Ordinal: how many ratings lie between the two, half of each end.
    middle = np.cumsum(totals) - totals / 2.0
    return np.subtract.outer(middle, middle) ** 2


def ppi_mean(labels: ArrayLike, judged: ArrayLike, unlabelled: ArrayLike, *, alpha: float = 0.05) -> Estimate:
    """Mean of people's labels, sharpened by a judge: prediction-powered inference with power tuning (PPI++, 2023).

    `labels` and `judged`, shape (n,): what people and the judge said of the same items; `unlabelled`, shape (N,): the
    judge alone, on further items. However wrong the judge is, the interval holds; the better it is the shorter it gets.
    """
    people, judge = column(labels, "labels"), column(judged, "judge's values")
    rest = column(unlabelled, "judge's unlabelled values")
    n, more = len(people), len(rest)
    if n != len(judge) or n < 2 or more < 2:
        raise ValueError(f"two labelled items at least are needed, with both values: {n} labels, {len(judge)} judged")
    spread = float(np.var(np.concatenate([judge, rest]), ddof=1))
    tuned = float(np.cov(people, judge)[0, 1]) / ((1.0 + n / more) * spread) if spread > 0.0 else 0.0
    value = tuned * rest.mean() + (people - tuned * judge).mean()
    variance = tuned**2 * rest.var(ddof=1) / more + (people - tuned * judge).var(ddof=1) / n
    half = normal_quantile(1.0 - alpha / 2.0) * float(np.sqrt(variance))
    return Estimate(
        value=float(value),
        low=float(value) - half,
        high=float(value) + half,
        n=n + more,
        clusters=n + more,
        method="PPI++",
    )
