"""What comes back from a variant: answer, usage, cost, times, or an error."""

from datetime import datetime
from decimal import Decimal

import msgspec

from boxscore.types import Json


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the model asked for. `arguments` is the parsed object, or the raw text when it is no JSON object."""

    name: str
    arguments: Json
    id: str | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Normalised usage of one or more calls, in tokens unless named otherwise. None: not reported.

    `input_tokens` counts all input, cached included; the `cache_*`, `input_*` and `output_*` kinds are parts of the
    totals, never additions. Names follow genai-prices 0.2.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_text_read_tokens: int | None = None
    cache_audio_read_tokens: int | None = None
    cache_image_read_tokens: int | None = None
    cache_video_read_tokens: int | None = None
    input_text_tokens: int | None = None
    input_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    input_video_tokens: int | None = None
    input_tool_tokens: int | None = None
    input_text_tool_tokens: int | None = None
    input_audio_tool_tokens: int | None = None
    input_image_tool_tokens: int | None = None
    input_video_tool_tokens: int | None = None
    output_text_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    output_video_tokens: int | None = None
    output_reasoning_tokens: int | None = None
    output_citation_tokens: int | None = None
    input_characters: int | None = None
    input_text_messages: int | None = None
    audio_seconds: float | None = None
    input_audio_seconds: float | None = None
    input_document_pages: int | None = None
    input_annotated_document_pages: int | None = None
    web_searches: int | None = None
    storage_searches: int | None = None
    requests: int | None = None


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer. `kind` as in `boxscore.errors.ProviderError`."""

    kind: str
    message: str
    status: int | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, or the error in its place.

    `latency_s` is the whole answer, `first_token_s` the wait for its first token, both in seconds.
    `model` is the model that answered by its own account, which may differ from the one asked for; `fingerprint`
    the provider's mark of the system behind it. `usage_raw` is the provider's object, untouched.
    `price` names the price row and its version that `cost_usd` was computed from; "recorded" if the cost came with
    the data. `reasoning` is what the provider shows of the model's thinking, and no part of the answer. `extra` keeps
    the fields of the body that nothing here carries.
    """

    output: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    model: str | None = None
    provider: str | None = None
    fingerprint: str | None = None
    usage: Usage | None = None
    usage_raw: Json = None
    cost_usd: Decimal | None = None
    price: str | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    recorded_at: datetime | None = None
    error: ErrorInfo | None = None
    extra: dict[str, Json] = {}
