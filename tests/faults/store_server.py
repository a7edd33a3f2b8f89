"""The span store behind the least of a server: OTLP in over HTTP, answered when it is synced.

Run as a program: `python -m faults.store_server HOME SPANS_PER_FILE [SYNCHRONOUS]`; where it listens is in
HOME/server.json. What `boxscore serve` adds is not in the way here, files turn over after few spans, and the last
argument breaks the promise on purpose.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from boxscore.costs import PriceBook
from boxscore.errors import BoxscoreError, BusyError
from boxscore.store.spans import Score, SqliteSpans, schema
from boxscore.tracing import Ingest


def score_of(told):
    return Score(**told | {"trace_id": bytes.fromhex(told["trace_id"])})


def main(home: Path, segment_spans: int, synchronous: str | None) -> None:
    if synchronous:
        prepare = schema._prepare

        def broken(database, path):
            prepare(database, path)
            database.pragma("synchronous", synchronous)

        schema._prepare = broken

    with SqliteSpans(home, segment_spans=segment_spans) as store, Ingest(store, PriceBook()) as ingest:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    if self.path == "/v1/traces":
                        status, answer = 200, ingest.protobuf("default", body).result()
                    else:
                        scores = [score_of(told) for told in json.loads(body)]
                        status, answer = 200, store.put_scores("default", scores).result() or b""
                except BusyError as error:
                    status, answer = 429, str(error).encode()
                except BoxscoreError as error:
                    status, answer = 503, str(error).encode()
                self.answer(status, answer)

            def do_GET(self):
                self.answer(200, f"{len(store.traces('default').items)} traces".encode())

            def answer(self, status, answer):
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        place = {"pid": os.getpid(), "url": f"http://127.0.0.1:{server.server_port}"}
        made = home / "server.json.new"
        made.write_text(json.dumps(place))
        made.replace(home / "server.json")
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
