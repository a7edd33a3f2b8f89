"""How a stream is cut into events: bytes in, in pieces of any size, events out."""

import json
from typing import Protocol

from boxscore.errors import ProviderError
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.eventstream import EventStreamDecoder
from boxscore.providers.secrets import mask

LARGEST_EVENT = 16 * 1024 * 1024
"""Bytes of one event, beyond which a stream is given up."""

DONE = Event("[DONE]", None)
"""What OpenAI's `data: [DONE]` becomes: the end of the stream, in so many words."""

_BOM = b"\xef\xbb\xbf"
_SHOWN = 80


class Decoder(Protocol):
    """Events do not depend on where the pieces were cut."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. What is no event is a `ProviderError` of kind bad_answer."""
        ...

    def close(self) -> list[Event]:
        """What was left when the stream ended, if it is whole."""
        ...


def decoder(framing: Framing, *, provider: str) -> Decoder:
    """A new decoder for one stream; `provider` is who its errors name."""
    if framing == "eventstream":
        return EventStreamDecoder(provider=provider)
    return ServerSentEvents(provider=provider) if framing == "sse" else JsonLines(provider=provider)


class _Lines:
    """Whole lines out of pieces. A piece without a line's end is only put aside, so that a long line costs no more than
    its length."""

    def __init__(self, provider: str, largest: int) -> None:
        self._provider = provider
        self._largest = largest
        self._pieces: list[bytes] = []
        self._held = 0

    def whole(self, chunk: bytes) -> bytes | None:
        """All that was put aside with `chunk`, once it holds the end of a line."""
        if b"\n" not in chunk and b"\r" not in chunk:
            self.keep(chunk)
            return None
        if self._pieces:
            self._pieces.append(chunk)
            chunk = b"".join(self._pieces)
            self._pieces.clear()
        self._held = 0
        return chunk

    def keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._held += len(piece)
            self.check(self._held)

    def rest(self) -> bytes:
        left = b"".join(self._pieces)
        self._pieces.clear()
        return left

    def check(self, size: int) -> None:
        if size > self._largest:
            raise ProviderError(
                "bad_answer",
                f"an event of the stream is larger than {self._largest / 1024 / 1024:.3g} MB and was not read.",
                provider=self._provider,
                status=200,
            )


class ServerSentEvents:
    """`text/event-stream`, as WHATWG HTML, section 9.2, has it, except that an event without an empty line behind it
    still counts when the stream ends there, because some servers leave it out. `id` and `retry` are not kept."""

    def __init__(self, *, provider: str, largest: int = LARGEST_EVENT) -> None:
        self._provider = provider
        self._lines = _Lines(provider, largest)
        self._name: str | None = None
        self._data: list[bytes] = []
        self._size = 0
        self._begun = False
        self._after_return = False

    def feed(self, chunk: bytes) -> list[Event]:
        if self._after_return and chunk:  # the line ended with the \r before: a \n now belongs to it
            self._after_return = False
            if chunk[0] == 0x0A:
                chunk = chunk[1:]
        text = self._lines.whole(chunk)
        if text is None:
            return []
        if not self._begun:
            self._begun = True
            text = text.removeprefix(_BOM)
        lines = text.splitlines()  # of bytes: \n, \r and \r\n, and no other
        if text.endswith(b"\r"):
            self._after_return = True
        elif not text.endswith(b"\n"):
            self._lines.keep(lines.pop())
        events: list[Event] = []
        for line in lines:
            if line:
                self._field(line)
            elif self._data:
                events.append(self._event())
            else:
                self._name = None
        return events

    def close(self) -> list[Event]:
        """An event that broke off is left to who puts the answer together: a cut stream is no bad answer."""
        if rest := self._lines.rest():
            self._field(rest if self._begun else rest.removeprefix(_BOM))
        if not self._data:
            return []
        try:
            return [self._event()]
        except ProviderError:
            return []

    def _field(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            self._data.append(value)
            self._size += len(value) + 1
            self._lines.check(self._size)
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ").decode("utf-8", "replace") or None
        elif line == b"data":
            self._data.append(b"")
        elif line == b"event":
            self._name = None

    def _event(self) -> Event:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        name = self._name
        self._data = []
        self._size = 0
        self._name = None
        return DONE if data == b"[DONE]" else _event(name, data, self._provider)


class JsonLines:
    """One JSON text a line; empty lines say nothing. The last one needs no line's end."""

    def __init__(self, *, provider: str, largest: int = LARGEST_EVENT) -> None:
        self._provider = provider
        self._lines = _Lines(provider, largest)

    def feed(self, chunk: bytes) -> list[Event]:
        text = self._lines.whole(chunk)
        if text is None:
            return []
        *lines, rest = text.split(b"\n")
        self._lines.keep(rest)
        return [_event(None, line, self._provider) for line in lines if line.strip()]

    def close(self) -> list[Event]:
        rest = self._lines.rest()
        try:
            return [_event(None, rest, self._provider)] if rest.strip() else []
        except ProviderError:
            return []


def _event(name: str | None, data: bytes, provider: str) -> Event:
    text = data.decode("utf-8", "replace")
    try:
        return Event(name, json.loads(text))  # not msgspec: it refuses halves of surrogate pairs, which models do send
    except (ValueError, RecursionError) as error:
        shown = mask(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
        raise ProviderError(
            "bad_answer",
            f"an event of the stream is no JSON: {shown!r}; does this address speak the dialect that was asked?",
            provider=provider,
            status=200,
        ) from error
