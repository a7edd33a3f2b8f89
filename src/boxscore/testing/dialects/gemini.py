"""Google's generateContent and streamGenerateContent, as the Gemini API reference describes them."""

from collections.abc import Iterator

from boxscore.providers.response import Response, Usage
from boxscore.testing.dialects.dialect import Asked, error_name, finish, pieces, sse
from boxscore.testing.faults import Fault
from boxscore.types import Json

ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Status word of an error by its HTTP status."""
FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}


class Gemini:
    stream_type = "text/event-stream"

    def whole(self, asked: Asked, said: Response) -> Json:
        thought: list[Json] = [{"text": said.reasoning, "thought": True}] if said.reasoning else []
        text: list[Json] = [{"text": said.output}] if said.output or not said.tool_calls else []
        return _answer(asked, said, thought + text + _calls(said), ends=True)

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        for piece in pieces(said.reasoning, asked):
            yield sse(_answer(asked, said, [{"text": piece, "thought": True}]))
        for piece in pieces(said.output, asked):
            yield sse(_answer(asked, said, [{"text": piece}]))
        yield sse(_answer(asked, said, _calls(said) or [{"text": ""}], ends=True))

    def error(self, fault: Fault, asked: Asked) -> Json:
        status = fault.http_status
        return {"error": {"code": status, "message": fault.message, "status": error_name(ERRORS, status)}}

    def headers(self, asked: Asked) -> dict[str, str]:
        return {"x-goog-request-id": f"req_fake_{asked.number}"}


def _calls(said: Response) -> list[Json]:
    return [{"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}} for call in said.tool_calls]


def _answer(asked: Asked, said: Response, parts: list[Json], *, ends: bool = False) -> Json:
    candidate: dict[str, Json] = {"index": 0, "content": {"role": "model", "parts": parts}}
    answer: dict[str, Json] = {
        "candidates": [candidate],
        "modelVersion": said.model,
        "responseId": f"resp_fake_{asked.number}",
    }
    if ends:
        candidate["finishReason"] = finish(said, FINISH)
        answer["usageMetadata"] = _usage(said.usage or Usage()) if said.usage_raw is None else said.usage_raw
    return answer


def _usage(usage: Usage) -> dict[str, Json]:
    """What was thought counts apart from what was said."""
    sent, written, thought = usage.input_tokens or 0, usage.output_tokens or 0, usage.output_reasoning_tokens or 0
    counted = {
        "promptTokenCount": sent,
        "candidatesTokenCount": written - thought,
        "totalTokenCount": sent + written,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "thoughtsTokenCount": usage.output_reasoning_tokens,
    }
    return {name: count for name, count in counted.items() if count is not None}
