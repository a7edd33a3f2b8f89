"""The server of `spanqueries.py --http`: a client that sends spans while questions are asked, what the server's process
uses, an erasure and a retention run beside it."""

import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from planted.spans import batches

from boxscore.client.spans import RemoteSpans
from boxscore.governance import journal, tombstones
from boxscore.server.access import DEFAULT_PROJECT
from boxscore.store.spans import SpanRow, SqliteSpans
from boxscore.store.spans.schema import connect

BATCH = 100
HOUR_NS = 3600 * 10**9
ATTRIBUTES = (
    *(("operation", "gen_ai.operation.name"), ("model", "gen_ai.response.model"), ("provider", "gen_ai.provider.name")),
    *(("input_tokens", "gen_ai.usage.input_tokens"), ("output_tokens", "gen_ai.usage.output_tokens")),
    *(("fingerprint", "gen_ai.response.system_fingerprint"), ("prompt", "gen_ai.prompt.name")),
    *(("prompt_version", "gen_ai.prompt.version"), ("variant", "boxscore.variant"), ("step", "boxscore.step")),
    *(("session", "session.id"), ("user", "user.id")),
    *(("input_text", "input.value"), ("output_text", "output.value")),
)
RESOURCE = (
    *(("application", "service.name"), ("release", "service.version"), ("environment", "deployment.environment.name")),
)


def body(rows: Sequence[SpanRow]) -> bytes:
    """The spans as an OTLP request, as an application would send them."""
    request = ExportTraceServiceRequest()
    for row in rows:
        group = request.resource_spans.add()
        for field, name in RESOURCE:
            group.resource.attributes.add(key=name).value.string_value = getattr(row, field)
        span = group.scope_spans.add().spans.add(
            trace_id=row.trace_id,
            span_id=row.span_id,
            parent_span_id=row.parent_id or b"",
            name=row.name,
            start_time_unix_nano=row.start_ns,
            end_time_unix_nano=row.start_ns + (row.duration_ns or 0),
        )
        for field, name in ATTRIBUTES:
            match getattr(row, field):
                case int() as number:
                    span.attributes.add(key=name).value.int_value = number
                case str() as text:
                    span.attributes.add(key=name).value.string_value = text
                case _:
                    pass
        for key, text in row.metadata.items():
            span.attributes.add(key=key).value.string_value = text
    return request.SerializeToString()


def send(port: int, rate: int, told: Path) -> None:
    """Sends `rate` spans a second, paced by the clock, until the process is ended; tells of each request when it was
    due (seconds), how long its answer took from then (milliseconds), and its status."""
    step_ns = 10**9 // rate
    began = time.time_ns()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with told.open("a", buffering=1, encoding="utf-8") as log:
        for n, rows in enumerate(batches(10**9, BATCH, seed=began % 10**6, start_ns=began, step_ns=step_ns)):
            data, due = body(rows), (began + (n + 1) * BATCH * step_ns) / 1e9
            time.sleep(max(0.0, due - time.time()))
            try:
                connection.request("POST", "/v1/traces", data, {"content-type": "application/x-protobuf"})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                connection.close()
                status = 0
            log.write(f"{due} {1e3 * (time.time() - due)} {status}\n")


