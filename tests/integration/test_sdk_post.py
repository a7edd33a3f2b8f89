"""How the SDK speaks to its server: TLS, proxies, connections that are kept, encodings."""

import gzip
import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme
from receiver import Receiver

from boxscore.sdk.parcel import Parcel
from boxscore.sdk.post import Outcome, Post, Target

EMPTY = Parcel("spans", 1, 0, b"")


def target(url: str, **more: object) -> Target:
    return Target(spans_url=f"{url}/v1/traces", scores_url=f"{url}/api/v1/scores", **more)  # pyright: ignore[reportArgumentType]


def send(to: Target, parcel: Parcel = EMPTY) -> Outcome:
    with closing(Post(to)) as post:
        return post(parcel)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_a_certificate_is_verified(tmp_path: Path, receiver: Receiver) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    receiver._server.socket = context.wrap_socket(receiver._server.socket, server_side=True)  # pyright: ignore[reportPrivateUsage]
    url = receiver.url.replace("http://127.0.0.1", "https://localhost")

    trusted = send(target(url, certificate=str(tmp_path / "ca.pem")))
    unknown = send(target(url))
    other_name = send(target(url.replace("localhost", "127.0.0.1"), certificate=str(tmp_path / "ca.pem")))

    assert trusted.kind == "taken", trusted.why
    assert unknown.kind == "later"
    assert "certificate" in unknown.why.lower()
    assert other_name.kind == "later"


def test_a_connection_is_kept_and_made_again_when_the_other_side_closed_it(receiver: Receiver) -> None:
    with closing(Post(target(receiver.url))) as post:
        assert post(EMPTY).kind == "taken"
        kept = post._connection  # pyright: ignore[reportPrivateUsage]
        assert post(EMPTY).kind == "taken"
        assert post._connection is kept  # pyright: ignore[reportPrivateUsage]
        assert kept is not None
        assert kept.sock is not None
        kept.sock.shutdown(2)

        assert post(EMPTY).kind == "taken"
    assert receiver.requests == 3


def test_a_body_is_compressed_on_demand_and_headers_go_along() -> None:
    with Receiver("refuse") as receiver:
        to = target(receiver.url, compress=True, headers=(("authorization", "Bearer k"),))
        send(to, Parcel("spans", 1, 0, b"a" * 99))

    (headers,) = receiver.headers
    assert (headers["content-encoding"], headers["authorization"]) == ("gzip", "Bearer k")
    assert int(headers["content-length"]) == len(gzip.compress(b"a" * 99, 1))
    assert headers["content-type"] == "application/x-protobuf"


def test_a_redirect_is_not_followed() -> None:
    with Receiver("elsewhere") as receiver:
        outcome = send(target(receiver.url))

    assert (outcome.kind, outcome.why) == ("refused", "HTTP 307")


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_the_whole_exchange_has_one_deadline(mode: str) -> None:
    with Receiver(mode) as receiver:
        began = time.monotonic()
        outcome = send(target(receiver.url, timeout_s=0.3))
        took = time.monotonic() - began

    assert outcome.kind == "later"
    assert took < 3


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.path} {self.headers['Proxy-Authorization']}")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_CONNECT(self) -> None:
            asked.append(f"CONNECT {self.path}")
            self.send_error(403)

        def log_message(self, format: str, *_: object) -> None:
            pass

    proxy = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("HTTP_PROXY", f"http://me:pw@127.0.0.1:{proxy.server_address[1]}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")

    plain = send(target("http://boxscore.example"))
    secret = send(target("https://boxscore.example"))
    proxy.shutdown()
    proxy.server_close()

    assert (plain.kind, secret.kind) == ("taken", "later")
    assert asked == ["http://boxscore.example/v1/traces Basic bWU6cHc=", "CONNECT boxscore.example:443"]
