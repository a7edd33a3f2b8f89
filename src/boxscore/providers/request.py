"""What a variant asks a provider."""

from typing import Protocol

import msgspec

from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One turn, in the form of OpenAI's chat messages, which every dialect is made from.

    `role` is system, user, assistant or tool; `content` text, or a list of parts: `{"type": "text", "text": …}`,
    `{"type": "image_url", "image_url": {"url": …}}` (https or a data: URL), or a part as its provider defines it.
    An assistant's `tool_calls` are answered by messages of role tool that carry the call's id as `tool_call_id`.
    """

    role: str
    content: Json
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question, ready to send.

    `params`: temperature, top_p, max_tokens, stop and seed are put where the provider wants them; all else goes into
    its body as it is. `tools` are functions in OpenAI's form, or as the provider itself defines them.
    """

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
