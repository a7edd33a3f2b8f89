"""OpenAI's chat completions, as their API reference describes them and most servers repeat them."""

from collections.abc import Iterator
from typing import Any

from boxscore.providers.response import Response, Usage
from boxscore.testing.dialects.dialect import Asked, arguments_text, error_name, finish, pieces, sse
from boxscore.testing.faults import Fault
from boxscore.types import Json

DONE = b"data: [DONE]\n\n"
ERRORS: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", "engine_overloaded"),
}
"""Type and code of an error by its status."""
CODES = {
    "quota": ("insufficient_quota", "insufficient_quota"),
    "too_long": ("invalid_request_error", "context_length_exceeded"),
    "filtered": ("invalid_request_error", "content_filter"),
}
"""Those that share a status with others, by the kind of fault."""


class OpenAI:
    """What all of OpenAI's endpoints have in common."""

    stream_type = "text/event-stream; charset=utf-8"

    def error(self, fault: Fault, asked: Asked) -> Json:
        kind, code = CODES.get(fault.kind) or error_name(ERRORS, fault.http_status)
        return {"error": {"message": fault.message, "type": kind, "param": None, "code": code}}

    def headers(self, asked: Asked) -> dict[str, str]:
        headers = {"x-request-id": f"req_fake_{asked.number}", "openai-version": "2020-10-01"}
        if (left := asked.left) is not None:
            for what, most, now in (
                ("requests", left.limits.requests, left.requests),
                ("tokens", left.limits.tokens, left.tokens),
            ):
                headers |= {
                    f"x-ratelimit-limit-{what}": str(most),
                    f"x-ratelimit-remaining-{what}": str(now),
                    f"x-ratelimit-reset-{what}": _duration(left.reset_s),
                }
        return headers


class OpenAIChat(OpenAI):
    """Reasoning is shown where DeepSeek and vLLM show it; OpenAI's own models keep it to themselves."""

    def whole(self, asked: Asked, said: Response) -> Json:
        message: dict[str, Json] = {"role": "assistant", "content": said.output, "refusal": None}
        if said.reasoning:
            message["reasoning_content"] = said.reasoning
        if said.tool_calls:
            message["content"] = said.output or None
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}
                for call in said.tool_calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(said, {})}
        return _head(asked, said, "chat.completion") | {"choices": [choice], "usage": _usage(said)}

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        options: Json = asked.body.get("stream_options") or {}
        with_usage = bool(options.get("include_usage"))

        def chunk(delta: dict[str, Json], reason: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
            body = _head(asked, said, "chat.completion.chunk") | {"choices": [choice]}
            return sse(body | {"usage": None} if with_usage else body)

        def call(index: int, fields: dict[str, Json]) -> bytes:
            return chunk({"tool_calls": [{"index": index, **fields}]})

        yield chunk({"role": "assistant", "content": None if said.tool_calls else "", "refusal": None})
        for piece in pieces(said.reasoning, asked):
            yield chunk({"reasoning_content": piece})
        for piece in pieces(said.output, asked):
            yield chunk({"content": piece})
        for index, made in enumerate(said.tool_calls):
            yield call(index, {"id": made.id, "type": "function", "function": {"name": made.name, "arguments": ""}})
            for piece in pieces(arguments_text(made), asked):
                yield call(index, {"function": {"arguments": piece}})
        yield chunk({}, finish(said, {}))
        if with_usage:
            yield sse(_head(asked, said, "chat.completion.chunk") | {"choices": [], "usage": _usage(said)})
        yield DONE


def _head(asked: Asked, said: Response, kind: str) -> dict[str, Json]:
    return {
        "id": f"chatcmpl-fake-{asked.number}",
        "object": kind,
        "created": 0,
        "model": said.model,
        "service_tier": "default",
        "system_fingerprint": said.fingerprint or "fp_fake",
    }


def _usage(said: Response) -> Json:
    return chat_usage(said.usage or Usage()) if said.usage_raw is None else said.usage_raw


def chat_usage(usage: Usage) -> dict[str, Any]:
    sent, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "prompt_tokens": sent,
        "completion_tokens": written,
        "total_tokens": sent + written,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens or 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.output_reasoning_tokens or 0, "audio_tokens": 0},
    }


def _duration(seconds: float) -> str:
    """OpenAI's form: 20ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
