"""Amazon Bedrock's Converse. Reference: Amazon Bedrock Runtime API, Converse and ConverseStream."""

import json
from typing import cast
from urllib.parse import quote

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.anthropic import BEFORE_STRUCTURED_OUTPUT
from boxscore.providers.dialects.content import Image, Part, Text, parts_of, tool_of
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.fields import (
    ANSWER_TOOL,
    arguments,
    bad_answer,
    called,
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

_CONFIG = {"temperature": "temperature", "top_p": "topP", "max_tokens": "maxTokens", "stop": "stopSequences"}
_MEMBERS = {
    *("inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields", "promptVariables"),
    *("additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier", "outputConfig"),
    *("system", "messages"),
}
_CARRIED = {"output", "stopReason", "usage"}


class Bedrock:
    """Params that are no member of Converse are the model's own and go into `additionalModelRequestFields`.
    `output_schema` goes out as `outputConfig`, or, to Amazon's models and Claudes that lack it, as a tool that they
    have to call. Blocks that are neither text, reasoning nor tool calls are in `extra["content"]`, each with its
    `index`. The body names no model: the response's is that of a prompt router, else None."""

    name = "converse"
    framing: Framing = "eventstream"

    def path(self, model: str, *, stream: bool) -> str:
        return f"/model/{quote(model, safe='')}/{'converse-stream' if stream else 'converse'}"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        params = dict(request.params)
        config = {name: params.pop(key) for key, name in _CONFIG.items() if params.get(key) is not None}
        if "stopSequences" in config:
            config["stopSequences"] = texts(config["stopSequences"])
        body: dict[str, Json] = {"messages": _turns(request.messages)}
        if system := [_block(part) for m in request.messages if m.role == "system" for part in parts_of(m.content)]:
            body["system"] = system
        if config:
            body["inferenceConfig"] = config
        if request.tools:
            body["toolConfig"] = {"tools": [_tool(tool) for tool in request.tools]}
        if request.output_schema is not None:
            _ask_for(request.output_schema, request.model, body)
        if own := {key: params.pop(key) for key in list(params) if key not in _MEMBERS}:
            body["additionalModelRequestFields"] = own
        return overlaid(body, params)

    def read(self, body: Json, *, provider: str) -> Response:
        answer = fields(body)
        message = fields(answer.get("output")).get("message")
        if not isinstance(message, dict):
            if answer.keys() & {"message", "__type", "error"}:
                raise error_in(body, provider=provider)
            raise bad_answer(
                body, provider=provider, expected="output.message", advice="does base_url speak Bedrock's Converse?"
            )
        output: list[str] = []
        reasoning: list[str] = []
        calls: list[ToolCall] = []
        others: list[Json] = []
        for index, item in enumerate(items(fields(message).get("content"))):
            block = fields(item)
            if "text" in block:
                output.append(string(block["text"]) or "")
                left = rest(block, {"text"})
            elif "reasoningContent" in block:
                thought = fields(block["reasoningContent"])
                shown = fields(thought.get("reasoningText"))
                reasoning.append(string(shown.get("text")) or "")
                left = rest(shown, {"text"}) | rest(thought, {"reasoningText"})
                left = {"reasoningContent": left} if left else {}
            elif "toolUse" in block and "type" not in fields(block["toolUse"]):
                use = fields(block["toolUse"])
                if use.get("name") == ANSWER_TOOL:
                    output.append(written(use.get("input")))
                else:
                    name, call_id = string(use.get("name")) or "", string(use.get("toolUseId"))
                    calls.append(ToolCall(name=name, arguments=arguments(use.get("input")), id=call_id))
                left = rest(use, {"toolUseId", "name", "input"})
            elif "citationsContent" in block:
                cited = items(fields(block["citationsContent"]).get("content"))
                output += (string(fields(piece).get("text")) or "" for piece in cited)
                left = {"citationsContent": rest(fields(block["citationsContent"]), {"content"})}
            else:
                left = block or {"value": item}
            if left:
                others.append({"index": index, **left})
        text = "".join(output)
        reason = string(answer.get("stopReason"))
        if reason == "content_filtered" and not text and not calls:
            raise ProviderError(
                "filtered",
                "the answer was blocked by the content filter; change the input.",
                provider=provider,
                status=200,
            )
        extra = rest(answer, _CARRIED)
        if others:
            extra["content"] = others
        router = fields(fields(answer.get("trace")).get("promptRouter"))
        return Response(
            output=text,
            reasoning="".join(reasoning),
            tool_calls=tuple(calls),
            finish_reason=reason,
            model=string(router.get("invokedModelId")),
            provider=provider,
            usage_raw=_usage(answer),
            extra=extra,
        )

    def assembly(self, *, provider: str) -> "BedrockAssembly":
        return BedrockAssembly(self, provider)


class BedrockAssembly:
    """One streamed answer, put together as the body that would have come unstreamed, and read as that."""

    def __init__(self, dialect: Bedrock, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._body: dict[str, Json] = {}
        self._blocks: dict[int, _Block] = {}
        self._events: list[Json] = []

    def feed(self, event: Event) -> bool:
        data = fields(event.data)
        match event.name:
            case "contentBlockDelta":
                return self._block(data).feed(fields(data.get("delta")))
            case "contentBlockStart":
                block = self._block(data)
                block.start = fields(data.get("start"))
                return "toolUse" in block.start and "type" not in fields(block.start["toolUse"])
            case "messageStop" | "metadata":
                self._body.update({key: value for key, value in data.items() if key != "p"})
            case "messageStart" | "contentBlockStop":
                pass
            case str() as name if name.lower().endswith("exception") or name == "error":
                status = 400 if name == "validationException" else None
                raise error_in({"__type": name, **data}, provider=self._provider, status=status)
            case name:
                self._events.append({"event": name, "data": event.data})
        return False

    def finish(self) -> Response:
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        if "stopReason" not in self._body:
            calls = sum("toolUse" in block.start for block in blocks)
            raise cut(provider=self._provider, texts=(text for block in blocks for text in block.text), calls=calls)
        message = {"content": [whole for block in blocks for whole in block.whole()]}
        body = {**self._body, "output": {"message": message}}
        if self._events:
            body["events"] = self._events
        return self._dialect.read(body, provider=self._provider)

    def _block(self, data: dict[str, Json]) -> "_Block":
        index = position(data.get("contentBlockIndex"))
        found = self._blocks.get(index)
        if found is None:
            found = self._blocks[index] = _Block()
        return found


class _Block:
    """One content block and its deltas."""

    __slots__ = ("citations", "input", "others", "start", "text", "thought")

    def __init__(self) -> None:
        self.start: dict[str, Json] = {}
        self.text: list[str] = []
        self.input: list[str] = []
        self.thought: dict[str, list[str]] = {}
        self.citations: list[Json] = []
        self.others: list[Json] = []

    def feed(self, delta: dict[str, Json]) -> bool:
        if "text" in delta:
            piece = string(delta["text"]) or ""
            self.text.append(piece)
            return bool(piece)
        if "toolUse" in delta:
            piece = string(fields(delta["toolUse"]).get("input")) or ""
            self.input.append(piece)
            return bool(piece)
        if "reasoningContent" in delta:
            thought = fields(delta["reasoningContent"])
            for key in ("text", "signature", "redactedContent"):
                if isinstance(thought.get(key), str):
                    self.thought.setdefault(key, []).append(thought[key])
            return bool(thought.get("text"))
        if "citation" in delta:
            self.citations.append(delta["citation"])
        else:
            self.others.append(delta)
        return False

    def whole(self) -> list[Json]:
        """The block as Converse gives it in one piece; what is of no known kind stays as it came."""
        made: list[Json] = []
        text = "".join(self.text)
        if self.citations:
            made.append({"citationsContent": {"content": [{"text": text}], "citations": self.citations}})
        elif self.text:
            made.append({"text": text})
        if self.thought:
            thought: dict[str, Json] = {key: "".join(pieces) for key, pieces in self.thought.items()}
            shown = {key: thought.pop(key) for key in ("text", "signature") if key in thought}
            made.append({"reasoningContent": {"reasoningText": shown, **thought} if shown else thought})
        if "toolUse" in self.start:
            made.append({"toolUse": {**fields(self.start["toolUse"]), "input": arguments("".join(self.input))}})
        elif self.start:
            made.append({**self.start, "deltas": self.others} if self.others else self.start)
        elif self.others:
            made.append({"deltas": self.others})
        return made


def _usage(answer: dict[str, Json]) -> Json:
    """The usage as it came, with the tier beside it where there is one, because prices depend on it."""
    usage, tier = answer.get("usage"), fields(answer.get("serviceTier")).get("type")
    if usage is None or tier in (None, "default"):
        return usage
    return {"usage": usage, "service_tier": tier}


def _ask_for(schema: Json, model: str, body: dict[str, Json]) -> None:
    if BEFORE_STRUCTURED_OUTPUT.search(model) or "amazon." in model:
        tool: Json = {"toolSpec": {"name": ANSWER_TOOL, "inputSchema": {"json": schema}}}
        tools = items(fields(body.get("toolConfig")).get("tools"))
        body["toolConfig"] = {"tools": [*tools, tool], "toolChoice": {"tool": {"name": ANSWER_TOOL}}}
        return
    described = {"name": "answer", "schema": json.dumps(schema)}
    body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": described}}}


def _turns(messages: tuple[Message, ...]) -> list[Json]:
    """Turns of user and assistant in alternation: results of tools are the user's, and neighbours are one turn."""
    turns: list[dict[str, Json]] = []
    for message in messages:
        content = [_block(part) for part in parts_of(message.content)]
        match message.role:
            case "system":
                continue
            case "user":
                role = "user"
            case "assistant":
                role = "assistant"
                content += [
                    {"toolUse": {"toolUseId": call.id, "name": call.name, "input": called(call)}}
                    for call in message.tool_calls
                ]
            case "tool" if message.tool_call_id:
                role = "user"
                content = [{"toolResult": {"toolUseId": message.tool_call_id, "content": content}}]
            case "tool":
                raise SpecError("a message of role tool needs the tool_call_id of the call it answers.", key="messages")
            case unknown:
                raise SpecError(
                    f"a message's role is system, user, assistant or tool, not {unknown!r}.", key="messages"
                )
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += content
        else:
            turns.append({"role": role, "content": content})
    return cast("list[Json]", turns)


def _block(part: Part) -> Json:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, Image):
        if part.url is not None and not part.url.startswith("s3://"):
            raise SpecError(
                "Bedrock reads no image from the web: give it as a data: URL, or as s3://….", key="messages"
            )
        if part.url is not None:
            form = part.url.rpartition(".")[2].lower().replace("jpg", "jpeg")
            return {"image": {"format": form, "source": {"s3Location": {"uri": part.url}}}}
        form = (part.media_type or "image/png").rpartition("/")[2].replace("jpg", "jpeg")
        return {"image": {"format": form, "source": {"bytes": part.data}}}
    return part.part


def _tool(given: dict[str, Json]) -> Json:
    tool = tool_of(given) if given.keys() & {"type", "function", "name"} else None
    if tool is None:
        return given
    made: dict[str, Json] = {"name": tool.name, "inputSchema": {"json": tool.parameters}}
    if tool.description:
        made["description"] = tool.description
    if tool.strict is not None:
        made["strict"] = tool.strict
    return {"toolSpec": made}
