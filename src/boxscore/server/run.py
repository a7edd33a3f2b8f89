"""A server from its start to its stop: folder, ports, signals."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from boxscore.client.place import Place, remove_place, write_place
from boxscore.costs import PriceBook
from boxscore.errors import OperationError, UsageError
from boxscore.governance.maintenance import Maintenance
from boxscore.governance.people import People
from boxscore.governance.retention import Policy
from boxscore.server.access import LOOPBACK
from boxscore.server.app import App
from boxscore.server.connection import Connection
from boxscore.server.limits import Limits
from boxscore.server.logs import log
from boxscore.server.service import Service
from boxscore.server.workers import Workers
from boxscore.store.records import Records
from boxscore.store.spans import SqliteSpans
from boxscore.tracing.ingest import Ingest
from boxscore.tracing.limits import Limits as SpanLimits

if TYPE_CHECKING:
    from boxscore.server.otlp_grpc import OtlpGrpc

_TAKEN = "port %d is taken by another program: %s. Stop that program, or name another port."
__all__ = ["GRPC_PORT", "OTLP_PORT", "PORT", "Listening", "serve"]

PORT, OTLP_PORT, GRPC_PORT = 8400, 4318, 4317
SWITCH_S = 0.001
"""A thread that computes gives way to others so often: a question lets go of the interpreter for each row that SQLite
looks for, and would wait five milliseconds for it each time while spans are read or indexed."""


class Listening(NamedTuple):
    """Where a server listens. `otlp_port` and `grpc_port` are None when others have the standard ports."""

    host: str
    port: int
    otlp_port: int | None
    grpc_port: int | None
    owner_link: str | None = None
    """Makes the first owner, once; None where there are users."""

    @property
    def url(self) -> str:
        """By which this machine reaches it, and others where it listens on one address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not where we listen
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def check_host(host: str, public: Sequence[str], people: People) -> None:
    """`UsageError` where others could reach a server that has no users, and so asks nobody who calls."""
    if (host not in LOOPBACK or public) and not people.users.any():
        where = f"on {host}" if host not in LOOPBACK else f"at {', '.join(public)}"
        raise UsageError(
            f"others would reach this server {where}, and it has no users yet, so whoever reaches it might read every "
            "prompt. Make an owner first: start it on 127.0.0.1 and open the one-time link that it prints, or run "
            "`boxscore users add NAME --role owner` here. Or set BOXSCORE_OWNER to NAME:HASH, with a hash from "
            "`boxscore users hash`."
        )


def serve(
    home: Path,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    otlp_port: int = OTLP_PORT,
    grpc_port: int = GRPC_PORT,
    limits: Limits | None = None,
    book: PriceBook | None = None,
    policy: Policy | None = None,
    records_url: str | None = None,
    public: Sequence[str] = (),
    owner: str | None = None,
    workers: int = 1,
    ready: Callable[[Listening], None] = lambda listening: None,
) -> None:
    """Serves until SIGTERM or SIGINT: then nothing more is accepted, what is under way is finished within
    `limits.stop_s`, and all that was taken is synced. A second signal ends the process at once, as does the end of that
    time; what was acknowledged is on disk even then. `ready` is called once, when requests are answered. A folder that
    another process writes to and a port that is taken are errors (`StoreError`, `OperationError`). `policy` is how long
    spans are kept (default: for ever); `records_url` where records are (default: in the home). `public` are the
    addresses by which browsers reach the server, where that is not loopback; `owner`, "NAME:HASH", is made where there
    are no users. Without users an address that others can reach is a `UsageError`. So many `workers` are started when
    there are jobs."""
    limits = limits or Limits()
    sys.setswitchinterval(SWITCH_S)
    listeners: list[socket.socket] = []
    try:
        caps = SpanLimits(body_bytes=limits.body_bytes, waiting_bytes=limits.waiting_bytes)
        policy = policy or Policy()
        with (
            SqliteSpans(home, period_ns=policy.period_ns) as store,
            Maintenance(home, store, policy) as maintenance,
            Ingest(store, book, caps) as ingest,
            Records.open(home, records_url) as records,
        ):
            people = People(records.database)
            if owner is not None and not people.users.any():
                name, _, password_hash = owner.partition(":")
                people.users.add_hashed(name, password_hash, role="owner")
            check_host(host, public, people)
            if host not in LOOPBACK and not any(url.startswith("https:") for url in public):
                log.warning(
                    "passwords and keys come to %s readable for whoever listens on the way: put a proxy with TLS in "
                    "front, and name its https address in BOXSCORE_PUBLIC_URL",
                    host,
                )
            listeners.append(_listen(host, port))
            try:
                listeners.append(_listen(host, otlp_port))
            except OperationError:
                log.warning(_TAKEN, otlp_port, "OTLP over HTTP comes in at the port of the API alone")
            service = Service(store, ingest, records, limits, public=public, records_url=records_url)

            def problems() -> Sequence[str | None]:
                return service.problem, store.problem, maintenance.problem

            with Workers(home, records.database, workers, records_url=records_url) as working:
                _Server(service, home, host, grpc_port, ready, problems, working.stop).run(listeners)
            service.close()
    finally:
        for listener in listeners:
            listener.close()


