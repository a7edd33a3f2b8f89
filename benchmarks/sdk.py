"""What a traced call costs the application that makes it, over plain OpenTelemetry in the same process.

python benchmarks/sdk.py [--write]     about ten seconds

One function, 1.5 kB in and 600 B out, is called bare, in a span of plain OpenTelemetry that keeps both as attributes
(`BatchSpanProcessor`), and decorated with `boxscore.trace`. The three take turns, a hundred calls at a time, so that
what else the machine does meets all of them; both exporters send to a server of their own process. The figure is the
median call; the difference is that of the medians of each turn.
"""

import argparse
import gc
import http.server
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import boxscore
from boxscore.sdk import counts
from boxscore.sdk.parcel import Parcel
from boxscore.sdk.post import Post, Target

TURNS, CALLS = 200, 50
QUESTION, ANSWER = "p" * 1_500, "c" * 600
GOAL_US = 10.0


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes everything and keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:
        pass


class Exporter(SpanExporter):
    """OpenTelemetry's own encoding, by our connection: the client is not what is compared."""

    def __init__(self, url: str) -> None:
        self._post = Post(Target(spans_url=f"{url}/v1/traces", scores_url=url))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        outcome = self._post(Parcel("spans", len(spans), 0, encode_spans(spans).SerializeToString()))
        return SpanExportResult.SUCCESS if outcome.kind == "taken" else SpanExportResult.FAILURE


def body(question: str) -> str:
    return ANSWER


def plain(url: str) -> tuple[Callable[[str], str], TracerProvider]:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Exporter(url), max_queue_size=1_000_000))
    tracer = provider.get_tracer("plain")

    def traced(question: str) -> str:
        with tracer.start_as_current_span("body") as span:
            span.set_attribute("input.value", question)
            answer = body(question)
            span.set_attribute("output.value", answer)
            return answer

    return traced, provider


def measure(kinds: dict[str, Callable[[str], str]]) -> dict[str, list[float]]:
    """Median microseconds of a call, by turn."""
    medians: dict[str, list[float]] = {name: [] for name in kinds}
    order = list(kinds)
    for turn in range(TURNS):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            call, times = kinds[name], list[float]()
            for _ in range(CALLS):
                began = time.perf_counter_ns()
                call(QUESTION)
                times.append((time.perf_counter_ns() - began) / 1e3)
            medians[name].append(statistics.median(times))
            time.sleep(0.002)  # an application waits for its model meanwhile, and exporters work
    return medians


def page(medians: dict[str, list[float]]) -> str:
    base = medians["plain OpenTelemetry"]
    rows = [
        f"| {name} | {statistics.median(times):.1f} | {_difference(times, base):+.1f} |"
        for name, times in medians.items()
    ]
    spans = counts()["spans"]
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return "\n".join(
        [
            "# A traced call",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {where}, `.venv/bin/python benchmarks/sdk.py`. One function with 1.5 kB in",
            f"and 600 B out; the kinds take turns in one process, {TURNS} turns of {CALLS} calls. Goal: a decorated",
            f"call takes at most {GOAL_US:.0f} µs more than plain OpenTelemetry's, which keeps the same two texts.",
            "The machine was busy.",
            "",
            "| call | median, µs | over plain OpenTelemetry, µs |",
            "|---|---|---|",
            *rows,
            "",
            f"Of {spans.made:,} spans of ours {spans.acknowledged:,} were acknowledged and {spans.dropped:,} dropped.",
        ]
    )


def _difference(times: list[float], base: list[float]) -> float:
    return statistics.median(ours - theirs for ours, theirs in zip(times, base, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        print(server.server_address[1], flush=True)
        server.serve_forever()
    receiver = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout is not None
        url = f"http://127.0.0.1:{int(receiver.stdout.readline())}"
        otel, provider = plain(url)
        boxscore.init(url, instrument=False)
        decorated = boxscore.trace(body)

        def inside(question: str) -> str:
            with around:
                return decorated(question)

        def block(question: str) -> str:
            with boxscore.trace("body") as span:
                answer = body(span.input(question) and question)
                span.output(answer)
                return answer

        said = {"boxscore.session": "s-1", "boxscore.user": "u-1", "boxscore.metadata.tier": "gold"}

        def otel_told(question: str) -> str:
            with tracer.start_as_current_span("body", attributes=said) as span:
                span.set_attribute("input.value", question)
                answer = body(question)
                span.set_attribute("output.value", answer)
                return answer

        tracer = provider.get_tracer("plain")
        around = boxscore.context(session="s-1", user="u-1", metadata={"tier": "gold"})
        kinds = {
            "bare": body,
            "plain OpenTelemetry": otel,
            "`@boxscore.trace`": decorated,
            "`with boxscore.trace(...)`": block,
            "`@boxscore.trace` in `boxscore.context(...)`": inside,
            "plain OpenTelemetry that is told the same three attributes": otel_told,
        }
        for call in kinds.values():
            for _ in range(200):
                call(QUESTION)
        gc.collect()
        medians = measure(kinds)
        provider.force_flush()
        boxscore.flush(60)
    finally:
        receiver.terminate()
        receiver.wait()
    text = page(medians)
    print(text)
    if options.write:
        from page import write_section  # beside this script

        write_section("sdk", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
