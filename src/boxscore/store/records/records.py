"""The records store's narrow interface: what goes in, what comes out, nothing decided."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, exc
from sqlalchemy.dialects.sqlite import insert

from boxscore.errors import StoreError, UnknownNameError
from boxscore.store.records import schema
from boxscore.store.records.engine import FILE, open_engine
from boxscore.store.records.locks import FileLock
from boxscore.store.records.rows import (
    ExampleRow,
    ResponseRow,
    RunRow,
    ScoreRow,
    Totals,
    TrialRow,
    VariantRow,
    VerdictRow,
)
from boxscore.store.records.writer import Write, Writer

Row = TypeVar("Row", bound=msgspec.Struct)

_ADD_VARIANT = insert(schema.variants).on_conflict_do_nothing()
_ADD_EXAMPLE = insert(schema.examples).on_conflict_do_nothing()
_ADD_RUN = sa.insert(schema.runs)
_ADD_RUN_EXAMPLE = sa.insert(schema.run_examples)
_ADD_RESPONSE = sa.insert(schema.responses)
_put_trial = insert(schema.trials)
_PUT_TRIAL = _put_trial.on_conflict_do_update(
    index_elements=["run_id", "example_id", "repeat"], set_={"response_id": _put_trial.excluded.response_id}
)
_put_score = insert(schema.scores)
_PUT_SCORE = _put_score.on_conflict_do_update(
    index_elements=["run_id", "example_id", "repeat", "metric"],
    set_={name: _put_score.excluded[name] for name in ("value", "label", "note")},
)
_FINISH_RUN = (
    sa.update(schema.runs).where(schema.runs.c.id == sa.bindparam("of_run")).values(finished_at=sa.bindparam("at"))
)
_put_verdict = insert(schema.verdicts)
_PUT_VERDICT = _put_verdict.on_conflict_do_update(
    index_elements=["id"],
    set_={
        name: _put_verdict.excluded[name]
        for name in ("created_at", "verdict", "baseline_run", "candidate_run", "content_json")
    },
)


class Records:
    """One project's records in `HOME/records.db`. Safe to use from threads and event loops; two processes may write.

    Every write returns after its commit is on disk. Failures are `boxscore.errors.StoreError`. Close it, or use it
    as a context manager.
    """

    def __init__(self, home: Path, *, project: str = schema.DEFAULT_PROJECT) -> None:
        self.path = home / FILE
        self._project = project
        self._engine = open_engine(self.path)
        self._writer = Writer(self._engine, str(self.path))

    @classmethod
    def open(cls, home: Path) -> "Records":
        """Opens the store in the folder `home`, makes it where there is none, migrates it where it is older."""
        return cls(home)

    def close(self) -> None:
        """Waits for what is being written, then lets go of the file."""
        self._writer.close()
        self._engine.dispose()

    def __enter__(self) -> "Records":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Runs

    def start_run(self, run: RunRow, variant: VariantRow, examples: Sequence[ExampleRow]) -> None:
        """Writes the run, its variant and its examples; all or nothing."""
        project: dict[str, object] = {"project_id": self._project}
        self._writer.submit(
            [
                Write(0, _ADD_VARIANT, [project | msgspec.structs.asdict(variant)]),
                Write(
                    0,
                    _ADD_EXAMPLE,
                    [project | {"hash": row.hash, "content_json": row.content_json} for row in examples],
                ),
                Write(1, _ADD_RUN, [project | msgspec.structs.asdict(run)]),
                Write(
                    2,
                    _ADD_RUN_EXAMPLE,
                    [
                        project
                        | {
                            "run_id": run.id,
                            "position": row.position,
                            "example_id": row.example_id,
                            "example_hash": row.hash,
                            "question_hash": row.question_hash,
                        }
                        for row in examples
                    ],
                ),
            ]
        ).result()

    def finish_run(self, run_id: str, at: datetime) -> None:
        self._writer.submit([Write(9, _FINISH_RUN, [{"of_run": run_id, "at": at}])]).result()

    def lock_run(self, run_id: str) -> FileLock | None:
        """The lock of the one process that works on this run, None when another has it. The kernel frees it when the
        process dies."""
        lock = FileLock(self.path.parent / "locks" / f"{run_id}.lock")
        return lock if lock.acquire(wait=False) else None

    def runs_of_plan(
        self, plan_hash: str, *, finished: bool = True, active_since: datetime | None = None
    ) -> list[RunRow]:
        """Runs of this plan, the newest first: all, or without the `finished` ones; only those with a sign of life at
        or after `active_since` (None: any)."""
        runs, responses = schema.runs, schema.responses
        last = sa.select(sa.func.max(responses.c.recorded_at)).where(responses.c.run_id == runs.c.id).scalar_subquery()
        asked = (
            sa.select(runs)
            .where(runs.c.project_id == self._project, runs.c.plan_hash == plan_hash)
            .order_by(runs.c.started_at.desc(), runs.c.id.desc())
        )
        if not finished:
            asked = asked.where(runs.c.finished_at.is_(None))
        if active_since is not None:
            asked = asked.where(sa.func.coalesce(last, runs.c.started_at) >= sa.literal(active_since, schema.UtcTime))
        with self._reading() as connection:
            return [_row(RunRow, found) for found in connection.execute(asked).mappings()]

    def run(self, run_id: str) -> RunRow:
        """The run of that id; `UnknownNameError` where there is none."""
        with self._reading() as connection:
            found = (
                connection.execute(
                    sa.select(schema.runs).where(schema.runs.c.project_id == self._project, schema.runs.c.id == run_id)
                )
                .mappings()
                .one_or_none()
            )
        if found is None:
            raise UnknownNameError("run", run_id, [row.id for row in self.runs()])
        return _row(RunRow, found)

    def runs(self, *, limit: int = 100) -> list[RunRow]:
        """The newest runs first."""
        asked = (
            sa.select(schema.runs)
            .where(schema.runs.c.project_id == self._project)
            .order_by(schema.runs.c.started_at.desc(), schema.runs.c.id.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return [_row(RunRow, found) for found in connection.execute(asked).mappings()]

    def run_examples(self, run_id: str) -> list[ExampleRow]:
        """The examples that the run asks, in order."""
        of, examples = schema.run_examples, schema.examples
        asked = (
            sa.select(of.c.position, of.c.example_id, examples.c.hash, of.c.question_hash, examples.c.content_json)
            .join(examples, sa.and_(examples.c.project_id == of.c.project_id, examples.c.hash == of.c.example_hash))
            .where(of.c.run_id == run_id)
            .order_by(of.c.position)
        )
        with self._reading() as connection:
            return [_row(ExampleRow, found) for found in connection.execute(asked).mappings()]

    # Trials, responses, scores

    async def save_response(self, response: ResponseRow, trial: TrialRow) -> None:
        """Keeps what came back and the trial that it answers. Returns after the commit: only then may it be scored."""
        await self._write(
            [
                Write(3, _ADD_RESPONSE, [{"project_id": self._project} | msgspec.structs.asdict(response)]),
                Write(4, _PUT_TRIAL, [msgspec.structs.asdict(trial)]),
            ]
        )

    async def save_trials(self, trials: Sequence[TrialRow]) -> None:
        """Trials whose responses are there already; a trial that has one takes the new one."""
        await self._write([Write(4, _PUT_TRIAL, [msgspec.structs.asdict(row) for row in trials])])

    async def save_scores(self, scores: Sequence[ScoreRow]) -> None:
        """Scores of saved trials; a score of the same trial and metric is replaced."""
        await self._write([Write(5, _PUT_SCORE, [msgspec.structs.asdict(row) for row in scores])])

    def find_response(
        self, variant_hash: str, question_hash: str, draw: int, *, not_older_than: datetime | None = None
    ) -> ResponseRow | None:
        """The newest answer (never an error) of this identity, of any run."""
        asked = self._answers(variant_hash, not_older_than).where(
            schema.responses.c.question_hash == question_hash, schema.responses.c.draw == draw
        )
        newest = asked.order_by(schema.responses.c.recorded_at.desc(), schema.responses.c.id.desc()).limit(1)
        with self._reading() as connection:
            found = connection.execute(newest).mappings().one_or_none()
        return None if found is None else _row(ResponseRow, found)

    def answers(
        self, variant_hash: str, *, not_older_than: datetime | None = None
    ) -> dict[tuple[str, int], ResponseRow]:
        """The newest answer (never an error) of this variant by (question hash, draw), of all runs."""
        asked = self._answers(variant_hash, not_older_than)
        oldest_first = asked.order_by(schema.responses.c.recorded_at, schema.responses.c.id)
        with self._reading() as connection:
            rows = (_row(ResponseRow, found) for found in connection.execute(oldest_first).mappings())
            return {(row.question_hash, row.draw): row for row in rows}

    def run_trials(self, run_id: str) -> list[tuple[TrialRow, ResponseRow]]:
        """The trials of a run with their responses, by place of the example, then repeat."""
        trials, responses, of = schema.trials, schema.responses, schema.run_examples
        asked = (
            sa.select(trials.c.example_id, trials.c.repeat, responses)
            .join(responses, responses.c.id == trials.c.response_id)
            .join(of, sa.and_(of.c.run_id == trials.c.run_id, of.c.example_id == trials.c.example_id))
            .where(trials.c.run_id == run_id)
            .order_by(of.c.position, trials.c.repeat)
        )
        with self._reading() as connection:
            return [
                (
                    TrialRow(
                        run_id=run_id,
                        example_id=found["example_id"],
                        repeat=found["repeat"],
                        response_id=found["id"],
                    ),
                    _row(ResponseRow, found),
                )
                for found in connection.execute(asked).mappings()
            ]

    def run_scores(self, run_id: str) -> list[ScoreRow]:
        """All scores of a run, in no particular order."""
        asked = sa.select(schema.scores).where(schema.scores.c.run_id == run_id)
        with self._reading() as connection:
            return [_row(ScoreRow, found) for found in connection.execute(asked).mappings()]

    def totals(self, run_id: str) -> Totals:
        """Counts and sums over the rows of a run as they are now; money is added as exact decimals."""
        trials, responses = schema.trials, schema.responses
        counted = (
            sa.select(
                sa.func.count().label("trials"),
                sa.func.count(responses.c.error_kind).label("errors"),
                sa.func.coalesce(sa.func.sum(sa.cast(responses.c.run_id != run_id, sa.Integer)), 0).label("reused"),
            )
            .join(responses, responses.c.id == trials.c.response_id)
            .where(trials.c.run_id == run_id)
        )
        # SQLite would add money as binary floats, so it only groups; the sums are made here.
        paid = (
            sa.select(responses.c.cost_usd, sa.func.count().label("calls"))
            .where(responses.c.run_id == run_id)
            .group_by(responses.c.cost_usd)
        )
        with self._reading() as connection:
            counts = connection.execute(counted).mappings().one()
            costs = connection.execute(paid).all()
        return Totals(
            trials=counts["trials"],
            errors=counts["errors"],
            reused=counts["reused"],
            calls=sum(calls for _, calls in costs),
            unpriced=sum(calls for cost, calls in costs if cost is None),
            spent_usd=sum((cost * calls for cost, calls in costs if cost is not None), Decimal(0)),
        )

    # Verdicts

    def save_verdict(self, verdict: VerdictRow) -> None:
        """Keeps a verdict; one of the same id is replaced."""
        row: dict[str, object] = {"project_id": self._project}
        self._writer.submit([Write(9, _PUT_VERDICT, [row | msgspec.structs.asdict(verdict)])]).result()

    def verdict(self, verdict_id: str) -> VerdictRow:
        """The verdict of that id; `UnknownNameError` where there is none."""
        table = schema.verdicts
        asked = sa.select(table).where(table.c.project_id == self._project, table.c.id == verdict_id)
        with self._reading() as connection:
            found = connection.execute(asked).mappings().one_or_none()
        if found is None:
            raise UnknownNameError("verdict", verdict_id, [row.id for row in self.verdicts()])
        return _row(VerdictRow, found)

    def verdicts(self, *, limit: int = 100) -> list[VerdictRow]:
        """The newest verdicts first."""
        table = schema.verdicts
        asked = sa.select(table).where(table.c.project_id == self._project).order_by(table.c.created_at.desc())
        with self._reading() as connection:
            return [_row(VerdictRow, found) for found in connection.execute(asked.limit(limit)).mappings()]

    # Within

    def _answers(self, variant_hash: str, not_older_than: datetime | None) -> "sa.Select[Any]":
        table = schema.responses
        asked = sa.select(table).where(
            table.c.project_id == self._project,
            table.c.variant_hash == variant_hash,
            table.c.error_kind.is_(None),
        )
        return asked if not_older_than is None else asked.where(table.c.recorded_at >= not_older_than)

    async def _write(self, writes: Sequence[Write]) -> None:
        await self._writer.submit_async(writes)

    @contextmanager
    def _reading(self) -> Generator[Connection, None, None]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except exc.DBAPIError as error:
            raise StoreError(f"{self.path} could not be read: {error.orig}.") from error


def _row(kind: type[Row], found: Mapping[Any, Any]) -> Row:
    return kind(**{name: found[name] for name in kind.__struct_fields__})
