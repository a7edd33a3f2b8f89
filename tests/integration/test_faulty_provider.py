"""A provider in every kind of trouble: the run ends, every trial is answered or an error row, and little is asked for
nothing. Waits of the runner and of the pace are a hundred times shorter than they would be."""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from boxscore.datasets.dataset import Dataset, version_of
from boxscore.datasets.example import Example
from boxscore.errors import NothingAnsweredError
from boxscore.experiments.runner import run
from boxscore.experiments.trial import check_answered
from boxscore.experiments.variants import PromptVariant
from boxscore.providers.dialects import dialect
from boxscore.providers.endpoint import Endpoint
from boxscore.providers.pace import Pace
from boxscore.providers.transport import HttpTransport, Limits
from boxscore.scoring.scorer import Metric, Score
from boxscore.store.records import Records
from boxscore.testing import FakeServer, Fault, RateLimits

TRIALS = 200
CONCURRENCY = 20
LIMITS = Limits(first_token_s=0.15, total_s=0.3)
HURRY = 100


class Length:
    spec = "length"
    metric = Metric(name="length", kind="amount")

    def score(self, example, response):
        return Score(value=len(response.output))


class Counting(HttpTransport):
    """Counts the requests that are tried, also those that reach nobody."""

    tried = 0

    async def post(self, url, body, **options):
        self.tried += 1
        return await super().post(url, body, **options)


async def hurried(seconds):
    await asyncio.sleep(seconds / HURRY)


def examples(count=TRIALS):
    rows = tuple(Example(id=str(number), inputs={"n": number}) for number in range(count))
    return Dataset(name="numbers", version=version_of(rows), examples=rows)


def asked(server, transport, *, stream=False, hurry=True):
    pace = Pace("acme", sleep=hurried, now=lambda: HURRY * time.monotonic()) if hurry else Pace("acme")
    provider = Endpoint(
        name="acme", dialect=dialect("chat"), base_url=server.base_url, stream=stream, transport=transport, pace=pace
    )
    return PromptVariant(name="candidate", prompt="{{ n }}", provider=provider, model="m")


def trouble(script, home, *, stream=False, limits=None, server_limits=None):
    """The run against a server of that script, how many requests were tried, and how long it took in seconds."""

    async def go():
        transport = Counting(limits)
        async with FakeServer(script, limits=server_limits) as server:
            variant = asked(server, transport, stream=stream, hurry=server_limits is None)
            began = time.monotonic()
            with Records.open(home) as records:
                done = await run(variant, examples(), [Length()], records, concurrency=CONCURRENCY, sleep=hurried)
            took_s = time.monotonic() - began
            await variant.close()
            return done, transport.tried, took_s, server

    return asyncio.run(go())


def limits_for(kind, *, always=True):
    """Short where time is to run out, long where something else is to happen first. Where others are to be answered in
    time, they get it on a busy machine too."""
    if kind != "timeout":
        return Limits()
    return LIMITS if always else Limits(total_s=2)


def errors(done):
    return [trial.response.error for trial in done.trials if trial.response.error is not None]


def kinds(done):
    return Counter(error.kind for error in errors(done))


GIVEN_UP = [
    pytest.param(Fault("refuse"), "connect", id="refuse"),
    pytest.param(Fault("hang"), "timeout", id="hang before headers"),
    pytest.param(Fault("rate_limit"), "rate_limit", id="429 storm"),
    pytest.param(Fault("rate_limit", retry_after_s=1), "rate_limit", id="429 storm with Retry-After"),
    pytest.param(Fault("rate_limit", retry_after_s=3600), "rate_limit", id="429 until tomorrow"),
    pytest.param(Fault("overloaded"), "overloaded", id="503 storm"),
    pytest.param(Fault("server"), "server", id="500 storm"),
    pytest.param(Fault("cut_stream"), "cut", id="cut"),
    pytest.param(Fault("wrong_length"), "cut", id="wrong length"),
    pytest.param(Fault("bad_json"), "bad_answer", id="bad JSON"),
    pytest.param(Fault("html"), "bad_answer", id="a proxy's page"),
    pytest.param(Fault("huge", megabytes=20), "bad_answer", id="huge"),
    pytest.param(Fault("slow_drip", interval_s=0.05), "timeout", id="slow drip"),
    pytest.param(Fault("auth"), "auth", id="wrong key"),
    pytest.param(Fault("quota"), "quota", id="no money"),
    pytest.param(Fault("not_found"), "not_found", id="no such model"),
]
STREAMED = [
    pytest.param(Fault("hang"), "timeout", id="hang before headers"),
    pytest.param(Fault("hang_in_stream"), "timeout", id="hang in the stream"),
    pytest.param(Fault("cut_stream"), "cut", id="cut"),
    pytest.param(Fault("bad_json"), "bad_answer", id="bad JSON"),
    pytest.param(Fault("huge", megabytes=20), "bad_answer", id="huge"),
    pytest.param(Fault("slow_drip", interval_s=0.05), "timeout", id="slow drip"),
]


