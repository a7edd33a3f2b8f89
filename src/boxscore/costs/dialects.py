"""The dialects of usage: how each wire format names its counts, as a table.

A term reads the first of its paths that is there; a field is the sum of its terms. A path is written with dots, and
`promptTokensDetails[modality=TEXT].tokenCount` looks into a list, as does `results[0].tokenCount`. Numbers count;
anything else is not there.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, cast

from boxscore.types import Json

__all__ = ["DIALECTS", "Dialect", "dialect_of_api", "head_of", "read_path"]


class Dialect(NamedTuple):
    """`roots` are the places of the usage object in a body, `needs` the fields without which it is another dialect."""

    name: str
    roots: tuple[str, ...]
    terms: tuple[tuple[str, tuple[str, ...]], ...]
    needs: tuple[str, ...]
    model: tuple[str, ...] = ("model", "message.model", "response.model")


def _terms(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    lines = (line.split("=", 1) for line in text.strip().splitlines())
    return tuple((field.strip(), tuple(path.strip() for path in paths.split("|"))) for field, paths in lines)


_OPENAI_CHAT = """
input_tokens = prompt_tokens
output_tokens = completion_tokens
cache_read_tokens = prompt_tokens_details.cached_tokens | prompt_cache_hit_tokens | cached_tokens
cache_write_tokens = prompt_tokens_details.cache_write_tokens
input_audio_tokens = prompt_tokens_details.audio_tokens
output_audio_tokens = completion_tokens_details.audio_tokens
output_reasoning_tokens = completion_tokens_details.reasoning_tokens | reasoning_tokens
"""

_ANTHROPIC = """
input_tokens = input_tokens
input_tokens = cache_creation_input_tokens
input_tokens = cache_read_input_tokens
output_tokens = output_tokens
cache_read_tokens = cache_read_input_tokens
cache_write_tokens = cache_creation_input_tokens
cache_write_5m_tokens = cache_creation.ephemeral_5m_input_tokens
cache_write_1h_tokens = cache_creation.ephemeral_1h_input_tokens
output_reasoning_tokens = output_tokens_details.thinking_tokens
web_searches = server_tool_use.web_search_requests
"""

_REALTIME = """
input_tokens = input_tokens
output_tokens = output_tokens
input_text_tokens = input_token_details.text_tokens
input_audio_tokens = input_token_details.audio_tokens
input_image_tokens = input_token_details.image_tokens
cache_read_tokens = input_token_details.cached_tokens
cache_text_read_tokens = input_token_details.cached_tokens_details.text_tokens
cache_audio_read_tokens = input_token_details.cached_tokens_details.audio_tokens
cache_image_read_tokens = input_token_details.cached_tokens_details.image_tokens
output_text_tokens = output_token_details.text_tokens
output_audio_tokens = output_token_details.audio_tokens
audio_seconds = billable_audio_seconds
input_text_messages = input_text_messages
"""


def _gemini() -> str:
    lines = [
        "input_tokens = promptTokenCount",
        "input_tokens = toolUsePromptTokenCount",
        "output_tokens = candidatesTokenCount | responseTokenCount",
        "output_tokens = thoughtsTokenCount",
        "output_reasoning_tokens = thoughtsTokenCount",
        "cache_read_tokens = cachedContentTokenCount",
        "input_tool_tokens = toolUsePromptTokenCount",
    ]
    # A document is billed as the images of its pages.
    for modality, kind in (
        ("TEXT", "text"),
        ("AUDIO", "audio"),
        ("IMAGE", "image"),
        ("DOCUMENT", "image"),
        ("VIDEO", "video"),
    ):

        def count(details: str, modality: str = modality) -> str:
            return f"{details}[modality={modality}].tokenCount"

        answer = f"{count('candidatesTokensDetails')} | {count('responseTokensDetails')}"
        lines += [
            f"input_{kind}_tokens = {count('promptTokensDetails')}",
            f"input_{kind}_tokens = {count('toolUsePromptTokensDetails')}",
            f"input_{kind}_tool_tokens = {count('toolUsePromptTokensDetails')}",
            f"cache_{kind}_read_tokens = {count('cacheTokensDetails')}",
            f"output_{kind}_tokens = {answer}",
        ]
    return "\n".join(lines)


DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "openai-chat",
            ("usage", "x_groq.usage", "result.usage"),
            _terms(_OPENAI_CHAT),
            ("prompt_tokens",),
            ("model", "result.model"),
        ),
        Dialect(
            "openai-embeddings", ("usage",), _terms("input_tokens = prompt_tokens | input_tokens"), ("prompt_tokens",)
        ),
        Dialect(
            "openai-responses",
            ("usage", "response.usage", "result.usage"),
            _terms("""
