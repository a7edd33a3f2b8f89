"""What a span costs the server: CPU to the synced answer and until all is caught up, by thread and by stage.

    .venv/bin/python benchmarks/ingest.py            about two minutes
    .venv/bin/python benchmarks/ingest.py --write    and write its section of docs/benchmarks.md

A server of its own process (`boxscore serve`'s, on an empty folder) takes OTLP protobuf over HTTP from clients of this
one, and tells what CPU each of its threads used. "To the answer" is all of them but the one that works behind the
write, "caught up" is the whole process when roll-ups and search have everything. The first spans of each run, while the
dictionary of the application is trained, stand outside the clocks; what they cost is told apart.

The load is that of the peers' comparison in kind: chains of four spans, OpenInference's and GenAI's names side by side,
about 1.2 kB a span, texts of few words that come back, spread over a day. It is kind to compression; bytes are
indicative.
"""

import argparse
import http.client
import json
import os
import platform
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span
from page import write_section

WARM = 10_000
DAY_NS = 24 * 3600 * 10**9
LOADS = ((500, 4), (500, 1), (100, 8), (100, 1), (10, 32), (10, 1))
GOAL_ACK, GOAL_CAUGHT_UP = 50, 100
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-3-5-sonnet-20241022")
WORDS = (
    *("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "ledge"),
    *("marsh", "north", "orchard", "plain", "quarry", "ridge", "shore", "tundra", "upland", "valley", "willow"),
)
THREADS = {"MainThread": "HTTP", "boxscore-ingest": "reading", "boxscore-spans": "writing", "boxscore-behind": "behind"}


class Run(NamedTuple):
    """Milliseconds of CPU per 1,000 spans; `threads` until the answer."""

    batch: int
    clients: int
    to_answer: float
    threads: dict[str, float]
    caught_up: float
    first: float
    per_s: float
    p50_ms: float
    p95_ms: float
    stored: float
    peak_mb: float


def text(draw: random.Random, size: int) -> str:
    found = ""
    while len(found) < size:
        found += draw.choice(WORDS) + " "
    return found[:size]


def add(scope: ScopeSpans, attributes: dict[str, str | int | float], **fields: Any) -> None:  # noqa: ANN401
    span = scope.spans.add(**fields)
    for key, value in attributes.items():
        told = span.attributes.add(key=key).value
        match value:
            case int():
                told.int_value = value
            case float():
                told.double_value = value
            case str():
                told.string_value = value


def add_trace(scope: ScopeSpans, draw: random.Random, n: int, start_ns: int, pool: Sequence[tuple[str, str]]) -> None:
    """Chain, retrieval, call of a model, tool: each inside the one before."""
    asked, answer = draw.choice(pool)
    model, took_ns = MODELS[n % len(MODELS)], int(draw.lognormvariate(6.5, 0.6) * 1e6)
    came, went = 380 + draw.randrange(40), 140 + draw.randrange(30)
    shared = {"session.id": f"s{n // 8}", "user.id": f"u{n % 97}"}
    spans: list[tuple[str, str, dict[str, str | int | float]]] = [
        ("answer_question", "CHAIN", {"input.value": asked[:200], "output.value": answer[:200]}),
        (
            "retrieve",
            "RETRIEVER",
            {
                "input.value": asked[:120],
                **{f"retrieval.documents.{d}.document.content": asked[d * 200 : d * 200 + 200] for d in range(2)},
                **{f"retrieval.documents.{d}.document.score": 0.9 - d / 10 for d in range(2)},
            },
        ),
        (
            f"chat {model}",
            "LLM",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.system": "openai",
                "gen_ai.request.model": model,
                "gen_ai.response.model": model,
                "gen_ai.request.temperature": 0.2,
                "gen_ai.usage.input_tokens": came,
                "gen_ai.usage.output_tokens": went,
                "llm.model_name": model,
                "llm.provider": "openai",
                "llm.token_count.prompt": came,
                "llm.token_count.completion": went,
                "llm.token_count.total": came + went,
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": asked,
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": answer,
            },
        ),
        ("parse_output", "TOOL", {"tool.name": "parse_output", "input.value": answer[:100], "output.value": "{}"}),
    ]
    trace_id, ids = draw.randbytes(16), [draw.randbytes(8) for _ in spans]
    for place, (name, kind, said) in enumerate(spans):
        add(
            scope,
            {"openinference.span.kind": kind, **shared, **said},
            trace_id=trace_id,
            span_id=ids[place],
            parent_span_id=ids[place - 1] if place else b"",
            name=name,
            kind=Span.SPAN_KIND_CLIENT if kind == "LLM" else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start_ns + place * 1_000_000,
            end_time_unix_nano=start_ns + max(8_000_000, took_ns - place * 500_000),
        )


