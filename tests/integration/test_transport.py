"""The way out, against real sockets on this machine."""

import asyncio
import contextlib
import gc
import socket
import ssl
import threading
import time
from base64 import b64encode

import pytest
import trustme

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.transport import HttpTransport, Limits, check_url
from boxscore.testing import FakeServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PROXIED = "api.boxscore.test"
"""A host that only the proxy of a test knows: its name is never looked up here."""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, environment):
    """From here on the tests' own authority is trusted."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    environment.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


def certificate(authority, *names):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


class Server:
    """A script on a port of its own: `answer(reader, writer)` for each request, until it returns False."""

    def __init__(self, answer, *, tls=None, host="127.0.0.1"):
        self._answer = answer
        self._tls = tls
        self._host = host
        self.connections = 0
        self.left = asyncio.Event()
        self.requests = []
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.place = f"{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}"
        self.url = f"{'https' if self._tls else 'http'}://{self.place}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # so that what was aborted is gone before the loop is

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        try:
            await self._talk(reader, writer)
        finally:
            self.left.set()
            if not self._server.is_serving():
                writer.transport.abort()

    async def _talk(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while request := await self._request(reader):
                self.requests.append(request)
                if await self._answer(request, reader, writer) is False:
                    break
        writer.close()

    async def _request(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        return head + await reader.readexactly(length)


def saying(*parts, close=False):
    """An answer in pieces, the same to every request."""

    async def answer(_request, _reader, writer):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        return not close

    return answer


async def silence(_request, reader, _writer):
    await reader.read()
    return False


async def posted(transport, url, *, headers=None, on_chunk=None, body=b"{}"):
    return await transport.post(url, body, headers=headers or {}, name="acme", on_chunk=on_chunk)


async def failed(url, *, limits=None, **options) -> ProviderError:
    transport = HttpTransport(limits)
    with pytest.raises(ProviderError) as caught:
        await posted(transport, url, **options)
    await transport.close()
    return caught.value


def failure(url, **options) -> ProviderError:
    """How a post to `url` ends."""
    return asyncio.run(failed(url, **options))


def failure_at(answer, *, tls=None, **options) -> ProviderError:
    """How a post to a server of that script ends."""

    async def run():
        async with Server(answer, tls=tls) as server:
            return await failed(server.url, **options)

    return asyncio.run(run())


def test_a_connection_is_used_again_and_every_call_has_one_of_its_own():
    async def run():
        transport = HttpTransport()
        async with Server(saying(OK)) as server:
            for _ in range(5):
                assert (await posted(transport, server.url)).body == b"ok"
            assert server.connections == 1
            await asyncio.gather(*(posted(transport, server.url) for _ in range(4)))
            assert 1 < server.connections <= 4
            await transport.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "last", [OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"HTTP/1.1 200 OK\r\n\r\nok", OK]
)
def test_a_connection_that_the_server_closed_is_replaced_by_a_new_one(last):
    async def run():
        transport = HttpTransport()
        async with Server(saying(last, close=True)) as server:
            for _ in range(3):
                assert (await posted(transport, server.url)).body == b"ok"
            assert server.connections == 3
            await transport.close()

    asyncio.run(run())


@pytest.mark.parametrize("idle", ["seen by the loop", "not seen by the loop"])
def test_a_connection_that_the_server_closed_while_it_was_idle_is_replaced(idle):
    accepted = []

    def serve(listening):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listening.accept()
                accepted.append(peer)
                peer.recv(65_536)
                peer.sendall(OK)
                time.sleep(0.02)
                peer.close()

    async def run(url):
        transport = HttpTransport()
        for _ in range(3):
            assert (await posted(transport, url)).body == b"ok"
            if idle == "seen by the loop":
                await asyncio.sleep(0.06)
            else:
                time.sleep(0.06)  # as scoring may do
        await transport.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        asyncio.run(run(f"http://127.0.0.1:{listening.getsockname()[1]}"))
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)

    assert len(accepted) == 3


def test_an_answer_that_comes_before_the_request_is_read_counts_and_ends_the_connection():
    async def run():
        transport = HttpTransport()
        early = asyncio.Event()

        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n")
            await early.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for _ in range(2):
            assert (await posted(transport, url, body=bytes(30_000_000))).status == 413
        early.set()
        await transport.close()
        server.close()
        await asyncio.sleep(0.01)

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("closes", [True, False])
def test_many_event_loops_may_use_one_transport_one_after_another(closes):
    transport = HttpTransport()

    async def run():
        async with Server(saying(OK)) as server:
            for _ in range(2):
                assert (await posted(transport, server.url)).body == b"ok"
            if closes:
                await transport.close()
        return server.connections

    assert [asyncio.run(run()) for _ in range(3)] == [1, 1, 1]
    gc.collect()


def test_two_threads_may_use_one_transport_at_the_same_time():
    transport, statuses = HttpTransport(), []

    async def run(url):
        for _ in range(20):
            statuses.append((await posted(transport, f"{url}/chat/completions")).status)
        await transport.close()

    with FakeServer("ok") as server:
        threads = [threading.Thread(target=asyncio.run, args=(run(server.base_url),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    assert statuses == [200] * 40


def test_a_host_may_be_an_ipv6_address():
    async def run():
        transport = HttpTransport()
        async with Server(saying(OK), host="::1") as server:
            await posted(transport, f"{server.url}/v1")
            await transport.close()
        return server.requests[0], server.port

    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    request, port = asyncio.run(run())

    assert f"Host: [::1]:{port}\r\n".encode() in request


def test_who_does_not_listen_is_named_with_the_reason():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        error = failure(f"http://127.0.0.1:{port}/v1")

    assert (error.kind, error.provider) == ("connect", "acme")
    assert f"no connection to http://127.0.0.1:{port}: Connection refused; is it up" in str(error)


def test_an_unknown_host_is_named(environment):
    def unknown(*_args, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    environment.setattr(socket, "getaddrinfo", unknown)

    error = failure("https://api.boxscore.invalid/v1")

    assert error.kind == "connect"
    assert "the host of https://api.boxscore.invalid is not known; is the address right" in str(error)


def test_a_connection_that_does_not_come_is_given_up():
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())

        error = failure(f"http://127.0.0.1:{full.getsockname()[1]}", limits=Limits(connect_s=0.1))

    assert error.kind == "connect"
    assert "after 0.1 s" in str(error)


def test_a_name_that_is_not_found_in_time_is_given_up(environment):
    environment.setattr(socket, "getaddrinfo", lambda *_args, **_options: time.sleep(0.3))

    error = failure("http://slow.boxscore.invalid", limits=Limits(connect_s=0.05))

    assert (error.kind, "after 0.05 s" in str(error)) == ("connect", True)


def test_tls_towards_a_plain_port_says_so():
    async def greeted(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run():
        async with await asyncio.start_server(greeted, "127.0.0.1", 0) as server:
            return await failed(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    error = asyncio.run(run())

    assert error.kind == "connect"
    assert "does not speak TLS" in str(error)
    assert "is it http" in str(error)


def test_plain_http_towards_a_tls_port_says_so(authority):
    async def run():
        async with Server(saying(OK), tls=certificate(authority, "127.0.0.1")) as server:
            return await failed(server.url.replace("https", "http"))

    error = asyncio.run(run())

    assert error.kind in ("bad_answer", "cut")
    assert "is it https?" in str(error)


def test_a_certificate_of_an_unknown_authority_is_not_accepted(authority):
    error = failure_at(saying(OK), tls=certificate(authority, "127.0.0.1"))

    assert error.kind == "connect"
    assert "the TLS certificate of https://127.0.0.1:" in str(error)
    assert "SSL_CERT_FILE" in str(error)


@pytest.mark.usefixtures("trusted")
def test_an_authority_that_ssl_cert_file_names_is_trusted_but_not_for_another_name(authority):
    async def run():
        transport = HttpTransport()
        async with Server(saying(OK), tls=certificate(authority, "127.0.0.1")) as server:
            for _ in range(2):
                assert (await posted(transport, server.url)).body == b"ok"
            assert server.connections == 1
            await transport.close()

    asyncio.run(run())
    error = failure_at(saying(OK), tls=certificate(authority, "other.example"))

    assert error.kind == "connect"
    assert "127.0.0.1" in str(error)


@pytest.mark.parametrize("stream", [False, True])
def test_silence_before_the_headers_ends_at_its_limit(stream):
    limits = Limits(first_token_s=0.05, total_s=5) if stream else Limits(total_s=0.05)
    error = failure_at(silence, limits=limits, on_chunk=(lambda _: True) if stream else None)

    assert error.kind == "timeout"
    assert ("first_token_s" if stream else "timeout_s") in str(error)


def test_a_stream_that_begins_and_says_nothing_ends_at_the_limit_of_its_first_token():
    parts = [b"5\r\n: ok\n\r\n"] * 3

    async def answer(request, reader, writer):
        await saying(STREAM, *parts)(request, reader, writer)
        return await silence(request, reader, writer)

    error = failure_at(answer, limits=Limits(first_token_s=0.05, total_s=5), on_chunk=lambda _: False)

    assert (error.kind, "no first token" in str(error)) == ("timeout", True)


def test_a_stream_that_goes_on_for_ever_ends_at_the_limit_of_the_whole():
    async def drip(_request, _reader, writer):
        writer.write(STREAM)
        while not writer.is_closing():
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.01)
        return False

    told = []
    error = failure_at(
        drip,
        limits=Limits(first_token_s=0.05, total_s=0.2),
        on_chunk=lambda chunk: not told.append(chunk),
    )

    assert (error.kind, "timeout_s" in str(error)) == ("timeout", True)
    assert told


def test_a_whole_answer_where_a_stream_was_asked_for_has_no_first_token_to_wait_for():
    async def answer(_request, _reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
        await asyncio.sleep(0.15)
        writer.write(b"}")

    async def run():
        async with Server(answer) as server:
            return await posted(
                HttpTransport(Limits(first_token_s=0.05)), server.url, on_chunk=lambda _: pytest.fail("no stream")
            )

    reply = asyncio.run(run())

    assert (reply.body, reply.streamed, reply.first_token_s) == (b"{}", False, None)


def test_a_stream_goes_to_its_taker_piece_by_piece_with_the_time_of_the_first_token():
    pieces = []

    async def run():
        async with Server(saying(STREAM, b"2\r\nab\r\n", b"2\r\ncd\r\n0\r\n\r\n")) as server:
            return await posted(
                HttpTransport(), server.url, on_chunk=lambda piece: not pieces.append(piece) and piece == b"cd"
            )

    reply = asyncio.run(run())

    assert (pieces, reply.streamed, reply.body) == ([b"ab", b"cd"], True, b"")
    assert 0 < reply.first_token_s <= reply.wall_s


@pytest.mark.parametrize("begun", [b"", STREAM + b"2\r\nab\r\n"])
def test_a_call_that_is_cancelled_closes_its_connection_at_once(begun):
    async def answer(request, reader, writer):
        writer.write(begun)
        return await silence(request, reader, writer)

    async def run():
        async with Server(answer) as server:
            call = asyncio.create_task(posted(HttpTransport(), server.url, on_chunk=lambda _: True))
            while not server.requests:
                await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.wait_for(server.left.wait(), 1.0)
            assert (await asyncio.gather(call, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    asyncio.run(run())


def test_what_breaks_off_says_whether_any_had_come():
    silent = failure_at(saying(close=True))
    begun = failure_at(saying(OK[:-1], close=True))

    assert (silent.kind, begun.kind) == ("cut", "cut")
    assert "did not answer" in str(silent)
    assert "broke off" in str(begun)


def test_an_answer_too_large_is_named_and_not_read():
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
    error = failure_at(saying(large))

    assert error.kind == "bad_answer"
    assert "more than 16 MB" in str(error)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("tls", [False, True])
def test_large_answers_at_once_are_all_read_though_one_after_another(authority, tls):
    body = bytes(range(256)) * 8192
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    async def run():
        transport = HttpTransport(Limits(total_s=20))
        async with Server(saying(whole), tls=certificate(authority, "127.0.0.1") if tls else None) as server:
            for _ in range(2):
                replies = await asyncio.gather(*(posted(transport, server.url) for _ in range(12)))
                assert all(reply.body == body for reply in replies)
            assert server.connections == 12
            await transport.close()

    asyncio.run(run())


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb"])
def test_a_header_cannot_bring_another_one(value):
    error = failure("http://127.0.0.1:9", headers={"X-Key": value})

    assert error.kind == "refused"
    assert "X-Key" in str(error)


@pytest.mark.parametrize(
    "broken",
    ["ftp://h", "h/v1", "http://", "http://h:port", "http://h:99999", "http://[::1", "http://a..b", "http://a b"],
)
def test_what_is_no_address_is_refused_before_the_first_call(broken):
    with pytest.raises(SpecError, match="is no address") as caught:
        check_url(broken, key="base_url")
    assert caught.value.key == "base_url"


class Proxy(Server):
    """Lets calls through to `upstream`, whatever host they name, when they bring the password."""

    def __init__(self, upstream, *, pair=None, refusal=None, tls=None):
        super().__init__(self._pass_on, tls=tls)
        self._upstream = upstream
        self._wanted = pair and b"Proxy-Authorization: Basic " + b64encode(pair)
        self._refusal = refusal

    async def _pass_on(self, request, reader, writer):
        if self._refusal is not None:
            writer.write(self._refusal)
            return False
        if self._wanted and self._wanted not in request:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno")
            return False
        far, back = await asyncio.open_connection("127.0.0.1", self._upstream.port)
        if request.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            back.write(request)
        try:
            await asyncio.gather(self._copy(reader, back), self._copy(far, writer))
        finally:
            back.transport.abort()
        return False

    async def _copy(self, source, sink):
        while data := await source.read(65_536):
            sink.write(data)
        sink.close()


def through_proxy(environment, url, upstream, *, pair=None, given=b"", refusal=None, times=1, tls=None):
    """The replies, the proxy's requests and the upstream's."""

    async def run():
        transport = HttpTransport(Limits(connect_s=5))
        async with upstream as far, Proxy(far, pair=pair, refusal=refusal, tls=tls) as proxy:
            there = f"{'https' if tls else 'http'}://{given.decode()}{'@' if given else ''}{proxy.place}"
            environment.setenv("HTTP_PROXY", there)
            environment.setenv("HTTPS_PROXY", there)
            try:
                for _ in range(times):
                    reply = await posted(transport, url)
            finally:
                await transport.close()
            return reply, proxy.requests, far.requests

    return asyncio.run(run())


@pytest.mark.parametrize("pair", [None, b"me:p@ss"])
def test_a_plain_address_is_asked_for_in_full_at_the_proxy(environment, pair):
    reply, asked, _ = through_proxy(
        environment, f"http://{PROXIED}/v1?a=1", Server(saying(OK)), pair=pair, given=b"me:p%40ss" if pair else b""
    )

    assert reply.body == b"ok"
    assert asked[0].startswith(f"POST http://{PROXIED}:80/v1?a=1 HTTP/1.1\r\nHost: {PROXIED}\r\n".encode())


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("pair", [None, b"me:p@ss"])
def test_tls_goes_through_the_proxy_which_sees_neither_request_nor_key(environment, authority, pair):
    upstream = Server(saying(OK), tls=certificate(authority, PROXIED))
    reply, asked, far = through_proxy(
        environment, f"https://{PROXIED}/v1", upstream, pair=pair, given=b"me:p%40ss" if pair else b"", times=3
    )

    assert reply.body == b"ok"
    assert [request.split(b"\r\n")[0] for request in asked] == [f"CONNECT {PROXIED}:443 HTTP/1.1".encode()]
    assert len(far) == 3
    assert all(request.startswith(b"POST /v1 HTTP/1.1") and b"Proxy-" not in request for request in far)


@pytest.mark.usefixtures("trusted")
def test_a_proxy_may_be_reached_by_tls_itself(environment, authority):
    upstream = Server(saying(OK), tls=certificate(authority, PROXIED))
    reply, asked, far = through_proxy(
        environment, f"https://{PROXIED}/v1", upstream, tls=certificate(authority, "127.0.0.1"), times=2
    )

    assert (reply.body, len(asked), len(far)) == (b"ok", 1, 2)


PAGE = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\n\r\n<html>Who are you?</html>"


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (None, "HTTP 407; put a name and a password into the address"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "HTTP 403; may it be reached from here?"),
        (PAGE % b"502 Bad Gateway", "HTTP 502"),
        (PAGE % b"200 OK", "HTTPS_PROXY"),
        (b"220 smtp ready\r\n", "does not speak HTTP"),
        (b"", "the connection was closed; HTTPS_PROXY or HTTP_PROXY names it"),
    ],
)
def test_a_proxy_that_does_not_let_us_through_is_named_without_its_password(environment, authority, refusal, said):
    upstream = Server(saying(OK), tls=certificate(authority, PROXIED))
    with pytest.raises(ProviderError) as caught:
        through_proxy(
            environment,
            f"https://{PROXIED}",
            upstream,
            pair=b"other:one",
            given=b"me:hunter22",
            refusal=refusal,
        )

    assert caught.value.kind == "connect"
    assert said in str(caught.value)
    assert "the proxy http://127.0.0.1:" in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_named_and_not_the_provider(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{taken.getsockname()[1]}")
        error = failure(f"https://{PROXIED}")

    assert "no connection to the proxy http://127.0.0.1:" in str(error)
    assert "NO_PROXY" in str(error)


def test_this_machine_is_reached_past_the_proxy(environment):
    async def run():
        async with Server(saying(OK)) as server, Proxy(server) as proxy:
            environment.setenv("HTTP_PROXY", proxy.url)
            reply = await posted(HttpTransport(), server.url)
            return reply.body, proxy.connections

    assert asyncio.run(run()) == (b"ok", 0)
