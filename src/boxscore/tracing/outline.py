"""A trace without its texts, as columns: enough to draw tens of thousands of spans, in few bytes."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from boxscore.store.spans import StoredSpan
from boxscore.tracing.tree import Tree, build_tree

__all__ = ["Outline", "Shift", "outline_of"]


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Spans of one process whose clock is doubted: they are shown `shift_ns` later, and kept as they were sent."""

    application: str | None
    shift_ns: int
    spans: int


class Heavy(msgspec.Struct, frozen=True, kw_only=True):
    """The spans of one name that take most of a trace's time, beside what is inside them: `time` and `cost` are their
    fractions of all, the cost None where the trace has none."""

    name: str
    time: float
    cost: float | None


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Spans in the order that they are shown: each before its children, these by start. All columns are equally long.

    `parent` is a place in these columns, -1 at the top. `offset_ns` counts from the start of the trace, with clocks
    that disagree put right; `duration_ns` is None where no end was told. `own_ns` is the time that no child takes.
    `name`, `operation`, `step` and `model` are places in `words`, -1 for none. `orphan`: it names a parent that is not
    here. Money is in US dollars, as decimal strings.
    """

    span_id: Sequence[str]
    parent: Sequence[int]
    offset_ns: Sequence[int]
    duration_ns: Sequence[int | None]
    own_ns: Sequence[int]
    first_token_ns: Sequence[int | None]
    name: Sequence[int]
    operation: Sequence[int]
    step: Sequence[int]
    model: Sequence[int]
    input_tokens: Sequence[int | None]
    output_tokens: Sequence[int | None]
    cost_usd: Sequence[str | None]
    error: Sequence[bool]
    orphan: Sequence[bool]


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A trace as it is drawn. `left_out`: it has more spans than were asked for, and these are the first. Totals are
    over the spans here; None where no span told. `facts` are what the first span that tells says of the whole: session,
    user, application, release, environment, prompt, variant. `messages` are what failed spans said, by place."""

    trace_id: str
    name: str
    start_ns: int
    duration_ns: int
    spans: int
    left_out: bool
    errors: int
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: str | None
    unfinished: int
    orphans: int
    heaviest: Heavy | None
    shifts: Sequence[Shift]
    facts: dict[str, str]
    words: Sequence[str]
    messages: dict[int, str]
    columns: Columns


FACTS = ("session", "user", "application", "release", "environment", "prompt", "prompt_version", "variant")
MESSAGES, MESSAGE = 1_000, 200
"""So many failed spans tell why, in so many characters: the span itself has all of it."""


class _Words:
    """Texts by their places."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def __call__(self, text: str | None) -> int:
        return -1 if text is None else self.places.setdefault(text, len(self.places))


class _Row(NamedTuple):
    span_id: str
    parent: int
    offset_ns: int
    duration_ns: int | None
    own_ns: int
    first_token_ns: int | None
    name: int
    operation: int
    step: int
    model: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: str | None
    error: bool
    orphan: bool


def outline_of(spans: Iterable[StoredSpan], *, left_out: bool = False) -> Outline:
    """The outline of a trace's spans, at least one, in whatever order they come."""
    tree = build_tree(spans)
    words = _Words()
    rows = _rows(tree, words)
    columns = Columns(**dict(zip(_Row._fields, map(list, zip(*rows, strict=True)), strict=True)))  # pyright: ignore[reportArgumentType]
    told = [node.span for node in tree.nodes]
    heavy = tree.heaviest()
    return Outline(
        trace_id=told[0].trace_id.hex(),
        name=told[0].name,
        start_ns=tree.start_ns,
        duration_ns=tree.end_ns - tree.start_ns,
        spans=len(told),
        left_out=left_out,
        errors=sum(span.error for span in told),
        input_tokens=_sum(span.input_tokens for span in told),
        output_tokens=_sum(span.output_tokens for span in told),
        cached_tokens=_sum(span.cached_tokens for span in told),
        reasoning_tokens=_sum(span.reasoning_tokens for span in told),
        cost_usd=_usd(span.cost_usd for span in told),
        unfinished=sum(span.duration_ns is None for span in told),
        orphans=sum(columns.orphan),
        heaviest=None if heavy is None else Heavy(name=heavy.name, time=heavy.time, cost=heavy.cost),
        shifts=_shifts(tree),
        facts=_facts(told),
        words=list(words.places),
        messages=_messages(told),
        columns=columns,
    )


def _rows(tree: Tree, words: _Words) -> list[_Row]:
    above: list[int] = []
    rows: list[_Row] = []
    for place, node in enumerate(tree.nodes):
        span, depth = node.span, node.depth
        del above[depth:]
        cost = span.cost_usd
        rows.append(
            _Row(
                span.span_id.hex(),
                above[-1] if above else -1,
                node.start_ns - tree.start_ns,
                span.duration_ns,
                node.own_ns,
                span.first_token_ns,
                words(span.name),
                words(span.operation),
                words(span.step),
                words(span.model or span.model_asked),
                span.input_tokens,
                span.output_tokens,
                None if cost is None else f"{cost:f}",
                span.error,
                node.orphan,
            )
        )
        above.append(place)
    return rows


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _usd(values: Iterable[Decimal | None]) -> str | None:
    known = [value for value in values if value is not None]
    return f"{sum(known[1:], known[0]):f}" if known else None


def _shifts(tree: Tree) -> list[Shift]:
    found: dict[tuple[str | None, int], int] = {}
    for node in tree.nodes:
        if node.shift_ns:
            key = (node.span.application, node.shift_ns)
            found[key] = found.get(key, 0) + 1
    return [Shift(application=name, shift_ns=shift, spans=spans) for (name, shift), spans in found.items()]


def _facts(spans: Sequence[StoredSpan]) -> dict[str, str]:
    found: dict[str, str] = {}
    for fact in FACTS:
        said = next((value for span in spans[:1000] if (value := getattr(span, fact)) is not None), None)
        if said is not None:
            found[fact] = str(said)
    return found


def _messages(spans: Sequence[StoredSpan]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, span in enumerate(spans):
        if span.error and span.status_message:
            found[place] = span.status_message[:MESSAGE]
            if len(found) == MESSAGES:
                break
    return found
