"""The runner against a provider that answers after 100 ms: wall time, CPU, memory, calls, and what a kill costs.

    .venv/bin/python benchmarks/runner.py                    ours beside the bare loop
    .venv/bin/python benchmarks/runner.py --kills            and killed ten times half-way, each time run again
    .venv/bin/python benchmarks/runner.py --kills --write    and write its section of docs/benchmarks.md

The work: 1,000 cases, two prompts, three scorers, 50 calls in flight: at best 2,000 / 50 × 0.1 s = 4 s. The mock
server, the bare loop and the peers' scripts are those of a bench folder (`--bench`, default `../shared/bench/evals`
beside the repository). Peers take part where a variable says how to start them: PY_INSPECT and PY_DEEPEVAL an
interpreter with that library, PROMPTFOO its command. The bare loop runs first and last: peers are ratios to it.
"""

import argparse
import json
import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CASES, CONCURRENCY, LATENCY_S = 1000, 50, 0.1
CALLS = 2 * CASES
IDEAL_S = CALLS / CONCURRENCY * LATENCY_S
KILLS = 10
GOAL_WALL, GOAL_CPU_MS, GOAL_MB = 1.15, 1.0, 100


class Pass(NamedTuple):
    """One tool, once. `wall_s` is the whole process, `work_s` from its first call on."""

    tool: str
    wall_s: float
    work_s: float
    cpu_ms: float
    peak_mb: int
    calls: int
    repeated: int


class Kill(NamedTuple):
    """A run killed after `after` calls and run again. `totals` says whether every total equals a count over rows."""

    after: int
    in_flight: int
    repeated: int
    totals: bool


