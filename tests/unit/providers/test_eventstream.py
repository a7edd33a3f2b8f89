"""Amazon's event streams are decoded as Amazon's own decoder does, wherever the bytes are cut."""

import json
import struct
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import ProviderError
from boxscore.providers.dialects.dialect import Event
from boxscore.providers.dialects.eventstream import EventStreamDecoder

# What Amazon's decoder makes of a header tells nothing of its type, so each value goes with its type's number.
headers = st.dictionaries(
    st.text(min_size=1, max_size=20).filter(lambda name: len(name.encode()) < 128),
    st.one_of(
        st.booleans().map(lambda value: (0 if value else 1, value)),
        st.integers(-(2**7), 2**7 - 1).map(lambda value: (2, value)),
        st.integers(-(2**15), 2**15 - 1).map(lambda value: (3, value)),
        st.integers(-(2**31), 2**31 - 1).map(lambda value: (4, value)),
        st.integers(-(2**63), 2**63 - 1).map(lambda value: (5, value)),
        st.binary(max_size=40).map(lambda value: (6, value)),
        st.text(max_size=40).map(lambda value: (7, value)),
        st.integers(0, 2**41).map(lambda value: (8, value)),
        st.binary(min_size=16, max_size=16).map(lambda value: (9, value)),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(messages=st.lists(st.tuples(headers, st.binary(max_size=200)), max_size=4), size=st.integers(1, 64))
def test_messages_are_those_of_amazons_own_decoder(messages: list[tuple[Any, bytes]], size: int) -> None:
    data = b"".join(_message(*message) for message in messages)
    peer = EventStreamBuffer()
    peer.add_data(data)
    due = [(message.headers, message.payload) for message in peer]

    ours = EventStreamDecoder()
    got = [message for at in range(0, len(data), size) for message in ours.messages(data[at : at + size])]

    assert [(_as_amazons(message.headers), message.payload) for message in got] == [
        (_as_amazons(headers), payload) for headers, payload in due
    ]
    assert [message.headers for message in got] == [
        {name: value for name, (_, value) in written.items()} for written, _ in messages
    ]


def test_an_event_has_the_name_and_the_json_of_its_message() -> None:
    data = _event("contentBlockDelta", {"delta": {"text": "Hi"}, "contentBlockIndex": 0})

    assert EventStreamDecoder().feed(data) == [
        Event("contentBlockDelta", {"delta": {"text": "Hi"}, "contentBlockIndex": 0})
    ]


def test_exceptions_and_errors_are_events_of_their_own_names() -> None:
    exception = {":message-type": (7, "exception"), ":exception-type": (7, "throttlingException")}
    error = {":message-type": (7, "error"), ":error-code": (7, "InternalFailure"), ":error-message": (7, "sorry")}
    data = _message(exception, b'{"message":"slow down"}') + _message(error, b"")

    assert EventStreamDecoder().feed(data) == [
        Event("throttlingException", {"message": "slow down"}),
        Event("error", {"code": "InternalFailure", "message": "sorry"}),
    ]


@settings(deadline=None)
@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, flip: int) -> None:
    data = bytearray(_event("contentBlockDelta", {"delta": {"text": "some text of an answer"}}))
    data[at % len(data)] ^= flip

    with pytest.raises(ProviderError) as caught:
        EventStreamDecoder(provider="bedrock").feed(bytes(data))

    assert caught.value.kind == "bad_answer"
    assert caught.value.provider == "bedrock"


@pytest.mark.parametrize("page", [b"<html><body>Login</body></html>", b'{"message": "no"} and more'])
def test_an_answer_that_is_no_event_stream_is_named(page: bytes) -> None:
    with pytest.raises(ProviderError, match=r"bedrock: the answer is no readable event stream.*base_url") as caught:
        EventStreamDecoder(provider="bedrock").feed(page)

    assert caught.value.kind == "bad_answer"


def test_a_message_that_announces_too_much_is_refused_before_it_is_stored() -> None:
    lengths = struct.pack(">II", 2**31, 0)

    with pytest.raises(ProviderError, match="a message of 2147483648 bytes is announced, 25165824 at most are read"):
        EventStreamDecoder().feed(lengths + struct.pack(">I", zlib.crc32(lengths)))


@pytest.mark.parametrize(
    "broken",
    [
        b"\x01a\x63",
        b"\x05ab",
        b"\x01a\x07\x00\x09x",
        b"\x01a\x06\x00\x09x",
        b"\x01a\x04\x00",
        b"\x01a\x09\x00",
        b"\x01a",
    ],
)
def test_headers_that_end_too_early_or_have_an_unknown_type_are_refused(broken: bytes) -> None:
    with pytest.raises(ProviderError, match="header") as caught:
        EventStreamDecoder().feed(_framed(broken, b"{}"))

    assert caught.value.kind == "bad_answer"


def test_a_payload_that_is_no_json_is_refused() -> None:
    with pytest.raises(ProviderError, match="no JSON"):
        EventStreamDecoder().feed(_message({":event-type": (7, "metadata")}, b"{not"))


def test_what_broke_off_is_no_event() -> None:
    decoder = EventStreamDecoder()

    assert decoder.feed(_event("messageStop", {"stopReason": "end_turn"})[:-1]) == []
    assert decoder.close() == []


def _event(name: str, data: object) -> bytes:
    return _message({":message-type": (7, "event"), ":event-type": (7, name)}, json.dumps(data).encode())


def _message(headers: dict[str, tuple[int, Any]], payload: bytes) -> bytes:
    written = b"".join(
        bytes([len(name.encode())]) + name.encode() + bytes([kind]) + _value(kind, value)
        for name, (kind, value) in headers.items()
    )
    return _framed(written, payload)


def _framed(headers: bytes, payload: bytes) -> bytes:
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _value(kind: int, value: Any) -> bytes:
    match kind:
        case 0 | 1:
            return b""
        case 6:
            return struct.pack(">H", len(value)) + value
        case 7:
            return struct.pack(">H", len(value.encode())) + value.encode()
        case 9:
            return value
        case _:
            return struct.pack({2: ">b", 3: ">h", 4: ">i", 5: ">q", 8: ">q"}[kind], value)


def _as_amazons(headers: dict[str, Any]) -> dict[str, Any]:
    """Amazon's decoder gives moments as datetimes where it can; ours as the milliseconds that were sent."""
    return {
        name: int(value.replace(tzinfo=UTC).timestamp() * 1000) if isinstance(value, datetime) else value
        for name, value in headers.items()
    }
