"""Chat completions as OpenAI defined them and most servers speak them: OpenAI, vLLM, Ollama, llama.cpp, gateways."""

import asyncio
import json

import msgspec

from boxscore.providers.dialects.openai_chat import OpenAIChat
from boxscore.providers.refusals import parsed, refusal
from boxscore.providers.request import Request
from boxscore.providers.response import Response
from boxscore.providers.retry import Sleep, retried
from boxscore.providers.transport import HttpTransport, Reply, Transport, check_url
from boxscore.types import Json

_CHAT = OpenAIChat()

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
        if error := refusal(reply, self.name):
            raise error
        return reply

    def __repr__(self) -> str:
        return f"OpenAIProvider(name={self.name!r}, base_url={self.base_url!r})"


def body_of(request: Request) -> dict[str, Json]:
    """The request in the wire format; `params` go as they are and win over what is derived."""
    return _CHAT.body(request, stream=False)


def read(body: Json, *, provider: str, latency_s: float | None = None) -> Response:
    """The response in a chat completion's body; a body of another shape is a `ProviderError` of kind bad_answer."""
    return msgspec.structs.replace(_CHAT.read(body, provider=provider), latency_s=latency_s)
