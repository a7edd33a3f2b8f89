"""Sums of tokens priced together cost what the calls cost one by one."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from boxscore.costs import PriceBook, cost
from boxscore.errors import UsageError
from boxscore.providers.response import Usage
from boxscore.store.spans import SpanRow, SqliteSpans, parse_condition
from boxscore.tracing.what_if import what_if

BOOK = PriceBook()
DAY = 24 * 3600 * 10**9
START = 20_000 * DAY
TIERED = "google/gemini-2.5-pro"
CALLS = [
    # model, provider, step, input, cached, output
    ("gpt-4o-mini", "openai", "draft", 1_000, 200, 300),
    ("gpt-4o-mini", "openai", "draft", 250_000, 0, 10),
    ("gemini-2.5-pro", "gcp.gemini", "judge", 200_000, 100, 5),
    ("gemini-2.5-pro", "gcp.gemini", "judge", 200_001, 100, 5),
    ("no-such-model", None, "judge", 7, 0, 7),
]


def due(name: str, at: date | None = None, *, of: str | None = None) -> Decimal:
    row = BOOK.find(name, None, at)
    counted = (
        Usage(input_tokens=sent, cache_read_tokens=cached, output_tokens=got, output_reasoning_tokens=0)
        for model, _, _, sent, cached, got in CALLS
        if of in (None, model)
    )
    return sum((cost(usage, row).total_usd for usage in counted), Decimal(0))


@pytest.fixture
def spans(tmp_path: Path) -> Iterator[SqliteSpans]:
    rows = [
        SpanRow(
            trace_id=number.to_bytes(16, "big"),
            span_id=b"spanspan",
            name="chat",
            start_ns=START + number,
            model=model,
            provider=provider,
            step=step,
            input_tokens=sent,
            cached_tokens=cached,
            output_tokens=got,
            reasoning_tokens=0,
            cost_usd=None if provider is None else Decimal(1),
        )
        for number, (model, provider, step, sent, cached, got) in enumerate(CALLS, start=1)
    ]
    other = SpanRow(trace_id=b"t" * 16, span_id=b"spanspan", name="tool", start_ns=START)
    with SqliteSpans(tmp_path) as store:
        store.put("default", [*rows, other]).result()
        yield store


def test_another_model_would_cost_what_its_calls_would_one_by_one(spans: SqliteSpans) -> None:
    found = what_if(spans, "default", [], book=BOOK, models=[TIERED, "openai/gpt-4o-mini"])

    assert found.totals == [due(TIERED), due("openai/gpt-4o-mini")]
    assert (found.cost_usd, sum(row.calls for row in found.rows), sum(row.unpriced for row in found.rows)) == (4, 5, 1)
    for row in found.rows:
        for then in row.then:
            assert sum(part.usd for part in then.parts) == then.usd
    assert {part.above for row in found.rows for part in row.then[0].parts} == {None, 200_000}


def test_the_prices_of_another_day_are_each_calls_own(spans: SqliteSpans) -> None:
    known = [parse_condition("provider!=")]
    found = what_if(spans, "default", known, book=BOOK, by="step", at=date(2025, 7, 1))

    assert found.asked[0].model is None
    assert {row.value: row.then[0].usd for row in found.rows} == {
        "draft": due("openai/gpt-4o-mini", date(2025, 7, 1), of="gpt-4o-mini"),
        "judge": due(TIERED, date(2025, 7, 1), of="gemini-2.5-pro"),
    }


def test_a_total_with_a_row_that_has_no_price_is_not_told(spans: SqliteSpans) -> None:
    found = what_if(spans, "default", [], book=BOOK)

    assert found.totals == [None]
    assert [row.model for row in found.rows if row.then[0].usd is None] == ["no-such-model"]


def test_a_model_without_a_price_is_refused(spans: SqliteSpans) -> None:
    with pytest.raises(UsageError, match="no-such-model"):
        what_if(spans, "default", [], book=BOOK, models=["acme/no-such-model"])
