"""Scores and feedback on spans, traces and sessions."""

import itertools
import math

import pytest

from boxscore.errors import UsageError
from boxscore.store.spans import Score, SpanRow, SqliteSpans, parse_condition, reader, stripes


def span(trace, span="0", **fields):
    fields = {"name": "call", "start_ns": 1000 + int(span), "entry": span == "0"} | fields
    return SpanRow(trace_id=trace.encode(), span_id=span.encode(), **fields)


def score(id, value, *, trace=None, span=None, at_ns=1, **fields):
    target = {"trace_id": trace and trace.encode(), "span_id": span and span.encode()}
    return Score(id=id, **({"name": "good", "value": value, "at_ns": at_ns} | target | fields))


@pytest.fixture
def store(tmp_path):
    with SqliteSpans(tmp_path) as opened:
        yield opened


def names(page):
    return sorted(f"{item.trace_id.decode()}{item.span_id.decode()}" for item in page.items)


def test_scores_of_a_trace_are_given_back_as_they_were_the_latest_first(store):
    given = [
        score("a", 0.5, trace="t", comment="so so", source="human", metadata={"by": "rota"}),
        score("b", True, trace="t", span="1", at_ns=2),
        score("c", "polite", trace="t", at_ns=3, name="tone"),
        score("d", 1.0, session="s", at_ns=4),
    ]
    store.put_scores("p", given).result()

    assert store.scores("p", trace_id=b"t") == given[2::-1]
    assert store.scores("p", session="s") == given[3:]
    assert store.scores("p") == given[::-1]
    assert store.scores("p", limit=1) == given[3:]
    assert store.scores("other") == []


def test_the_latest_version_of_a_score_stays_whatever_the_order_of_arrival(tmp_path):
    versions = [score("a", 0.1, trace="t"), score("a", 0.9, trace="t", at_ns=2), score("a", 0.8, session="s", at_ns=2)]
    ends = []
    for number, order in enumerate(itertools.permutations([*versions, versions[0]])):
        with SqliteSpans(tmp_path / str(number)) as store:
            for version in order:
                store.put_scores("p", [version]).result()
            ends.append(store.scores("p"))
        with SqliteSpans(tmp_path / f"{number} at once") as store:
            store.put_scores("p", order).result()
            ends.append(store.scores("p"))

    assert all(end == ends[0] for end in ends)
    assert len(ends[0]) == 1
    assert ends[0][0].at_ns == 2


@pytest.mark.parametrize("before", [True, False])
def test_filters_ask_scores_that_came_before_or_after_their_trace(store, before):
    scores = [
        score("1", 0.9, trace="a"),
        score("2", 0.2, trace="b", span="1"),
        score("3", True, session="s"),
        score("4", "rude", trace="d", name="tone"),
    ]
    spans = [*map(span, "aabbd", "01010"), span("c", session="s"), span("c", "1")]
    if before:
        store.put_scores("p", scores).result()
    store.put("p", spans).result()
    if not before:
        store.put_scores("p", scores).result()

    def asked(*written):
        conditions = [parse_condition(one) for one in written]
        listed = names(store.spans("p", conditions))
        assert store.counts("p", conditions).spans == len(listed)
        return listed, sorted(item.entry.trace_id.decode() for item in store.traces("p", conditions).items)

    assert asked("score.good>=0.8") == (["a0", "a1", "c0"], ["a", "c"])
    assert asked("score.good<0.8") == (["b0", "b1"], ["b"])  # the score of a span counts for it and for its entry
    assert asked("score.good=true") == (["c0"], ["c"])
    assert asked("score.tone=rude") == (["d0"], ["d"])
    assert asked("score.tone!=rude", "score.good=") == (["c1"], [])
    assert asked("score.good!=", "score.good!=0.9") == (["b0", "b1", "c0"], ["b", "c"])
    assert asked("score.unknown>0") == ([], [])


def test_scores_of_another_project_are_not_asked(store):
    store.put("p", [span("a")]).result()
    store.put("q", [span("a")]).result()
    store.put_scores("q", [score("1", 1.0, trace="a")]).result()

    assert names(store.spans("p", [parse_condition("score.good=1")])) == []
    assert names(store.spans("q", [parse_condition("score.good=1")])) == ["a0"]


def test_a_folder_without_scores_can_be_asked_for_them(store, tmp_path):
    store.put("p", [span("a")]).result()
    store.close()
    (tmp_path / "spans" / "scores.sqlite").unlink()

    with SqliteSpans(tmp_path, write=False) as reading:
        assert reading.scores("p") == []
        assert names(reading.spans("p", [parse_condition("score.good>0")])) == []
        assert names(reading.spans("p", [parse_condition("score.good!=1")])) == ["a0"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"trace_id": None},
        {"session": "s"},
        {"trace_id": None, "session": "s", "span_id": b"1"},
        {"id": ""},
        {"name": "two words"},
        {"name": "a=b"},
        {"value": math.nan},
        {"value": ""},
        {"at_ns": 2**63},
        {"comment": "x" * 70_000},
    ],
)
def test_what_is_no_score_is_refused(wrong):
    with pytest.raises(UsageError):
        Score(**({"id": "1", "name": "good", "value": 1.0, "trace_id": b"t", "at_ns": 1} | wrong))


@pytest.mark.parametrize("written", ["score.good>polite", "score.good<"])
def test_an_order_of_categories_cannot_be_asked(written):
    with pytest.raises(UsageError):
        parse_condition(written)


@pytest.mark.parametrize(("most", "spans"), [(0, 9), (5_000, 9), (5_000, 8)])
def test_the_few_that_were_scored_are_found_among_many_by_trace_span_and_session(tmp_path, monkeypatch, most, spans):
    monkeypatch.setattr(reader, "WALKED", 4)
    monkeypatch.setattr(reader, "SCORED", most)
    monkeypatch.setattr(reader, "SCORED_SPANS", spans)
    monkeypatch.setattr(stripes, "ROWS", 32)
    with SqliteSpans(tmp_path) as store:
        for n in range(100):
            store.put("p", [span(f"t{n}", part, session=f"s{n}") for part in "012"]).result()
        store.catch_up()
        store.put("p", [span("late", part, session="s-late") for part in "012"]).result()
        given = [score("a", 1.0, trace="t3"), score("b", 1.0, trace="t70", span="2"), score("c", 1.0, trace="late")]
        given += [Score(id="d", name="good", value=0.9, session="s50", at_ns=1), score("e", 0.1, trace="t9")]
        given += [score("f", 1.0, trace="t20", name="other")]
        store.put_scores("p", given).result()
        asked = [parse_condition("score.good>=0.5")]

        parts = [f"{trace}{part}" for trace in ("t3", "t50", "late") for part in "012"]
        assert names(store.spans("p", asked, limit=100)) == sorted([*parts, "t700", "t702"])
        assert {found.entry.trace_id for found in store.traces("p", asked).items} == {b"t3", b"t50", b"t70", b"late"}
        both = [*asked, parse_condition("session=s70")]
        assert names(store.spans("p", both)) == ["t700", "t702"]
