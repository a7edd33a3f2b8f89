"""Every question about spans equals a plain reading of the same spans, whatever the columns behind it have so far."""

import base64
import operator
from collections import Counter, defaultdict
from contextlib import contextmanager
from decimal import Decimal
from unittest import mock

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import QueryTooLargeError, UnknownNameError, UsageError
from boxscore.store.spans import (
    Condition,
    Measure,
    SpanRow,
    SqliteSpans,
    groups,
    parse_condition,
    parse_measure,
    parts,
    reader,
    stripes,
)
from boxscore.store.spans.columns import UNSET

START = 1_800_000_000 * 10**9
NOW = START + 10**12
HOUR = 3600 * 10**9
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def row(n, version=0, **more):
    fields = {"trace_id": b"t%d" % (n % 4), "span_id": b"s%d" % n, "name": "chat", "start_ns": START + 10 * n + version}
    return SpanRow(**(fields | more))


rows = st.builds(
    row,
    st.integers(0, 20),
    version=st.integers(0, 9),
    duration_ns=st.none() | st.integers(0, 3),
    entry=st.booleans(),
    error=st.booleans(),
    model=st.none() | st.sampled_from("ab"),
    release=st.none() | st.sampled_from("xyz"),
    session=st.none() | st.sampled_from(["one", "two"]),
    user=st.none() | st.sampled_from(["ann", "bob"]),
    input_tokens=st.none() | st.integers(0, 3) | st.just(2**63 - 1),
    cost_usd=st.none() | st.sampled_from([Decimal("0.1"), Decimal("0.000000000001"), Decimal(9_000_000)]),
    metadata=st.dictionaries(st.just("k"), st.sampled_from("12"), max_size=1),
)


def asked(fields, operators, values):
    return st.builds(Condition, st.sampled_from(fields), st.sampled_from(operators), values)


equal = ["=", "!="]
conditions = st.one_of(
    asked(["model", "release"], equal, st.sampled_from(["a", "x", "?", None])),
    asked(["session", "user"], equal, st.sampled_from(["one", "ann", None])),
    asked(["duration_ns", "input_tokens"], [*OPERATORS], st.integers(-1, 4)),
    asked(["start_ns"], ["<", ">="], st.integers(START, START + 200)),
    asked(["cost_usd"], [*OPERATORS], st.sampled_from([Decimal("0.1"), 0])),
    asked(["error", "entry"], equal, st.booleans()),
    asked(["metadata.k"], equal, st.sampled_from("123")),
)
filters = st.lists(conditions, max_size=3)
stories = st.lists(st.lists(rows, min_size=1, max_size=8) | st.just("catch up"), max_size=8)


@contextmanager
def small():
    """Columns of four rows, so that few spans need several."""
    with (
        mock.patch.object(stripes, "ROWS", 4),
        mock.patch.object(stripes, "CHANGED", 3),
        mock.patch.object(reader, "WALKED", 2),
    ):
        yield


@contextmanager
def told(home, story):
    with small(), SqliteSpans(home, clock_ns=lambda: NOW, segment_spans=13) as store:
        for part in story:
            store.catch_up() if part == "catch up" else store.put("p", part).result()
        assert store.problem is None
        yield store


def everything(store):
    """All spans by time, read trace by trace."""
    spans = [span for n in range(4) for span in store.trace("p", b"t%d" % n).items]
    return sorted(spans, key=lambda span: span.start_ns)


def value_of(span, field):
    if field.startswith("metadata."):
        return span.metadata.get(field.removeprefix("metadata."))
    return getattr(span, field)


def takes(condition, span):
    known = value_of(span, condition.field)
    if condition.operator not in ("=", "!=") and known is None:
        return False
    return OPERATORS[condition.operator](known, condition.value)


def taken(spans, filter):
    return [span for span in spans if all(takes(condition, span) for condition in filter)]


