"""Cohere's chat, version 2, as their API reference describes it."""

from collections.abc import Iterator

from boxscore.providers.response import Response, Usage
from boxscore.testing.dialects.dialect import Asked, arguments_text, finish, pieces, sse
from boxscore.testing.faults import Fault
from boxscore.types import Json

FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR"}


class Cohere:
    stream_type = "text/event-stream"

    def whole(self, asked: Asked, said: Response) -> Json:
        message: dict[str, Json] = {"role": "assistant"}
        if parts := _parts(said):
            message["content"] = [{"type": kind, kind: text} for kind, text in parts]
        if said.tool_calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}
                for call in said.tool_calls
            ]
        return {"id": _id(asked), "message": message} | _end(said)

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        def event(kind: str, message: dict[str, Json] | None = None, **fields: Json) -> bytes:
            delta = {} if message is None else {"delta": {"message": message}}
            return sse({"type": kind, **fields, **delta}, kind)

        yield event("message-start", {"role": "assistant", "content": [], "tool_calls": []}, id=_id(asked))
        for index, (kind, text) in enumerate(_parts(said)):
            yield event("content-start", {"content": {"type": kind, kind: ""}}, index=index)
            for piece in pieces(text, asked):
                yield event("content-delta", {"content": {kind: piece}}, index=index)
            yield event("content-end", index=index)
        for index, call in enumerate(said.tool_calls):
            function = {"name": call.name, "arguments": ""}
            yield event(
                "tool-call-start",
                {"tool_calls": {"id": call.id, "type": "function", "function": function}},
                index=index,
            )
            for piece in pieces(arguments_text(call), asked):
                yield event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=index)
            yield event("tool-call-end", index=index)
        yield sse({"type": "message-end", "id": _id(asked), "delta": _end(said)}, "message-end")

    def error(self, fault: Fault, asked: Asked) -> Json:
        return {"id": _id(asked), "message": fault.message}

    def headers(self, asked: Asked) -> dict[str, str]:
        return {"x-debug-trace-id": _id(asked)}


def _parts(said: Response) -> list[tuple[str, str]]:
    thought = [("thinking", said.reasoning)] if said.reasoning else []
    return thought + ([("text", said.output)] if said.output or not said.tool_calls else [])


def _id(asked: Asked) -> str:
    return f"fake-{asked.number}"


def _end(said: Response) -> dict[str, Json]:
    usage = said.usage or Usage()
    counted = {"input_tokens": usage.input_tokens or 0, "output_tokens": usage.output_tokens or 0}
    made: Json = {"billed_units": counted, "tokens": counted}
    if usage.cache_read_tokens is not None:
        made["cached_tokens"] = usage.cache_read_tokens
    return {"finish_reason": finish(said, FINISH), "usage": made if said.usage_raw is None else said.usage_raw}
