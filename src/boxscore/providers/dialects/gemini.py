"""Google's generateContent, as the Gemini API and Vertex AI both speak it.

Reference: Gemini API, models.generateContent and models.streamGenerateContent.
"""

import mimetypes
from typing import cast
from urllib.parse import quote

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.dialects.content import Image, Part, Text, parts_of, text_of, tool_of
from boxscore.providers.dialects.dialect import Event, Framing
from boxscore.providers.dialects.fields import (
    arguments,
    bad_answer,
    called,
    counted,
    cut,
    fields,
    items,
    overlaid,
    rest,
    string,
    texts,
)
from boxscore.providers.refusals import error_in
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

_CONFIG = {
    "temperature": "temperature",
    "top_p": "topP",
    "max_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "seed": "seed",
}
_REASONS = (
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL"),
)
"""By their numbers, which Vertex writes when it is asked for enumerations as numbers."""

_BLOCKED = {
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
}
_CARRIED = {"candidates", "usageMetadata", "modelVersion"}


class Gemini:
    """The base URL says which of the two it is: `https://generativelanguage.googleapis.com/v1beta`, or Vertex's up to
    `…/publishers/google`. Params beside the common five go into the body as the API has them, so what it keeps in
    `generationConfig` is written there: `{"generationConfig": {"topK": 40}}`. Parts that are neither text nor function
    calls, thought signatures too, are in `extra["parts"]`, each with its `index`."""

    name = "gemini"
    framing: Framing = "sse"

    def path(self, model: str, *, stream: bool) -> str:
        name = quote(model if "/" in model else f"models/{model}", safe="/@")
        return f"/{name}:streamGenerateContent?alt=sse" if stream else f"/{name}:generateContent"

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        params = dict(request.params)
        config = {name: params.pop(key) for key, name in _CONFIG.items() if params.get(key) is not None}
        if "stopSequences" in config:
            config["stopSequences"] = texts(config["stopSequences"])
        if request.output_schema is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": request.output_schema}
        body: dict[str, Json] = {"contents": _contents(request.messages)}
        system = [_part(part) for m in request.messages if m.role == "system" for part in parts_of(m.content)]
        if system:
            body["systemInstruction"] = {"parts": system}
        if tools := _tools(request.tools):
            body["tools"] = tools
        if config:
            body["generationConfig"] = config
        return overlaid(body, params)

    def read(self, body: Json, *, provider: str) -> Response:
        answer = fields(body)
        candidates = items(answer.get("candidates"))
        if not candidates:
            if reason := fields(answer.get("promptFeedback")).get("blockReason"):
                why = string(fields(answer["promptFeedback"]).get("blockReasonMessage"))
                raise _blocked("the prompt", f"{reason}: {why}" if why else str(reason), provider)
            if answer.get("error"):
                raise error_in(body, provider=provider)
            raise bad_answer(
                body, provider=provider, expected="content with candidates", advice="does base_url speak Gemini's API?"
            )
        first = fields(candidates[0])
        output: list[str] = []
        reasoning: list[str] = []
        calls: list[ToolCall] = []
        others: list[Json] = []
        for index, item in enumerate(items(fields(first.get("content")).get("parts"))):
            part = fields(item)
            if isinstance(part.get("text"), str):
                (reasoning if part.get("thought") else output).append(part["text"])
                left = rest(part, {"text", "thought"})
            elif isinstance(part.get("functionCall"), dict):
                call = fields(part["functionCall"])
                name, call_id = string(call.get("name")) or "", string(call.get("id"))
                calls.append(ToolCall(name=name, arguments=fields(call.get("args")), id=call_id))
                left = rest(part, {"functionCall"}) | rest(call, {"name", "id", "args"})
            else:
                left = part or {"value": item}
            if left:
                others.append({"index": index, **left})
        reason = _reason(first.get("finishReason"))
        text = "".join(output)
        if reason in _BLOCKED and not text and not calls:
            why = string(first.get("finishMessage"))
            raise _blocked("the answer", f"{reason}: {why}" if why else str(reason), provider)
        extra = rest(answer, _CARRIED) | rest(first, {"content", "finishReason", "index"})
        if others:
            extra["parts"] = others
        if len(candidates) > 1:
            extra["candidates"] = candidates[1:]
        return Response(
            output=text,
            reasoning="".join(reasoning),
            tool_calls=tuple(calls),
            finish_reason=reason,
            model=string(answer.get("modelVersion")),
            provider=provider,
            usage_raw=answer.get("usageMetadata"),
            extra=extra,
        )

    def assembly(self, *, provider: str) -> "GeminiAssembly":
        return GeminiAssembly(self, provider)


