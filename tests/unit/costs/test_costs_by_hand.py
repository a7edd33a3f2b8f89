"""Bills computed by hand. The arithmetic stands in the table: tokens times dollars over the unit, term by term."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from boxscore.costs import PriceBook, cost, normalise, read_body

D = Decimal
M = 1_000_000

OCTOBER = datetime(2025, 10, 15, 12, tzinfo=UTC)
NOVEMBER_26 = datetime(2026, 11, 1, tzinfo=UTC)

# name: (model, provider, moment, body, way of serving, dollars)
CASES: dict[str, tuple[str, str | None, datetime, Any, dict[str, str], Decimal]] = {
    # Plain
    "input and output": (
        "gpt-4o",
        None,
        OCTOBER,
        {"usage": {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200}},
        {},
        D(1_000) * D("2.5") / M + D(200) * 10 / M,
    ),
    "embeddings have no output": (
        "text-embedding-3-small",
        "openai",
        OCTOBER,
        {"usage": {"prompt_tokens": 8_000, "total_tokens": 8_000}},
        {},
        D(8_000) * D("0.02") / M,
    ),
    "Cohere bills billed units, not tokens": (
        "command-r",
        "cohere",
        OCTOBER,
        {
            "usage": {
                "billed_units": {"input_tokens": 50, "output_tokens": 20},
                "tokens": {"input_tokens": 120, "output_tokens": 21},
            }
        },
        {},
        D(50) * D("0.15") / M + D(20) * D("0.6") / M,
    ),
    "an old model": (
        "gpt-4-0314",
        None,
        datetime(2023, 3, 20, tzinfo=UTC),
        {"usage": {"prompt_tokens": 30, "completion_tokens": 2}},
        {},
        D(30) * 30 / M + D(2) * 60 / M,
    ),
    # Caches
    "cached tokens are a part of the prompt": (
        "gpt-4o",
        None,
        OCTOBER,
        {"usage": {"prompt_tokens": 2_000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 1_536}}},
        {},
        D(2_000 - 1_536) * D("2.5") / M + D(1_536) * D("1.25") / M + D(10) * 10 / M,
    ),
    "Anthropic counts the cache beside the input": (
        "claude-haiku-4-5",
        None,
        OCTOBER,
        {
            "usage": {
                "input_tokens": 3,
                "cache_read_input_tokens": 9_500,
                "cache_creation_input_tokens": 1_900,
                "output_tokens": 44,
            }
        },
        {},
        D(3) * 1 / M + D(9_500) * D("0.1") / M + D(1_900) * D("1.25") / M + D(44) * 5 / M,
    ),
    "a cache written for an hour costs more than one for five minutes": (
        "claude-haiku-4-5",
        None,
        OCTOBER,
        {
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 3_000,
                "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000},
                "output_tokens": 1,
            }
        },
        {},
        D(10) * 1 / M + D(1_000) * D("1.25") / M + D(2_000) * 2 / M + D(1) * 5 / M,
    ),
    "DeepSeek's cache hits under their old name": (
        "deepseek-chat",
        None,
        OCTOBER,
        {"usage": {"prompt_tokens": 600, "prompt_cache_hit_tokens": 500, "completion_tokens": 100}},
        {},
        D(100) * D("0.27") / M + D(500) * D("0.07") / M + D(100) * D("1.1") / M,
    ),
    "Bedrock counts the cache beside the input": (
        "claude-sonnet-4-5",
        "anthropic",
        OCTOBER,
        {"usage": {"inputTokens": 7, "outputTokens": 5, "cacheReadInputTokens": 1_000, "cacheWriteInputTokens": 400}},
        {},
        D(7) * 3 / M + D(1_000) * D("0.3") / M + D(400) * D("3.75") / M + D(5) * 15 / M,
    ),
    "Gemini's cached content": (
        "gemini-2.5-flash",
        None,
        OCTOBER,
        {"usageMetadata": {"promptTokenCount": 3_500, "cachedContentTokenCount": 3_000, "candidatesTokenCount": 40}},
        {},
        D(500) * D("0.3") / M + D(3_000) * D("0.03") / M + D(40) * D("2.5") / M,
    ),
    # Reasoning
    "reasoning is inside OpenAI's completion": (
        "o3",
        None,
        OCTOBER,
        {
            "usage": {
                "input_tokens": 50,
                "output_tokens": 900,
                "output_tokens_details": {"reasoning_tokens": 832},
                "total_tokens": 950,
            }
        },
        {},
        D(50) * 2 / M + D(900) * 8 / M,
    ),
    "thoughts are beside Gemini's candidates": (
        "gemini-2.5-flash",
        None,
        OCTOBER,
        {"usageMetadata": {"promptTokenCount": 20, "candidatesTokenCount": 6, "thoughtsTokenCount": 300}},
        {},
        D(20) * D("0.3") / M + D(6 + 300) * D("2.5") / M,
    ),
    "reasoning is beside xAI's completion": (
        "grok-4",
        "x-ai",
        OCTOBER,
        {
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 10,
                "completion_tokens_details": {"reasoning_tokens": 200},
                "total_tokens": 310,
            }
        },
        {},
        D(100) * 3 / M + D(10 + 200) * 15 / M,
    ),
    "reasoning and citations with prices of their own": (
        "sonar-deep-research",
        "perplexity",
        OCTOBER,
        {
            "usage": {
                "prompt_tokens": 30,
                "completion_tokens": 1_000,
                "reasoning_tokens": 5_000,
                "citation_tokens": 2_000,
                "num_search_queries": 12,
            }
        },
        {},
        D(30) * 2 / M + D(1_000) * 8 / M + D(5_000) * 3 / M + D(2_000) * 2 / M + D(12) * 5 / 1_000,
    ),
    # Modalities
    "audio and text in a realtime answer": (
        "gpt-realtime",
        "openai",
        OCTOBER,
        {
            "response": {
                "usage": {
                    "input_tokens": 300,
                    "output_tokens": 150,
                    "input_token_details": {
                        "text_tokens": 100,
                        "audio_tokens": 200,
                        "cached_tokens": 64,
                        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0},
                    },
                    "output_token_details": {"text_tokens": 50, "audio_tokens": 100},
                }
            }
        },
        {},
        # Text: 300 less 200 of audio less 64 cached.
        D(36) * 4 / M + D(64) * D("0.4") / M + D(200) * 32 / M + D(50) * 16 / M + D(100) * 64 / M,
    ),
    "audio in a Gemini prompt": (
        "gemini-2.0-flash",
        None,
        OCTOBER,
        {
            "usageMetadata": {
                "promptTokenCount": 400,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 20},
                    {"modality": "AUDIO", "tokenCount": 380},
                ],
                "candidatesTokenCount": 9,
            }
        },
        {},
        D(20) * D("0.1") / M + D(380) * D("0.7") / M + D(9) * D("0.4") / M,
    ),
    "images in an image request": (
        "gpt-image-1",
        "openai",
        OCTOBER,
        {
            "usage": {
                "input_tokens": 250,
                "input_tokens_details": {"text_tokens": 50, "image_tokens": 200},
                "output_tokens": 1_056,
            }
        },
        {},
        D(50) * 5 / M + D(200) * 10 / M + D(1_056) * 40 / M,
    ),
    "a recording by the hour": (
        "whisper-1",
        None,
        OCTOBER,
        {"usage": {"type": "duration", "seconds": 90}},
        {},
        D(90) * D("0.36") / 3_600,
    ),
    "Groq bills ten seconds at least": (
        "whisper-large-v3",
        "groq",
        OCTOBER,
        {"usage": {"seconds": 3}},
        {},
        D(10) * D("0.111") / 3_600,
    ),
    "pages of a document": (
        "mistral-ocr-latest",
        "mistral",
        OCTOBER,
        {"usage_info": {"pages_processed": 12, "doc_size_bytes": 1}},
        {},
        D(12) * 1 / 1_000,
    ),
    # Fees
    "web searches": (
        "claude-sonnet-4-5",
        None,
        OCTOBER,
        {"usage": {"input_tokens": 100, "output_tokens": 10, "server_tool_use": {"web_search_requests": 3}}},
        {},
        D(100) * 3 / M + D(10) * 15 / M + D(3) * 10 / 1_000,
    ),
    "a fee for each request": (
        "sonar",
        "perplexity",
        OCTOBER,
        {"usage": {"prompt_tokens": 14, "completion_tokens": 100}},
        {},
        D(14) * 1 / M + D(100) * 1 / M + D(1) * 12 / 1_000,
    ),
    "tool results are a part of Gemini's input": (
        "gemini-2.5-pro",
        None,
        OCTOBER,
        {"usageMetadata": {"promptTokenCount": 200, "toolUsePromptTokenCount": 600, "candidatesTokenCount": 30}},
        {},
        D(200 + 600) * D("1.25") / M + D(30) * 10 / M,
    ),
    # Tiers
    "at the threshold the base price holds": (
        "gemini-2.5-pro",
        None,
        OCTOBER,
        {"usageMetadata": {"promptTokenCount": 200_000, "candidatesTokenCount": 100}},
        {},
        D(200_000) * D("1.25") / M + D(100) * 10 / M,
    ),
    "one token above it every token costs more": (
        "gemini-2.5-pro",
        None,
        OCTOBER,
        {"usageMetadata": {"promptTokenCount": 200_001, "candidatesTokenCount": 100}},
        {},
        D(200_001) * D("2.5") / M + D(100) * 15 / M,
    ),
    "cached tokens count towards the threshold": (
        "claude-sonnet-4-5",
        None,
        OCTOBER,
        {"usage": {"input_tokens": 1_000, "cache_read_input_tokens": 250_000, "output_tokens": 10}},
        {},
        D(1_000) * 6 / M + D(250_000) * D("0.6") / M + D(10) * D("22.5") / M,
    ),
    # Dates and hours
    "the day before a price cut": (
        "o3",
        None,
        datetime(2025, 6, 9, 23, 59, 59, tzinfo=UTC),
        {"usage": {"prompt_tokens": 100, "completion_tokens": 100}},
        {},
        D(100) * 10 / M + D(100) * 40 / M,
    ),
    "the day of the price cut": (
        "o3",
        None,
        datetime(2025, 6, 10, tzinfo=UTC),
        {"usage": {"prompt_tokens": 100, "completion_tokens": 100}},
        {},
        D(100) * 2 / M + D(100) * 8 / M,
    ),
    "in the cheap hours": (
        "deepseek-chat",
        None,
        datetime(2025, 10, 15, 16, 30, tzinfo=UTC),
        {"usage": {"prompt_tokens": 100, "completion_tokens": 100}},
        {},
        D(100) * D("0.135") / M + D(100) * D("0.55") / M,
    ),
    "a minute before them": (
        "deepseek-chat",
        None,
        datetime(2025, 10, 15, 16, 29, tzinfo=UTC),
        {"usage": {"prompt_tokens": 100, "completion_tokens": 100}},
        {},
        D(100) * D("0.27") / M + D(100) * D("1.1") / M,
    ),
    # Ways of serving
    "flex, as the body says": (
        "gpt-5",
        None,
        NOVEMBER_26,
        {"model": "gpt-5", "service_tier": "flex", "usage": {"prompt_tokens": 1_000, "completion_tokens": 100}},
        {},
        D(1_000) * D("0.625") / M + D(100) * 5 / M,
    ),
    "priority, as the caller says": (
        "gpt-5",
        None,
        NOVEMBER_26,
        {"usage": {"prompt_tokens": 1_000, "completion_tokens": 100}},
        {"service_tier": "priority"},
        D(1_000) * D("2.5") / M + D(100) * 20 / M,
    ),
    "a batch halves it": (
        "claude-sonnet-4-5",
        None,
        NOVEMBER_26,
        {"usage": {"input_tokens": 1_000, "output_tokens": 100, "service_tier": "batch"}},
        {},
        D(1_000) * D("1.5") / M + D(100) * D("7.5") / M,
    ),
    # Streams
    "a stream whose usage comes in its last event": (
        "gpt-4o-mini",
        None,
        OCTOBER,
        [
            {"model": "gpt-4o-mini", "choices": [{"delta": {"content": "Hi"}}], "usage": None},
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 24,
                    "completion_tokens": 8,
                    "prompt_tokens_details": {"cached_tokens": 0},
                    "total_tokens": 32,
                },
            },
        ],
        {},
        D(24) * D("0.15") / M + D(8) * D("0.6") / M,
    ),
    "a stream that begins with the input and ends with the output": (
        "claude-haiku-4-5",
        None,
        OCTOBER,
        [
            {
                "type": "message_start",
                "message": {
                    "model": "claude-haiku-4-5",
                    "usage": {"input_tokens": 20, "cache_read_input_tokens": 4_000, "output_tokens": 1},
                },
            },
            {"type": "ping"},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 77}},
        ],
        {},
        D(20) * 1 / M + D(4_000) * D("0.1") / M + D(77) * 5 / M,
    ),
    "a stream whose counts grow from event to event": (
        "gemini-2.5-flash",
        None,
        OCTOBER,
        [
            {"usageMetadata": {"promptTokenCount": 10, "thoughtsTokenCount": 50, "totalTokenCount": 60}},
            {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 50}},
            {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 12, "thoughtsTokenCount": 50}},
        ],
        {},
        D(10) * D("0.3") / M + D(12 + 50) * D("2.5") / M,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_bill_is_what_the_hand_computes(name: str) -> None:
    model, provider, at, body, context, dollars = CASES[name]
    reading = read_body(body, provider=provider if provider == "x-ai" else None)

    paid = cost(reading.usage, PriceBook().find(model, provider, at, context={**reading.context, **context}))

    assert paid.total_usd == dollars
    assert paid.total_usd == sum(part.usd for part in paid.parts)


def test_there_are_thirty_of_them_and_more() -> None:
    assert len(CASES) >= 30


def test_a_cost_names_its_price_row_and_the_version_of_the_table() -> None:
    row = PriceBook().find("o3", at=datetime(2025, 7, 1, tzinfo=UTC))

    paid = cost(normalise({"usage": {"prompt_tokens": 1, "completion_tokens": 1}}), row)

    assert paid.price.startswith("genai-prices/openai/o3/1@")
    assert paid.price.rpartition("@")[2] in PriceBook().version


def test_parts_show_the_threshold_that_was_crossed() -> None:
    row = PriceBook().find("gemini-2.5-pro", at=OCTOBER)

    paid = cost(normalise({"usageMetadata": {"promptTokenCount": 200_001, "candidatesTokenCount": 1}}), row)

    assert [(part.kind, part.above) for part in paid.parts] == [("input", 200_000), ("output", 200_000)]
