"""The runner: asks a variant every example, keeps what comes back, scores it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from boxscore.costs import PriceBook, default_book
from boxscore.datasets.dataset import Dataset
from boxscore.datasets.example import Example
from boxscore.errors import NothingToCompareError, ProviderError, ScorerError, SpecError, SpendCapError, UsageError
from boxscore.experiments import scored
from boxscore.experiments.budget import Budget
from boxscore.experiments.forecast import Forecast, forecast
from boxscore.experiments.identity import new_id, plan_hash, question_hash, utc_now
from boxscore.experiments.pricing import priced
from boxscore.experiments.storable import storable, storable_response
from boxscore.experiments.todo import Sleep, Todo
from boxscore.experiments.trial import Run, Trial
from boxscore.experiments.variant import Checked, Variant
from boxscore.providers.response import ErrorInfo, Response
from boxscore.providers.secrets import mask
from boxscore.scoring.scorer import Score, Scorer

if TYPE_CHECKING:  # the records store loads SQLAlchemy, which nobody needs before a run starts
    from boxscore.store.records import Records, ResponseRow, ScoreRow
    from boxscore.store.records.locks import FileLock

Clock = Callable[[], datetime]
Ids = Callable[[], str]
_BREATH = 64
_GRACE_S = 10.0
_SCORES_AT_ONCE = 256


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands. `done` of `total` trials have a response; `reused` of them were paid by another run,
    `errors` of them are error rows. `spent_usd` is what this run has paid, as far as prices are known; `unpriced` calls
    have no known cost. `forecast` was made before the first call, of those that were still to be made."""

    done: int
    total: int
    errors: int
    reused: int
    spent_usd: Decimal
    unpriced: int
    forecast: Forecast | None = None


async def run(
    variant: Variant,
    dataset: Dataset,
    scorers: Sequence[Scorer],
    records: "Records",
    *,
    concurrency: int = 8,
    repeats: int = 1,
    spend_cap_usd: Decimal | float | None = None,
    budget: Budget | None = None,
    max_age_s: float | None = 86_400.0,
    fresh: bool = False,
    book: PriceBook | None = None,
    retry_errors: bool = False,
    progress: Callable[[Progress], None] | None = None,
    clock: Clock = utc_now,
    ids: Ids = new_id,
    sleep: Sleep = asyncio.sleep,
) -> Run:
    """Runs what is missing of `variant` over `dataset` and gives back the whole run, trials in the dataset's order.

    A run of the same plan that did not finish is resumed: its answers are taken as they are, its errors tried again.
    Answers of other runs to the same questions are taken when they are younger than `max_age_s` seconds (None: any
    age); with `fresh`, never. With `retry_errors` the newest run of this plan is taken up again, finished or not and
    however old, and only its errors are asked. Every response is on disk before it is scored. A refused call is made
    again where that is safe (see `todo`); what fails for good is a trial with an error and never stops the run.

    Costs are by `book` (default: the built-in prices after the user's own), for what the variant does not price itself.
    `spend_cap_usd` limits what this run pays over all its sittings; `budget` is one cap shared by several runs.
    Raises `SpendCapError` when it is reached, `UnknownPriceError` when it cannot be watched, `MissingReferenceError`
    and `TemplateError` before the first call, `ScorerError` when a scorer gives no score. What came back before is
    kept in every case, and when the task is cancelled.
    """
    work = _Run(
        variant=variant,
        dataset=dataset,
        scorers=scorers,
        records=records,
        repeats=repeats,
        budget=budget or Budget(spend_cap_usd),
        book=book or default_book(),
        progress=progress,
        clock=clock,
        ids=ids,
        sleep=sleep,
    )
    _check(concurrency, repeats, dataset, scorers)
    if isinstance(variant, Checked):
        variant.check(dataset.examples)
    scored.check_references(scorers, dataset.examples)
    return await work.go(
        concurrency=concurrency,
        max_age=None if max_age_s is None else timedelta(seconds=max_age_s),
        fresh=fresh,
        retry_errors=retry_errors,
    )


