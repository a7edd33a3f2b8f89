"""One connection: what comes in as bytes, however they are cut, and what becomes of it."""

import asyncio
import gzip
import socket
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.providers.http1 import Answer, Broken, Connection, NotHttp, TooLarge, Turns, request_bytes

HEAD = b"HTTP/1.1 200 OK\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what is written. Its socket is one end of a pair, silent as an idle connection's."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.closed = self.paused = False
        self.unsent = 0
        self.socket, self.peer = socket.socketpair()

    def write(self, data):
        self.written += data

    def abort(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False

    def get_write_buffer_size(self):
        return self.unsent

    def get_extra_info(self, name, default=None):
        return self.socket if name == "socket" else default

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.peer.close()


def connected(wire, turns=None):
    connection = Connection(turns)
    connection.connection_made(wire)
    return connection


def exchange(*pieces, closes=False, resets=False, limit=1_000_000, on_headers=None):
    """The answer, and whether the connection may be used again."""

    async def run():
        with Wire() as wire:
            connection, answer = connected(wire), Answer(limit, on_headers)
            done = connection.send(b"question", answer)
            assert wire.written == b"question"
            for piece in pieces:
                if not wire.closed:
                    connection.data_received(piece)
            if closes or resets:
                connection.connection_lost(ConnectionResetError() if resets else None)
            assert done.done(), "the answer is still waited for"
            await done
            return answer, connection.usable

    return asyncio.run(run())


def sized(body, *headers):
    lines = b"".join(line + b"\r\n" for line in headers)
    return HEAD + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(*chunks, headers=b""):
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return HEAD + headers + b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"


def test_a_body_of_a_told_length_is_whole_at_its_end_and_the_connection_stays():
    answer, usable = exchange(sized(b'{"a": 1}'))

    assert (answer.status, answer.body, usable) == (200, b'{"a": 1}', True)


def test_an_answer_may_be_cut_at_every_byte():
    whole = sized(b"four", b"X-One: 1")
    for place in range(1, len(whole)):
        answer, _ = exchange(whole[:place], whole[place:])

        assert (answer.headers["x-one"], answer.body) == ("1", b"four")
    assert exchange(*(bytes([byte]) for byte in whole))[0].body == b"four"


@given(st.lists(st.binary(min_size=1), max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_chunks_of_any_size_in_pieces_of_any_size_are_one_body(chunks, cuts):
    whole, pieces = chunked(*chunks), []
    while whole:
        cut = cuts[len(pieces) % len(cuts)]
        pieces.append(whole[:cut])
        whole = whole[cut:]

    assert exchange(*pieces)[0].body == b"".join(chunks)


def test_what_stands_beside_a_chunk_or_behind_the_last_is_no_part_of_the_body():
    answer, usable = exchange(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;name=value\r\nabc\r\n0\r\nX-Later: 1\r\n\r\n"
    )

    assert (answer.body, usable) == (b"abc", True)
    assert "x-later" not in answer.headers


def test_a_body_without_a_length_ends_with_the_connection():
    answer, usable = exchange(HEAD + b"\r\nto the", b" end", closes=True)

    assert (answer.body, usable) == (b"to the end", False)


def test_a_body_without_a_length_that_is_reset_is_not_whole():
    with pytest.raises(Broken, match="reset"):
        exchange(HEAD + b"\r\nto the", resets=True)


def test_names_of_headers_are_small_and_repeated_ones_are_joined():
    answer, _ = exchange(sized(b"", b"X-ODD-Case:  Kept As It Is ", b"Vary: a", b"vary: b"))

    assert (answer.headers["x-odd-case"], answer.headers["vary"]) == ("Kept As It Is", "a, b")


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"])
def test_what_is_said_before_the_answer_is_not_the_answer(early):
    for pieces in ((early + early + sized(b"yes"),), (early, sized(b"yes"))):
        answer, usable = exchange(*pieces)

        assert (answer.status, answer.body, "link" in answer.headers, usable) == (200, b"yes", False, True)


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"GZIP", b"deflate", b"bare deflate", b"members"])
def test_a_packed_body_is_unpacked_wherever_it_is_cut(coding):
    text = b"every change gets a verdict " * 50
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        b"deflate": zlib.compress(text),
        b"bare deflate": bare.compress(text) + bare.flush(),
        b"members": gzip.compress(text[:100]) + gzip.compress(text[100:]),
    }.get(coding, gzip.compress(text))
    told = {b"bare deflate": b"deflate", b"members": b"gzip"}.get(coding, coding)
    whole = sized(packed, b"Content-Encoding: " + told)

    assert exchange(whole)[0].body == text
    assert exchange(*(bytes([byte]) for byte in whole))[0].body == text


