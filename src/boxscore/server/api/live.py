"""What arrives, as it arrives."""

import asyncio
import base64
import binascii
import time
from collections.abc import Sequence

import msgspec

from boxscore.errors import UsageError
from boxscore.server.answers import previewed
from boxscore.server.api.events import EVENTS, Event, LastEventId, Source, Stream
from boxscore.server.api.parameters import Filters, Project, conditions
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Filter, Marks, TraceSummary

__all__ = ["Arrived", "add"]

LOOK_S = 0.25
MOST = 100
"""Traces of one event: of more that came meanwhile only their number is told."""


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """Traces with spans that came since the event before, as they are now, the last to begin first; one that is told
    again has changed. They were acknowledged at most `lag_ms` ago; `skipped` traces came too fast to tell."""

    traces: Sequence[TraceSummary]
    lag_ms: float
    skipped: int


def add(api: Api, service: Service) -> None:
    @api.get("/traces/live", answer=Arrived, right="read", media=EVENTS)
    async def live_traces(
        project: Project,
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        last: LastEventId = None,
    ) -> Stream:
        """Traces as they are acknowledged: events with the name `traces`. A reader who is slow is told of what came
        meanwhile in one event."""
        taken = conditions(filter)
        marks = await service.ask(service.store.marks) if last is None else _marks(last)  # before the stream begins
        return Stream(_arriving(service, project, taken, marks), service.streams)


async def _arriving(service: Service, project: str, filter: Filter, marks: Marks) -> Source:
    store = service.store
    known = -1
    looked_s = time.monotonic()
    while True:
        commits, before_s, looked_s = store.written.commits, looked_s, time.monotonic()
        if commits != known:
            known = commits
            since = marks
            found = await service.ask(lambda: store.arrivals(project, filter, since, limit=MOST))  # noqa: B023 - awaited
            marks = found.marks
            if found.items or found.skipped:
                traces = [msgspec.structs.replace(item, entry=previewed(item.entry)) for item in found.items]
                lag_ms = round(1000 * (time.monotonic() - before_s), 1)
                told = Arrived(traces=traces, lag_ms=lag_ms, skipped=found.skipped)
                yield Event(name="traces", data=told, id=_written(marks))
        await asyncio.sleep(LOOK_S)


def _written(marks: Marks) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(marks)).decode().rstrip("=")


def _marks(text: str) -> Marks:
    try:
        return msgspec.msgpack.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Marks)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise UsageError(f"{text[:80]!r} is no last event of this stream: ask without one.") from None
