"""Anthropic's messages, as their API reference describes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from boxscore.providers.response import Response, Usage
from boxscore.testing.dialects.dialect import (
    Asked,
    arguments_text,
    counted_tokens,
    error_name,
    finish,
    pieces,
    sse,
)
from boxscore.testing.faults import Fault
from boxscore.types import Json

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Type of an error by its status."""
STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_SIGNATURE = "ZmFrZQ=="
"""Of thinking; what it signs is the service's secret."""


class AnthropicMessages:
    stream_type = "text/event-stream; charset=utf-8"

    def whole(self, asked: Asked, said: Response) -> Json:
        content = [block.whole for block in _blocks(asked, said)]
        return _head(asked, said) | {"content": content, "stop_reason": finish(said, STOP), "usage": _usage(said)}

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        usage = _usage(said)

        def event(kind: str, **fields: Json) -> bytes:
            return sse({"type": kind, **fields}, kind)

        begun = usage | {"output_tokens": min(1, usage.get("output_tokens", 0))}  # the rest comes at the end
        started: Json = {"content": [], "stop_reason": None, "usage": begun}
        yield event("message_start", message=_head(asked, said) | started)
        for index, block in enumerate(_blocks(asked, said)):
            yield event("content_block_start", index=index, content_block=block.start)
            if index == 0:
                yield event("ping")
            for delta in block.deltas:
                yield event("content_block_delta", index=index, delta=delta)
            yield event("content_block_stop", index=index)
        yield event("message_delta", delta={"stop_reason": finish(said, STOP), "stop_sequence": None}, usage=usage)
        yield event("message_stop")

    def error(self, fault: Fault, asked: Asked) -> Json:
        kind = "billing_error" if fault.kind == "quota" else error_name(ERRORS, fault.http_status)
        error = {"type": kind, "message": fault.message}
        return {"type": "error", "error": error, "request_id": _request_id(asked)}

    def headers(self, asked: Asked) -> dict[str, str]:
        headers = {"request-id": _request_id(asked)}
        if (left := asked.left) is not None:
            reset = (datetime.now(UTC) + timedelta(seconds=left.reset_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
            for what, most, now in (
                ("requests", left.limits.requests, left.requests),
                ("tokens", left.limits.tokens, left.tokens),
            ):
                name = f"anthropic-ratelimit-{what}"
                headers |= {f"{name}-limit": str(most), f"{name}-remaining": str(now), f"{name}-reset": reset}
        return headers


class AnthropicTokenCount(AnthropicMessages):
    """What a request would take in; of a script only faults and raw bodies matter."""

    def whole(self, asked: Asked, said: Response) -> Json:
        return {"input_tokens": counted_tokens(asked)}


class _Block(NamedTuple):
    """A content block: whole, and as its stream begins and goes on."""

    whole: Json
    start: Json
    deltas: Iterator[Json]


def _blocks(asked: Asked, said: Response) -> Iterator[_Block]:
    if said.reasoning:
        thinking = {"type": "thinking", "thinking": said.reasoning, "signature": _SIGNATURE}
        yield _Block(thinking, thinking | {"thinking": "", "signature": ""}, _thoughts(asked, said))
    if said.output or not said.tool_calls:
        text = {"type": "text", "text": said.output}
        yield _Block(text, text | {"text": ""}, ({"type": "text_delta", "text": p} for p in pieces(said.output, asked)))
    for call in said.tool_calls:
        use = {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        written = ("", *pieces(arguments_text(call), asked))  # the first piece is empty at the service too
        yield _Block(use, use | {"input": {}}, ({"type": "input_json_delta", "partial_json": p} for p in written))


def _thoughts(asked: Asked, said: Response) -> Iterator[Json]:
    for piece in pieces(said.reasoning, asked):
        yield {"type": "thinking_delta", "thinking": piece}
    yield {"type": "signature_delta", "signature": _SIGNATURE}


def _request_id(asked: Asked) -> str:
    return f"req_fake_{asked.number}"


def _head(asked: Asked, said: Response) -> dict[str, Json]:
    return {
        "id": f"msg_fake_{asked.number}",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "stop_sequence": None,
    }


def _usage(said: Response) -> Json:
    """Input leaves out what was read from and written to the cache, unlike our own count."""
    if said.usage_raw is not None:
        return said.usage_raw
    usage = said.usage or Usage()
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    return {
        "input_tokens": (usage.input_tokens or 0) - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
        "service_tier": "standard",
    }
