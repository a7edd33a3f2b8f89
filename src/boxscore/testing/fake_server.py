"""An OpenAI-compatible server on this machine that answers from a script."""

import asyncio
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, cast

from boxscore.types import Json

if TYPE_CHECKING:
    from aiohttp import web

Reply = str | dict[str, Json] | tuple[int, Json] | tuple[int, Json, dict[str, str]]
Script = Reply | Callable[[dict[str, Json]], Reply]


class FakeServer:
    """`async with FakeServer("hello") as server:` answers `POST {server.base_url}/chat/completions` on a free port of
    the loopback address, and every other POST the same way.

    `script` is a text (sent as a chat completion with made-up usage), a JSON object (sent as it is), a pair of status
    and body (a body that is a text is sent as HTML), with headers as a third; or a function from the request's body to
    any of them. `delay_s` is waited before each answer, in real time. `calls` counts the requests that came in,
    `bodies` and `headers` keep them (header names in lower case).
    """

    def __init__(self, script: Script, *, delay_s: float = 0.0) -> None:
        self.script = script
        self.delay_s = delay_s
        self.bodies: list[dict[str, Json]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    @property
    def calls(self) -> int:
        return len(self.bodies)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def __aenter__(self) -> "FakeServer":
        from aiohttp import web

        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = cast("tuple[str, int]", self._runner.addresses[0][:2])
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: "web.Request") -> "web.Response":
        from aiohttp import web

        body: Json = json.loads(await request.read() or b"{}")
        self.bodies.append(body)
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        reply = self.script(body) if callable(self.script) else self.script
        status, content, headers = 200, reply, dict[str, str]()
        if isinstance(reply, tuple):
            status, content, headers = reply[0], reply[1], reply[2] if len(reply) == 3 else headers
        elif isinstance(reply, str):
            content = chat_completion(reply, model=body.get("model", "fake"), question=body.get("messages"))
        if isinstance(content, str):
            return web.Response(status=status, text=content, content_type="text/html", headers=headers)
        return web.json_response(content, status=status, headers=headers)


def chat_completion(
    text: str, *, model: str = "fake", question: Json = None, usage: Mapping[str, int] | None = None
) -> dict[str, Json]:
    """A chat completion's body. Without `usage` tokens are made up: one for every four characters, rounded up."""
    asked, answered = -(-len(json.dumps(question)) // 4), -(-len(text) // 4)
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "system_fingerprint": "fp_fake",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": dict(
            usage or {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
        ),
    }
