"""Judges over HTTP and through the command line: what is sent, what a kill costs, what is shown afterwards."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from boxscore import Example
from boxscore.experiments.judges.judge_spec import judge_from_spec
from boxscore.testing import FakeServer

EXAMPLES = 30
CONCURRENCY = 4
PER_VERDICT = Decimal("0.00003")  # 30 tokens of one dollar a million

SPEC = """\
dataset: rows.jsonl
variants:
  old: {{python: "app.py:old"}}
  new: {{python: "app.py:new"}}
judges:
  helpful:
    question: Does it help?
    provider: local-test
    base_url: {url}
    model: judge-1
    usd_per_mtok: 1
    api_key_env: THE_API_KEY
  preferred:
    kind: pairwise
    provider: local-test
    base_url: {url}
    model: judge-1
    usd_per_mtok: 1
    api_key_env: THE_API_KEY
metric: helpful
rule: {{waive: [helpful]}}
concurrency: 4
spend_cap_usd: 1
"""

APP = """
def old(n): return {"output": f"poor answer {n}" if n % 3 else f"good answer {n}", "cost_usd": 0}
def new(n): return {"output": f"good answer {n}", "cost_usd": 0}
"""


class Bench:
    """A judge on the bench: reads the answers in the prompt, counts the questions, and can be told when to speak up."""

    def __init__(self):
        self.asked: dict[str, int] = {}
        self.reached = asyncio.Event()
        self.kill_at = 0
        self.garbled = 0

    def __call__(self, body):
        prompt = body["messages"][-1]["content"]
        self.asked[prompt] = self.asked.get(prompt, 0) + 1
        if sum(self.asked.values()) == self.kill_at:
            self.reached.set()
        words = re.findall(r"<<< \w+\n(good|poor) answer", prompt)
        said = ("yes" if words == ["good"] else "no") if len(words) == 1 else self.preferred(words)
        reply = json.dumps({"reason": "as it says", "verdict": said})
        if self.garbled and "Your reply to this was" not in prompt:
            self.garbled -= 1
            reply = f"In short: {said}, I suppose."
        return {
            "model": "judge-1",
            "choices": [{"message": {"content": reply}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
        }

    @staticmethod
    def preferred(words):
        return "tie" if words[0] == words[1] else "first" if words[0] == "good" else "second"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"inputs": {"n": n}}) for n in range(EXAMPLES)))
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


async def start(folder, *arguments):
    environment = {**os.environ, "BOXSCORE_HOME": str(folder / "home"), "THE_API_KEY": "hush-hush-0001"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "boxscore", *arguments),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finished(folder, *arguments):
    child = await start(folder, *arguments)
    printed, said = await child.communicate()
    return child.returncode, printed.decode(), said.decode()


def spec(folder, server, text=SPEC):
    (folder / "boxscore.yaml").write_text(text.format(url=server.base_url))


QUESTIONS = (EXAMPLES + EXAMPLES * 2 // 3) + 2 * EXAMPLES * 2 // 3
"""Distinct answers, and pairs of answers that differ, in both orders."""


def test_a_comparison_with_judges_from_end_to_end(folder):
    bench = Bench()
    bench.garbled = 3

    async def story():
        async with FakeServer(bench) as server:
            spec(folder, server)
            first = await finished(folder, "compare", "--json", "--report", "report.html")
            shown = await finished(folder, "show", json.loads(first[1])["id"], "--better")
            box = await finished(folder, "compare")
            return first, shown, box, server.bodies, server.headers

    (code, printed, said), shown, box, bodies, headers = asyncio.run(story())

    assert code == 0, said
    verdict = json.loads(printed)
    helpful, preferred = verdict["judges"]
    assert verdict["verdict"] == "ship"
    assert verdict["rule"]["waive"] == ["helpful"]
    assert (helpful["calibration"], helpful["waived"], preferred["waived"]) == ("uncalibrated", True, False)
    assert (helpful["verdicts"], helpful["repaired"], preferred["pairs"]) == (50, 3, 20)
    assert verdict["comparisons"][0]["difference"] == pytest.approx(2 / 3)
    assert verdict["comparisons"][1]["difference"] == pytest.approx(2 / 3)
    assert verdict["provenance"]["judge_spent_usd"] == pytest.approx(float(PER_VERDICT * (QUESTIONS + 3)))
    assert verdict["candidate"]["cost_per_1k_usd"] == 0
    assert bodies[0]["response_format"]["json_schema"]["schema"]["properties"]["verdict"]["enum"] == ["yes", "no"]
    assert headers[0]["authorization"] == "Bearer hush-hush-0001"
    assert len(bodies) == QUESTIONS + 3  # the second comparison found all verdicts
    assert "as it says" in (folder / "report.html").read_text()
    assert "hush-hush" not in (folder / "report.html").read_text() + printed + said
    assert shown[0] == 0
    assert "after 1 (yes)" in shown[1]
    assert box[1].count("uncalibrated") >= 5
    assert re.search(r"Judging\s+\$0\.00", box[1])


def test_judging_that_is_killed_goes_on_and_repeats_only_calls_in_flight(folder):
    bench = Bench()

    async def story():
        async with FakeServer(bench, latency_s=0.01) as server:
            spec(folder, server)
            for kill_at in (11, 37, 71):
                bench.reached.clear()
                bench.kill_at = kill_at
                child = await start(folder, "compare", "--json")
                await asyncio.wait_for(bench.reached.wait(), 30)
                child.send_signal(signal.SIGKILL)
                await child.communicate()
            bench.kill_at = 0
            return await finished(folder, "compare", "--json")

    code, printed, said = asyncio.run(story())

    assert code == 0, said
    verdict = json.loads(printed)
    assert len(bench.asked) == QUESTIONS
    assert sum(bench.asked.values()) - QUESTIONS <= 3 * CONCURRENCY
    assert [judge["errors"] for judge in verdict["judges"]] == [0, 0]
    assert verdict["comparisons"][0]["difference"] == pytest.approx(2 / 3)
    with sqlite3.connect(folder / "home" / "records.db") as file:
        verdicts = "SELECT question_hash FROM responses JOIN variants ON hash = variant_hash WHERE kind = 'judge'"
        kept = [row[0] for row in file.execute(verdicts)]
        assert len(kept) == len(set(kept)) == QUESTIONS
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    file.close()


def test_a_cap_stops_judges_and_a_higher_one_goes_on(folder):
    bench = Bench()

    async def story():
        async with FakeServer(bench) as server:
            spec(folder, server)
            capped = await finished(folder, "compare", "--spend-cap", "0.0006")
            before = sum(bench.asked.values())
            return capped, before, await finished(folder, "compare")

    (code, _, said), before, (second, _, _) = asyncio.run(story())

    assert code == 4
    assert "spend cap" in said
    assert before <= 20 + CONCURRENCY
    assert second == 0
    assert sum(bench.asked.values()) == QUESTIONS


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("    usd_per_mtok: 1\n", "", "no price is known for 'local-test/judge-1', and the spend cap needs it"),
        ("api_key_env: THE_API_KEY", "api_key_env: NO_SUCH_KEY", "NO_SUCH_KEY"),
        ("waive: [helpful]", "waive: [help]", "'help' names no judge"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(folder, was, now, says):
    bench = Bench()

    async def story():
        async with FakeServer(bench) as server:
            spec(folder, server, SPEC.replace(was, now))
            return await finished(folder, "compare")

    code, _, said = asyncio.run(story())

    assert (code, bench.asked) == (2, {})
    assert says in said


@pytest.mark.parametrize(
    ("provider", "model", "path"),
    [
        ("openai", "gpt-4o-mini", "/v1"),
        ("anthropic", "claude-sonnet-4-5", "/v1"),
        ("anthropic", "claude-3-haiku-20240307", "/v1"),
        ("google", "gemini-2.5-flash", "/v1beta"),
        ("cohere", "command-a-03-2025", ""),
    ],
)
def test_any_provider_judges(provider, model, path):
    async def story():
        async with FakeServer('{"reason": "so", "verdict": "yes"}') as server:
            mapping = {"question": "Good?", "provider": provider, "model": model, "base_url": server.url + path}
            judge = judge_from_spec("helpful", mapping, Path())
            example = Example(id="x", inputs={"inputs": {"q": "why"}, "answer": "because"})
            response = await judge.variant().answer(example, repeat=0)
            await judge.asker.close()
            return judge.form.read(response.output), response.cost_usd, server.bodies

    (finding,), cost, (body,) = asyncio.run(story())

    assert (finding.option, finding.reason) == ("yes", "so")
    assert cost > 0
    assert '"enum": ["yes", "no"]' in json.dumps(body)  # the schema of the reply went along, in its place


def test_an_endpoint_and_a_command_judge_as_well(folder):
    text = (
        SPEC[: SPEC.index("judges:")]
        + """\
