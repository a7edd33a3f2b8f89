"""What was run here: runs and how far they are, their trials, and variants beside each other on one dataset."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import NotFoundError
from boxscore.experiments.identity import utc_now
from boxscore.experiments.journal import load_run, response_of
from boxscore.experiments.report import sides
from boxscore.experiments.report.charts import frontier_of
from boxscore.experiments.report.score import columns_of
from boxscore.experiments.report.sheet import Drawing, LineCell, LineColumn, VariantLine, line_cell, line_columns
from boxscore.experiments.verdict import VariantSummary
from boxscore.providers.response import ToolCall
from boxscore.scoring.scorer import Metric
from boxscore.store.records import Records, RunRow, VariantRow
from boxscore.store.records.results import Results, RunCounts, TrialEntry, Which
from boxscore.text import stripped
from boxscore.types import Json

SILENT = timedelta(minutes=3)
"""Without a sign of life for so long, an unfinished run is taken to have stopped."""

MOST_VARIANTS = 12
"""Of a matrix: each is a run that is read whole."""

State = Literal["finished", "running", "stopped"]


class VariantRef(msgspec.Struct, frozen=True, kw_only=True):
    """Who answered; `model` as asked for."""

    name: str
    hash: str
    model: str | None


class RunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list. `stopped`: not finished, and nothing came back for three minutes; the same command resumes it.
    `job` is that which it was begun for. `per_s` are calls a second of the last minute and `left_s` what is left at
    that rate, None where nothing moves."""

    id: str
    variant: VariantRef
    dataset: str
    version: str
    metrics: tuple[str, ...]
    scorers: tuple[str, ...]
    repeats: int
    fresh: bool
    started_at: datetime
    finished_at: datetime | None
    state: State
    job: str | None
    counts: RunCounts
    per_s: float | None
    left_s: float | None


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A run with what its variant is and, once it has trials, its own line of the box score."""

    run: RunEntry
    kind: str
    description: Json
    columns: tuple[LineColumn, ...]
    cells: tuple[LineCell, ...]
    summary: VariantSummary | None


class TrialFailure(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    message: str
    status: int | None


class TrialScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer said of one answer; `value` None: it could not."""

    value: float | None
    label: str | None
    note: str | None


class TrialLine(msgspec.Struct, frozen=True, kw_only=True):
    """One trial as it is kept. `question` are the inputs as text; times are seconds, money exact decimal text."""

    example_id: str
    position: int
    repeat: int
    question: str
    inputs: dict[str, Json]
    reference: Json
    slices: dict[str, str]
    output: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    error: TrialFailure | None
    scores: dict[str, TrialScore]
    latency_s: float | None
    first_token_s: float | None
    cost_usd: Decimal | None
    price: str | None
    tokens_in: int | None
    tokens_out: int | None
    model: str | None
    finish_reason: str | None
    recorded_at: datetime | None
    reused: bool


