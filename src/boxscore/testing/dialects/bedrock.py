"""Bedrock's Converse and ConverseStream, as AWS's API reference describes them."""

import struct
import zlib
from collections.abc import Iterator, Mapping

from boxscore.providers.response import Response, Usage
from boxscore.testing.dialects.dialect import Asked, arguments_text, error_name, finish, pieces, wire_text
from boxscore.testing.faults import Fault
from boxscore.types import Json

ERRORS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
"""Name of an error by its status."""
STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered"}
_STRING = 7


class BedrockConverse:
    stream_type = "application/vnd.amazon.eventstream"

    def whole(self, asked: Asked, said: Response) -> Json:
        content: list[Json] = []
        if said.reasoning:
            content.append({"reasoningContent": {"reasoningText": {"text": said.reasoning}}})
        if said.output or not said.tool_calls:
            content.append({"text": said.output})
        content += [
            {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}} for call in said.tool_calls
        ]
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": finish(said, STOP),
            "usage": _usage(said),
            "metrics": {"latencyMs": 0},
        }

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        yield message("messageStart", {"role": "assistant"})
        for index, (start, deltas) in enumerate(_blocks(asked, said)):
            if start is not None:
                yield message("contentBlockStart", {"contentBlockIndex": index, "start": start})
            for delta in deltas:
                yield message("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
            yield message("contentBlockStop", {"contentBlockIndex": index})
        yield message("messageStop", {"stopReason": finish(said, STOP)})
        yield message("metadata", {"usage": _usage(said), "metrics": {"latencyMs": 0}})

    def error(self, fault: Fault, asked: Asked) -> Json:
        return {"message": fault.message, "__type": error_name(ERRORS, fault.http_status)}

    def headers(self, asked: Asked) -> dict[str, str]:
        return {"x-amzn-requestid": f"req-fake-{asked.number}"}


def _blocks(asked: Asked, said: Response) -> Iterator[tuple[Json, Iterator[Json]]]:
    """How each content block begins, if it says so, and goes on."""
    if said.reasoning:
        yield None, ({"reasoningContent": {"text": piece}} for piece in pieces(said.reasoning, asked))
    if said.output or not said.tool_calls:
        yield None, ({"text": piece} for piece in pieces(said.output, asked))
    for call in said.tool_calls:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield start, ({"toolUse": {"input": piece}} for piece in pieces(arguments_text(call), asked))


def message(event: str, body: Mapping[str, Json]) -> bytes:
    """One event in AWS's binary framing (application/vnd.amazon.eventstream): lengths, checksum, headers, JSON,
    checksum."""
    payload = wire_text(dict(body)).encode()
    headers = b"".join(
        struct.pack(f"!B{len(name)}sBH{len(value)}s", len(name), name, _STRING, len(value), value)
        for name, value in (
            (b":event-type", event.encode()),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    framed = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return framed + struct.pack("!I", zlib.crc32(framed))


def _usage(said: Response) -> Json:
    """Input leaves out what was read from and written to the cache, unlike our own count."""
    if said.usage_raw is not None:
        return said.usage_raw
    usage = said.usage or Usage()
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    sent, answered = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "inputTokens": sent - read - written,
        "outputTokens": answered,
        "totalTokens": sent + answered,
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": written,
    }
