"""A server that takes spans and scores, or misbehaves in one of several ways."""

import http.server
import json
import threading
import time
from types import TracebackType

from boxscore.tracing import Batch, Span, answer_protobuf, read_protobuf


class Receiver:
    """Listens on a port of its own. `mode` may change at any time; `spans` and `scores` are what it has acknowledged.

    good, slow (0.05 s an answer), garbage (a page of HTML), cut (closes without an answer), huge (100 MB), hang (no
    answer at all), drip (a byte of the answer now and then), busy (503), refuse (400), partial (rejects one span of
    each request), elsewhere (a redirect)
    """

    def __init__(self, mode: str = "good") -> None:
        self.mode = mode
        self.spans: list[Span] = []
        self.scores: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.requests = 0
        self._over = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # the other side went away, as some tests want it to

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.requests += 1
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        match self.mode:
            case "good" | "slow" | "partial":
                if self.mode == "slow":
                    time.sleep(0.05)
                if request.path.endswith("/v1/traces"):
                    spans = read_protobuf(body).spans
                    refused = spans[:1] if self.mode == "partial" else []
                    answer = answer_protobuf(Batch(spans, {"not liked": len(refused)} if refused else {}))
                    self.spans += spans[len(refused) :]
                    self._say(request, 200, answer, "application/x-protobuf")
                else:
                    self.scores += json.loads(body)
                    self._say(request, 200, b"{}", "application/json")
            case "garbage":
                self._say(request, 200, b"<!doctype html><p>Log in to the network</p>", "text/html")
            case "huge":
                self._say(request, 200, b"\x00" * 100 * 1024 * 1024, "application/x-protobuf")
            case "busy":
                self._say(request, 503, b"", "application/x-protobuf", {"Retry-After": "0"})
            case "refuse":
                self._say(request, 400, b"", "application/x-protobuf")
            case "elsewhere":
                self._say(request, 307, b"", "text/plain", {"Location": "http://127.0.0.1:1/v1/traces"})
            case "hang":
                self._over.wait(60)
            case "drip":
                while not self._over.wait(0.02):
                    request.wfile.write(b"H")
            case _:  # cut
                request.close_connection = True

    def _say(
        self,
        request: http.server.BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        kind: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
