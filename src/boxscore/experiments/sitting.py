"""One sitting of a run: what the records have of it, what it still lacks, and what comes in."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from boxscore.datasets.dataset import Dataset
from boxscore.datasets.example import Example
from boxscore.experiments import journal, scored
from boxscore.experiments.identity import plan_hash, question_hash
from boxscore.experiments.trial import Run, Trial
from boxscore.experiments.variant import Variant
from boxscore.providers.response import Response
from boxscore.scoring.scorer import Scorer
from boxscore.store.records import ExampleRow, Records, ResponseRow, RunRow, ScoreRow, TrialRow
from boxscore.store.records.backend import Lock

Clock = Callable[[], datetime]
Ids = Callable[[], str]
_BREATH = 64
_SCORES_AT_ONCE = 256


class Slot(msgspec.Struct, frozen=True, eq=False):
    """A trial to be: `draw` numbers the answers to one question, so that two examples that ask the same get two."""

    position: int
    example: Example
    repeat: int
    question_hash: str
    draw: int


def slots(examples: Sequence[Example], repeats: int) -> Iterator[Slot]:
    """All trials; every example once before any example twice, so that a run cut short has seen the most."""
    hashes = [question_hash(example) for example in examples]
    for repeat in range(repeats):
        seen: Counter[str] = Counter()
        for position, (example, asked) in enumerate(zip(examples, hashes, strict=True)):
            yield Slot(position, example, repeat, asked, seen[asked] * repeats + repeat)
            seen[asked] += 1


class Sitting:
    """Call `open`, then `take_what_is_there`; `keep` each response, then `settle` it; at the end `saved` and `finish`;
    `close` in every case. The counts are of the rows so far."""

    def __init__(
        self,
        records: Records,
        variant: Variant,
        dataset: Dataset,
        scorers: Sequence[Scorer],
        *,
        repeats: int,
        fresh: bool,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self.trials: dict[tuple[int, int], Trial] = {}
        self.errors = 0
        self.reused = 0
        self.unpriced = 0
        self.priced_calls = 0
        self.spent_usd = Decimal(0)
        self._records = records
        self._variant = variant
        self._dataset = dataset
        self._scorers = scorers
        self._repeats = repeats
        self._fresh = fresh
        self._clock = clock
        self._ids = ids
        self._lock: Lock | None = None
        self._unsaved: list[ScoreRow] = []
        self._saving: set[asyncio.Task[None]] = set()

    @property
    def total(self) -> int:
        return len(self._dataset.examples) * self._repeats

    def open(self, since: datetime | None, *, retry_errors: bool) -> None:
        """Goes on with the run of this plan that nobody works on, else begins a new one; locks it. A job goes on with
        its own, finished or not: its answers are taken as they are, its errors tried again."""
        rows = journal.example_rows(self._dataset.examples)
        plan, other = (
            plan_hash(
                variant_hash=self._variant.info.hash,
                variant_name=self._variant.info.name,
                hashes=[row.hash for row in rows],
                scorers=self._scorers,
                repeats=self._repeats,
                fresh=fresh,
            )
            for fresh in (self._fresh, not self._fresh)
        )
        if retry_errors:  # what went wrong the last time, with `fresh` or without
            last = [row for hashed in (plan, other) for row in self._records.runs_of_plan(hashed)[:1]]
            found = sorted(last, key=lambda row: (row.started_at, row.id))[-1:]
        elif self._records.job is not None:
            found = self._records.runs_of_plan(plan)[:1]
        else:
            found = self._records.runs_of_plan(plan, finished=False, active_since=since)
        self._run, self._lock = self._earlier(found, finished=retry_errors) or self._new(plan, rows)
        totals = self._records.totals(self._run.id)
        self.spent_usd, self.unpriced = totals.spent_usd, totals.unpriced
        self.priced_calls = totals.calls - totals.unpriced

    async def take_what_is_there(self, since: datetime | None, report: Callable[[], None]) -> list[Slot]:
        """Fills trials from this run's earlier sitting and from other runs; what is left has to be called."""
        own = {
            (trial.example_id, trial.repeat): row
            for trial, row in self._records.run_trials(self._run.id)
            if row.error_kind is None
        }
        info = self._variant.info
        others = {} if self._fresh else self._records.answers(info.hash, not_older_than=since)
        taken: list[tuple[Slot, ResponseRow]] = []
        linked: list[TrialRow] = []
        todo: list[Slot] = []
        for slot in slots(self._dataset.examples, self._repeats):
            row = own.get((slot.example.id, slot.repeat))
            if row is None:
                row = others.get((slot.question_hash, slot.draw))
                if row is not None:
                    linked.append(self._trial_row(slot, row.id))
            if row is None:
                todo.append(slot)
            else:
                taken.append((slot, row))
        if linked:
            await self._records.save_trials(linked)
        for number, (slot, row) in enumerate(taken):
            self.settle(slot, journal.response_of(row), reused=row.run_id != self._run.id)
            report()
            if number % _BREATH == 0:
                await asyncio.sleep(0)  # so that Ctrl-C and the progress bar get their turn
        return todo

    def answered(self) -> Iterator[tuple[Example, Response]]:
        examples = self._dataset.examples
        return ((examples[position], trial.response) for (position, _), trial in self.trials.items())

    async def keep(self, slot: Slot, response: Response) -> None:
        """Returns when the response is on disk: only then may it be scored."""
        row = journal.response_row(
            response,
            id=self._ids(),
            run_id=self._run.id,
            variant_hash=self._variant.info.hash,
            question_hash=slot.question_hash,
            draw=slot.draw,
            recorded_at=response.recorded_at or self._clock(),
        )
        await self._records.save_response(row, self._trial_row(slot, row.id))
        if response.cost_usd is None:
            self.unpriced += 1
        else:
            self.spent_usd += response.cost_usd

    def settle(self, slot: Slot, response: Response, *, reused: bool = False) -> None:
        """Scores what was kept. Scores can be made again at no cost, so they are saved many at once, and nobody waits
        for them."""
        scores = scored.score(self._scorers, slot.example, response)
        self.trials[slot.position, slot.repeat] = Trial(
            example_id=slot.example.id, repeat=slot.repeat, response=response, scores=scores, reused=reused
        )
        self.errors += response.error is not None
        self.reused += reused
        self._unsaved += journal.score_rows(self._run.id, slot.example.id, slot.repeat, scores)
        if len(self._unsaved) >= _SCORES_AT_ONCE:
            self._save_scores()

    async def saved(self) -> None:
        """Returns when all scores are on disk."""
        if self._unsaved:
            self._save_scores()
        if self._saving:
            await asyncio.gather(*self._saving)

    def finish(self) -> Run:
        """The whole run, trials in the dataset's order."""
        finished = self._clock()
        self._records.finish_run(self._run.id, finished)
        trials = tuple(self.trials[key] for key in sorted(self.trials))
        return msgspec.structs.replace(self._run, trials=trials, finished_at=finished, spent_usd=self.spent_usd)

    def close(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _earlier(self, found: Sequence[RunRow], *, finished: bool) -> tuple[Run, Lock | None] | None:
        """The first of the runs that nobody works on, with its lock; with `finished` a finished one too."""
        for row in found:
            lock = self._records.lock_run(row.id)
            if self._records.job is not None:
                # Who lost the job to us may hang and have the lock still, and cannot write: the job is fenced.
                return self._as_run(row.id, row.started_at), lock
            if lock is None:
                continue
            # It may have finished before we had the lock.
            if finished or self._records.run(row.id).finished_at is None:
                self._fresh = row.fresh
                return self._as_run(row.id, row.started_at), lock
            lock.release()
        return None

    def _new(self, plan: str, rows: Sequence[ExampleRow]) -> tuple[Run, Lock]:
        run = self._as_run(self._ids(), self._clock())
        lock = self._records.lock_run(run.id)
        if lock is None:
            raise RuntimeError(f"the id {run.id!r} was given twice")
        self._records.start_run(
            journal.run_row(run, plan_hash=plan, repeats=self._repeats, fresh=self._fresh, job_id=self._records.job),
            journal.variant_row(self._variant),
            rows,
        )
        return run, lock

    def _as_run(self, id: str, started_at: datetime) -> Run:
        return Run(
            id=id,
            variant=self._variant.info,
            dataset_name=self._dataset.name,
            dataset_version=self._dataset.version,
            examples=self._dataset.examples,
            metrics=tuple(scorer.metric for scorer in self._scorers),
            trials=(),
            scorer_specs=tuple(scorer.spec for scorer in self._scorers),
            started_at=started_at,
        )

    def _trial_row(self, slot: Slot, response_id: str) -> TrialRow:
        return TrialRow(run_id=self._run.id, example_id=slot.example.id, repeat=slot.repeat, response_id=response_id)

    def _save_scores(self) -> None:
        rows, self._unsaved = self._unsaved, []
        task = asyncio.create_task(self._records.save_scores(rows))
        self._saving.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is None:
            self._saving.discard(task)  # a failed one stays, so that `saved` raises it
