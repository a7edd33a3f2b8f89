"""What goes wrong with a provider, by name."""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from boxscore.errors import ProviderError, UnknownNameError
from boxscore.providers.response import ErrorInfo
from boxscore.types import Json

KINDS: Mapping[str, str] = {
    # As the wire has them, and the `ProviderError` each one ends in
    "refuse": "connect",
    "hang": "timeout",
    "hang_in_stream": "timeout",
    "slow_drip": "timeout",
    "cut_stream": "server",
    "wrong_length": "server",
    "bad_json": "bad_answer",
    "huge": "bad_answer",
    "html": "bad_answer",
    # As `ProviderError` has them
    "rate_limit": "rate_limit",
    "server": "server",
    "auth": "auth",
    "refused": "refused",
    "connect": "connect",
    "timeout": "timeout",
    "bad_answer": "bad_answer",
    "cancelled": "cancelled",
}
"""Every fault, and the kind of `ProviderError` that a caller should make of it."""

ON_THE_WIRE = {"connect": "refuse", "timeout": "hang", "bad_answer": "bad_json", "cancelled": "refuse"}
"""What a server does when a script names the error and not the fault."""

STATUS = {"rate_limit": 429, "server": 500, "auth": 401, "refused": 400}
"""HTTP status of the faults that are an honest error answer, where the script names no other."""


@dataclass(frozen=True)
class Fault:
    """In a script: this call goes wrong.

    | kind | what a `FakeServer` does |
    |---|---|
    | `refuse` | resets the connection before any answer; as the whole script, nobody listens |
    | `hang` | never sends a byte |
    | `hang_in_stream` | sends `after` pieces of the answer, then nothing more |
    | `cut_stream` | sends `after` pieces, closes within the next |
    | `slow_drip` | sends one byte every `interval_s` |
    | `wrong_length` | announces more bytes than it sends |
    | `bad_json` | sends JSON that breaks off; in a stream, after `after` pieces |
    | `huge` | sends a well-formed answer of `megabytes` MB (of 10^6 bytes), which it never holds in memory |
    | `html` | sends a proxy's web page, with `status` 200 |
    | `rate_limit`, `server`, `auth`, `refused` | an error of the dialect: 429, 500, 401, 400, or `status` |

    An error has `message` and, if given, `Retry-After` from `retry_after_s`; an answer that is begun has `message` as
    its text. A `FakeProvider` raises at once the `ProviderError` that a caller would make of it. The kinds of that
    error are faults too: `connect` is `refuse`, `timeout` is `hang`, `bad_answer` is `bad_json`.
    """

    kind: str
    message: str = "as the script says"
    status: int | None = None
    _: KW_ONLY
    retry_after_s: float | None = None
    after: int = 2
    megabytes: float = 100
    interval_s: float = 0.1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("fault", self.kind, KINDS)

    @property
    def on_the_wire(self) -> str:
        return ON_THE_WIRE.get(self.kind, self.kind)

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


def fault_of_status(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Fault:
    """An error answer as a fault, for who has no wire."""
    if status < 400:
        raise ValueError(f"status {status} is no error, and a body without a wire is no answer: use a Response")
    named = {401: "auth", 403: "auth", 429: "rate_limit"}.get(status, "server" if status >= 500 else "refused")
    after = {name.lower(): value for name, value in (headers or {}).items()}.get("retry-after")
    return Fault(named, body if isinstance(body, str) else json.dumps(body), status, retry_after_s=_seconds(after))


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