class _Slot(msgspec.Struct, frozen=True, eq=False):
    """A trial to be: `draw` numbers the answers to one question, so that two examples that ask the same get two."""

    position: int
    example: Example
    repeat: int
    question_hash: str
    draw: int


class _Run:
    def __init__(
        self,
        *,
        variant: Variant,
        dataset: Dataset,
        scorers: Sequence[Scorer],
        records: "Records",
        repeats: int,
        budget: Budget,
        book: PriceBook,
        progress: Callable[[Progress], None] | None,
        clock: Clock,
        ids: Ids,
        sleep: Sleep,
    ) -> None:
        self._variant = variant
        self._info = variant.info
        self._dataset = dataset
        self._scorers = scorers
        self._records = records
        self._repeats = repeats
        self._budget = budget
        self._book = book
        self._progress = progress
        self._clock = clock
        self._ids = ids
        self._sleep = sleep
        self._trials: dict[tuple[int, int], Trial] = {}
        self._errors = 0
        self._reused = 0
        self._unpriced = 0
        self._spent = Decimal(0)
        self._forecast: Forecast | None = None
        self._stopped = False
        self._unsaved: list[ScoreRow] = []
        self._saving: set[asyncio.Task[None]] = set()

    async def go(self, *, concurrency: int, max_age: timedelta | None, fresh: bool, retry_errors: bool) -> Run:
        since = None if max_age is None else self._clock() - max_age
        run, lock = self._open(since, fresh=fresh, retry_errors=retry_errors)
        self._id = run.id
        try:
            todo = await self._take_what_is_there(list(self._slots()), since, fresh=fresh)
            self._foresee(todo)
            try:
                await self._call(todo, concurrency)
            finally:
                await self._saved()
            if self._stopped:
                raise SpendCapError(
                    float(self._budget.cap_usd or 0), float(self._budget.spent_usd), self._total - len(self._trials)
                )
            finished = self._clock()
            self._records.finish_run(run.id, finished)
        finally:
            lock.release()
        return msgspec.structs.replace(
            run,
            trials=tuple(self._trials[key] for key in sorted(self._trials)),
            finished_at=finished,
            spent_usd=self._spent,
        )

    # Before the first call

    def _open(self, since: datetime | None, *, fresh: bool, retry_errors: bool) -> tuple[Run, "FileLock"]:
        """The run of this plan to go on with that nobody works on, else a new one; locked."""
        from boxscore.experiments import journal

        rows = journal.example_rows(self._dataset.examples)
        plan = plan_hash(
            variant_hash=self._info.hash,
            variant_name=self._info.name,
            hashes=[row.hash for row in rows],
            scorers=self._scorers,
            repeats=self._repeats,
            fresh=fresh,
        )
        if retry_errors:
            earlier = self._records.runs_of_plan(plan)[:1]
        else:
            earlier = self._records.runs_of_plan(plan, finished=False, active_since=since)
        for found in earlier:
            lock = self._records.lock_run(found.id)
            if lock is None:
                continue
            # It may have finished before we had the lock.
            if retry_errors or self._records.run(found.id).finished_at is None:
                return self._new_run(found.id, found.started_at), lock
            lock.release()
        run = self._new_run(self._ids(), self._clock())
        lock = self._records.lock_run(run.id)
        if lock is None:
            raise RuntimeError(f"the id {run.id!r} was given twice")
        self._records.start_run(
            journal.run_row(run, plan_hash=plan, repeats=self._repeats, fresh=fresh),
            journal.variant_row(self._variant),
            rows,
        )
        return run, lock

    def _new_run(self, id: str, started_at: datetime) -> Run:
        return Run(
            id=id,
            variant=self._info,
            dataset_name=self._dataset.name,
            dataset_version=self._dataset.version,
            examples=self._dataset.examples,
            metrics=tuple(scorer.metric for scorer in self._scorers),
            trials=(),
            scorer_specs=tuple(scorer.spec for scorer in self._scorers),
            started_at=started_at,
        )

    def _slots(self) -> Iterator[_Slot]:
        """All trials; every example once before any example twice, so that a run cut short has seen the most."""
        hashes = [question_hash(example) for example in self._dataset.examples]
        for repeat in range(self._repeats):
            seen: Counter[str] = Counter()
            for position, (example, asked) in enumerate(zip(self._dataset.examples, hashes, strict=True)):
                yield _Slot(position, example, repeat, asked, seen[asked] * self._repeats + repeat)
                seen[asked] += 1

    @property
    def _total(self) -> int:
        return len(self._dataset.examples) * self._repeats

    async def _take_what_is_there(self, slots: list[_Slot], since: datetime | None, *, fresh: bool) -> list[_Slot]:
        """Fills trials from this run's earlier sitting and from other runs; what is left has to be called."""
        from boxscore.experiments.journal import response_of
        from boxscore.store.records import TrialRow

        totals = self._records.totals(self._id)
        self._spent, self._unpriced = totals.spent_usd, totals.unpriced
        self._budget.already_spent(totals.spent_usd, totals.calls - totals.unpriced)
        own = {
            (trial.example_id, trial.repeat): row
            for trial, row in self._records.run_trials(self._id)
            if row.error_kind is None
        }
        others = {} if fresh else self._records.answers(self._info.hash, not_older_than=since)
        taken: list[tuple[_Slot, ResponseRow]] = []
        linked: list[TrialRow] = []
        todo: list[_Slot] = []
        for slot in slots:
            row = own.get((slot.example.id, slot.repeat))
            if row is None:
                row = others.get((slot.question_hash, slot.draw))
                if row is not None:
                    linked.append(
                        TrialRow(run_id=self._id, example_id=slot.example.id, repeat=slot.repeat, response_id=row.id)
                    )
            if row is None:
                todo.append(slot)
            else:
                taken.append((slot, row))
        if linked:
            await self._records.save_trials(linked)
        for number, (slot, row) in enumerate(taken):
            self._settle(slot, response_of(row), reused=row.run_id != self._id)
            if number % _BREATH == 0:
                await asyncio.sleep(0)  # so that Ctrl-C and the progress bar get their turn
        return todo

    def _foresee(self, todo: Sequence[_Slot]) -> None:
        """What the calls will cost, told before the first of them."""
        if self._progress is None or not todo:
            return
        examples = {example.id: example for example in self._dataset.examples}
        answered = ((examples[trial.example_id], trial.response) for trial in self._trials.values())
        asked = [slot.example for slot in todo]
        self._forecast = forecast(self._variant, asked, answered, book=self._book, at=self._clock())
        self._report()

    # Calls

    async def _call(self, slots: list[_Slot], concurrency: int) -> None:
        """Works through `slots`. The first error that is nobody's answer stops all workers."""
        todo = Todo(slots, sleep=self._sleep)
        workers = [asyncio.create_task(self._work(todo)) for _ in range(min(concurrency, len(slots)))]
        if not workers:
            return
        try:
            done, working = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            if working:  # one failed: nothing new is begun, and what the others are paying for may still come back
                self._stopped = True
                await asyncio.wait(working, timeout=_GRACE_S)
            for worker in done:
                worker.result()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, todo: Todo[_Slot]) -> None:
        while (slot := await todo.next()) is not None:
            if self._stopped or not await self._budget.reserve():
                self._stopped = True
                return
            cost: Decimal | None = None
            try:
                response = await self._ask(slot, todo)
                if response is not None:
                    cost = response.cost_usd
                    await self._keep(slot, response)
            finally:
                self._budget.settle(cost)
            if response is None:
                continue
            self._settle(slot, response, reused=False)
            if self._budget.cap_usd is not None:
                _refuse_unwatched(response, self._info.model)

    async def _ask(self, slot: _Slot, todo: Todo[_Slot]) -> Response | None:
        """The variant's answer with its price and time, or an error in its place; None when it is asked again."""
        started = time.perf_counter()
        try:
            response = await self._variant.answer(slot.example, repeat=slot.repeat)
        except UsageError:
            raise
        except ProviderError as error:
            if todo.again(slot, error):
                return None
            response = _failed(error.kind, str(error), status=error.status)
        except Exception as error:  # noqa: BLE001 - the application's own failure is a row, as its users would see it
            response = _failed("server", f"{type(error).__name__}: {error}")
        waited = time.perf_counter() - started
        now = self._clock()
        response = msgspec.structs.replace(
            storable_response(response),
            latency_s=waited if response.latency_s is None else response.latency_s,
            recorded_at=now,
        )
        return priced(response, model=self._info.model, at=now, book=self._book)

    async def _keep(self, slot: _Slot, response: Response) -> None:
        from boxscore.experiments.journal import response_row
        from boxscore.store.records import TrialRow

        row = response_row(
            response,
            id=self._ids(),
            run_id=self._id,
            variant_hash=self._info.hash,
            question_hash=slot.question_hash,
            draw=slot.draw,
            recorded_at=response.recorded_at or self._clock(),
        )
        trial = TrialRow(run_id=self._id, example_id=slot.example.id, repeat=slot.repeat, response_id=row.id)
        await self._records.save_response(row, trial)
        if response.cost_usd is None:
            self._unpriced += 1
        else:
            self._spent += response.cost_usd

    # Scores

    def _settle(self, slot: _Slot, response: Response, *, reused: bool) -> None:
        scores = scored.score(self._scorers, slot.example, response)
        self._trials[slot.position, slot.repeat] = Trial(
            example_id=slot.example.id, repeat=slot.repeat, response=response, scores=scores, reused=reused
        )
        self._errors += response.error is not None
        self._reused += reused
        if scores:
            self._save(slot, scores)
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(
                Progress(
                    done=len(self._trials),
                    total=self._total,
                    errors=self._errors,
                    reused=self._reused,
                    spent_usd=self._spent,
                    unpriced=self._unpriced,
                    forecast=self._forecast,
                )
            )

    def _save(self, slot: _Slot, scores: dict[str, Score]) -> None:
        """Scores can be made again at no cost, so they are saved many at once and the worker does not wait for them."""
        from boxscore.experiments.journal import score_rows

        self._unsaved += score_rows(self._id, slot.example.id, slot.repeat, scores)
        if len(self._unsaved) >= _SCORES_AT_ONCE:
            self._save_scores()

    def _save_scores(self) -> None:
        rows, self._unsaved = self._unsaved, []
        task = asyncio.create_task(self._records.save_scores(rows))
        self._saving.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is None:
            self._saving.discard(task)  # a failed one stays, so that _saved raises it

    async def _saved(self) -> None:
        if self._unsaved:
            self._save_scores()
        if self._saving:
            await asyncio.gather(*self._saving)


