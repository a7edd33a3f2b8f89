"""Comparisons and runs as jobs: what a worker does for them, and what they will cost."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import msgspec

from boxscore import settings
from boxscore.costs import default_book
from boxscore.datasets import Example
from boxscore.errors import SpecError
from boxscore.experiments.forecast import Forecast, forecast
from boxscore.experiments.identity import utc_now
from boxscore.experiments.jobs_spec import Asked, Prepared, prepare
from boxscore.experiments.journal import response_of
from boxscore.experiments.live import ProgressOf, compare_on, run_variants
from boxscore.experiments.plan import Plan, plan
from boxscore.experiments.runner import Progress
from boxscore.experiments.sitting import slots
from boxscore.experiments.variant import Variant
from boxscore.jobs.task import Handler, Task
from boxscore.providers.response import Response
from boxscore.store.records import Records
from boxscore.types import Json

__all__ = ["COMPARISON", "RUN", "SHARD", "Estimate", "RunProgress", "checked", "estimate", "handlers", "progress_of"]

COMPARISON, RUN = "comparison", "run"
SHARD = 100
"""Trials of a step. Every answer is on disk as it comes: a step is what shows that an attempt was of use."""


class RunProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one variant or judge is: see `boxscore.experiments.runner.Progress`. Dollars are decimal strings;
    `forecast_usd` is what its `forecast_calls` were thought to cost before the first."""

    done: int
    total: int
    errors: int
    reused: int
    spent_usd: str
    unpriced: int
    forecast_calls: int | None = None
    forecast_usd: str | None = None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison can show and will cost: `calls` are those that no kept answer takes the place of; `usd` is a
    decimal string, None where a price is not known. Judges are asked on top, and are not in it."""

    plan: Plan
    calls: int
    usd: str | None
    spend_cap_usd: str


def handlers() -> Mapping[str, Handler]:
    return {COMPARISON: _compare, RUN: _run}


def checked(asked: Asked, records: Records) -> Asked:
    """What a job can do, with the spend cap that it has. Raises as `prepare` for what it could not."""
    prepared = prepare(asked, records, settings.load())
    asyncio.run(_close(prepared))
    return msgspec.structs.replace(asked, spend_cap_usd=prepared.effort.spend_cap_usd)


def estimate(asked: Asked, records: Records) -> Estimate:
    """Nothing is asked of anybody. Raises as `prepare`."""
    prepared = prepare(asked, records, settings.load())
    spec = prepared.spec
    metrics = [*(scorer.metric for scorer in spec.scorers), *spec.judge_metrics]
    planned = plan(
        prepared.dataset.name,
        prepared.dataset.examples,
        next(metric for metric in metrics if metric.name == spec.rule.metric),
        spec.rule,
        variants=len(prepared.variants),
        repeats=spec.repeats,
    )
    foreseen = [_foreseen(variant, prepared, records) for variant in prepared.variants]
    known = [one.usd for one in foreseen if one.usd is not None]
    asyncio.run(_close(prepared))
    return Estimate(
        plan=planned,
        calls=sum(one.calls for one in foreseen),
        usd=f"{sum(known, Decimal(0)):f}" if len(known) == len(foreseen) else None,
        spend_cap_usd=f"{prepared.effort.spend_cap_usd:g}",
    )


def progress_of(told: Json) -> dict[str, Progress]:
    """What a job's `progress` says, by variant or judge, as a run of this process would say it."""
    found = msgspec.convert(told or {}, dict[str, RunProgress])
    return {
        name: Progress(
            done=one.done,
            total=one.total,
            errors=one.errors,
            reused=one.reused,
            spent_usd=Decimal(one.spent_usd),
            unpriced=one.unpriced,
            forecast=None
            if one.forecast_calls is None
            else Forecast(
                calls=one.forecast_calls, usd=None if one.forecast_usd is None else Decimal(one.forecast_usd)
            ),
        )
        for name, one in found.items()
    }


async def _compare(task: Task) -> Json:
    prepared, records = _prepared(task)
    spec = prepared.spec
    comparisons = await compare_on(
        records,
        prepared.variants,
        prepared.dataset,
        spec.scorers,
        spec.rule,
        prepared.effort,
        candidates=len(prepared.variants) - 1,
        judges=prepared.judges,
        slices=spec.slices,
        seed=spec.seed,
        progress=_reporting(task),
    )
    return {
        "verdicts": [
            {
                "id": one.verdict.id,
                "verdict": one.verdict.verdict,
                "reason": one.verdict.reason,
                "candidate": one.verdict.candidate.name,
            }
            for one in comparisons
        ],
        "runs": [row.id for row in records.runs_of_job()],
    }


async def _run(task: Task) -> Json:
    prepared, records = _prepared(task)
    try:
        await run_variants(
            prepared.variants,
            prepared.dataset,
            prepared.spec.scorers,
            records,
            prepared.effort,
            _reporting(task),
            checked=True,
        )
    finally:
        await _close(prepared)
    return {"runs": [row.id for row in records.runs_of_job()]}


def _prepared(task: Task) -> tuple[Prepared, Records]:
    job = task.job
    records = Records(task.database, project=job.project, job=job.id)
    try:
        asked = msgspec.convert(job.spec, Asked)
    except msgspec.ValidationError as error:
        raise SpecError(f"this worker does not read such a spec: {error}; is it of an older Boxscore?") from None
    prepared = prepare(asked, records, settings.load())
    effort = msgspec.structs.replace(prepared.effort, began=job.started_at)
    return msgspec.structs.replace(prepared, effort=effort), records


def _foreseen(variant: Variant, prepared: Prepared, records: Records) -> Forecast:
    """The calls for which no answer is kept."""
    effort, now = prepared.effort, utc_now()
    since = None if effort.max_age_s is None else now - timedelta(seconds=effort.max_age_s)
    kept = {} if effort.fresh else records.answers(variant.info.hash, not_older_than=since)
    asked: list[Example] = []
    answered: list[tuple[Example, Response]] = []
    for slot in slots(prepared.dataset.examples, effort.repeats):
        row = kept.get((slot.question_hash, slot.draw))
        if row is None:
            asked.append(slot.example)
        else:
            answered.append((slot.example, response_of(row)))
    return forecast(variant, asked, answered, book=effort.book or default_book(), at=now)


def _reporting(task: Task) -> ProgressOf:
    runs: dict[str, RunProgress] = {}

    def report(name: str, progress: Progress) -> None:
        foreseen = progress.forecast
        runs[name] = RunProgress(
            done=progress.done,
            total=progress.total,
            errors=progress.errors,
            reused=progress.reused,
            spent_usd=f"{progress.spent_usd:f}",
            unpriced=progress.unpriced,
            forecast_calls=foreseen and foreseen.calls,
            forecast_usd=None if foreseen is None or foreseen.usd is None else f"{foreseen.usd:f}",
        )
        task.report(runs, step=sum(one.done for one in runs.values()) // SHARD)

    return report


async def _close(prepared: Prepared) -> None:
    closing = [*(variant.close() for variant in prepared.variants), *(judge.asker.close() for judge in prepared.judges)]
    await asyncio.gather(*closing, return_exceptions=True)
