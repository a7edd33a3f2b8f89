"""A trace as columns, the arithmetic of a cost, and a conversation turn by turn."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from boxscore.store.spans import SpanRow, SqliteSpans, StoredSpan
from boxscore.tracing import Normaliser, read_protobuf
from boxscore.tracing.outline import outline_of
from boxscore.tracing.priced import explain
from boxscore.tracing.turns import talk_of_session, talk_of_trace

START = 1_790_000_000 * 10**9
TRACE = b"t" * 16


def span(n: int, parent: int | None = None, **more: object) -> StoredSpan:
    fields = {
        "trace_id": TRACE,
        "span_id": bytes([n]) * 8,
        "parent_id": None if parent is None else bytes([parent]) * 8,
        "name": f"span {n}",
        "start_ns": START + n * 1000,
        "duration_ns": 10_000,
        "received_ns": START,
    }
    return StoredSpan(**(fields | more))  # type: ignore[arg-type]


def test_an_outline_has_each_span_before_what_is_in_it() -> None:
    spans = [span(4, 1, model="m", cost_usd=Decimal("0.25")), span(2, 1), span(3, 2, error=True), span(1, session="s")]

    outline = outline_of(spans)
    columns = outline.columns

    assert columns.span_id == [bytes([n]).hex() * 8 for n in (1, 2, 3, 4)]
    assert columns.parent == [-1, 0, 1, 0]
    assert columns.offset_ns == [0, 1000, 2000, 3000]
    assert [outline.words[at] for at in columns.name] == ["span 1", "span 2", "span 3", "span 4"]
    assert [outline.words[at] if at >= 0 else None for at in columns.model] == [None, None, None, "m"]
    assert (outline.spans, outline.errors, outline.cost_usd, outline.facts) == (4, 1, "0.25", {"session": "s"})
    assert (outline.input_tokens, outline.left_out) == (None, False)


def test_an_outline_tells_orphans_unfinished_spans_and_why_spans_failed() -> None:
    spans = [span(1), span(3, 9, duration_ns=None, error=True, status_message="no room " * 100)]

    outline = outline_of(spans, left_out=True)

    assert (outline.orphans, outline.unfinished, outline.left_out) == (1, 1, True)
    assert outline.columns.orphan == [False, True]
    assert outline.messages == {1: ("no room " * 100)[:200]}


def test_an_outline_puts_clocks_right() -> None:
    spans = [span(1, resource=b"a"), span(2, 1, resource=b"b", start_ns=START - 10**12, application="worker")]

    outline = outline_of(spans)

    (shift,) = outline.shifts
    assert (shift.application, shift.spans) == ("worker", 1)
    assert min(outline.columns.offset_ns) == 0
    assert outline.duration_ns < 10**6


def priced(**attributes: object) -> SpanRow:
    """The row of a call that tells these tokens."""
    request = ExportTraceServiceRequest()
    sent = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=TRACE, span_id=b"s" * 8, name="chat", start_time_unix_nano=START, end_time_unix_nano=START + 1
        )
    )
    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic"}
    for key, value in (told | {key.replace("__", "."): value for key, value in attributes.items()}).items():
        kind = "int_value" if isinstance(value, int) else "string_value"
        setattr(sent.attributes.add(key=key).value, kind, value)
    (found,) = read_protobuf(request.SerializeToString()).spans
    return Normaliser()(found)


def test_the_parts_of_a_cost_sum_to_what_the_span_keeps() -> None:
    row = priced(
        gen_ai__request__model="claude-sonnet-4-20250514",
        gen_ai__usage__input_tokens=3184,
        gen_ai__usage__cache_read__input_tokens=2048,
        gen_ai__usage__cache_creation__input_tokens=100,
        gen_ai__usage__output_tokens=412,
    )

    found = explain(row)

    assert found is not None
    assert found.agrees
    assert Decimal(found.total_usd) == row.cost_usd == sum(Decimal(part.usd) for part in found.parts)
    assert {part.kind: int(part.count) for part in found.parts} == {
        "input": 1036,
        "cache_read": 2048,
        "cache_write": 100,
        "output": 412,
    }
    assert found.price == row.price


def test_a_cost_of_a_row_that_the_book_does_not_have_is_not_explained() -> None:
    row = priced(gen_ai__request__model="gpt-4o", gen_ai__usage__input_tokens=10, gen_ai__usage__output_tokens=1)

    assert explain(msgspec.structs.replace(row, price="genai-prices/gone/0@0.0.1")) is None
    assert explain(msgspec.structs.replace(row, cost_usd=None)) is None
    changed = explain(msgspec.structs.replace(row, provider="openai", cost_usd=Decimal(1), price=row.price))
    assert changed is None or not changed.agrees


@pytest.fixture
def store(tmp_path: Path):
    with SqliteSpans(tmp_path, clock_ns=lambda: START + 10**12) as store:
        yield store


def call(n: int, trace: bytes, messages: list[tuple[str, str]], answer: str) -> SpanRow:
    def told(pairs: list[tuple[str, str]]) -> str:
        return json.dumps([{"role": role, "content": text} for role, text in pairs])

    row = priced(
        gen_ai__request__model="gpt-4o",
        gen_ai__input__messages=told(messages),
        gen_ai__output__messages=told([("assistant", answer)]),
        gen_ai__usage__input_tokens=10,
        gen_ai__usage__output_tokens=1,
        gen_ai__conversation__id="s",
    )
    return msgspec.structs.replace(
        row, trace_id=trace, span_id=bytes([n]) * 8, entry=True, start_ns=START + n * 10**9, cost_usd=Decimal(n)
    )


def test_a_session_is_told_turn_by_turn_and_nothing_twice(store: SqliteSpans) -> None:
    first = [("user", "Where is my order?")]
    second = [*first, ("assistant", "On its way."), ("user", "Since when?")]
    store.put("p", [call(1, b"a" * 16, first, "On its way."), call(2, b"b" * 16, second, "Monday.")]).result()

    talk = talk_of_session(store, "p", "s")

    assert talk is not None
    said = [[part.text for one in turn.said for part in one.message.parts] for turn in talk.turns]  # type: ignore[union-attr]
    assert said == [["Where is my order?", "On its way."], ["Since when?", "Monday."]]
    assert [turn.cost_usd for turn in talk.turns] == ["1.000000000000", "2.000000000000"]
    assert not talk.cut
    assert talk_of_session(store, "p", "none") is None


def test_the_talk_of_a_trace_has_its_totals(store: SqliteSpans) -> None:
    store.put("p", [call(1, TRACE, [("user", "Hello")], "Hi"), call(2, TRACE, [("user", "More")], "Yes")]).result()

    talk = talk_of_trace(store, "p", TRACE)

    assert talk is not None
    (turn,) = talk.turns
    assert (turn.spans, turn.input_tokens, len(turn.said)) == (2, 20, 4)
    assert talk_of_trace(store, "p", b"x" * 16) is None
