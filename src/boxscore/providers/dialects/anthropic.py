"""Anthropic's messages. Reference: Anthropic API, POST /v1/messages, and its streaming and structured outputs pages."""

import re
from typing import cast

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.content import Image, Part, Text, parts_of, tool_of
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.fields import (
    ANSWER_TOOL,
    arguments,
    bad_answer,
    called,
    counted,
    cut,
    fields,
    items,
    overlaid,
    position,
    rest,
    string,
    texts,
    written,
)
from boxscore.providers.refusals import error_in
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

BEFORE_STRUCTURED_OUTPUT = re.compile(r"claude-(?:instant|v?2|3)|claude-(?:opus|sonnet)-4(?:-[01](?!\d)|-2025|@|$)")
"""Claudes that are not among the models of the structured outputs page: these are made to call a tool instead."""

DEFAULT_MAX_TOKENS = 16_384
SMALL_MAX_TOKENS = 4_096
"""The API demands a limit, and thinking counts too. The small one is for older Claudes, some of which write no more,
and for models that are no Claude. A thinking budget is added to it. An answer that was cut says so in its finish
reason."""

_CARRIED = {"type", "role", "content", "model", "stop_reason", "usage"}


class Anthropic:
    """A request without `max_tokens` asks for the default. `output_schema` goes out as `output_config`, or, to models
    that lack it, as a tool that they have to call. Blocks that are neither text, thinking nor tool calls (server
    tools, signatures, citations) are in `extra["content"]`, each with its `index`."""

    name = "messages"
    framing: Framing = "sse"

    def path(self, model: str, *, stream: bool) -> str:
        return "/messages"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        params = dict(request.params)
        if params.pop("seed", None) is not None:
            raise SpecError("Anthropic's messages have no seed: leave it out.", key="params.seed")
        old = BEFORE_STRUCTURED_OUTPUT.search(request.model) is not None
        limit = SMALL_MAX_TOKENS if old or "claude" not in request.model else DEFAULT_MAX_TOKENS
        budget = fields(params.get("thinking")).get("budget_tokens")
        body: dict[str, Json] = {
            "model": request.model,
            "max_tokens": limit + (budget if isinstance(budget, int) else 0),
            "messages": _turns(request.messages),
        }
        if system := _system(request.messages):
            body["system"] = system
        if (stop := params.pop("stop", None)) is not None:
            body["stop_sequences"] = texts(stop)
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.output_schema is not None:
            if old:
                tool = {"name": ANSWER_TOOL, "description": "Gives the answer.", "input_schema": request.output_schema}
                body["tools"] = [*items(body.get("tools")), tool]
                body["tool_choice"] = {"type": "tool", "name": ANSWER_TOOL}
            else:
                body["output_config"] = {"format": {"type": "json_schema", "schema": request.output_schema}}
        if stream:
            body["stream"] = True
        return overlaid(body, params)

    def read(self, body: Json, *, provider: str) -> Response:
        message = fields(body)
        if "content" not in message:
            if message.get("error"):
                raise error_in(body, provider=provider)
            raise bad_answer(
                body,
                provider=provider,
                expected="message with content",
                advice="does base_url speak Anthropic's messages?",
            )
        output: list[str] = []
        reasoning: list[str] = []
        calls: list[ToolCall] = []
        others: list[Json] = []
        for index, item in enumerate(items(message["content"])):
            block = fields(item)
            match block.get("type"):
                case "text":
                    output.append(string(block.get("text")) or "")
                    left = rest(block, {"type", "text"})
                case "thinking":
                    reasoning.append(string(block.get("thinking")) or "")
                    left = rest(block, {"type", "thinking"})
                case "tool_use" if block.get("name") == ANSWER_TOOL:
                    output.append(written(block.get("input")))
                    left = rest(block, {"type", "id", "name", "input"})
                case "tool_use":
                    name, call_id = string(block.get("name")) or "", string(block.get("id"))
                    calls.append(ToolCall(name=name, arguments=arguments(block.get("input")), id=call_id))
                    left = rest(block, {"type", "id", "name", "input"})
                case _:
                    left = block or {"value": item}
            if left:
                others.append({"index": index, "type": block.get("type"), **left})
        reason = string(message.get("stop_reason"))
        text = "".join(output)
        if reason == "refusal" and not text and not calls:
            raise _refused(message, provider)
        extra = rest(message, _CARRIED)
        if others:
            extra["content"] = others
        return Response(
            output=text,
            reasoning="".join(reasoning),
            tool_calls=tuple(calls),
            finish_reason=reason,
            model=string(message.get("model")),
            provider=provider,
            usage_raw=message.get("usage"),
            extra=extra,
        )

    def assembly(self, *, provider: str) -> "AnthropicAssembly":
        return AnthropicAssembly(self, provider)


