"""A run is killed without warning, started again, and nothing is lost or paid twice but what was in flight."""

import asyncio
import json
import os
import signal
import sys
from decimal import Decimal

import pytest

from boxscore.experiments.journal import load_run
from boxscore.store.records import Records
from boxscore.store.verify import verify
from boxscore.testing import FakeServer

EXAMPLES = 60
CONCURRENCY = 6
USD_PER_CALL = Decimal("0.000003")  # three tokens of one dollar a million

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from boxscore import settings
from boxscore.datasets.dataset import Dataset
from boxscore.datasets.example import Example
from boxscore.experiments.runner import run
from boxscore.experiments.variant_spec import variant_from_spec
from boxscore.scoring.scorer import Metric, Score
from boxscore.store.records import Records

base_url, examples, concurrency = sys.argv[1:]

class Length:
    spec = "length"
    metric = Metric(name="length", kind="amount")
    def score(self, example, response):
        return Score(value=len(response.output))

async def main():
    rows = tuple(Example(id=str(n), inputs={"n": n}) for n in range(int(examples)))
    data = Dataset(name="d", version="1", examples=rows)
    spec = {"provider": "local-test", "base_url": base_url, "model": "m", "prompt": "{{ n }}", "usd_per_mtok": 1,
            "api_key_env": "THE_API_KEY"}
    variant = variant_from_spec("v", spec, Path("."))
    configured = settings.load()
    with Records.open(settings.home(configured), configured.records_url) as records:
        done = await run(variant, data, [Length()], records, concurrency=int(concurrency))
    await variant.close()
    print(json.dumps({"id": done.id, "trials": len(done.trials), "spent": str(done.spent_usd)}))

asyncio.run(main())
"""


class Meter:
    """Answers with usage of three tokens, and counts how often each question was asked."""

    def __init__(self):
        self.asked: dict[str, int] = {}
        self.reached = asyncio.Event()
        self.kill_at = 0

    def __call__(self, body):
        question = body["messages"][0]["content"]
        self.asked[question] = self.asked.get(question, 0) + 1
        if sum(self.asked.values()) == self.kill_at:
            self.reached.set()
        return {
            "model": "m",
            "choices": [{"message": {"content": f"answer {question}"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
        }


async def start(server, place):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", PROGRAM, server.base_url, str(EXAMPLES), str(CONCURRENCY)),
        env=os.environ | place.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_stopped_three_times_ends_whole_and_repeats_only_calls_in_flight(place, monkeypatch, how):
    monkeypatch.setenv("THE_API_KEY", "hush-hush-0001")
    meter = Meter()

    async def story():
        async with FakeServer(meter, latency_s=0.01) as server:
            for kill_at in (13, 31, 52):
                meter.reached.clear()
                meter.kill_at = kill_at
                child = await start(server, place)
                await asyncio.wait_for(meter.reached.wait(), 30)
                child.send_signal(how)
                await child.communicate()
                assert child.returncode != 0
            meter.kill_at = 0
            child = await start(server, place)
            printed, said = await child.communicate()
            assert child.returncode == 0, said.decode()
            return json.loads(printed)

    end = asyncio.run(story())

    repeated = sum(meter.asked.values()) - EXAMPLES
    assert end["trials"] == len(meter.asked) == EXAMPLES
    assert repeated <= 3 * CONCURRENCY
    with Records(place.open()) as records:
        assert [row.id for row in records.runs()] == [end["id"]]
        run, totals = load_run(records, end["id"]), records.totals(end["id"])
        counted = records.database.rows("SELECT count(*), count(DISTINCT question_hash) FROM responses")
    assert [trial.response.output for trial in run.trials] == [f"answer {n}" for n in range(EXAMPLES)]
    assert all(trial.scores["length"].value == len(trial.response.output) for trial in run.trials)
    assert totals.trials == totals.calls == EXAMPLES
    assert totals.spent_usd == USD_PER_CALL * EXAMPLES == Decimal(end["spent"])
    assert counted == [(EXAMPLES, EXAMPLES)]
    assert verify(place.home) == []
    kept = b"".join(path.read_bytes() for path in place.home.rglob("*") if path.is_file())
    assert b"hush-hush-0001" not in kept
