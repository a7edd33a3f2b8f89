"""Messages: the text that went into a model or came out of it, in the many forms it is told in.

`said` reads the same shapes part by part, for people who look at one span. Ingest wants a text and a role of each
message alone, of every span: through `said` they would cost five times as much, more than all else of a span.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeGuard, cast

import msgspec

from boxscore.types import Json

__all__ = ["Message", "read_messages", "spread_message", "text_of_list"]

_PLACES = ("messages", "message", "input_messages", "contents", "prompt", "input", "inputs", "question", "query")
_TEXTS = ("content", "text", "output_text", "parts", "output", "outputs", "result", "answer", "response", "value")


class Message(NamedTuple):
    """Who said what. `text` is all that can be read of it, calls of tools as `name(arguments)`."""

    role: str | None
    text: str


def read_messages(value: Json, *, last: bool = False) -> list[Message]:
    """The messages in a value: plain text, a message, a list of them, or an object that holds them, as JSON text or
    not. What has no known shape is one message with its JSON as text. With `last` only the last two, for a log's end
    is an answer."""
    if isinstance(value, str):
        text = value.lstrip()
        if text[:1] not in {"[", "{", '"'}:
            return [Message(None, value)] if value else []
        try:
            decoded = msgspec.json.decode(text)
        except (ValueError, RecursionError):
            return [Message(None, value)]
        value = decoded
        if isinstance(value, str):  # text that was made JSON, and perhaps once more
            inner = value.lstrip()
            return read_messages(inner, last=last) if inner[:1] in {"[", "{"} else [Message(None, value)]
    if isinstance(value, list):
        items = cast("list[Json]", value)
        if items and all(isinstance(item, list) for item in items):  # LangChain's batches
            items = [inner for item in cast("list[list[Json]]", items) for inner in item]
        if any(_is_message(item) for item in items):
            return [_message(item) for item in (items[-2:] if last else items)]
        return [Message(None, _text(items))] if items else []
    if isinstance(value, dict):
        holder = cast("dict[str, Json]", value)
        if _is_message(holder):
            return [_message(holder)]
        choices = holder.get("choices") or holder.get("candidates")
        if isinstance(choices, list):
            return [_message(_inside(choice)) for choice in cast("list[Json]", choices)]
        for place in _PLACES:
            inner = holder.get(place)
            if inner and isinstance(inner, list | str):
                return read_messages(inner, last=last)
        return [Message(None, _text(holder))] if holder else []
    return [] if value is None else [Message(None, _text(value))]


class _TextPart(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text"]
    content: str


class _TextMessage(msgspec.Struct, forbid_unknown_fields=True):
    """What most messages are: GenAI's or OpenAI's, of nothing but text."""

    role: str
    content: str | None = None
    parts: list[_TextPart] = []
    finish_reason: str | None = None


_items = msgspec.json.Decoder(list[msgspec.Raw])
_text_message = msgspec.json.Decoder(_TextMessage)


def text_of_list(value: str, *, last: bool) -> str | None:
    """The text of the messages in a JSON list, or of the last of them: what `read_messages` finds for a fraction of the
    work. None where they are anything but text."""
    try:
        items = _items.decode(value)
        messages = [_text_message.decode(item) for item in (items[-1:] if last else items)]
    except (ValueError, RecursionError):
        return None
    if not messages or messages[-1].role == "choice":
        return None
    texts = [text for message in messages for text in (message.content, *(part.content for part in message.parts))]
    return "\n".join(filter(None, texts))


def spread_message(parts: Iterable[tuple[tuple[str, ...], Json]]) -> Message:
    """A message that is spread over attributes: the rest of the name of each, in order, and its value."""
    role: str | None = None
    texts: list[str] = []
    calls: dict[str, dict[str, str]] = {}
    for rest, value in parts:
        if rest == ("role",):
            role = _text(value)
        elif "tool_calls" in rest:
            number = rest[rest.index("tool_calls") + 1 :][:1]
            calls.setdefault(number[0] if number else "0", {})[rest[-1]] = _text(value)
        elif not rest or rest[-1] in {"content", "text"}:
            texts += [value] if _is_text(value) else [message.text for message in read_messages(value)]
    texts += [_call(call.get("name"), call.get("arguments")) for _, call in sorted(calls.items())]
    return Message(role, "\n".join(filter(None, texts)))


def _is_text(value: Json) -> TypeGuard[str]:
    """Whether a message's content is what was said, be it JSON: only parts of a message, as JSON, are not."""
    if not isinstance(value, str):
        return False
    if value.lstrip()[:1] not in {"[", "{"}:
        return True
    try:
        decoded = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return True
    items = cast("list[Json]", decoded) if isinstance(decoded, list) else [decoded]
    return not any(isinstance(item, dict) and ("type" in item or _is_message(item)) for item in items)


