"""Spans as they end, gathered and encoded behind the application's back."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.util.types import AttributeValue

from boxscore import __version__
from boxscore.sdk.contexts import attributes_around
from boxscore.sdk.ids import Ids
from boxscore.sdk.notices import tell
from boxscore.sdk.outbox import Outbox
from boxscore.sdk.parcel import Kind, Parcel, Tally
from boxscore.sdk.wake import Wake
from boxscore.types import Json

__all__ = ["Collector"]

MEMORY_BYTES = 16 * 1024 * 1024
_BATCH_BYTES = 2 * 1024 * 1024
_SPAN_BYTES = 2_048  # of a span without its texts, as Python keeps it
_SCORES = 10_000


class Collector(SpanProcessor):
    """Puts ended spans and scores into the outbox, every `delay_s` seconds or `batch` of them. `stamp` goes onto every
    span as it starts, as does what `boxscore.context` says.

    What waits here is at most `MEMORY_BYTES`, estimated; beyond it the oldest goes and is counted.
    """

    def __init__(
        self,
        outbox: Outbox,
        tally: Tally,
        *,
        stamp: Mapping[str, AttributeValue] | None = None,
        resource: Resource | None = None,
        delay_s: float = 1.0,
        batch: int = 512,
    ) -> None:
        self._outbox = outbox
        self._tally = tally
        self._stamp = dict(stamp or {})
        self._resource = resource
        self._delay_s = delay_s
        self._batch = batch
        self.reset()

    def reset(self) -> None:
        """As it was at first. After a fork, what waited is the parent's."""
        self._lock = threading.RLock()  # a span can end wherever garbage is collected, in a thread that has it too
        self._encoding = threading.Lock()
        self._wake = Wake()
        self._ended: deque[tuple[ReadableSpan, int]] = deque()
        self._scores: deque[Mapping[str, Json]] = deque()
        self._bytes = 0
        self._told: dict[Kind, int] = {"spans": 0, "scores": 0}
        self._thread: threading.Thread | None = None
        self._closed = False

    # What the application's threads call: no network, no disk, no waiting.

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            around = attributes_around(parent_context)
            if self._stamp:
                span.set_attributes(self._stamp)
            if around:
                span.set_attributes(around)
        except Exception as error:  # noqa: BLE001 - it would come out of the application's own code
            tell("on_start", f"a span was not told its context: {type(error).__name__}: {error}")

    def on_end(self, span: ReadableSpan) -> None:
        try:
            if span.context and span.context.trace_flags.sampled:
                self._take_in(span)
        except Exception as error:  # noqa: BLE001 - it would come out of the application's own code
            tell("on_end", f"a span was lost: {type(error).__name__}: {error}")

    def _take_in(self, span: ReadableSpan) -> None:
        size = _SPAN_BYTES
        attributes: MappingProxyType[str, object] = span.attributes  # pyright: ignore[reportAssignmentType]
        for value in attributes.copy().values():
            if type(value) is str:
                size += len(value)
        with self._lock:
            self._ended.append((span, size))
            self._bytes += size
            waiting = len(self._ended)
            if self._bytes > MEMORY_BYTES:
                self._lose_oldest()
        self._notice(waiting)

    def score(self, score: Mapping[str, Json]) -> None:
        """Takes a score, as the server reads it."""
        with self._lock:
            self._tally.add("scores", "made", 1)
            self._scores.append(score)
            if len(self._scores) > _SCORES:
                self._scores.popleft()
                self._drop("scores", 1)
            waiting = len(self._scores)
        self._notice(waiting)

    def _notice(self, waiting: int) -> None:
        if waiting == 1 or waiting == self._batch:
            if self._closed:
                self.collect(wait_s=0.0)
            elif self._thread is None:
                self._start()
            self._wake.set()

    def _lose_oldest(self) -> None:
        while self._bytes > MEMORY_BYTES and self._ended:
            self._bytes -= self._ended.popleft()[1]
            self._tally.add("spans", "made", 1)
            self._drop("spans", 1)

    def _drop(self, kind: Kind, count: int) -> None:
        self._tally.add(kind, "dropped", count)
        tell("overrun", "spans or scores are made faster than they can be encoded: the oldest were dropped.")

    # The other side.

    def collect(self, *, wait_s: float = -1) -> None:
        """Encodes all that waits and puts it into the outbox. Where another thread is at it, or this one that was
        interrupted by a finaliser, waits for it up to `wait_s` seconds, -1 for however long."""
        if not self._encoding.acquire(timeout=wait_s):
            return
        try:
            self._collect()
            if (self._closed or self._outbox.reaches) and self._report():
                self._collect()
        finally:
            self._encoding.release()

    def _collect(self) -> None:
        while spans := self._take():
            for parcel in _encoded(spans, self._tally):
                self._outbox.put(parcel)
        while scores := self._take_scores():
            body = msgspec.json.encode(scores)
            self._outbox.put(Parcel("scores", len(scores), time.time_ns(), body))

    def _report(self) -> bool:
        """What was dropped is told to the server as well, by a span of its own."""
        more: dict[str, int] = {}
        for kind, told in self._told.items():
            dropped = self._tally.of(kind).dropped
            if dropped > told:
                more[f"boxscore.metadata.dropped_{kind}"] = dropped - told
                self._told[kind] = dropped
        if not more:
            return False
        now, ids = time.time_ns(), Ids()
        self.on_end(
            ReadableSpan(
                "boxscore.dropped",
                SpanContext(ids.generate_trace_id(), ids.generate_span_id(), False, TraceFlags(TraceFlags.SAMPLED)),
                resource=self._resource,
                attributes=more,
                instrumentation_scope=InstrumentationScope("boxscore", __version__),
                start_time=now,
                end_time=now,
            )
        )
        return True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        deadline = time.monotonic() + timeout_millis / 1e3
        self.collect(wait_s=timeout_millis / 1e3)
        return self._outbox.flush(deadline)

    def close(self, timeout_s: float) -> bool:
        """Sends what can be sent in time and spools the rest; what ends later is spooled at once."""
        deadline = time.monotonic() + timeout_s
        self._closed = True
        self._wake.set()
        self.collect(wait_s=timeout_s)
        return self._outbox.flush(deadline, leave=True)

    def shutdown(self) -> None:
        """A provider is shut down, ours or another's: what is there is sent, and more may come."""
        self.force_flush(2_000)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="boxscore-collector", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is ending, or the process may have no more threads
            self._thread = None

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait()
            if self._closed:
                return
            if len(self._ended) < self._batch:
                self._wake.wait(self._delay_s)
            try:
                self.collect()
            except Exception as error:  # noqa: BLE001 - this thread has nobody to raise to, and must not end
                tell("collector", f"encoding failed inside Boxscore and goes on: {type(error).__name__}: {error}")

    def _take(self) -> list[ReadableSpan]:
        spans: list[ReadableSpan] = []
        with self._lock:
            left = _BATCH_BYTES
            while self._ended and len(spans) < self._batch and left > 0:
                span, size = self._ended.popleft()
                spans.append(span)
                self._bytes -= size
                left -= size - _SPAN_BYTES
        self._tally.add("spans", "made", len(spans))
        return spans

    def _take_scores(self) -> list[Mapping[str, Json]]:
        with self._lock:
            return [self._scores.popleft() for _ in range(min(len(self._scores), self._batch))]


def _encoded(spans: Sequence[ReadableSpan], tally: Tally) -> list[Parcel]:
    """As one request, or, when one of them cannot be encoded, all others of them."""
    now = time.time_ns()
    try:
        return [Parcel("spans", len(spans), now, encode_spans(spans).SerializeToString())]
    except Exception as error:  # noqa: BLE001 - whatever an instrumentation set as an attribute
        if len(spans) == 1:
            tally.add("spans", "dropped", 1)
            tell("encode", f"span {spans[0].name!r} cannot be encoded and was dropped: {type(error).__name__}: {error}")
            return []
    return [parcel for span in spans for parcel in _encoded([span], tally)]
