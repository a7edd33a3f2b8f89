"""A real server that asks who calls: its first owner, keys over HTTP and gRPC, other processes, wrong tries by the
thousand."""

import contextlib
import http.client
import json
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from boxscore.governance.keys import NewKey
from boxscore.governance.people import People
from boxscore.governance.users import hash_password
from boxscore.store.records import Records
from serving import JSON, PROTOBUF, Answer, Server, printed, request

PASSWORD = "correct horse battery"  # noqa: S105
THREADS = 20
"""Each waits for its answers, so that it takes some to keep the pace."""
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@contextlib.contextmanager
def people_of(home: Path) -> Iterator[People]:
    """As another process has them."""
    home.mkdir(exist_ok=True)
    with Records.open(home) as records:
        yield People(records.database)


def owned(home: Path, *rights: str) -> NewKey:
    """A home with an owner and a key."""
    with people_of(home) as people:
        people.users.add("ada", role="owner", password=PASSWORD)
        return people.keys.create("default", "a program", rights or ["read", "ingest"])


def link_of(server: Server) -> str | None:
    found = re.search(r"/login#owner=(\S+)", printed(server, "out"))
    return found and found[1]


def post(server: Server, path: str, body: object, **headers: str) -> Answer:
    return server.ask(f"/api/v1{path}", json.dumps(body).encode(), JSON | headers)


def bearer(key: NewKey) -> dict[str, str]:
    return {"authorization": f"Bearer {key.secret}"}


def test_the_first_start_prints_a_link_that_makes_the_owner(serve: Callable[..., Server]) -> None:
    server = serve()
    link = link_of(server)
    assert link is not None
    asked = {"link": link, "password": PASSWORD}

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: post(server, "/owner", asked | {"name": f"user {n}"}), range(50)))

    assert sum(answer.status == 200 for answer in answers) == 1
    assert {answer.status for answer in answers} <= {200, 401, 429, 503}
    assert server.ask("/api/v1/traces").status == 401
    with people_of(server.home) as people:
        assert len(people.users.all()) == 1
    assert link not in printed(server)
    assert link not in (server.home / "server.json").read_text()


def test_each_start_without_an_owner_prints_a_new_link_and_voids_the_one_before(serve: Callable[..., Server]) -> None:
    first = serve()
    old = link_of(first)
    first.stop()
    second = serve(home=first.home)
    new = link_of(second)

    assert old is not None
    assert new not in (None, old)
    assert post(second, "/owner", {"link": old, "name": "eve", "password": PASSWORD}).status == 401
    assert post(second, "/owner", {"link": new, "name": "ada", "password": PASSWORD}).status == 200
    second.stop()
    assert link_of(serve(home=first.home)) is None


