"""A request is answered when its spans are on disk, and refused when too many wait."""

import json
import threading
from concurrent.futures import Future
from contextlib import suppress

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from boxscore.costs import PriceBook
from boxscore.errors import BusyError, StoreError, UnreadableTracesError
from boxscore.store.spans import SqliteSpans
from boxscore.tracing import Ingest, Limits
from boxscore.tracing import ingest as ingest_of

TRACE = bytes(range(16))
START = 1_790_000_000_000_000_000
SOON_S = 10


def body(*spans: Span) -> bytes:
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=spans or [span()])])
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    return ExportTraceServiceRequest(resource_spans=[group]).SerializeToString()


def span(n: int = 1, trace: bytes = TRACE, **more: object) -> Span:
    ids = {"trace_id": trace, "span_id": n.to_bytes(8, "big"), "name": "chat"}
    return Span(**(ids | {"start_time_unix_nano": START + n, "end_time_unix_nano": START + n + 5} | more))


class HeldStore:
    """Takes spans, and says that they are on disk when it is told to."""

    def __init__(self):
        self.puts = []
        self.put_one = threading.Semaphore(0)

    def put(self, project, rows):
        done = Future()
        self.puts.append((project, rows, done))
        self.put_one.release()
        return done

    def wait_for_put(self):
        assert self.put_one.acquire(timeout=SOON_S)
        return self.puts[-1]


@pytest.fixture
def store():
    return HeldStore()


@pytest.fixture
def ingest(store):
    with Ingest(store, PriceBook()) as made:
        yield made


def test_a_span_that_was_acknowledged_is_found(tmp_path):
    with SqliteSpans(tmp_path) as store, Ingest(store, PriceBook()) as ingest:
        assert ingest.protobuf("p", body(span(1), span(2))).result(SOON_S) == b""
        assert ingest.json("p", as_json(span(3))).result(SOON_S) == b"{}"

        found = store.trace("p", TRACE).items
        assert [(one.name, one.application, int.from_bytes(one.span_id, "big")) for one in found] == [
            ("chat", "shop", 1),
            ("chat", "shop", 2),
            ("chat", None, 3),
        ]


def as_json(one: Span) -> bytes:
    plain = {"traceId": one.trace_id.hex(), "spanId": one.span_id.hex(), "name": one.name}
    plain["startTimeUnixNano"] = str(one.start_time_unix_nano)
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [plain]}]}]}).encode()


def test_the_answer_waits_for_the_disk(ingest, store):
    answer = ingest.protobuf("p", body())
    project, rows, on_disk = store.wait_for_put()
    assert (project, len(rows), answer.done()) == ("p", 1, False)

    on_disk.set_result(None)

    assert answer.result(SOON_S) == b""
    assert ingest.waiting_bytes == 0


def test_bad_spans_are_counted_in_the_answer_and_the_others_are_kept(tmp_path):
    with SqliteSpans(tmp_path) as store, Ingest(store, PriceBook()) as ingest:
        answer = ingest.protobuf("p", body(span(1), span(2, trace=b"short"))).result(SOON_S)
        nothing_left = ingest.protobuf("p", body(span(2, trace=b"short"))).result(SOON_S)

        partial = ExportTraceServiceResponse.FromString(answer).partial_success
        assert (partial.rejected_spans, "a trace id is 16 bytes" in partial.error_message) == (1, True)
        assert ExportTraceServiceResponse.FromString(nothing_left).partial_success.rejected_spans == 1
        assert store.counts("p").spans == 1


def test_what_is_no_request_is_refused_and_the_next_one_is_taken(ingest, store):
    with pytest.raises(UnreadableTracesError):
        ingest.protobuf("p", b"\xff nothing of the kind").result(SOON_S)
    with pytest.raises(UnreadableTracesError):
        ingest.json("p", b"[" * 100_000).result(SOON_S)

    answer = ingest.protobuf("p", body())
    store.wait_for_put()[2].set_result(None)
    assert answer.result(SOON_S) == b""