class Sent:
    """What the sending client tells."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def since(self, began: float) -> str:
        """Of the requests that were due since then."""
        rows = [line.split() for line in self._path.read_text(encoding="utf-8").splitlines()]
        found = [
            (float(took), status) for due, took, status in (row for row in rows if len(row) == 3) if float(due) >= began
        ]
        if len(found) < 2:
            return "no answers"
        times = [took for took, _ in found]
        refused = sum(status != "200" for _, status in found)
        quantiles = statistics.quantiles(times, n=20, method="inclusive")
        return (
            f"{len(found) * BATCH:,} spans, answers p50 {quantiles[9]:.0f} ms, p95 {quantiles[18]:.0f} ms, "
            f"longest {max(times):,.0f} ms, {refused} refused"
        )


class Server:
    """`boxscore serve` on a home."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = _free_port()
        command = [sys.executable, "-m", "boxscore", "serve", "--port", str(self.port)]
        command += ["--otlp-port", str(_free_port()), "--grpc-port", str(_free_port()), "--log-format", "json"]
        environment = {**os.environ, "BOXSCORE_HOME": str(home), **settings}
        self._process = subprocess.Popen(command, env=environment)
        until = time.monotonic() + 60
        while not self._is_ready():
            if time.monotonic() > until or self._process.poll() is not None:
                self.stop()
                raise SystemExit("the server does not start")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds that its process used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, of: str = "VmRSS") -> int:
        """Megabytes; `VmHWM` is the most there was."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(of))

    def logs(self) -> int:
        """Megabytes of the write-ahead logs."""
        size = 0
        for path in (self.home / "spans").glob("*-wal"):
            with contextlib.suppress(FileNotFoundError):  # it comes and goes
                size += path.stat().st_size
        return size // 10**6

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def sending(server: Server, rate: int) -> Generator[Sent]:
    told = server.home.with_name(f"sent-{server.port}")
    told.touch()
    command = [sys.executable, __file__, str(server.port), str(rate), str(told)]
    client = subprocess.Popen(command)
    try:
        yield Sent(told)
    finally:
        client.terminate()
        client.wait()


class Asking:
    """Questions that go on in a thread, one after the other."""

    def __init__(self, url: str) -> None:
        self.times: list[float] = []
        self.failed: list[str] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        with RemoteSpans(self._url) as remote:
            asked: Sequence[Callable[[], object]] = (
                lambda: remote.spans(DEFAULT_PROJECT),
                lambda: remote.traces(DEFAULT_PROJECT),
                lambda: remote.sessions(DEFAULT_PROJECT, limit=10),
                lambda: remote.search(DEFAULT_PROJECT, "answer", limit=10),
            )
            while not self._stop.wait(0.1):
                for question in asked:
                    began = time.perf_counter()
                    try:
                        question()
                    except Exception as error:  # noqa: BLE001 - told
                        self.failed.append(str(error))
                    self.times.append(1e3 * (time.perf_counter() - began))

    def told(self) -> str:
        quantiles = statistics.quantiles(self.times, n=20, method="inclusive")
        failed = f", {len(self.failed)} failed ({self.failed[0]})" if self.failed else ""
        return (
            f"{len(self.times):,} questions, p50 {quantiles[9]:.0f} ms, p95 {quantiles[18]:.0f} ms, longest "
            f"{max(self.times):,.0f} ms{failed}"
        )


def erased(server: Server, user: str) -> Iterator[None]:
    """Yields until the user is erased, to the bytes."""
    stone = tombstones.make(server.home, "user", DEFAULT_PROJECT, user, time.time_ns())
    tombstones.add(server.home, [stone])
    while not tombstones.read(server.home).get(stone):
        yield


def settled(home: Path) -> None:
    """What the home has was received two hours ago, as its spans are; new traces go to another file, whose spans bear
    out what the clock says."""
    with SqliteSpans(home) as store:
        store.upkeep.begin_file()
        store.put(DEFAULT_PROJECT, next(batches(BATCH, BATCH, seed=9, start_ns=time.time_ns()))).result()
    for path in sorted((home / "spans").glob("*.db"))[:-1]:
        database = connect(path, write=True)
        asked = "UPDATE spans SET received_ns = received_ns - ? WHERE seq = (SELECT max(seq) FROM spans)"
        database.execute(asked, (2 * HOUR_NS,))
        database.close()


def retained(server: Server) -> Iterator[None]:
    """Yields until a retention run is over."""
    while not any(entry.what == "retention" for entry in journal.entries(server.home)):
        yield


def during(server: Server, rate: int, work: Callable[[], Iterator[None]], limit_s: float) -> tuple[str, float]:
    """What questions and sending took while the work went on, and the longest wait for an answer of either in
    milliseconds."""
    with sending(server, rate) as sent, Asking(server.url) as asking:
        time.sleep(2)
        began, logs = time.time(), 0
        over = ""
        for _ in work():
            logs = max(logs, server.logs())
            time.sleep(0.05)
            if time.time() - began > limit_s:
                over = " (not over by then)"
                break
        took = time.time() - began
        time.sleep(1)
    return (
        f"{took:.1f} s{over}; {asking.told()}; {sent.since(began)}; memory {server.memory('VmHWM')} MB at most, logs "
        f"{logs} MB at most",
        max(asking.times),
    )


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


if __name__ == "__main__":
    send(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
