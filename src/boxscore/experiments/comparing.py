"""Comparing: two runs in, a verdict with its evidence out."""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from boxscore import __version__
from boxscore.errors import NothingToCompareError, UnknownNameError
from boxscore.experiments import measures, report, statistics
from boxscore.experiments.comparison import Circumstances, Comparison
from boxscore.experiments.conditions import LATENCY, Conditions, net_benefit
from boxscore.experiments.decision import Grounds
from boxscore.experiments.evidence import gather
from boxscore.experiments.judges import readings
from boxscore.experiments.judges import words as judge_words
from boxscore.experiments.notes import find_notes
from boxscore.experiments.report.rows import LABELS
from boxscore.experiments.slices import SMALLEST, find_slices
from boxscore.experiments.statistics import Difference
from boxscore.experiments.summary import summarise
from boxscore.experiments.table import Floats, PairedTable, column, pair
from boxscore.experiments.trial import Run, failures
from boxscore.experiments.verdict import (
    MIN_UNITS,
    DatasetInfo,
    MetricComparison,
    Needs,
    Provenance,
    Rule,
    SliceComparison,
    VariantSummary,
    Verdict,
)
from boxscore.scoring.scorer import Metric


def compare_runs(
    baseline: Run,
    candidate: Run,
    rule: Rule,
    around: Circumstances | None = None,
    *,
    primary: Difference | None = None,
) -> Comparison:
    """Decide whether `candidate` should take the place of `baseline`.

    `primary` is the primary difference where it was estimated elsewhere (by a sequence that was looked at as it grew).
    Raises
    `NothingToCompareError` when no example is common, `UnknownPriceError` when the rule or a guard needs dollars that
    are not known.
    """
    return _Comparing(baseline, candidate, rule, around or Circumstances(), rule.alpha, primary).compare()


def compare_many(
    baseline: Run, candidates: Sequence[Run], rule: Rule, around: Circumstances | None = None
) -> list[Comparison]:
    """One comparison per candidate, each decided at the level that Holm (1979) leaves it."""
    around = around or Circumstances()
    if len(candidates) == 1:
        return [compare_runs(baseline, candidates[0], rule, around)]
    several = [_Comparing(baseline, run, rule, around, rule.alpha) for run in candidates]
    levels = statistics.holm_levels([one.p() for one in several], rule.alpha)
    adjusted = statistics.holm([one.difference.p for one in several])
    return [
        _Comparing(baseline, run, rule, around, level, p_adjusted=p).compare()
        for run, level, p in zip(candidates, levels, adjusted, strict=True)
    ]


