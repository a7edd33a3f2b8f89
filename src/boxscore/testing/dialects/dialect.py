"""What every dialect of the fake server needs: the request as asked, the answer in full, pieces, events."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar, cast

import msgspec

from boxscore.providers.response import Response, ToolCall, Usage
from boxscore.testing.faults import Fault
from boxscore.testing.rate_limits import Left
from boxscore.testing.script import text_of
from boxscore.types import Json

SEED = "\N{SEEDLING}"
"""The text that a huge answer grows from."""
FILL = "x" * 65_536
_CHARACTERS_PER_TOKEN = 4

T = TypeVar("T")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `number` counts from 1 and makes the ids; `seed` decides where a stream is cut; `huge` is the
    length of a streamed text, in characters, when the answer is to be too long."""

    path: str
    body: Mapping[str, Json]
    number: int
    seed: int = 0
    stream: bool = False
    model: str = "fake"
    huge: int = 0
    left: Left | None = None


class Dialect(Protocol):
    """How one provider writes. `said` is whole: it has a model, a finish reason, ids and some usage."""

    stream_type: str

    def whole(self, asked: Asked, said: Response) -> Json:
        """The body of an answer in one piece."""
        ...

    def events(self, asked: Asked, said: Response) -> Iterator[bytes]:
        """The same answer as a stream, one event after another."""
        ...

    def error(self, fault: Fault, asked: Asked) -> Json:
        """The body of an error, with the names that go with its kind and status."""
        ...

    def headers(self, asked: Asked) -> dict[str, str]:
        """Of every answer: the request's id, and what is left of a limit."""
        ...


def whole_response(answer: str | Response, asked: Asked) -> Response:
    """The answer with what the script left out: model, finish reason, ids of tool calls, usage.

    Without usage of its own tokens are made up: one for every four characters, rounded up.
    """
    said = Response(output=answer) if isinstance(answer, str) else answer
    calls = tuple(
        call if call.id else msgspec.structs.replace(call, id=f"call_fake_{asked.number}_{index}")
        for index, call in enumerate(said.tool_calls)
    )
    usage = said.usage
    if usage is None and said.usage_raw is None:
        written = said.output + "".join(arguments_text(call) for call in calls)
        usage = Usage(input_tokens=counted_tokens(asked), output_tokens=tokens(written))
    return msgspec.structs.replace(
        said,
        tool_calls=calls,
        model=said.model or asked.model,
        finish_reason=said.finish_reason or ("tool_calls" if calls else "stop"),
        usage=usage,
    )


def counted_tokens(asked: Asked) -> int:
    """Made-up tokens of what was asked."""
    return tokens(json.dumps(_question(asked.body)))


def tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def arguments_text(call: ToolCall) -> str:
    """Arguments as OpenAI sends them: JSON in a text. A text is taken for what the model wrote, valid or not."""
    return call.arguments if isinstance(call.arguments, str) else wire_text(call.arguments)


FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "STOP": "stop",
    "COMPLETE": "stop",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "tool_use": "tool_calls",
    "TOOL_CALL": "tool_calls",
    "refusal": "content_filter",
    "SAFETY": "content_filter",
    "guardrail_intervened": "content_filter",
}
"""Every dialect's finish reasons in OpenAI's words."""


def finish(said: Response, words: Mapping[str, str]) -> str:
    """The finish reason in a dialect's own `words`; one that is not known goes as it is."""
    reason = said.finish_reason or "stop"
    plain = FINISH.get(reason, reason)
    return words.get(plain, plain)


def error_name(names: Mapping[int, T], status: int) -> T:
    """What a status is called; one without a name as the commonest of its hundred."""
    return names.get(status, names[500 if status >= 500 else 400])


def pieces(text: str, asked: Asked) -> Iterator[str]:
    """The text in pieces of one to eight characters, cut at the same places for the same seed; for `SEED`
    `asked.huge` characters of nothing."""
    if asked.huge and text == SEED:
        for start in range(0, asked.huge, len(FILL)):
            yield FILL[: asked.huge - start]
        return
    cut = random.Random(asked.seed * 1_000_003 + len(text))
    start = 0
    while start < len(text):
        end = start + cut.randint(1, 8)
        yield text[start:end]
        start = end


def wire_text(value: Json) -> str:
    """JSON as providers send it: characters as they are, but for halves of surrogate pairs, which UTF-8 cannot hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def sse(data: Json, event: str | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {wire_text(data)}\n\n".encode()


def question_text(body: Mapping[str, Json]) -> str:
    """The text of the last message, in any dialect."""
    asked = _question(body)
    return text_of(cast("list[Json]", asked)[-1] if isinstance(asked, list) and asked else asked)


def _question(body: Mapping[str, Json]) -> Json:
    return next((body[key] for key in ("messages", "contents", "input", "message", "prompt") if key in body), None)
