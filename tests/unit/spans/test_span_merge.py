"""Versions of a span meet in one span."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from boxscore.store.spans import SpanRow, merge

_text = st.none() | st.text(max_size=3)
_count = st.none() | st.integers(0, 5)
versions = st.builds(
    SpanRow,
    trace_id=st.just(b"t"),
    span_id=st.just(b"s"),
    parent_id=st.none() | st.just(b"p"),
    name=st.text(max_size=3),
    start_ns=st.integers(0, 5),
    duration_ns=_count,
    entry=st.booleans(),
    error=st.booleans(),
    status_message=_text,
    model=_text,
    user=_text,
    output_tokens=_count,
    cost_usd=st.none() | st.sampled_from([Decimal(0), Decimal("0.1")]),
    price=_text,
    first_token_ns=_count,
    output_text=st.text(max_size=3),
    metadata=st.dictionaries(st.sampled_from("ab"), st.text(max_size=2)),
    raw=st.binary(max_size=3),
)


def row(**fields):
    return SpanRow(**({"trace_id": b"t", "span_id": b"s", "name": "chat", "start_ns": 10} | fields))


@given(versions, versions, versions)
def test_order_and_number_of_arrivals_do_not_matter(a, b, c):
    assert merge(a, a) == a
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(merge(a, b), b) == merge(a, b)


def test_a_known_duration_beats_an_unknown_one_and_a_later_end_an_earlier_one():
    assert merge(row(), row(duration_ns=5)).duration_ns == 5
    assert merge(row(duration_ns=7), row(duration_ns=5)).duration_ns == 7
    assert merge(row(start_ns=8, duration_ns=4), row(start_ns=10, duration_ns=5)) == row(start_ns=8, duration_ns=7)


def test_what_is_set_beats_what_is_not_and_the_fuller_text_the_shorter():
    early = row(model="gpt-5", metadata={"a": "1"}, raw=b"short")
    late = row(model="gpt-5-2026-01-01", user="u", metadata={"b": "2"}, raw=b"longer one")

    assert merge(early, late) == row(
        model="gpt-5-2026-01-01", user="u", metadata={"a": "1", "b": "2"}, raw=b"longer one"
    )


def test_a_cost_keeps_the_price_that_it_was_computed_from():
    merged = merge(row(cost_usd=Decimal(2), price="a"), row(cost_usd=Decimal(1), price="zzz"))

    assert (merged.cost_usd, merged.price) == (Decimal(2), "a")
