"""The runner: asks a variant every example, keeps what comes back, scores it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from boxscore.costs import PriceBook, default_book
from boxscore.datasets.dataset import Dataset
from boxscore.errors import NothingToCompareError, ProviderError, ScorerError, SpecError, SpendCapError, UsageError
from boxscore.experiments import scored
from boxscore.experiments.budget import Budget
from boxscore.experiments.forecast import Forecast, forecast
from boxscore.experiments.identity import new_id, utc_now
from boxscore.experiments.pricing import priced
from boxscore.experiments.sitting import Clock, Ids, Sitting, Slot
from boxscore.experiments.storable import storable, storable_response
from boxscore.experiments.todo import Sleep, Todo
from boxscore.experiments.trial import Run
from boxscore.experiments.variant import Checked, Metered, Variant
from boxscore.providers.response import ErrorInfo, Response
from boxscore.providers.secrets import mask
from boxscore.scoring.scorer import Scorer
from boxscore.store.records import Records

_GRACE_S = 10.0


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
    records: Records,
    *,
    concurrency: int = 8,
    repeats: int = 1,
    spend_cap_usd: Decimal | float | None = None,
    budget: Budget | None = None,
    max_age_s: float | None = 86_400.0,
    fresh: bool = False,
    book: PriceBook | None = None,
    retry_errors: bool = False,
    checked: bool = False,
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
    Raises `SpendCapError` when it is reached; before the first call `UnknownPriceError` when it cannot be watched (with
    the first answer where only answers tell a cost), `MissingReferenceError` and `TemplateError` (none of the latter
    two is looked for where the caller has `checked` it); `ScorerError` when a scorer gives no score. What came back
    before is kept in every case, and when the task is cancelled.
    """
    _check(concurrency, repeats, dataset, scorers)
    if not checked:
        if isinstance(variant, Checked):
            variant.check(dataset.examples)
        scored.check_references(scorers, dataset.examples)
    budget, book = budget or Budget(spend_cap_usd), book or default_book()
    if budget.cap_usd is not None and isinstance(variant, Metered):
        variant.check_price(book, needed_by="the spend cap")
    since = None if max_age_s is None else clock() - timedelta(seconds=max_age_s)
    sitting = Sitting(records, variant, dataset, scorers, repeats=repeats, fresh=fresh, clock=clock, ids=ids)
    sitting.open(since, retry_errors=retry_errors)
    try:
        work = _Work(
            variant,
            sitting,
            budget=budget,
            book=book,
            progress=progress,
            clock=clock,
            sleep=sleep,
        )
        await work.go(concurrency=concurrency, since=since)
        return sitting.finish()
    finally:
        sitting.close()


class _Work:
    """The calls of one sitting."""

    def __init__(
        self,
        variant: Variant,
        sitting: Sitting,
        *,
        budget: Budget,
        book: PriceBook,
        progress: Callable[[Progress], None] | None,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._variant = variant
        self._info = variant.info
        self._sitting = sitting
        self._budget = budget
        self._book = book
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._forecast: Forecast | None = None
        self._stopped = False

    async def go(self, *, concurrency: int, since: datetime | None) -> None:
        sitting = self._sitting
        self._budget.already_spent(sitting.spent_usd, sitting.priced_calls)
        todo = await sitting.take_what_is_there(since, self._report)
        self._foresee(todo)
        try:
            await self._call(todo, concurrency)
        finally:
            await sitting.saved()
        if self._stopped:
            left = sitting.total - len(sitting.trials)
            raise SpendCapError(float(self._budget.cap_usd or 0), float(self._budget.spent_usd), left)

    def _foresee(self, todo: Sequence[Slot]) -> None:
        """What the calls will cost, told before the first of them."""
        if self._progress is None or not todo:
            return
        asked = [slot.example for slot in todo]
        answered = self._sitting.answered()
        self._forecast = forecast(self._variant, asked, answered, book=self._book, at=self._clock())
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            sitting = self._sitting
            self._progress(
                Progress(
                    done=len(sitting.trials),
                    total=sitting.total,
                    errors=sitting.errors,
                    reused=sitting.reused,
                    spent_usd=sitting.spent_usd,
                    unpriced=sitting.unpriced,
                    forecast=self._forecast,
                )
            )

    async def _call(self, slots: list[Slot], concurrency: int) -> None:
        """Works through `slots`. The first error that is nobody's answer stops all workers."""
        todo = Todo(slots, sleep=self._sleep)
        workers = [asyncio.create_task(self._work(todo)) for _ in range(min(concurrency, len(slots)))]
        if not workers:
            return
        try:
            done, working = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            if working:  # one failed: nothing new is begun, and what the others are paying for may still come back
                self._stopped = True
                todo.stop()
                await asyncio.wait(working, timeout=_GRACE_S)
            for worker in done:
                worker.result()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, todo: Todo[Slot]) -> None:
        while (slot := await todo.next()) is not None:
            if self._stopped or not await self._budget.reserve():
                self._stopped = True
                todo.stop()
                return
            cost: Decimal | None = None
            try:
                response = await self._ask(slot, todo)
                if response is not None:
                    cost = response.cost_usd
                    await self._sitting.keep(slot, response)
            finally:
                self._budget.settle(cost)
            if response is None:
                continue
            self._sitting.settle(slot, response)
            self._report()
            if self._budget.cap_usd is not None:
                _refuse_unwatched(response, self._info.model or self._info.name)

    async def _ask(self, slot: Slot, todo: Todo[Slot]) -> Response | None:
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


def _refuse_unwatched(response: Response, name: str) -> None:
    """A cap on money that nobody can count would be a false promise."""
    from boxscore.errors import UnknownPriceError

    if response.error is not None or response.cost_usd is not None:
        return
    name = response.model or name
    if response.usage or response.usage_raw:
        raise UnknownPriceError(name, provider=response.provider, needed_by="the spend cap")
    raise SpecError(
        f"the answers of {name!r} say nothing of usage or cost, so the cap cannot be watched: have them say it, or "
        "give the variant a price (usd_per_mtok: 0 where it is free).",
        key="spend_cap_usd",
    )
