"""Series come from roll-ups behind the write, and equal what the rows say."""

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import UnknownNameError, UsageError
from boxscore.store.spans import SpanRow, SqliteSpans
from boxscore.store.spans.sketch import Sketch

MINUTE = 60 * 10**9
START = 30_000_000 * MINUTE
NOW = START + 100 * MINUTE


def row(n, **more):
    fields = {"trace_id": b"t%d" % (n % 3), "span_id": b"s%d" % n, "name": "chat", "start_ns": START + n * MINUTE // 4}
    return SpanRow(**(fields | more))


rows = st.builds(
    row,
    st.integers(0, 12),
    start_ns=st.integers(0, 4).map(lambda minutes: START + minutes * MINUTE + 7),
    duration_ns=st.none() | st.integers(0, 10**10),
    error=st.booleans(),
    model=st.none() | st.sampled_from(["a", "b"]),
    input_tokens=st.none() | st.integers(0, 9),
    cost_usd=st.none() | st.sampled_from([Decimal("0.1"), Decimal("0.000000000001")]),
)


def points(store, **more):
    asked = {"start_ns": START, "end_ns": START + 20 * MINUTE, "step_ns": 2 * MINUTE} | more
    series = store.series("p", **asked)
    assert series.pending == 0
    return series.points


def counted(store):
    """The same from the rows."""
    found = defaultdict(list)
    for span in store.spans("p", limit=1000).items:
        found[(span.start_ns - START) // (2 * MINUTE), span.model].append(span)
    return {
        (START + step * 2 * MINUTE, model): (
            len(spans),
            sum(span.error for span in spans),
            sum(span.input_tokens or 0 for span in spans),
            sum((span.cost_usd or Decimal(0) for span in spans), Decimal(0)),
        )
        for (step, model), spans in found.items()
    }


def told(store):
    return {
        (point.start_ns, point.value): (point.spans, point.errors, point.input_tokens, point.cost_usd)
        for point in points(store, by="model")
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(rows, max_size=6) | st.just("catch up") | st.just("start again"), max_size=8))
def test_roll_ups_equal_the_rows_whatever_was_repeated_changed_or_interrupted(tmp_path_factory, story):
    home = tmp_path_factory.mktemp("rollups")
    options = {"clock_ns": lambda: NOW, "segment_spans": 5}
    store = SqliteSpans(home, **options)
    for part in story:
        if part == "catch up":
            store.catch_up()
        elif part == "start again":
            store.close()
            store = SqliteSpans(home, **options)
        else:
            store.put("p", part).result()
    with store:
        store.catch_up()
        assert told(store) == counted(store)
        assert store.problem is None


def test_a_deleted_roll_up_is_made_again(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        store.put("p", [row(n) for n in range(10)]).result()
        store.catch_up()
        before = points(store)
    for path in (tmp_path / "spans").glob("*.rollup"):
        path.unlink()

    with SqliteSpans(tmp_path, write=False) as reader:
        assert reader.series("p", start_ns=START, end_ns=NOW, step_ns=MINUTE).pending == 10
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        store.catch_up()
        assert points(store) == before
    assert sum(point.spans for point in before) == 10


def test_projects_and_times_outside_are_left_out(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        store.put("p", [row(0), row(1, start_ns=START - 1), row(2, start_ns=START + 20 * MINUTE)]).result()
        store.put("q", [row(3)]).result()
        store.catch_up()

        assert [point.spans for point in points(store)] == [1]


def test_a_series_that_cannot_be_is_a_usage_error(tmp_path):
    with SqliteSpans(tmp_path) as store:
        for wrong in ({"step_ns": 0}, {"step_ns": 5}, {"start_ns": START + 1}, {"end_ns": 60 * 10**27}):
            with pytest.raises(UsageError):
                points(store, **wrong)
        with pytest.raises(UnknownNameError):
            points(store, by="user")


@given(st.lists(st.integers(1, 10**15), min_size=1), st.integers(0, 20), st.floats(0, 1))
def test_merged_sketches_give_quantiles_within_two_percent(values, cut, q):
    one, other = Sketch(), Sketch()
    for place, value in enumerate(values):
        (one if place < cut else other).add(value)
    one.merge(Sketch.from_bytes(other.to_bytes()))

    exact = sorted(values)[int(q * (len(values) - 1))]
    assert one.quantile(q) == pytest.approx(exact, rel=0.0201)


def test_an_empty_sketch_has_no_quantile():
    assert Sketch().quantile(0.5) is None
