"""The JSON of what a store answers: what goes in comes out, and people and browsers can read it."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.client.forms import decode, encode
from boxscore.errors import UsageError
from boxscore.store.spans import Hits, Page, Score, StoredSpan, TraceSummary
from boxscore.store.spans.measures import Group

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
MONEY = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=12)
SPANS = st.builds(
    StoredSpan,
    trace_id=st.binary(min_size=16, max_size=16),
    span_id=st.binary(min_size=8, max_size=8),
    parent_id=st.none() | st.binary(min_size=8, max_size=8),
    name=TEXT,
    start_ns=WHOLE,
    duration_ns=st.none() | WHOLE,
    cost_usd=st.none() | MONEY,
    input_text=TEXT,
    metadata=st.dictionaries(st.sampled_from(["trace_id", "items", "entry", "values", "__proto__", "x"]), TEXT),
    raw=st.binary(max_size=20),
    received_ns=WHOLE,
)


@given(st.lists(SPANS, max_size=3), st.none() | TEXT)
def test_spans_come_back_as_they_were(spans: list[StoredSpan], cursor: str | None) -> None:
    page = Page[StoredSpan](items=spans, cursor=cursor)
    hits = Hits(items=spans, cursor=cursor, pending=3)

    assert decode(encode(page), Page[StoredSpan]) == page
    assert decode(encode(hits), Hits) == hits


@given(SPANS, MONEY)
def test_traces_come_back_as_they_were(span: StoredSpan, money: Decimal) -> None:
    summary = TraceSummary(
        entry=span,
        spans=2,
        errors=1,
        duration_ns=None,
        input_tokens=1,
        output_tokens=None,
        cost_usd=money,
        models=["small", "large"],
    )
    page = Page[TraceSummary](items=[summary], cursor=None)

    assert decode(encode(page), Page[TraceSummary]) == page


@pytest.mark.parametrize("value", [0.25, True, "polite"])
def test_scores_come_back_as_they_were(value: float | bool | str) -> None:
    scores = [Score(id="a", name="n", value=value, trace_id=b"t" * 16, span_id=b"s" * 8, at_ns=5, metadata={"a": "b"})]

    assert decode(encode(scores), list[Score]) == scores


def test_ids_are_hex_and_money_is_a_plain_decimal() -> None:
    group = Group(keys=("a", None, True, 5), values=(3, 2.5, Decimal("1E-12"), None))
    told = msgspec.json.decode(encode([group]))

    assert told == [{"keys": ["a", None, True, 5], "values": [3, 2.5, "0.000000000001", None]}]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 5000, b"\xff", b'{"items": 5}', b'{"items":[{"trace_id":"xyz"}]}', b"null"]
)
def test_what_is_no_such_json_is_a_usage_error(body: bytes) -> None:
    with pytest.raises(UsageError, match="no JSON that is taken here"):
        decode(body, Page[StoredSpan])


def test_a_number_that_no_store_holds_is_refused() -> None:
    score = b'[{"id": "a", "name": "n", "value": 1, "trace_id": "' + b"ab" * 16 + b'", "at_ns": 99999999999999999999}]'

    with pytest.raises(UsageError, match="64 bits"):
        decode(score, list[Score])