def pages(ask):
    found, cursor = [], None
    while True:
        page = ask(cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


def total(values):
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None


@settings(max_examples=25, deadline=None)
@given(stories, filters, st.booleans(), st.integers(1, 5))
def test_pages_joined_are_the_list(tmp_path_factory, story, filter, oldest_first, limit):
    with told(tmp_path_factory.mktemp("pages"), story) as store:
        every = taken(everything(store), filter)
        expected = every if oldest_first else every[::-1]
        how = {"limit": limit, "oldest_first": oldest_first}

        spans = pages(lambda cursor: store.spans("p", filter, cursor=cursor, **how))
        traces = pages(lambda cursor: store.traces("p", filter, cursor=cursor, **how))

        ids = {span.trace_id for span in everything(store)}
        inside = {trace: [span.model for span in store.trace("p", trace).items if span.model] for trace in ids}

    assert {trace.entry.trace_id for trace in traces} == ids or filter
    assert [span.span_id for span in spans] == [span.span_id for span in expected]
    assert [trace.entry.span_id for trace in traces] == [span.span_id for span in expected if span.entry]
    for trace in traces:
        assert set(trace.models) == set([trace.entry.model] if trace.entry.model else inside[trace.entry.trace_id])


@settings(max_examples=25, deadline=None)
@given(stories, filters, st.sampled_from(["model", "release", "user", "metadata.k"]))
def test_counts_values_and_measures_are_those_of_the_spans(tmp_path_factory, story, filter, field):
    with told(tmp_path_factory.mktemp("counts"), story) as store:
        spans = taken(everything(store), filter)
        counts = store.counts("p", filter)
        facets = store.facets("p", field, filter)
        asked = ("count", "sum(input_tokens)", "max(duration_ns)", "avg(error)", "min(cost_usd)", "sum(cost_usd)")
        measured = store.aggregate("p", [parse_measure(text) for text in asked], filter, by=[field, "error"])

    assert (counts.spans, counts.traces, counts.errors) == (
        len(spans),
        sum(span.entry for span in spans),
        sum(span.error for span in spans),
    )
    assert counts.cost_usd == sum((span.cost_usd or 0 for span in spans), Decimal(0))
    assert counts.unpriced == sum(span.cost_usd is None for span in spans)
    assert {facet.value: facet.spans for facet in facets} == Counter(value_of(span, field) for span in spans)
    together = defaultdict(list)
    for span in spans:
        together[value_of(span, field), span.error].append(span)
    assert {group.keys: group.values for group in measured} == {
        key: (
            len(of),
            total(span.input_tokens for span in of),
            max((span.duration_ns for span in of if span.duration_ns is not None), default=None),
            float(key[1]),
            min((span.cost_usd for span in of if span.cost_usd is not None), default=None),
            total(span.cost_usd for span in of),
        )
        for key, of in together.items()
    }


@settings(max_examples=15, deadline=None)
@given(stories, filters, st.integers(1, 3))
def test_conversations_are_listed_by_their_last_trace_with_the_totals_of_all(tmp_path_factory, story, filter, limit):
    with told(tmp_path_factory.mktemp("sessions"), story) as store:
        every = everything(store)
        sessions = pages(lambda cursor: store.sessions("p", filter, limit=limit, cursor=cursor))

    listed = [span.session for span in reversed(taken(every, filter)) if span.entry and span.session is not None]
    assert [session.session for session in sessions] == list(dict.fromkeys(listed))
    for session in sessions:
        entries = [span for span in every if span.entry and span.session == session.session]
        traces = {span.trace_id for span in entries}
        spans = [span for span in every if span.trace_id in traces]
        assert (session.traces, session.spans, session.errors) == (
            len(traces),
            len(spans),
            sum(span.error for span in spans),
        )
        assert (session.start_ns, session.last_ns) == (entries[0].start_ns, entries[-1].start_ns)
        assert session.input_tokens == total(span.input_tokens for span in spans)
        assert session.cost_usd == total(span.cost_usd for span in spans)


@settings(max_examples=12, deadline=None)
@given(stories, filters, st.lists(rows, max_size=6))
def test_a_list_goes_on_where_it_was_while_spans_arrive(tmp_path_factory, story, filter, more):
    with told(tmp_path_factory.mktemp("arrive"), story) as store:
        expected = [span.span_id for span in reversed(taken(everything(store), filter))]
        page = store.spans("p", filter, limit=3)
        late = [row(100 + n, start_ns=START + 1_000 + n, model=one.model) for n, one in enumerate(more)]
        store.put("p", late).result()
        store.catch_up()
        found = [span.span_id for span in page.items]
        if page.cursor is not None:
            rest = pages(lambda cursor: store.spans("p", filter, limit=2, cursor=cursor or page.cursor))
            found += [span.span_id for span in rest]

    assert found == expected


def test_quantiles_are_within_two_percent(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        store.put("p", [row(n, duration_ns=1_000 * n, cost_usd=Decimal(n)) for n in range(1, 101)]).result()
        asked = [parse_measure(text) for text in ("p50(duration_ns)", "p95(duration_ns)", "p95(cost_usd)")]

        (group,) = store.aggregate("p", asked)

    assert group.keys == ()
    assert [float(value) for value in group.values] == pytest.approx([50_000, 95_000, 95], rel=0.03)


def test_groups_by_time_come_in_its_order(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW + 9 * HOUR) as store:
        store.put("p", [row(n, start_ns=START + n % 3 * HOUR) for n in range(7)]).result()

        found = store.aggregate("p", [Measure("count")], by=["hour"])

    assert [(group.keys[0] - found[0].keys[0], group.values[0]) for group in found] == [
        (0, 3),
        (HOUR, 2),
        (2 * HOUR, 2),
    ]


def test_too_many_groups_are_refused(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store, mock.patch.object(groups, "GROUPS", 2):
        store.put("p", [row(n, user=f"u{n}") for n in range(3)]).result()

        with pytest.raises(QueryTooLargeError, match="group by less"):
            store.aggregate("p", [Measure("count")], by=["user"])


@pytest.mark.parametrize(
    ("measures", "by"),
    [(["sum"], []), (["sum(user)"], []), (["total(cost_usd)"], []), (["count; DROP"], []), ([], [])]
    + [(["count"], [by]) for by in ("metadata.", "cost_usd", "week")]
    + [(["count"], ["user", "user"])],
)
def test_only_known_measures_and_groups_can_be_asked(tmp_path, measures, by):
    with SqliteSpans(tmp_path) as store, pytest.raises((UsageError, UnknownNameError)):
        store.aggregate("p", [parse_measure(text) for text in measures], by=by)


def test_deleted_columns_are_made_again_and_nothing_changes_meanwhile(tmp_path):
    asked = [parse_condition("release=x")]
    with told(tmp_path, [[row(n, release="xy"[n % 2]) for n in range(12)], "catch up"]) as store:
        before = [span.span_id for span in store.spans("p", asked).items]
    (made,) = (tmp_path / "spans").glob("*.columns")
    made.unlink()

    with small(), SqliteSpans(tmp_path, write=False) as store:
        assert [span.span_id for span in store.spans("p", asked).items] == before
    with told(tmp_path, ["catch up"]):
        assert made.exists()


whole = st.integers(UNSET, 2**63 - 1) | st.integers(-3, 3) | st.just(UNSET)
values = st.none() | st.integers(UNSET + 1, 2**63 - 1) | st.integers(-4, 4)


@given(st.lists(whole, min_size=1), st.booleans(), st.sampled_from([*OPERATORS]), values)
def test_columns_give_back_what_they_were_made_from_and_compare_as_it_does(values, few, compared, value):
    width, words, data = parts.encode(np.array(values, np.int64), few=few)
    part = parts.Part(len(values), width, words, lambda: data)

    assert part.values().tolist() == values
    if value is not None or compared in ("=", "!="):
        known = [None if one == UNSET else one for one in values]
        expected = [
            OPERATORS[compared](one, value) if compared in ("=", "!=") or one is not None else False for one in known
        ]
        assert part.compare(compared, value).tolist() == expected


@pytest.mark.parametrize("place", [(2**63, 1, 1), (1, 2**64 - 1, 1), (1,), ("x", 1, 1)])
def test_a_cursor_that_no_list_gave_is_refused(tmp_path, place):
    cursor = base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")
    with SqliteSpans(tmp_path) as store:
        with pytest.raises(UsageError, match="no cursor"):
            store.spans("p", cursor=cursor)
        with pytest.raises(UsageError, match="no cursor"):
            store.search("p", "word", cursor=cursor)


def test_a_trace_is_found_by_the_beginning_of_its_id(tmp_path):
    ids = ["0a" * 16, "0b" + "00" * 15, "0b" * 16, "0b" + "ff" * 15, "0c" * 16]
    with SqliteSpans(tmp_path, segment_spans=2) as store:
        for n, trace in enumerate(ids):
            rows = [
                SpanRow(trace_id=bytes.fromhex(trace), span_id=b"%08d" % (10 * n + m), name="s", start_ns=NOW)
                for m in range(3)
            ]
            store.put("p", rows).result()

        assert store.trace_ids("p", "0") == ids
        assert store.trace_ids("p", "0b") == ids[1:4]
        assert store.trace_ids("p", "0b", limit=2) == ids[1:3]
        assert store.trace_ids("p", ids[2][:31]) == store.trace_ids("p", ids[2]) == [ids[2]]
        assert store.trace_ids("p", "0d") == store.trace_ids("other", "0") == []
        for wrong in ("", "0B", "x", "0" * 33):
            with pytest.raises(UsageError):
                store.trace_ids("p", wrong)
