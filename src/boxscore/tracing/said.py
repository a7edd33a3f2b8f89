"""What a message says, part by part: text, reasoning, calls of tools and their results, images, in the many shapes
that providers and frameworks write.

Sources: the GenAI conventions' message schemas (`gen-ai-input-messages.json`, parts), the message objects of OpenAI
(chat and Responses), Anthropic, Gemini, Bedrock Converse and Cohere, LangChain's serialised messages, the Vercel AI
SDK's `ModelMessage`, OpenInference's message attributes.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TypeAlias, cast

import msgspec

from boxscore.types import Json

__all__ = ["Media", "Message", "Part", "Reasoning", "Text", "ToolCall", "ToolResult", "read_said"]


class Text(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class Reasoning(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning"):
    text: str


class ToolCall(msgspec.Struct, frozen=True, tag_field="type", tag="tool_call"):
    """`arguments` as they were told: JSON, or the text that should have been JSON."""

    name: str
    arguments: Json = None
    id: str | None = None


class ToolResult(msgspec.Struct, frozen=True, tag_field="type", tag="tool_result"):
    text: str
    name: str | None = None
    id: str | None = None


class Media(msgspec.Struct, frozen=True, tag_field="type", tag="media"):
    """An image, a sound or a file, named and never shown: `kind` is image, audio, video or file, `source` its address,
    or how much of it lies within."""

    kind: str
    source: str
    media_type: str | None = None


Part: TypeAlias = Text | Reasoning | ToolCall | ToolResult | Media


class Message(msgspec.Struct, frozen=True):
    """Who said what. `role` is system, user, assistant or tool, or the sender's own word; None where nothing tells."""

    role: str | None
    parts: tuple[Part, ...]


_ROLES = {
    "ai": "assistant", "aimessage": "assistant", "aimessagechunk": "assistant", "model": "assistant",
    "choice": "assistant", "human": "user", "humanmessage": "user", "systemmessage": "system",
    "toolmessage": "tool", "function": "tool", "functionmessage": "tool",
}  # fmt: skip
_PART_TYPES = frozenset(
    {
        *("text", "input_text", "output_text", "reasoning", "thinking", "redacted_thinking", "refusal"),
        *("tool_call", "tool_use", "tool-call", "function_call", "tool_call_response", "tool_result", "tool-result"),
        *("function_call_output", "function", "server_tool_call", "server_tool_call_response"),
        *("image", "image_url", "input_image", "audio", "input_audio", "video", "file", "input_file", "document"),
        *("blob", "uri", "media"),
    }
)
_RESULTS = frozenset(
    {"tool_result", "tool-result", "tool_call_response", "function_call_output", "server_tool_call_response"}
)
_MEDIA = {
    **dict.fromkeys(("image", "image_url", "input_image"), "image"),
    **dict.fromkeys(("audio", "input_audio"), "audio"),
    "video": "video",
    **dict.fromkeys(("file", "input_file", "document", "blob", "uri", "media"), "file"),
}
_SYSTEM = ("system", "system_instruction", "systemInstruction", "instructions")
_PLACES = (
    *("messages", "message", "input_messages", "contents", "prompt", "input", "inputs", "question", "query"),
    *("output", "outputs", "response", "generations", "result", "answer"),
)
_TEXTS = ("text", "content", "parts", "output_text", "refusal", "output", "result", "response", "value")
_LONGEST_ADDRESS = 300


def read_said(value: Json, role: str | None = None) -> list[Message]:
    """The messages in a value: plain text, a message, a list of them, or an object that holds them, as JSON text or
    not; `role` is whose they are where they do not tell. What has no known shape is one message with its JSON as text.
    """
    try:
        return _results([message for message in _messages(value, role) if message.parts])
    except RecursionError:
        return [Message(role, (Text(value),))] if isinstance(value, str) else []


