"""Cohere's chat, version 2, and the reading of version 1. Reference: Cohere API, POST /v2/chat and /v1/chat, and their
streams."""

from boxscore.errors import SpecError
from boxscore.providers.dialects.content import tool_of
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.fields import arguments, bad_answer, cut, fields, items, overlaid, rest, string, texts
from boxscore.providers.dialects.openai_chat import message_of
from boxscore.providers.refusals import error_in
from boxscore.providers.request import Request
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

_RENAMED = {"top_p": "p", "stop": "stop_sequences"}
_CARRIED = {"message", "finish_reason", "usage"}
_CARRIED_OF_MESSAGE = {"role", "content", "tool_calls", "tool_plan"}
_CARRIED_V1 = {"text", "finish_reason", "meta", "tool_calls", "chat_history"}


class Cohere:
    """Version 2. `tool_plan` and thinking are reasoning; citations are in `extra["message"]`. The body does not
    name the model that answered."""

    name = "cohere"
    framing: Framing = "sse"

    def path(self, model: str, *, stream: bool) -> str:
        return "/v2/chat"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        params = {_RENAMED.get(key, key): value for key, value in request.params.items()}
        if "stop" in request.params:
            params["stop_sequences"] = texts(params["stop_sequences"])
        body: dict[str, Json] = {
            "model": request.model,
            "messages": [message_of(message) for message in request.messages],
            "stream": stream,
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.output_schema is not None:
            body["response_format"] = {"type": "json_object", "json_schema": request.output_schema}
        return overlaid(body, params)

    def read(self, body: Json, *, provider: str) -> Response:
        answer = fields(body)
        message = fields(answer.get("message"))
        if not message:
            if isinstance(answer.get("message"), str) or answer.get("error"):
                raise error_in(body, provider=provider)
            raise bad_answer(
                body,
                provider=provider,
                expected="answer of Cohere's chat, which has message",
                advice="is base_url that of a server that speaks Cohere's version 2?",
            )
        content = message.get("content")
        parts = [fields(part) for part in items(content)]
        output = content if isinstance(content, str) else "".join(string(part.get("text")) or "" for part in parts)
        thoughts = [string(part.get("thinking")) for part in parts] + [string(message.get("tool_plan"))]
        reason = string(answer.get("finish_reason"))
        calls = tuple(_call(fields(item)) for item in items(message.get("tool_calls")))
        _check(reason, answer, something=bool(output or calls), provider=provider)
        extra = rest(answer, _CARRIED)
        if left := rest(message, _CARRIED_OF_MESSAGE):
            extra["message"] = left
        return Response(
            output=output,
            reasoning="\n\n".join(thought for thought in thoughts if thought),
            tool_calls=calls,
            finish_reason=reason,
            provider=provider,
            usage_raw=answer.get("usage"),
            extra=extra,
        )

    def assembly(self, *, provider: str) -> "CohereAssembly":
        return CohereAssembly(self, provider)


class CohereAssembly:
    """One streamed answer. It is put together as the body that would have come unstreamed, and read as that."""

    def __init__(self, dialect: Cohere, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._body: dict[str, Json] = {}
        self._message: dict[str, Json] = {}
        self._blocks: dict[int, _Block] = {}
        self._calls: dict[int, _Block] = {}
        self._plan: list[str] = []
        self._citations: list[Json] = []
        self._ended = False

    def feed(self, event: Event) -> bool:
        data = fields(event.data)
        kind = data.get("type") or event.name
        delta = fields(data.get("delta"))
        message = fields(delta.get("message"))
        match kind:
            case "content-delta" | "content-start":
                return self._block(self._blocks, data).feed(fields(message.get("content")))
            case "tool-call-start" | "tool-call-delta":
                return self._block(self._calls, data).feed_call(fields(message.get("tool_calls")))
            case "tool-plan-delta":
                self._plan.append(string(message.get("tool_plan")) or "")
                return True
            case "citation-start":
                self._citations.append(message.get("citations"))
            case "message-start":
                self._body = rest(data, {"type", "delta"})
                self._message = dict(message)
            case "message-end":
                self._ended = True
                self._body.update(delta)
            case _ if data.get("error") or kind == "error" or isinstance(data.get("message"), str):
                raise error_in(event.data, provider=self._provider)
            case _:
                pass
        return False

    def finish(self) -> Response:
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        if not self._ended:
            text = (piece for block in blocks for piece in block.pieces)
            raise cut(provider=self._provider, texts=text, calls=len(self._calls))
        message = {**self._message, "content": [block.whole() for block in blocks]}
        if self._plan:
            message["tool_plan"] = "".join(self._plan)
        if self._calls:
            message["tool_calls"] = [self._calls[index].whole_call() for index in sorted(self._calls)]
        if self._citations:
            message["citations"] = self._citations
        return self._dialect.read({**self._body, "message": message}, provider=self._provider)

    def _block(self, blocks: dict[int, "_Block"], data: dict[str, Json]) -> "_Block":
        index = data.get("index")
        return blocks.setdefault(index if isinstance(index, int) else 0, _Block())


class _Block:
    """One block of content or one tool call, and its pieces."""

    __slots__ = ("kind", "pieces", "start")

    def __init__(self) -> None:
        self.kind = "text"
        self.start: dict[str, Json] = {}
        self.pieces: list[str] = []

    def feed(self, content: dict[str, Json]) -> bool:
        if "thinking" in content:
            self.kind = "thinking"
        piece = string(content.get(self.kind)) or ""
        self.pieces.append(piece)
        return bool(piece)

    def whole(self) -> Json:
        return {"type": self.kind, self.kind: "".join(self.pieces)}

    def feed_call(self, call: dict[str, Json]) -> bool:
        self.start = self.start or call
        self.pieces.append(string(fields(call.get("function")).get("arguments")) or "")
        return True

    def whole_call(self) -> Json:
        return {**self.start, "function": {**fields(self.start.get("function")), "arguments": "".join(self.pieces)}}


class CohereV1:
    """Version 1, which Cohere has replaced: read, never asked."""

    name = "cohere-v1"
    framing: Framing = "lines"

    def path(self, model: str, *, stream: bool) -> str:
        return "/v1/chat"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        raise SpecError("Cohere's chat is asked in version 2: write cohere.", key="api")

    def read(self, body: Json, *, provider: str) -> Response:
        answer = fields(body)
        if not isinstance(answer.get("text"), str):
            if answer.get("message") or answer.get("error"):
                raise error_in(body, provider=provider)
            raise bad_answer(
                body,
                provider=provider,
                expected="answer of Cohere's chat, which has text",
                advice="is base_url that of a server that speaks Cohere's version 1?",
            )
        calls = tuple(
            ToolCall(name=string(call.get("name")) or "", arguments=arguments(call.get("parameters")))
            for call in map(fields, items(answer.get("tool_calls")))
        )
        reason = string(answer.get("finish_reason"))
        _check(reason, answer, something=bool(answer["text"] or calls), provider=provider)
        return Response(
            output=answer["text"],
            tool_calls=calls,
            finish_reason=reason,
            provider=provider,
            usage_raw=answer.get("meta"),
            extra=rest(answer, _CARRIED_V1),
        )

    def assembly(self, *, provider: str) -> "CohereV1Assembly":
        return CohereV1Assembly(self, provider)


class CohereV1Assembly:
    """One streamed answer of version 1. Its last event has the whole of it."""

    def __init__(self, dialect: CohereV1, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._text: list[str] = []
        self._end: dict[str, Json] | None = None

    def feed(self, event: Event) -> bool:
        data = fields(event.data)
        match data.get("event_type"):
            case "text-generation":
                self._text.append(string(data.get("text")) or "")
                return bool(data.get("text"))
            case "tool-calls-chunk" | "tool-calls-generation":
                return True
            case "stream-end":
                self._end = data
            case None if data.get("message") or data.get("error"):
                raise error_in(event.data, provider=self._provider)
            case _:
                pass
        return False

    def finish(self) -> Response:
        if self._end is None:
            raise cut(provider=self._provider, texts=self._text, calls=0)
        whole = {**rest(self._end, {"event_type", "is_finished", "response"}), **fields(self._end.get("response"))}
        return self._dialect.read(whole, provider=self._provider)


def _check(reason: str | None, answer: dict[str, Json], *, something: bool, provider: str) -> None:
    """An answer that ended in an error and brought nothing is that error."""
    if not something and reason is not None and (reason.startswith("ERROR") or reason == "TIMEOUT"):
        kind = {"TIMEOUT": "timeout_error", "ERROR_TOXIC": "content_filter", "ERROR_LIMIT": "context_length_exceeded"}
        said = answer.get("error") or f"finish_reason is {reason}"
        raise error_in({"message": said, "code": kind.get(reason)}, provider=provider)


def _tool(tool: dict[str, Json]) -> Json:
    if "function" in tool:
        return tool
    function = tool_of(tool)
    if function is None:
        return tool
    said = {"description": function.description} if function.description is not None else {}
    return {"type": "function", "function": {"name": function.name, **said, "parameters": function.parameters}}


def _call(call: dict[str, Json]) -> ToolCall:
    function = fields(call.get("function"))
    return ToolCall(
        name=string(function.get("name")) or "",
        arguments=arguments(function.get("arguments")),
        id=string(call.get("id")),
    )
