"""Comparing variants live: run what is missing, score it, decide."""

import asyncio
import importlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from boxscore import settings
from boxscore.costs import PriceBook, default_book
from boxscore.datasets import Dataset
from boxscore.errors import SpecError, SpendCapError
from boxscore.experiments.baseline import Standing
from boxscore.experiments.budget import Budget
from boxscore.experiments.comparison import Circumstances, Comparison
from boxscore.experiments.identity import utc_now
from boxscore.experiments.judges.judge import Judge
from boxscore.experiments.judges.judging import Judging, check_judges
from boxscore.experiments.loop import run_alone
from boxscore.experiments.runner import Progress, run
from boxscore.experiments.scored import check_references
from boxscore.experiments.trial import Run, check_answered
from boxscore.experiments.variant import Checked, Metered, Variant
from boxscore.experiments.verdict import Rule
from boxscore.scoring import Scorer

if TYPE_CHECKING:  # SQLite is loaded by whoever opens the store, not by reading this
    from boxscore.experiments.statistics import Difference
    from boxscore.store.records import Records

_CALLS_WAIT_S = 0.05
"""After which the first calls are on their way, and there is time to load what is needed when they are back."""

ProgressOf = Callable[[str, Progress], None]
"""Called with a variant's name and how far its run is."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How hard to try: calls at once over all variants, answers per example, money, and which old answers will do.

    `max_age_s` in seconds, None for any age; with `retry_errors` the last runs are taken up again, and only their
    errors are asked; `stop_early` ends the run when the primary metric is clear; `book` has the prices (default: the
    built-in ones after the user's own). `began` is when this comparison was first begun, where an earlier process had
    begun it: what it has asked since is fresh.
    """

    concurrency: int = 8
    repeats: int = 1
    spend_cap_usd: float | None = None
    max_age_s: float | None = 86_400.0
    fresh: bool = False
    retry_errors: bool = False
    stop_early: bool = False
    book: PriceBook | None = None
    began: datetime | None = None