input_tokens = input_tokens
output_tokens = output_tokens
cache_read_tokens = input_tokens_details.cached_tokens | input_tokens_details.cache_read_input_tokens
cache_write_tokens = input_tokens_details.cache_write_tokens
output_reasoning_tokens = output_tokens_details.reasoning_tokens
web_searches = tool_calls_details.search_web.invocation
"""),
            ("input_tokens",),
            ("model", "response.model", "result.model"),
        ),
        Dialect(
            "openai-images",
            ("usage",),
            _terms("""
input_tokens = input_tokens
output_tokens = output_tokens
input_text_tokens = input_tokens_details.text_tokens
input_image_tokens = input_tokens_details.image_tokens
output_text_tokens = output_tokens_details.text_tokens
output_image_tokens = output_tokens_details.image_tokens
"""),
            ("input_tokens",),
        ),
        Dialect("openai-realtime", ("response.usage", "usage"), _terms(_REALTIME), ("input_token_details",)),
        Dialect("audio-seconds", ("usage",), _terms("audio_seconds = seconds"), ("seconds",)),
        Dialect("anthropic", ("usage", "message.usage"), _terms(_ANTHROPIC), ("input_tokens",)),
        Dialect("gemini", ("usageMetadata",), _terms(_gemini()), (), ("modelVersion", "model")),
        Dialect(
            "bedrock",
            ("usage", "metadata.usage"),
            _terms("""
input_tokens = inputTokens
input_tokens = cacheReadInputTokens | cacheReadInputTokenCount
input_tokens = cacheWriteInputTokens | cacheWriteInputTokenCount
output_tokens = outputTokens
cache_read_tokens = cacheReadInputTokens | cacheReadInputTokenCount
cache_write_tokens = cacheWriteInputTokens | cacheWriteInputTokenCount
cache_write_5m_tokens = cacheDetails[ttl=5m].inputTokens
cache_write_1h_tokens = cacheDetails[ttl=1h].inputTokens
"""),
            ("inputTokens",),
        ),
        Dialect(
            "bedrock-titan",
            ("",),
            _terms("""
input_tokens = inputTextTokenCount
output_tokens = results[0].tokenCount | totalOutputTextTokenCount
"""),
            ("inputTextTokenCount",),
        ),
        Dialect(
            "bedrock-llama",
            ("",),
            _terms("""
input_tokens = prompt_token_count
output_tokens = generation_token_count
"""),
            ("generation_token_count",),
        ),
        Dialect(
            "cohere",
            ("usage", "delta.usage", "meta", "response.meta"),
            _terms("""
input_tokens = billed_units.input_tokens | tokens.input_tokens
output_tokens = billed_units.output_tokens | tokens.output_tokens
"""),
            (),
        ),
        Dialect(
            "cohere-tokens",
            ("usage", "delta.usage"),
            _terms("""
input_tokens = tokens.input_tokens
output_tokens = tokens.output_tokens
cache_read_tokens = cached_tokens
"""),
            ("tokens",),
        ),
        # xAI counts reasoning beside the completion, not in it.
        Dialect(
            "x-ai",
            ("usage",),
            _terms("""
input_tokens = prompt_tokens
output_tokens = completion_tokens
output_tokens = completion_tokens_details.reasoning_tokens | reasoning_tokens
cache_read_tokens = prompt_tokens_details.cached_tokens | cached_prompt_text_tokens
output_audio_tokens = completion_tokens_details.audio_tokens
output_reasoning_tokens = completion_tokens_details.reasoning_tokens | reasoning_tokens
"""),
            ("prompt_tokens",),
        ),
        # So does Perplexity, and citations too; searches are a fee.
        Dialect(
            "perplexity",
            ("usage",),
            _terms("""