def _messages(value: Json, role: str | None) -> list[Message]:
    value = _decoded(value)
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, list):
        items = cast("list[Json]", value)
        if all(isinstance(item, list) for item in items):  # LangChain's batches
            items = [inner for item in cast("list[list[Json]]", items) for inner in item]
        if any(_is_message(item) or _is_part(item) for item in items):
            return _mixed(items, role)
        return [Message(role, (Text(_json(items)),))]
    if isinstance(value, dict):
        return _object(cast("dict[str, Json]", value), role)
    return [Message(role, (Text(value if isinstance(value, str) else _json(value)),))]


def _results(messages: list[Message]) -> list[Message]:
    """LangGraph tells the name of the tool as the role of its result."""
    called: set[str] = set()
    found: list[Message] = []
    for message in messages:
        called.update(part.name for part in message.parts if isinstance(part, ToolCall))
        if message.role in called:
            message = Message("tool", (ToolResult(joined(message.parts), message.role),))
        found.append(message)
    return found


def _mixed(items: list[Json], role: str | None) -> list[Message]:
    """Messages, and parts beside them as the Responses API has: neighbours with one role are one message."""
    found: list[Message] = []
    for is_message, group in groupby(items, _is_message):
        if is_message:
            found += [_message(cast("dict[str, Json]", item), role) for item in group]
            continue
        parts = [part for item in group for part in _parts(item)]
        found += [Message(who, tuple(said)) for who, said in groupby(parts, lambda part: _role_of(part, role))]
    return found


def _object(holder: dict[str, Json], role: str | None) -> list[Message]:
    if _is_message(holder):
        return [_message(holder, role)]
    if _is_part(holder):
        return _mixed([holder], role)
    choices = holder.get("choices") or holder.get("candidates")
    if isinstance(choices, list):
        return [_message(_inside(choice), role or "assistant") for choice in cast("list[Json]", choices)]
    system = [
        Message("system", message.parts)
        for key in _SYSTEM
        if holder.get(key) and isinstance(holder[key], str | list | dict)
        for message in _messages(holder[key], "system")
    ]
    for place in _PLACES:
        inner = holder.get(place)
        if inner and isinstance(inner, list | str | dict):
            return system + _messages(inner, role)
    return system or [Message(role, (Text(_json(holder)),))]


def _is_message(item: Json) -> bool:
    if not isinstance(item, dict):
        return False
    found = cast("dict[str, Json]", item)
    if "role" in found or ("lc" in found and isinstance(found.get("kwargs"), dict)):
        return True
    if isinstance(found.get("message"), dict) or isinstance(found.get("parts"), list):
        return True
    kind = found.get("type")
    return isinstance(kind, str) and kind not in _PART_TYPES and ("content" in found or "data" in found)


def _is_part(item: Json) -> bool:
    if not isinstance(item, dict):
        return False
    found = cast("dict[str, Json]", item)
    return (
        _string(found, "type") in _PART_TYPES
        or "toolName" in found
        or any(
            isinstance(found.get(key), dict)
            for key in (
                "functionCall",
                "functionResponse",
                "function_call",
                "function_response",
                "toolUse",
                "toolResult",
            )
        )
    )


def _inside(choice: Json) -> dict[str, Json]:
    if isinstance(choice, dict):
        found = cast("dict[str, Json]", choice)
        inner = found.get("message") or found.get("content") or found
        return cast("dict[str, Json]", inner) if isinstance(inner, dict) else {"content": inner}
    return {"content": choice}


