"""OpenAI's Responses, as their API reference describes them."""

from collections.abc import Iterator

from boxscore.providers.response import Response, Usage
from boxscore.testing.dialects.dialect import Asked, arguments_text, finish, pieces, sse
from boxscore.testing.dialects.openai_chat import OpenAI
from boxscore.types import Json

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is incomplete, by finish reason."""


class OpenAIResponses(OpenAI):
    def whole(self, asked: Asked, said: Response) -> Json:
        reason = INCOMPLETE.get(finish(said, {}))
        return {
            **_head(asked, said),
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": [item for item, _ in _items(asked, said)],
            "usage": responses_usage(said.usage or Usage()) if said.usage_raw is None else said.usage_raw,
        }

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        number = 0

        def event(kind: str, **fields: Json) -> bytes:
            nonlocal number
            number += 1
            return sse({"type": kind, "sequence_number": number - 1, **fields}, kind)

        nothing: Json = {"status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
        begun = _head(asked, said) | nothing
        yield event("response.created", response=begun)
        yield event("response.in_progress", response=begun)
        for index, (item, text) in enumerate(_items(asked, said)):
            at = {"item_id": item["id"], "output_index": index}
            if item["type"] == "message":
                started: Json = {"status": "in_progress", "content": []}
                yield event("response.output_item.added", output_index=index, item=item | started)
                at["content_index"] = 0
                yield event("response.content_part.added", **at, part=_text_part(""))
                for piece in pieces(text, asked):
                    yield event("response.output_text.delta", **at, delta=piece, logprobs=[])
                yield event("response.output_text.done", **at, text=text, logprobs=[])
                yield event("response.content_part.done", **at, part=_text_part(text))
            elif item["type"] == "reasoning":
                at["summary_index"] = 0
                part = item["summary"][0]
                yield event("response.output_item.added", output_index=index, item=item | {"summary": []})
                yield event("response.reasoning_summary_part.added", **at, part=part | {"text": ""})
                for piece in pieces(text, asked):
                    yield event("response.reasoning_summary_text.delta", **at, delta=piece)
                yield event("response.reasoning_summary_text.done", **at, text=text)
                yield event("response.reasoning_summary_part.done", **at, part=part)
            else:
                started = {"status": "in_progress", "arguments": ""}
                yield event("response.output_item.added", output_index=index, item=item | started)
                for piece in pieces(text, asked):
                    yield event("response.function_call_arguments.delta", **at, delta=piece)
                yield event("response.function_call_arguments.done", **at, name=item["name"], arguments=text)
            yield event("response.output_item.done", output_index=index, item=item)
        whole = self.whole(asked, said)
        yield event(f"response.{whole['status']}", response=whole)


def _items(asked: Asked, said: Response) -> Iterator[tuple[dict[str, Json], str]]:
    """The items of the output, each with the text that is streamed of it."""
    if said.reasoning:
        summary = [{"type": "summary_text", "text": said.reasoning}]
        yield {"id": f"rs_fake_{asked.number}", "type": "reasoning", "summary": summary}, said.reasoning
    if said.output or not said.tool_calls:
        yield (
            {
                "id": f"msg_fake_{asked.number}",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [_text_part(said.output)],
            },
            said.output,
        )
    for index, call in enumerate(said.tool_calls):
        text = arguments_text(call)
        yield (
            {
                "id": f"fc_fake_{asked.number}_{index}",
                "type": "function_call",
                "status": "completed",
                "call_id": call.id,
                "name": call.name,
                "arguments": text,
            },
            text,
        )


def _text_part(text: str) -> dict[str, Json]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _head(asked: Asked, said: Response) -> dict[str, Json]:
    return {
        "id": f"resp_fake_{asked.number}",
        "object": "response",
        "created_at": 0,
        "model": said.model,
        "error": None,
        "instructions": asked.body.get("instructions"),
        "metadata": asked.body.get("metadata") or {},
        "parallel_tool_calls": True,
        "temperature": asked.body.get("temperature"),
        "text": asked.body.get("text") or {"format": {"type": "text"}},
        "tool_choice": asked.body.get("tool_choice") or "auto",
        "tools": asked.body.get("tools") or [],
        "top_p": asked.body.get("top_p"),
    }


def responses_usage(usage: Usage) -> dict[str, Json]:
    sent, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": sent,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": usage.output_reasoning_tokens or 0},
        "total_tokens": sent + written,
    }