def test_a_small_body_that_unpacks_to_a_large_one_is_refused_before_it_is_there():
    bomb = gzip.compress(bytes(64 * 1024 * 1024), 9)
    got = []

    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        exchange(sized(bomb, b"Content-Encoding: gzip"), limit=2_000_000)
    with pytest.raises(TooLarge):
        exchange(
            sized(bomb, b"Content-Encoding: gzip"),
            limit=2_000_000,
            on_headers=lambda _: lambda piece: bool(got.append(len(piece))),
        )
    assert sum(got) <= 4_000_000


def test_a_packed_body_that_is_damaged_cut_or_packed_otherwise_says_so():
    packed = gzip.compress(b"x" * 1000)
    with pytest.raises(Broken, match="damaged"):
        exchange(sized(b"no gzip at all", b"Content-Encoding: gzip"))
    with pytest.raises(Broken, match="not whole"):
        exchange(sized(packed[:-9], b"Content-Encoding: gzip"))
    with pytest.raises(Broken, match="br, which was not asked for"):
        exchange(sized(b"?", b"Content-Encoding: br"))


def test_an_answer_larger_than_its_limit_is_refused_by_its_length_or_as_it_comes():
    with pytest.raises(TooLarge):
        exchange(HEAD + b"Content-Length: 11\r\n\r\n", limit=10)
    with pytest.raises(TooLarge):
        exchange(chunked(b"x" * 6, b"x" * 6), limit=10)
    assert exchange(sized(b"x" * 10), limit=10)[0].body == b"x" * 10


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((HEAD + b"X-Long: ", b"x"), id="one header"),
        pytest.param((HEAD, b"X-Many: x\r\n"), id="headers"),
        pytest.param((b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="early answers"),
        pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Late: ", b"x"), id="a trailer"),
        pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"), id="a chunk's size"),
    ],
)
def test_what_never_becomes_an_answer_is_given_up(endless):
    begin, more = endless
    with pytest.raises(Broken):
        exchange(begin, *(more * (60_000 // len(more)) for _ in range(10)))


@pytest.mark.parametrize(
    "garbage",
    [b"220 smtp.example ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02\x16", b"<html>hello</html>", b"HTTP/9.9 200 OK\r\n\r\n"],
)
def test_what_is_no_http_is_called_so(garbage):
    with pytest.raises(NotHttp):
        exchange(garbage)


@pytest.mark.parametrize(
    "lengths",
    [b"Content-Length: 3\r\nContent-Length: 4\r\n", b"Content-Length: -1\r\n", b"Content-Length: many\r\n"],
)
def test_a_length_that_means_nothing_is_an_error_of_the_exchange(lengths):
    with pytest.raises(Broken):
        exchange(HEAD + lengths + b"\r\nabcd", closes=True)


def test_a_change_of_protocol_that_nobody_asked_for_is_refused():
    with pytest.raises(NotHttp):
        exchange(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n\x00\x00")


@pytest.mark.parametrize(
    ("part", "began"),
    [
        (b"", False),
        (HEAD, True),
        (sized(b"four")[:-1], True),
        (chunked(b"four")[:-2], True),
        (chunked(b"f")[:-8], True),
    ],
)
def test_an_answer_that_breaks_off_is_broken_and_says_whether_any_had_come(part, began):
    with pytest.raises(Broken) as caught:
        exchange(*(part,) if part else (), closes=True)

    assert caught.value.began is began


def test_a_second_answer_to_one_question_is_not_mixed_with_the_first():
    answer, usable = exchange(
        sized(b"one", b"X-Number: 1") + b"HTTP/1.1 500 No\r\nX-Number: 2\r\nContent-Length: 0\r\n\r\n"
    )

    assert (answer.status, answer.body, answer.headers["x-number"]) == (200, b"one", "1")
    assert not usable


@pytest.mark.parametrize("last", [b"Connection: close", b"Connection: Close, X-Other"])
def test_a_server_that_wants_to_close_is_not_asked_again(last):
    assert not exchange(sized(b"bye", last))[1]


def test_http_1_0_closes_unless_it_says_otherwise():
    old = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n%s\r\nok"

    assert not exchange(old % b"")[1]
    assert exchange(old % b"Connection: keep-alive\r\n")[1]


def test_a_piece_goes_to_its_taker_at_once_and_what_that_raises_ends_the_exchange():
    pieces = []

    def take(piece):
        pieces.append(piece)
        if piece == b"bad":
            raise ZeroDivisionError
        return True

    answer, _ = exchange(chunked(b"a", b"b"), on_headers=lambda _: take)
    assert (pieces, answer.body) == ([b"a", b"b"], b"")
    with pytest.raises(ZeroDivisionError):
        exchange(chunked(b"bad", b"never"), on_headers=lambda _: take)
    assert pieces[2:] == [b"bad"]


def test_a_connection_is_not_used_again_while_it_still_sends_or_once_the_other_side_has_spoken_or_left():
    async def run(trouble):
        with Wire() as wire:
            connection = connected(wire)
            done = connection.send(b"?", Answer(100))
            connection.data_received(sized(b"ok"))
            await done
            assert connection.usable
            trouble(wire)
            return connection.usable

    assert not asyncio.run(run(lambda wire: setattr(wire, "unsent", 5)))
    assert not asyncio.run(run(lambda wire: wire.peer.close()))
    assert not asyncio.run(run(lambda wire: wire.peer.send(b"HTTP/1.1 408 Too late\r\n\r\n")))


def test_a_large_answer_waits_until_the_large_one_before_it_is_there():
    async def run():
        turns = Turns()
        with Wire() as one, Wire() as two, Wire() as three:
            connections = [connected(wire, turns) for wire in (one, two, three)]
            done = [connection.send(b"?", Answer(10_000_000)) for connection in connections]
            for connection in connections:
                connection.data_received(HEAD + b"Content-Length: 700001\r\n\r\n" + b"x" * 600_000)
            assert [wire.paused for wire in (one, two, three)] == [False, True, True]
            connections[1].fail(TimeoutError())
            connections[0].data_received(b"x" * 100_001)
            await done[0]
            assert not three.paused
            connections[2].connection_lost(None)
            small = connections[0].send(b"?", Answer(100))
            connections[0].data_received(sized(b"small"))
            await small
            for broken in (done[1], done[2]):
                assert broken.exception() is not None

    asyncio.run(run())


def test_a_header_of_ones_own_takes_the_place_of_the_usual_one_and_none_is_sent_twice():
    own = {"content-type": "a/b", "Content-Type": "c/d", "host": "inside", "user-agent": "me", "content-length": "1"}

    head, _, sent = request_bytes("/", "h", own | {"Transfer-Encoding": "chunked"}, b"body").partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]

    assert sorted(names) == sorted([b"host", b"user-agent", b"accept-encoding", b"content-length", b"content-type"])
    for line in (b"host: inside", b"user-agent: me", b"Content-Length: 4", b"Content-Type: c/d"):
        assert line in head
    assert sent == b"body"


def test_a_request_says_who_asks():
    assert b"\r\nUser-Agent: boxscore\r\n" in request_bytes("/", "h", {}, b"")


def test_a_large_answer_that_does_not_end_holds_no_other_up():
    async def run():
        turns = Turns(longest_s=0)
        with Wire() as hangs, Wire() as wire:
            connections = [connected(wire, turns) for wire in (hangs, wire)]
            done = [connection.send(b"?", Answer(10_000_000)) for connection in connections]
            for connection in connections:
                connection.data_received(HEAD + b"Content-Length: 700001\r\n\r\n" + b"x" * 600_000)
            assert wire.paused
            while wire.paused:
                await asyncio.sleep(0)
            connections[0].data_received(b"x")
            assert hangs.paused  # now it is the one that waits
            connections[1].data_received(b"x" * 100_001)
            await done[1]
            assert not hangs.paused
            connections[0].data_received(b"x" * 100_000)
            await done[0]

    asyncio.run(asyncio.wait_for(run(), 5))


def test_a_request_has_its_length_and_host_and_a_header_cannot_end_before_its_time():
    sent = request_bytes("/v1/x", "h:1", {"X-Key": "k"}, b"body")

    assert sent.startswith(b"POST /v1/x HTTP/1.1\r\nHost: h:1\r\n")
    head, _, body = sent.partition(b"\r\n\r\n")
    assert {b"Content-Length: 4", b"X-Key: k"} <= set(head.split(b"\r\n"))
    assert body == b"body"
    for name, value in (
        ("X", "a\r\nEvil: 1"),
        ("X", "a\nb"),
        ("X", "a\0"),
        ("X: 1\r\nY", "a"),
        ("", "a"),
        ("X", "“k”"),
    ):
        with pytest.raises(ValueError, match="header"):
            request_bytes("/", "h", {name: value}, b"")
