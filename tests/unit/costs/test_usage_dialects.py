"""One normaliser for every dialect, and clear words for what it cannot read."""

import json
from typing import Any

import pytest

from boxscore.costs import DIALECTS, add_usage, dialect_of_api, events_of, normalise, read_body
from boxscore.errors import UnknownNameError, UnreadableUsageError
from boxscore.providers.response import Usage

SHAPES: dict[str, tuple[Any, str, Usage]] = {
    "chat": (
        {
            "model": "m",
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 2, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 1},
            },
        },
        "openai-chat",
        Usage(
            input_tokens=10,
            output_tokens=7,
            cache_read_tokens=4,
            cache_write_tokens=1,
            input_audio_tokens=2,
            output_audio_tokens=1,
            output_reasoning_tokens=5,
        ),
    ),
    "a bare usage object": (
        {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17},
        "openai-chat",
        Usage(input_tokens=10, output_tokens=7),
    ),
    "responses": (
        {"usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 2}},
        "openai-responses",
        Usage(input_tokens=9, output_tokens=2, cache_read_tokens=8),
    ),
    "anthropic": (
        {
            "usage": {
                "input_tokens": 1,
                "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 300,
                "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
                "output_tokens": 4,
                "server_tool_use": {"web_search_requests": 2},
            }
        },
        "anthropic",
        Usage(
            input_tokens=321,
            output_tokens=4,
            cache_read_tokens=20,
            cache_write_tokens=300,
            cache_write_5m_tokens=100,
            cache_write_1h_tokens=200,
            web_searches=2,
        ),
    ),
    "gemini": (
        {
            "usageMetadata": {
                "promptTokenCount": 30,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 10},
                    {"modality": "DOCUMENT", "tokenCount": 20},
                ],
                "toolUsePromptTokenCount": 5,
                "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
                "candidatesTokenCount": 3,
                "thoughtsTokenCount": 4,
            }
        },
        "gemini",
        Usage(
            input_tokens=35,
            output_tokens=7,
            output_reasoning_tokens=4,
            input_tool_tokens=5,
            input_text_tokens=15,
            input_text_tool_tokens=5,
            input_image_tokens=20,
        ),
    ),
    "gemini as its SDK dumps it": (
        {"usage_metadata": {"prompt_token_count": 30, "candidates_token_count": 3, "thoughts_token_count": 4}},
        "gemini",
        Usage(input_tokens=30, output_tokens=7, output_reasoning_tokens=4),
    ),
    "bedrock converse": (
        {
            "usage": {
                "inputTokens": 1,
                "outputTokens": 2,
                "cacheWriteInputTokens": 30,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 30}],
            }
        },
        "bedrock",
        Usage(input_tokens=31, output_tokens=2, cache_write_tokens=30, cache_write_1h_tokens=30),
    ),
    "bedrock titan": (
        {"inputTextTokenCount": 9, "results": [{"tokenCount": 17, "outputText": "…"}]},
        "bedrock-titan",
        Usage(input_tokens=9, output_tokens=17),
    ),
    "bedrock llama": (
        {"generation": "…", "prompt_token_count": 8, "generation_token_count": 5},
        "bedrock-llama",
        Usage(input_tokens=8, output_tokens=5),
    ),
    "cohere v1": (
        {"meta": {"billed_units": {"input_tokens": 7, "output_tokens": 3}, "tokens": {"input_tokens": 69}}},
        "cohere",
        Usage(input_tokens=7, output_tokens=3),
    ),
    "groq in a stream": (
        [{"x_groq": {"id": "req"}}, {"x_groq": {"usage": {"prompt_tokens": 5, "completion_tokens": 6}}}],
        "openai-chat",
        Usage(input_tokens=5, output_tokens=6),
    ),
    "ollama": (
        {"model": "llama3", "prompt_eval_count": 26, "eval_count": 298},
        "ollama",
        Usage(input_tokens=26, output_tokens=298),
    ),
    "our own": (
        {"input_tokens": 5, "output_tokens": 2, "cache_read_tokens": 3},
        "boxscore",
        Usage(input_tokens=5, output_tokens=2, cache_read_tokens=3),
    ),
    "xAI told by its total": (
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 1,
                "completion_tokens_details": {"reasoning_tokens": 5},
                "total_tokens": 16,
            }
        },
        "openai-chat",
        Usage(input_tokens=10, output_tokens=6, output_reasoning_tokens=5),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_dialect_is_seen_from_its_shape(name: str) -> None:
    body, dialect, usage = SHAPES[name]

    reading = read_body(body)

    assert reading.dialect == dialect
    assert reading.usage == usage


