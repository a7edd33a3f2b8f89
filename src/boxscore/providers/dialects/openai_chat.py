"""Chat completions as OpenAI defined them and most servers speak them: OpenAI, Azure OpenAI, Groq, Mistral, DeepSeek,
Together, xAI, OpenRouter, vLLM, Ollama, llama.cpp. Reference: OpenAI API, POST /chat/completions, and its stream."""

import json
import re
from typing import cast

from boxscore.errors import ProviderError
from boxscore.providers.dialects.content import tool_of
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.fields import arguments, bad_answer, cut, fields, items, rest, string
from boxscore.providers.dialects.framing import DONE
from boxscore.providers.refusals import error_in
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

WANTS_COMPLETION_TOKENS = re.compile(r"(?:^|[/:])(?:o[1-9](?:-|$)|gpt-(?:[5-9]|[1-9]\d)(?:[.-]|$))")
"""Models of OpenAI that refuse `max_tokens`: to these the limit goes out as `max_completion_tokens`, which counts the
reasoning too. A deployment under another name (Azure) is told so by `max_completion_tokens` in its params."""

_CARRIED = {"object", "choices", "model", "system_fingerprint", "usage"}
_CARRIED_OF_CHOICE = {"index", "message", "finish_reason"}
_CARRIED_OF_MESSAGE = {"role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls", "function_call"}


class OpenAIChat:
    """What is not in `Response` is in `extra`: of the body by its own names, of the first choice in `choice`, of its
    message in `message`, and further choices (`n`) in `choices`. `usage_raw` has the tier of service beside the usage
    where it is not the default one, because prices depend on it."""

    name = "chat"
    framing: Framing = "sse"
    seed_name = "seed"
    asks_usage = True
    """Without it, usage comes at a stream's end unasked, and `stream_options` are not known."""

    def path(self, model: str, *, stream: bool) -> str:
        return "/chat/completions"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        """`params` win over what is derived from the request."""
        params = dict(request.params)
        if "max_tokens" in params and WANTS_COMPLETION_TOKENS.search(request.model):
            params.setdefault("max_completion_tokens", params.pop("max_tokens"))
        if "seed" in params:
            params[self.seed_name] = params.pop("seed")
        body: dict[str, Json] = {
            "model": request.model,
            "messages": [message_of(message) for message in request.messages],
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.output_schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": request.output_schema},
            }
        if stream:
            body["stream"] = True
            if self.asks_usage:
                body["stream_options"] = {"include_usage": True}
        return body | params

    def read(self, body: Json, *, provider: str) -> Response:
        completion = fields(body)
        choices = [fields(choice) for choice in items(completion.get("choices"))]
        if not choices and (completion.get("error") or completion.get("object") == "error"):
            raise error_in(body, provider=provider)
        choices.sort(key=_index)
        choice = choices[0] if choices else {}
        message = fields(choice.get("message"))
        if not message and not choice.get("finish_reason"):  # a choice whose content was filtered has only its reason
            raise bad_answer(
                body,
                provider=provider,
                expected="chat completion, which has choices[0].message",
                advice="is base_url that of an OpenAI-compatible server?",
            )
        if choice.get("error"):
            raise error_in({"error": choice["error"]}, provider=provider)
        output, thought = _text(message.get("content"))
        output = output or string(message.get("refusal")) or ""
        calls = _calls(message)
        if choice.get("finish_reason") == "content_filter" and not output and not calls:
            raise withheld(provider)
        extra = rest(completion, _CARRIED)
        for name, left in (
            ("choice", rest(choice, _CARRIED_OF_CHOICE)),
            ("message", rest(message, _CARRIED_OF_MESSAGE)),
            ("choices", choices[1:]),
        ):
            if left:
                extra[name] = left
        return Response(
            output=output,
            reasoning=string(message.get("reasoning_content")) or string(message.get("reasoning")) or thought,
            tool_calls=calls,
            finish_reason=string(choice.get("finish_reason")),
            model=string(completion.get("model")),
            provider=provider,
            fingerprint=string(completion.get("system_fingerprint")),
            usage_raw=usage_and_tier(completion),
            extra=extra,
        )

    def assembly(self, *, provider: str) -> "OpenAIChatAssembly":
        return OpenAIChatAssembly(self, provider)


class Mistral(OpenAIChat):
    """Chat completions as Mistral has them. Reference: Mistral API, POST /v1/chat/completions."""

    name = "mistral"
    seed_name = "random_seed"
    asks_usage = False


