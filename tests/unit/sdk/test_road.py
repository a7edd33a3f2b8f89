"""The road to the server: what is kept, sent again, dropped and counted."""

import os
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from boxscore.sdk import collector as collecting
from boxscore.sdk import outbox as outboxes
from boxscore.sdk.collector import Collector
from boxscore.sdk.outbox import Outbox
from boxscore.sdk.parcel import Parcel, Tally
from boxscore.sdk.post import Outcome
from boxscore.sdk.spool import Spool
from boxscore.tracing import Normaliser, read_protobuf

TAKEN, LATER = Outcome("taken"), Outcome("later", why="away")


class Server:
    """Answers with `outcomes`, the last one for ever; `taken` are the parcels that it took."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = deque(outcomes or (TAKEN,))
        self.taken: list[Parcel] = []

    def __call__(self, parcel: Parcel, timeout_s: float | None) -> Outcome:
        outcome = self.outcomes.popleft() if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome.kind == "taken":
            self.taken.append(parcel)
        return outcome


def parcel(number: int, size: int = 10, count: int = 1) -> Parcel:
    return Parcel("spans", count, number, bytes([number % 256]) * size)


def in_a_while(true: Callable[[], bool]) -> bool:
    for _ in range(2_000):
        if true():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "_FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(outboxes, "_LONGEST_WAIT_S", 0.02)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", 64 * 1024 * 1024)


def held(spool: Spool) -> Iterator[Parcel]:
    segments: list[Any] = []
    while (segment := spool.oldest()) is not None:
        segments.append(segment)
        while (found := segment.next()) is not None:
            yield found
            segment.advance(found)
    for segment in segments:
        segment.close()


def test_while_the_server_answers_nothing_touches_the_disk(spool: Spool) -> None:
    server, tally = Server(), Tally()
    outbox = Outbox(server, spool, tally)

    for number in range(5):
        outbox.put(parcel(number))

    assert outbox.flush(time.monotonic() + 10)
    assert server.taken == [parcel(number) for number in range(5)]
    assert not spool.folder.exists()
    assert tally.of("spans").acknowledged == 5


def test_what_came_while_the_server_was_away_is_sent_in_order(spool: Spool) -> None:
    server = Server(LATER, LATER, LATER, TAKEN)
    tally = Tally()
    outbox = Outbox(server, spool, tally)

    for number in range(20):
        outbox.put(parcel(number))

    assert in_a_while(lambda: len(server.taken) == 20)
    assert [found.made_ns for found in server.taken] == list(range(20))
    assert outbox.flush(time.monotonic() + 10)
    assert not list(spool.folder.iterdir())
    assert (tally.of("spans").acknowledged, tally.of("spans").spooled) == (20, 0)


def test_what_was_in_memory_goes_before_what_was_spooled_since(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "MEMORY_BYTES", 25)
    answers = threading.Event()
    server = Server(LATER, TAKEN)

    def slow(parcel: Parcel, timeout_s: float | None) -> Outcome:
        answers.wait(10)
        return server(parcel, timeout_s)

    outbox = Outbox(slow, spool, Tally())
    for number in range(6):
        outbox.put(parcel(number))
    answers.set()

    assert in_a_while(lambda: len(server.taken) == 6)
    assert [found.made_ns for found in server.taken] == list(range(6))


def test_without_a_disk_memory_keeps_the_newest_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "MEMORY_BYTES", 1_000)
    server, tally = Server(LATER), Tally()
    outbox = Outbox(server, None, tally)

    for number in range(50):
        outbox.put(parcel(number, size=100, count=2))

    assert tally.of("spans").dropped == 80
    server.outcomes = deque([TAKEN])
    assert in_a_while(lambda: len(server.taken) == 10)
    assert [found.made_ns for found in server.taken] == list(range(40, 50))


def test_a_full_spool_drops_the_oldest_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxscore.sdk.spool.SEGMENT_BYTES", 1_000)
    spool = Spool(tmp_path / "spool", 5_000)
    dropped: list[int] = []
    spool.dropped = lambda kind, count: dropped.append(count)

    for number in range(100):
        spool.append(parcel(number, size=200, count=3))

    kept = [found.made_ns for found in held(spool)]
    assert kept == list(range(100 - len(kept), 100))
    assert sum(dropped) == 3 * (100 - len(kept))
    assert sum(path.stat().st_size for path in spool.folder.iterdir()) <= 5_000
    assert len(kept) >= 12


def test_two_processes_share_a_folder_and_none_takes_what_the_other_writes(tmp_path: Path) -> None:
    mine, theirs = Spool(tmp_path / "s", 1 << 20), Spool(tmp_path / "s", 1 << 20)
    mine.append(parcel(1))
    theirs.append(parcel(2))

    assert [found.made_ns for found in held(mine)] == [1], "the other file is still written to"
    theirs.rotate()
    first = theirs.oldest()
    assert first is not None
    assert [found.made_ns for found in held(mine)] == [2]


def test_a_parcel_that_was_not_written_whole_is_passed_over(spool: Spool) -> None:
    for number in range(3):
        spool.append(parcel(number, size=100))
    spool.rotate()
    (path,) = spool.folder.iterdir()
    data = bytearray(path.read_bytes())
    size = len(data) // 3
    data[size + 40] ^= 1  # a body that changed
    path.write_bytes(data[:-5])  # and one that was cut

    assert [found.made_ns for found in held(spool)] == [0]


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool(tmp_path / "open", 1 << 20)
    spool.folder.mkdir()
    (spool.folder / "1-1-1.spool").write_bytes(b"")
    spool.folder.chmod(0o777)

    with pytest.raises(PermissionError, match="not this user's alone"):
        spool.append(parcel(1))
    assert not spool.holds_any()  # nor is anything sent from there: it may be another user's


def test_what_is_refused_for_good_is_counted_and_not_sent_again(spool: Spool) -> None:
    server, tally = Server(Outcome("refused", 4, why="HTTP 400"), Outcome("taken", 1), TAKEN), Tally()
    outbox = Outbox(server, spool, tally)

    for number in range(3):
        outbox.put(parcel(number, count=4))

    assert outbox.flush(time.monotonic() + 10)
    assert (tally.of("spans").refused, tally.of("spans").acknowledged) == (5, 7)


def test_waiting_as_long_as_the_server_asked(spool: Spool) -> None:
    server = Server(Outcome("later", wait_s=60.0), TAKEN)
    outbox = Outbox(server, spool, Tally())

    outbox.put(parcel(1))

    assert in_a_while(lambda: not outbox.reaches)
    assert server.taken == []
    assert outbox._sleeps_until - time.monotonic() > 50
    assert outbox.flush(time.monotonic() + 10), "who asks for it, tries at once"


def spans_of(server: Server) -> list[Any]:
    return [span for found in server.taken if found.kind == "spans" for span in read_protobuf(found.body).spans]


def collected(server: Server, spool: Spool | None = None) -> tuple[Any, Collector, Tally]:
    tally = Tally()
    collector = Collector(Outbox(server, spool, tally), tally, resource=TracerProvider().resource)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(collector)
    return provider.get_tracer("test"), collector, tally


def test_what_was_dropped_is_told_to_the_server_once_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MEMORY_BYTES", 20_000)
    server = Server()
    tracer, collector, tally = collected(server)
    monkeypatch.setattr(collector, "_notice", lambda waiting: None)  # nobody encodes for a while
    for _ in range(50):
        tracer.start_span("call").end()

    assert collector.force_flush(10_000)

    dropped = tally.of("spans").dropped
    assert dropped >= 40
    (report,) = [span for span in spans_of(server) if span.name == "boxscore.dropped"]
    assert Normaliser()(report).metadata == {"dropped_spans": str(dropped)}
    assert tally.of("spans").made == 51 == dropped + tally.of("spans").acknowledged


def test_a_span_that_cannot_be_encoded_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    tracer, collector, tally = collected(server)
    encode = collecting.encode_spans

    def fail(spans: Sequence[Any]) -> Any:
        if any(span.name == "odd" for span in spans):
            raise TypeError("odd")
        return encode(spans)

    monkeypatch.setattr(collecting, "encode_spans", fail)
    for name in ("a", "odd", "b"):
        tracer.start_span(name).end()

    assert collector.force_flush(10_000)
    assert sorted(span.name for span in spans_of(server)) == ["a", "b", "boxscore.dropped"]
    assert (tally.of("spans").dropped, tally.of("spans").acknowledged) == (1, 3)


def test_spans_after_the_exit_go_to_disk_at_once(spool: Spool) -> None:
    server = Server()
    tracer, collector, _ = collected(server, spool)
    tracer.start_span("before").end()

    collector.close(10)
    tracer.start_span("after").end()

    assert [span.name for span in spans_of(server)] == ["before"]
    spool.rotate()
    (kept,) = held(spool)
    assert read_protobuf(kept.body).spans[0].name == "after"


def test_the_spool_is_a_format_that_lasts(spool: Spool) -> None:
    spool.append(Parcel("scores", 2, 5, b"[]"))
    spool.rotate()

    (path,) = spool.folder.iterdir()
    assert path.name.startswith(f"{5:020d}-{os.getpid()}-")
    assert path.read_bytes() == struct.pack("<4sBIQII", b"BXS1", 1, 2, 5, 2, 223132457) + b"[]"
