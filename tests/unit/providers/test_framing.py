"""Streams are cut into the same events, wherever their bytes were cut on the way."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.errors import ProviderError
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.framing import DONE, JsonLines, ServerSentEvents, decoder

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.none() | st.from_regex(r"[a-z_.]{1,12}", fullmatch=True)
NOISE = st.sampled_from(["", ": kept alive", "id: 7", "retry: 100", "unknown: x", "id"])


def decoded(raw: bytes, cuts: tuple[int, ...] = (), framing: Framing = "sse") -> list[Event]:
    cutter = decoder(framing, provider="acme")
    places = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    pieces = [raw[a:b] for a, b in pairwise(places)]
    return [event for piece in pieces for event in cutter.feed(piece)] + cutter.close()


@given(
    events=st.lists(st.tuples(NAMES, JSON, st.booleans(), NOISE, ENDS), max_size=5),
    bom=st.booleans(),
    space=st.booleans(),
    cuts=st.lists(st.integers(0, 600), max_size=8),
)
def test_any_events_in_any_line_ends_and_pieces_are_those_events(
    events: list[tuple[str | None, object, bool, str, str]], bom: bool, space: bool, cuts: list[int]
) -> None:
    text = ""
    for name, data, indented, noise, end in events:
        lines = [f"event:{' ' * space}{name}"] if name else []
        lines += [noise] if noise else []
        body = json.dumps(data, ensure_ascii=False, indent=1 if indented else None)
        # A lone \r inside would be a line's end: JSON may not hold one unescaped, and neither do we write one.
        lines += [f"data:{' ' * space}{line}" for line in body.split("\n")]
        text += end.join(lines) + end + end
    raw = (b"\xef\xbb\xbf" if bom else b"") + text.encode("utf-8", "surrogatepass")

    assert decoded(raw, tuple(cuts)) == [Event(name, data) for name, data, *_ in events]


@given(
    documents=st.lists(JSON, max_size=6), end=st.sampled_from(["\n", "\r\n", "\n\n"]), last=st.booleans(), at=st.data()
)
def test_any_documents_line_by_line_are_those_documents(
    documents: list[object], end: str, last: bool, at: st.DataObject
) -> None:
    text = end.join(json.dumps(document) for document in documents) + (end if last else "")
    cuts = at.draw(st.lists(st.integers(0, len(text)), max_size=6))

    assert decoded(text.encode(), tuple(cuts), "lines") == [Event(None, document) for document in documents]


def test_a_character_may_be_cut_in_two() -> None:
    raw = 'data: {"text": "naïve 🐙"}\n\n'.encode()

    for cut in range(len(raw)):
        assert decoded(raw, (cut,)) == [Event(None, {"text": "naïve 🐙"})]


def test_a_line_end_may_be_cut_in_two() -> None:
    raw = b'event: a\r\ndata: {"text":\r\ndata: 1}\r\n\r\ndata: 2\r\n\r\n'

    for cut in range(len(raw)):
        assert decoded(raw, (cut,)) == [Event("a", {"text": 1}), Event(None, 2)]


def test_lines_of_one_event_are_joined_by_a_line_end() -> None:
    with pytest.raises(ProviderError, match="no JSON"):
        decoded(b"data: 1\ndata: 2\n\n")


def test_done_is_an_event_of_its_own() -> None:
    assert decoded(b"data: 1\n\ndata: [DONE]\n\n") == [Event(None, 1), DONE]


def test_half_a_surrogate_pair_comes_through_as_models_send_it() -> None:
    assert decoded(b'data: {"text": "\\ud83d"}\n\n') == [Event(None, {"text": "\ud83d"})]


def test_events_without_data_are_none_and_their_name_is_forgotten() -> None:
    assert decoded(b"event: ping\n\ndata: 1\n\n") == [Event(None, 1)]


def test_the_last_event_counts_without_an_empty_line_behind_it() -> None:
    assert decoded(b"data: 1\n\ndata: 2") == [Event(None, 1), Event(None, 2)]


@pytest.mark.parametrize("framing", ["sse", "lines"])
def test_an_event_that_broke_off_is_left_out_and_no_bad_answer(framing: Framing) -> None:
    raw = b'{"a": 1}\n{"a": ' if framing == "lines" else b'data: {"a": 1}\n\ndata: {"a": '

    assert decoded(raw, framing=framing) == [Event(None, {"a": 1})]


@pytest.mark.parametrize("framing", ["sse", "lines"])
def test_what_is_no_json_is_a_bad_answer_that_shows_its_beginning_without_secrets(framing: Framing) -> None:
    raw = b"data: <p>sk-live-0123456789abcdefghij</p>\n\n"

    with pytest.raises(ProviderError, match=r"no JSON: '.*<p>\[secret\]") as caught:
        decoded(raw, framing=framing)

    assert (caught.value.kind, caught.value.provider) == ("bad_answer", "acme")


def test_an_event_without_end_is_given_up_at_its_limit() -> None:
    for cutter in (ServerSentEvents(provider="acme", largest=100), JsonLines(provider="acme", largest=100)):
        cutter.feed(b"data: " + b"x" * 90)
        with pytest.raises(ProviderError, match="larger than") as caught:
            cutter.feed(b"x" * 90)

        assert caught.value.kind == "bad_answer"


def test_an_event_of_many_lines_is_given_up_at_its_limit() -> None:
    with pytest.raises(ProviderError, match="larger than"):
        ServerSentEvents(provider="acme", largest=100).feed(b"data: 1\n" * 100)


def test_a_long_line_in_small_pieces_costs_no_more_than_its_length() -> None:
    """Were what has come copied with each piece, this would be 250 GB of copying."""
    cutter = ServerSentEvents(provider="acme")
    cutter.feed(b'data: "')
    for _ in range(500_000):
        cutter.feed(b"a")

    assert cutter.feed(b'"\n\n') == [Event(None, "a" * 500_000)]
