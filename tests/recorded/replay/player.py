"""A provider that plays a recording."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Exchange = dict[str, Any]
NOT_PLAYED = ("content-length", "transfer-encoding", "content-encoding", "connection")


class Player:
    """Answers whatever it is asked with `exchange`: status, headers and body as they were recorded. `asked` counts."""

    def __init__(self) -> None:
        self.exchange: Exchange = {}
        self.asked = 0
        player = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                player.asked += 1
                exchange = player.exchange
                body = exchange["raw"] if exchange["response"] is None else json.dumps(exchange["response"])
                self.send_response(exchange["status"])
                for name, value in exchange["headers"].items():
                    if name.lower() not in NOT_PLAYED:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
