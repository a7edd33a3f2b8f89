"""The paired table: two runs laid side by side, one row per example, as arrays that the estimators take."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from boxscore.datasets.example import Example
from boxscore.errors import NothingToCompareError, ScorerError
from boxscore.experiments.statistics import distinct
from boxscore.experiments.trial import Run, Trial
from boxscore.scoring.scorer import Metric, Score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAILURE = 0.0
"""What an error or a missing trial scores on a rate or a mean. An amount has no such value: there it is left out."""

NO_PREFERENCE = 0.5
"""What a pairwise judge that gave no verdict on two answers is taken to say."""


@dataclass(frozen=True)
class Column:
    """One run over the examples of the table. Arrays have shape (examples,), NaN where nothing was recorded.

    `values` are by metric, averaged over repeats. `unjudged` are examples on which a judge gave no verdict, by metric;
    they count as failures, of a pairwise judge as ties. `latency` has shape (examples, repeats): a percentile is one of
    calls, not of averages. `failed` is the share of an example's trials that were errors, 1 where there was none.
    """

    run: Run
    values: dict[str, Floats]
    cost: Floats
    tokens_in: Floats
    tokens_out: Floats
    latency: Floats
    failed: Floats
    present: NDArray[np.bool_]
    unjudged: dict[str, NDArray[np.bool_]]
    errors: int
    trials: int

    @property
    def answered(self) -> NDArray[np.bool_]:
        """False where every trial of an example is missing or an error."""
        return self.failed < 1.0


@dataclass(frozen=True)
class PairedTable:
    """Baseline and candidate over the union of their examples. `clusters` has one whole number per example, or is None
    where every example is independent. Rows that only one run has are failures of the other."""

    examples: tuple[Example, ...]
    metrics: tuple[Metric, ...]
    clusters: Ints | None
    baseline: Column
    candidate: Column

    @property
    def units(self) -> int:
        """Independent units: clusters, or examples where there are none."""
        return len(self.examples) if self.clusters is None else distinct(self.clusters)

    @property
    def unpaired(self) -> NDArray[np.bool_]:
        return ~(self.baseline.answered & self.candidate.answered)

    def metric(self, name: str) -> Metric:
        return next(metric for metric in self.metrics if metric.name == name)

    def pair(self, name: str) -> tuple[Floats, Floats, Ints | None]:
        """Values of both runs on the examples where the metric was recorded for both, with their clusters."""
        return self.recorded(self.baseline.values[name], self.candidate.values[name])

    def recorded(self, baseline: Floats, candidate: Floats) -> tuple[Floats, Floats, Ints | None]:
        both = ~(np.isnan(baseline) | np.isnan(candidate))
        return baseline[both], candidate[both], None if self.clusters is None else self.clusters[both]

    def calls(self) -> tuple[Floats, Floats, Ints]:
        """Latencies of both runs call by call, with the cluster of each: the example itself where there is no other."""
        repeats = min(self.baseline.latency.shape[1], self.candidate.latency.shape[1])
        baseline = self.baseline.latency[:, :repeats].ravel()
        candidate = self.candidate.latency[:, :repeats].ravel()
        own = np.arange(len(self.examples)) if self.clusters is None else self.clusters
        both = ~(np.isnan(baseline) | np.isnan(candidate))
        return baseline[both], candidate[both], np.repeat(own, repeats)[both]


def pair(baseline: Run, candidate: Run) -> PairedTable:
    """Lay two runs side by side. Raises `NothingToCompareError` when they share no example."""
    examples = {example.id: example for example in baseline.examples}
    shared = sum(1 for example in candidate.examples if example.id in examples)
    if not shared:
        raise NothingToCompareError(
            f"{baseline.variant.name!r} has answers to {len(baseline.examples)} examples and "
            f"{candidate.variant.name!r} to {len(candidate.examples)}, and no example id is common to both: nothing "
            "can be paired. "
            "Check that both were run on the same dataset."
        )
    for example in candidate.examples:
        examples.setdefault(example.id, example)
    rows = tuple(examples.values())
    metrics = tuple(metric for metric in baseline.metrics if metric in candidate.metrics)
    for metric in metrics:
        if metric.pairwise:
            baseline = mirrored(baseline, candidate, metric)
    return PairedTable(
        examples=rows,
        metrics=metrics,
        clusters=clusters_of(rows),
        baseline=column(baseline, rows, metrics),
        candidate=column(candidate, rows, metrics),
    )


def mirrored(baseline: Run, candidate: Run, metric: Metric) -> Run:
    """The baseline with its share of a preference: what the candidate's score leaves, all where that has no answer."""
    others = {(trial.example_id, trial.repeat): trial for trial in candidate.trials if trial.response.error is None}

    def score(trial: Trial) -> Score:
        other = others.get((trial.example_id, trial.repeat))
        if other is None:
            return Score(value=1.0, label="preferred", note="The other gave no answer.")
        found = other.scores.get(metric.name, Score(value=None))
        if found.value is None:
            return found
        label = {"preferred": "not preferred", "not preferred": "preferred"}.get(found.label or "", found.label)
        return msgspec.structs.replace(found, value=1.0 - found.value, label=label)

    trials = tuple(
        msgspec.structs.replace(trial, scores={**trial.scores, metric.name: score(trial)}) for trial in baseline.trials
    )
    return msgspec.structs.replace(baseline, trials=trials)


