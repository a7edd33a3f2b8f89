"""OpenAI's Responses. Reference: OpenAI API, POST /responses, and its stream."""

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.content import Image, Text, parts_of, tool_of
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.fields import arguments, bad_answer, cut, fields, items, overlaid, rest, string
from boxscore.providers.dialects.openai_chat import spelled, usage_and_tier, withheld
from boxscore.providers.refusals import error_in
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

_ECHOED = """background frequency_penalty include instructions max_output_tokens max_tool_calls metadata moderation
    parallel_tool_calls presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning
    safety_identifier store stream_options temperature text tool_choice tools top_logprobs top_p truncation user"""
"""The body repeats the request; that is not kept again with every answer."""

_CARRIED = {
    *("object", "status", "output", "output_text", "model", "usage", "error", "incomplete_details"),
    *_ECHOED.split(),
}

_NOT_YET = ("queued", "in_progress")


class OpenAIResponses:
    """Turns stay turns (system messages too); calls and their results become items between them. The answer is the text
    of all messages of the output, in order; reasoning is what is shown of it, summaries or text. Items that are
    neither (searches, code, images, approvals), and annotations of texts, are in `extra["output"]`, each with its
    `index`. The finish reason is the status, or why it is incomplete."""

    name = "responses"
    framing: Framing = "sse"

    def path(self, model: str, *, stream: bool) -> str:
        return "/responses"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        params = dict(request.params)
        for unknown in ("stop", "seed"):
            if params.pop(unknown, None) is not None:
                raise SpecError(f"OpenAI's Responses have no {unknown}: leave it out.", key=f"params.{unknown}")
        if "max_tokens" in params:
            params.setdefault("max_output_tokens", params.pop("max_tokens"))
        body: dict[str, Json] = {
            "model": request.model,
            "input": [item for message in request.messages for item in _items_of(message)],
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.output_schema is not None:
            form = {"type": "json_schema", "name": "answer", "strict": True, "schema": request.output_schema}
            body["text"] = {"format": form}
        if stream:
            body["stream"] = True
        return overlaid(body, params)

    def read(self, body: Json, *, provider: str) -> Response:
        answer = fields(body)
        status = string(answer.get("status"))
        if answer.get("error"):
            raise error_in({"error": answer["error"]}, provider=provider)
        if status == "failed" or "output" not in answer:
            raise bad_answer(
                body,
                provider=provider,
                expected="response with output",
                advice="does base_url speak OpenAI's Responses, or chat completions (api: chat)?",
            )
        if status in _NOT_YET:
            raise ProviderError(
                "bad_answer", f"the response is {status}, not made yet; leave background out.", provider=provider
            )
        output: list[str] = []
        reasoning: list[str] = []
        calls: list[ToolCall] = []
        others: list[Json] = []
        for index, element in enumerate(items(answer["output"])):
            item = fields(element)
            match item.get("type"):
                case "message":
                    parts = [fields(part) for part in items(item.get("content"))]
                    output += [string(part.get("text")) or string(part.get("refusal")) or "" for part in parts]
                    noted = [more for part in parts if (more := rest(part, {"type", "text", "refusal"}))]
                    left: dict[str, Json] = {"content": noted} if noted else {}
                case "reasoning":
                    shown = [*items(item.get("summary")), *items(item.get("content"))]
                    reasoning += [string(fields(part).get("text")) or "" for part in shown]
                    left = rest(item, {"id", "type", "summary", "content", "status"})
                case "function_call":
                    calls.append(_call(item, arguments(item.get("arguments"))))
                    left = {}
                case "custom_tool_call":
                    calls.append(_call(item, item.get("input")))
                    left = {}
                case _:
                    left = item or {"value": element}
            if left:
                others.append({"index": index, "type": item.get("type"), **left})
        reason = string(fields(answer.get("incomplete_details")).get("reason")) or status
        if reason == "content_filter" and not any(output) and not calls:
            raise withheld(provider)
        extra = rest(answer, _CARRIED)
        if others:
            extra["output"] = others
        return Response(
            output="".join(output),
            reasoning="\n\n".join(reasoning),
            tool_calls=tuple(calls),
            finish_reason=reason,
            model=string(answer.get("model")),
            provider=provider,
            usage_raw=usage_and_tier(answer),
            extra=extra,
        )

    def assembly(self, *, provider: str) -> "OpenAIResponsesAssembly":
        return OpenAIResponsesAssembly(self, provider)


class OpenAIResponsesAssembly:
    """One streamed response. Its last event has the whole of it; pieces before it tell that it is coming."""

    def __init__(self, dialect: OpenAIResponses, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._whole: dict[str, Json] | None = None
        self._items: dict[int, Json] = {}
        self._text: list[str] = []

    def feed(self, event: Event) -> bool:
        data = fields(event.data)
        kind = string(data.get("type")) or event.name or ""
        if kind.endswith(".delta"):
            piece = data.get("delta")
            if kind == "response.output_text.delta" and isinstance(piece, str):
                self._text.append(piece)
            return bool(piece)
        if kind == "response.output_item.done":
            index = data.get("output_index")
            self._items[index if isinstance(index, int) else len(self._items)] = data.get("item")
        elif kind in ("response.completed", "response.incomplete", "response.failed", "response.cancelled"):
            self._whole = fields(data.get("response"))
            if self._whole.get("error"):
                raise error_in({"error": self._whole["error"]}, provider=self._provider)
        elif kind == "error" or data.get("error"):
            raise error_in(event.data, provider=self._provider)
        return False

    def finish(self) -> Response:
        if self._whole is None:
            calls = sum(fields(item).get("type") == "function_call" for item in self._items.values())
            raise cut(provider=self._provider, texts=self._text, calls=calls)
        whole = self._whole
        if not whole.get("output"):  # some servers leave it empty there
            whole = {**whole, "output": [self._items[index] for index in sorted(self._items)]}
        return self._dialect.read(whole, provider=self._provider)


def _items_of(message: Message) -> list[Json]:
    if message.role == "tool":
        return [
            {"type": "function_call_output", "call_id": message.tool_call_id, "output": _content(message, "input_text")}
        ]
    said: list[Json] = []
    if message.content not in (None, "", []) or not message.tool_calls:
        kind = "output_text" if message.role == "assistant" else "input_text"
        said.append({"role": message.role, "content": _content(message, kind)})
    return said + [
        {
            "type": "function_call",
            "call_id": call.id or call.name,
            "name": call.name,
            "arguments": spelled(call.arguments),
        }
        for call in message.tool_calls
    ]


def _content(message: Message, kind: str) -> Json:
    content = message.content
    if content is None or isinstance(content, str):
        return content or ""
    return [_part(part, kind) for part in parts_of(content)]


def _part(part: Json, kind: str) -> Json:
    if isinstance(part, Text):
        return {"type": kind, "text": part.text}
    if isinstance(part, Image):
        url = part.url or f"data:{part.media_type};base64,{part.data}"
        return {"type": "input_image", "image_url": url}
    return part.part


def _tool(tool: dict[str, Json]) -> Json:
    """A function in this format's flat form. One that says nothing of `strict` is not strict, as in chat completions;
    here the provider would take it for strict."""
    function = tool_of(tool)
    if function is None or ("name" in tool and "parameters" in tool):
        return tool
    said = {"description": function.description} if function.description is not None else {}
    return {
        "type": "function",
        "name": function.name,
        **said,
        "parameters": function.parameters,
        "strict": bool(function.strict),
    }


def _call(item: dict[str, Json], given: Json) -> ToolCall:
    return ToolCall(name=string(item.get("name")) or "", arguments=given, id=string(item.get("call_id")))
