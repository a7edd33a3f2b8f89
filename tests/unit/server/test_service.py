"""Questions have few threads and little time, so that they keep nobody waiting."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from boxscore.errors import BusyError, DiskFullError, TimeLimitError
from boxscore.server.limits import Limits
from boxscore.server.room import Room
from boxscore.server.service import Service
from boxscore.store.records import Records
from boxscore.store.spans import SqliteSpans
from boxscore.store.spans.database import open_database
from boxscore.tracing.ingest import Ingest

LIMITS = Limits(questions=2, questions_waiting=1, question_s=0.2)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with SqliteSpans(tmp_path) as store, Ingest(store) as ingest, Records.open(tmp_path) as records:
        service = Service(store, ingest, records, LIMITS)
        yield service
        service.close()


def test_a_question_that_takes_too_long_is_left(service: Service) -> None:
    go_on = threading.Event()

    with pytest.raises(TimeLimitError) as left:
        asyncio.run(service.ask(lambda: go_on.wait(30)))
    go_on.set()

    assert left.value.limit_s == 0.2
    assert asyncio.run(service.ask(lambda: 5)) == 5


def test_the_thread_of_a_question_that_took_too_long_is_free_again(tmp_path: Path, service: Service) -> None:
    path = tmp_path / "spans" / "000001.db"
    ended: list[BaseException] = []

    def endless() -> None:
        with closing(open_database(path, write=False)) as database:
            try:
                database.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
            except BaseException as error:
                ended.append(error)
                raise

    with pytest.raises(TimeLimitError):
        asyncio.run(service.ask(endless))
    service.close()  # waits for its threads

    assert [type(error) for error in ended] == [TimeLimitError]


def test_of_more_questions_than_may_wait_the_last_is_refused(service: Service) -> None:
    go_on = threading.Event()

    async def three_and_one() -> list[bool]:
        waiting = [asyncio.ensure_future(service.ask(lambda: go_on.wait(30))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as refused:
            await service.ask(lambda: True)
        assert refused.value.retry_after_s == 1
        go_on.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(three_and_one()) == [True, True, True]


def test_metrics_are_told_while_questions_are_stuck(service: Service) -> None:
    go_on = threading.Event()

    async def stuck() -> bytes:
        for _ in range(2):
            with pytest.raises(TimeLimitError):
                await service.ask(lambda: go_on.wait(30))
        try:
            return await service.metrics()
        finally:
            go_on.set()

    assert b"\nboxscore_ready 1\n" in asyncio.run(stuck())


def test_spans_are_taken_while_questions_are_stuck(service: Service) -> None:
    go_on = threading.Event()

    async def stuck() -> bytes:
        for _ in range(2):
            with pytest.raises(TimeLimitError):
                await service.ask(lambda: go_on.wait(30))
        try:
            return await service.put(lambda: service.ingest.protobuf("default", b""))
        finally:
            go_on.set()

    assert asyncio.run(stuck()) == b""


class Disk(NamedTuple):
    total: int
    free: int


def test_without_room_nothing_is_put_until_there_is_room(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = [Disk(100_000, 500)]
    monkeypatch.setattr("boxscore.server.room.shutil", SimpleNamespace(disk_usage=lambda _: disk[0]))
    seconds = itertools.count()
    service.room = Room(tmp_path, Limits(reserve_bytes=1_000), clock_s=lambda: next(seconds))

    with pytest.raises(DiskFullError):
        asyncio.run(service.put(lambda: service.ingest.protobuf("default", b"")))
    full = service.problem
    disk[0] = Disk(100_000, 2_000)

    assert full is not None
    assert asyncio.run(service.put(lambda: service.ingest.protobuf("default", b""))) == b""
    assert service.problem is None
