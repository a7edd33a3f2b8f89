"""Providers on this machine, in their own dialects, that answer from a script."""

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias, cast

import msgspec

from boxscore.providers.response import Response
from boxscore.testing.delivery import Closing, Parcel, grown, reset, send, send_faulty
from boxscore.testing.dialects import (
    SEED,
    Asked,
    Dialect,
    asked_in,
    counted_tokens,
    question_text,
    whole_response,
    wire_text,
)
from boxscore.testing.faults import STATUS, Fault, fault_of
from boxscore.testing.rate_limits import Left, Meter, RateLimits
from boxscore.testing.script import Answer, answering
from boxscore.testing.script import Script as AnyScript
from boxscore.testing.site import LoopThread, Site
from boxscore.types import Json

if TYPE_CHECKING:
    from aiohttp import web

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

    async def _serve(self, request: "web.Request") -> "web.StreamResponse":
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._respond(request)
        except asyncio.CancelledError:
            self.aborted += not self._running().closing.is_set()
            raise
        except ConnectionError:
            self.aborted += 1
            return reset(request)
        except Closing:
            return reset(request)
        except Exception as error:
            self._failure = self._failure or error
            raise
        finally:
            self.in_flight -= 1

    async def _respond(self, request: "web.Request") -> "web.StreamResponse":
        if request.method != "POST":
            return await send(request, self._listed(request.path), self._running().pause)
        raw, pause = await request.read(), self._running().pause
        try:
            body: Json = json.loads(raw or b"{}")
        except ValueError as error:
            dialect, asked = asked_in(request.path, {}, number=self.calls + 1)
            return await send(
                request, _refusal(dialect, asked, Fault("refused", f"the request is no JSON: {error}")), pause
            )
        self._note(request, body)
        dialect, asked = asked_in(request.path, body, number=self.calls, seed=self._seed)
        if self._meter is not None:
            asked = msgspec.structs.replace(asked, left=self._meter.take(counted_tokens(asked)))
            if asked.left is not None and asked.left.exceeded:
                return await send(request, _refusal(dialect, asked, _over(asked.left)), pause)
        try:
            answer = self._answer(body)
        except Exception as error:  # noqa: BLE001  # the script's own, raised where the test sees it
            self._failure = self._failure or error
            answer = Fault("server", f"the script failed: {type(error).__name__}: {error}")
        await self._running().admitted()
        if self._latency_s:
            await pause(self._latency_s)
        if isinstance(answer, Response) and answer.error is not None:
            answer = fault_of(answer.error)
        if isinstance(answer, Fault):
            return await self._fail(request, dialect, asked, answer)
        if isinstance(answer, str | Response):
            parcel = _said(dialect, asked, answer)
        elif isinstance(answer, tuple):
            parcel = _raw(dialect, asked, *cast("tuple[Json, ...]", answer))
        else:
            parcel = _raw(dialect, asked, 200, answer)
        return await send(request, parcel, pause, per_token_s=self._per_token_s, chunk_bytes=self._chunk_bytes)

    async def _fail(self, request: "web.Request", dialect: Dialect, asked: Asked, fault: Fault) -> "web.StreamResponse":
        pause = self._running().pause
        if fault.kind in STATUS:
            return await send(request, _refusal(dialect, asked, fault), pause)
        if fault.kind == "huge":
            return await send(request, _huge(dialect, asked, int(fault.megabytes * 1_000_000)), pause)
        return await send_faulty(request, _said(dialect, asked, fault.message), fault, pause)

    def _listed(self, path: str) -> Parcel:
        found = [name for name in self._models if path.endswith(f"/models/{name}")]
        if found:
            return _json(200, _model(found[0]), {})
        if path.endswith("/models"):
            return _json(
                200, {"object": "list", "data": [_model(name) for name in self._models], "has_more": False}, {}
            )
        dialect, asked = asked_in(path, {}, number=self.calls)
        return _refusal(
            dialect, asked, Fault("not_found", f"nothing is at {path}; models are {', '.join(self._models)}")
        )

    def _note(self, request: "web.Request", body: dict[str, Json]) -> None:
        self.bodies.append(body)
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        what = {key: value for key, value in body.items() if not key.startswith("stream")}
        identity = f"{request.path} {json.dumps(what, sort_keys=True)}"
        self.repeated += identity in self._seen
        self._seen.add(identity)


def _answering(script: Script) -> Callable[[dict[str, Json]], Answer | Json]:
    if isinstance(script, Mapping) and "*" not in script:
        body: Json = cast("Json", script)
        return lambda _body: body
    return answering(cast("AnyScript[dict[str, Json]]", script), question_text)


def _said(dialect: Dialect, asked: Asked, answer: str | Response) -> Parcel:
    said, headers = whole_response(answer, asked), dialect.headers(asked)
    if asked.stream:
        parts = dialect.events(asked, said)
        return Parcel(status=200, headers=headers, content_type=dialect.stream_type, parts=parts)
    return _json(200, dialect.whole(asked, said), headers)


def _huge(dialect: Dialect, asked: Asked, size: int) -> Parcel:
    parcel = _said(dialect, msgspec.structs.replace(asked, huge=size), SEED)
    return parcel if parcel.parts else msgspec.structs.replace(parcel, parts=grown(parcel.body, size))


def _raw(dialect: Dialect, asked: Asked, status: int, body: Json, headers: Mapping[str, str] | None = None) -> Parcel:
    every = dialect.headers(asked) | dict(headers or {})
    if isinstance(body, str):
        return Parcel(status=status, headers=every, content_type="text/html; charset=utf-8", body=body.encode())
    return _json(status, body, every)


def _refusal(dialect: Dialect, asked: Asked, fault: Fault) -> Parcel:
    headers = dialect.headers(asked)
    if fault.retry_after_s is not None:
        headers["retry-after"] = f"{fault.retry_after_s:g}"
    return _json(fault.http_status, dialect.error(fault, asked), headers)


def _over(left: Left) -> Fault:
    return Fault("rate_limit", "the rate limit is reached", retry_after_s=math.ceil(left.reset_s))


def _model(name: str) -> Json:
    """A model as OpenAI and as Anthropic describe it, in one."""
    return {
        "id": name,
        "object": "model",
        "type": "model",
        "display_name": name,
        "owned_by": "boxscore",
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
    }


def _json(status: int, body: Json, headers: dict[str, str]) -> Parcel:
    return Parcel(status=status, headers=headers, content_type="application/json", body=wire_text(body).encode())