class AnthropicAssembly:
    """One streamed message. It is put together as the body that would have come unstreamed, and read as that."""

    def __init__(self, dialect: Anthropic, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._message: dict[str, Json] = {}
        self._blocks: dict[int, _Block] = {}
        self._events: list[Json] = []

    def feed(self, event: Event) -> bool:
        data = fields(event.data)
        kind = data.get("type")
        if kind == "content_block_delta":
            return self._block(data).feed(fields(data.get("delta")))
        if kind == "content_block_start":
            block = self._block(data)
            block.start = dict(fields(data.get("content_block")))
            return block.start.get("type") == "tool_use" or bool(block.start.get("text") or block.start.get("thinking"))
        if kind == "message_delta":
            self._message.update({key: value for key, value in fields(data.get("delta")).items() if value is not None})
            others = rest(data, {"type", "delta", "usage"})
            self._message.update(others)
            self._message["usage"] = counted(self._message.get("usage"), data.get("usage"))
        elif kind == "message_start":
            self._message = dict(fields(data.get("message")))
        elif kind == "error" or (kind is None and "error" in data):
            status = 400 if fields(data.get("error")).get("type") == "invalid_request_error" else None
            raise error_in(data, provider=self._provider, status=status)
        elif data and kind not in ("ping", "content_block_stop", "message_stop"):
            self._events.append(event.data)
        return False

    def finish(self) -> Response:
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        if self._message.get("stop_reason") is None:
            calls = sum(block.start.get("type") == "tool_use" for block in blocks)
            raise cut(provider=self._provider, texts=(text for block in blocks for text in block.text), calls=calls)
        content = [*items(self._message.get("content")), *(block.whole() for block in blocks)]
        body = {**self._message, "content": content}
        if self._events:
            body["events"] = self._events
        return self._dialect.read(body, provider=self._provider)

    def _block(self, data: dict[str, Json]) -> "_Block":
        index = position(data.get("index"))
        found = self._blocks.get(index)
        if found is None:
            found = self._blocks[index] = _Block()
        return found


class _Block:
    """One content block and its deltas; which of them is the answer's text is known by the delta's type."""

    __slots__ = ("others", "start", "text", "thinking", "written")

    def __init__(self) -> None:
        self.start: dict[str, Json] = {}
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.written: list[str] = []
        self.others: list[dict[str, Json]] = []

    def feed(self, delta: dict[str, Json]) -> bool:
        kind = delta.get("type")
        if kind == "text_delta":
            piece = string(delta.get("text")) or ""
            self.text.append(piece)
        elif kind == "thinking_delta":
            piece = string(delta.get("thinking")) or ""
            self.thinking.append(piece)
        elif kind == "input_json_delta":
            piece = string(delta.get("partial_json")) or ""
            self.written.append(piece)
            return bool(piece) and self.start.get("type") == "tool_use"
        else:
            self.others.append(delta)
            return False
        return bool(piece)

    def whole(self) -> dict[str, Json]:
        block = dict(self.start)
        if self.text:
            block["text"] = (string(block.get("text")) or "") + "".join(self.text)
        if self.thinking:
            block["thinking"] = (string(block.get("thinking")) or "") + "".join(self.thinking)
        if self.written:
            block["input"] = arguments("".join(self.written))
        for delta in self.others:
            if delta.get("type") == "signature_delta":
                block["signature"] = (string(block.get("signature")) or "") + (string(delta.get("signature")) or "")
            elif delta.get("type") == "citations_delta":
                block["citations"] = [*items(block.get("citations")), delta.get("citation")]
            else:
                block["deltas"] = [*items(block.get("deltas")), delta]
        return block


def _refused(message: dict[str, Json], provider: str) -> ProviderError:
    details = fields(message.get("stop_details"))
    why = string(details.get("explanation")) or string(details.get("category"))
    return ProviderError(
        "filtered",
        f"the model's safety system refused to answer{f' ({why})' if why else ''}; change the input.",
        provider=provider,
        status=200,
    )


def _system(messages: tuple[Message, ...]) -> Json:
    """Everything said by the system, in front as the API wants it: one text as it is, more as blocks."""
    contents = [message.content for message in messages if message.role == "system" and message.content]
    if len(contents) == 1 and isinstance(contents[0], str):
        return contents[0]
    return [_block(part) for content in contents for part in parts_of(content)]


def _turns(messages: tuple[Message, ...]) -> list[Json]:
    """Turns of user and assistant in alternation: results of tools are the user's, and neighbours are one turn."""
    turns: list[dict[str, Json]] = []
    for message in messages:
        if message.role == "system":
            continue
        role, content = _turn(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = [*_blocks(turns[-1]["content"]), *_blocks(content)]
        else:
            turns.append({"role": role, "content": content})
    return cast("list[Json]", turns)


def _turn(message: Message) -> tuple[str, Json]:
    content = message.content if isinstance(message.content, str) else _blocks(message.content)
    match message.role:
        case "user":
            return "user", content
        case "assistant":
            if not message.tool_calls:
                return "assistant", content
            uses = [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": called(call)}
                for call in message.tool_calls
            ]
            return "assistant", [*_blocks(message.content), *uses]
        case "tool":
            if not message.tool_call_id:
                raise SpecError("a message of role tool needs the tool_call_id of the call it answers.", key="messages")
            return "user", [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": content}]
        case role:
            raise SpecError(f"a message's role is system, user, assistant or tool, not {role!r}.", key="messages")


def _blocks(content: Json) -> list[Json]:
    return [_block(part) for part in parts_of(content)]


def _block(part: Part) -> Json:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        if part.url is not None:
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}
    return part.part


def _tool(given: dict[str, Json]) -> Json:
    tool = None if "input_schema" in given else tool_of(given)
    if tool is None:
        return given
    made: dict[str, Json] = {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
    return {key: value for key, value in {**made, "strict": tool.strict}.items() if value is not None}
