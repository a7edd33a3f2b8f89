"""Rows made from what was traced: what of a span becomes what, duplicates counted, and gone with the trace."""

import json
import tracemalloc

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from boxscore.datasets import Example
from boxscore.datasets.from_spans import PickedSpan, SpanMapping, SpanSelection, take
from boxscore.datasets.names import Reference
from boxscore.datasets.versions import Datasets
from boxscore.errors import NotFoundError, UsageError
from boxscore.governance import erase
from boxscore.store.records import Records
from boxscore.store.spans import Score, SpanRow, SqliteSpans

NOW = 1_700_000_000_000_000_000
ALL = SpanSelection(filter=["entry=true"], limit=10_000)


@pytest.fixture
def spans(tmp_path):
    with SqliteSpans(tmp_path) as store:
        yield store


@pytest.fixture
def datasets(tmp_path):
    with Records.open(tmp_path) as records:
        yield Datasets(records.database, "default")


def ids(n):
    return n.to_bytes(16, "big"), n.to_bytes(8, "big")


def span(n, *, attributes=None, **more):
    trace, own = ids(n + 1)
    raw = b""
    if attributes is not None:
        message = Span(trace_id=trace, span_id=own, name="call")
        for key, value in attributes.items():
            message.attributes.add(key=key).value.string_value = value
        raw = message.SerializeToString()
    fields = {"trace_id": trace, "span_id": own, "name": "call", "start_ns": NOW + n, "entry": True, "raw": raw}
    return SpanRow(**(fields | more))


def put(store, *rows):
    store.put("default", rows).result()


def taken(datasets, spans, selection=ALL, **mapping):
    _, first, version = take(datasets, spans, "d", selection, SpanMapping(**mapping))
    return first, version


def test_a_row_has_what_was_asked_and_where_it_came_from_and_no_user(datasets, spans):
    put(spans, span(0, input_text="Where is it?", output_text="Here.", session="s1", user="ann", model="m-1"))

    [row], version = taken(datasets, spans, slices=["model"])

    trace, own = ids(1)
    assert row.inputs == {"input": "Where is it?"}
    assert row.reference is None
    assert row.metadata == {"trace_id": trace.hex(), "span_id": own.hex(), "session": "s1"}
    assert (row.cluster, row.slices) == ("s1", {"model": "m-1"})
    assert version.examples == 1


MESSAGES = json.dumps(
    [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Where is it?"},
    ]
)


@pytest.mark.parametrize(
    ("attributes", "how", "expected"),
    [
        ({"llm.prompt_template.variables": '{"city": "Rome", "n": 2}'}, "auto", {"city": "Rome", "n": 2}),
        ({"llm.prompt_template.variables": '{"city": "Rome"}', "gen_ai.input.messages": MESSAGES}, "text",
         {"input": "Where is it?"}),
        ({"gen_ai.input.messages": MESSAGES}, "auto", {"messages": [
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Where is it?"}]}),
        ({"gen_ai.input.messages": MESSAGES}, "messages", {"messages": json.loads(MESSAGES)}),
        ({"gen_ai.input.messages": MESSAGES}, "text", {"input": "Where is it?"}),
        ({"gen_ai.input.messages": MESSAGES}, "variables", None),
        ({"input.value": '{"ticket": "parcel C7"}'}, "auto", {"ticket": "parcel C7"}),
        ({}, "auto", None),
    ],
)  # fmt: skip
def test_inputs_are_variables_or_arguments_or_messages_or_text(datasets, spans, attributes, how, expected):
    put(spans, span(0, attributes=attributes))

    first, _ = taken(datasets, spans, inputs=how)

    assert [row.inputs for row in first] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("how", "said", "expected"),
    [
        ("output", [], "Here."),
        ("none", [("human", True)], None),
        ("human", [], None),
        ("human", [("human", True)], "Here."),
        ("human", [("judge", True)], None),
        ("human", [("human", True), ("human", False)], None),
        ("human", [("human", 1.0)], None),
    ],
)
def test_the_answer_is_the_reference_only_when_asked_or_when_people_called_it_right(
    datasets, spans, how, said, expected
):
    put(spans, span(0, input_text="Where is it?", output_text="Here."))
    scores = [
        Score(id=f"s{n}", name=f"right{n}", value=value, trace_id=ids(1)[0], source=source, at_ns=NOW)
        for n, (source, value) in enumerate(said)
    ]
    if scores:
        spans.put_scores("default", scores).result()

    [row], _ = taken(datasets, spans, reference=how)

    assert row.reference == expected


def test_what_asks_the_same_is_counted_and_left_out(datasets, spans):
    datasets.put("d", [Example(id="mine", inputs={"input": "question 1"})])
    put(spans, *(span(n, input_text=f"question {n % 3}") for n in range(9)), span(9))

    counts, _, version = take(datasets, spans, "d", ALL, SpanMapping())
    again, _, none = take(datasets, spans, "d", ALL, SpanMapping())

    assert (counts.spans, counts.rows, counts.duplicates, counts.without_input) == (10, 2, 7, 1)
    assert version.examples == 3
    assert (again.rows, none) == (0, None)


def test_spans_are_chosen_by_their_ids_or_refused(datasets, spans):
    put(spans, *(span(n, input_text=f"question {n}") for n in range(3)))
    trace, own = (one.hex() for one in ids(2))

    for picked in (PickedSpan(trace_id=trace), PickedSpan(trace_id=trace, span_id=own)):
        _, first, _ = take(datasets, spans, "d", SpanSelection(spans=[picked]), SpanMapping(), look=True)
        assert [row.inputs for row in first] == [{"input": "question 1"}]

    with pytest.raises(NotFoundError):
        taken(datasets, spans, SpanSelection(spans=[PickedSpan(trace_id="ff" * 16)]))
    with pytest.raises(UsageError, match="not by both"):
        taken(datasets, spans, SpanSelection(spans=[PickedSpan(trace_id=trace)], filter=["entry=true"]))
    with pytest.raises(UsageError):
        taken(datasets, spans, SpanSelection(filter=["nonsense=1"]))
    assert datasets.list() == []


def test_ten_thousand_spans_come_in_without_all_being_held(datasets, spans):
    long = "x" * 2_000
    put(spans, *(span(n, input_text=f"question {n} {long}") for n in range(10_000)))

    tracemalloc.start()
    counts, _, version = take(datasets, spans, "d", ALL, SpanMapping())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (counts.rows, version.examples) == (10_000, 10_000)
    assert peak < 32_000_000  # the texts alone are 20 MB, and as objects, JSON and rows many times that


def test_an_erased_user_leaves_the_rows_of_their_traces_too(datasets, spans, tmp_path):
    put(spans, span(0, input_text="I am Ann", user="ann"), span(1, input_text="I am Bob", user="bob"))
    taken(datasets, spans)
    datasets.put("copy", datasets.examples(Reference("d")))

    done = erase(tmp_path, spans, "user", "ann", project="default", now_ns=NOW + 100)

    assert (done.traces, done.rows) == (1, 2)
    for name in ("d", "copy"):
        assert [row.inputs for row in datasets.examples(Reference(name))] == [{"input": "I am Bob"}]
    assert datasets.get("d").head.erased == 1
    assert not [text for (text,) in datasets.store.database.rows("SELECT content_json FROM examples") if "Ann" in text]
