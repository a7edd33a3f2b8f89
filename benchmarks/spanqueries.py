"""Questions to a span store while spans arrive: their time, and the memory of who asks or answers.

    .venv/bin/python benchmarks/spanqueries.py --home FOLDER               a million spans, built there once
    .venv/bin/python benchmarks/spanqueries.py --home FOLDER --http        the same, asked of a server
    .venv/bin/python benchmarks/spanqueries.py --home FOLDER --write       both, and their section of docs/benchmarks.md

The store is copied, and a trace of 50,000 spans is put into the copy. Another process writes 500 spans a second into
it, paced by the clock, and makes columns, roll-ups and search follow; with `--http` `boxscore serve` does, and a client
sends the spans over OTLP. Each question is asked many times, with other values each time where it has any, and what is
found is read. Then a user is erased and a retention run made while questions and spans go on. All files are in the page
cache. The load is `planted/spans.py`: eight days, every filtered value with its share, drawn for each trace or span by
itself, so that what is rare lies scattered. Exits with 1 where a goal is missed: a p95 of 20 ms in the store and of 50
over HTTP, a memory of 512 MB, and of 150 when idle.
"""

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec
from page import write_section
from planted.spans import MODELS, Texts, batches

from boxscore.client.spans import RemoteSpans
from boxscore.server.access import DEFAULT_PROJECT
from boxscore.store.spans import Page, SpanReader, SqliteSpans, StoredSpan, parse_condition, parse_measure

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
FILTERS: Sequence[tuple[str, str]] = (
    ("0.5", "environment=half"),
    ("0.5", "release=half"),
    ("0.5", "prompt_version=half"),
    ("0.5", "duration_ns>=2500000000"),
    ("0.1", "variant=tenth"),
    ("0.1", f"model={MODELS[2]}"),
    ("0.1", "cost_usd>=0.000675"),
    ("0.1", "environment=tenth"),
    ("0.001", "fingerprint=thousandth"),
    ("0.001", "duration_ns>=4995001000"),
    ("0.001", "environment=tenth release=tenth variant=tenth"),
    ("0.001 of traces", "metadata.tenant=thousandth"),
)
NOTHING = "environment=thousandth release=thousandth fingerprint=thousandth prompt=thousandth"

COUNTING = ("count", "values of")
"""How questions begin that count or measure every span: no goal is theirs."""
STORE_MS, HTTP_MS, WAIT_MS = 20, 50, 3_000
MEMORY_MB, IDLE_MB = 512, 150
SECONDS = 1.2
"""A question is asked for no longer, but ten times at least."""
IDLE_S, LIMIT_S = 8, 80
LONG = b"long".ljust(16)

Question = tuple[str, Callable[[], object]]


