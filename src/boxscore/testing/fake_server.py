"""Providers on this machine, in their own dialects, that answer from a script."""

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TypeAlias, cast

import msgspec

from boxscore.providers.response import Response
from boxscore.testing.delivery import Closing, send, send_faulty
from boxscore.testing.dialects import Asked, Dialect, asked_in, counted_tokens, question_text
from boxscore.testing.exchange import Exchange
from boxscore.testing.faults import STATUS, Fault, fault_of
from boxscore.testing.parcels import Parcel, huge, models, raw, refusal, said
from boxscore.testing.rate_limits import Left, Meter, RateLimits
from boxscore.testing.script import Answer, answering
from boxscore.testing.script import Script as AnyScript
from boxscore.testing.site import LoopThread, Site
from boxscore.types import Json

Script: TypeAlias = AnyScript[dict[str, Json]] | dict[str, Json]


class FakeServer:
    """Answers HTTP on a free port of the loopback address, in the dialect of the path that is asked.

    `async with FakeServer("hello") as server:` serves in the running loop; `with FakeServer("hello") as server:` in a
    thread of its own, for clients that block. `server.url` is the address, `server.base_url` the same with `/v1`.

    `script` is

    - a text or a `Response`: the answer, as a body or, where the request asks for one, as a stream;
    - a `Fault`: what goes wrong;
    - a pair of status and body, with headers as a third: sent as they are; a body that is a text is sent as HTML;
    - a JSON object: sent as it is;
    - a mapping with the key "*": any of these by the text of the last message, "*" for all others;
    - a function from the request's body to any of these;
    - anything else iterable: one after another; when it is used up, an error says so.

    A script decides about every POST; embeddings and token counts are computed where it gives a text or a `Response`.
    `GET /v1/models` lists `models`. With `limits` every answer tells what is left of them, and what exceeds them is
    refused with 429 before the script is asked.

    `latency_s` is waited before an answer's first byte, `per_token_s` before each further piece of a stream, both in
    real time. `seed` moves the places where a stream's text is cut; `chunk_bytes` cuts its bytes again, also within a
    character.

    `calls` counts the requests that came in, `bodies` and `headers` keep them (header names in lower case); `repeated`
    counts those that equal an earlier one but for streaming, `aborted` those whose client left before the end.
    An exception in a script's function is answered with status 500 and raised when the server closes.
    """

    def __init__(
        self,
        script: Script,
        *,
        latency_s: float = 0.0,
        per_token_s: float = 0.0,
        chunk_bytes: int | None = None,
        seed: int = 0,
        limits: RateLimits | None = None,
        models: Sequence[str] = ("fake",),
    ) -> None:
        self.bodies: list[dict[str, Json]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.repeated = 0
        self.aborted = 0
        self.url = ""
        self._latency_s = latency_s
        self._per_token_s = per_token_s
        self._chunk_bytes = chunk_bytes
        self._seed = seed
        self._listens = not (isinstance(script, Fault) and script.on_the_wire == "refuse")
        self._answer = _answering(script)
        self._meter = None if limits is None else Meter(limits)
        self._models = tuple(models)
        self._seen: set[str] = set()
        self._failure: Exception | None = None
        self._site: Site | None = None
        self._thread: LoopThread | None = None

    @property
    def calls(self) -> int:
        return len(self.bodies)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def hold(self) -> None:
        """From now on answers wait until `release`."""
        self._running().hold(True)

    def release(self) -> None:
        self._running().hold(False)

    async def __aenter__(self) -> "FakeServer":
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running().close()
        self._raise(error)

    def __enter__(self) -> "FakeServer":
        self._thread = LoopThread()
        self._thread.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.run(self._running().close())
            self._thread.close()
        self._raise(error)

    async def _open(self) -> None:
        self._site = Site()
        await self._site.open(self._serve, listens=self._listens)
        self.url = self._site.url

    def _running(self) -> Site:
        if self._site is None:
            raise RuntimeError("the server does not run: enter it by `with` or `async with`")
        return self._site

    def _raise(self, error: BaseException | None) -> None:
        if self._failure is not None and error is None:
            raise self._failure

    async def _serve(self, exchange: Exchange) -> None:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._respond(exchange)
        except asyncio.CancelledError:
            self.aborted += not self._running().closing.is_set()
            raise
        except ConnectionError:
            self.aborted += 1
        except Closing:
            exchange.reset()
        except Exception as error:  # noqa: BLE001  # raised where the test sees it
            self._failure = self._failure or error
            exchange.reset()
        finally:
            self.in_flight -= 1

    async def _respond(self, exchange: Exchange) -> None:
        pause = self._running().pause
        if exchange.method != "POST":
            return await send(exchange, self._got(exchange.path), pause)
        body = _object(exchange.body)
        if body is None:
            dialect, asked = asked_in(exchange.path, {}, number=self.calls + 1)
            return await send(exchange, refusal(dialect, asked, Fault("refused", "the body is no JSON object")), pause)
        self._note(exchange, body)
        dialect, asked = asked_in(exchange.path, body, number=self.calls, seed=self._seed)
        if self._meter is not None:
            left = self._meter.take(counted_tokens(asked))
            asked = msgspec.structs.replace(asked, left=left)
            if left.exceeded:
                return await send(exchange, refusal(dialect, asked, _over(left)), pause)
        answer = self._scripted(body)
        await self._running().admitted()
        if self._latency_s:
            await pause(self._latency_s)
        if isinstance(answer, Fault) and answer.kind not in STATUS and answer.kind != "huge":
            return await send_faulty(exchange, said(dialect, asked, answer.message), answer, pause)
        parcel = _parcel(dialect, asked, answer)
        return await send(exchange, parcel, pause, per_token_s=self._per_token_s, chunk_bytes=self._chunk_bytes)

    def _scripted(self, body: dict[str, Json]) -> Answer | Json:
        try:
            answer = self._answer(body)
        except Exception as error:  # noqa: BLE001  # the script's own, raised where the test sees it
            self._failure = self._failure or error
            return Fault("server", f"the script failed: {type(error).__name__}: {error}")
        return fault_of(answer.error) if isinstance(answer, Response) and answer.error is not None else answer

    def _got(self, path: str) -> Parcel:
        dialect, asked = asked_in(path, {}, number=self.calls)
        missing = Fault("not_found", f"nothing is at {path}; the models are {', '.join(self._models)}")
        return models(path, self._models) or refusal(dialect, asked, missing)

    def _note(self, exchange: Exchange, body: dict[str, Json]) -> None:
        self.bodies.append(body)
        self.headers.append(exchange.headers)
        what = {key: value for key, value in body.items() if not key.startswith("stream")}
        identity = f"{exchange.path} {json.dumps(what, sort_keys=True)}"
        self.repeated += identity in self._seen
        self._seen.add(identity)


def _answering(script: Script) -> Callable[[dict[str, Json]], Answer | Json]:
    if isinstance(script, Mapping) and "*" not in script:
        body: Json = cast("Json", script)
        return lambda _body: body
    return answering(cast("AnyScript[dict[str, Json]]", script), question_text)


def _parcel(dialect: Dialect, asked: Asked, answer: Answer | Json) -> Parcel:
    if isinstance(answer, str | Response):
        return said(dialect, asked, answer)
    if isinstance(answer, Fault):
        if answer.kind == "huge":
            return huge(dialect, asked, int(answer.megabytes * 1_000_000))
        return refusal(dialect, asked, answer)
    if isinstance(answer, tuple):
        return raw(dialect, asked, *cast("tuple[Json, ...]", answer))
    return raw(dialect, asked, 200, answer)


def _over(left: Left) -> Fault:
    return Fault("rate_limit", "the rate limit is reached", retry_after_s=math.ceil(left.reset_s))


def _object(sent: bytes) -> dict[str, Json] | None:
    try:
        body: Json = json.loads(sent or b"{}")
    except ValueError:
        return None
    return cast("dict[str, Json]", body) if isinstance(body, dict) else None
