"""A key is free again where nothing was done, and not where nobody knows."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response

from boxscore.errors import BusyError, ConflictError, StoreError, UsageError
from boxscore.server.limits import Limits
from boxscore.server.once import Once
from boxscore.server.service import Service
from boxscore.store.records import Records
from boxscore.store.spans import SqliteSpans
from boxscore.tracing.ingest import Ingest


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with SqliteSpans(tmp_path) as store, Ingest(store) as ingest, Records.open(tmp_path) as records:
        service = Service(store, ingest, records, Limits())
        yield service
        service.close()


async def fails(error: Exception) -> Response:
    raise error


async def works() -> Response:
    return Response("1", 201)


def twice(service: Service, error: Exception) -> Response:
    async def run() -> Response:
        once = Once(service)
        with pytest.raises(type(error)):
            await once.answer("default", "k", "h", lambda: fails(error))
        return await once.answer("default", "k", "h", works)

    return asyncio.run(run())


@pytest.mark.parametrize("error", [UsageError("no."), BusyError("full", retry_after_s=1)])
def test_what_was_not_done_is_done_when_it_is_sent_again(service: Service, error: Exception) -> None:
    assert twice(service, error).status_code == 201


@pytest.mark.parametrize("error", [StoreError("the disk failed."), ZeroDivisionError()])
def test_what_may_have_been_done_is_not_done_again(service: Service, error: Exception) -> None:
    with pytest.raises(ConflictError, match="cut off"):
        twice(service, error)
