"""Variants that run: a prompt with a model, an HTTP endpoint, a command."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

import msgspec

from boxscore.costs import PriceBook, PriceRow
from boxscore.datasets.example import Example
from boxscore.errors import ProviderError, SpecError, TemplateError, UnknownPriceError
from boxscore.experiments.answers import dollars, response_from, text_of
from boxscore.experiments.forecast import Ask
from boxscore.experiments.identity import digest, utc_now
from boxscore.experiments.pricing import priced, row_of
from boxscore.experiments.trial import VariantInfo
from boxscore.prompts import PromptTemplate
from boxscore.providers.command import run_command
from boxscore.providers.dialects.content import text_of as text_in
from boxscore.providers.endpoint import Endpoint
from boxscore.providers.pace import Pace
from boxscore.providers.refusals import parsed, refusal
from boxscore.providers.request import Message, Provider, Request
from boxscore.providers.response import Response
from boxscore.providers.secrets import remember
from boxscore.providers.transport import HttpTransport, Limits, Transport, check_url
from boxscore.types import Json

_OUTPUT_BYTES = 16 * 1024 * 1024
_SECRET_HEADERS = re.compile(r"authorization|cookie|api[-_]?key|token|secret", re.IGNORECASE)


class PromptVariant:
    """A prompt filled from the inputs, sent to a model of a provider with these params.

    `prices` is a fixed price row (`boxscore.costs.fixed_row`) for a model that no price book knows. `where` tells
    endpoints of one provider apart in the identity (default: what the provider says of itself).
    """

    kind = "prompt"

    def __init__(
        self,
        *,
        name: str,
        prompt: PromptTemplate | Sequence[Message] | str,
        provider: Provider,
        model: str,
        params: Mapping[str, Json] | None = None,
        tools: Sequence[dict[str, Json]] = (),
        output_schema: Json = None,
        prices: PriceRow | None = None,
        where: str | None = None,
    ) -> None:
        self._prompt = prompt if isinstance(prompt, PromptTemplate) else _template(prompt)
        self._provider = provider
        self._prices = prices
        self._blank = Request(
            messages=(), model=model, params=dict(params or {}), tools=tuple(tools), output_schema=output_schema
        )
        self.description: dict[str, Json] = {
            "kind": self.kind,
            "provider": provider.name,
            "where": where if where is not None else provider.where(model),
            "model": model,
            "messages": self._prompt.written(),
            "params": self._blank.params,
            "tools": list(self._blank.tools),
            "output_schema": output_schema,
        }
        self.info = VariantInfo(name=name, hash=digest(self.description), model=model)

    def check(self, examples: Iterable[Example]) -> None:
        """A `TemplateError` that names the first example whose inputs do not fill the prompt; a `SpecError` for what
        the provider's API has no way to say."""
        for example in examples:
            request = msgspec.structs.replace(self._blank, messages=self._render(example))
            if isinstance(self._provider, Endpoint):
                try:
                    self._provider.check(request)
                except SpecError as error:
                    raise SpecError(error.problem, key=f"variants.{self.info.name}.{error.key}") from error

    def price_row(self, book: PriceBook, at: datetime) -> PriceRow | None:
        return self._prices or row_of(self._blank.model, self._provider.name, at, book)

    def check_price(self, book: PriceBook, *, needed_by: str) -> None:
        if self.price_row(book, utc_now()) is None:
            raise UnknownPriceError(self._blank.model, provider=self._provider.name, needed_by=needed_by)

    def ask(self, example: Example) -> Ask:
        sent = sum(len(text_in(message.content)) for message in self._render(example))
        most = self._blank.params.get("max_tokens", self._blank.params.get("max_completion_tokens"))
        return Ask(characters=sent, max_output_tokens=most if isinstance(most, int) else None)

    async def answer(self, example: Example, *, repeat: int) -> Response:
        request = msgspec.structs.replace(self._blank, messages=self._render(example))
        response = await self._provider.complete(request)
        if response.provider is None:
            response = msgspec.structs.replace(response, provider=self._provider.name)
        if self._prices is not None:
            return priced(response, model=self.info.model, at=utc_now(), row=self._prices)
        return response

    async def close(self) -> None:
        await self._provider.close()

    def _render(self, example: Example) -> tuple[Message, ...]:
        try:
            return self._prompt.render(example.inputs)
        except TemplateError as error:
            raise TemplateError(
                f"variant {self.info.name!r}, example {example.id!r}: {error}", variable=error.variable
            ) from error


