"""One span, whole: its fields, what was said in it, every attribute as it came, its scores and its price."""

from collections.abc import Sequence

import msgspec

from boxscore.store.spans import Score, SpanReader, StoredSpan
from boxscore.tracing.conversation import read_exchange
from boxscore.tracing.priced import Priced, explain
from boxscore.tracing.raw import RawSpan, read_raw
from boxscore.tracing.said import Message

__all__ = ["SpanDetail", "detail_of"]


class SpanDetail(msgspec.Struct, frozen=True, kw_only=True):
    """`span` without its raw bytes: `told` has all that is in them. `input` and `output` are the messages that went in
    and came out. `scores` are those of the span itself."""

    span: StoredSpan
    input: Sequence[Message]
    output: Sequence[Message]
    told: RawSpan
    priced: Priced | None
    scores: Sequence[Score]


def detail_of(store: SpanReader, project: str, trace_id: bytes, span_id: bytes) -> SpanDetail | None:
    """The span; None where it is not known."""
    span = store.span(project, trace_id, span_id)
    if span is None:
        return None
    came, answered = read_exchange(span)
    return SpanDetail(
        span=msgspec.structs.replace(span, raw=b"", resource=b"", scope=b""),
        input=came,
        output=answered,
        told=read_raw(span),
        priced=explain(span),
        scores=[score for score in store.scores(project, trace_id=trace_id) if score.span_id == span_id],
    )