def _message(found: dict[str, Json], role: str | None) -> Message:
    if "lc" in found and isinstance(found.get("kwargs"), dict):
        kind = found.get("id")
        name = str(cast("list[Json]", kind)[-1]) if isinstance(kind, list) and kind else None
        found = {"type": name, **cast("dict[str, Json]", found["kwargs"])}
    for wrapper in ("message", "data"):
        inner = found.get(wrapper)
        if isinstance(inner, dict) and "content" not in found:
            found = {**found, **cast("dict[str, Json]", inner)}
    kind = _string(found, "type")
    told = _string(found, "role") or (kind if kind not in ("message", "constructor") else None)
    who = _ROLES.get(told.lower(), told) if told else role
    parts: list[Part] = []
    for key in ("reasoning", "reasoning_content"):
        if isinstance(found.get(key), str) and found[key]:
            parts.append(Reasoning(found[key]))
    for key in ("content", "contents", "parts", "text", "refusal"):
        if found.get(key):
            parts += _parts(found[key])
            if key != "refusal":
                break
    extra = found.get("additional_kwargs")
    calls = found.get("tool_calls") or (
        cast("dict[str, Json]", extra).get("tool_calls") if isinstance(extra, dict) else None
    )
    known = {part.id for part in parts if isinstance(part, ToolCall) and part.id}
    if isinstance(calls, list):
        made = [part for call in cast("list[Json]", calls) for part in _parts(_as_call(call))]
        parts += [part for part in made if not (isinstance(part, ToolCall) and part.id in known)]
    elif isinstance(found.get("function_call"), dict):
        parts += _parts({"function": found["function_call"]})
    if who == "tool" and parts and not any(isinstance(part, ToolResult) for part in parts):
        parts = [ToolResult(joined(parts), _string(found, "name"), _string(found, "tool_call_id", "id"))]
    return Message(who, tuple(parts))


def _parts(value: Json) -> list[Part]:
    if isinstance(value, str):
        inner = _decoded(value)
        if isinstance(inner, list) and any(_is_part(item) for item in cast("list[Json]", inner)):
            return _parts(inner)
        return [Text(value)] if value else []
    if isinstance(value, list):
        return [part for item in cast("list[Json]", value) for part in _parts(item)]
    if not isinstance(value, dict):
        return [] if value is None else [Text(_json(value))]
    part = cast("dict[str, Json]", value)
    kind = _string(part, "type")
    if _is_definition(part):
        return []
    made = _tool(part, kind) or _reasoning(part, kind) or _media(part, kind)
    if made is not None:
        return [made]
    if "json" in part:
        return [Text(_json(part["json"]))]
    for key in _TEXTS:
        if part.get(key):
            return _parts(part[key])
    if kind in _PART_TYPES and not any(part.get(key) for key in part if key != "type"):
        return []
    return [] if kind == "text" else [Text(_json(part))]


def _as_call(call: Json) -> Json:
    return {"type": "tool_call", **cast("dict[str, Json]", call)} if isinstance(call, dict) else call


def _is_definition(part: Mapping[str, Json]) -> bool:
    """A tool that is offered, which some recorders put among the messages."""
    offered = (_inner(part, "function") or part).get("parameters")
    return isinstance(offered, dict) and "properties" in offered


def _tool(part: Mapping[str, Json], kind: Json) -> Part | None:
    answer = _inner(part, "functionResponse", "function_response", "toolResult")
    if answer is not None or kind in _RESULTS:
        answer = {**part, **(answer or {})}
        for key in ("response", "result", "content", "output"):
            if key in answer:
                said = _decoded(answer[key]) if kind == "tool-result" else answer[key]
                text = "\n".join(filter(None, (_shown(inner) for inner in _parts(said))))
                name = _string(answer, "name", "toolName")
                return ToolResult(text, name, _string(answer, *_IDS))
        return ToolResult("", _string(answer, "name", "toolName"), _string(answer, *_IDS))
    called = _inner(part, "function", "functionCall", "function_call", "toolUse", "tool_call")
    call = {**part, **(called or {})}
    name = _string(call, "name", "toolName")
    if name is None:
        return None
    for key in ("arguments", "args", "input", "parameters"):
        if key in call:
            return ToolCall(name, _arguments(call[key]), _string(call, *_IDS))
    return ToolCall(name, None, _string(call, *_IDS)) if called is not None or kind in _CALLS else None


