"""Conversations: what was said between an application, its models and its tools, read from the raw spans."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from typing import Literal, NamedTuple, cast

import msgspec

from boxscore.store.spans import SpanRow
from boxscore.tracing.conventions.events import CONTENT, EVENTS
from boxscore.tracing.rules import RAW, rule_of
from boxscore.tracing.said import Message, Text, ToolCall, ToolResult, joined, read_said
from boxscore.tracing.values import read_value
from boxscore.tracing.wire import BrokenWireError, SpanMessage, read_span
from boxscore.types import Json

__all__ = ["MODEL_CALLS", "Exchange", "Said", "conversation", "read_exchange"]

MODEL_CALLS = frozenset({"chat", "text_completion", "generate_content"})
"""Operations that are calls of a model."""

_Side = Literal["input", "output"]
_INSTRUCTIONS = "gen_ai.system_instructions"
_TOOL_ID = ("gen_ai.tool.call.id", "ai.toolCall.id")
_CHUNKS, _CHUNK = 8, 12
"""More messages than an answer has choices, each of fewer characters than a sentence."""
_AFTER = 1_000_000  # what an event says counts after what an attribute says


class Exchange(NamedTuple):
    """What went into a span and what came out."""

    input: list[Message]
    output: list[Message]


class Said(NamedTuple):
    """A message of a conversation and the span that it was read from."""

    message: Message
    span: SpanRow


def read_exchange(span: SpanRow) -> Exchange:
    """The messages of a span, from whatever attributes or events its instrumentation writes. Where the raw span has
    none that can be read, what the store keeps of them: the last message in, the answer out."""
    found = _Found()
    if span.raw:
        with suppress(BrokenWireError):  # then what the row has is shown
            found.read(read_span(span.raw))
    came, answered = found.messages("input"), found.messages("output")
    came = _with_instructions(found.instructions, came)
    if span.operation == "execute_tool":
        return Exchange(*_of_tool(span, found, came, answered))
    if not came and not answered:
        came = read_said(span.input_text, "user")
        answered = read_said(span.output_text, "assistant")
    if not answered and came and came[-1].role == "assistant" and "choice" in found.kinds:  # one log of both
        came, answered = came[:-1], came[-1:]
    return Exchange(came, answered)


def conversation(spans: Iterable[SpanRow]) -> Iterator[Said]:
    """The conversation of spans that come trace by trace, each by start: the messages of the calls of models, each told
    once, however often later calls repeat it as their history; what a user asks again in a later trace is told again.
    Of a trace without a call of a model: what the first span with messages says."""
    shown: dict[bytes, list[int]] = {}
    count = 0
    for _, trace in groupby(spans, key=lambda span: span.trace_id):
        other: SpanRow | None = None
        called = False
        began = count
        for span in trace:
            if span.operation not in MODEL_CALLS:
                if not called and other is None and any(read_exchange(span)):
                    other = span
                continue
            after = -1
            exchange = read_exchange(span)
            called = called or any(exchange)
            asked = len(exchange.input) - 1 if exchange.input and exchange.input[-1].role == "user" else -1
            for number, message in enumerate(exchange.input):
                if number == asked:
                    after = max(after, began - 1)
                places = shown.setdefault(_key(message), [])
                at = bisect_left(places, after + 1)
                if at < len(places):  # told before, and in this order
                    after = places[at]
                    continue
                places.append(count)
                after, count = count, count + 1
                yield Said(message, span)
            for message in exchange.output:
                shown.setdefault(_key(message), []).append(count)
                count += 1
                yield Said(message, span)
        if not called and other is not None:
            yield from (Said(message, other) for side in read_exchange(other) for message in side)


class _Found:
    """The values of a span that hold messages: of several that tell the same the one with the lowest rank."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.instructions: Json = None
        self.tool_id: str | None = None
        self._best: dict[str, tuple[int, Json]] = {}
        self._numbered: dict[tuple[str, int], dict[tuple[str, ...], Json]] = {}
        self._events: dict[_Side, list[Message]] = {}

    def read(self, span: SpanMessage) -> None:
        for key in span.attributes:
            self._take(key, span.attributes[key], 0)
        for event in span.events:
            side = EVENTS.get(event.name.decode("utf-8", "replace"))
            if side == "input" or side == "output":
                self._event(event.name.decode(), side, event.attributes)
            elif side is None and event.name != b"exception":
                for key in event.attributes:
                    self._take(key, event.attributes[key], _AFTER)

    def messages(self, side: _Side) -> list[Message]:
        role = "user" if side == "input" else "assistant"
        best = self._best.get(side)
        ranks = [rank for of, rank in self._numbered if of == side]
        if ranks and (best is None or min(ranks) < best[0]):
            items = _nested(self._numbered[side, min(ranks)])
            items = [
                {"role": role, **cast("dict[str, Json]", item)} if isinstance(item, dict) else item for item in items
            ]
            return _streamed([message for item in items for message in read_said(item, role)])
        found = read_said(best[1], role) if best is not None else self._events.get(side, [])
        calls = self._best.get("output_calls")
        if side == "output" and calls is not None:
            found = _joined([*found, *read_said(calls[1], role)])
        if isinstance(best, tuple) and "gen_ai.choice" in str(best[1])[:100_000]:
            self.kinds.add("choice")
        return found

    def _take(self, key: str, value: bytes, after: int) -> None:
        if key == _INSTRUCTIONS:
            self.instructions = read_value(value)
        elif key in _TOOL_ID:
            self.tool_id = str(read_value(value))
        rule = rule_of(key)
        if rule is RAW:
            return
        if rule.kind == "part":
            self._numbered.setdefault((rule.field, rule.rank + after), {})[rule.part] = read_value(value)
        elif rule.kind == "name" and rule.field in ("input", "output", "output_calls"):
            rank = rule.rank + after
            told = read_value(value)
            if told not in (None, "") and (rule.field not in self._best or rank < self._best[rule.field][0]):
                self._best[rule.field] = (rank, told)

    def _event(self, name: str, side: _Side, attributes: Mapping[str, bytes]) -> None:
        said = {key: read_value(attributes[key]) for key in attributes}
        role = {"gen_ai.content.prompt": "user", "gen_ai.content.completion": "assistant"}.get(name)
        role = role or {"choice": "assistant"}.get(name.split(".")[1], name.split(".")[1])
        place = next((key for key in CONTENT[:3] if key in said), None)
        found = read_said(said[place], role) if place is not None else []
        if not found:
            inner = said.get("message")
            told = {"role": role, **said, **(_object(inner) or {"content": said.get("content", inner)})}
            told["tool_calls"] = _list(told.get("tool_calls"))
            found = read_said(told, role)
        self._events.setdefault(side, []).extend(found)


