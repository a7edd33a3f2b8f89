"""Streams of events begin, beat, go on where they were left, and end when anybody wants them to."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine

import pytest

from boxscore.errors import BusyError, ForbiddenError, NotFoundError
from boxscore.server.api import events
from boxscore.server.api.events import Event, Stream, changes
from boxscore.server.streams import Streams


class Client:
    """What a browser would see; `leave` closes its connection."""

    def __init__(self) -> None:
        self.status = 0
        self.text = ""
        self.ended = False
        self._gone = asyncio.Event()
        self._moved = asyncio.Condition()

    def leave(self) -> None:
        self._gone.set()

    async def sees(self, text: str) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: text in self.text)

    async def receive(self) -> dict[str, object]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        async with self._moved:
            if "status" in message:
                self.status = message["status"]
            else:
                self.text += message["body"].decode()
                self.ended = not message["more_body"]
            self._moved.notify_all()


class Source:
    """Events that a test tells, and whether they were closed."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Event] = asyncio.Queue()
        self.closed = False

    async def events(self) -> AsyncGenerator[Event, None]:
        try:
            while True:
                yield await self.told.get()
        finally:
            self.closed = True


def streaming(test: Callable[[Source, Client, Streams, "asyncio.Task[None]"], Coroutine[object, object, None]]) -> None:
    async def run() -> None:
        source, client, streams = Source(), Client(), Streams(2)
        stream = Stream(source.events(), streams)
        task = asyncio.create_task(stream({"type": "http"}, client.receive, client.send))
        async with asyncio.timeout(10):
            await client.sees("retry: ")
            await test(source, client, streams, task)
            await task
        assert (source.closed, streams.open) == (True, 0)

    asyncio.run(run())


def test_an_event_is_told_when_it_happens() -> None:
    async def told(source: Source, client: Client, streams: Streams, task: object) -> None:
        await source.told.put(Event(id="7", name="span", data={"text": "two\nlines"}))
        await client.sees('id: 7\nevent: span\ndata: {"text":"two\\nlines"}\n\n')
        assert client.status == 200
        await source.told.put(Event(data=[1], last=True))

    streaming(told)


def test_a_client_that_leaves_ends_it_at_once() -> None:
    async def left(source: Source, client: Client, streams: Streams, task: object) -> None:
        assert streams.open == 1
        client.leave()

    streaming(left)


def test_a_server_that_stops_ends_it_as_a_whole_answer() -> None:
    async def stopped(source: Source, client: Client, streams: Streams, task: "asyncio.Task[None]") -> None:
        streams.stop()
        await task
        assert client.ended

    streaming(stopped)


def test_a_silent_stream_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)

    async def silent(source: Source, client: Client, streams: Streams, task: object) -> None:
        await client.sees(":\n\n:\n\n")
        client.leave()

    streaming(silent)


def test_who_may_no_longer_read_is_told_so_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)

    async def revoked(source: Source, client: Client, streams: Streams, task: "asyncio.Task[None]") -> None:
        async def refuse(scope: object) -> None:
            raise ForbiddenError("read", "default")

        streams.check = refuse
        await task
        assert 'event: error\ndata: {"error":{"code":"forbidden"' in client.text
        assert client.ended

    streaming(revoked)


@pytest.mark.parametrize(
    ("error", "code"), [(NotFoundError("job", "7"), "not_found"), (ZeroDivisionError("secret"), "error")]
)
def test_an_error_is_the_last_event(error: Exception, code: str) -> None:
    async def failing() -> AsyncGenerator[Event, None]:
        yield Event(data=1)
        raise error

    async def run() -> Client:
        client = Client()
        await Stream(failing(), Streams(1))({"type": "http"}, client.receive, client.send)
        return client

    client = asyncio.run(run())
    assert f'event: error\ndata: {{"error":{{"code":"{code}"' in client.text
    assert "secret" not in client.text
    assert client.ended


def test_of_more_streams_than_may_be_open_the_last_is_refused() -> None:
    async def full(source: Source, client: Client, streams: Streams, task: object) -> None:
        streams.most = 1
        with pytest.raises(BusyError):
            await Stream(Source().events(), streams)({"type": "http"}, client.receive, client.send)
        client.leave()

    streaming(full)


def test_changes_are_told_once_from_the_last_that_was_seen_until_the_end() -> None:
    states = iter(["a", "a", "b", "b", "b", "c"])

    async def look() -> Event:
        state = next(states)
        return Event(id=state, data=state, last=state == "c")

    async def run() -> list[object]:
        return [event.data async for event in changes(look, after="a", every_s=0)]

    assert asyncio.run(run()) == ["b", "c"]