class DatasetRuns(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a dataset that was run; `runs` are finished."""

    name: str
    version: str
    runs: int
    last_at: datetime


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Variants beside each other on one version of a dataset, from the newest finished run of each, the newest first.
    They were not compared: which is better only a verdict tells. `left_out` are more than are read at once."""

    dataset: str
    version: str
    examples: int
    metric: str
    columns: tuple[LineColumn, ...]
    lines: tuple[VariantLine, ...]
    frontier: Drawing
    left_out: int


class VariantEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as it is kept: `description` is what `hash` was computed from."""

    hash: str
    kind: str
    model: str | None
    description: Json


class History:
    """One project's runs and variants. Methods raise `NotFoundError` for an id that is not there."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._results = Results(records.database, records.project)

    def runs(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        dataset: str | None = None,
        variant: str | None = None,
        unfinished: bool = False,
    ) -> tuple[list[RunEntry], str | None]:
        found, following = self._results.runs(
            limit=limit, cursor=cursor, dataset=dataset, variant=variant, unfinished=unfinished
        )
        return self._entries(found), following

    def run(self, run_id: str) -> RunEntry:
        return self._entries([self._row(run_id)])[0]

    def detail(self, run_id: str) -> RunDetail:
        row = self._row(run_id)
        [entry] = self._entries([row])
        kept = self._results.variant(row.variant_hash)
        summary = self._summary(row) if entry.counts.trials else None
        found = [] if summary is None else columns_of([summary], entry.metrics[0] if entry.metrics else "", {})
        return RunDetail(
            run=entry,
            kind=kept.kind if kept else "",
            description=_description(kept),
            columns=tuple(line_columns(found)),
            cells=tuple(line_cell(column.cells[0], best=False) for column in found),
            summary=summary,
        )

    def trials(
        self,
        run_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        which: Which = "all",
        example: str | None = None,
    ) -> tuple[list[TrialLine], str | None]:
        self._row(run_id)
        found, following = self._results.trials(
            run_id, limit=limit, cursor=cursor, which=which, examples=None if example is None else [example]
        )
        return [_trial(one) for one in found], following

    def variants(self, *, limit: int, cursor: str | None = None) -> tuple[list[VariantEntry], str | None]:
        found, following = self._results.variants(limit=limit, cursor=cursor)
        return [_variant(row) for row in found], following

    def variant(self, hash: str) -> VariantEntry:
        row = self._results.variant(hash)
        if row is None:
            raise NotFoundError("variant", hash)
        return _variant(row)

    def datasets(self) -> list[DatasetRuns]:
        return [
            DatasetRuns(name=name, version=version, runs=runs, last_at=at)
            for name, version, runs, at in self._results.datasets()
        ]

    def matrix(self, dataset: str, version: str) -> Matrix:
        """Raises `NotFoundError` where no run of it has finished."""
        newest = self.newest(dataset, version)
        if not newest:
            raise NotFoundError("finished run of dataset", f"{dataset}@{version}")
        taken = newest[:MOST_VARIANTS]
        summaries = [self._summary(row) for row in taken]
        metrics = [_metrics(row) for row in taken]
        metric = metrics[0][0].name if metrics[0] else ""
        found = columns_of(summaries, metric, {})
        figure = frontier_of(summaries, metric)
        return Matrix(
            dataset=stripped(dataset),
            version=version,
            examples=max(counts.asked // row.repeats for row, counts in self._counted(taken)),
            metric=metric,
            columns=tuple(line_columns(found)),
            lines=tuple(
                VariantLine(
                    name=stripped(summary.name),
                    model=summary.model,
                    hash=summary.hash,
                    role="",
                    place=at,
                    run=row.id,
                    cells=tuple(line_cell(column.cells[at], best=False) for column in found),
                )
                for at, (row, summary) in enumerate(zip(taken, summaries, strict=True))
            ),
            frontier=Drawing(title=figure.title, words=figure.words, svg=figure.svg),
            left_out=len(newest) - len(taken),
        )

    def newest(self, dataset: str, version: str) -> list[RunRow]:
        """The newest finished run of each variant on that version."""
        found, _ = self._results.runs(limit=500, dataset=f"{dataset}@{version}")
        by_hash: dict[str, RunRow] = {}
        for row in found:
            if row.finished_at is not None and row.dataset_version == version:
                by_hash.setdefault(row.variant_hash, row)
        return list(by_hash.values())

    def _row(self, run_id: str) -> RunRow:
        row = self._results.run(run_id)
        if row is None:
            raise NotFoundError("run", run_id)
        return row

    def _summary(self, row: RunRow) -> VariantSummary:
        from boxscore.experiments.summary import summarise  # loads numpy
        from boxscore.experiments.table import clusters_of, column

        run = load_run(self._records, row.id)
        examples = run.examples
        if run.finished_at is None:  # what was not asked yet is no failure
            asked = {trial.example_id for trial in run.trials}
            examples = tuple(example for example in examples if example.id in asked)
        return summarise(column(run, examples, run.metrics), run.metrics, clusters_of(examples))

    def _counted(self, found: Sequence[RunRow]) -> list[tuple[RunRow, RunCounts]]:
        counts = self._results.counts(found, now=utc_now())
        return [(row, counts[row.id]) for row in found]

    def _entries(self, found: Sequence[RunRow]) -> list[RunEntry]:
        now = utc_now()
        return [_entry(row, counts, now) for row, counts in self._counted(found)]


def _entry(row: RunRow, counts: RunCounts, now: datetime) -> RunEntry:
    alive = max(row.started_at, counts.latest or row.started_at)
    state: State = "finished" if row.finished_at else "running" if now - alive < SILENT else "stopped"
    elapsed = min(60.0, max(1.0, (now - row.started_at).total_seconds()))
    rate = counts.recent / elapsed if state == "running" and counts.recent else None
    return RunEntry(
        id=row.id,
        variant=VariantRef(name=row.variant_name, hash=row.variant_hash, model=row.model),
        dataset=row.dataset_name,
        version=row.dataset_version,
        metrics=tuple(metric.name for metric in _metrics(row)),
        scorers=msgspec.json.decode(row.scorer_specs_json, type=tuple[str, ...]),
        repeats=row.repeats,
        fresh=row.fresh,
        started_at=row.started_at,
        finished_at=row.finished_at,
        state=state,
        job=row.job_id,
        counts=counts,
        per_s=rate,
        left_s=None if rate is None else max(0, counts.asked - counts.trials) / rate,
    )


def _metrics(row: RunRow) -> tuple[Metric, ...]:
    return msgspec.json.decode(row.metrics_json, type=tuple[Metric, ...])


def _description(row: VariantRow | None) -> Json:
    return {} if row is None else msgspec.json.decode(row.description_json)


def _variant(row: VariantRow) -> VariantEntry:
    return VariantEntry(hash=row.hash, kind=row.kind, model=row.model, description=_description(row))


def _trial(found: TrialEntry) -> TrialLine:
    example = msgspec.json.decode(found.example_json, type=Example)
    response = response_of(found.response)
    error = response.error
    return TrialLine(
        example_id=example.id,
        position=found.position,
        repeat=found.trial.repeat,
        question=sides.question(example.inputs),
        inputs=example.inputs,
        reference=example.reference,
        slices=example.slices,
        output=response.output,
        reasoning=response.reasoning,
        tool_calls=response.tool_calls,
        error=None if error is None else TrialFailure(kind=error.kind, message=error.message, status=error.status),
        scores={
            metric: TrialScore(value=value, label=label, note=note)
            for metric, (value, label, note) in found.scores.items()
        },
        latency_s=response.latency_s,
        first_token_s=response.first_token_s,
        cost_usd=response.cost_usd,
        price=response.price,
        tokens_in=response.usage.input_tokens if response.usage else None,
        tokens_out=response.usage.output_tokens if response.usage else None,
        model=response.model,
        finish_reason=response.finish_reason,
        recorded_at=response.recorded_at,
        reused=found.response.run_id != found.trial.run_id,
    )
