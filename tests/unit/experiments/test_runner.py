"""The runner, with a fake provider and a real records store."""

import asyncio
import math
from decimal import Decimal

import pytest

from boxscore.costs import fixed_row
from boxscore.datasets.dataset import Dataset, version_of
from boxscore.datasets.example import Example
from boxscore.errors import (
    MissingReferenceError,
    NothingToCompareError,
    ScorerError,
    SpecError,
    SpendCapError,
    TemplateError,
    UnknownPriceError,
)
from boxscore.experiments.budget import Budget
from boxscore.experiments.callables import CallableVariant
from boxscore.experiments.identity import question_hash
from boxscore.experiments.journal import load_run
from boxscore.experiments.runner import run
from boxscore.experiments.variants import PromptVariant
from boxscore.providers import Response, ToolCall
from boxscore.scoring.scorer import Metric, Score
from boxscore.store.records import Records
from boxscore.testing import CountingClock, CountingIds, FakeProvider, Fault


class Exact:
    spec = "exact"
    metric = Metric(name="exact")

    def score(self, example, response):
        if example.reference is None:
            raise MissingReferenceError("exact", example.id)
        return Score(value=float(response.output == example.reference), label=response.output)


class Gives(Exact):
    """A scorer that says `value` to every answer."""

    def __init__(self, value, *, name="gives", kind="rate"):
        self.value, self.metric, self.spec = value, Metric(name=name, kind=kind), f"gives:{value}"

    def score(self, example, response):
        if isinstance(self.value, Exception):
            raise self.value
        return Score(value=self.value)


class Priced:
    """A variant that costs a cent a call; `provider` does the rest."""

    def __init__(self, provider, name="candidate", cents=1):
        self.inner = variant(provider, name)
        self.info, self.cents = self.inner.info, cents

    async def answer(self, example, *, repeat):
        response = await self.inner.answer(example, repeat=repeat)
        return Response(output=response.output, cost_usd=Decimal(self.cents) / 100, price="test")

    async def close(self):
        pass


def dataset(count=3, **more):
    examples = tuple(Example(id=f"e{n}", inputs={"n": n}, reference=f"{n}", **more) for n in range(count))
    return Dataset(name="numbers", version=version_of(examples), examples=examples)


def variant(provider, name="candidate", prompt="{{ n }}"):
    return PromptVariant(name=name, prompt=prompt, provider=provider, model="m")


def echo(request):
    return request.messages[-1].content


@pytest.fixture
def records(database) -> Records:
    return Records(database)


def go(asked, records, data=None, scorers=None, **options):
    return asyncio.run(run(asked, dataset() if data is None else data, scorers or [Exact()], records, **options))


def test_a_run_has_a_scored_trial_for_every_example_in_the_datasets_order(records):
    found = go(variant(FakeProvider(echo)), records, dataset(20), concurrency=7)

    assert [trial.example_id for trial in found.trials] == [f"e{n}" for n in range(20)]
    assert all(trial.scores["exact"].value == 1 for trial in found.trials)
    assert found.finished_at is not None
    assert (found.dataset_name, found.scorer_specs, found.metrics) == ("numbers", ("exact",), (Exact.metric,))


def test_the_store_gives_back_the_very_run_that_was_returned(records):
    found = go(
        variant(FakeProvider(echo, usage={"prompt_tokens": 3, "completion_tokens": 2})),
        records,
        repeats=2,
        clock=CountingClock(),
        ids=CountingIds(),
    )

    assert load_run(records, found.id) == found


def test_no_more_calls_than_allowed_are_in_flight(records):
    provider = FakeProvider(echo)

    go(variant(provider), records, dataset(30), concurrency=4)

    assert provider.most_in_flight == 4


def test_a_failed_call_is_an_error_row_and_the_others_go_on(records):
    provider = FakeProvider({"1": Fault("server", "boom", 500), "0": "0", "2": "2"})

    found = go(variant(provider), records)

    failed = found.trials[1]
    assert (failed.response.error.kind, failed.response.error.status) == ("server", 500)
    assert "boom" in failed.response.error.message
    assert failed.scores == {}
    assert records.totals(found.id).errors == 1


def test_an_applications_own_exception_is_an_error_row_without_its_secrets(records, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "hush-hush-0001")

    class Broken(Priced):
        async def answer(self, example, *, repeat):
            raise RuntimeError("cannot log in with hush-hush-0001")

    found = go(Broken(FakeProvider("")), records)

    assert found.trials[0].response.error.message == "RuntimeError: cannot log in with [MY_API_KEY]"


def test_the_same_run_again_pays_nothing(records):
    provider = FakeProvider(echo)
    first = go(variant(provider), records)
    again = go(variant(provider), records)

    assert len(provider.requests) == 3
    assert first.id != again.id
    assert [trial.response for trial in again.trials] == [trial.response for trial in first.trials]
    assert all(trial.reused for trial in again.trials)