def _is_message(item: Json) -> bool:
    if not isinstance(item, dict):
        return False
    found = cast("dict[str, Json]", item)
    return (
        "role" in found
        or ("content" in found and "type" in found)
        or "parts" in found
        or isinstance(found.get("message"), dict)
    )


def _inside(choice: Json) -> Json:
    if isinstance(choice, Mapping):
        found = cast("Mapping[str, Json]", choice)
        return found.get("message") or found.get("content") or found
    return choice


def _message(item: Json) -> Message:
    if not isinstance(item, dict):
        return Message(None, _text(item))
    found = cast("dict[str, Json]", item)
    if len(found) == 2 and isinstance(text := found.get("content"), str) and isinstance(who := found.get("role"), str):
        return Message(who, text)  # what most of them are
    if isinstance(found.get("message"), dict) and "content" not in found:  # the choice of an event
        found = {**found, **cast("dict[str, Json]", found["message"])}
    role = found.get("role") or found.get("type")
    if found.get("event.name") == "gen_ai.choice":
        role = "choice"
    texts = [_text(found[key]) for key in ("content", "text", "parts", "refusal") if found.get(key)]
    calls, extra = found.get("tool_calls"), found.get("additional_kwargs")
    if not calls and isinstance(extra, dict):  # LangChain's place for them
        calls = cast("dict[str, Json]", extra).get("tool_calls")
    if isinstance(calls, list):
        texts += [_part(call) for call in cast("list[Json]", calls)]
    return Message(str(role) if role else None, "\n".join(filter(None, texts)))


def _text(value: Json) -> str:
    """Everything of a value that can be read, in order."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, (_part(item) for item in cast("Sequence[Json]", value))))
    if isinstance(value, dict):
        return _part(cast("dict[str, Json]", value))
    return "" if value is None else msgspec.json.encode(value).decode()


def _part(item: Json) -> str:
    if not isinstance(item, dict):
        return _text(item)
    part = cast("dict[str, Json]", item)
    if part.get("type") == "text" and isinstance(text := part.get("content", part.get("text")), str):
        return text
    called = part.get("function") or part.get("function_call") or part.get("functionCall")
    if isinstance(called, dict):
        part = cast("dict[str, Json]", called)
    name = part.get("name") or part.get("toolName")
    if isinstance(name, str):
        for key in ("arguments", "args", "input"):
            if key in part:
                return _call(name, part[key])
    answer = part.get("functionResponse") or part.get("function_response")
    if isinstance(answer, dict):
        part = cast("dict[str, Json]", answer)
    for key in _TEXTS:
        if part.get(key):
            return _text(part[key])
    if part.get("type") in ("blob", "image", "image_url", "file", "uri"):  # a set would have to hash what it is told
        return f"[{part['type']}]"
    return msgspec.json.encode(part).decode() if part else ""


def _call(name: str | None, arguments: Json) -> str:
    return f"{name or ''}({_json(arguments)})"


def _json(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
