"""What a dialect is: one provider's wire format, as pure functions over JSON. No I/O, no clock, no key."""

from typing import Literal, NamedTuple, Protocol

from boxscore.providers.request import Request
from boxscore.providers.response import Response
from boxscore.types import Json

Framing = Literal["sse", "lines", "eventstream"]
"""How a stream is cut into events: server-sent events (WHATWG HTML, section 9.2), one JSON text a line, or Amazon's
binary `application/vnd.amazon.eventstream`."""


class Event(NamedTuple):
    """One event of a stream: its name where the framing has one, and its JSON."""

    name: str | None
    data: Json


class Assembly(Protocol):
    """Puts one streamed answer together."""

    def feed(self, event: Event) -> bool:
        """Takes the next event. True when it carried some of the answer (text, reasoning or a tool call): the first
        such event ends the wait for the first token. An error inside the stream is raised as `ProviderError`."""
        ...

    def finish(self) -> Response:
        """The whole answer, equal to what `read` makes of the same answer unstreamed. A stream that ended before its
        end is a `ProviderError` of kind cut that says how much had come."""
        ...


class Dialect(Protocol):
    """`name` is what specs call it (`api:`); `framing` that of its streams."""

    @property
    def name(self) -> str: ...

    @property
    def framing(self) -> Framing: ...

    def path(self, model: str, *, stream: bool) -> str:
        """What follows the base URL, with a slash at its beginning."""
        ...

    def body(self, request: Request, *, stream: bool) -> dict[str, Json]:
        """The request's JSON; a `SpecError` for what this dialect has no way to say."""
        ...

    def read(self, body: Json, *, provider: str) -> Response:
        """The response in a whole body; a body of another shape is a `ProviderError` of kind bad_answer that says what
        it is and what to check. `usage_raw` is the provider's usage as `boxscore.costs.read_body` takes it."""
        ...

    def assembly(self, *, provider: str) -> Assembly: ...