def _with_instructions(told: Json, came: list[Message]) -> list[Message]:
    if not told or any(message.role in ("system", "developer") for message in came):
        return came
    return [Message("system", message.parts) for message in read_said(told, "system")] + came


def _of_tool(
    span: SpanRow, found: _Found, came: list[Message], answered: list[Message]
) -> tuple[list[Message], list[Message]]:
    """A tool's span is its call and its result."""
    name = span.step or span.name
    told = joined(part for message in came for part in message.parts) or span.input_text
    result = joined(part for message in answered for part in message.parts) or span.output_text
    call = ToolCall(name, _object(told) or told or None, found.tool_id)
    answer = [Message("tool", (ToolResult(result, name, found.tool_id),))] if result else []
    return [Message("assistant", (call,))], answer


def _joined(messages: list[Message]) -> list[Message]:
    """Text and calls that were told apart, as the one answer that they are."""
    roles = {message.role for message in messages}
    if len(messages) < 2 or roles != {"assistant"}:
        return messages
    return [Message("assistant", tuple(part for message in messages for part in message.parts))]


def _streamed(messages: list[Message]) -> list[Message]:
    """A stream that was told as a message per chunk is one message."""
    texts = [part.text for message in messages for part in message.parts if isinstance(part, Text)]
    if len(messages) < _CHUNKS or len(texts) != len(messages) or sum(map(len, texts)) > _CHUNK * len(texts):
        return messages
    return [Message(messages[0].role, (Text("".join(texts)),))]


def _nested(parts: Mapping[tuple[str, ...], Json]) -> list[Json]:
    """What was spread over attributes with dots and numbers in their names, put together again."""
    root: dict[str, Json] = {}
    for path, value in sorted(parts.items(), key=lambda item: item[0]):
        place = root
        for step in path[:-1]:
            inner = place.get(step)
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = cast("dict[str, Json]", inner)
        if path[-1] not in place:
            place[path[-1]] = value
    found = _lists(root)
    return cast("list[Json]", found) if isinstance(found, list) else [found]


def _lists(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    found = cast("dict[str, Json]", value)
    if found and all(key.isdecimal() for key in found):
        return [_lists(found[key]) for key in sorted(found, key=lambda key: int(key[:9]))]
    return {key: _lists(inner) for key, inner in found.items()}


def _key(message: Message) -> bytes:
    """The same for two messages that say the same, whatever ids and formats they have."""
    said = [part for part in message.parts if not isinstance(part, Text) or part.text.strip()]
    plain = [
        (part.name, part.arguments)
        if isinstance(part, ToolCall)
        else part.text.strip()
        if isinstance(part, Text | ToolResult)
        else part
        for part in said
    ]
    return msgspec.msgpack.encode((message.role, plain))


def _object(value: Json) -> dict[str, Json] | None:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return None
    return cast("dict[str, Json]", value) if isinstance(value, dict) else None


def _list(value: Json) -> Json:
    if isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return None
    return value
