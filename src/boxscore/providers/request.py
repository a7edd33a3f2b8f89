"""What a variant asks a provider."""

from typing import Protocol

import msgspec

from boxscore.providers.response import Response
from boxscore.types import Json


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`role` is system, user, assistant or tool; `content` text or a list of parts as the provider defines them."""

    role: str
    content: Json


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question, ready to send. `params` go to the provider as they are (temperature, max_tokens, seed, …)."""

    messages: tuple[Message, ...]
    model: str
    params: dict[str, Json] = {}
    tools: tuple[dict[str, Json], ...] = ()
    output_schema: Json = None


class Provider(Protocol):
    """Something that answers requests. Failures are raised as `boxscore.errors.ProviderError`."""

    name: str

    def where(self, model: str) -> str | None:
        """What tells two models of one name apart: the address that serves it, or the hash of its weights. It is part
        of a variant's identity; never a secret."""
        ...

    async def complete(self, request: Request) -> Response: ...

    async def close(self) -> None: ...