def test_a_fresh_run_pays_again(records):
    provider = FakeProvider(echo)
    go(variant(provider), records)
    again = go(variant(provider), records, fresh=True)

    assert len(provider.requests) == 6
    assert not any(trial.reused for trial in again.trials)


def test_an_answer_older_than_the_maximum_age_is_paid_again(records):
    provider, clock = FakeProvider(echo), CountingClock()
    go(variant(provider), records, clock=clock, max_age_s=3600)
    clock.advance(1800)
    go(variant(provider), records, clock=clock, max_age_s=3600)
    assert len(provider.requests) == 3
    clock.advance(1800)
    go(variant(provider), records, clock=clock, max_age_s=3600)

    assert len(provider.requests) == 6


def test_another_prompt_is_another_identity(records):
    provider = FakeProvider("0")
    go(variant(provider), records)
    go(variant(provider, prompt="Say {{ n }}"), records)

    assert len(provider.requests) == 6


def test_a_corrected_reference_is_scored_again_without_a_call(records):
    provider = FakeProvider("5")
    assert sum(trial.scores["exact"].value for trial in go(variant(provider), records).trials) == 0
    corrected = tuple(Example(id=f"e{n}", inputs={"n": n}, reference="5") for n in range(3))
    again = go(variant(provider), records, Dataset(name="numbers", version="2", examples=corrected))

    assert sum(trial.scores["exact"].value for trial in again.trials) == 3
    assert len(provider.requests) == 3


def test_an_error_is_never_reused(records):
    provider = FakeProvider([Fault("timeout"), "1", "2", "0"])
    first = go(variant(provider), records, concurrency=1)
    again = go(variant(provider), records, concurrency=1)

    assert first.trials[0].response.error
    assert again.trials[0].response.output == "0"
    assert len(provider.requests) == 4


def test_two_examples_that_ask_the_same_get_an_answer_each(records):
    twins = tuple(Example(id=name, inputs={"n": 1}, reference="1") for name in ("a", "b"))
    provider = FakeProvider(str(n) for n in range(9))
    data = Dataset(name="twins", version="1", examples=twins)

    found = go(variant(provider), records, data, repeats=2, concurrency=1)
    again = go(variant(provider), records, data, repeats=2, concurrency=1)

    outputs = [trial.response.output for trial in found.trials]
    assert len(set(outputs)) == 4
    assert [trial.response.output for trial in again.trials] == outputs


def test_more_repeats_pay_only_for_the_new_ones(records):
    provider = FakeProvider(echo)
    go(variant(provider), records)
    found = go(variant(provider), records, repeats=3)

    assert len(provider.requests) == 9
    assert [trial.repeat for trial in found.trials] == [0, 1, 2] * 3


def test_every_response_is_on_disk_before_it_is_scored(records):
    class Looking(Exact):
        def score(self, example, response):
            if response.output:
                identity = (asked.info.hash, question_hash(example), 0)
                assert records.find_response(*identity).output == response.output
                seen.append(example.id)
            return super().score(example, response)

    seen: list[str] = []
    asked = variant(FakeProvider(echo))
    go(asked, records, scorers=[Looking()])

    assert sorted(seen) == ["e0", "e1", "e2"]


def test_money_is_summed_exactly_and_derived_from_rows(records):
    found = go(Priced(FakeProvider(echo)), records, dataset(10))

    assert found.spent_usd == Decimal("0.10")
    assert records.totals(found.id).spent_usd == Decimal("0.10")


@pytest.mark.parametrize("cap", [0, -1, float("nan")])
def test_a_cap_that_caps_nothing_is_refused_before_the_first_call(records, cap):
    provider = FakeProvider(echo)
    with pytest.raises(SpecError, match="must be above 0 dollars"):
        go(Priced(provider), records, spend_cap_usd=cap)

    assert not provider.requests


def test_the_spend_cap_stops_before_a_call_that_would_pass_it(records):
    provider = FakeProvider(echo)
    with pytest.raises(SpendCapError) as caught:
        go(Priced(provider), records, dataset(20), spend_cap_usd=0.05, concurrency=1)

    assert len(provider.requests) == 5
    assert caught.value.left == 15
    assert records.runs()[0].finished_at is None


def test_a_call_that_would_probably_pass_the_cap_is_not_begun(records):
    provider = FakeProvider(echo)
    with pytest.raises(SpendCapError):
        go(Priced(provider, cents=3), records, spend_cap_usd=0.05, concurrency=1)

    assert len(provider.requests) == 1


