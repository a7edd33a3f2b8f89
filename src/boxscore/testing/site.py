"""A place on the loopback address where a handler is asked over HTTP, in the running loop or in a thread's own."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from boxscore.testing.delivery import Closing

if TYPE_CHECKING:
    from aiohttp import web

T = TypeVar("T")
Handler = Callable[["web.Request"], Awaitable["web.StreamResponse"]]

_LARGEST_REQUEST = 64 * 1024 * 1024
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
        self._runner: web.AppRunner | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    async def open(self, handler: Handler, *, listens: bool) -> None:
        from aiohttp import web

        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.url = f"http://{host}:{port}"
        if not listens:
            return
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_route("*", "/{path:.*}", handler)
        # A handler ends when its client leaves, so that nothing hangs on after it.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_S, handler_cancellation=True)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def close(self) -> None:
        self.closing.set()
        self._admits.set()
        if self._runner is not None:
            await self._runner.cleanup()
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
