"""A conversation turn by turn: what was said in each trace, with what it took and cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from boxscore.store.spans import Condition, SpanReader, StoredSpan, TraceSummary
from boxscore.tracing.conversation import conversation
from boxscore.tracing.said import Message

__all__ = ["Talk", "Turn", "Utterance", "talk_of_session", "talk_of_trace"]

MOST_BYTES = 4 * 1024 * 1024
"""Of texts in one talk: no reader gets further."""
MOST_TURNS = 500
_PAGE, _MOST_SPANS = 100, 10_000
Amount = TypeVar("Amount", int, Decimal)


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """A message and the span that it was read from. Money is a decimal string."""

    message: Message
    span_id: str
    name: str
    model: str | None
    duration_ns: int | None
    cost_usd: str | None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What was said in one trace that was not said before, and the trace's totals."""

    trace_id: str
    name: str
    start_ns: int
    duration_ns: int | None
    spans: int
    errors: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: str | None
    said: Sequence[Utterance]


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """Turns from the first on. `cut`: there is more, which is left out for its length."""

    turns: Sequence[Turn]
    cut: bool


def talk_of_trace(store: SpanReader, project: str, trace_id: bytes) -> Talk | None:
    """What was said in a trace, None for one that is not known."""
    spans = store.trace(project, trace_id, limit=_MOST_SPANS, whole=False).items
    if not spans:
        return None
    ends = [span.start_ns + span.duration_ns for span in spans if span.duration_ns is not None]
    summary = TraceSummary(
        entry=next((span for span in spans if span.entry), spans[0]),
        spans=len(spans),
        errors=sum(span.error for span in spans),
        duration_ns=max(ends) - spans[0].start_ns if ends else None,
        input_tokens=_sum([span.input_tokens for span in spans]),
        output_tokens=_sum([span.output_tokens for span in spans]),
        cost_usd=_sum([span.cost_usd for span in spans]),
    )
    return _talk(store, project, [summary])


def talk_of_session(store: SpanReader, project: str, session: str) -> Talk | None:
    """What was said in a conversation, None for one that is not known."""
    found: list[TraceSummary] = []
    cursor: str | None = None
    while True:
        page = store.traces(
            project, [Condition("session", "=", session)], limit=_PAGE, cursor=cursor, oldest_first=True
        )
        found += page.items
        cursor = page.cursor
        if cursor is None or len(found) >= MOST_TURNS:
            break
    if not found:
        return None
    talk = _talk(store, project, found[:MOST_TURNS])
    return msgspec.structs.replace(talk, cut=talk.cut or cursor is not None or len(found) > MOST_TURNS)


def _talk(store: SpanReader, project: str, traces: Sequence[TraceSummary]) -> Talk:
    left = MOST_BYTES
    said: dict[bytes, list[Utterance]] = {}

    def spans() -> Iterator[StoredSpan]:
        for trace in traces:
            cursor = None
            while True:
                page = store.trace(project, trace.entry.trace_id, limit=_PAGE, cursor=cursor)
                yield from page.items
                cursor = page.cursor
                if cursor is None:
                    break

    for message, span in conversation(spans()):
        left -= len(msgspec.json.encode(message))
        if left < 0:
            break
        cost = span.cost_usd
        said.setdefault(span.trace_id, []).append(
            Utterance(
                message=message,
                span_id=span.span_id.hex(),
                name=span.name,
                model=span.model or span.model_asked,
                duration_ns=span.duration_ns,
                cost_usd=None if cost is None else f"{cost:f}",
            )
        )
    return Talk(turns=[_turn(trace, said.get(trace.entry.trace_id, [])) for trace in traces], cut=left < 0)


def _turn(trace: TraceSummary, said: Sequence[Utterance]) -> Turn:
    return Turn(
        trace_id=trace.entry.trace_id.hex(),
        name=trace.entry.name,
        start_ns=trace.entry.start_ns,
        duration_ns=trace.duration_ns,
        spans=trace.spans,
        errors=trace.errors,
        input_tokens=trace.input_tokens,
        output_tokens=trace.output_tokens,
        cost_usd=None if trace.cost_usd is None else f"{trace.cost_usd:f}",
        said=said,
    )


def _sum(values: Sequence[Amount | None]) -> Amount | None:
    """Of those that are known, None where none is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None
