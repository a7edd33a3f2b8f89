"""What was begun ends with the right to it, and what is sent takes no more of the disk than was set aside."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boxscore.governance.keys import NewKey
from boxscore.governance.people import People
from boxscore.store.records import Records
from serving import PROTOBUF, Server, printed, request

FILE = {"content-type": "application/octet-stream"}
SOON_S = 5.5
"""What is promised is five seconds; the rest is for a busy machine."""


@contextlib.contextmanager
def people_of(home: Path) -> Iterator[People]:
    """As another process has them."""
    home.mkdir(exist_ok=True)
    with Records.open(home) as records:
        yield People(records.database)


def owned(home: Path, *rights: str) -> NewKey:
    with people_of(home) as people:
        people.users.add("ada", role="owner")
        return people.keys.create("default", "a program", rights)


def bearer(key: NewKey) -> dict[str, str]:
    return {"authorization": f"Bearer {key.secret}"}


def revoke(home: Path, key: NewKey) -> None:
    with people_of(home) as people:
        people.keys.revoke("default", key.id)


def slow(server: Server, head: str) -> socket.socket:
    """A connection that takes little at a time, after this head was sent on it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", server.ports["api"]))
    connection.sendall(head.encode())
    return connection


def test_a_busy_stream_ends_soon_after_another_process_revoked_its_key(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    key = owned(tmp_path / "home", "read", "ingest")
    server = serve()
    connection = server.connect()
    connection.request("GET", "/api/v1/traces/live", headers=bearer(key))
    answer = connection.getresponse()
    assert answer.status == 200

    with (
        contextlib.closing(connection),
        contextlib.closing(answer),
        people_of(tmp_path / "home") as people,
        ThreadPoolExecutor(1) as sending,
    ):
        sender = people.keys.create("default", "another", ["ingest"])

        def keep_busy() -> None:
            while not over:
                server.send(request("step").SerializeToString(), PROTOBUF | bearer(sender))
                time.sleep(0.1)

        over: list[bool] = []
        busy = sending.submit(keep_busy)
        while not answer.readline().startswith(b"data:"):
            pass
        people.keys.revoke("default", key.id)
        began = time.monotonic()
        told = list(iter(answer.readline, b""))
        ended_s = time.monotonic() - began
        over.append(True)
        busy.result()

    assert b"unauthenticated" in told[-2]
    assert ended_s < SOON_S


@pytest.mark.parametrize("path", ["spans.jsonl", "datasets/large/versions/head/export"])
def test_a_long_file_is_cut_off_when_its_key_is_revoked(
    serve: Callable[..., Server], tmp_path: Path, path: str
) -> None:
    key = owned(tmp_path / "home", "read", "write", "ingest")
    server = serve()
    if path == "spans.jsonl":
        for _ in range(10):
            sent = request(*(f"step {n}" for n in range(400)), text="x" * 8_000).SerializeToString()
            assert server.send(sent, PROTOBUF | bearer(key)).status == 200
        assert server.ask("/api/v1/spans?wait=20&limit=1", headers=bearer(key)).status == 200
    else:
        rows = "\n".join(json.dumps({"id": str(n), "inputs": {"q": "x" * 8_000}}) for n in range(4_000))
        address = "/api/v1/datasets/large/import?filename=a.jsonl"
        assert server.ask(address, rows.encode(), FILE | bearer(key)).status == 201

    head = f"GET /api/v1/{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key.secret}\r\n\r\n"
    with contextlib.closing(slow(server, head)) as reader:
        got = reader.recv(4_096)
        assert got.startswith(b"HTTP/1.1 200")
        revoke(tmp_path / "home", key)
        began, size = time.monotonic(), len(got)
        while time.monotonic() - began < SOON_S:  # as slow as somebody far away
            size += len(reader.recv(65_536))
            time.sleep(0.01)
        rest = bytearray()
        with contextlib.suppress(ConnectionError):
            while part := reader.recv(1 << 20):
                rest += part

    assert not rest.endswith(b"0\r\n\r\n")  # which would say that the file is whole
    assert size + len(rest) < 24_000_000
    assert "cut off" in printed(server)
    assert "please report" not in printed(server)


def test_files_that_are_being_received_have_their_number(serve: Callable[..., Server], tmp_path: Path) -> None:
    key = owned(tmp_path / "home", "read", "write")
    server = serve()
    head = (
        "POST /api/v1/datasets/x/look?filename=a.jsonl HTTP/1.1\r\nhost: localhost\r\n"
        f"authorization: Bearer {key.secret}\r\ncontent-type: application/octet-stream\r\n"
        "content-length: 200000000\r\n\r\n"
    )
    look = "/api/v1/datasets/x/look?filename=a.jsonl"
    assert server.ask(look, b"{}", FILE | bearer(key)).status == 200  # what answers is loaded behind the start
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(contextlib.closing(slow(server, head)))
        until = time.monotonic() + 10
        while (
            answer := server.ask("/api/v1/datasets/x/look?filename=a.jsonl", b"{}", FILE | bearer(key))
        ).status != 503:
            assert time.monotonic() < until, answer.body
            stack.enter_context(contextlib.closing(slow(server, head)))  # one may have met the file of a question
        assert answer.headers["retry-after"]
    while server.ask("/api/v1/datasets/x/look?filename=a.jsonl", b"{}", FILE | bearer(key)).status != 200:
        assert time.monotonic() < until + 10


def test_who_may_only_read_sends_no_files(serve: Callable[..., Server], tmp_path: Path) -> None:
    key = owned(tmp_path / "home", "read")
    server = serve()

    assert server.ask("/api/v1/datasets/x/look?filename=a.jsonl", b"{}", FILE | bearer(key)).status == 403
