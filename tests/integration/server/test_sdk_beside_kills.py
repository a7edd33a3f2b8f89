"""The SDK and the real server together: the server is killed, the application goes on, nothing is lost or doubled."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from serving import start

APPLICATION = """
import json, sys, time
import boxscore
from boxscore.sdk import counts

boxscore.init(sys.argv[1], service="shop", instrument=False)
made = []

@boxscore.trace
def answer(number):
    made.append(boxscore.current_span().span_id)
    return number

def calls(count):
    for number in range(count):
        answer(number)

with boxscore.context(session="s-1", user="ada"):
    calls(100)
    boxscore.score("useful", 0.9)
    with boxscore.trace("scored") as span:
        span.score("stars", 4)
    assert boxscore.flush(30)
    print("first", flush=True)
    sys.stdin.readline()           # the server is killed meanwhile
    calls(100)
    assert not boxscore.flush(1)
    print("second", flush=True)
    sys.stdin.readline()           # and started again
    calls(100)
    assert boxscore.flush(30)
print(json.dumps([made, span.span_id, span.trace_id, counts()["spans"].acknowledged, counts()["spans"].dropped]))
"""


def test_spans_made_while_the_server_is_dead_arrive_when_it_is_back(tmp_path: Path) -> None:
    server = start(tmp_path / "home")
    port = server.ports["api"]
    application = subprocess.Popen(
        [sys.executable, "-c", APPLICATION, server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"BOXSCORE_HOME": str(tmp_path / "application"), "NO_PROXY": "127.0.0.1"},
    )
    assert application.stdin is not None
    assert application.stdout is not None

    assert application.stdout.readline() == "first\n"
    server.stop(signal.SIGKILL)
    application.stdin.write("killed\n")
    application.stdin.flush()
    assert application.stdout.readline() == "second\n"
    server = start(tmp_path / "home", f"--port={port}")
    said, _ = application.communicate("back\n", timeout=60)

    made, scored, trace, acknowledged, dropped = json.loads(said)
    spans: list[str] = []
    page = server.ask("/api/v1/spans?filter=session%3Ds-1&limit=500").json
    spans += [span["span_id"] for span in page["items"]]
    scores = server.ask(f"/api/v1/scores?trace_id={trace}").json
    conversation = server.ask("/api/v1/scores?session=s-1").json
    server.stop()
    assert sorted(spans) == sorted([*made, scored])
    assert (acknowledged, dropped) == (301, 0)
    assert [(score["name"], score["value"], score["span_id"]) for score in scores] == [("stars", 4.0, scored)]
    assert [score["name"] for score in conversation] == ["useful"]
