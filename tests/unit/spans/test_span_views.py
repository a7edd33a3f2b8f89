"""What a page shows of spans: a trace without its texts, one span, counts over time, what arrived since."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import UsageError
from boxscore.store.spans import Condition, SpanRow, SqliteSpans, parse_condition

START = 1_800_000_000 * 10**9
SECOND = 10**9


def row(n: int, trace: bytes = b"t", **more: object) -> SpanRow:
    fields = {"trace_id": trace.ljust(16), "span_id": b"%08d" % n, "name": f"span {n}", "start_ns": START + n * SECOND}
    return SpanRow(**(fields | more))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path):
    with SqliteSpans(tmp_path, clock_ns=lambda: START + 3600 * SECOND) as store:
        yield store


def test_a_trace_without_texts_keeps_its_fields_and_its_resource(store: SqliteSpans) -> None:
    sent = [row(n, input_text="asked", raw=b"raw", resource=b"process %d" % (n % 2), cost_usd=None) for n in range(3)]
    store.put("p", sent).result()

    page = store.trace("p", b"t".ljust(16), whole=False)

    assert [(span.name, span.resource, span.raw, span.input_text) for span in page.items] == [
        ("span 0", b"process 0", b"", ""),
        ("span 1", b"process 1", b"", ""),
        ("span 2", b"process 0", b"", ""),
    ]


def test_one_span_is_found_whole_in_its_project_alone(store: SqliteSpans) -> None:
    store.put("p", [row(1, input_text="asked", raw=b"raw")]).result()

    found = store.span("p", b"t".ljust(16), b"%08d" % 1)

    assert found is not None
    assert (found.input_text, found.raw) == ("asked", b"raw")
    assert store.span("p", b"t".ljust(16), b"%08d" % 2) is None
    assert store.span("other", b"t".ljust(16), b"%08d" % 1) is None


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=30),
    st.integers(-5, 50),
    st.integers(1, 60),
    st.integers(1, 40),
)
def test_a_histogram_counts_what_began_in_each_step(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, bool]], start: int, length: int, step: int
) -> None:
    sent = [row(n, start_ns=START + at * SECOND, error=error) for n, (at, error) in enumerate(spans)]
    with SqliteSpans(tmp_path_factory.mktemp("home")) as store:
        store.put("p", sent).result()
        limits = {"start_ns": START + start * SECOND, "end_ns": START + (start + length) * SECOND}
        found = store.histogram("p", step_ns=step * SECOND, **limits)
        failed = store.histogram("p", [Condition("error", "=", True)], step_ns=step * SECOND, **limits)

    def steps(kept: list[int]) -> Counter[int]:
        return Counter(limits["start_ns"] + (at - start) // step * step * SECOND for at in kept)

    within = [(at, error) for at, error in spans if start <= at < start + length]
    assert {bin.start_ns: bin.spans for bin in found} == steps([at for at, _ in within])
    assert {bin.start_ns: bin.errors for bin in found if bin.errors} == steps([at for at, error in within if error])
    assert [(bin.start_ns, bin.spans) for bin in failed] == [(bin.start_ns, bin.errors) for bin in found if bin.errors]


def test_a_histogram_of_no_step_or_of_too_many_is_refused(store: SqliteSpans) -> None:
    for start, end, step in ((0, 10, 0), (10, 0, 1), (0, 10**6, 1), (0, 2**70, 2**69)):
        with pytest.raises(UsageError):
            store.histogram("p", start_ns=start, end_ns=end, step_ns=step)


def test_arrivals_are_the_traces_that_came_or_changed_since(store: SqliteSpans) -> None:
    store.put("p", [row(1, b"old", entry=True)]).result()
    marks = store.marks()
    assert store.arrivals("p", [], marks).items == []

    store.put("p", [row(2, b"new", entry=True), row(3, b"new")]).result()
    store.put("elsewhere", [row(4, b"other", entry=True)]).result()
    found = store.arrivals("p", [], marks)

    assert [(item.entry.name, item.spans) for item in found.items] == [("span 2", 2)]
    assert store.arrivals("p", [], found.marks).items == []

    store.put("p", [row(5, b"old", duration_ns=7)]).result()  # a further span of an old trace
    (grown,) = store.arrivals("p", [], found.marks).items
    assert (grown.entry.name, grown.spans) == ("span 1", 2)


def test_arrivals_are_filtered_by_their_entry_and_bounded(store: SqliteSpans) -> None:
    marks = store.marks()
    store.put("p", [row(n, b"%d" % n, entry=True, model="ab"[n % 2]) for n in range(10)]).result()

    found = store.arrivals("p", [parse_condition("model=a")], marks)
    few = store.arrivals("p", [], marks, limit=4)

    assert {item.entry.model for item in found.items} == {"a"}
    assert len(found.items) == 5
    assert ([item.entry.name for item in few.items], few.skipped) == (["span 9", "span 8", "span 7", "span 6"], 6)


def test_a_score_is_taken_back(store: SqliteSpans) -> None:
    from boxscore.store.spans import Score

    score = Score(id="one", name="quality", value=1.0, trace_id=b"t".ljust(16), at_ns=START)
    store.put_scores("p", [score]).result()

    store.remove_score("other", "one").result()
    assert store.scores("p") == [score]
    store.remove_score("p", "one").result()
    assert store.scores("p") == []