class GeminiAssembly:
    """One streamed answer: every event is a body with some more parts, and the last one says why it ended."""

    def __init__(self, dialect: Gemini, provider: str) -> None:
        self._dialect = dialect
        self._provider = provider
        self._body: dict[str, Json] = {}
        self._first: dict[str, Json] = {}
        self._parts: list[dict[str, Json]] = []
        self._pieces: list[str] = []
        self._others: list[Json] = []

    def feed(self, event: Event) -> bool:
        data = fields(event.data)
        if "error" in data:
            raise error_in(data, provider=self._provider)
        carried = False
        for key, value in data.items():
            if key == "candidates":
                for item in items(value):
                    candidate = fields(item)
                    if candidate.get("index"):
                        self._others.append(item)
                    else:
                        carried |= self._take(candidate)
            elif key == "usageMetadata":
                self._body[key] = counted(self._body.get(key), value)
            else:
                self._body[key] = value
        return carried

    def finish(self) -> Response:
        self._close_text()
        blocked = fields(self._body.get("promptFeedback")).get("blockReason")
        if not self._first.get("finishReason") and not blocked:
            parts = (string(part.get("text")) or "" for part in self._parts if not part.get("thought"))
            raise cut(provider=self._provider, texts=parts, calls=sum("functionCall" in part for part in self._parts))
        candidates: list[Json] = []
        if self._first:
            candidates = [{**self._first, "content": {"parts": self._parts}}, *self._others]
        return self._dialect.read({**self._body, "candidates": candidates}, provider=self._provider)

    def _take(self, candidate: dict[str, Json]) -> bool:
        carried = False
        for key, value in candidate.items():
            if key != "content":
                self._first[key] = value
                continue
            for item in items(fields(value).get("parts")):
                part = fields(item)
                text = part.get("text")
                carried |= bool(text) or "functionCall" in part
                if self._pieces and isinstance(text, str) and _alike(self._parts[-1], part):
                    self._pieces.append(text)
                    continue
                self._close_text()
                self._parts.append(dict(part))
                if isinstance(text, str):
                    self._pieces.append(text)
        return carried

    def _close_text(self) -> None:
        """The text of the part that was open, now that all of it has come."""
        if self._pieces:
            self._parts[-1]["text"] = "".join(self._pieces)
            self._pieces = []


def _alike(open_part: dict[str, Json], part: dict[str, Json]) -> bool:
    """Whether a piece goes on with the part before it: text with text, thought with thought, and nothing else said."""
    return not (rest(open_part, {"text", "thought"}) or rest(part, {"text", "thought"})) and bool(
        open_part.get("thought")
    ) == bool(part.get("thought"))


def _reason(reason: Json) -> str | None:
    if isinstance(reason, int) and 0 <= reason < len(_REASONS):
        return _REASONS[reason]
    return None if reason is None else str(reason)


def _blocked(what: str, why: str, provider: str) -> ProviderError:
    return ProviderError(
        "filtered",
        f"{what} was blocked ({why}); change the input, or safetySettings in the params.",
        provider=provider,
        status=200,
    )


def _contents(messages: tuple[Message, ...]) -> list[Json]:
    """Turns of user and model; neighbours of one role are one turn, because the answers to one turn's calls have to
    come together. A function's answer carries its name, which is that of the call with the message's id."""
    turns: list[dict[str, Json]] = []
    open_calls: list[ToolCall] = []
    for message in messages:
        match message.role:
            case "system":
                continue
            case "user":
                role, parts = "user", [_part(part) for part in parts_of(message.content)]
            case "assistant":
                open_calls += message.tool_calls
                role = "model"
                parts = [_part(part) for part in parts_of(message.content)]
                parts += [{"functionCall": _call(call)} for call in message.tool_calls]
            case "tool":
                role, parts = "user", [{"functionResponse": _answered(message, open_calls)}]
            case unknown:
                raise SpecError(
                    f"a message's role is system, user, assistant or tool, not {unknown!r}.", key="messages"
                )
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    return cast("list[Json]", turns)


def _call(call: ToolCall) -> dict[str, Json]:
    made: dict[str, Json] = {"name": call.name, "args": called(call)}
    return {"id": call.id, **made} if call.id else made


def _answered(message: Message, open_calls: list[ToolCall]) -> dict[str, Json]:
    """By the call's id; calls without ids are answered in their order."""
    wanted = message.tool_call_id
    call = next((call for call in open_calls if wanted and call.id == wanted), None) or next(
        (call for call in open_calls if not call.id), None
    )
    if call is None:
        raise SpecError(f"no earlier call has the id {wanted!r} that a message of role tool answers.", key="messages")
    open_calls.remove(call)
    read = arguments(text_of(message.content))
    answer = fields(read) if isinstance(read, dict) else {"output": read}
    made: dict[str, Json] = {"name": call.name, "response": answer}
    return {"id": call.id, **made} if call.id else made


def _part(part: Part) -> Json:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, Image):
        if part.url is None:
            return {"inlineData": {"mimeType": part.media_type, "data": part.data}}
        media_type = part.media_type or mimetypes.guess_type(part.url.partition("?")[0])[0]
        return {"fileData": {"fileUri": part.url, **({"mimeType": media_type} if media_type else {})}}
    return part.part


def _tools(written: tuple[dict[str, Json], ...]) -> list[Json]:
    """Functions in one declaration list; what only Google knows (`{"googleSearch": {}}`) as it came."""
    functions: list[Json] = []
    others: list[Json] = []
    for item in written:
        tool = tool_of(item) if item.keys() & {"type", "function", "name"} else None
        if tool is None:
            others.append(item)
            continue
        made = {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
        functions.append({key: value for key, value in made.items() if value is not None})
    return [{"functionDeclarations": functions}, *others] if functions else others