input_tokens = prompt_tokens
output_tokens = completion_tokens
output_tokens = reasoning_tokens
output_tokens = citation_tokens
output_reasoning_tokens = reasoning_tokens
output_citation_tokens = citation_tokens
web_searches = num_search_queries
"""),
            ("prompt_tokens",),
        ),
        Dialect(
            "databricks",
            ("usage",),
            _terms("""
input_tokens = prompt_tokens
output_tokens = completion_tokens
cache_read_tokens = cache_read_input_tokens
output_reasoning_tokens = reasoning_tokens | completion_tokens_details.reasoning_tokens
"""),
            ("prompt_tokens",),
        ),
        Dialect(
            "cursor",
            ("tokenUsage",),
            _terms("""
input_tokens = inputTokens
input_tokens = cacheWriteTokens
input_tokens = cacheReadTokens
output_tokens = outputTokens
cache_read_tokens = cacheReadTokens
cache_write_tokens = cacheWriteTokens
"""),
            ("inputTokens",),
        ),
        Dialect(
            "mistral-ocr",
            ("usage_info",),
            _terms("input_document_pages = pages_processed"),
            ("pages_processed",),
        ),
        Dialect(
            "ollama",
            ("",),
            _terms("""
input_tokens = prompt_eval_count
output_tokens = eval_count
"""),
            (),
        ),
    )
}
"""Every dialect by name. Sources: the API references of the providers, and the extractors of genai-prices."""

_BY_PROVIDER = {
    "anthropic": "anthropic",
    "aws": "bedrock",
    "google": "gemini",
    "cohere": "cohere",
    "cursor": "cursor",
    "databricks": "databricks",
    "minimax": "anthropic",
    "openrouter": "openai-responses",
    "openai-decisions": "openai-responses",
    "perplexity": "perplexity",
    "typesafe": "openai-responses",
    "x-ai": "x-ai",
}
_BY_FLAVOUR = {
    "chat": "openai-chat",
    "responses": "openai-responses",
    "decisions": "openai-responses",
    "systemone": "openai-responses",
    "embeddings": "openai-embeddings",
    "images": "openai-images",
    "realtime": "openai-realtime",
    "live": "audio-seconds",
    "anthropic": "anthropic",
    "tokens": "cohere-tokens",
    "usage-event": "cursor",
    "ocr": "mistral-ocr",
}
_OF_BOTH = {
    ("x-ai", "chat"): "x-ai",
    ("databricks", "chat"): "databricks",
    ("cohere", "embeddings"): "cohere",
}


def dialect_of_api(provider: str, flavour: str = "default") -> str:
    """The dialect of an API of a provider: `("azure", "anthropic")` → `"anthropic"`. Most speak `openai-chat`."""
    if (provider, flavour) in _OF_BOTH:
        return _OF_BOTH[provider, flavour]
    if flavour == "default":
        return _BY_PROVIDER.get(provider, "openai-chat")
    return _BY_FLAVOUR.get(flavour, "openai-chat")


_STEP = re.compile(r"([^.\[\]]+)(?:\[(?:(\w+)=([^\]]+)|(\d+))\])?")


@cache
def _steps(path: str) -> list[tuple[str, str, str, str]]:
    return _STEP.findall(path)


@cache
def head_of(path: str) -> tuple[str, bool]:
    """The name that a path begins with, and whether that is all of it."""
    (name, *rest), *more = _steps(path)
    return name, not more and not any(rest)


def read_path(data: Json, path: str) -> Json:
    """What is at a dotted path, or None."""
    if isinstance(data, dict):  # most paths lead nowhere, and most others are one plain name
        head, alone = head_of(path)
        if head not in data or alone:
            return cast("dict[str, Json]", data).get(head)
    found = cast("object", data)
    for name, key, wanted, index in _steps(path):
        if not isinstance(found, Mapping):
            return None
        found = cast("Mapping[str, object]", found).get(name)
        if key or index:
            items = cast("list[object]", found) if isinstance(found, list) else []
            rows = [cast("Mapping[str, object]", item) for item in items if isinstance(item, Mapping)]
            if index:
                found = rows[int(index)] if int(index) < len(rows) else None
            else:
                found = next((row for row in rows if str(row.get(key)) == wanted), None)
    return found
