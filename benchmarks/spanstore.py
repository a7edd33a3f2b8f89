"""The span store: CPU and bytes per span until the synced acknowledgement, and the time of its queries.

    .venv/bin/python benchmarks/spanstore.py                          100,000 spans in batches of 10, 100 and 500
    .venv/bin/python benchmarks/spanstore.py --spans 1000000 --queries

Rows in normal form are made before the clock starts: decoding what a client sent is not in these figures, nor is HTTP.
CPU "to ack" is that of the sending and the writing thread; "caught up" that of the whole process until roll-ups and
search have everything, which runs beside the writer and takes its share of the interpreter. The first 50,000 spans,
while the applications' dictionaries are trained, are told apart (a second or two once, however many follow). The load
is generated and seeded: five spans a trace (agent, retrieval, chat, tool, chat), twenty applications of one system
prompt each, document chunks that come back, the rest fresh words of a Zipf distribution. Real text differs; bytes are
indicative.
"""

import argparse
import gc
import json
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from boxscore.store.spans import Condition, SpanRow, SqliteSpans

APPLICATIONS, CHUNKS, WORDS = 20, 400, 20_000
WARM = 50_000
START_NS = 1_790_000_000 * 10**9
STEP_NS = 3_000_000
MINUTE_NS = 60 * 10**9
MODELS = ("gpt-large", "gpt-mini", "claude-large", "claude-mini", "gemini", "llama", "qwen", "mistral")