class _Server(uvicorn.Server):
    def __init__(
        self,
        service: Service,
        home: Path,
        host: str,
        grpc_port: int,
        ready: Callable[[Listening], None],
        problems: Callable[[], Sequence[str | None]],
        stopping: Callable[[], None],
    ) -> None:
        self._service = service
        self._stop_others = stopping
        self._app = App(service)
        self._home = home
        self._host = host
        self._grpc_port = grpc_port
        self._ready = ready
        self._problems = problems
        self._told: set[str] = set()
        self._grpc: OtlpGrpc | None = None
        limits = service.limits
        Connection.limits = limits
        super().__init__(
            uvicorn.Config(
                self._app,  # pyright: ignore[reportArgumentType]
                http=Connection,
                ws="none",
                loop="uvloop" if sys.platform != "win32" else "asyncio",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=int(limits.idle_s),
                timeout_graceful_shutdown=max(1, int(limits.stop_s * 0.7)),
                backlog=1024,
                callback_notify=self._tell,
                timeout_notify=1,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        names = [listener.getsockname()[1] for listener in sockets or []]
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it has to say is said by our log
        from boxscore.server.otlp_grpc import OtlpGrpc

        self._grpc = OtlpGrpc(self._service)
        bound = await self._grpc.start(self._host, self._grpc_port)
        if bound is None:
            log.warning(_TAKEN, self._grpc_port, "OTLP over gRPC does not come in")
        link = self._service.people.links.for_owner()
        listening = Listening(self._host, names[0], names[1] if len(names) > 1 else None, bound)
        if link is not None:
            listening = listening._replace(owner_link=f"{listening.url}/login#owner={link.token}")
        place = Place(url=listening.url, pid=os.getpid(), otlp_port=listening.otlp_port, grpc_port=bound)
        write_place(self._home, place)
        self._ready(listening)
        self._app.load_questions()

    async def _tell(self) -> None:
        """Once a second: what is wrong, when it begins, and that it is over."""
        found = {problem for problem in self._problems() if problem is not None}
        for problem in sorted(found - self._told):
            log.error("%s", problem)
        if self._told and not found:
            log.info("what was wrong is over")
        self._told = found

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.stopping = True
        self._service.streams.stop()
        self._stop_others()
        remove_place(self._home)
        stops = [super().shutdown(sockets)]
        if self._grpc is not None:
            stops.append(self._grpc.stop(self._service.limits.stop_s * 0.7))
        await asyncio.gather(*stops)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True
        late = threading.Timer(self._service.limits.stop_s, _leave)
        late.daemon = True
        late.start()


def _leave() -> None:
    log.error("stopping took too long: left with requests under way. What was acknowledged is kept.")
    os._exit(4)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OperationError(
            f"port {port} of {host} cannot be listened on: {error.strerror}. Stop what has it, or choose another with "
            "--port."
        ) from error
    listener.setblocking(False)
    return listener