def _check(concurrency: int, repeats: int, dataset: Dataset, scorers: Sequence[Scorer]) -> None:
    if concurrency < 1:
        raise SpecError(f"{concurrency} calls at once get nothing done: 1 is the least.", key="concurrency")
    if repeats < 1:
        raise SpecError(f"{repeats} answers per example are none: 1 is the least.", key="repeats")
    if not dataset.examples:
        raise NothingToCompareError(f"dataset {dataset.name!r} has no examples, so there is nothing to ask.")
    names = Counter(scorer.metric.name for scorer in scorers)
    for scorer in scorers:
        if names[scorer.metric.name] > 1:
            raise ScorerError(
                scorer.spec, f"another scorer measures {scorer.metric.name!r} too: give one of them another name"
            )


def _failed(kind: str, message: str, *, status: int | None = None) -> Response:
    return Response(error=ErrorInfo(kind=kind, message=storable(mask(message)), status=status))


def _refuse_unwatched(response: Response, model: str | None) -> None:
    """A cap on money that nobody can count would be a false promise."""
    from boxscore.errors import UnknownPriceError

    if response.error is not None or response.cost_usd is not None:
        return
    name = response.model or model or "this variant"
    if response.usage or response.usage_raw:
        raise UnknownPriceError(name, provider=response.provider, needed_by="the spend cap")
    raise SpecError(
        f"the answers of {name!r} say nothing of usage or cost, so the cap cannot be watched: have them say it, or "
        "give the variant a price (usd_per_mtok: 0 where it is free).",
        key="spend_cap_usd",
    )