class Texts:
    """Words of a Zipf distribution, and texts that come back."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = [1 / (place + 3) for place in range(len(letters))]
        words = ["".join(draw.choices(letters, weights, k=draw.randint(2, 10))) for _ in range(WORDS)]
        self._stream = draw.choices(words, [1 / (rank + 5) for rank in range(WORDS)], k=1_000_000)
        self.prompts = [f"You answer for application {n}. {self.text(draw, 120)}" for n in range(APPLICATIONS)]
        self.chunks = [[self.text(draw, 65) for _ in range(CHUNKS)] for _ in range(APPLICATIONS)]

    def text(self, draw: random.Random, words: int) -> str:
        start = draw.randrange(len(self._stream) - words)
        return " ".join(self._stream[start : start + words])


def generate(traces: int, *, seed: int = 1) -> Iterator[list[SpanRow]]:
    """Traces of five spans. `raw` has the size and the repetitions of an OTLP span: ids, names and messages as JSON."""
    texts = Texts(seed)
    draw = random.Random(seed + 1)
    for n in range(traces):
        application = n % APPLICATIONS
        question, answer = texts.text(draw, draw.randint(20, 140)), texts.text(draw, draw.randint(40, 160))
        found = [draw.choice(texts.chunks[application]) for _ in range(3)]
        tool = texts.text(draw, draw.randint(15, 80))
        asked = [["system", texts.prompts[application]], ["user", question], ["context", *found]]
        model = MODELS[min(int(draw.expovariate(0.6)), len(MODELS) - 1)]
        failed = draw.random() < 0.02
        shared: dict[str, Any] = {
            "trace_id": draw.randbytes(16),
            "application": f"application-{application}",
            "environment": "production" if draw.random() < 0.8 else "staging",
            "session": f"conversation-{n // 3:08}",
            "user": f"user-{int(20_000 * draw.random() ** 2)}",
            "resource": f"service.name=application-{application};telemetry.sdk.language=python".encode(),
            "scope": b"generated/1.0",
        }
        metadata = {"tenant": f"t{draw.randrange(500)}", "experiment": str(n // 20 % 12), "region": "eu"}
        parts: list[tuple[str, str, object, dict[str, Any]]] = [
            ("agent", "invoke_agent", [question, answer], {"metadata": metadata, "error": failed}),
            ("retrieval", "retrieval", [question, found], {}),
            ("chat", "chat", asked, {"input_text": question, "output_text": tool}),
            ("tool", "execute_tool", [tool], {"error": failed}),
            ("chat", "chat", [*asked, ["tool", tool], answer], {"input_text": tool, "output_text": answer}),
        ]
        ids = [draw.randbytes(8) for _ in parts]
        rows: list[SpanRow] = []
        for place, (name, operation, content, more) in enumerate(parts):
            fields = shared | more
            if operation == "chat":
                fields |= {
                    "model": model,
                    "provider": "openai",
                    "input_tokens": draw.randint(500, 2000),
                    "output_tokens": draw.randint(50, 300),
                    "cost_usd": Decimal(draw.randint(100, 90_000)).scaleb(-8),
                    "price": f"{model}/2026-01",
                    "first_token_ns": draw.randint(10**8, 10**9),
                }
            raw = (
                shared["trace_id"]
                + ids[place]
                + json.dumps({"name": name, "model": model, "content": content}).encode()
            )
            rows.append(
                SpanRow(
                    span_id=ids[place],
                    parent_id=ids[0] if place else None,
                    entry=place == 0,
                    name=name,
                    operation=operation,
                    step=name,
                    start_ns=START_NS + (n * 5 + place) * STEP_NS,
                    duration_ns=draw.randint(10**6, 5 * 10**9),
                    raw=raw,
                    **fields,
                )
            )
        yield rows


def batches(spans: int, size: int) -> Iterator[list[SpanRow]]:
    """The load in requests of `size` spans."""
    batch: list[SpanRow] = []
    for trace in generate(spans // 5):
        batch += trace
        while len(batch) >= size:
            yield batch[:size]
            batch = batch[size:]
    if batch:
        yield batch


def ingest(store: SqliteSpans, spans: int, size: int, clients: int) -> str:
    """Sends the load with `clients` requests under way at a time. Generating stands outside the clocks."""
    cpu = caught_up = wall = first = 0.0
    threads = [thread.ident for thread in threading.enumerate() if thread.name in ("MainThread", "boxscore-spans")]
    clocks = [time.pthread_getcpuclockid(thread) for thread in threads if thread is not None]

    def used() -> float:
        return sum(map(time.clock_gettime, clocks))

    raw = count = 0
    waits: list[float] = []
    load = batches(spans, size)
    while ready := [batch for _, batch in zip(range(max(1, WARM // size)), load, strict=False)]:
        gc.freeze()  # the rows that wait are ours, not the store's
        cpu_before, all_before, wall_before = used(), time.process_time(), time.perf_counter()
        under_way: deque[tuple[float, Callable[[], None]]] = deque()
        for batch in ready:
            under_way.append((time.perf_counter(), store.put("p", batch).result))
            if len(under_way) == clients:
                sent, wait = under_way.popleft()
                wait()
                waits.append(time.perf_counter() - sent)
        for _, wait in under_way:
            wait()
        cpu_after, wall_after = used(), time.perf_counter()
        store.catch_up()
        if not first:
            first, waits = time.process_time() - all_before, []
            continue
        raw += sum(len(row.raw) for batch in ready for row in batch)
        count += sum(map(len, ready))
        cpu += cpu_after - cpu_before
        caught_up += time.process_time() - all_before
        wall += wall_after - wall_before
    quantiles = statistics.quantiles(waits, n=20)
    figures = [
        1e6 * first / WARM,
        1e6 * cpu / count,
        count / wall,
        1e3 * quantiles[9],
        1e3 * quantiles[18],
        raw / count,
    ]
    return f"{size:>6}{clients:>9}" + "".join(f"{figure:>13,.1f}" for figure in figures)


def query(store: SqliteSpans) -> Iterator[str]:
    """Each question 100 times, in cache."""
    newest = store.traces("p", limit=50).items
    of = newest[-1].entry
    words = next(span.output_text for span in store.trace("p", of.trace_id).items if span.output_text).split()
    minute = START_NS // MINUTE_NS * MINUTE_NS
    hour = {"start_ns": minute, "end_ns": minute + 60 * MINUTE_NS, "step_ns": MINUTE_NS}

    def newest_where(field: str, value: str | bool | None) -> Callable[[], object]:
        return lambda: store.spans("p", [Condition(field, "=", value)])

    questions: Sequence[tuple[str, Callable[[], object]]] = [
        ("newest 50 traces with totals", lambda: store.traces("p")),
        ("newest 50 spans, whole", lambda: store.spans("p", whole=True)),
        ("trace by id, whole", lambda: store.trace("p", of.trace_id)),
        ("session", newest_where("session", of.session)),
        ("user", newest_where("user", of.user)),
        ("model", newest_where("model", MODELS[-1])),
        ("errors", newest_where("error", True)),
        ("environment (no index)", newest_where("environment", "staging")),
        ("metadata, 1 in 500", newest_where("metadata.tenant", "t7")),
        ("metadata, all", newest_where("metadata.region", "eu")),
        ("search, two words", lambda: store.search("p", " ".join(words[:2]))),
        ("search, phrase of two words", lambda: store.search("p", f'"{words[0]} {words[1]}"')),
        ("series of an hour by model", lambda: store.series("p", **hour, by="model")),
        ("counts of a model", lambda: store.counts("p", [Condition("model", "=", MODELS[-1])])),
    ]
    for name, ask in questions:
        times: list[float] = []
        for _ in range(100):
            began = time.perf_counter()
            ask()
            times.append(1e3 * (time.perf_counter() - began))
        quantiles = statistics.quantiles(times, n=20)
        yield f"{name:<32} {quantiles[9]:>8.2f} {quantiles[18]:>8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--queries", action="store_true", help="ask questions of the last load")
    parser.add_argument("--loads", default="10x1,100x1,500x1,10x32,100x8,500x8", help="BATCHxCLIENTS, …")
    options = parser.parse_args()
    print(f"{options.spans:,} spans, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    heads = ("first 50,000", "ms to ack", "caught up", "spans/s", "ack p50 ms", "ack p95 ms", "raw B/span", "stored")
    print(f"{'batch':>6}{'clients':>9}" + "".join(f"{head:>13}" for head in heads))
    for load in options.loads.split(","):
        size, clients = map(int, load.split("x"))
        home = Path(tempfile.mkdtemp(prefix="boxscore-"))
        try:
            with SqliteSpans(home) as store:
                print(ingest(store, options.spans, size, clients), end="", flush=True)
            print(f"{sum(path.stat().st_size for path in store.folder.iterdir()) / options.spans:>13,.0f}", flush=True)
            with SqliteSpans(home, write=False) as store:
                if options.queries and load == options.loads.rpartition(",")[2]:
                    print(f"\n{'question':<32} {'p50 ms':>8} {'p95 ms':>8}")
                    for line in query(store):
                        print(line, flush=True)
        finally:
            shutil.rmtree(home)


if __name__ == "__main__":
    main()
