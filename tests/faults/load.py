"""What is sent in the fault tests, who sends it, and what was acknowledged of it.

A trace is six spans of OpenTelemetry GenAI over OTLP/HTTP, and a score. It comes in parts that overlap, in any order;
some spans come first as they began, without their end and their answer. Everything follows from the trace's key, so
that what has to be stored can be told without having kept it.
"""

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from http.client import HTTPConnection, HTTPException

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from boxscore.costs import PriceBook
from boxscore.store.spans import SpanRow, merge
from boxscore.tracing import Normaliser, read_protobuf

SPANS = 6
BEGUN, WHOLE = 0, 1
SCORE = -1
START_NS = 1_790_000_000 * 10**9 // (60 * 10**9) * 60 * 10**9
OPERATIONS = ("invoke_agent", "retrieval", "chat", "execute_tool", "chat", "chat")
FILLER = "in the words that all of them use " * 20

Key = tuple[bytes, int]
"""Trace id and place of the span in it, from 0; the place of its score is `SCORE`."""


def trace_id(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:16]


def span_id(place: int) -> bytes:
    return (place + 1).to_bytes(8, "big")


def place_of(span: bytes) -> int:
    return int.from_bytes(span, "big") - 1


def word_of(trace: bytes) -> str:
    """A word that no other trace has."""
    return f"word{trace.hex()}"


def request(spans: Iterable[tuple[Key, int]]) -> bytes:
    """An OTLP request of such spans, each as it began or whole."""
    resource = Resource()
    resource.attributes.add(key="service.name").value.string_value = "shop"
    group = ResourceSpans(resource=resource)
    group.scope_spans.append(
        ScopeSpans(scope=InstrumentationScope(name="faults"), spans=[_span(key, version) for key, version in spans])
    )
    return ExportTraceServiceRequest(resource_spans=[group]).SerializeToString()


def _span(key: Key, version: int) -> Span:
    trace, place = key
    told = random.Random(f"{trace.hex()} {place}")
    start = START_NS + told.randrange(3_600 * 10**9)
    made = Span(trace_id=trace, span_id=span_id(place), name=f"step {place}", start_time_unix_nano=start)
    if place:
        made.parent_span_id = span_id(0)
    texts = {
        "gen_ai.operation.name": OPERATIONS[place],
        "gen_ai.conversation.id": f"conversation {told.randrange(100)}",
        "user.id": f"user {told.randrange(50)}",
        "tenant": f"tenant {told.randrange(20)}",
    }
    if OPERATIONS[place] == "chat":
        texts |= {
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.input.messages": _messages("user", f"question {told.randrange(1000)} {FILLER}"),
        }
    if version == WHOLE:
        made.end_time_unix_nano = start + told.randrange(1, 10**9)
        if OPERATIONS[place] == "chat":
            texts["gen_ai.output.messages"] = _messages(
                "assistant", f"answer {word_of(trace)} {told.randbytes(40).hex()}"
            )
            for name in ("input", "output"):
                made.attributes.add(key=f"gen_ai.usage.{name}_tokens").value.int_value = told.randrange(1, 5_000)
    for name, text in texts.items():
        made.attributes.add(key=name).value.string_value = text
    return made


def score(trace: bytes) -> dict[str, str | int | float]:
    """As JSON has it."""
    told = random.Random(trace.hex())
    found = {"id": f"score of {trace.hex()}", "name": "good", "value": told.random(), "trace_id": trace.hex()}
    return found | {"comment": f"{word_of(trace)} is fine", "at_ns": START_NS, "source": "human"}


