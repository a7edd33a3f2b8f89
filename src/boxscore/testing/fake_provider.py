"""A provider that answers from a script."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

import msgspec

from boxscore.errors import ProviderError
from boxscore.providers.request import Request
from boxscore.providers.response import Response
from boxscore.types import Json


class Fault(msgspec.Struct, frozen=True):
    """In a script: the call fails with a `ProviderError` of this kind."""

    kind: str
    message: str = "as the script says"
    status: int | None = None


Answer = str | Response | Fault
Script = Answer | Mapping[str, Answer] | Iterable[Answer] | Callable[[Request], Answer]


class FakeProvider:
    """Answers from `script`:

    - a text, a `Response` or a `Fault`: always the same;
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
        self._answer = _by(script)
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
        if isinstance(answer, Fault):
            raise ProviderError(answer.kind, answer.message, provider=self.name, status=answer.status)
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


def _by(script: Script) -> Callable[[Request], Answer]:
    if isinstance(script, str | Response | Fault):
        return lambda _request: script
    if isinstance(script, Mapping):
        answers = cast("Mapping[str, Answer]", script)
        return lambda request: _looked_up(answers, request)
    if callable(script):
        return script
    rest = iter(script)
    return lambda _request: _next(rest)


def _looked_up(script: Mapping[str, Answer], request: Request) -> Answer:
    asked = request.messages[-1].content if request.messages else ""
    found = script.get(asked if isinstance(asked, str) else "*", script.get("*"))
    return Fault("refused", f"the script has no answer to {asked!r} and none for '*'") if found is None else found


def _next(rest: Iterator[Answer]) -> Answer:
    return next(rest, Fault("refused", "the script is used up"))
