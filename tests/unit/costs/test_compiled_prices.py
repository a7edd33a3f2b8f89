"""The compiled price table is what the installed genai-prices says, and prices as it does."""

import importlib.util
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from boxscore.costs import PriceBook, cost
from boxscore.costs.table import builtin_table
from boxscore.providers.response import Usage

TOOL = Path(__file__).parents[3] / "tools" / "compile_prices.py"


def test_the_table_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("compile_prices", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    assert tool.main(["--check"]) == 0
    assert builtin_table().version == version("genai-prices")


@pytest.mark.parametrize(
    ("at", "context"),
    [
        (datetime(2024, 6, 1, 3, tzinfo=UTC), {}),
        (datetime(2025, 10, 15, 12, tzinfo=UTC), {}),
        (datetime(2026, 11, 20, tzinfo=UTC), {"service_tier": "flex"}),
        (datetime(2026, 11, 20, tzinfo=UTC), {"service_tier": "priority"}),
        (datetime(2026, 11, 20, tzinfo=UTC), {"processing": "batch"}),
    ],
    ids=str,
)
def test_every_model_costs_what_the_library_computes(at: datetime, context: dict[str, str]) -> None:
    from genai_prices import Usage as TheirUsage
    from genai_prices.data import providers

    counts = {
        "input_tokens": 300_000,
        "output_tokens": 1_234,
        "cache_read_tokens": 40_000,
        "cache_write_tokens": 9_000,
        "cache_write_5m_tokens": 4_000,
        "cache_write_1h_tokens": 5_000,
        "output_reasoning_tokens": 234,
        "web_searches": 3,
    }
    # Beside text: some models price audio and images, and then need to know how much of them was cached.
    rich = {
        **counts,
        **dict.fromkeys(("input_audio_tokens", "input_image_tokens", "input_video_tokens"), 1_000),
        **dict.fromkeys(("cache_audio_read_tokens", "cache_image_read_tokens", "cache_video_read_tokens"), 100),
        "output_audio_tokens": 100,
        "output_image_tokens": 50,
        "output_video_tokens": 25,
        "output_citation_tokens": 10,
        "input_characters": 500,
        "input_text_messages": 7,
        "input_document_pages": 9,
        "input_annotated_document_pages": 4,
        "audio_seconds": 61.5,
        "input_audio_seconds": 31.25,
        "storage_searches": 2,
    }
    book = PriceBook()
    compared = 0
    for provider in providers:
        for model in provider.models:
            row = book.find(model.id, provider.id, at, context=context) if model.is_match(model.id) else None
            if row is None or row.model != model.id:
                continue
            theirs = model.calc_price(
                TheirUsage(**rich), provider, genai_request_timestamp=at, price_context=context or None
            )
            ours = cost(Usage(**rich), row)  # pyright: ignore[reportArgumentType]
            assert (ours.input_usd, ours.output_usd, ours.total_usd) == (
                theirs.input_price,
                theirs.output_price,
                theirs.total_price,
            ), row.ref
            compared += 1

    assert compared > 2_000
