"""Clients that send or read slowly lose their connection, and the others notice nothing."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable

import pytest

from serving import Answer, Server, head, printed, request

SLOW = {"header_s": 1.0, "body_s": 1.5, "stall_s": 1.5, "idle_s": 1.0}


def left_after(raw: socket.socket) -> tuple[float, bytes]:
    """Seconds until the server closes, and what it says before."""
    began, said = time.monotonic(), b""
    raw.settimeout(20)
    with contextlib.suppress(ConnectionError):
        while part := raw.recv(65536):
            said += part
    return time.monotonic() - began, said


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b"408"),
        (b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type:", b"408"),
        (head(9) + b"{", b"408"),
        (
            b"POST /api/v1/scores HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: 9\r\n\r\n[",
            b"408",
        ),
        (b"GET /health/live HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n.", b"200"),
        (b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n", b"200"),
    ],
    ids=["nothing", "half a header", "half a body", "half a score", "a body nobody reads", "idle after its answer"],
)
def test_who_stops_sending_is_left(serve: Callable[..., Server], sent: bytes, status: bytes) -> None:
    server = serve(limits=SLOW)
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.ports["api"]))) as raw:
        raw.sendall(sent)
        seconds, said = left_after(raw)

    assert 0.3 < seconds < 8
    assert said.startswith(b"HTTP/1.1 " + status)
    server.stop()
    assert printed(server) == ""


def test_hundreds_of_drips_do_not_keep_others_waiting(serve: Callable[..., Server]) -> None:
    """A byte every 0.2 s: each drip is alive, and none is whole in time."""
    server = serve(limits=SLOW)
    assert server.ask("/api/v1/traces").status == 200  # what answers questions is loaded behind the start
    before = server.memory_mb()

    async def drip() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["api"])
        writer.write(head(99))
        for _ in range(60):
            writer.write(b"{")
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(0.2):
                    said = await reader.read(100)
                    writer.close()
                    return b" 408 " in said or not said
        writer.close()
        return False

    async def all_of_them() -> tuple[list[bool], list[float]]:
        drips = [asyncio.create_task(drip()) for _ in range(400)]
        await asyncio.sleep(0.5)
        waits: list[float] = []
        for _ in range(5):
            began = time.monotonic()
            answer = await asyncio.to_thread(server.send, request("quick").SerializeToString())
            assert answer.status == 200
            waits.append(time.monotonic() - began)
        return await asyncio.gather(*drips), waits

    left, waits = asyncio.run(all_of_them())

    assert all(left)
    assert sorted(waits)[2] < 1
    assert server.memory_mb() < before + 40


def test_slow_readers_lose_their_answer_and_its_memory(serve: Callable[..., Server]) -> None:
    server = serve(limits=SLOW | {"answers_bytes": 20 * 1024 * 1024})
    trace = b"\x09" * 16
    for _ in range(2):
        server.send(request(*["large"] * 30, trace=trace, text="x" * 300_000).SerializeToString())
    ask = f"GET /api/v1/traces/{trace.hex()} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
    readers = [socket.create_connection(("127.0.0.1", server.ports["api"])) for _ in range(40)]
    for reader in readers:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(ask)

    def ask_until(status: int) -> Answer:
        until = time.monotonic() + 30
        while (answer := server.ask(f"/api/v1/traces/{trace.hex()}")).status != status and time.monotonic() < until:
            time.sleep(0.02)
        return answer

    busy = ask_until(503)
    short = server.ask("/api/v1/counts")
    after = ask_until(200)
    for reader in readers:
        reader.close()

    assert (busy.status, busy.json["error"]["code"], busy.headers["retry-after"]) == (503, "busy", "1")
    assert short.status == 200
    assert after.status == 200
    assert server.memory_mb("VmHWM") < 350


def test_connections_beyond_the_cap_are_closed(serve: Callable[..., Server]) -> None:
    server = serve(limits={"connections": 20})
    held = [socket.create_connection(("127.0.0.1", server.ports["api"])) for _ in range(40)]
    for raw in held[20:]:
        raw.settimeout(10)
        with contextlib.suppress(ConnectionError):
            assert raw.recv(1) == b""
    for raw in held:
        raw.close()

    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionError, OSError):
            text = server.ask("/metrics").body.decode()
            break
    assert "boxscore_connections_refused_total 20" in text
