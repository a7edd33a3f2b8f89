"""A cap of one dollar under fifty calls at once: what is spent passes it by the calls in flight at the most."""

import asyncio
import json
from decimal import Decimal

import pytest

from boxscore.cli import main
from boxscore.costs import fixed_row
from boxscore.datasets.dataset import Dataset, version_of
from boxscore.datasets.example import Example
from boxscore.errors import SpendCapError
from boxscore.experiments.budget import Budget
from boxscore.experiments.live import Effort, run_variants
from boxscore.experiments.runner import run
from boxscore.experiments.variants import PromptVariant
from boxscore.providers.known import connect
from boxscore.scoring.scorer import Metric, Score
from boxscore.store.records import Records
from boxscore.testing import FakeServer, Fault

CAP = Decimal(1)
CONCURRENCY = 50
USD_PER_MTOK = 10  # a dollar is a hundred thousand tokens


class Length:
    spec = "length"
    metric = Metric(name="length", kind="amount")

    def score(self, example, response):
        return Score(value=len(response.output))


class Watched:
    """A variant that looks at the budget when each call begins and when it ends."""

    def __init__(self, inner, budget):
        self._inner = inner
        self._budget = budget
        self.info = inner.info
        self.spent_at_start = []
        self.paid = Decimal(0)
        self.in_flight = 0
        self.most_in_flight = 0

    async def answer(self, example, *, repeat):
        self.spent_at_start.append(self._budget.spent_usd)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            response = await self._inner.answer(example, repeat=repeat)
        finally:
            self.in_flight -= 1
        self.paid += response.cost_usd or 0
        return response

    async def close(self):
        await self._inner.close()


def numbers(count):
    rows = tuple(Example(id=str(number), inputs={"n": number}) for number in range(count))
    return Dataset(name="numbers", version=version_of(rows), examples=rows)


def costing(tokens):
    """A script whose n-th question takes `tokens(n)` tokens."""

    def script(body):
        taken = tokens(int(body["messages"][0]["content"]))
        if isinstance(taken, Fault):
            return taken
        return {
            "model": "m",
            "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": taken, "completion_tokens": 0, "total_tokens": taken},
        }

    return script


def variant(server, name="candidate"):
    return PromptVariant(
        name=name,
        prompt="{{ n }}",
        provider=connect("acme", base_url=server.base_url),
        model=name,
        prices=fixed_row(USD_PER_MTOK, name=name),
    )


def capped(tokens, home, *, count=1000, latency_s=0.01):
    """A run that meets the cap: what was spent by its error, the variant as watched, the calls at the server."""

    async def go():
        async with FakeServer(costing(tokens), latency_s=latency_s) as server:
            budget = Budget(CAP)
            watched = Watched(variant(server), budget)
            with Records.open(home) as records:
                with pytest.raises(SpendCapError) as caught:
                    await run(watched, numbers(count), [Length()], records, concurrency=CONCURRENCY, budget=budget)
                kept = sum((row.cost_usd or 0) for one in records.runs() for _, row in records.run_trials(one.id))
            await watched.close()
            return caught.value, watched, server.calls, kept

    return asyncio.run(go())


def usd(tokens):
    return Decimal(tokens) * USD_PER_MTOK / 1_000_000


CHEAP, DEAR = 200, 10_000  # a fifth of a cent; ten cents


@pytest.mark.parametrize(
    ("tokens", "dearest"),
    [
        pytest.param(lambda _: CHEAP, CHEAP, id="all the same"),
        pytest.param(lambda _: DEAR, DEAR, id="fifty at once are five dollars"),
        pytest.param(lambda n: CHEAP if n < 200 else DEAR, DEAR, id="first cheap, then dear"),
        pytest.param(lambda n: DEAR if n < 5 else CHEAP, DEAR, id="first dear, then cheap"),
        pytest.param(lambda n: DEAR if n % 50 == 49 else CHEAP, DEAR, id="one in fifty is dear"),
        pytest.param(lambda n: Fault("server") if n % 100 == 9 else CHEAP, CHEAP, id="some fail"),
    ],
)
def test_one_dollar_is_passed_by_the_calls_in_flight_at_the_most(tmp_path, tokens, dearest):
    error, watched, calls, kept = capped(tokens, tmp_path)

    assert all(spent < CAP for spent in watched.spent_at_start)  # none begins once the dollar is spent
    assert watched.most_in_flight <= CONCURRENCY
    assert watched.paid <= CAP + CONCURRENCY * usd(dearest)
    assert kept == watched.paid == Decimal(str(error.spent_usd))  # what was paid is on disk and was told
    assert calls == len(watched.spent_at_start)
    assert error.left == 1000 - calls


def test_when_all_cost_the_same_the_dollar_is_not_passed_at_all(tmp_path):
    _, watched, _, _ = capped(lambda _: CHEAP, tmp_path)

    assert CAP - usd(CHEAP) < watched.paid <= CAP


def test_a_cap_of_less_than_a_cent_is_told_as_it_is():
    assert "of $0.0005 are" in str(SpendCapError(0.0005, 0.001, 3))
    assert "of $1.50 are" in str(SpendCapError(1.5, 1.5, 3))


def test_two_variants_share_the_dollar_and_the_next_run_spends_nothing_more(tmp_path):
    async def go():
        async with FakeServer(costing(lambda _: CHEAP), latency_s=0.01) as server:
            with Records.open(tmp_path) as records:
                effort = Effort(concurrency=CONCURRENCY, spend_cap_usd=1.0)

                async def once():
                    variants = [variant(server, "old"), variant(server, "new")]
                    with pytest.raises(SpendCapError) as caught:
                        await run_variants(variants, numbers(1000), [Length()], records, effort)
                    for one in variants:
                        await one.close()
                    assert caught.value.left == 2000 - server.calls  # of both
                    assert Decimal(str(caught.value.spent_usd)) == usd(CHEAP) * server.calls
                    return server.calls

                return await once(), await once()

    first, both = asyncio.run(go())

    assert usd(CHEAP) * first <= CAP
    assert first > 450
    assert both == first


@pytest.mark.parametrize("command", [["compare"], ["run"], ["compare", "--spend-cap", "1"]])
def test_a_price_that_nobody_knows_is_refused_before_the_first_call_with_the_way_to_add_it(
    tmp_path, monkeypatch, capsys, command
):
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"id": str(n), "inputs": {"n": n}}) + "\n" for n in range(30))
    )
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with FakeServer("yes") as server:
        one = {"provider": "acme", "base_url": server.base_url, "prompt": "{{ n }}"}
        spec = {
            "dataset": "rows.jsonl",
            "variants": {"old": {**one, "model": "acme-1"}, "new": {**one, "model": "acme-2"}},
            "baseline": "old",
            "scorers": ["length"],
        }
        if "--spend-cap" not in command:
            spec["spend_cap_usd"] = 1
        (tmp_path / "boxscore.yaml").write_text(json.dumps(spec))
        with pytest.raises(SystemExit) as left:
            main([command[0], "boxscore.yaml", *command[1:]])
        out, err = capsys.readouterr()

    assert (left.value.code, out, server.calls) == (2, "", 0)
    assert len(err.strip().splitlines()) == 1
    assert "no price is known for 'acme/acme-1', and the spend cap needs it: " in err
    assert "add a row for it to your price table (`boxscore prices --help` shows its form)" in err
