"""Questions to a span store while spans arrive: their time, and the memory of who asks.

    .venv/bin/python benchmarks/spanqueries.py --home FOLDER               a million spans, built there once
    .venv/bin/python benchmarks/spanqueries.py --home FOLDER --write       and its section of docs/benchmarks.md

The store is copied, and another process writes 500 spans a second into the copy, paced by the clock, and makes columns,
roll-ups and search follow. This one asks each question many times, with other values each time where it has any, and
reads what it got. All files are in the page cache. The load is `planted/spans.py`: eight days, every filtered value
with its share, drawn for each trace or span by itself, so that what is rare lies scattered.
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
from pathlib import Path

import msgspec
from page import write_section
from planted.spans import MODELS, Texts, batches

from boxscore.store.spans import SqliteSpans, parse_condition, parse_measure

DAY_NS = 24 * 3600 * 10**9
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

Question = tuple[str, Callable[[], object]]


def build(home: Path, spans: int) -> None:
    """A store of `spans` that end now."""
    with SqliteSpans(home) as store:
        times = {"start_ns": time.time_ns() - 8 * DAY_NS, "step_ns": 8 * DAY_NS // spans}
        for batch in batches(spans, 2_000, **times):
            store.put("p", batch).result()
        store.catch_up()


def long_trace(home: Path, spans: int = 50_000) -> str:
    """Pages of one long trace, all of them in turn."""
    trace_id = b"long".ljust(16)
    with SqliteSpans(home) as store:
        for batch in batches(spans, 2_000, seed=5):
            store.put("p", [msgspec.structs.replace(row, trace_id=trace_id) for row in batch]).result()
        times: list[float] = []
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cursor, count = None, 0
        while cursor is not None or not times:
            began = time.perf_counter()
            page = store.trace("p", trace_id, limit=200, cursor=cursor)
            times.append(1e3 * (time.perf_counter() - began))
            cursor, count = page.cursor, count + len(page.items)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    quantiles = statistics.quantiles(times, n=20)
    return (
        f"A trace of {count:,} spans, whole, in {len(times)} pages of 200: p50 {quantiles[9]:.1f} ms, p95 "
        f"{quantiles[18]:.1f} ms a page; memory grew by {grown} MB over all of them."
    )


def write(home: Path, rate: int) -> None:
    """Writes `rate` spans a second, as they happen, until the process is ended."""
    step_ns = 10**9 // rate
    with SqliteSpans(home) as store:
        began = time.time_ns()
        for n, batch in enumerate(batches(10**9, 100, seed=time.time_ns() % 10**6, start_ns=began, step_ns=step_ns)):
            store.put("p", batch).result()
            if n == 0:
                print("writing", flush=True)
            time.sleep(max(0.0, ((n + 1) * 100 * step_ns - (time.time_ns() - began)) / 1e9))


def questions(store: SqliteSpans) -> Iterator[Question]:
    draw = random.Random(4)
    texts = Texts(1)
    oldest = store.traces("p", limit=1000, oldest_first=True).items
    known = [summary.entry for summary in [*oldest, *store.traces("p", limit=1000).items]]
    traces = [store.trace("p", entry.trace_id).items for entry in known[:200]]
    answers = [spans[-1].output_text.split() for spans in traces]

    def listed(name: str, filter: str) -> Iterator[Question]:
        conditions = [parse_condition(text) for text in filter.split()]
        yield f"spans: {name}", lambda: store.spans("p", conditions)
        yield f"traces: {name}", lambda: store.traces("p", conditions)

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
    yield "spans: error=true (0.008)", lambda: store.spans("p", [parse_condition("error=true")])
    yield "spans of a user", lambda: store.spans("p", [parse_condition(one("user"))])
    yield "spans of a conversation", lambda: store.spans("p", [parse_condition(one("session"))])
    yield "traces of a conversation", lambda: store.traces("p", [parse_condition(one("session"))])
    yield "newest 50 conversations", lambda: store.sessions("p")
    yield "trace by id, whole", lambda: store.trace("p", draw.choice(known).trace_id)
    yield "a frequent word", lambda: store.search("p", texts.words[draw.randrange(20)])
    yield "a word in a hundred spans", lambda: store.search("p", texts.words[draw.randrange(100, 400)])
    yield "a rare word", lambda: store.search("p", texts.words[draw.randrange(15_000, 20_000)])
    yield "two words", lambda: store.search("p", " ".join(draw.sample(draw.choice(answers), 2)))
    yield "a phrase of two words", lambda: store.search("p", phrase(2))
    yield "a phrase of four words", lambda: store.search("p", phrase(4))
    yield (
        "a word, and release=tenth",
        lambda: store.search("p", texts.words[draw.randrange(100, 400)], [parse_condition("release=tenth")]),
    )
    yield "part of a word", lambda: store.search("p", f"*{_part(draw, texts)}*")
    hour = 3600 * 10**9
    now = time.time_ns() // hour * hour + hour
    week = {"start_ns": now - 7 * DAY_NS, "end_ns": now, "step_ns": hour}
    yield "7 days by hour by model, p50 and p95", lambda: store.series("p", **week, by="model")
    day = {"start_ns": now - DAY_NS, "end_ns": now, "step_ns": hour // 12}
    yield "a day by five minutes", lambda: store.series("p", **day)
    yield "count of all", lambda: store.counts("p")
    tenth = [parse_condition("release=tenth")]
    yield "count where release=tenth", lambda: store.counts("p", tenth)
    yield "values of variant", lambda: store.facets("p", "variant")
    measures = [parse_measure(text) for text in ("count", "sum(cost_usd)", "p95(duration_ns)")]
    yield "count, cost and p95 by model", lambda: store.aggregate("p", measures, by=["model"])


def _part(draw: random.Random, texts: Texts) -> str:
    word = draw.choice([word for word in texts.words[1_000:] if len(word) >= 7])
    return word[1:6]


def measure(home: Path, repeats: int) -> str:
    lines = ["| question | p50 ms | p95 ms | CPU ms | items |", "|---|---|---|---|---|"]
    with SqliteSpans(home, write=False) as store:
        for name, ask in questions(store):
            ask()
            times: list[float] = []
            cpu = time.process_time()
            for _ in range(repeats):
                began = time.perf_counter()
                answer = ask()
                times.append(1e3 * (time.perf_counter() - began))
                if times[-1] > 200 and len(times) >= 10:
                    break
            cpu = 1e3 * (time.process_time() - cpu) / len(times)
            quantiles = statistics.quantiles(times, n=20)
            items = getattr(answer, "items", getattr(answer, "points", answer))
            size = len(items) if isinstance(items, Sequence) else ""
            lines.append(f"| {name} | {quantiles[9]:.1f} | {quantiles[18]:.1f} | {cpu:.1f} | {size} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, required=True, help="where the store is, or is built when it is not there")
    parser.add_argument("--rate", type=int, default=500, help="spans a second that arrive meanwhile")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    parser.add_argument("--writer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        write(options.home, options.rate)
        return
    if not options.home.exists():
        build(options.home, options.spans)
    with tempfile.TemporaryDirectory(prefix="boxscore-") as scratch:
        copy = Path(scratch) / "home"
        shutil.copytree(options.home, copy)
        command = [sys.executable, __file__, "--writer", "--home", str(copy), "--rate", str(options.rate)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE) if options.rate else None
        try:
            if writer is not None and writer.stdout is not None:
                writer.stdout.readline()
                time.sleep(5)
            table = measure(copy, options.repeats)
        finally:
            if writer is not None:
                writer.terminate()
                writer.wait()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sizes = {path.suffix: path.stat().st_size for path in (options.home / "spans").iterdir()}
        stored = sum(sizes.values()) / options.spans
        long = long_trace(Path(scratch) / "long")
    text = (
        f"# Questions to {options.spans:,} spans\n\n`benchmarks/spanqueries.py`: {options.repeats} times each, with "
        f"other values each time, while another process wrote {options.rate} spans a second, on {os.cpu_count()} cores "
        f"that others used too (load {os.getloadavg()[0]:.1f}): CPU time says more. The asking process took {peak} "
        f"MB at most; {stored:,.0f} bytes a span are stored.\n\n{table}\n\n{long}"
    )
    print(text)
    if options.write:
        write_section("spanqueries", text)


if __name__ == "__main__":
    main()
