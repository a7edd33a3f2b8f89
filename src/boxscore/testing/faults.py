"""What goes wrong with a provider, by name."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from boxscore.errors import ProviderError, UnknownNameError
from boxscore.providers.response import ErrorInfo

KINDS: Mapping[str, str] = {
    # As the wire has them, and the `ProviderError` that each one ends in
    "refuse": "connect",
    "reset": "cut",
    "hang": "timeout",
    "hang_in_stream": "timeout",
    "slow_drip": "timeout",
    "cut_stream": "cut",
    "wrong_length": "cut",
    "bad_json": "bad_answer",
    "huge": "bad_answer",
    "html": "bad_answer",
    # As `ProviderError` has them
    **{
        kind: kind
        for kind in (
            *("auth", "quota", "rate_limit", "overloaded", "not_found", "too_long", "filtered", "refused", "server"),
            *("connect", "timeout", "cut", "bad_answer", "cancelled", "not_sent"),
        )
    },
}
"""Every fault, and the kind of `ProviderError` that a caller should make of it."""

ON_THE_WIRE = {
    "connect": "refuse",
    "timeout": "hang",
    "cut": "cut_stream",
    "bad_answer": "bad_json",
    "cancelled": "reset",
    "not_sent": "reset",
}
"""What a server does when a script names the error and not the fault."""

STATUS = {
    "auth": 401,
    "quota": 429,
    "rate_limit": 429,
    "overloaded": 503,
    "not_found": 404,
    "too_long": 400,
    "filtered": 400,
    "refused": 400,
    "server": 500,
}
"""HTTP status of the faults that are an honest error answer, where the script names no other."""

WORDS = {
    "quota": "the credit balance is too low",
    "too_long": "the prompt is too long",
    "filtered": "the content filter refused it",
}
"""What an error says that some dialects tell from others by its words alone, where the script says nothing."""


@dataclass(frozen=True)
class Fault:
    """In a script: this call goes wrong.

    | kind | what a `FakeServer` does |
    |---|---|
    | `refuse` | as the whole script: nobody listens. One among others is `reset`: there a request has to come |
    | `reset` | resets the connection when it has the request |
    | `hang` | never sends a byte |
    | `hang_in_stream` | sends `after` pieces of the answer, then nothing more |
    | `cut_stream` | sends `after` pieces, closes within the next |
    | `slow_drip` | sends one byte every `interval_s` |
    | `wrong_length` | announces more bytes than it sends |
    | `bad_json` | sends JSON that breaks off; in a stream, after `after` pieces |
    | `huge` | sends a well-formed answer of `megabytes` MB (of 10^6 bytes), which it never holds in memory |
    | `html` | sends a proxy's web page, with `status` 200 |
    | `auth` 401, `quota` 429, `rate_limit` 429, `overloaded` 503, `not_found` 404 | an error of the dialect |
    | `too_long` 400, `filtered` 400, `refused` 400, `server` 500 | likewise; `status` stands in for its usual one |

    An error has `message` and, if given, `Retry-After` from `retry_after_s`; an answer that is begun has `message` as
    its text. A `FakeProvider` raises at once the `ProviderError` that a caller would make of it. The other kinds of
    that error are faults too: `connect` is `refuse`, `timeout` `hang`, `cut` `cut_stream`, `bad_answer` `bad_json`.
    """

    kind: str
    message: str = ""
    status: int | None = None
    _: KW_ONLY
    retry_after_s: float | None = None
    after: int = 2
    megabytes: float = 100
    interval_s: float = 0.1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("fault", self.kind, KINDS)
        if not self.message:
            object.__setattr__(self, "message", WORDS.get(self.kind, "as the script says"))

    @property
    def on_the_wire(self) -> str:
        return ON_THE_WIRE.get(self.kind, self.kind)

    @property
    def http_status(self) -> int:
        return self.status or STATUS.get(self.kind, 200)

    def error(self, provider: str | None = None) -> ProviderError:
        """The error that a caller of `provider` should see."""
        return ProviderError(
            KINDS[self.kind],
            self.message,
            provider=provider,
            status=self.status or STATUS.get(self.kind),
            retry_after_s=self.retry_after_s,
        )


def fault_of(error: ErrorInfo) -> Fault:
    """An error that was once recorded, as the fault that brings it back."""
    return Fault(error.kind if error.kind in KINDS else "server", error.message, error.status)