async def run_variants(
    variants: Sequence[Variant],
    dataset: Dataset,
    scorers: Sequence[Scorer],
    records: "Records",
    effort: Effort,
    progress: ProgressOf | None = None,
    *,
    budget: Budget | None = None,
    checked: bool = False,
) -> list[Run]:
    """Run all variants at the same time, so that they meet the same hour of their providers, under one spend cap.

    When one fails, the others are stopped and what came back is kept. One that got no answer at all is a
    `NothingAnsweredError`. `checked`: prompts and references are known to fit the examples.
    """
    shared = budget or Budget(effort.spend_cap_usd)
    share = max(1, effort.concurrency // max(1, len(variants)))
    tasks = [
        asyncio.create_task(
            run(
                variant,
                dataset,
                scorers,
                records,
                concurrency=share,
                repeats=effort.repeats,
                budget=shared,
                max_age_s=effort.max_age_s,
                fresh=effort.fresh,
                retry_errors=effort.retry_errors,
                checked=checked,
                book=effort.book,
                progress=None if progress is None else _named(progress, variant.info.name),
            )
        )
        for variant in variants
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        if any(isinstance(task.exception(), SpendCapError) for task in done):
            await asyncio.wait(tasks)  # the others meet the same cap; what they have in flight is paid for
            ends = [task.exception() for task in tasks]
            left = sum(end.left for end in ends if isinstance(end, SpendCapError))
            capped = SpendCapError(float(shared.cap_usd or 0), float(shared.spent_usd), left)
            raise next((end for end in ends if end is not None and not isinstance(end, SpendCapError)), capped)
        runs = [task.result() for task in tasks] if all(task.done() for task in tasks) else _first_failure(done)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for one in runs:
        check_answered(one)
    return runs


def compare_variants(
    variants: Mapping[str, Variant],
    dataset: Dataset,
    scorers: Sequence[Scorer],
    rule: Rule,
    *,
    baseline: str,
    candidates: Sequence[str],
    also: Sequence[str] = (),
    standing: Standing | None = None,
    judges: Sequence[Judge] = (),
    home: Path,
    project: str | None = None,
    effort: Effort | None = None,
    slices: Sequence[str] = (),
    command: str | None = None,
    seed: int = 0,
    progress: ProgressOf | None = None,
) -> list[Comparison]:
    """One comparison per candidate, with every answer and verdict kept in the records store of `home`. `also` names
    variants that are run and shown beside them, without a verdict. `standing` is a baseline that was run before: it
    takes the place of `baseline`, and brings the dataset that it can be compared on. `judges` are asked about the
    answers when all are there. `project` is by default that of the settings."""
    from boxscore.store.records import Records

    effort = effort or Effort()
    chosen = [variants[name] for name in (*(() if standing else (baseline,)), *candidates, *also)]
    check_comparison(chosen, dataset, scorers, rule, effort, judges, candidates=len(candidates), standing=standing)
    configured = settings.load()
    project = project or configured.project or "default"
    with Records.open(home, configured.records_url, project=project) as records:
        return run_alone(
            compare_on(
                records,
                chosen,
                dataset,
                scorers,
                rule,
                effort,
                candidates=len(candidates),
                standing=standing,
                judges=judges,
                slices=slices,
                command=command,
                seed=seed,
                progress=progress,
            )
        )


async def compare_on(
    records: "Records",
    variants: Sequence[Variant],
    dataset: Dataset,
    scorers: Sequence[Scorer],
    rule: Rule,
    effort: Effort,
    *,
    candidates: int,
    standing: Standing | None = None,
    judges: Sequence[Judge] = (),
    slices: Sequence[str] = (),
    command: str | None = None,
    seed: int = 0,
    progress: ProgressOf | None = None,
) -> list[Comparison]:
    """As `compare_variants` of what `check_comparison` took, in a store that is open. `variants` are the baseline where
    none is `standing`, so many `candidates`, and those that are shown beside them; they are closed."""
    dataset, total = (dataset, len(dataset)) if standing is None else (standing.dataset, standing.total)
    began = effort.began or utc_now()
    judging = Judging(
        judges,
        records,
        waived=rule.waive,
        concurrency=effort.concurrency,
        budget=Budget(effort.spend_cap_usd),
        book=effort.book,
        progress=progress,
    )
    loading = threading.Timer(_CALLS_WAIT_S, importlib.import_module, ["boxscore.experiments.comparing"])
    loading.start()
    try:
        runs, primary = await _run(
            variants, dataset, scorers, rule, records, effort, seed, progress, judging, candidates
        )
    finally:
        loading.cancel()
    runs = runs if standing is None else [standing.run, *runs]
    around = Circumstances(
        warnings=() if standing is None else standing.warnings,
        command=command,
        seed=seed,
        dataset_total=total,
        slices=slices,
        also=runs[1 + candidates :],
        began=began if effort.stop_early else None,
        judges=judging.infos,
    )
    from boxscore.experiments.comparing import compare_many, compare_runs

    tested = runs[1 : 1 + candidates]
    if primary is not None:
        comparisons = [compare_runs(runs[0], tested[0], rule, around, primary=primary)]
    else:
        comparisons = compare_many(runs[0], tested, rule, around)
    for comparison, candidate in zip(comparisons, tested, strict=True):
        _keep(records, comparison, runs[0] if standing is None else None, candidate)
    return comparisons


async def _run(
    variants: Sequence[Variant],
    dataset: Dataset,
    scorers: Sequence[Scorer],
    rule: Rule,
    records: "Records",
    effort: Effort,
    seed: int,
    progress: ProgressOf | None,
    judging: Judging,
    candidates: int,
) -> "tuple[list[Run], Difference | None]":
    """All runs, judged, and the primary difference where it was watched to stop early."""

    async def run_on(part: Dataset, max_age_s: float | None) -> list[Run]:
        again = effort
        if max_age_s is not None and effort.began is not None:
            max_age_s = max(max_age_s, (utc_now() - effort.began).total_seconds() + 1.0)
        if max_age_s is not None and effort.fresh:  # what this very comparison has asked is fresh enough
            again = msgspec.structs.replace(effort, fresh=False, max_age_s=max_age_s)
        runs = await run_variants(
            variants, part, scorers, records, again, progress, budget=judging.budget, checked=True
        )
        # Only errors are asked again: verdicts on answers that stay as they are stay too, however old.
        age = None if again.retry_errors else again.max_age_s
        return await judging.judge(runs, candidates, max_age_s=age, fresh=again.fresh and not again.retry_errors)

    try:
        if effort.stop_early:
            from boxscore.experiments.early import run_until_clear

            return await run_until_clear(dataset, rule, run_on, seed=seed)
        return await run_on(dataset, None), None
    finally:
        closing = [*(variant.close() for variant in variants), judging.close()]
        await asyncio.gather(*closing, return_exceptions=True)


def check_comparison(
    variants: Sequence[Variant],
    dataset: Dataset,
    scorers: Sequence[Scorer],
    rule: Rule,
    effort: Effort,
    judges: Sequence[Judge] = (),
    *,
    candidates: int,
    standing: Standing | None = None,
) -> None:
    """What can be refused is refused before a store is made or a call paid."""
    dataset = dataset if standing is None else standing.dataset
    if effort.stop_early:
        from boxscore.experiments.early import check_early

        check_early(rule, candidates, standing=standing is not None)
    if standing is not None and judges:
        raise SpecError("a baseline file keeps scores and no answers, so judges have nothing to judge.", key="judges")
    for variant in variants:
        if isinstance(variant, Checked):
            variant.check(dataset.examples)
    check_references(scorers, dataset.examples)
    check_judges(judges, dataset, [scorer.metric for scorer in scorers])
    needed_by = _needs_dollars(rule, effort)
    if needed_by is not None:
        book = effort.book or default_book()
        for variant in variants:
            if isinstance(variant, Metered):
                variant.check_price(book, needed_by=needed_by)
        if effort.spend_cap_usd is not None:  # a rule weighs dollars of answers; the cap counts those of judges too
            for judge in judges:
                judge.variant().check_price(book, needed_by="the spend cap")


def _needs_dollars(rule: Rule, effort: Effort) -> str | None:
    if rule.kind == "value":
        return "the value rule"
    if any(guard.metric == "cost_per_1k_usd" for guard in rule.guards):
        return "the guard on cost_per_1k_usd"
    return None if effort.spend_cap_usd is None else "the spend cap"


def _keep(records: "Records", comparison: Comparison, baseline: Run | None, candidate: Run) -> None:
    from boxscore.store.records import VerdictRow

    verdict = comparison.verdict
    records.save_verdict(
        VerdictRow(
            id=verdict.id,
            created_at=utc_now(),
            verdict=verdict.verdict,
            baseline_run=baseline and baseline.id,
            candidate_run=candidate.id,
            content_json=msgspec.json.encode(verdict).decode(),
        )
    )


def _first_failure(done: Iterable["asyncio.Task[Run]"]) -> list[Run]:
    """Raises what the failed run of these raised; one of them has failed, or all would be over."""
    return [task.result() for task in done]


def _named(progress: ProgressOf, name: str) -> Callable[[Progress], None]:
    return lambda state: progress(name, state)
