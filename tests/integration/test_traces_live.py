"""`boxscore traces` beside a running server: the same answers as from its folder, and new traces as they come."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "cli"))
import desk

from boxscore.cli import main

DEADLINE_S = 60
Server = tuple[Path, "subprocess.Popen[bytes]"]


Run = Callable[..., bytes]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], server: Server) -> Run:
    monkeypatch.setenv("BOXSCORE_HOME", str(server[0]))
    monkeypatch.delenv("BOXSCORE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    def traces(*arguments: str) -> bytes:
        with pytest.raises(SystemExit) as left:
            main(["traces", *arguments])
        said = capsysbinary.readouterr()
        assert left.value.code == 0, said.err
        return said.out

    return traces


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on the folder of the support desk."""
    home = desk.fill(tmp_path / "home", time.time_ns())
    command = [sys.executable, "-m", "boxscore", "serve", "--port", "0", "--otlp-port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(
        command, env={**os.environ, "BOXSCORE_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + DEADLINE_S
    while not (home / "server.json").exists() and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.02)
    yield home, process
    process.kill()
    process.wait()


def test_a_server_and_its_folder_answer_alike(run: Run, server: Server) -> None:
    _, process = server
    run("score", "8c1f", "helpful", "0.9")
    asked = (
        ["list", "--json", "-f", "duration_ns>=4s"],
        ["list", "--json", "-f", "score.helpful>=0.5"],
        ["show", "8c1f", "--json"],
        ["show", "8c1f"],
        ["show", "8c1f", "--conversation"],
        ["search", "two invoices", "--json"],
        ["sessions", "--json"],
        ["stats", "--since", "2020-01-01", "--until", "2100-01-01"],
        ["stats", "--since", "2020-01-01", "--until", "2100-01-01", "--by", "user"],
        ["export", "-"],
    )
    of_server = [run(*words) for words in asked]
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_S) == 0
    of_folder = [run(*words) for words in asked]

    for words, one, other in zip(asked, of_server, of_folder, strict=True):
        assert one == other, words
        assert one


def test_tail_tells_of_a_trace_when_it_comes_and_ends_cleanly(run: Run, server: Server, tmp_path: Path) -> None:
    home, _ = server
    command = [sys.executable, "-m", "boxscore", "traces", "tail", "--json", "-n", "1", "-f", "entry=true"]
    with subprocess.Popen(
        command,
        env={**os.environ, "BOXSCORE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        before = json.loads(tail.stdout.readline())
        span = {"traceId": "ef" * 16, "spanId": "ab" * 8, "name": "fresh", "startTimeUnixNano": str(time.time_ns())}
        (tmp_path / "new.json").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
        run("import", str(tmp_path / "new.json"))
        after = json.loads(tail.stdout.readline())
        tail.send_signal(signal.SIGINT)

        assert tail.wait(DEADLINE_S) == 0
        assert tail.stderr.read().strip() == ""
    assert before["entry"]["trace_id"] == desk.TRACE
    assert after["entry"]["name"] == "fresh"
