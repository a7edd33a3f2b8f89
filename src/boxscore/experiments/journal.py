"""Between the structs of an experiment and the rows of the records store."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from boxscore.datasets.example import Example
from boxscore.experiments.identity import example_hash, question_hash
from boxscore.experiments.storable import storable_json
from boxscore.experiments.trial import Run, Trial, VariantInfo
from boxscore.experiments.variant import Described, Variant
from boxscore.providers.response import ErrorInfo, Response, ToolCall, Usage
from boxscore.scoring.scorer import Metric, Score
from boxscore.store.records import (
    ExampleRow,
    Records,
    ResponseRow,
    RunRow,
    ScoreRow,
    VariantRow,
)
from boxscore.types import Json


def load_run(records: Records, run_id: str, judged: Sequence[Metric] = ()) -> Run:
    """A run as it is in the store now; `finished_at` is None while it is not finished. `judged` are metrics that judges
    added to it.

    `boxscore.errors.UnknownNameError` where there is no such run.
    """
    row = records.run(run_id)
    scores: dict[tuple[str, int], dict[str, Score]] = {}
    for score in records.run_scores(run_id):
        of = scores.setdefault((score.example_id, score.repeat), {})
        of[score.metric] = Score(value=score.value, label=score.label, note=score.note)
    metrics = (*msgspec.json.decode(row.metrics_json, type=tuple[Metric, ...]), *judged)
    trials = [
        Trial(
            example_id=trial.example_id,
            repeat=trial.repeat,
            response=response_of(response),
            scores=_in_order(scores.get((trial.example_id, trial.repeat), {}), metrics),
            reused=response.run_id != run_id,
        )
        for trial, response in records.run_trials(run_id)
    ]
    return Run(
        id=row.id,
        variant=VariantInfo(name=row.variant_name, hash=row.variant_hash, model=row.model),
        dataset_name=row.dataset_name,
        dataset_version=row.dataset_version,
        examples=tuple(
            msgspec.json.decode(example.content_json, type=Example) for example in records.run_examples(run_id)
        ),
        metrics=metrics,
        trials=tuple(trials),
        scorer_specs=msgspec.json.decode(row.scorer_specs_json, type=tuple[str, ...]),
        started_at=row.started_at,
        finished_at=row.finished_at,
        spent_usd=records.totals(run_id).spent_usd,
    )


def variant_row(variant: Variant) -> VariantRow:
    """The variant as kept: its hash with what the hash was computed from, where the variant says so."""
    described = isinstance(variant, Described)
    return VariantRow(
        hash=variant.info.hash,
        kind=variant.kind if described else type(variant).__name__,
        model=variant.info.model,
        description_json=_json(variant.description if described else {}),
    )


def example_rows(examples: Sequence[Example]) -> list[ExampleRow]:
    return [
        ExampleRow(
            position=position,
            example_id=example.id,
            hash=example_hash(example),
            question_hash=question_hash(example),
            content_json=_json(example),
        )
        for position, example in enumerate(examples)
    ]


def response_row(
    response: Response,
    *,
    id: str,
    run_id: str,
    variant_hash: str,
    question_hash: str,
    draw: int,
    recorded_at: datetime,
) -> ResponseRow:
    error = response.error
    return ResponseRow(
        id=id,
        run_id=run_id,
        variant_hash=variant_hash,
        question_hash=question_hash,
        draw=draw,
        recorded_at=recorded_at,
        output=response.output,
        tool_calls_json=_json(response.tool_calls) if response.tool_calls else None,
        finish_reason=response.finish_reason,
        model=response.model,
        provider=response.provider,
        fingerprint=response.fingerprint,
        usage_json=None if response.usage is None else _json(response.usage),
        usage_raw_json=None if response.usage_raw is None else _json(response.usage_raw),
        cost_usd=response.cost_usd,
        price=response.price,
        latency_s=response.latency_s,
        first_token_s=response.first_token_s,
        error_kind=error and error.kind,
        error_message=error and error.message,
        error_status=error and error.status,
        reasoning=response.reasoning or None,
        extra_json=_json(response.extra) if response.extra else None,
    )


def response_of(row: ResponseRow) -> Response:
    return Response(
        output=row.output,
        tool_calls=(
            () if row.tool_calls_json is None else msgspec.json.decode(row.tool_calls_json, type=tuple[ToolCall, ...])
        ),
        finish_reason=row.finish_reason,
        model=row.model,
        provider=row.provider,
        fingerprint=row.fingerprint,
        usage=None if row.usage_json is None else msgspec.json.decode(row.usage_json, type=Usage),
        usage_raw=None if row.usage_raw_json is None else msgspec.json.decode(row.usage_raw_json),
        cost_usd=row.cost_usd,
        price=row.price,
        latency_s=row.latency_s,
        first_token_s=row.first_token_s,
        recorded_at=row.recorded_at,
        error=(
            None
            if row.error_kind is None
            else ErrorInfo(kind=row.error_kind, message=row.error_message or "", status=row.error_status)
        ),
        reasoning=row.reasoning or "",
        extra={} if row.extra_json is None else msgspec.json.decode(row.extra_json, type=dict[str, Json]),
    )


def run_row(run: Run, *, plan_hash: str, repeats: int, fresh: bool, job_id: str | None = None) -> RunRow:
    return RunRow(
        id=run.id,
        plan_hash=plan_hash,
        variant_hash=run.variant.hash,
        variant_name=run.variant.name,
        model=run.variant.model,
        dataset_name=run.dataset_name,
        dataset_version=run.dataset_version,
        repeats=repeats,
        metrics_json=_json(run.metrics),
        scorer_specs_json=_json(run.scorer_specs),
        fresh=fresh,
        started_at=run.started_at or _missing("started_at"),
        finished_at=run.finished_at,
        job_id=job_id,
    )


def score_rows(run_id: str, example_id: str, repeat: int, scores: dict[str, Score]) -> list[ScoreRow]:
    return [
        ScoreRow(
            run_id=run_id,
            example_id=example_id,
            repeat=repeat,
            metric=metric,
            value=None if score.value is None else float(score.value),
            label=storable_json(score.label),
            note=storable_json(score.note),
        )
        for metric, score in scores.items()
    ]


def _in_order(scores: dict[str, Score], metrics: tuple[Metric, ...]) -> dict[str, Score]:
    return {metric.name: scores[metric.name] for metric in metrics if metric.name in scores}


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _missing(field: str) -> datetime:
    raise ValueError(f"a run needs {field} before it can be kept")