_IDS = ("id", "call_id", "tool_call_id", "toolCallId", "tool_use_id", "toolUseId")
_CALLS = frozenset({"tool_call", "tool_use", "tool-call", "function_call", "function", "server_tool_call"})


def _reasoning(part: Mapping[str, Json], kind: Json) -> Part | None:
    inner = _inner(part, "reasoningContent")
    if kind not in ("reasoning", "thinking", "redacted_thinking") and inner is None and part.get("thought") is not True:
        return None
    found = {**part, **(inner or {})}
    for key in ("thinking", "text", "content", "summary", "reasoningText"):
        if found.get(key):
            return Reasoning("\n".join(filter(None, (_shown(said) for said in _parts(found[key])))))
    return Reasoning("[hidden by the provider]")


def _media(part: Mapping[str, Json], kind: Json) -> Media | None:
    modality = _MEDIA.get(kind) if isinstance(kind, str) else None
    inner = _inner(part, "inlineData", "inline_data", "fileData", "file_data", "image", "document", "video", "audio",
                   "source", "image_url", "input_audio", "file")  # fmt: skip
    if modality is None and (inner is None or "text" in part):
        return None
    found: dict[str, Json] = {**part, **(inner or {})}
    while (deeper := _inner(found, "source", "image")) is not None and deeper is not inner:
        inner, found = deeper, {**found, **deeper}
    media_type = _string(found, "mime_type", "mimeType", "media_type", "mediaType", "format")
    told = _string(found, "modality") or (media_type or "").partition("/")[0]
    if told in ("image", "audio", "video"):
        modality = told
    elif modality is None:
        modality = next((key for key in ("image", "audio", "video") if key in part), "file")
    address = _string(
        found, "url", "uri", "file_uri", "fileUri", "image_url", "file_url", "filename", "file_id", "name", "image"
    )
    if address is not None and address.startswith("data:"):
        head, _, data = address.partition(",")
        return Media(modality, _size(data), media_type or head[5:].partition(";")[0] or None)
    if address is not None:
        if len(address) > _LONGEST_ADDRESS:  # the bytes themselves, in a field for their address
            return Media(modality, _size(address), media_type)
        return Media(modality, address, media_type)
    data = next((found[key] for key in ("data", "content", "bytes", "file_data") if found.get(key)), None)
    return Media(modality, _size(data) if isinstance(data, str | bytes) else "elsewhere", media_type)


def _size(data: str | bytes) -> str:
    size = len(data) if isinstance(data, bytes) else len(data) * 3 // 4
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e3:,.0f} kB"


def _role_of(part: Part, role: str | None) -> str | None:
    if isinstance(part, ToolCall | Reasoning):
        return "assistant"
    return "tool" if isinstance(part, ToolResult) else role


def _shown(part: Part) -> str:
    match part:
        case Text(text) | Reasoning(text) | ToolResult(text):
            return text
        case ToolCall(name, arguments):
            return f"{name}({_json(arguments)})"
        case Media(kind, source):
            return f"[{kind}, {source}]"


def _inner(part: Mapping[str, Json], *keys: str) -> dict[str, Json] | None:
    found = (part.get(key) for key in keys)
    return next((cast("dict[str, Json]", value) for value in found if isinstance(value, dict)), None)


def _string(part: Mapping[str, Json], *keys: str) -> str | None:
    found = (part.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value), None)


def _arguments(value: Json) -> Json:
    decoded = _decoded(value)
    return cast(Json, decoded) if isinstance(decoded, dict | list) else value


def _decoded(value: Json) -> Json:
    """JSON text as what it holds, twice where it was made JSON twice; anything else as it is."""
    for _ in range(2):
        if not isinstance(value, str) or value.lstrip()[:1] not in {"[", "{", '"'}:
            return value
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return value
    return value


def _json(value: Json) -> str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        return str(cast(object, value))


def joined(parts: Iterable[Part]) -> str:
    """All parts as one text."""
    return "\n".join(text for part in parts if (text := _shown(part)))
