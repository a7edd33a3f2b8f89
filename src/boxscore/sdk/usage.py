"""Tokens as OpenTelemetry's GenAI conventions name them, from what providers answer."""

from collections.abc import Iterable

from boxscore.sdk.answers import get

__all__ = ["usage_attributes"]

_INPUT = ("input_tokens", "prompt_tokens", "prompt_token_count", "promptTokenCount", "inputTokens")
_OUTPUT = ("output_tokens", "completion_tokens", "candidates_token_count", "candidatesTokenCount", "outputTokens")
_CACHED = ("cached_tokens", "cached_content_token_count", "cachedContentTokenCount")
_REASONING = ("reasoning_tokens", "thoughts_token_count", "thoughtsTokenCount")
_DETAILS = (
    "prompt_tokens_details",
    "input_tokens_details",
    "completion_tokens_details",
    "output_tokens_details",
)


def usage_attributes(
    usage: object,
    *,
    input: int | None = None,
    output: int | None = None,
    cached: int | None = None,
    reasoning: int | None = None,
) -> dict[str, int]:
    """Numbers that are given go before what `usage` says. Anthropic and Bedrock count what came from the cache and what
    went into it apart from the input, Google the thoughts apart from the answer; here both are part of the sum."""
    read = _count(usage, "cache_read_input_tokens", "cacheReadInputTokens")
    written = _count(usage, "cache_creation_input_tokens", "cacheWriteInputTokens")
    found_input, found_output = _count(usage, *_INPUT), _count(usage, *_OUTPUT)
    if found_input is not None:
        found_input += (read or 0) + (written or 0)
    details = [get(usage, name) for name in _DETAILS]
    found_cached = read if read is not None else _first(_count(part, *_CACHED) for part in (usage, *details))
    found_reasoning = _first(_count(part, *_REASONING) for part in (usage, *details))
    if found_output is not None and _count(usage, "thoughts_token_count", "thoughtsTokenCount"):
        found_output += found_reasoning or 0
    counts = {
        "gen_ai.usage.input_tokens": input if input is not None else found_input,
        "gen_ai.usage.output_tokens": output if output is not None else found_output,
        "gen_ai.usage.cache_read.input_tokens": cached if cached is not None else found_cached,
        "gen_ai.usage.cache_creation.input_tokens": written,
        "gen_ai.usage.reasoning.output_tokens": reasoning if reasoning is not None else found_reasoning,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _first(counts: Iterable[int | None]) -> int | None:
    return next((count for count in counts if count is not None), None)


def _count(usage: object, *names: str) -> int | None:
    return _first(value if type(value) is int and value >= 0 else None for value in (get(usage, n) for n in names))
