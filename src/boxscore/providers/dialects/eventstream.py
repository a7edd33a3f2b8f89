"""Amazon's `application/vnd.amazon.eventstream`, decoded as it arrives.

A message is: its length and that of its headers (32 bits each), a CRC of these, the headers, the payload, and a CRC of
all before it; big-endian throughout. Reference: Amazon Transcribe developer guide, "Event stream encoding".
"""

import json
import struct
import zlib
from typing import NamedTuple

from boxscore.errors import ProviderError
from boxscore.providers.dialects.dialect import Event
from boxscore.types import Json

LARGEST_MESSAGE = 24 * 1024 * 1024
"""Bytes; what the reference allows for a payload."""

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_NUMBERS = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i"), 5: struct.Struct(">q")}
_TIMESTAMP = struct.Struct(">q")
_LENGTH = struct.Struct(">H")
_SMALLEST_MESSAGE = _PRELUDE.size + _CRC.size

Header = bool | int | bytes | str


class Message(NamedTuple):
    """One message as it stood in the stream. A timestamp is in milliseconds since 1970; a UUID its 16 bytes."""

    headers: dict[str, Header]
    payload: bytes


class _BrokenError(ValueError):
    """What is wrong with the bytes."""


class EventStreamDecoder:
    """Bytes in, in pieces of any size; events out, named by their `:event-type` with the payload's JSON.

    An exception or error that the service sends is an event too, named by its type (`throttlingException`): what it
    means is for the dialect to say. A stream that is none is a `ProviderError` of kind bad_answer.
    """

    def __init__(self, *, provider: str | None = None, largest: int = LARGEST_MESSAGE) -> None:
        self._provider = provider
        self._largest = largest
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        try:
            return [_event(message) for message in self.messages(chunk)]
        except _BrokenError as error:
            raise ProviderError(
                "bad_answer",
                f"the answer is no readable event stream of Amazon's: {error}; does base_url speak Bedrock's API?",
                provider=self._provider,
                status=200,
            ) from error

    def close(self) -> list[Event]:
        """A message that broke off is left to who puts the answer together: a cut stream is no bad answer."""
        self._buffer.clear()
        return []

    def messages(self, chunk: bytes) -> list[Message]:
        """The messages that `chunk` completes."""
        self._buffer += chunk
        found: list[Message] = []
        at = 0
        while (size := self._size(at)) is not None and len(self._buffer) - at >= size:
            found.append(_message(bytes(self._buffer[at : at + size])))
            at += size
        del self._buffer[:at]
        return found

    def _size(self, at: int) -> int | None:
        """The length of the message that begins there, checked; None when its prelude has not come yet."""
        if len(self._buffer) - at < _PRELUDE.size:
            return None
        size, headers, crc = _PRELUDE.unpack_from(self._buffer, at)
        if zlib.crc32(self._buffer[at : at + 8]) != crc:
            raise _BrokenError("the checksum of a message's beginning is wrong")
        if size > self._largest:
            raise _BrokenError(f"a message of {size} bytes is announced, {self._largest} at most are read")
        if size < _SMALLEST_MESSAGE + headers:
            raise _BrokenError("a message is shorter than its own headers")
        return size


def _message(data: bytes) -> Message:
    _, headers, _ = _PRELUDE.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    if zlib.crc32(data[: -_CRC.size]) != crc:
        raise _BrokenError("the checksum of a message is wrong")
    begin = _PRELUDE.size + headers
    try:
        return Message(_headers(data[_PRELUDE.size : begin]), data[begin : -_CRC.size])
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise _BrokenError("the headers of a message cannot be read") from error


def _headers(data: bytes) -> dict[str, Header]:
    found: dict[str, Header] = {}
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        name, kind, at = data[at + 1 : end].decode(), data[end], end + 1
        size = 0
        if kind in (0, 1):
            found[name] = kind == 0
        elif number := _NUMBERS.get(kind):
            (found[name],) = number.unpack_from(data, at)
            size = number.size
        elif kind in (6, 7):
            (size,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            found[name] = _exactly(data, at, size) if kind == 6 else _exactly(data, at, size).decode()
        elif kind == 8:
            (found[name],) = _TIMESTAMP.unpack_from(data, at)
            size = _TIMESTAMP.size
        elif kind == 9:
            size = 16
            found[name] = _exactly(data, at, size)
        else:
            raise _BrokenError(f"a header has the unknown type {kind}")
        at += size
    return found


def _exactly(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError(at)
    return data[at : at + size]


def _event(message: Message) -> Event:
    headers = message.headers
    if headers.get(":message-type") == "error":
        data: Json = {"code": headers.get(":error-code"), "message": headers.get(":error-message")}
        return Event("error", data)
    name = headers.get(":exception-type") or headers.get(":event-type")
    try:
        data = json.loads(message.payload) if message.payload else {}
    except (ValueError, RecursionError) as error:
        raise _BrokenError("the payload of a message is no JSON") from error
    return Event(name if isinstance(name, str) else None, data)