def column(run: Run, examples: tuple[Example, ...], metrics: tuple[Metric, ...]) -> Column:
    """One run over the given examples, in their order."""
    by_example: dict[str, list[Trial]] = {example.id: [] for example in examples}
    for trial in run.trials:
        if trial.example_id in by_example:
            by_example[trial.example_id].append(trial)
    rows = list(by_example.values())
    good = [[trial for trial in trials if trial.response.error is None] for trials in rows]
    repeats = max((len(trials) for trials in rows), default=1) or 1
    latency = np.full((len(rows), repeats), np.nan)
    for row, trials in enumerate(good):
        for trial in trials:
            if trial.response.latency_s is not None and trial.repeat < repeats:
                latency[row, trial.repeat] = trial.response.latency_s
    return Column(
        run=run,
        values={metric.name: _values(run, metric, rows) for metric in metrics},
        cost=_mean(good, lambda trial: None if (usd := trial.response.cost_usd) is None else float(usd)),
        tokens_in=_mean(good, lambda trial: trial.response.usage and trial.response.usage.input_tokens),
        tokens_out=_mean(good, lambda trial: trial.response.usage and trial.response.usage.output_tokens),
        latency=latency,
        failed=np.array([1.0 - len(ok) / len(all_) if all_ else 1.0 for ok, all_ in zip(good, rows, strict=True)]),
        present=np.array([bool(trials) for trials in rows], dtype=np.bool_),
        unjudged={
            metric.name: np.array([any(_unjudged(trial, metric) for trial in ok) for ok in good], dtype=np.bool_)
            for metric in metrics
        },
        errors=sum(len(trials) for trials in rows) - sum(len(trials) for trials in good),
        trials=sum(len(trials) for trials in rows),
    )


def _values(run: Run, metric: Metric, rows: list[list[Trial]]) -> Floats:
    failure = FAILURE if metric.kind != "amount" and metric.better == "higher" else math.nan
    if metric.kind != "amount" and metric.better == "lower":
        failure = 1.0  # the worst value of a rate where less is better
    if metric.judge is not None and metric not in run.metrics:
        return np.full(len(rows), math.nan)  # a variant that is shown beside the two, and was not judged with them
    values = np.full(len(rows), failure)
    for row, trials in enumerate(rows):
        found: list[float] = []
        for trial in trials:
            if trial.response.error is not None:
                found.append(failure)
                continue
            score = trial.scores.get(metric.name)
            if _unjudged(trial, metric):
                found.append(NO_PREFERENCE if metric.pairwise else failure)
                continue
            if score is None or score.value is None:
                continue
            if not math.isfinite(score.value):
                raise ScorerError(
                    metric.name, f"gave {score.value}, which is no number to average", example_id=trial.example_id
                )
            found.append(score.value)
        if trials:
            known = [value for value in found if not math.isnan(value)]
            values[row] = sum(known) / len(known) if known else math.nan
    return values


def _unjudged(trial: Trial, metric: Metric) -> bool:
    """A judge was due to score this answer and did not."""
    if metric.judge is None:
        return False
    score = trial.scores.get(metric.name)
    return score is None or score.value is None


def _mean(rows: list[list[Trial]], read: Callable[[Trial], float | None]) -> Floats:
    values = np.full(len(rows), np.nan)
    for row, trials in enumerate(rows):
        known = [value for trial in trials if (value := read(trial)) is not None]
        if known:
            values[row] = sum(known) / len(known)
    return values


def clusters_of(examples: Iterable[Example]) -> Ints | None:
    """A whole number per example, equal inside a cluster; None where every example stands alone."""
    names: list[str | None] = [example.cluster for example in examples]
    if all(name is None for name in names):
        return None
    numbers: dict[object, int] = {}
    keys: list[object] = [index if name is None else name for index, name in enumerate(names)]
    clusters = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
    return None if len(numbers) == len(keys) else clusters