def _messages(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


@cache
def _normaliser() -> Normaliser:
    return Normaliser(PriceBook())


_reading = threading.Lock()


def rows(body: bytes) -> list[SpanRow]:
    with _reading:
        return [_normaliser()(span) for span in read_protobuf(body).spans]


@cache
def may_be_stored(key: Key, acknowledged: int | None) -> Sequence[SpanRow]:
    """What a span may look like when `acknowledged` is the last version that was answered, if any was."""
    begun, whole = (rows(request([(key, version)]))[0] for version in (BEGUN, WHOLE))
    both = merge(begun, whole)
    return [whole, both] if acknowledged == WHOLE else [begun, whole, both]


class Journal:
    """What was sent and what was acknowledged, kept where no fault reaches. `answers` counts by status of HTTP, 0 where
    the connection broke."""

    def __init__(self) -> None:
        self.sent: set[Key] = set()
        self.acknowledged: dict[Key, int] = {}
        self.answers: dict[int, int] = {}
        self._lock = threading.Lock()

    def sending(self, spans: Sequence[tuple[Key, int]]) -> None:
        with self._lock:
            self.sent.update(key for key, _ in spans)

    def answered(self, status: int, spans: Sequence[tuple[Key, int]]) -> None:
        with self._lock:
            self.answers[status] = self.answers.get(status, 0) + 1
            if status == 200:
                for key, version in spans:
                    self.acknowledged[key] = max(version, self.acknowledged.get(key, BEGUN))


class Sender:
    """One client over one connection. `send` gives back the status, 0 where there was no answer. `stamp` is called with
    what was acknowledged, when it was."""

    def __init__(
        self, port: int, journal: Journal, *, timeout_s: float = 60, stamp: Callable[[bytes], None] | None = None
    ) -> None:
        self._port = port
        self._journal = journal
        self._timeout_s = timeout_s
        self._stamp = stamp
        self._connection: HTTPConnection | None = None
        self.said = b""
        self.headers: dict[str, str] = {}

    def send(self, spans: Sequence[tuple[Key, int]], body: bytes | None = None) -> int:
        return self._send(spans, "/v1/traces", body or request(spans), "application/x-protobuf")

    def send_score(self, trace: bytes) -> int:
        return self._send([((trace, SCORE), WHOLE)], "/api/v1/scores", json.dumps([score(trace)]), "application/json")

    def _send(self, spans: Sequence[tuple[Key, int]], path: str, body: bytes | str, kind: str) -> int:
        self._journal.sending(spans)
        try:
            if self._connection is None:
                self._connection = HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
            self._connection.request("POST", path, body, {"content-type": kind})
            answer = self._connection.getresponse()
            self.said, self.headers = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
            status = answer.status
        except (OSError, HTTPException):
            self.close()
            status = 0
        if status == 200 and self.said and kind == "application/x-protobuf":
            status = 206  # partial success: nothing of our load may be rejected
        if status == 200 and self._stamp:
            self._stamp(json.dumps([[trace.hex(), place, version] for (trace, place), version in spans]).encode())
        self._journal.answered(status, spans)
        return status

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def send_once(port: int, journal: Journal, spans: Sequence[tuple[Key, int]], body: bytes | None = None) -> int:
    """Over a connection of its own."""
    sender = Sender(port, journal)
    try:
        return sender.send(spans, body)
    finally:
        sender.close()


def parts_of(name: str) -> list[list[tuple[Key, int]]]:
    """A trace in the parts in which it is sent."""
    draw = random.Random(name)
    trace = trace_id(name)
    cut = draw.randrange(1, SPANS)
    begun = [((trace, place), BEGUN) for place in range(SPANS) if draw.random() < 0.5]
    late = [((trace, place), WHOLE) for place in range(cut - 1, SPANS)]
    early = [((trace, place), WHOLE) for place in range(cut + 1)]
    parts = [part for part in (begun, late, early) if part]
    draw.shuffle(parts)
    return parts


def send_traces(sender: Sender, names: Iterable[str], stop: threading.Event) -> None:
    """Trace after trace until told to stop, or the server is gone."""
    for name in names:
        trace = trace_id(name)
        sends = [partial(sender.send, part) for part in parts_of(name)] + [partial(sender.send_score, trace)] * 2
        random.Random(name).shuffle(sends)
        for send in sends:
            if stop.is_set() or (status := send()) == 0:
                return
            if status != 200:
                stop.wait(0.02)


class Load:
    """Clients that send until the end of the `with` block."""

    def __init__(
        self,
        port: int | None,
        journal: Journal,
        life: str,
        *,
        clients: int = 4,
        stamp: Callable[[bytes], None] | None = None,
    ) -> None:
        assert port is not None, "the server did not start"
        self._stop = threading.Event()
        self._senders = [Sender(port, journal, stamp=stamp) for _ in range(clients)]
        self._threads = [
            threading.Thread(
                target=send_traces,
                args=(sender, (f"{life} {number} {n}" for n in range(10**9)), self._stop),
                daemon=True,
            )
            for number, sender in enumerate(self._senders)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for sender in self._senders:
            sender.close()


def wait_for(said: Callable[[], bool], *, seconds: float = 30, every_s: float = 0.01) -> None:
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(every_s)
