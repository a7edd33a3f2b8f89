"""A real `boxscore serve`, as a process of its own."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """`ports` by name: api, otlp, grpc."""

    home: Path
    process: subprocess.Popen[bytes]
    ports: dict[str, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    def connect(self, port: str = "api") -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=60)

    def ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, *, method: str | None = None
    ) -> Answer:
        with contextlib.closing(self.connect()) as connection:
            connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("/v1/traces", body, headers or PROTOBUF)

    def memory_mb(self, field: str = "VmRSS") -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) / 1024

    def stop(self, sign: int = signal.SIGTERM) -> int:
        self.process.send_signal(sign)
        return self.process.wait(30)


SCRIPT = """
import pathlib, sys
from boxscore.server.limits import Limits
from boxscore.server.logs import log_to_stderr
from boxscore.server.run import serve
log_to_stderr("text")
serve(pathlib.Path(sys.argv[1]), port=0, otlp_port=0, grpc_port=0, limits=Limits(**eval(sys.argv[2])))
"""


def start(
    home: Path,
    *options: str,
    wait: bool = True,
    limits: dict[str, float] | None = None,
    environment: dict[str, str] | None = None,
) -> Server:
    """Serves `home` on ports that are free: the command, or with other `limits` the function behind it."""
    command = [sys.executable, "-m", "boxscore", "serve", "--port=0", "--otlp-port=0", "--grpc-port=0", *options]
    if limits is not None:
        command = [sys.executable, "-c", SCRIPT, str(home), repr(limits)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE_")}
    own |= {"BOXSCORE_HOME": str(home), "COLUMNS": "80"} | (environment or {})
    with (home.parent / f"{home.name}.out").open("wb") as out, (home.parent / f"{home.name}.err").open("wb") as err:
        process = subprocess.Popen(command, env=own, stdout=out, stderr=err)
    server = Server(home, process, {})
    if wait:
        place = home / "server.json"
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, ValueError, KeyError):
                found = json.loads(place.read_bytes())
                if found["pid"] == process.pid:
                    ports = {"api": urlsplit(found["url"]).port, "otlp": found["otlp_port"], "grpc": found["grpc_port"]}
                    server.ports = {name: port for name, port in ports.items() if port}
                    return server
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise AssertionError((home.parent / f"{home.name}.err").read_text())
            time.sleep(0.02)
    return server


def printed(server: Server, what: str = "err") -> str:
    """What the server has said on standard error, or `out`."""
    return (server.home.parent / f"{server.home.name}.{what}").read_text()


def head(length: int, kind: str = "application/json") -> bytes:
    """Of a request with spans."""
    lines = ["POST /v1/traces HTTP/1.1", "host: localhost", f"content-type: {kind}", f"content-length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def request(*names: str, trace: bytes | None = None, **attributes: str) -> ExportTraceServiceRequest:
    """Spans of one trace, one for each name, the first the parent of the others."""
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    spans = group.scope_spans.add()
    trace = trace or os.urandom(16)
    now = time.time_ns()
    for place, name in enumerate(names):
        span = spans.spans.add(
            trace_id=trace,
            span_id=(place + 1).to_bytes(8, "big"),
            parent_span_id=b"" if place == 0 else (1).to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=now - 10**9 + place,
            end_time_unix_nano=now,
        )
        for key, value in attributes.items():
            span.attributes.add(key=key.replace("__", ".")).value.string_value = value
    return made
