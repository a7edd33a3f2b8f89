"""Chat completions as OpenAI defined them and most servers speak them: OpenAI, vLLM, Ollama, llama.cpp, gateways."""

import asyncio
import json
from collections.abc import Mapping
from typing import cast

import msgspec

from boxscore.errors import ProviderError
from boxscore.providers.refusals import parsed, refusal
from boxscore.providers.request import Request
from boxscore.providers.response import Response, ToolCall
from boxscore.providers.retry import Sleep, retried
from boxscore.providers.transport import HttpTransport, Reply, Transport, check_url
from boxscore.types import Json

BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "vllm": "http://127.0.0.1:8000/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
"""Where the known names listen when a spec says nothing else."""


class OpenAIProvider:
    """Any OpenAI-compatible endpoint. `name` is who is asked, as prices and errors call it; `api_key` is sent as a
    bearer token and never shown. Reference: OpenAI API, POST /chat/completions."""

    def __init__(
        self,
        *,
        name: str = "openai",
        base_url: str | None = None,
        api_key: str | None = None,
        transport: Transport | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.name = name
        self.base_url = check_url(base_url or BASE_URLS.get(name, ""), key="base_url")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._transport = transport or HttpTransport()
        self._sleep = sleep

    def where(self, model: str) -> str | None:
        return self.base_url

    async def complete(self, request: Request) -> Response:
        """Answers, or raises `ProviderError`. Rate limits and refused connections are tried again."""
        body = json.dumps(body_of(request)).encode()
        reply = await retried(lambda: self._post(body), sleep=self._sleep)
        return read(parsed(reply, self.name), provider=self.name, latency_s=reply.wall_s)

    async def close(self) -> None:
        await self._transport.close()

    async def _post(self, body: bytes) -> Reply:
        reply = await self._transport.post(
            f"{self.base_url}/chat/completions", body, headers=self._headers, name=self.name
        )
        if error := refusal(_with_status(reply), self.name):
            raise error
        return reply

    def __repr__(self) -> str:
        return f"OpenAIProvider(name={self.name!r}, base_url={self.base_url!r})"


def _with_status(reply: Reply) -> Reply:
    """Some proxies answer 200 with an error inside: then its code is the status."""
    if reply.status != 200 or b'"error"' not in reply.body[:2_000]:
        return reply
    try:
        body = _object(json.loads(reply.body))
    except ValueError:
        return reply
    if body.get("choices") or not body.get("error"):
        return reply
    code = _object(body["error"]).get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 400
    return msgspec.structs.replace(reply, status=status)


def body_of(request: Request) -> dict[str, Json]:
    """The request in the wire format; `params` go as they are and win over what is derived."""
    body: dict[str, Json] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
    }
    if request.tools:
        body["tools"] = list(request.tools)
    if request.output_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": request.output_schema},
        }
    return body | request.params


def read(body: Json, *, provider: str, latency_s: float | None = None) -> Response:
    """The response in a chat completion's body; a body of another shape is a `ProviderError` of kind bad_answer."""
    fields = _object(body)
    choices = fields.get("choices")
    first = _object(cast("list[Json]", choices)[0] if isinstance(choices, list) and choices else None)
    message = _object(first.get("message"))
    if not message:
        raise ProviderError(
            "bad_answer",
            f"the answer is no chat completion: it has {_names(fields)} and no choices[0].message; "
            "is base_url that of an OpenAI-compatible server?",
            provider=provider,
        )
    return Response(
        output=_text(message),
        tool_calls=tuple(_tool_calls(message.get("tool_calls"))),
        finish_reason=_str(first.get("finish_reason")),
        model=_str(fields.get("model")),
        provider=provider,
        fingerprint=_str(fields.get("system_fingerprint")),
        usage_raw=_usage(fields),
        latency_s=latency_s,
    )


def _text(message: Mapping[str, Json]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        parts = [_object(part) for part in cast("list[Json]", content)]
        return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
    if content is None:
        return _str(message.get("refusal")) or ""
    return content if isinstance(content, str) else json.dumps(content)


def _tool_calls(calls: Json) -> "list[ToolCall]":
    found: list[ToolCall] = []
    for item in cast("list[Json]", calls) if isinstance(calls, list) else []:
        call = _object(item)
        function = _object(call.get("function"))
        found.append(
            ToolCall(
                name=_str(function.get("name")) or "",
                arguments=_arguments(function.get("arguments")),
                id=_str(call.get("id")),
            )
        )
    return found


def _arguments(written: Json) -> Json:
    if not isinstance(written, str):
        return written
    if not written.strip():
        return {}  # how some servers write a call without arguments
    try:
        read: Json = json.loads(written)
    except ValueError:
        return written
    return cast("Json", read) if isinstance(read, dict) else written


def _usage(body: Mapping[str, Json]) -> Json:
    """The usage object as it came; with the tier beside it where the body names one, because prices depend on it."""
    usage, tier = body.get("usage"), body.get("service_tier")
    if usage is None or tier in (None, "default", "auto"):
        return usage
    return {"usage": usage, "service_tier": tier}


def _object(value: Json) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}


def _str(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _names(fields: Mapping[str, Json]) -> str:
    return ", ".join(list(fields)[:6]) if fields else "no fields"