def requests(seed: str, spans: int, batch: int) -> Iterator[bytes]:
    """`spans` in requests of `batch`, over the day that ends now. Traces may lie in two requests."""
    draw, now = random.Random(seed), time.time_ns()
    pool = [(text(draw, 1500), text(draw, 600)) for _ in range(256)]
    waiting = ScopeSpans()
    traces = spans // 4
    for n in range(traces):
        add_trace(waiting, draw, n, now - DAY_NS + n * DAY_NS // traces, pool)
        while len(waiting.spans) >= batch:
            request = ExportTraceServiceRequest()
            group = request.resource_spans.add()
            group.resource.attributes.add(key="service.name").value.string_value = "bench"
            scope = group.scope_spans.add()
            scope.scope.name = "bench"
            scope.spans.extend(waiting.spans[:batch])
            del waiting.spans[:batch]
            yield request.SerializeToString()


def reference() -> float:
    """Milliseconds of CPU for a piece of plain Python, to compare machines and moments by."""
    times: list[float] = []
    for _ in range(5):
        began = time.thread_time()
        found: dict[int, str] = {}
        for n in range(300_000):
            found[n % 1000] = str(n)
        times.append(1e3 * (time.thread_time() - began))
    return min(times)


# The server's side


def serve(home: Path, port: int) -> None:
    """A server that tells, for each line on standard input, what CPU its threads used."""
    from boxscore.costs import PriceBook
    from boxscore.server.run import serve as run

    def tell() -> None:
        for _ in sys.stdin:
            used = {"all": time.process_time()}
            for thread in threading.enumerate():
                if thread.ident is not None and thread is not threading.current_thread():
                    clock = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
                    used[thread.name] = used.get(thread.name, 0.0) + clock
            print(json.dumps(used), flush=True)

    threading.Thread(target=tell, daemon=True).start()
    run(
        home,
        port=port,
        otlp_port=free_port(),
        grpc_port=free_port(),
        book=PriceBook(),
        ready=lambda _: print("ready", flush=True),
    )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Server:
    def __init__(self, home: Path) -> None:
        self.port = free_port()
        command = [sys.executable, __file__, "--serve", str(home), str(self.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def used(self) -> dict[str, float]:
        """Seconds of CPU by thread."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def catch_up(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        while True:
            connection.request("GET", "/api/v1/search?text=nothing&limit=1&wait=30")
            if json.loads(connection.getresponse().read())["pending"] == 0:
                return

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate()


def send(port: int, bodies: Sequence[bytes], clients: int) -> list[float]:
    """The seconds that each answer took."""
    waits: list[float] = []
    left = iter(bodies)
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                body = next(left, None)
            if body is None:
                return
            began = time.perf_counter()
            connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            waits.append(time.perf_counter() - began)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def measure(spans: int, batch: int, clients: int) -> Run:
    home = Path(tempfile.mkdtemp(prefix="boxscore-"))
    server = Server(home)
    try:
        idle = server.used()
        send(server.port, list(requests("warm", WARM, 500)), 1)
        server.catch_up()
        time.sleep(1.0)  # the dictionary is trained beside
        bodies = list(requests(f"{batch} {clients}", spans, batch))
        before, began = server.used(), time.perf_counter()
        waits = send(server.port, bodies, clients)
        wall, answered = time.perf_counter() - began, server.used()
        server.catch_up()
        after = server.used()
        peak = server.peak_mb()
    finally:
        server.stop()
    stored = sum(path.stat().st_size for path in (home / "spans").iterdir()) / (WARM + spans)
    shutil.rmtree(home)
    scale = 1e6 / spans
    threads = {told: scale * (answered.get(name, 0) - before.get(name, 0)) for name, told in THREADS.items()}
    quantiles = statistics.quantiles(waits, n=20)
    return Run(
        batch=batch,
        clients=clients,
        to_answer=scale * (answered["all"] - before["all"]) - threads["behind"],
        threads=threads,
        caught_up=scale * (after["all"] - before["all"]),
        first=1e6 / WARM * (before["all"] - idle["all"]),
        per_s=spans / wall,
        p50_ms=1e3 * quantiles[9],
        p95_ms=1e3 * quantiles[18],
        stored=stored,
        peak_mb=peak,
    )


# Stages


def least(work: Callable[[], object], runs: int = 3) -> float:
    times: list[float] = []
    for _ in range(runs):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def stages(spans: int = 20_000) -> Iterator[tuple[str, float]]:
    """Each stage by itself, in one thread."""
    import zstandard

    from boxscore.costs import PriceBook
    from boxscore.store.spans import SqliteSpans, blocks, rollups, search, stripes
    from boxscore.store.spans.database import open_database
    from boxscore.store.spans.reader import columns_path
    from boxscore.tracing import Normaliser, read_protobuf

    scale, to_row = 1e6 / spans, Normaliser(PriceBook())
    bodies = list(requests("stages", spans, 500))
    yield "protobuf to spans, attributes unread", scale * least(lambda: [read_protobuf(body) for body in bodies])
    batches = [read_protobuf(body).spans for body in bodies]
    yield "spans to rows in normal form, with cost", scale * least(lambda: [[to_row(s) for s in b] for b in batches])
    rows = [[to_row(span) for span in batch] for batch in batches]
    traces = [batch[at : at + 4] for batch in rows for at in range(0, len(batch), 4)]
    packed = [blocks.pack([blocks.payload_of(row) for row in trace]) for trace in traces]
    home = Path(tempfile.mkdtemp(prefix="boxscore-"))
    try:
        with SqliteSpans(home) as store:
            for request in requests("warm", WARM, 500):
                store.put("p", [to_row(span) for span in read_protobuf(request).spans]).result()
            store.catch_up()
            time.sleep(1.0)
            (writer,) = [thread.ident for thread in threading.enumerate() if thread.name == "boxscore-spans"]
            assert writer is not None
            clock = time.pthread_getcpuclockid(writer)
            before = time.clock_gettime(clock)
            for batch in rows:
                store.put("p", batch).result()
            yield "rows to disk, synced, in the writing thread", scale * (time.clock_gettime(clock) - before)
        (path,) = (home / "spans").glob("*.db")
        database = open_database(path, write=False)
        trained = database.execute("SELECT data FROM dictionaries").get
        database.close()
        if isinstance(trained, bytes):
            compressor = zstandard.ZstdCompressor(
                level=blocks.LEVEL, dict_data=zstandard.ZstdCompressionDict(trained), write_checksum=True
            )
            compress = scale * least(lambda: [compressor.compress(block) for block in packed])
            yield "of it: compressing blocks", compress
        of_all = 1e6 / (spans + WARM)
        for name, step, made in (
            ("columns", stripes.step, columns_path(path)),
            ("roll-ups", rollups.step, rollups.rollup_path(path)),
            ("search", search.step, search.search_path(path)),
        ):
            made.unlink()
            began = time.thread_time()
            while step(path):
                pass
            yield f"behind the write, made again: {name}", of_all * (time.thread_time() - began)
    finally:
        shutil.rmtree(home)


def page(spans: int, loads: Sequence[tuple[int, int]]) -> str:
    before, load = reference(), os.getloadavg()[0]
    size = sum(map(len, requests("size", 4_000, 500))) / 4_000
    runs = [measure(spans, batch, clients) for batch, clients in loads]
    staged = list(stages())
    after = reference()
    names = ["batch", "clients", "to the answer", "HTTP", "reading", "writing", "caught up", "spans/s"]
    names += ["p50 ms", "p95 ms", "B/span"]
    lines = [
        "# Ingest",
        "",
        f"{datetime.now(UTC).date()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load {load:.1f} before it began.",
        "Repeat with `.venv/bin/python benchmarks/ingest.py`.",
        "",
        f"OTLP protobuf over HTTP, {spans:,} spans of {size:,.0f} bytes a run, into a store of {WARM:,}. Milliseconds "
        "of CPU per 1,000 spans in the server, all threads; the time to the answer is the client's, with that many "
        f"requests under way. A fixed piece of Python took {before:.0f} ms before and {after:.0f} ms after: where "
        "others use the machine all figures move with it.",
        "",
        f"| {' | '.join(names)} |",
        "|" + "---:|" * len(names),
    ]
    for run in runs:
        shown = [run.threads[name] for name in ("HTTP", "reading", "writing")]
        figures = [run.to_answer, *shown, run.caught_up]
        lines.append(
            f"| {run.batch} | {run.clients} | **{figures[0]:.1f}** | "
            + " | ".join(f"{figure:.1f}" for figure in figures[1:])
            + f" | {run.per_s:,.0f} | {run.p50_ms:.1f} | {run.p95_ms:.1f} | {run.stored:,.0f} |"
        )
    best = runs[0]
    lines += [
        "",
        f"The goals are {GOAL_ACK} to the answer and {GOAL_CAUGHT_UP} caught up, in batches of 500. The first {WARM:,} "
        f"spans of an application cost {best.first:.0f} until they are caught up, with the training of its dictionary. "
        f"The server's memory peaked at {max(run.peak_mb for run in runs):.0f} MB.",
        "",
        "| stage by itself, one thread, batches of 500 | ms per 1,000 |",
        "|---|---:|",
        *(f"| {name} | {figure:.1f} |" for name, figure in staged),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--loads", default=",".join(f"{b}x{c}" for b, c in LOADS), help="BATCHxCLIENTS, …")
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(Path(options.serve[0]), int(options.serve[1]))
        return 0
    loads = [(int(batch), int(clients)) for batch, clients in (load.split("x") for load in options.loads.split(","))]
    told = page(options.spans, loads)
    print(told)
    if options.write:
        write_section("ingest", told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