judges:
  by_url:
    question: Does it help?
    url: {url}
  by_command:
    question: Does it help?
    command: [{python}, judge.py]
rule: {{waive: [by_url]}}
"""
    )
    (folder / "judge.py").write_text(
        "import json, sys\nprint('yes' if 'good' in json.load(sys.stdin)['answer'] else 'no')\n"
    )
    (folder / "rows.jsonl").write_text("\n".join(json.dumps({"inputs": {"n": n}}) for n in range(20)))

    def judge(body):
        return {"output": {"reason": "so", "verdict": "good" in body["inputs"]["answer"]}}

    async def story():
        async with FakeServer(judge) as server:
            (folder / "boxscore.yaml").write_text(text.format(url=server.url, python=sys.executable))
            return await finished(folder, "compare", "--json")

    code, printed, said = asyncio.run(story())

    assert code == 0, said
    by_url, by_command = json.loads(printed)["comparisons"][:2]
    assert by_url["difference"] == by_command["difference"] == pytest.approx(13 / 20)


def test_a_run_alone_says_that_it_was_not_judged(folder):
    (folder / "boxscore.yaml").write_text(SPEC.format(url="http://127.0.0.1:9/v1"))

    code, printed, said = asyncio.run(finished(folder, "run", "--json"))

    assert code == 0
    assert list(json.loads(printed)["variant"]["metrics"]) == []
    assert "not judged by helpful, preferred" in said


def test_the_plan_knows_the_metric_of_a_judge(folder):
    (folder / "boxscore.yaml").write_text(SPEC.format(url="http://127.0.0.1:9/v1"))

    done = subprocess.run(
        [sys.executable, "-m", "boxscore", "compare", "--plan"], cwd=folder, capture_output=True, text=True, check=False
    )

    assert "superiority on helpful" in done.stdout
