"""A place on the loopback address where a handler is asked over HTTP, in the running loop or in a thread's own."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from boxscore.testing.delivery import Closing
from boxscore.testing.exchange import Connection, Handler

T = TypeVar("T")

_GRACE_S = 0.1


class Site:
    """A port of its own from `open` to `close`, which ends every wait of the handler. Where it does not listen, the
    port is taken all the same, so that nobody else can answer there."""

    def __init__(self) -> None:
        self.url = ""
        self.closing = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._admits = asyncio.Event()
        self._admits.set()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    async def open(self, handler: Handler, *, listens: bool) -> None:
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.url = f"http://{host}:{port}"
        if listens:
            self._server = await self._loop.create_server(
                lambda: Connection(handler, self._connections), sock=self._socket, backlog=1024
            )

    async def close(self) -> None:
        self.closing.set()
        self._admits.set()
        if self._server is not None:
            self._server.close()
        if working := {connection.task: connection for connection in self._connections if connection.task is not None}:
            _, late = await asyncio.wait(working, timeout=_GRACE_S)
            for task in late:  # its client does not read what it asked for
                working[task].reset()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.close()
        self._socket.close()

    async def pause(self, seconds: float | None) -> None:
        """Waits so long, for ever where it is None; raises `Closing` when the site closes before."""
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return
        raise Closing

    async def admitted(self) -> None:
        """Waits while calls are held."""
        await self._admits.wait()
        if self.closing.is_set():
            raise Closing

    def hold(self, held: bool) -> None:
        self._loop.call_soon_threadsafe(self._admits.clear if held else self._admits.set)


class LoopThread:
    """An event loop in a thread, for callers that block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="boxscore-fake-server", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
