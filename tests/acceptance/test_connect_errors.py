"""What is wrong between here and a provider, told by the command: one sentence that names who was asked, what was tried
and what to do, and leaves with 4. Pauses are shorter than they would be."""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
import trustme

from boxscore.cli import main
from boxscore.experiments import todo
from boxscore.providers import pace
from boxscore.testing import FakeServer, Fault

KEY = "sk-acme-0123456789abcdef"


class Told(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("_FIRST_PAUSE_S", "_UNREACHABLE_S"):
        monkeypatch.setattr(pace, name, getattr(pace, name) / 100)
    monkeypatch.setattr(todo, "_FIRST_S", 0.005)
    monkeypatch.setenv("ACME_KEY", KEY)
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.fixture
def boxscore(tmp_path, capsys):
    """The command over a spec whose two variants ask `acme` at `base_url`."""

    def command(base_url, *, name="compare", examples=12, more=(), **variant) -> Told:
        rows = [{"id": str(n), "inputs": {"n": n}, "reference": str(n)} for n in range(examples)]
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        one = {"provider": "acme", "base_url": base_url, "api_key_env": "ACME_KEY", "prompt": "{{ n }}", **variant}
        variants = {"old": {**one, "model": "acme-1"}, "new": {**one, "model": "acme-2"}}
        spec = {"dataset": "rows.jsonl", "variants": variants, "baseline": "old", "scorers": ["exact"]}
        (tmp_path / "boxscore.yaml").write_text(json.dumps(spec))
        with pytest.raises(SystemExit) as left:
            main([name, "boxscore.yaml", *more])
        return Told(left.value.code, *capsys.readouterr())

    return command


def one_sentence(told: Told, *parts: str) -> None:
    lines = [line for line in told.err.splitlines() if line.strip()]
    assert (told.code, told.out) == (4, ""), told
    assert len(lines) == 1, told.err
    assert lines[0].startswith("boxscore: variant 'old' (acme-1) got no answer in 12 trials: acme: ")
    assert lines[0][-1] in ".?"
    for part in parts:
        assert part in lines[0], lines[0]
    for never in ("Traceback", KEY, "Errno", "None"):
        assert never not in lines[0], lines[0]


@contextmanager
def listening(serve, *, tls=None) -> Iterator[int]:
    """The port of a server in a thread of its own."""
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), 0

    async def start():
        nonlocal port
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        ready.set()
        return server

    def run():
        server = loop.run_until_complete(start())
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(5)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def plain(reader, writer):
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("name", ["compare", "run"])
def test_a_wrong_key(boxscore, name):
    with FakeServer(Fault("auth", f"no such key as {KEY}")) as server:
        told = boxscore(server.base_url, name=name)

    one_sentence(told, "HTTP 401", f"acme-1 at {server.url}", "is the key right")


def test_no_key_is_said_before_anything_is_asked(boxscore, environment):
    environment.delenv("ACME_KEY")
    with FakeServer("yes") as server:
        told = boxscore(server.base_url)

    assert (told.code, server.calls) == (2, 0)
    assert "ACME_KEY is not set: export ACME_KEY=" in told.err


def test_an_unknown_host(boxscore, environment):
    def unknown(*_args, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    environment.setattr(socket, "getaddrinfo", unknown)

    one_sentence(
        boxscore("https://api.acme.invalid/v1"), "the host of https://api.acme.invalid", "is the address right"
    )


def test_nobody_at_the_address(boxscore):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        told = boxscore(f"{address}/v1")

    one_sentence(told, f"no connection to {address}", "is it up")


def test_a_certificate_that_nobody_vouches_for(boxscore):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with listening(plain, tls=context) as port:
        told = boxscore(f"https://127.0.0.1:{port}/v1")

    one_sentence(told, f"the TLS certificate of https://127.0.0.1:{port}", "SSL_CERT_FILE")


def test_tls_where_none_is_spoken(boxscore):
    with listening(plain) as port:
        told = boxscore(f"https://127.0.0.1:{port}/v1")

    one_sentence(told, f"https://127.0.0.1:{port} does not speak TLS", "is it http")


def test_no_tls_where_it_is_spoken(boxscore):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with listening(plain, tls=context) as port:
        told = boxscore(f"http://127.0.0.1:{port}/v1")

    one_sentence(told, f"http://127.0.0.1:{port}", "is it https?")


def test_something_that_speaks_no_http(boxscore):
    async def greet(reader, writer):
        writer.write(b"220 mail.acme.example ESMTP\r\n")
        await reader.read()
        writer.close()

    with listening(greet) as port:
        told = boxscore(f"http://127.0.0.1:{port}/v1")

    one_sentence(told, "does not speak HTTP", "is the address right")


CHAT = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}
MESSAGES = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "4"}]}


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("messages", CHAT),
        ("gemini", CHAT),
        ("responses", CHAT),
        ("cohere", CHAT),
        ("converse", CHAT),
        ("chat", MESSAGES),
    ],
)
def test_another_dialect_than_the_one_that_is_spoken(boxscore, environment, api, body):
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    environment.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    environment.setenv("AWS_REGION", "eu-west-1")
    with FakeServer(body) as server:
        told = boxscore(server.base_url, api=api)

    one_sentence(told, f"acme-1 at {server.url}", "the body has ", "base_url")


def test_a_path_where_nothing_is(boxscore):
    with FakeServer((404, {"detail": "Not Found"})) as server:
        told = boxscore(server.url)

    one_sentence(told, "HTTP 404", f"acme-1 at {server.url}", "are base_url and the model's name right?")


PAGE = "<!DOCTYPE html><html><body><h1>Sign in to the guest network</h1></body></html>"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_proxy_that_answers_with_a_page_of_its_own(boxscore, environment, status, stream):
    with FakeServer((status, PAGE)) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        told = boxscore("http://api.acme.example/v1", stream=stream)

    one_sentence(told, "acme-1 at http://api.acme.example", "a web page (HTML)", "right")
    assert "Sign in" not in told.err


def test_a_proxy_that_wants_a_password(boxscore, environment):
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    with listening(refuse) as port:
        environment.setenv("HTTPS_PROXY", f"http://me:hunter22@127.0.0.1:{port}")
        told = boxscore("https://api.acme.example/v1")

    one_sentence(told, f"the proxy http://127.0.0.1:{port}", "https://api.acme.example", "407", "a password")
    assert "hunter22" not in told.err


def test_a_redirect_elsewhere(boxscore):
    with FakeServer((301, {}, {"Location": "https://www.acme.example/login"})) as server:
        told = boxscore(server.base_url)

    one_sentence(told, server.url, "https://www.acme.example", "put the final address into the spec")


def test_a_provider_that_is_well_again_is_asked_again_by_the_next_run(boxscore):
    broken = True

    def script(body):
        return Fault("server") if broken else body["messages"][0]["content"]

    with FakeServer(script) as server:
        failed = boxscore(server.base_url)
        broken = False
        well = boxscore(server.base_url)

    assert failed.code == 4
    assert (well.code, well.err) == (3, ""), well
    assert "old" in well.out


def test_one_variant_that_answers_does_not_hide_another_that_does_not(boxscore):
    def script(body):
        return Fault("not_found", "no model of that name") if body["model"] == "acme-2" else "yes"

    with FakeServer(script) as server:
        told = boxscore(server.base_url)

    assert (told.code, told.out) == (4, "")
    assert "variant 'new' (acme-2) got no answer in 12 trials: acme: HTTP 404 for acme-2" in told.err
