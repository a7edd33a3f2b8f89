"""Taking in spans and finding them again: our server beside MLflow and Phoenix, one alive at a time, the same load.

    .venv/bin/python benchmarks/observability/compare.py                 ours alone
    MLFLOW=… PHOENIX=… .venv/bin/python benchmarks/observability/compare.py --write

MLFLOW and PHOENIX are the commands of those servers (`mlflow`, `phoenix`). The load generator is that of a bench folder
(`--bench`, default `../shared/bench/observability` beside the repository): chains of four spans with prompt and answer,
over OTLP/HTTP in protobuf. CPU is that of all processes of a server, from the first request on: until all is visible,
and for ours until the index and the roll-ups have caught up as well.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
TICK = os.sysconf("SC_CLK_TCK")
GOAL = 0.10
"""Seconds of CPU per 1,000 spans until all is caught up; `ingest.py` tells the part up to the answer."""


class Load(NamedTuple):
    """One load on one server. CPU is seconds per 1,000 spans."""

    server: str
    batch: int
    senders: int
    spans: int
    told: dict[str, Any]
    visible_cpu: float
    caught_up_cpu: float | None


class Server:
    """A server in a process group and a folder of its own."""

    def __init__(self, name: str, command: Sequence[str], port: int, ready: str, peer: Path, folder: Path) -> None:
        self.name, self.port, self.peer, self.folder = name, port, peer, folder
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PHOENIX_WORKING_DIR": str(folder), "BOXSCORE_HOME": str(folder / "home")}
        environment |= {"PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(free_port())}
        environment |= {"PHOENIX_TELEMETRY_ENABLED": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        started = time.perf_counter()
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        while not self._answers(ready):
            if self.process.poll() is not None or time.perf_counter() - started > 120:
                raise SystemExit(f"{name} did not start:\n{(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        self.start_s = time.perf_counter() - started

    def _answers(self, path: str) -> bool:
        try:
            return self.ask(path)[0] == 200
        except (OSError, HTTPException):
            return False

    def ask(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def load(self, bench: Path, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, str(bench / "load.py"), arguments[0], f"http://127.0.0.1:{self.port}"]
        command += [str(self.peer), *arguments[1:], "--pid", str(self.process.pid)]
        environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(f"{self.name}: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def cpu_s(self) -> float:
        return sum(sum(map(int, fields[11:15])) for _, fields in self._group()) / TICK

    def memory_mb(self) -> float:
        found = 0
        for number, _ in self._group():
            rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
            found += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1])  # type: ignore[index]
        return found / 1024

    def _group(self) -> Sequence[tuple[str, list[str]]]:
        found: list[tuple[str, list[str]]] = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(fields[2]) == self.process.pid:
                    found.append((folder.name, fields))
        return found

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def caught_up(server: Server) -> None:
    """Returns when index and roll-ups lack nothing."""
    until = time.monotonic() + 300
    lag = re.compile(r"^boxscore_(?:search|rollup)_lag_spans(?:\{[^}]*\})? (\S+)", re.MULTILINE)
    while any(float(found) for found in lag.findall(server.ask("/metrics")[1])):
        if time.monotonic() > until:
            raise SystemExit("index and roll-ups did not catch up within five minutes")
        time.sleep(0.1)


def measure(server: Server, bench: Path, *, spans: int, batch: int, senders: int, ours: bool) -> Load:
    seed = f"{batch}-{senders}-{time.time_ns()}"
    if ours:
        caught_up(server)
    before = server.cpu_s()
    told = server.load(
        bench, "ingest", f"--spans={spans}", f"--batch={batch}", f"--conc={senders}", f"--seed={seed}", "--max-s=300"
    )
    after = None
    if ours:
        caught_up(server)
        after = (server.cpu_s() - before) / spans * 1000
    return Load(server.name, batch, senders, spans, {**told, "seed": seed}, told["cpu_s_per_1k_visible"], after)


def start(name: str, folder: Path, bench: Path) -> Server:
    port = free_port()
    match name:
        case "Boxscore":
            command = [str(Path(sys.executable).with_name("boxscore")), "serve", f"--port={port}"]
            command += ["--otlp-port=0", "--grpc-port=0"]
            return Server(name, command, port, "/health/ready", HERE / "boxscore.json", folder)
        case "MLflow":
            command = [os.environ["MLFLOW"], "server", "--port", str(port), "--host", "127.0.0.1"]
        case _:
            command = [os.environ["PHOENIX"], "serve"]
    return Server(
        name, command, port, "/health" if name == "MLflow" else "/", bench / "peers" / f"{name.lower()}.json", folder
    )


def versions(name: str) -> str:
    if name == "Boxscore":
        import boxscore

        return f"Boxscore {boxscore.__version__}"
    interpreter = Path(os.environ[name.upper()]).with_name("python")
    package = {"MLflow": "mlflow", "Phoenix": "arize-phoenix"}[name]
    asked = f"import importlib.metadata as m; print(m.version('{package}'))"
    return f"{name} {subprocess.check_output([interpreter, '-c', asked], text=True).strip()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench" / "observability")
    parser.add_argument("--spans", type=int, default=40_000, help="for ours at each size of batch")
    parser.add_argument("--peer-spans", type=int, default=20_000)
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    options = parser.parse_args()
    names = ["Boxscore", *(name for name in ("MLflow", "Phoenix") if name.upper() in os.environ)]
    loads: list[Load] = []
    singles: dict[str, dict[str, Any]] = {}
    queries: dict[str, dict[str, Any]] = {}
    idle: dict[str, tuple[float, float, float]] = {}
    bytes_per_span = 0.0
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix="observability-"))
        server = start(name, folder, options.bench)
        ours = name == "Boxscore"
        try:
            time.sleep(3)
            idle_mb = server.memory_mb()
            shapes = [(500, 4), (100, 4), (10, 4), (500, 1), (100, 1), (10, 1)] if ours else [(500, 4)]
            spans = options.spans if ours else options.peer_spans
            for batch, senders in shapes:
                count = spans if batch > 10 else spans // 4
                loads.append(measure(server, options.bench, spans=count, batch=batch, senders=senders, ours=ours))
                print(loads[-1], file=sys.stderr)
                if ours and len(loads) == 1:
                    home = folder / "home" / "spans"
                    bytes_per_span = sum(path.stat().st_size for path in home.iterdir()) / spans
            singles[name] = server.load(options.bench, "ack", "--n=20", f"--seed={time.time_ns()}")
            first = next(load for load in loads if load.server == name)
            queries[name] = server.load(
                options.bench, "query", f"--spans={first.spans}", f"--seed={first.told['seed']}", "--n=20", "--dirty=1"
            )
            idle[name] = (server.start_s, idle_mb, server.memory_mb())
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)
    text = page(loads, singles, queries, idle, bytes_per_span, [versions(name) for name in names])
    print(text)
    if options.write:
        from page import write_section

        write_section("observability", text)
    worst = next(load for load in loads if (load.batch, load.senders) == (500, 4))
    return int(max(worst.visible_cpu, worst.caught_up_cpu or 0) > GOAL)


def page(
    loads: Sequence[Load],
    singles: dict[str, dict[str, Any]],
    queries: dict[str, dict[str, Any]],
    idle: dict[str, tuple[float, float, float]],
    bytes_per_span: float,
    servers: Sequence[str],
) -> str:
    ours = loads[0]
    lines = [
        "# Taking in spans, beside others",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, `benchmarks/observability/compare.py --write`, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}. {', '.join(servers)}; each alone, with its defaults, on loopback. Chains of "
        f"four spans, {ours.told['mb'] * 1e6 / ours.spans:,.0f} bytes a span on the wire; ours keeps "
        f"{bytes_per_span:,.0f} bytes a span, index, roll-ups and logs not yet written back included.",
        "",
        "CPU is seconds of all processes of the server per 1,000 spans: until all that was sent is visible, and until "
        "index and roll-ups have caught up too. What follows the write runs beside it, so the first of ours holds a "
        "part of the second.",
        "",
        "| server | spans a request × senders | acknowledged a second | visible a second | CPU to visible "
        "| CPU caught up | × ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for load in loads:
        caught = "" if load.caught_up_cpu is None else f"{load.caught_up_cpu:.3f}"
        ratio = "" if load.server == "Boxscore" else f"{load.visible_cpu / (ours.caught_up_cpu or 1):.1f}"
        lines.append(
            f"| {load.server} | {load.batch} × {load.senders} | {load.told['acked_per_s']:,} | "
            f"{load.told['visible_per_s']:,}{seen(load)} | {load.visible_cpu:.3f} | {caught} | {ratio} |"
        )
    lines += ["", "One trace at a time, 20 of them; start, and memory (shared pages counted once).", ""]
    lines += ["| server | answer p50 ms | then visible p50 ms (max) | ready after s | idle MiB | after the load MiB |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, told in singles.items():
        start_s, idle_mb, loaded_mb = idle[name]
        lines.append(
            f"| {name} | {told['post_ms_p50']} | {told['visible_ms_p50']} ({told['visible_ms_max']}) | {start_s:.1f} | "
            f"{idle_mb:.0f} | {loaded_mb:.0f} |"
        )
    lines += ["", "Questions over HTTP, a new trace sent before each, 20 each: p50 / p95 in ms.", ""]
    lines += [f"| question | {' | '.join(queries)} |", f"|---|{'---|' * len(queries)}"]
    told_names = dict.fromkeys(key for told in queries.values() for key in told if isinstance(told[key], dict))
    for question in told_names:
        cells = [
            f"{told[question]['p50_ms']} / {told[question]['p95_ms']}" if "p50_ms" in told.get(question, {}) else ""
            for told in queries.values()
        ]
        lines.append(f"| {question} | {' | '.join(cells)} |")
    held = ", ".join(f"{name} {told['spans_in_store']:,}" for name, told in queries.items())
    lines += ["", f"Spans in the store then: {held}."]
    return "\n".join(lines)


def seen(load: Load) -> str:
    """Says so where not all was visible in time."""
    return "" if load.told["visible"] >= load.spans else f" ({load.told['visible']:,} of {load.spans:,})"


if __name__ == "__main__":
    raise SystemExit(main())