@pytest.mark.parametrize(
    ("fault", "kind", "stream"),
    [
        *(pytest.param(*case.values, False, id=case.id) for case in GIVEN_UP),
        *(pytest.param(*case.values, True, id=f"{case.id}, streamed") for case in STREAMED),
    ],
)
def test_a_provider_that_fails_every_call_is_given_up_and_every_trial_has_its_error(tmp_path, fault, kind, stream):
    done, tried, took_s, server = trouble(fault, tmp_path, stream=stream, limits=limits_for(kind))

    assert len(errors(done)) == len(done.trials) == TRIALS
    assert set(kinds(done)) == {kind, "not_sent"}, {error.message for error in errors(done)}
    with pytest.raises(NothingAnsweredError) as caught:
        check_answered(done)
    assert (caught.value.variant, caught.value.trials, caught.value.kind) == ("candidate", TRIALS, kind)
    assert tried < TRIALS / 4  # given up long before the last
    assert took_s < 20
    for error in errors(done):
        assert error.message.startswith("acme: ")
        assert server.url in error.message
        assert error.message[-1] in ".?"


@pytest.mark.parametrize("kind", ["too_long", "filtered", "refused"])
def test_requests_that_are_at_fault_themselves_are_each_asked_once(tmp_path, kind):
    done, tried, _, _ = trouble(Fault(kind), tmp_path)

    assert (kinds(done), tried) == ({kind: TRIALS}, TRIALS)


SOME = [
    *(case for case in GIVEN_UP if case.id not in ("refuse", "429 until tomorrow", "huge")),
    pytest.param(Fault("refuse"), "cut", id="reset"),
    pytest.param(Fault("huge", megabytes=17), "bad_answer", id="huge"),
]


@pytest.mark.parametrize(("fault", "kind"), SOME)
def test_a_provider_that_fails_now_and_then_answers_the_rest_for_a_tenth_more_calls(tmp_path, fault, kind):
    asked = Counter()

    def now_and_then(body):
        asked[body["messages"][0]["content"]] += 1
        return fault if sum(asked.values()) % 10 == 0 else "yes"

    done, tried, took_s, _ = trouble(now_and_then, tmp_path, limits=limits_for(kind, always=False))

    assert len(done.trials) == TRIALS
    check_answered(done)
    assert tried <= 1.1 * TRIALS
    assert took_s < 20
    if kind in ("rate_limit", "overloaded"):  # the provider did not begin to work: asked again
        assert len(errors(done)) <= 5
        assert tried > TRIALS
    else:  # it may have worked, and be paid: never asked twice
        assert kinds(done) == {kind: 20}, {error.message for error in errors(done)}
        assert set(asked.values()) == {1}


def test_what_the_provider_tells_of_its_limits_is_kept_to(tmp_path):
    limits = RateLimits(requests=50, window_s=0.3)
    done, tried, took_s, _ = trouble("yes", tmp_path, server_limits=limits)

    assert len(errors(done)) <= 20
    assert tried <= 1.1 * TRIALS
    assert took_s < 20


@pytest.mark.parametrize("again", [{"retry_errors": True}, {}])
def test_when_the_provider_is_well_again_only_what_failed_is_asked_and_nothing_twice(tmp_path, again):
    questions, broken = Counter(), True

    def script(body):
        question = body["messages"][0]["content"]
        questions[question] += 1
        return Fault("server") if broken and int(question) >= 150 else "yes"

    async def go():
        nonlocal broken
        async with FakeServer(script) as server:
            variant = asked(server, HttpTransport())
            with Records.open(tmp_path) as records:
                first = await run(variant, examples(), [Length()], records, concurrency=CONCURRENCY, sleep=hurried)
                await variant.close()
                broken, before = False, Counter(questions)
                pace_of_its_own = asked(server, HttpTransport())
                second = await run(
                    pace_of_its_own, examples(), [Length()], records, concurrency=CONCURRENCY, sleep=hurried, **again
                )
                await pace_of_its_own.close()
            return first, second, questions - before

    first, second, later = asyncio.run(go())
    failed = {trial.example_id for trial in first.trials if trial.response.error is not None}

    assert failed == {str(number) for number in range(150, TRIALS)}
    assert (errors(second), len(second.trials)) == ([], TRIALS)
    assert later == Counter(failed)


PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from boxscore.errors import ProviderError
from boxscore.providers import Message, Request
from boxscore.providers.known import connect
from boxscore.providers.transport import Limits

base_url, stream, calls = sys.argv[1], sys.argv[2] == "stream", int(sys.argv[3])

def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()  # getrusage counts what the parent had before exec
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

async def main():
    provider = connect("acme", base_url=base_url, stream=stream, limits=Limits(total_s=60))
    warm = Request(messages=(Message(role="user", content="well"),), model="m")
    await provider.complete(warm)
    before, request, kinds = peak_mb(), Request(messages=(Message(role="user", content="?"),), model="m"), []
    async def one():
        try:
            await provider.complete(request)
        except ProviderError as error:
            kinds.append(error.kind)
    await asyncio.gather(*(one() for _ in range(calls)))
    await provider.close()
    print(json.dumps({"more_mb": peak_mb() - before, "kinds": sorted(set(kinds)), "failed": len(kinds)}))

asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("stream", ["stream", "whole"])
def test_twenty_answers_of_a_hundred_megabytes_leave_memory_as_it_was(stream):
    async def go():
        async with FakeServer({"well": "yes", "*": Fault("huge", megabytes=100)}) as server:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *("-c", PROGRAM, server.base_url, stream, "20"), stdout=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
            return json.loads(out)

    told = asyncio.run(go())

    assert (told["kinds"], told["failed"]) == (["bad_answer"], 20)
    assert told["more_mb"] < 64  # 320 at once, if all were read at the same time