class Bench:
    """The mock server, the cases, and the measuring of commands."""

    def __init__(self, scripts: Path, work: Path) -> None:
        self.scripts, self.work = scripts, work
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}/v1"
        self.env = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
            "MOCK_BASE": self.base,
            "CASES": str(work / "cases.jsonl"),
            "CONC": str(CONCURRENCY),
            "W": str(work),
            "MOCK_KEY": "x",
            "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
            "PROMPTFOO_CONFIG_DIR": str(work / "promptfoo"),
        }
        self.server = subprocess.Popen(
            [
                sys.executable,
                scripts / "mock_server.py",
                "--port",
                str(self.port),
                "--latency-ms",
                str(LATENCY_S * 1000),
            ]
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        subprocess.run([sys.executable, scripts / "make_cases.py", str(CASES), "cases.jsonl"], cwd=work, check=True)
        self._write_spec()

    def close(self) -> None:
        self.server.terminate()
        self.server.wait()

    def measure(self, tool: str, command: Sequence[str], *, kill_after: int = 0, keep: bool = False) -> dict[str, Any]:
        kill = ["--kill-after-calls", str(kill_after)] if kill_after else []
        env = self.env | ({"KEEP_STATS": "1"} if keep else {})
        done = subprocess.run(
            [sys.executable, self.scripts / "measure.py", tool, *kill, "--", *command],
            cwd=self.work, env=env, check=True, capture_output=True, text=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found

    def run(self, tool: str, command: Sequence[str]) -> Pass:
        found = self.measure(tool, command)
        if found["rc"] not in (0, 1, 3, 100):
            print((self.work / f"log.{tool}.txt").read_text()[-2000:], file=sys.stderr)
        return Pass(
            tool=tool,
            wall_s=found["wall_s"],
            work_s=found["wall_s"] - found["first_call_s"],
            cpu_ms=1000 * found["cpu_s"] / CALLS,
            peak_mb=found["peak_rss_mib"],
            calls=found["calls"],
            repeated=found["repeated"],
        )

    def ours(self) -> list[str]:
        return [str(ROOT / ".venv" / "bin" / "boxscore"), "compare", "boxscore.yaml", "--json"]

    def forget(self) -> None:
        shutil.rmtree(self.work / ".boxscore", ignore_errors=True)

    def _write_spec(self) -> None:
        rows = [json.loads(line) for line in (self.work / "cases.jsonl").read_text().splitlines()]
        (self.work / "data.jsonl").write_text(
            "".join(
                json.dumps(
                    {
                        "id": row["id"],
                        "inputs": {"question": row["question"]},
                        "reference": row["expected"],
                        "cluster": row["cluster"],
                    }
                )
                + "\n"
                for row in rows
            )
        )
        variant = {"provider": "openai", "base_url": self.base, "model": "gpt-4o-mini", "api_key_env": "MOCK_KEY"}
        spec = {
            "dataset": "data.jsonl",
            "baseline": "terse",
            "candidate": "careful",
            "variants": {
                "terse": variant | {"prompt": "Be terse. {{ question }}"},
                "careful": variant | {"prompt": "Think with care, then answer. {{ question }}"},
            },
            "scorers": ["exact", "contains", r"regex:^ANSWER \d+$"],
            "concurrency": CONCURRENCY,
        }
        (self.work / "boxscore.yaml").write_text(json.dumps(spec))  # JSON is YAML


def peers(bench: Bench) -> list[Pass]:
    found: list[Pass] = []
    if command := os.environ.get("PROMPTFOO"):
        subprocess.run(
            [sys.executable, bench.scripts / "make_promptfoo.py", "pf.json"], cwd=bench.work, env=bench.env, check=True
        )
        options = ["eval", "-c", "pf.json", "-j", str(CONCURRENCY), "--no-cache", "--no-table", "--no-progress-bar"]
        found.append(bench.run("promptfoo", [*command.split(), *options]))
    if python := os.environ.get("PY_INSPECT"):
        found.append(bench.run("inspect-ai", [python, str(bench.scripts / "run_inspect.py"), "inspect.logs"]))
    if python := os.environ.get("PY_DEEPEVAL"):
        found.append(bench.run("deepeval", [python, str(bench.scripts / "run_deepeval.py")]))
    return found


def kills(bench: Bench) -> list[Kill]:
    found: list[Kill] = []
    for number in range(1, KILLS + 1):
        after = CALLS * number // (KILLS + 1)
        bench.forget()
        first = bench.measure("killed", bench.ours(), kill_after=after)
        again = bench.measure("again", bench.ours(), keep=True)
        verdict = json.loads((bench.work / "log.again.txt").read_text())
        found.append(
            Kill(
                after=after,
                in_flight=first["peak_in_flight"],
                repeated=again["repeated"],
                totals=again["distinct"] == CALLS and totals_hold(bench.work / ".boxscore" / "records.db", verdict),
            )
        )
        print(found[-1], file=sys.stderr)
    return found


def totals_hold(path: Path, verdict: dict[str, Any]) -> bool:
    """Whether what the verdict says equals what the rows say: trials, errors, dollars."""
    with sqlite3.connect(path) as store:
        ok = True
        for side in ("baseline", "candidate"):
            name = verdict[side]["name"]
            (run,) = store.execute("SELECT id FROM runs WHERE variant_name = ? AND finished_at IS NOT NULL", (name,))
            rows = store.execute(
                "SELECT cost_usd, error_kind FROM trials JOIN responses ON responses.id = response_id "
                "WHERE trials.run_id = ?",
                run,
            ).fetchall()
            dollars = sum((Decimal(cost) for cost, _ in rows if cost is not None), Decimal(0))
            told = verdict[side]
            ok &= len(rows) == told["trials"] == CASES
            ok &= sum(kind is not None for _, kind in rows) == told["errors"]
            ok &= abs(float(dollars) / CASES * 1000 - told["cost_per_1k_usd"]) < 1e-9
        (scores,) = store.execute("SELECT count(*) FROM scores").fetchone()
        paid = sum((Decimal(cost) for (cost,) in store.execute("SELECT cost_usd FROM responses")), Decimal(0))
        ok &= scores == 3 * CALLS and abs(float(paid) - verdict["provenance"]["spent_usd"]) < 1e-9
    return ok


def page(passes: Sequence[Pass], killed: Sequence[Kill], command: str) -> str:
    bare = [one for one in passes if one.tool == "bare"]
    floor = Pass("bare", *(sum(values) / len(bare) for values in zip(*(one[1:] for one in bare), strict=True)))  # type: ignore[arg-type]
    lines = [
        "# The runner",
        "",
        f"{CASES:,} cases, two prompts, three scorers, {CONCURRENCY} calls in flight against a mock that answers after",
        f"{1000 * LATENCY_S:.0f} ms: at best {IDEAL_S:.1f} s. Journal and costs are on. The bare loop (raw sockets, no",
        "store) is the floor; peers are ratios to it in the same pass.",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, by `{command}`.",
        "",
        "| tool | wall / ideal, from first call | wall / ideal, whole process | wall / bare | CPU per trial, ms "
        "| CPU / bare | peak memory, MB | calls |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in passes:
        lines.append(
            f"| {one.tool} | {one.work_s / IDEAL_S:.2f} | {one.wall_s / IDEAL_S:.2f} "
            f"| {one.wall_s / floor.wall_s:.2f} | {one.cpu_ms:.2f} "
            f"| {one.cpu_ms / floor.cpu_ms:.1f} | {one.peak_mb} | {one.calls:,} |"
        )
    lines += [
        "",
        f"Goals: {GOAL_WALL} × ideal, {GOAL_CPU_MS:g} ms of CPU a trial, {GOAL_MB} MB. CPU is that of the whole "
        f"process over {CALLS:,}; run again, it makes no call: that is start, reading, scoring and statistics alone.",
    ]
    if killed:
        lines += [
            "",
            "## Killed half-way",
            "",
            "`kill -9` after so many calls, then the same command again. What was in flight may be paid twice.",
            "",
            "| killed after | calls in flight | paid twice | totals equal the rows |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {one.after:,} | {one.in_flight} | {one.repeated} | {'yes' if one.totals else '**no**'} |"
            for one in killed
        ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench" / "evals")
    parser.add_argument("--kills", action="store_true", help="kill ten runs half-way")
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    options = parser.parse_args()
    if not (options.bench / "mock_server.py").exists():
        raise SystemExit(f"{options.bench} has no mock_server.py: name the bench folder with --bench")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.bench.resolve(), Path(folder))
        bare = [sys.executable, str(bench.scripts / "run_bare.py")]
        try:
            bench.run("warm-up", bench.ours())
            passes = [bench.run("bare", bare)]
            for _ in range(2):
                bench.forget()
                passes.append(bench.run("boxscore", bench.ours()))
            passes += peers(bench)
            bench.forget()
            passes += [bench.run("boxscore", bench.ours()), bench.run("boxscore, run again", bench.ours())]
            passes.append(bench.run("bare", bare))
            killed = kills(bench) if options.kills else []
        finally:
            bench.close()
    arguments = " ".join(sys.argv[1:])
    text = page(passes, killed, f"benchmarks/runner.py {arguments}".strip())
    print(text)
    if options.write:
        from page import write_section  # beside this script

        write_section("runner", text)
    lost = [one for one in killed if one.repeated > one.in_flight or not one.totals]
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