class _Comparing:
    def __init__(
        self,
        baseline: Run,
        candidate: Run,
        rule: Rule,
        around: Circumstances,
        alpha: float,
        primary: Difference | None = None,
        p_adjusted: float | None = None,
    ) -> None:
        self.rule, self.around, self.alpha = rule, around, alpha
        self.table: PairedTable = pair(baseline, candidate)
        names = [metric.name for metric in self.table.metrics]
        if rule.metric not in names:
            raise UnknownNameError("metric", rule.metric, names)
        self.primary: Metric = self.table.metric(rule.metric)
        found = primary or measures.metric_difference(self.table, self.primary, alpha)
        if found is None:
            raise NothingToCompareError(
                f"the metric {rule.metric!r} was not recorded for both variants on any example: "
                "choose another metric with --metric, or a scorer that gives one."
            )
        self.difference: Difference = found
        self.p_adjusted = p_adjusted
        self.warnings: list[str] = list(around.warnings)
        self.judges = around.judges.get(candidate.id, ())

    def p(self) -> float:
        """p of what the rule asks: the primary difference against its threshold, or the net benefit against 0."""
        if self.rule.kind == "value":
            return net_benefit(self.table, self.primary, self.rule, self.alpha).p
        threshold = self.rule.margin if self.rule.kind == "superiority" else -self.rule.margin
        before, after, clusters = self.table.pair(self.primary.name)
        if self.primary.better == "lower":
            before, after = after, before
        kind = self.primary.kind
        return statistics.paired(before, after, clusters=clusters, kind=kind, alpha=self.alpha, threshold=threshold).p

    def compare(self) -> Comparison:
        table, seed = self.table, self.around.seed
        self.cost = measures.cost_comparison(table, self.primary, self.alpha)
        self.latency = measures.latency_comparison(table, self.alpha, seed)
        self.tokens = measures.tokens_difference(table, self.alpha)
        baseline, candidate = self.summaries = (
            summarise(table.baseline, table.metrics, table.clusters, alpha=self.alpha),
            summarise(table.candidate, table.metrics, table.clusters, alpha=self.alpha),
        )
        grounds = self._decide(table, self.difference, candidate)
        grounds = readings.stands(grounds, table, self.rule, self._decide_again)
        comparisons = self._comparisons()
        slices = self._slices()
        gains = measures.gain(table, self.primary)
        also = self._also()
        self._warn()
        verdict = Verdict(
            verdict=grounds.decision,
            reason="",
            rule=msgspec.structs.replace(self.rule, guards=grounds.guards),
            dataset=self._dataset(),
            baseline=baseline,
            candidate=candidate,
            comparisons=comparisons,
            cost=self.cost,
            latency=self.latency,
            needs=self._needs(grounds),
            slices=slices,
            regressions=self._ids(gains < 0, gains),
            improvements=self._ids(gains > 0, -gains),
            tied=int((gains == 0).sum()),
            warnings=tuple(dict.fromkeys([*self.warnings, *([grounds.note] if grounds.note else [])])),
            notes=(*find_notes(comparisons[0], slices, baseline, candidate, also), *judge_words.notes(self.judges)),
            also_run=also,
            sensitivity=self._sensitivity(),
            provenance=self._provenance(),
            checks=tuple(condition.told() for condition in grounds.conditions),
            judges=self.judges,
            confidence_level=round(1 - self.alpha, 10),
            id=self._id(),
        )
        verdict = msgspec.structs.replace(verdict, reason=report.headline(verdict))
        return Comparison(verdict, gather(table, self.primary.name, gains))

    def _decide(self, table: PairedTable, difference: Difference, candidate: VariantSummary) -> Grounds:
        return Conditions(
            table=table,
            rule=self.rule,
            primary=self.primary,
            difference=difference,
            candidate=candidate,
            alpha=self.alpha,
            seed=self.around.seed,
        ).decide()

    def _decide_again(self, part: PairedTable) -> Grounds | None:
        """The decision on a part of the examples; None where the primary metric was not recorded there."""
        difference = measures.metric_difference(part, self.primary, self.alpha)
        candidate = summarise(part.candidate, part.metrics, part.clusters, alpha=self.alpha)
        return None if difference is None else self._decide(part, difference, candidate)

    def _needs(self, grounds: Grounds) -> Needs | None:
        """From the condition that is open: how many examples would bring its interval clear of its threshold."""
        if grounds.decision != "undecided":
            return None
        have, units = len(self.table.examples), self.table.units
        unwaived = judge_words.unwaived(grounds.conditions)
        examples, note = 1, "At 80 % power, if the effect is what was measured."
        if units < MIN_UNITS:
            examples = math.ceil((MIN_UNITS - units) * have / max(units, 1))
            note = f"{MIN_UNITS} independent examples are the least that may decide."
        elif any(condition.role == "judged" for condition in grounds.conditions):
            return Needs(examples=None, cost_usd=None, note=judge_words.UNJUDGED)
        elif all(condition.role == "calibration" for condition in grounds.conditions if condition.outcome != "ship"):
            return Needs(examples=None, cost_usd=None, note=unwaived)
        else:
            for condition in grounds.conditions:
                if condition.outcome != "undecided" or condition.role == "calibration":
                    continue
                if condition.interval is None or condition.threshold is None:
                    what = f"{condition.metric} was" if condition.metric else "dollars and latency were"
                    note = f"No number of examples would decide it: {what} not recorded for both variants."
                    return Needs(examples=None, cost_usd=None, note=note)
                if condition.metric in LATENCY and not math.isfinite(condition.interval.high - condition.interval.low):
                    least = statistics.least_for_quantile(LATENCY[condition.metric], alpha=self.alpha)
                    examples = max(examples, math.ceil((least - units) * have / units))
                    note = (
                        f"{least} independent examples are the least that give {LABELS[condition.metric]} an interval."
                    )
                    continue
                more = statistics.examples_needed(
                    *condition.interval, have, threshold=condition.threshold, clusters=units, alpha=self.alpha
                )
                if more is None:
                    note = "No number of examples in reach would decide it: the measured effect sits on the border."
                    return Needs(examples=None, cost_usd=None, note=note)
                examples = max(examples, more)
        each = [summary.cost_per_1k_usd for summary in self.summaries]
        known = [cost for cost in each if cost is not None]
        cost = examples * sum(known) / 1000 if len(known) == 2 else None
        return Needs(examples=examples, cost_usd=cost, note=f"{note} {unwaived}".rstrip())

    # The rest of the page

    def _comparisons(self) -> tuple[MetricComparison, ...]:
        """The primary metric first and uncorrected: it was named before the run. The others by Holm among themselves,
        but for guards: all of them must hold, so no correction is owed."""
        guards = {guard.metric for guard in self.rule.guards}
        others: list[tuple[Metric, Difference]] = []
        for metric in self.table.metrics:
            if metric.name != self.primary.name:
                found = measures.metric_difference(self.table, metric, self.alpha)
                if found is None:
                    self.warnings.append(f"{metric.name} was not recorded for both variants and is left out.")
                else:
                    others.append((metric, found))
        if self.tokens is not None and all(metric.name != measures.TOKENS_OUT.name for metric, _ in others):
            others.append((measures.TOKENS_OUT, self.tokens))
        free = [index for index, (metric, _) in enumerate(others) if metric.name not in guards]
        adjusted = [found.p for _, found in others]
        for index, p in zip(free, statistics.holm([adjusted[index] for index in free]), strict=True):
            adjusted[index] = p
        self.corrected = len(free)
        shared = self.difference.p if self.p_adjusted is None else self.p_adjusted
        first = measures.as_comparison(self.primary, self.difference, shared, self.rule.alpha)
        return (
            first,
            *(
                measures.as_comparison(metric, found, p, self.alpha)
                for (metric, found), p in zip(others, adjusted, strict=True)
            ),
        )

    def _slices(self) -> tuple[SliceComparison, ...]:
        """The primary metric in every slice, worst first."""
        before, after = (side.values[self.primary.name] for side in (self.table.baseline, self.table.candidate))
        known = ~(np.isnan(before) | np.isnan(after))
        found: list[tuple[str, str, Difference, float, float]] = []
        for part in find_slices(self.table.examples, self.around.slices):
            inside = part.members & known
            clusters = None if self.table.clusters is None else self.table.clusters[inside]
            if inside.sum() < 2 or (clusters is not None and statistics.distinct(clusters) < 2):
                continue  # a single unit has no spread
            difference = statistics.paired(
                before[inside], after[inside], clusters=clusters, kind=self.primary.kind, alpha=self.rule.alpha
            )
            found.append(
                (part.field, part.value, difference, float(before[inside].mean()), float(after[inside].mean()))
            )
        self.warnings.extend(
            f"slice {name}: no value of it has {SMALLEST} examples, so none is tested."
            for name in self.around.slices
            if all(field != name for field, *_ in found)
        )
        adjusted = statistics.holm([difference.p for _, _, difference, _, _ in found])
        better = self.primary.better
        slices = [
            SliceComparison(
                slice=name,
                value=value,
                examples=part.n,
                clusters=part.clusters,
                baseline=was,
                candidate=now,
                difference=part.difference,
                low=part.low,
                high=part.high,
                p=part.p,
                p_adjusted=p,
                wins=part.wins if better == "higher" else part.losses,
                losses=part.losses if better == "higher" else part.wins,
                shown=measures.shown(part, better) if p <= self.rule.alpha else "unclear",
            )
            for (name, value, part, was, now), p in zip(found, adjusted, strict=True)
        ]
        return tuple(sorted(slices, key=lambda part: part.difference if better == "higher" else -part.difference))

    def _also(self) -> tuple[VariantSummary, ...]:
        table = self.table
        return tuple(
            summarise(column(run, table.examples, table.metrics), table.metrics, table.clusters)
            for run in self.around.also
        )

    def _dataset(self) -> DatasetInfo:
        table, run = self.table, self.table.baseline.run
        total = self.around.dataset_total
        return DatasetInfo(
            name=run.dataset_name,
            version=run.dataset_version,
            examples=len(table.examples),
            clusters=table.units,
            total=len(table.examples) if total is None else total,
            unpaired=int(table.unpaired.sum()),
            repeats=max(table.baseline.latency.shape[1], table.candidate.latency.shape[1]),
        )

    def _ids(self, chosen: NDArray[np.bool_], order: Floats) -> tuple[str, ...]:
        indices = np.flatnonzero(chosen)
        ordered: list[int] = indices[np.argsort(order[indices], kind="stable")].tolist()
        return tuple(self.table.examples[index].id for index in ordered)

    def _warn(self) -> None:
        table = self.table
        models = (side.run.variant.model for side in (table.baseline, table.candidate))
        self.warnings.extend(judge_words.warnings(self.judges, self.rule, *models))
        for side in (table.baseline, table.candidate):
            name = side.run.variant.name
            missing = int((~side.present).sum())
            if missing:
                self.warnings.append(
                    f"{name} has no answer to {missing} of {len(table.examples)} examples; they count as failures."
                )
            if side.errors:
                kinds = failures(side.run.trials)
                again = "; --retry-errors asks them again" if side.run.spent_usd is not None else ""
                self.warnings.append(
                    f"{name}: {side.errors} of {side.trials} calls failed and count as failures ({kinds}){again}."
                )
            unknown = int((np.isnan(side.cost) & side.answered).sum())
            if unknown and unknown < side.answered.sum():
                self.warnings.append(
                    f"{name}: the cost of {unknown} answers is not known; dollars are of the others alone."
                )

    def _sensitivity(self) -> str | None:
        """The other reading of missing answers and verdicts: leave them out on both sides."""
        name = self.primary.name
        unjudged = self.table.baseline.unjudged[name] | self.table.candidate.unjudged[name]
        unpaired = self.table.unpaired | unjudged
        if not unpaired.any() or unpaired.all():
            return None
        before, after = (side.values[self.primary.name] for side in (self.table.baseline, self.table.candidate))
        kept = ~(unpaired | np.isnan(before) | np.isnan(after))
        if not kept.any():
            return None
        clusters = None if self.table.clusters is None else self.table.clusters[kept]
        found = statistics.paired(
            before[kept], after[kept], clusters=clusters, kind=self.primary.kind, alpha=self.rule.alpha
        )
        scale, unit = (1.0, self.primary.unit) if self.primary.kind == "amount" else (100.0, "points")
        difference, low, high = (scale * value for value in (found.difference, found.low, found.high))
        return (
            f"Leaving out the {int(unpaired.sum())} examples that either variant did not answer"
            f"{' or the judge did not judge' if unjudged.any() else ''}: "
            f"{difference:+.1f} {unit} ({low:+.1f} to {high:+.1f}), n = {found.n}."
        )

    def _provenance(self) -> Provenance:
        runs = (self.table.baseline.run, self.table.candidate.run)
        responses = [trial.response for run in runs for trial in run.trials]
        times = [response.recorded_at for response in responses if response.recorded_at is not None]
        spent = [run.spent_usd for run in runs if run.spent_usd is not None]
        reused = [trial.response for run in runs for trial in run.trials if trial.reused]
        began = self.around.began
        if began is not None:
            own = [response for response in reused if response.recorded_at and response.recorded_at >= began]
            spent += [response.cost_usd for response in own if response.cost_usd is not None]
            reused = reused[: len(reused) - len(own)]
        judges = [judge.spent_usd for judge in self.judges if judge.spent_usd is not None]
        corrections = ["none on the primary metric"]
        if self.p_adjusted is not None:
            corrections = [f"Holm over the candidates: intervals at {100 * (1 - self.alpha):.4g} %"]
        if self.corrected > 1:
            corrections.append(f"Holm over {self.corrected} further metrics")
        return Provenance(
            boxscore_version=__version__,
            created_at=(self.around.now or datetime.now(UTC)).isoformat(timespec="seconds"),
            scorers=runs[0].scorer_specs,
            prices=tuple(sorted({response.price for response in responses if response.price})),
            answers_from=min(times).isoformat(timespec="seconds") if times else None,
            answers_to=max(times).isoformat(timespec="seconds") if times else None,
            spent_usd=float(sum(spent)) if spent else None,
            judge_spent_usd=sum(judges) if judges else None,
            reused_trials=len(reused),
            minimum_detectable=measures.detectable(self.difference, self.primary, self.alpha),
            corrections=tuple(corrections),
            command=self.around.command,
            seed=self.around.seed,
        )

    def _id(self) -> str:
        """A short hash of all that the verdict was computed from."""
        digest = hashlib.sha256()
        for side in (self.table.baseline, self.table.candidate):
            digest.update(f"{side.run.variant.name}\0{side.run.variant.hash}\0{side.run.dataset_version}\0".encode())
            for name in sorted(side.values):
                digest.update(name.encode() + side.values[name].tobytes())
            digest.update(side.cost.tobytes() + side.latency.tobytes())
            digest.update(side.failed.tobytes() + side.tokens_out.tobytes())
        primary = [self.difference.method, repr(self.difference.low), repr(self.difference.high)]
        clusters = b"" if self.table.clusters is None else self.table.clusters.tobytes()
        digest.update(clusters)
        around = self.around
        digest.update(msgspec.json.encode([self._asked(), self.alpha, primary, list(around.slices), around.seed]))
        return digest.hexdigest()[:8]

    def _asked(self) -> dict[str, object]:
        """The rule; a waiver that it does not have is left out, so that the ids of before there were any stay."""
        asked = msgspec.structs.asdict(self.rule)
        return asked if self.rule.waive else {key: value for key, value in asked.items() if key != "waive"}
