"""Bodies of Bedrock's InvokeModel, each in the form of the model's maker: for reading what was recorded.

To ask a model use Converse (`boxscore.providers.dialects.bedrock`), which has one form for all of them.
Reference: Amazon Bedrock user guide, "Inference request parameters and response fields for foundation models".
"""

from collections.abc import Mapping
from typing import NamedTuple

from boxscore.errors import ProviderError
from boxscore.providers.dialects.anthropic import Anthropic
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.dialects.fields import arguments, bad_answer, fields, items, rest, string
from boxscore.providers.dialects.openai_chat import OpenAIChat
from boxscore.providers.refusals import error_in
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

Path = tuple[str | int, ...]


class _Shape(NamedTuple):
    """Where a maker puts the answer and the reason for its end, and which fields hold its counts."""

    text: Path
    reason: Path
    usage: tuple[str, ...] = ()


_SHAPES: dict[str, _Shape] = {
    "completion": _Shape(("completion",), ("stop_reason",)),  # Claude before its messages
    "results": _Shape(  # Titan
        ("results", 0, "outputText"), ("results", 0, "completionReason"), ("inputTextTokenCount", "results")
    ),
    "generation": _Shape(  # Llama
        ("generation",), ("stop_reason",), ("prompt_token_count", "generation_token_count")
    ),
    "outputs": _Shape(("outputs", 0, "text"), ("outputs", 0, "stop_reason")),  # Mistral
    "generations": _Shape(("generations", 0, "text"), ("generations", 0, "finish_reason")),  # Command
    "completions": _Shape(("completions", 0, "data", "text"), ("completions", 0, "finishReason", "reason")),  # J2
    "choices": _Shape(("choices", 0, "text"), ("choices", 0, "finish_reason")),  # completions of OpenAI's form
    "text": _Shape(("text",), ("finish_reason",)),  # Command R
}
"""By the field that tells them apart."""

_CARRIED = {"model", "system_fingerprint", "usage", "tool_calls"}
_BLOCKED = {"CONTENT_FILTERED", "ERROR_TOXIC"}
_COUNTS = {
    "inputTokens": "x-amzn-bedrock-input-token-count",
    "outputTokens": "x-amzn-bedrock-output-token-count",
}


class BedrockInvoke:
    """Knows by its shape whose body it is: Claude's messages and completions, Nova, Titan, Llama, Mistral, Command and
    Command R, Jurassic-2, and whoever answers like OpenAI."""

    name = "invoke"

    def read(self, body: Json, *, provider: str, headers: Mapping[str, str] | None = None) -> Response:
        """As `Dialect.read`. Models that count nothing in the body do in the answer's `headers` (names in lower case);
        their usage is then in Converse's form."""
        answer = fields(body)
        if "content" in answer:
            return Anthropic().read(body, provider=provider)
        if isinstance(answer.get("output"), dict):
            return Bedrock().read(body, provider=provider)
        if isinstance(_at(answer, ("choices", 0, "message")), dict):
            return OpenAIChat().read(body, provider=provider)
        key = next((key for key in _SHAPES if key in answer), None)
        text = None if key is None else string(_at(answer, _SHAPES[key].text))
        if key is None or text is None:
            if answer.keys() & {"message", "__type", "error"}:
                raise error_in(body, provider=provider)
            raise bad_answer(
                body, provider=provider, expected="answer of a known model", advice="is it one of InvokeModel?"
            )
        shape = _SHAPES[key]
        calls = [fields(call) for call in items(answer.get("tool_calls"))]
        reason = string(_at(answer, shape.reason))
        if reason in _BLOCKED and not text and not calls:
            raise ProviderError(
                "filtered", f"the answer was blocked ({reason}); change the input.", provider=provider, status=200
            )
        carried = {*_CARRIED, str(shape.text[0]), str(shape.reason[0]), *shape.usage}
        if _says_more(answer, shape):
            carried.discard(str(shape.text[0]))
        return Response(
            output=text,
            tool_calls=tuple(
                ToolCall(name=string(call.get("name")) or "", arguments=arguments(call.get("parameters")))
                for call in calls
            ),
            finish_reason=reason,
            model=string(answer.get("model")),
            provider=provider,
            fingerprint=string(answer.get("system_fingerprint")),
            usage_raw=answer.get("usage") or _usage(answer, shape) or _counted(headers or {}),
            extra=rest(answer, carried),
        )


def _at(value: Json, path: Path) -> Json:
    for step in path:
        if isinstance(step, int):
            listed = items(value)
            value = listed[step] if step < len(listed) else None
        else:
            value = fields(value).get(step)
    return value


def _says_more(answer: dict[str, Json], shape: _Shape) -> bool:
    """Whether there is more where the text stands: other answers, probabilities, tokens."""
    listed = items(answer.get(str(shape.text[0])))
    known = {str(path[2]) for path in (shape.text, shape.reason) if len(path) == 3} | {"index", "tokenCount"}
    return len(listed) > 1 or any(rest(fields(item), known) for item in listed)


def _usage(answer: dict[str, Json], shape: _Shape) -> Json:
    found = {key: answer.get(key) for key in shape.usage}
    if "results" in found:
        found["results"] = [{"tokenCount": fields(result).get("tokenCount")} for result in items(found["results"])]
    return found if found and None not in found.values() else None


def _counted(headers: Mapping[str, str]) -> Json:
    found = {name: int(headers[header]) for name, header in _COUNTS.items() if headers.get(header, "").isdecimal()}
    return found or None