def test_the_failure_of_the_store_is_the_answer(ingest, store):
    answer = ingest.protobuf("p", body())

    store.wait_for_put()[2].set_exception(StoreError("the disk is full"))

    with pytest.raises(StoreError, match="the disk is full"):
        answer.result(SOON_S)
    assert ingest.waiting_bytes == 0


def test_too_many_waiting_bytes_are_refused_at_once_and_taken_later(store):
    one = body()
    with Ingest(store, PriceBook(), Limits(waiting_bytes=2 * (len(one) + 1_024))) as ingest:
        waiting = [ingest.protobuf("p", one), ingest.protobuf("p", one)]
        with pytest.raises(BusyError) as refused:
            ingest.protobuf("p", one)
        assert (refused.value.retry_after_s, refused.value.code) == (1.0, "busy")

        for _ in waiting:
            store.wait_for_put()
        assert len(store.puts) == 2  # nothing of the third
        for _, _, on_disk in store.puts:
            on_disk.set_result(None)
        assert [answer.result(SOON_S) for answer in waiting] == [b"", b""]
        again = ingest.protobuf("p", one)
        store.wait_for_put()[2].set_result(None)
        assert again.result(SOON_S) == b""


def test_nothing_more_is_taken_once_the_first_has_waited_too_long(store):
    with Ingest(store, PriceBook(), Limits(waiting_s=0)) as ingest:
        waiting = ingest.protobuf("p", body())
        with pytest.raises(BusyError):
            ingest.protobuf("p", body())

        store.wait_for_put()[2].set_result(None)
        assert waiting.result(SOON_S) == b""
        again = ingest.protobuf("p", body())
        store.wait_for_put()[2].set_result(None)
        assert again.result(SOON_S) == b""


def test_no_more_may_wait_than_is_written_soon_at_the_pace_of_the_disk(store, monkeypatch):
    one, now = body(), 0.0
    monkeypatch.setattr(ingest_of.time, "monotonic", lambda: now)
    monkeypatch.setattr(ingest_of, "GROUP_BYTES", len(one))
    with Ingest(store, PriceBook(), Limits(waiting_s=5)) as ingest:

        def written_in(seconds):
            nonlocal now
            answer = ingest.protobuf("p", one)
            on_disk = store.wait_for_put()[2]
            now += seconds
            on_disk.set_result(None)
            assert answer.result(SOON_S) == b""

        def waiting():
            """How many are taken while none is written."""
            answers = []
            with suppress(BusyError):
                while len(answers) < 20:
                    answers.append(ingest.protobuf("p", one))
            for answer in answers:
                store.wait_for_put()[2].set_result(None)
                answer.result(SOON_S)
            return len(answers)

        written_in(0.001)
        assert waiting() == 20  # on a fast disk as many as there is memory for
        written_in(4)
        assert waiting() == 1  # on a slow one what it writes in five seconds
        written_in(0.001)
        assert waiting() == 20


def test_reading_pauses_while_too_many_spans_wait_for_the_disk(store):
    with Ingest(store, PriceBook(), Limits(waiting_spans=2)) as ingest:
        first, second = (ingest.protobuf("p", body(span(1), span(2))) for _ in range(2))
        on_disk = store.wait_for_put()[2]
        assert not store.put_one.acquire(timeout=0.05)

        on_disk.set_result(None)

        store.wait_for_put()[2].set_result(None)
        assert (first.result(SOON_S), second.result(SOON_S)) == (b"", b"")


def test_a_request_of_more_spans_than_may_wait_is_still_taken(store):
    with Ingest(store, PriceBook(), Limits(waiting_spans=1)) as ingest:
        answer = ingest.protobuf("p", body(span(1), span(2)))
        store.wait_for_put()[2].set_result(None)
        assert answer.result(SOON_S) == b""


def test_closing_hands_over_what_was_taken_and_takes_no_more(tmp_path):
    with SqliteSpans(tmp_path) as store:
        ingest = Ingest(store, PriceBook())
        answers = [ingest.protobuf("p", body(span(n))) for n in range(1, 50)]
        ingest.close()
        with pytest.raises(StoreError, match="closed"):
            ingest.protobuf("p", body())

        assert [answer.result(SOON_S) for answer in answers] == [b""] * 49
        assert store.counts("p").spans == 49
