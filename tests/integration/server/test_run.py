"""Starting and stopping: ports, folders, signals."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from boxscore.store.spans import SqliteSpans
from serving import Server, head, printed, request


def test_it_says_what_is_where(serve: Callable[..., Server]) -> None:
    server = serve()
    server.stop()

    told = printed(server, "out")
    assert f"Boxscore serves {server.home}" in told
    assert server.url in told
    assert f"http://127.0.0.1:{server.ports['grpc']}" in told
    assert f'boxscore.init("{server.url}")' in told


def test_a_second_server_on_the_folder_is_refused_with_one_sentence(serve: Callable[..., Server]) -> None:
    first = serve()

    second = serve(wait=False)

    assert second.process.wait(30) == 4
    assert len(printed(second).strip().splitlines()) == 1
    assert "another process writes to" in printed(second)
    assert first.ask("/health/ready").status == 200
    assert json.loads((first.home / "server.json").read_bytes())["pid"] == first.process.pid


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - what is refused
def test_an_address_that_others_can_reach_is_refused(serve: Callable[..., Server], host: str) -> None:
    server = serve(f"--host={host}", wait=False)

    assert server.process.wait(30) == 2
    assert "it has no users yet" in printed(server)


def test_a_port_that_is_taken_is_told(serve: Callable[..., Server]) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        server = serve(f"--port={port}", wait=False)

        assert server.process.wait(30) == 4
    assert f"port {port}" in printed(server)


def test_standard_ports_that_are_taken_are_told_and_done_without(serve: Callable[..., Server]) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        server = serve(f"--otlp-port={port}", f"--grpc-port={port}", "--log-format=json")

        assert server.send(request("a").SerializeToString()).status == 200
        assert set(server.ports) == {"api"}
    server.stop()
    lines = [json.loads(line) for line in printed(server).splitlines()]
    assert [line["level"] for line in lines][:2] == ["warning", "warning"]
    assert all(f"port {port}" in line["message"] for line in lines[:2])


def test_under_load_it_stops_in_time_and_keeps_what_it_acknowledged(serve: Callable[..., Server]) -> None:
    server = serve()
    acknowledged: list[str] = []

    def load(number: int) -> None:
        with contextlib.suppress(OSError, ConnectionError):
            for count in range(10_000):
                trace = bytes([number]) + count.to_bytes(15, "big")
                if server.send(request(*"abcde", trace=trace).SerializeToString()).status == 200:
                    acknowledged.append(trace.hex())

    threads = [threading.Thread(target=load, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 50:
        time.sleep(0.01)
    began = time.monotonic()
    code = server.stop()
    took = time.monotonic() - began
    for thread in threads:
        thread.join()

    assert code == 0
    assert took < 10
    assert not (server.home / "server.json").exists()
    with SqliteSpans(server.home, write=False) as store:
        assert all(len(store.trace("default", bytes.fromhex(trace)).items) == 5 for trace in acknowledged)


def test_a_request_under_way_is_finished_before_the_end(serve: Callable[..., Server]) -> None:
    server = serve()
    body = request("late", trace=b"\x0a" * 16).SerializeToString()
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]), 30)) as raw:
        raw.sendall(head(len(body), "application/x-protobuf") + body[:5])
        while b"boxscore_requests_open 2" not in server.ask("/metrics").body:
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        while (server.home / "server.json").exists():
            time.sleep(0.02)
        raw.sendall(body[5:])
        answer = raw.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")
    assert server.process.wait(10) == 0


def test_who_does_not_finish_is_left_after_the_time_that_is_set(serve: Callable[..., Server]) -> None:
    server = serve(limits={"stop_s": 2.0})
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]), 30)) as raw:
        raw.sendall(head(9) + b"{")
        while b"boxscore_requests_open 2" not in server.ask("/metrics").body:
            time.sleep(0.02)
        began = time.monotonic()
        server.stop()

        assert time.monotonic() - began < 5
    assert printed(server).endswith("warning: stopped before a request was finished: nothing of it was acknowledged\n")
    assert len(printed(server).splitlines()) == 1


def test_a_second_signal_ends_it_at_once(serve: Callable[..., Server]) -> None:
    server = serve()
    server.send(request("kept", trace=b"\x0b" * 16).SerializeToString())
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]), 30)) as raw:
        raw.sendall(head(9) + b"{")
        while b"boxscore_requests_open 2" not in server.ask("/metrics").body:
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        while (server.home / "server.json").exists():
            time.sleep(0.02)
        began = time.monotonic()
        code = server.stop(signal.SIGTERM)

    assert code == 128 + signal.SIGTERM
    assert time.monotonic() - began < 1.5
    with SqliteSpans(server.home, write=False) as store:
        assert len(store.trace("default", b"\x0b" * 16).items) == 1


def test_a_killed_server_is_followed_by_another(serve: Callable[..., Server]) -> None:
    first = serve()
    first.send(request("kept", trace=b"\x0c" * 16).SerializeToString())
    first.stop(signal.SIGKILL)

    second = serve()

    assert len(second.ask(f"/api/v1/traces/{'0c' * 16}").json["items"]) == 1


def test_an_idle_server_is_small_and_soon_ready(serve: Callable[..., Server]) -> None:
    """CPU, for the machine may be busy: 2 s until ready are promised of an idle one."""
    began = time.monotonic()
    server = serve()
    took = time.monotonic() - began
    ticks = Path(f"/proc/{server.process.pid}/stat").read_text().split()[13:15]
    server.ask("/api/v1/traces")

    assert sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") < 1.5, f"ready after {took:.1f} s"
    assert server.memory_mb() < 150


def test_the_list_of_commands_does_not_load_the_server() -> None:
    code = "import sys; from boxscore.cli import main\ntry: main(['serve', '--help'])\nexcept SystemExit: pass\n"
    code += "print([name for name in ('fastapi', 'uvicorn', 'grpc', 'apsw') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip().endswith("[]")