def test_an_address_that_others_reach_is_served_once_there_is_an_owner(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    key = owned(tmp_path / "home")
    server = serve("--host=0.0.0.0", home=tmp_path / "home")

    assert server.ask("/api/v1/traces").status == 401
    assert server.ask("/api/v1/traces", headers=bearer(key)).status == 200
    assert "BOXSCORE_PUBLIC_URL" in printed(server)  # passwords would come in the clear


def test_an_owner_can_come_from_the_environment(serve: Callable[..., Server], tmp_path: Path) -> None:
    owner = {"BOXSCORE_OWNER": f"ada:{hash_password(PASSWORD)}", "BOXSCORE_PUBLIC_URL": "https://box.example.org"}
    server = serve("--host=0.0.0.0", environment=owner)

    told = post(server, "/login", {"name": "ada", "password": PASSWORD}, host="box.example.org")

    assert told.status == 200
    assert told.headers["set-cookie"].startswith("__Host-boxscore=")
    assert PASSWORD not in printed(server)


def test_a_public_address_needs_an_owner_too(serve: Callable[..., Server]) -> None:
    server = serve(wait=False, environment={"BOXSCORE_PUBLIC_URL": "https://box.example.org"})

    assert server.process.wait(30) == 2
    assert "https://box.example.org" in printed(server)


def test_spans_come_over_grpc_with_a_key(serve: Callable[..., Server], tmp_path: Path) -> None:
    key = owned(tmp_path / "home")
    server = serve(home=tmp_path / "home")
    body = request("chat").SerializeToString()

    def export(*metadata: tuple[str, str]) -> grpc.StatusCode:
        with grpc.insecure_channel(f"127.0.0.1:{server.ports['grpc']}") as channel:
            call = channel.unary_unary(EXPORT)
            try:
                call(body, metadata=metadata, timeout=30)
            except grpc.RpcError as error:
                return error.code()  # type: ignore[attr-defined]
        return grpc.StatusCode.OK

    assert export() is grpc.StatusCode.UNAUTHENTICATED
    assert export(("authorization", "Bearer bxs_made_up")) is grpc.StatusCode.UNAUTHENTICATED
    assert export(("authorization", f"Bearer {key.secret}")) is grpc.StatusCode.OK
    assert export(("authorization", f"Bearer {key.secret}"), ("boxscore-project", "x")) is grpc.StatusCode.NOT_FOUND
    assert server.send(body, PROTOBUF | bearer(key)).status == 200


def test_a_key_that_another_process_revoked_is_refused_within_five_seconds(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    key = owned(tmp_path / "home")
    server = serve(home=tmp_path / "home")
    assert server.ask("/api/v1/traces", headers=bearer(key)).status == 200
    with people_of(server.home) as people:
        people.keys.revoke("default", key.id)
    began = time.monotonic()

    while server.ask("/api/v1/traces", headers=bearer(key)).status == 200:
        assert time.monotonic() - began < 5

    assert server.ask("/api/v1/traces", headers=bearer(key)).status == 401


def test_the_applications_own_sdk_sends_with_a_key(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    key = owned(tmp_path / "home")
    server = serve(home=tmp_path / "home")
    program = "import boxscore; boxscore.init(); boxscore.trace(lambda: 'hello')(); print(boxscore.flush())"

    def sent(**environment: str) -> str:
        own = {"BOXSCORE_URL": server.url, "BOXSCORE_HOME": str(tmp_path / "app"), "BOXSCORE_SPOOL_MB": "0"}
        done = subprocess.run([sys.executable, "-c", program], env=own | environment, capture_output=True, text=True)
        assert key.secret not in done.stdout + done.stderr
        return done.stdout.strip()

    sent()
    assert server.ask("/api/v1/spans", headers=bearer(key)).json["items"] == []
    assert sent(BOXSCORE_API_KEY=key.secret) == "True"
    assert len(server.ask("/api/v1/spans", headers=bearer(key)).json["items"]) == 1


def test_a_thousand_wrong_tries_a_minute_slow_nobody_down(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Logins with names and addresses that change (so that no limit holds them back), and made-up keys."""
    key = owned(tmp_path / "home")
    server = serve(home=tmp_path / "home", environment={"BOXSCORE_PUBLIC_URL": "https://box.example.org"})
    over = threading.Event()
    tried: list[int] = []

    def storm(first: int) -> None:
        number = first
        while not over.wait(THREADS * 60 / 1_000):
            number += THREADS
            asked = {"name": f"user {number}", "password": "wrong horse battery"}
            address = f"192.0.{number // 250}.{number % 250}"
            tried.append(post(server, "/login", asked, **{"x-forwarded-for": address}).status)
            tried.append(server.ask("/api/v1/traces", headers={"authorization": f"Bearer bxs_{number}"}).status)

    quiet = percentile_95(server, key)
    threads = [threading.Thread(target=storm, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    stormy = percentile_95(server, key)
    seconds = time.monotonic() - began
    over.set()
    for thread in threads:
        thread.join()

    told = f"p95 {quiet * 1e3:.1f} ms, with {len(tried) / seconds * 60:,.0f} tries a minute {stormy * 1e3:.1f} ms"
    assert set(tried) <= {401, 429, 503}
    assert stormy < 3 * quiet + 0.05, told


def percentile_95(server: Server, key: NewKey) -> float:
    """Seconds of questions and of spans that are taken in, one after another on a connection that stays, over five
    seconds."""
    body = request("chat").SerializeToString()
    times: list[float] = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.ports["api"], timeout=60)) as connection:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for method, path, sent in (("GET", "/api/v1/traces", None), ("POST", "/v1/traces", body)):
                began = time.perf_counter()
                connection.request(method, path, sent, PROTOBUF | bearer(key))
                answer = connection.getresponse()
                answer.read()
                times.append(time.perf_counter() - began)
                assert answer.status == 200
    return statistics.quantiles(times, n=20)[-1]
