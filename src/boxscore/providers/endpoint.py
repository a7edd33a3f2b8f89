"""A provider over HTTP: a dialect, an address, a key."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from boxscore.errors import ProviderError
from boxscore.providers.auth import Auth, KeyAuth
from boxscore.providers.dialects import Decoder, Dialect, Event, decoder
from boxscore.providers.pace import Pace, pace_of
from boxscore.providers.refusals import parsed, refusal
from boxscore.providers.request import Request
from boxscore.providers.response import Response
from boxscore.providers.transport import HttpTransport, Reply, Transport, check_url

if TYPE_CHECKING:
    from boxscore.providers.dialects import Assembly

_CHARACTERS_PER_TOKEN = 4
_AROUND = 512
"""Bytes of an event in a stream that are not the answer itself, which alone is kept."""
_KEPT = 2 * 1024 * 1024
"""Bytes that a streamed answer may have: more than any model writes, little enough for many at once."""


class Endpoint:
    """Asks in a `dialect` at `base_url`. `name` is who is asked, as prices and errors call it.

    With `stream` answers are streamed, which shows the wait for the first token. One call is one request: who wants to
    try again asks again. Calls with the same key for the same model share a pace; `pace` stands in for it.
    """

    def __init__(
        self,
        *,
        name: str,
        dialect: Dialect,
        base_url: str,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        transport: Transport | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self.base_url = _base(check_url(base_url, key="base_url"), dialect)
        self._dialect = dialect
        self._auth = auth or KeyAuth(None)
        self._headers = {"Content-Type": "application/json", "Accept": _ACCEPT if stream else "application/json"}
        self._headers.update(headers or {})
        self._stream = stream
        self._transport = transport or HttpTransport()
        self._pace = pace
        self._paces: dict[str, Pace] = {}

    def where(self, model: str) -> str | None:
        """The address and what it speaks: the same model may answer differently over another API."""
        return self._url(model, stream=False)

    def check(self, request: Request) -> None:
        """A `SpecError` for what the API has no way to say."""
        self._dialect.body(request, stream=self._stream)

    async def complete(self, request: Request) -> Response:
        """Answers, or raises `ProviderError`."""
        url = self._url(request.model, stream=self._stream)
        body = _encoded(self._dialect.body(request, stream=self._stream))
        pace = self._pace_for(request.model)
        async with pace.turn(len(body) // _CHARACTERS_PER_TOKEN) as told:
            try:
                reply, response = await self._exchange(url, body, request.model)
            except ProviderError as error:
                if _host(url) in str(error):
                    raise
                raise self._placed(error, f"{request.model} at {_host(url)}") from error
            told(reply.headers)
        return msgspec.structs.replace(response, latency_s=reply.wall_s, first_token_s=reply.first_token_s)

    async def close(self) -> None:
        for pace in self._paces.values():
            pace.forgive()
        await self._transport.close()

    async def _exchange(self, url: str, body: bytes, model: str) -> tuple[Reply, Response]:
        headers = self._headers | self._auth.headers(url, body, self._headers)
        streamed = _Streamed(self._dialect, self.name) if self._stream else None
        reply = await self._transport.post(url, body, headers=headers, name=self.name, on_chunk=streamed)
        if reply.status != 200:
            error = refusal(reply, self.name, tried=f"{model} at {_host(url)}")
            if error is not None:
                raise error
        if streamed is not None and reply.streamed:
            return reply, streamed.finish()
        return reply, self._dialect.read(parsed(reply, self.name), provider=self.name)

    def _url(self, model: str, *, stream: bool) -> str:
        place, mark, query = self.base_url.partition("?")
        path = self._dialect.path(model, stream=stream)
        return place.rstrip("/") + path + (query and f"{'&' if '?' in path else mark}{query}")

    def _placed(self, error: ProviderError, tried: str) -> ProviderError:
        """The error with what was tried, which it does not say of itself."""
        said = str(error).removeprefix(f"{self.name}: ")
        return ProviderError(
            error.kind,
            f"{tried}: {said}",
            provider=self.name,
            status=error.status,
            retry_after_s=error.retry_after_s,
        )

    def _pace_for(self, model: str) -> Pace:
        if self._pace is not None:
            return self._pace
        if model not in self._paces:
            self._paces[model] = pace_of(self.name, where=self.base_url, account=self._auth.identity, model=model)
        return self._paces[model]

    def __repr__(self) -> str:
        return f"Endpoint(name={self.name!r}, base_url={self.base_url!r}, dialect={self._dialect.name!r})"


class _Streamed:
    """Bytes of a stream in, the response out."""

    def __init__(self, dialect: Dialect, name: str) -> None:
        self._name = name
        self._kept = 0
        self._decoder: Decoder = decoder(dialect.framing, provider=name)
        self._assembly: Assembly = dialect.assembly(provider=name)

    def __call__(self, chunk: bytes) -> bool:
        events = self._decoder.feed(chunk)
        self._kept += max(0, len(chunk) - _AROUND * len(events))
        if self._kept > _KEPT:
            raise ProviderError(
                "bad_answer",
                f"the streamed answer is larger than {_KEPT / 1024 / 1024:.3g} MB and was not read to its end; "
                "ask for fewer tokens.",
                provider=self._name,
            )
        return self._feed(events)

    def finish(self) -> Response:
        self._feed(self._decoder.close())
        return self._assembly.finish()

    def _feed(self, events: list[Event]) -> bool:
        told = False
        for event in events:
            told = self._assembly.feed(event) or told
        return told


_ACCEPT = "text/event-stream, application/vnd.amazon.eventstream, application/json"


def _base(url: str, dialect: Dialect) -> str:
    """Without the API's own path, which is often copied along with the address."""
    place, mark, query = url.partition("?")
    return place.rstrip("/").removesuffix(dialect.path("", stream=False)) + mark + query


def _encoded(body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(body).encode()


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