def message_of(message: Message) -> dict[str, Json]:
    """A message in OpenAI's form; its parts go out as they were written."""
    body: dict[str, Json] = {"role": message.role, "content": _content(message.content)}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                **({"id": call.id} if call.id else {}),
                "type": "function",
                "function": {"name": call.name, "arguments": spelled(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        body["tool_call_id"] = message.tool_call_id
    return body


def spelled(written: Json) -> str:
    """A tool call's arguments as text, which is how OpenAI's formats carry them."""
    return written if isinstance(written, str) else json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def withheld(provider: str) -> ProviderError:
    """The error for an answer of which a content filter left nothing."""
    return ProviderError(
        "filtered",
        "its content filter withheld the whole answer; change the input, or the filter's settings there.",
        provider=provider,
        status=200,
    )


def usage_and_tier(body: dict[str, Json]) -> Json:
    """The usage object as it came; with the tier of service beside it where the body names one."""
    usage, tier = body.get("usage") or fields(body.get("x_groq")).get("usage"), body.get("service_tier")
    if not usage or tier in (None, "default", "auto"):
        return usage
    return {"usage": usage, "service_tier": tier}


def _content(content: Json) -> Json:
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return content
    return [_part(part) for part in cast("list[Json]", content)]


def _part(part: Json) -> Json:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if fields(part).get("type") in ("input_text", "output_text"):
        return {"type": "text", "text": fields(part).get("text", "")}
    url = fields(part).get("image_url")
    return {"type": "image_url", "image_url": {"url": url}} if isinstance(url, str) else part


def _tool(tool: dict[str, Json]) -> Json:
    if "function" in tool or "custom" in tool:
        return tool
    function = tool_of(tool)
    if function is None:
        return tool
    said = {"description": function.description, "parameters": function.parameters, "strict": function.strict}
    known = {key: value for key, value in said.items() if value is not None}
    return {"type": "function", "function": {"name": function.name, **known}}


def _index(choice: dict[str, Json]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _text(content: Json) -> tuple[str, str]:
    """The text of a message and, where its parts tell them apart (Mistral), the thinking before it."""
    if isinstance(content, str):
        return content, ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in map(fields, items(content)):
        if part.get("type") == "thinking":
            thought = part.get("thinking")
            thoughts.append(thought if isinstance(thought, str) else _text(thought)[0])
        elif isinstance(part.get("text"), str):
            texts.append(part["text"])
    return "".join(texts), "".join(thoughts)


def _calls(message: dict[str, Json]) -> tuple[ToolCall, ...]:
    calls = [_call(fields(item)) for item in items(message.get("tool_calls"))]
    if isinstance(message.get("function_call"), dict):  # how calls were written before there were tools
        calls.append(_call({"function": message["function_call"]}))
    return tuple(calls)


def _call(call: dict[str, Json]) -> ToolCall:
    call_id = string(call.get("id"))
    if isinstance(call.get("custom"), dict):
        custom = fields(call["custom"])
        return ToolCall(name=string(custom.get("name")) or "", arguments=custom.get("input"), id=call_id)
    function = fields(call.get("function"))
    return ToolCall(name=string(function.get("name")) or "", arguments=arguments(function.get("arguments")), id=call_id)


class OpenAIChatAssembly:
    """One streamed completion. It is put together as the body that would have come unstreamed, and read as that."""

    def __init__(self, dialect: OpenAIChat, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._body: dict[str, Json] = {}
        self._choices: dict[int, _Choice] = {}
        self._done = False

    def feed(self, event: Event) -> bool:
        if event is DONE:
            self._done = True
            return False
        chunk = fields(event.data)
        if chunk.get("error") or chunk.get("object") == "error" or event.name == "error":
            raise error_in(event.data, provider=self._provider)
        told = False
        for key, value in chunk.items():
            if key == "choices":
                for item in items(value):
                    choice = fields(item)
                    told = self._choice(_index(choice)).feed(choice) or told
            elif isinstance(value, dict) and isinstance(self._body.get(key), dict):
                self._body[key] = {**self._body[key], **fields(value)}
            elif value not in (None, ""):
                self._body[key] = value
        return told

    def finish(self) -> Response:
        choices = [self._choices[index] for index in sorted(self._choices)]
        if not self._done and (not choices or choices[0].finish_reason is None):
            calls = len(choices[0].calls) if choices else 0
            raise cut(provider=self._provider, texts=choices[0].text if choices else (), calls=calls)
        whole = {**self._body, "choices": [choice.whole(index) for index, choice in sorted(self._choices.items())]}
        for noise in ("obfuscation", "p"):  # padding of single chunks, against who listens to their lengths
            whole.pop(noise, None)
        return self._dialect.read(whole, provider=self._provider)

    def _choice(self, index: int) -> "_Choice":
        found = self._choices.get(index)
        if found is None:
            found = self._choices[index] = _Choice()
        return found


class _Choice:
    """One choice and its deltas."""

    __slots__ = ("calls", "finish_reason", "message", "others", "parts", "refusal", "text", "thoughts")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.parts: list[Json] = []
        self.refusal: list[str] = []
        self.thoughts: dict[str, list[str]] = {}
        self.calls: list[_Call] = []
        self.message: dict[str, Json] = {}
        self.others: dict[str, Json] = {}
        self.finish_reason: Json = None

    def feed(self, choice: dict[str, Json]) -> bool:
        told = False
        for key, value in choice.items():
            if key == "delta":
                for name, piece in fields(value).items():
                    if piece is not None and piece != "":
                        told = self._delta(name, piece) or told
            elif key == "finish_reason":
                if value is not None:
                    self.finish_reason = value
            elif key != "index" and value not in (None, {}):
                self.others[key] = _joined(self.others.get(key), value) if key == "logprobs" else value
        return told

    def whole(self, index: int) -> dict[str, Json]:
        message = dict(self.message)
        text = "".join(self.text)
        message["content"] = [*self.parts, {"type": "text", "text": text}] if self.parts else text or None
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        message.update({name: "".join(pieces) for name, pieces in self.thoughts.items()})
        if self.calls:
            message["tool_calls"] = [call.whole() for call in self.calls]
        return {"index": index, **self.others, "message": message, "finish_reason": self.finish_reason}

    def _delta(self, name: str, piece: Json) -> bool:
        if name == "content":
            if isinstance(piece, str):
                self.text.append(piece)
            else:
                self._content(piece)
        elif name == "refusal" and isinstance(piece, str):
            self.refusal.append(piece)
        elif name in ("reasoning_content", "reasoning") and isinstance(piece, str):
            self.thoughts.setdefault(name, []).append(piece)
        elif name == "tool_calls":
            for item in items(piece):
                self._call(fields(item))
        elif name == "role":
            self.message["role"] = piece
            return False
        else:
            self.message[name] = _joined(self.message.get(name), piece)
            return name == "function_call"
        return True

    def _content(self, pieces: Json) -> None:
        for piece in items(pieces):
            if fields(piece).get("type") == "text":
                self.text.append(string(fields(piece).get("text")) or "")
            else:
                self.parts.append(piece)

    def _call(self, piece: dict[str, Json]) -> None:
        """Which call a piece belongs to: the one of its index, unless it brings the id of another (some servers give
        every call the index 0); without an index the last one, unless it brings a name."""
        index, call_id = piece.get("index"), piece.get("id")
        new = index is None and not call_id and bool(fields(piece.get("function")).get("name"))
        for call in reversed(() if new else self.calls):
            if (index is None or call.index == index) and (not call_id or call.id in (None, call_id)):
                call.feed(piece)
                return
        call = _Call(index)
        self.calls.append(call)
        call.feed(piece)


class _Call:
    """One tool call and its pieces."""

    __slots__ = ("id", "index", "kind", "name", "written")

    def __init__(self, index: Json) -> None:
        self.index = index
        self.id: Json = None
        self.kind = "function"
        self.name: Json = None
        self.written: list[Json] = []

    def feed(self, piece: dict[str, Json]) -> None:
        self.id = self.id or piece.get("id")
        if "custom" in piece:
            self.kind = "custom"
        inner = fields(piece.get(self.kind))
        self.name = self.name or inner.get("name")
        text = inner.get("input" if self.kind == "custom" else "arguments")
        if text not in (None, ""):
            self.written.append(text)

    def whole(self) -> dict[str, Json]:
        text = "".join(map(spelled, self.written))
        key = "input" if self.kind == "custom" else "arguments"
        return {"id": self.id, "type": self.kind, self.kind: {"name": self.name, key: text}}


def _joined(earlier: Json, later: Json) -> Json:
    """Two pieces of a value as one: text and lists follow each other, objects are joined field by field."""
    if isinstance(earlier, str) and isinstance(later, str):
        return earlier + later
    if isinstance(earlier, list) and isinstance(later, list):
        return [*items(earlier), *items(later)]
    if isinstance(earlier, dict) and isinstance(later, dict):
        both = fields(earlier)
        return {**both, **{key: _joined(both.get(key), value) for key, value in fields(later).items()}}
    return cast("Json", earlier if later is None else later)