class HttpVariant:
    """Your application behind an address: it is sent `{"inputs": {…}}` by POST and answers JSON.

    `inputs_key` is the field around the inputs, None to send them bare. The answer is found at `output_path`, a dotted
    path (`choices.0.message.content`); usage, cost in US dollars and model at theirs, when they are there. A text body
    that is no JSON is the answer itself when `output_path` is "" (the whole body). `headers` are part of the identity;
    `secret_headers` are not, and are never shown.
    """

    kind = "http"

    def __init__(
        self,
        *,
        name: str,
        url: str,
        output_path: str = "output",
        usage_path: str = "usage",
        cost_path: str = "cost_usd",
        model_path: str = "model",
        inputs_key: str | None = "inputs",
        headers: Mapping[str, str] | None = None,
        secret_headers: Mapping[str, str] | None = None,
        model: str | None = None,
        timeout_s: float = 120.0,
        prices: PriceRow | None = None,
        transport: Transport | None = None,
    ) -> None:
        for header in headers or {}:
            if _SECRET_HEADERS.search(header):
                raise SpecError(
                    "this header holds a secret, and headers are kept and shown: it belongs into secret_headers, in a "
                    "spec into 'headers_env' with the name of an environment variable.",
                    key=f"headers.{header}",
                )
        for header, secret in (secret_headers or {}).items():
            remember(secret, name=header)
        self._url = check_url(url, key="url")
        self._paths = {"usage": usage_path, "cost_usd": cost_path, "model": model_path}
        self._output_path = output_path
        self._inputs_key = inputs_key
        self._headers = {"Content-Type": "application/json", **(headers or {}), **(secret_headers or {})}
        self._transport = transport or HttpTransport(Limits(total_s=timeout_s))
        self._pace = Pace(name)
        self._prices = prices
        self.description: dict[str, Json] = {
            "kind": self.kind,
            "url": url,
            "output_path": output_path,
            "inputs_key": inputs_key,
            "paths": dict(self._paths),
            "headers": dict(sorted((headers or {}).items())),
            "model": model,
        }
        self.info = VariantInfo(name=name, hash=digest(self.description), model=model)

    async def answer(self, example: Example, *, repeat: int) -> Response:
        sent = example.inputs if self._inputs_key is None else {self._inputs_key: example.inputs}
        name = self.info.name
        async with self._pace.turn(0) as told:
            reply = await self._transport.post(
                self._url, msgspec.json.encode(sent), headers=dict(self._headers), name=name
            )
            if error := refusal(reply, name):
                raise error
            told(reply.headers)
        if self._output_path == "" and "json" not in reply.headers.get("content-type", ""):
            response = Response(output=reply.body.decode("utf-8", "replace"))
        else:
            response = self._read(parsed(reply, name), name)
        response = msgspec.structs.replace(response, latency_s=reply.wall_s)
        if self._prices is not None:
            return priced(response, model=self.info.model, at=utc_now(), row=self._prices)
        return response

    async def close(self) -> None:
        self._pace.forgive()
        await self._transport.close()

    def _read(self, body: Json, name: str) -> Response:
        found, output = _at(body, self._output_path)
        if not found:
            raise ProviderError(
                "bad_answer",
                f"its answer has nothing at {self._output_path!r}: it is {_shape(body)}; set output_path.",
                provider=name,
            )
        extra = {key: _at(body, path)[1] for key, path in self._paths.items() if path}
        model = extra.get("model")
        cost = extra.get("cost_usd")
        return Response(
            output=text_of(output),
            usage_raw=extra.get("usage"),
            model=model if isinstance(model, str) else None,
            cost_usd=None if cost is None else dollars(cost, name),
            price=None if cost is None else "reported",
        )


class CommandVariant:
    """A command that reads the inputs as JSON on its standard input and prints the answer.

    A list is run as it is, a text by the shell, both in `folder`. What is printed, without line ends at its end, is the
    answer; with `reads="json"` it is a JSON object with `output` and, where known, usage, cost_usd and model. Files of
    `folder` that the command names are part of the identity, so that an edit is a new variant.
    """

    kind = "command"

    def __init__(
        self,
        *,
        name: str,
        command: str | Sequence[str],
        folder: Path | None = None,
        reads: str = "text",
        model: str | None = None,
        timeout_s: float = 120.0,
        prices: PriceRow | None = None,
    ) -> None:
        self._command = command if isinstance(command, str) else tuple(command)
        self._folder = folder or Path.cwd()
        self._reads = reads
        self._timeout_s = timeout_s
        self._prices = prices
        self.description: dict[str, Json] = {
            "kind": self.kind,
            "command": command if isinstance(command, str) else list(command),
            "reads": reads,
            "model": model,
            "files": _files(self._command, self._folder),
        }
        self.info = VariantInfo(name=name, hash=digest(self.description), model=model)

    async def answer(self, example: Example, *, repeat: int) -> Response:
        name = self.info.name
        finished = await run_command(
            self._command,
            msgspec.json.encode(example.inputs),
            cwd=self._folder,
            timeout_s=self._timeout_s,
            output_bytes=_OUTPUT_BYTES,
            name=name,
        )
        printed = finished.stdout.rstrip("\r\n")
        if self._reads == "text":
            response = Response(output=printed)
        else:
            try:
                found: Json = json.loads(printed)
            except (ValueError, RecursionError) as error:
                raise ProviderError(
                    "bad_answer", f"it printed no JSON object: {printed[:120]!r}", provider=name
                ) from error
            response = response_from(found, name=name)
        if self._prices is not None:
            return priced(response, model=self.info.model, at=utc_now(), row=self._prices)
        return response

    async def close(self) -> None:
        """Nothing to let go of: every command has ended by then."""


def _template(prompt: Sequence[Message] | str) -> PromptTemplate:
    return PromptTemplate.parse(prompt) if isinstance(prompt, str) else PromptTemplate(prompt)


def _at(body: Json, path: str) -> tuple[bool, Json]:
    """Whether there is something at the dotted path, and what."""
    here: Json = body
    for step in path.split(".") if path else ():
        if isinstance(here, dict) and step in here:
            here = cast("dict[str, Json]", here)[step]
        elif isinstance(here, list) and step.isdigit() and int(step) < len(cast("list[Json]", here)):
            here = cast("list[Json]", here)[int(step)]
        else:
            return False, None
    return True, here


def _shape(body: Json) -> str:
    if isinstance(body, dict):
        keys = list(cast("dict[str, Json]", body))
        return f"an object with {', '.join(keys[:8])}" if keys else "an empty object"
    return "a list" if isinstance(body, list) else json.dumps(body)[:60]


def _files(command: str | Sequence[str], folder: Path) -> dict[str, str]:
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError:
        words = []
    found: dict[str, str] = {}
    for word in words:
        try:
            path = (folder / word).resolve()
            if path.is_relative_to(folder.resolve()) and path.is_file():
                found[word] = sha256(path.read_bytes()).hexdigest()
        except (OSError, ValueError):
            continue
    return found
