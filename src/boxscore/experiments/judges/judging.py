"""Judging: verdicts on the answers of runs, as scores in their trials."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from boxscore.costs import PriceBook
from boxscore.datasets.dataset import Dataset
from boxscore.datasets.example import Example
from boxscore.errors import SpecError
from boxscore.experiments.budget import Budget
from boxscore.experiments.judges.bias import length_correlation
from boxscore.experiments.judges.judge import Judge
from boxscore.experiments.judges.questions import Questions, material
from boxscore.experiments.judges.variant import calls_of, said
from boxscore.experiments.runner import Progress, run
from boxscore.experiments.trial import Run, check_answered, failures
from boxscore.experiments.verdict import JudgeInfo
from boxscore.scoring.scorer import Metric

if TYPE_CHECKING:
    from boxscore.store.records import Records


class Judging:
    """The judges of one comparison. A judge's run is a run whose examples are answers: it is journaled, resumed, reused
    and capped as any other. The comparison may look several times at growing runs; `infos` tells of all of them.

    `infos` is by the id of a candidate's run. `budget` is the one cap of answers and verdicts.
    """

    def __init__(
        self,
        judges: Sequence[Judge],
        records: "Records",
        *,
        waived: Sequence[str] = (),
        concurrency: int = 8,
        budget: Budget | None = None,
        book: PriceBook | None = None,
        progress: Callable[[str, Progress], None] | None = None,
    ) -> None:
        self._judges = judges
        self._records = records
        self._waived = waived
        self._concurrency = concurrency
        self.budget = budget or Budget(None)
        self._book = book
        self._progress = progress
        self._spent: dict[str, Decimal] = {}
        self.infos: dict[str, tuple[JudgeInfo, ...]] = {}

    async def judge(
        self, runs: Sequence[Run], candidates: int, *, max_age_s: float | None = 86_400.0, fresh: bool = False
    ) -> list[Run]:
        """The runs with the judges' scores. The first is the baseline, the next `candidates` are compared with it; the
        rest is judged by itself.

        Judges are asked one after the other, each with all the calls that may be in flight. Raises as
        `boxscore.experiments.runner.run` does, and `NothingAnsweredError` for a judge that gave no verdict at all.
        """
        if not self._judges:
            return list(runs)
        judged = list(runs)
        told: dict[str, list[JudgeInfo]] = {one.id: [] for one in runs[1 : 1 + candidates]}
        for judge in self._judges:
            questions = Questions(judge, runs, candidates)
            if len(questions):
                questions.take(await self._ask(judge, questions.dataset(), max_age_s, fresh=fresh))
            judged = [questions.scored(one) for one in judged]
            for one in judged[1 : 1 + candidates]:
                told[one.id].append(self._info(judge, questions, judged[0], one))
        for before, after in zip(runs, judged, strict=True):
            await self._save(before, after)
        self.infos = {id: tuple(infos) for id, infos in told.items()}
        return judged

    async def close(self) -> None:
        """Lets go of what the judges hold."""
        await asyncio.gather(*(judge.asker.close() for judge in self._judges), return_exceptions=True)

    async def _ask(self, judge: Judge, dataset: Dataset, max_age_s: float | None, *, fresh: bool) -> Run:
        variant, progress = judge.variant(self._book), self._progress
        name = variant.info.name
        verdicts = await run(
            variant,
            dataset,
            (),
            self._records,
            concurrency=self._concurrency,
            repeats=judge.repeats,
            budget=self.budget,
            max_age_s=max_age_s,
            fresh=fresh,
            book=self._book,
            progress=None if progress is None else lambda state: progress(name, state),
        )
        check_answered(verdicts)
        self._spent[judge.name] = self._spent.get(judge.name, Decimal(0)) + (verdicts.spent_usd or Decimal(0))
        return verdicts

    def _info(self, judge: Judge, questions: Questions, baseline: Run, candidate: Run) -> JudgeInfo:
        verdicts = questions.verdicts(baseline, candidate)
        given = [trial for trial in verdicts if trial.response.error is None]
        priced = any(trial.response.cost_usd is not None for trial in verdicts)
        order = questions.order(candidate) if judge.form.kind == "pairwise" else None
        return JudgeInfo(
            name=judge.name,
            kind=judge.form.kind,
            hash=judge.variant().info.hash,
            model=judge.model,
            metrics=tuple(metric.name for metric in judge.metrics),
            waived=judge.name in self._waived,
            repeats=judge.repeats,
            verdicts=len(given),
            errors=len(verdicts) - len(given),
            failures=failures(verdicts),
            repaired=sum(calls_of(trial.response) > 1 for trial in given),
            reused=sum(trial.reused for trial in verdicts),
            spent_usd=float(self._spent.get(judge.name, Decimal(0))) if priced else None,
            pairs=order and order.pairs,
            disagreed=order and order.disagreed,
            first_favoured=order and order.first_favoured,
            second_favoured=order and order.second_favoured,
            length_correlation=_length(baseline, candidate, judge.metrics[0]),
        )

    async def _save(self, before: Run, after: Run) -> None:
        """The scores that the judges added, so that the run can be shown again."""
        from boxscore.experiments.journal import score_rows

        had = [trial.scores for trial in before.trials]
        await self._records.save_scores(
            [
                row
                for scores, trial in zip(had, after.trials, strict=True)
                for row in score_rows(
                    after.id,
                    trial.example_id,
                    trial.repeat,
                    {name: score for name, score in trial.scores.items() if name not in scores},
                )
            ]
        )


def check_judges(judges: Sequence[Judge], dataset: Dataset, metrics: Sequence[Metric]) -> None:
    """Refuse before the first call what judges could not do later: two metrics of one name (`metrics` are those of the
    scorers), a reference or an input that a prompt needs and an example lacks."""
    names = Counter(metric.name for metric in [*metrics, *(metric for judge in judges for metric in judge.metrics)])
    for judge in judges:
        for metric in judge.metrics:
            if names[metric.name] > 1:
                raise SpecError(
                    f"{metric.name!r} is the name of another metric too: give the judge another.",
                    key=f"judges.{judge.name}",
                )
        answers = dict.fromkeys(("first", "second") if judge.form.kind == "pairwise" else ("answer",), "")
        judge.variant().check(
            Example(id=example.id, inputs=material(judge, example, **answers)) for example in dataset.examples
        )


def _length(baseline: Run, candidate: Run, metric: Metric) -> float | None:
    """The correlation of the gain in score with the gain in characters, over the pairs of answers that were judged."""
    before = {(trial.example_id, trial.repeat): trial for trial in baseline.trials}
    gains: list[float] = []
    longer: list[int] = []
    for trial in candidate.trials:
        other = before.get((trial.example_id, trial.repeat))
        if other is None or other.response.error is not None or trial.response.error is not None:
            continue
        own = trial.scores.get(metric.name)
        was = own if metric.pairwise else other.scores.get(metric.name)
        if own is None or own.value is None or was is None or was.value is None:
            continue
        gains.append(2 * own.value - 1 if metric.pairwise else own.value - was.value)
        longer.append(len(said(trial.response)) - len(said(other.response)))
    return length_correlation(gains, longer)