@pytest.mark.parametrize("name", SHAPES)
def test_naming_the_dialect_gives_what_seeing_it_gives(name: str) -> None:
    body, dialect, usage = SHAPES[name]

    assert normalise(body, dialect=dialect) == usage


def test_counts_that_are_not_reported_stay_none_and_reported_zeros_stay_zero() -> None:
    usage = normalise({"usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}}})

    assert usage.cache_read_tokens == 0
    assert usage.output_tokens is None


def test_a_dialect_may_be_told_by_the_provider_and_its_api() -> None:
    assert dialect_of_api("azure", "anthropic") == "anthropic"
    assert dialect_of_api("google") == "gemini"
    assert dialect_of_api("huggingface_together", "chat") == "openai-chat"
    assert dialect_of_api("x-ai", "chat") == "x-ai"


def test_every_api_has_a_dialect_that_exists() -> None:
    flavours = ("default", "chat", "responses", "anthropic", "embeddings", "realtime", "images", "tokens", "unheard-of")
    for provider in ("openai", "x-ai", "cohere", "perplexity", "databricks", "minimax", "cursor", "nobody"):
        for flavour in flavours:
            assert dialect_of_api(provider, flavour) in DIALECTS


def test_the_way_of_serving_comes_with_the_usage() -> None:
    assert read_body({"service_tier": "flex", "usage": {"prompt_tokens": 1}}).context == {"service_tier": "flex"}
    assert read_body({"usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "batch"}}).context == {
        "processing": "batch"
    }


def test_a_recorded_stream_is_read_as_it_stands() -> None:
    chunks = [{"id": "1", "usage": None}, {"id": "1", "usage": {"prompt_tokens": 3, "completion_tokens": 4}}]
    raw = ": hello\n\n" + "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks) + "data: [DONE]\n\n"

    assert normalise(events_of(raw)) == Usage(input_tokens=3, output_tokens=4)


def test_a_stream_without_usage_says_how_to_ask_for_it() -> None:
    with pytest.raises(UnreadableUsageError, match="include_usage"):
        normalise([{"model": "gpt-4o", "choices": [{"delta": {"content": "Hi"}}]}])


def test_an_unknown_shape_is_refused_with_the_keys_that_were_seen() -> None:
    with pytest.raises(UnreadableUsageError, match="fuel, tokens_burnt") as caught:
        normalise({"usage": {"tokens_burnt": 3, "fuel": "coal"}})

    assert caught.value.keys == ("fuel", "tokens_burnt")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("body", ["text", 3, None, [1, 2], []])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(UnreadableUsageError):
        normalise(body)


@pytest.mark.parametrize("count", [-1, 1.5, float("nan"), float("inf")])
def test_a_count_is_a_whole_number_zero_or_more(count: float) -> None:
    with pytest.raises(UnreadableUsageError):
        normalise({"usage": {"prompt_tokens": count, "completion_tokens": 1}})


def test_a_missing_total_is_never_taken_for_zero() -> None:
    with pytest.raises(UnreadableUsageError, match="prompt_tokens"):
        normalise({"usage": {"completion_tokens": 4}}, dialect="openai-chat")


def test_an_unknown_dialect_names_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="anthropic"):
        normalise({"usage": {}}, dialect="antropic")


def test_usages_add_up_and_what_none_reported_stays_none() -> None:
    total = add_usage([Usage(input_tokens=1, cache_read_tokens=1), Usage(input_tokens=2, output_tokens=5)])

    assert total == Usage(input_tokens=3, output_tokens=5, cache_read_tokens=1)