def build(home: Path, spans: int) -> None:
    """A store of `spans` that end two hours ago: retention leaves the last hour alone."""
    with SqliteSpans(home) as store:
        times = {"start_ns": time.time_ns() - 8 * DAY_NS - 2 * HOUR_NS, "step_ns": 8 * DAY_NS // spans}
        for batch in batches(spans, 2_000, **times):
            store.put(DEFAULT_PROJECT, batch).result()
        store.catch_up()


def add_long_trace(home: Path, spans: int = 50_000) -> None:
    """One trace of so many spans, an hour ago."""
    began = time.time_ns() - HOUR_NS
    with SqliteSpans(home) as store:
        for n, batch in enumerate(batches(spans, 2_000, seed=5, start_ns=began, step_ns=10**6)):
            rows = [msgspec.structs.replace(row, trace_id=LONG, session="long", entry=False) for row in batch]
            rows[0] = msgspec.structs.replace(rows[0], entry=n == 0)
            store.put(DEFAULT_PROJECT, rows).result()
        store.catch_up()


def write(home: Path, rate: int) -> None:
    """Writes `rate` spans a second, as they happen, until the process is ended."""
    step_ns = 10**9 // rate
    with SqliteSpans(home) as store:
        began = time.time_ns()
        for n, batch in enumerate(batches(10**9, 100, seed=time.time_ns() % 10**6, start_ns=began, step_ns=step_ns)):
            store.put(DEFAULT_PROJECT, batch).result()
            if n == 0:
                print("writing", flush=True)
            time.sleep(max(0.0, ((n + 1) * 100 * step_ns - (time.time_ns() - began)) / 1e9))


def questions(store: SpanReader) -> Iterator[Question]:
    draw = random.Random(4)
    texts = Texts(1)
    oldest = store.traces(DEFAULT_PROJECT, limit=1000, oldest_first=True).items
    known = [summary.entry for summary in [*oldest, *store.traces(DEFAULT_PROJECT, limit=1000).items]]
    traces = [store.trace(DEFAULT_PROJECT, entry.trace_id).items for entry in known[:200]]
    answers = [spans[-1].output_text.split() for spans in traces]

    def listed(name: str, filter: str) -> Iterator[Question]:
        conditions = [parse_condition(text) for text in filter.split()]
        yield f"spans: {name}", lambda: store.spans(DEFAULT_PROJECT, conditions)
        yield f"traces: {name}", lambda: store.traces(DEFAULT_PROJECT, conditions)

    def one(field: str) -> str:
        return f"{field}={getattr(draw.choice(known), field)}"

    def phrase(length: int) -> str:
        words = draw.choice(answers)
        at = draw.randrange(len(words) - length)
        return f'"{" ".join(words[at : at + length])}"'

    yield from listed("no filter", "")
    for share, filter in FILTERS:
        yield from listed(f"{filter} ({share})", filter)
    yield from listed("four filters that nothing passes", NOTHING)
    yield "spans: error=true (0.008)", lambda: store.spans(DEFAULT_PROJECT, [parse_condition("error=true")])
    yield "spans of a user", lambda: store.spans(DEFAULT_PROJECT, [parse_condition(one("user"))])
    yield "spans of a conversation", lambda: store.spans(DEFAULT_PROJECT, [parse_condition(one("session"))])
    yield "traces of a conversation", lambda: store.traces(DEFAULT_PROJECT, [parse_condition(one("session"))])
    yield "newest 50 conversations", lambda: store.sessions(DEFAULT_PROJECT)
    yield "trace by id, whole", lambda: store.trace(DEFAULT_PROJECT, draw.choice(known).trace_id)
    pages: list[str | None] = [None]

    def next_page() -> Page[StoredSpan]:
        page = store.trace(DEFAULT_PROJECT, LONG, limit=200, cursor=pages[0])
        pages[0] = page.cursor
        return page

    yield "a trace of 50,000 spans, the next page of 200", next_page
    yield "that trace in a list", lambda: store.traces(DEFAULT_PROJECT, [parse_condition("session=long")])
    yield "a frequent word", lambda: store.search(DEFAULT_PROJECT, texts.words[draw.randrange(20)])
    yield "a word in a hundred spans", lambda: store.search(DEFAULT_PROJECT, texts.words[draw.randrange(100, 400)])
    yield "a rare word", lambda: store.search(DEFAULT_PROJECT, texts.words[draw.randrange(15_000, 20_000)])
    yield "two words", lambda: store.search(DEFAULT_PROJECT, " ".join(draw.sample(draw.choice(answers), 2)))
    yield "a phrase of two words", lambda: store.search(DEFAULT_PROJECT, phrase(2))
    yield "a phrase of four words", lambda: store.search(DEFAULT_PROJECT, phrase(4))
    yield (
        "a word, and release=tenth",
        lambda: store.search(
            DEFAULT_PROJECT, texts.words[draw.randrange(100, 400)], [parse_condition("release=tenth")]
        ),
    )
    yield "part of a word", lambda: store.search(DEFAULT_PROJECT, f"*{_part(draw, texts)}*")
    hour = 3600 * 10**9
    now = time.time_ns() // hour * hour + hour
    yield (
        "7 days by hour by model, p50 and p95",
        lambda: store.series(DEFAULT_PROJECT, start_ns=now - 7 * DAY_NS, end_ns=now, step_ns=hour, by="model"),
    )
    yield (
        "a day by five minutes",
        lambda: store.series(DEFAULT_PROJECT, start_ns=now - DAY_NS, end_ns=now, step_ns=hour // 12),
    )
    yield "count of all", lambda: store.counts(DEFAULT_PROJECT)
    tenth = [parse_condition("release=tenth")]
    yield "count where release=tenth", lambda: store.counts(DEFAULT_PROJECT, tenth)
    yield "values of variant", lambda: store.facets(DEFAULT_PROJECT, "variant")
    measures = [parse_measure(text) for text in ("count", "sum(cost_usd)", "p95(duration_ns)")]
    yield "count, cost and p95 by model", lambda: store.aggregate(DEFAULT_PROJECT, measures, by=["model"])


def _part(draw: random.Random, texts: Texts) -> str:
    word = draw.choice([word for word in texts.words[1_000:] if len(word) >= 7])
    return word[1:6]


def measure(store: SpanReader, repeats: int, goal_ms: float, cpu: Callable[[], float]) -> tuple[str, list[str]]:
    """The table, and the questions that miss the goal. `cpu` gives seconds."""
    lines = ["| question | p50 ms | p95 ms | CPU ms | items |", "|---|---|---|---|---|"]
    missed: list[str] = []
    for name, ask in questions(store):
        answer = ask()
        times: list[float] = []
        used, until = cpu(), time.perf_counter() + SECONDS
        while len(times) < repeats and (len(times) < 10 or time.perf_counter() < until):
            began = time.perf_counter()
            answer = ask()
            times.append(1e3 * (time.perf_counter() - began))
        used = 1e3 * (cpu() - used) / len(times)
        quantiles = statistics.quantiles(times, n=20, method="inclusive")
        items = getattr(answer, "items", getattr(answer, "points", answer))
        size = len(cast("Sequence[object]", items)) if isinstance(items, Sequence) else ""
        is_missed = quantiles[18] > goal_ms and not name.startswith(COUNTING)
        if is_missed:
            missed.append(f"{name}: {quantiles[18]:.1f} ms")
        p95 = f"**{quantiles[18]:.1f}**" if is_missed else f"{quantiles[18]:.1f}"
        lines.append(f"| {name} | {quantiles[9]:.1f} | {p95} | {used:.1f} | {size} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines), missed


def in_store(original: Path, home: Path, rate: int, repeats: int) -> tuple[str, list[str]]:
    command = [sys.executable, __file__, "--writer", "--home", str(home), "--rate", str(rate)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE) if rate else None
    try:
        if writer is not None and writer.stdout is not None:
            writer.stdout.readline()
            time.sleep(5)
        with SqliteSpans(home, write=False) as store:
            table, missed = measure(store, repeats, STORE_MS, time.process_time)
        logs = sum(path.stat().st_size for path in (home / "spans").glob("*-wal")) // 10**6
    finally:
        if writer is not None:
            writer.terminate()
            writer.wait()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    text = (
        f"## In the store\n\nAnother process wrote {rate} spans a second. The asking process took {peak} MB at most, "
        f"the logs {logs} MB at the end.\n\n{table}"
    )
    return text, missed


def over_http(original: Path, home: Path, rate: int, repeats: int) -> tuple[str, list[str]]:
    from spanserving import Server, during, erased, retained, sending, settled

    with SqliteSpans(home, write=False) as store:
        user = store.traces(DEFAULT_PROJECT, limit=1, oldest_first=True).items[0].entry.user
    assert user is not None
    server = Server(home)
    try:
        time.sleep(IDLE_S)
        idle = server.memory()
        with sending(server, rate) as sent, RemoteSpans(server.url) as remote:
            time.sleep(2)
            before, began = server.cpu(), time.time()
            time.sleep(4)
            share = (server.cpu() - before) / (time.time() - began)
            table, missed = measure(remote, repeats, HTTP_MS, lambda: server.cpu() - share * (time.time() - began))
            told, peak, logs = sent.since(began), server.memory("VmHWM"), server.logs()
        erasure, waited = during(server, rate, lambda: erased(server, user), LIMIT_S)
        time.sleep(2)
        left = server.logs()
    finally:
        server.stop()
    shutil.rmtree(home)
    shutil.copytree(original, home)
    settled(home)
    server = Server(home, BOXSCORE_RETAIN_SAMPLE="0.95", BOXSCORE_RETAIN_SAMPLE_DAYS="0.04")
    try:
        retention, waited_too = during(server, rate, lambda: retained(server), LIMIT_S)
    finally:
        server.stop()
    for what, found, most in (
        ("memory", peak, MEMORY_MB),
        ("memory when idle", idle, IDLE_MB),
        ("the longest question during an erasure, ms", waited, WAIT_MS),
        ("the longest question during retention, ms", waited_too, WAIT_MS),
    ):
        if found > most:
            missed.append(f"{what}: {found:,.0f}, and {most:,} is the goal")
    text = (
        f"## Over HTTP\n\nA client sent {rate} spans a second over OTLP ({told}), which took {100 * share:.0f} % of a "
        f"core; CPU is the server's without that. The server took {idle} MB when idle and {peak} MB at most while it "
        f"was asked; its logs had {logs} MB then, and {left} MB two seconds after the erasure.\n\n{table}\n\n"
        f"- A user is erased: {erasure}.\n"
        f"- A retention run that leaves 95 of 100 traces: {retention}."
    )
    return text, missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, required=True, help="where the store is, or is built when it is not there")
    parser.add_argument("--rate", type=int, default=500, help="spans a second that arrive meanwhile")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--http", action="store_true", help="ask a server")
    parser.add_argument("--write", action="store_true", help="ask both, and write their section of docs/benchmarks.md")
    parser.add_argument("--writer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        write(options.home, options.rate)
        return 0
    if not options.home.exists():
        build(options.home, options.spans)
    load = os.getloadavg()[0]
    parts: list[str] = []
    missed: list[str] = []
    for part in (in_store, over_http) if options.write else (over_http,) if options.http else (in_store,):
        with tempfile.TemporaryDirectory(prefix="boxscore-") as scratch:
            copy = Path(scratch) / "home"
            shutil.copytree(options.home, copy)
            add_long_trace(copy)
            text, found = part(options.home, copy, options.rate, options.repeats)
            parts.append(text)
            missed += found
    stored = sum(path.stat().st_size for path in (options.home / "spans").iterdir()) / options.spans
    text = (
        f"# Questions to {options.spans:,} spans\n\n{datetime.now(UTC).date()}, `benchmarks/spanqueries.py`: up to "
        f"{options.repeats} times each, with other values each time, on {os.cpu_count()} cores (load {load:.1f} before "
        f"it began); {stored:,.0f} bytes a span are stored. Goals are a p95 of {STORE_MS} ms in the store and of "
        f"{HTTP_MS} ms over HTTP, for all but the questions that count or measure every span; bold is missed.\n\n"
        + "\n\n".join(parts)
    )
    print(text)
    if options.write:
        write_section("spanqueries", text)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