def test_under_concurrency_the_cap_holds_as_soon_as_a_price_is_known(records):
    provider = FakeProvider(echo)
    with pytest.raises(SpendCapError):
        go(Priced(provider, cents=10), records, dataset(60), spend_cap_usd=1, concurrency=8)

    assert len(provider.requests) == 10


def test_before_any_price_is_known_the_cap_is_passed_by_the_calls_in_flight_at_most(records):
    provider = FakeProvider(echo)
    with pytest.raises(SpendCapError):
        go(Priced(provider, cents=90), records, dataset(60), spend_cap_usd=1, concurrency=8)

    assert len(provider.requests) == 8


def test_two_runs_share_one_cap(records):
    provider, budget = FakeProvider(echo), Budget(1)

    async def both():
        return await asyncio.gather(
            *(
                run(Priced(provider, name, 10), dataset(60), [Exact()], records, budget=budget, concurrency=4)
                for name in ("baseline", "candidate")
            ),
            return_exceptions=True,
        )

    ends = asyncio.run(both())

    assert [type(end) for end in ends] == [SpendCapError, SpendCapError]
    assert len(provider.requests) == 10


def test_a_higher_cap_goes_on_where_the_lower_one_stopped(records):
    provider = FakeProvider(echo)
    with pytest.raises(SpendCapError):
        go(Priced(provider), records, dataset(10), spend_cap_usd="0.05", concurrency=1)
    found = go(Priced(provider), records, dataset(10), spend_cap_usd=1)

    assert len(provider.requests) == 10
    assert len(records.runs()) == 1
    assert found.spent_usd == Decimal("0.10")


def test_a_cap_on_what_has_no_known_price_is_refused(records):
    provider = FakeProvider(echo, usage={"prompt_tokens": 3, "completion_tokens": 2})
    with pytest.raises(UnknownPriceError):
        go(variant(provider), records, dataset(50), spend_cap_usd=1, concurrency=1)

    assert provider.requests == []


def test_a_cap_on_answers_that_say_nothing_of_their_cost_is_refused(records):
    provider = FakeProvider(echo, usage=None)
    asked = PromptVariant(
        name="candidate", prompt="{{ n }}", provider=provider, model="m", prices=fixed_row(1, name="candidate")
    )
    with pytest.raises(SpecError, match="cannot be watched"):
        go(asked, records, dataset(50), spend_cap_usd=1, concurrency=1)

    assert len(provider.requests) <= 1


def test_what_says_nothing_of_its_cost_is_named_where_it_has_no_model(records):
    with pytest.raises(SpecError, match="the answers of 'ours' say nothing"):
        go(CallableVariant(lambda n: "x", name="ours"), records, dataset(5), spend_cap_usd=1)


def test_half_a_surrogate_pair_anywhere_in_an_answer_is_kept_as_a_question_mark(records):
    class Broken(Priced):
        async def answer(self, example, *, repeat):
            call = ToolCall(name="f", arguments={"a": ["\ud800"]})
            return Response(output="x\ud800", model="m\ud800", tool_calls=(call,), usage_raw={"k": "\ud800"})

    class Noting(Exact):
        def score(self, example, response):
            return Score(value=1.0, label="\ud83d", note="\ud83d")

    found = go(Broken(FakeProvider(echo)), records, dataset(1), scorers=[Noting()])

    kept = load_run(records, found.id).trials[0]
    assert kept.response.output == "x?"
    assert kept.response.tool_calls[0].arguments == {"a": ["?"]}
    assert kept.scores["exact"].note == "?"


@pytest.mark.parametrize("value", [math.nan, math.inf, 1.5, ValueError("no")])
def test_what_is_no_score_stops_the_run_and_names_scorer_and_example(records, value):
    provider = FakeProvider(echo)
    with pytest.raises(ScorerError) as caught:
        go(variant(provider), records, scorers=[Gives(value)])

    assert caught.value.scorer == f"gives:{value}"
    assert caught.value.example_id in {"e0", "e1", "e2"}
    assert records.totals(records.runs()[0].id).calls >= 1


def test_an_amount_may_be_any_number(records):
    found = go(variant(FakeProvider(echo)), records, scorers=[Gives(-40.5, kind="amount")])

    assert found.trials[0].scores["gives"].value == -40.5


def test_a_missing_reference_is_seen_before_the_first_call(records):
    provider = FakeProvider(echo)
    data = Dataset(name="d", version="1", examples=(Example(id="a", inputs={"n": 1}),))
    with pytest.raises(MissingReferenceError):
        go(variant(provider), records, data)

    assert provider.requests == []
    assert records.runs() == []


def test_a_prompt_without_its_value_is_seen_before_the_first_call(records):
    provider = FakeProvider(echo)
    with pytest.raises(TemplateError) as caught:
        go(variant(provider, prompt="{{ question }}"), records)

    assert "'e0'" in str(caught.value)
    assert (provider.requests, records.runs()) == ([], [])


