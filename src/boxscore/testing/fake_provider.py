"""A provider that answers from a script."""

import asyncio
import json
from typing import TypeAlias

from boxscore.errors import ProviderError
from boxscore.providers.request import Request
from boxscore.providers.response import Response
from boxscore.testing.faults import Fault
from boxscore.testing.script import Script as AnyScript
from boxscore.testing.script import answering, text_of
from boxscore.types import Json

Script: TypeAlias = AnyScript[Request]


class FakeProvider:
    """Answers from `script`:

    - a text, a `Response` or a `Fault`: always the same;
    - an HTTP status of 400 and more, with a body and perhaps headers: the error that they mean;
    - a mapping: by the text of the last message, with the key "*" for all others;
    - a function of the request;
    - anything iterable: one after the other; when it is used up, a `ProviderError` says so.

    `latency_s` is only written into the responses: nothing sleeps. To hold calls in flight, use `hold` and `release`.
    `usage` is the raw usage of every text answer. `requests` are those that came, `most_in_flight` the highest number
    at once.

    >>> provider = FakeProvider({"2 + 2?": "4", "*": Fault("server")})
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "fake",
        model: str | None = None,
        latency_s: float = 0.0,
        usage: Json = None,
    ) -> None:
        self.name = name
        self.requests: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False
        self._model = model
        self._latency_s = latency_s
        self._usage = usage
        self._answer = answering(script, _question)
        self._open = asyncio.Event()
        self._open.set()
        self._arrived = asyncio.Condition()

    def hold(self) -> None:
        """From now on calls wait until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def arrived(self, count: int) -> None:
        """Waits until `count` requests have come in all."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    def where(self, model: str) -> str | None:
        return None

    async def complete(self, request: Request) -> Response:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            async with self._arrived:
                self.requests.append(request)
                self._arrived.notify_all()
            answer = self._answer(request)
            await self._open.wait()
            await asyncio.sleep(0)  # as any real call would, let others run
        finally:
            self.in_flight -= 1
        if isinstance(answer, tuple):
            raise self._refusal(answer[0], answer[1], answer[2] if len(answer) == 3 else None)
        if isinstance(answer, Fault):
            raise answer.error(self.name)
        if isinstance(answer, Response):
            return answer
        return Response(
            output=answer,
            finish_reason="stop",
            model=self._model or request.model,
            provider=self.name,
            usage_raw=self._usage,
            latency_s=self._latency_s,
        )

    async def close(self) -> None:
        self.closed = True

    def _refusal(self, status: int, body: Json, headers: dict[str, str] | None) -> ProviderError:
        from boxscore.providers.refusals import refusal
        from boxscore.providers.transport import Reply

        sent = body if isinstance(body, str) else json.dumps(body)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        error = refusal(Reply(status=status, headers=named, body=sent.encode(), wall_s=0.0), self.name)
        if error is None:
            raise ValueError(f"status {status} is no error, and its body needs a FakeServer: answer with a Response")
        return error


def _question(request: Request) -> str:
    return text_of(request.messages[-1].content) if request.messages else ""
