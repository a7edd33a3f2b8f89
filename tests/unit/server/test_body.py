"""A body is the same however it is cut, and never more than its cap."""

import asyncio
import gzip
import itertools
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.errors import BusyError, RequestError
from boxscore.server.body import Event, GoneError, Scope, read_body
from boxscore.server.limits import Budget

MOST = 10_000


def read(parts: Sequence[bytes], encoding: str = "", *, length: int | None = None, room: int = 10**9) -> bytes:
    headers = [(b"content-encoding", encoding.encode())] if encoding else []
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    events = [Event(type="http.request", body=part, more_body=True) for part in parts]
    events.append(Event(type="http.request", body=b"", more_body=False))
    budget = Budget(room, "bodies")

    async def receive() -> Event:
        return events.pop(0)

    scope = Scope(type="http", method="POST", path="/", query_string=b"", headers=headers)
    try:
        return asyncio.run(read_body(scope, receive, most=MOST, budget=budget))
    finally:
        assert budget.used == 0


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


@given(st.binary(max_size=MOST), st.lists(st.integers(0, 10**6), max_size=6), st.sampled_from(["", "gzip", "deflate"]))
def test_a_body_is_the_same_however_it_is_cut(body: bytes, places: list[int], encoding: str) -> None:
    sent = {"": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[encoding]

    assert read(cut(sent, places), encoding) == body


def test_gzip_members_follow_one_another() -> None:
    assert read([gzip.compress(b"one ") + gzip.compress(b"two")], "gzip") == b"one two"


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
@pytest.mark.parametrize("over", [0, 1, 10**7])
def test_the_cap_is_exact(encoding: str, over: int) -> None:
    body = bytes(MOST + over)
    sent = {"": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[encoding]
    if over == 0:
        assert read([sent], encoding) == body
        return
    with pytest.raises(RequestError) as refused:
        read([sent], encoding)

    assert refused.value.kind == "too_large"


def test_a_length_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(RequestError) as refused:
        read([], length=MOST + 1)

    assert refused.value.kind == "too_large"


@pytest.mark.parametrize(
    ("sent", "encoding", "kind"),
    [
        (b"plain", "gzip", "encoding"),
        (gzip.compress(b"cut" * 99)[:-9], "gzip", "encoding"),
        (gzip.compress(b"and") + b"more", "gzip", "encoding"),
        (b"", "gzip", "encoding"),
        (b"x", "br", "media_type"),
        (b"x", "gzip, gzip", "media_type"),
    ],
    ids=["plain", "cut", "with a tail", "empty", "brotli", "twice"],
)
def test_what_is_not_as_it_says_is_refused(sent: bytes, encoding: str, kind: str) -> None:
    with pytest.raises(RequestError) as refused:
        read([sent], encoding)

    assert refused.value.kind == kind


def test_bodies_together_have_a_cap_of_their_own() -> None:
    with pytest.raises(BusyError) as refused:
        read([b"x" * 60, b"x" * 60], room=100)

    assert refused.value.retry_after_s == 1


def test_a_client_that_leaves_leaves_nothing_behind() -> None:
    budget = Budget(1000, "bodies")
    events = [Event(type="http.request", body=b"half", more_body=True), Event(type="http.disconnect")]

    async def receive() -> Event:
        return events.pop(0)

    scope = Scope(type="http", method="POST", path="/", query_string=b"", headers=[])
    with pytest.raises(GoneError):
        asyncio.run(read_body(scope, receive, most=MOST, budget=budget))

    assert budget.used == 0