def test_no_examples_and_two_scorers_of_one_metric_are_refused(records):
    with pytest.raises(NothingToCompareError):
        go(variant(FakeProvider(echo)), records, Dataset(name="d", version="1", examples=()))
    with pytest.raises(ScorerError):
        go(variant(FakeProvider(echo)), records, scorers=[Gives(1), Gives(0)])


def test_progress_counts_up_to_the_end_with_errors_reuse_and_money(records):
    seen = []
    go(Priced(FakeProvider(echo)), records, dataset(2))
    go(Priced(FakeProvider(echo)), records, dataset(4), progress=seen.append)

    told = [progress for progress in seen if progress.forecast is not None]
    assert (told[0].done, told[0].forecast.calls) == (2, 2)
    seen.remove(told[0])
    assert [(p.done, p.reused, p.spent_usd) for p in seen] == [
        (1, 1, Decimal(0)),
        (2, 2, Decimal(0)),
        (3, 2, Decimal("0.01")),
        (4, 2, Decimal("0.02")),
    ]
    assert {p.total for p in seen} == {4}


def test_an_interrupted_run_is_resumed_and_pays_only_for_what_was_in_flight(records):
    provider = FakeProvider(echo)

    async def interrupted():
        def progress(now):
            if now.done == 6:
                provider.hold()

        task = asyncio.create_task(
            run(variant(provider), dataset(20), [Exact()], records, concurrency=3, progress=progress)
        )
        await provider.arrived(9)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    kept = records.totals(records.runs()[0].id).trials
    provider.release()
    asked = len(provider.requests)
    found = go(variant(provider), records, dataset(20), concurrency=3)

    assert len(records.runs()) == 1
    assert asked - kept <= 3
    assert len(provider.requests) == asked + 20 - kept
    assert len(found.trials) == 20


def test_a_resumed_run_tries_its_errors_again(records):
    stops = Gives(ValueError("stop"))
    provider = FakeProvider({"0": Fault("server"), "*": "1"})
    with pytest.raises(ScorerError):
        go(variant(provider), records, scorers=[stops], concurrency=1)
    stops.value = 1.0
    well = FakeProvider(echo)
    found = go(variant(well), records, scorers=[stops], concurrency=1)

    assert len(records.runs()) == 1
    assert [trial.response.output for trial in found.trials] == ["0", "1", "2"]
    assert len(well.requests) == 2
    assert records.totals(found.id).errors == 0


def test_two_runs_of_one_plan_at_once_do_not_share_a_run(records):
    provider = FakeProvider(echo)

    async def both():
        return await asyncio.gather(
            *(run(variant(provider), dataset(5), [Exact()], records) for _ in range(2)),
        )

    one, two = asyncio.run(both())

    assert one.id != two.id
    assert len(one.trials) == len(two.trials) == 5


def test_half_a_character_from_a_model_does_not_break_the_store(records):
    found = go(variant(FakeProvider("a\ud83d")), records)

    assert load_run(records, found.id).trials[0].response.output == found.trials[0].response.output == "a?"


def test_errors_alone_are_asked_again_however_old_the_answers_are(records):
    clock, replies = CountingClock(), iter(["0", Fault("server"), "2", "1"])
    provider = FakeProvider(lambda _request: next(replies))
    first = go(variant(provider), records, clock=clock)
    clock.advance(1_000_000)

    again = go(variant(provider), records, clock=clock, retry_errors=True)

    assert again.id == first.id
    assert [trial.response.output for trial in again.trials] == ["0", "1", "2"]
    assert [request.messages[0].content for request in provider.requests] == ["0", "1", "2", "1"]


@pytest.mark.parametrize("fresh", [True, False])
def test_errors_of_the_last_run_are_asked_again_with_fresh_answers_or_without(records, fresh):
    clock, replies = CountingClock(), iter(["old"] * 3 + ["0", Fault("server"), "2", "1"])
    provider = FakeProvider(lambda _request: next(replies))
    go(variant(provider), records, clock=clock)
    last = go(variant(provider), records, clock=clock, fresh=True)

    again = go(variant(provider), records, clock=clock, retry_errors=True, fresh=fresh)

    assert again.id == last.id
    assert [trial.response.output for trial in again.trials] == ["0", "1", "2"]


def test_a_refused_call_is_made_again_and_counts_once(records):
    replies = iter([Fault("rate_limit"), "1", "2", "0"])
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    done = go(variant(FakeProvider(lambda _request: next(replies))), records, concurrency=1, sleep=sleep)

    assert [trial.response.output for trial in done.trials] == ["0", "1", "2"]
    assert all(0 < wait <= 0.5 for wait in waits)
    assert records.totals(done.id).calls == 3
