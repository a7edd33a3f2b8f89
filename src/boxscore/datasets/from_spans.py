"""Examples from what was traced: what was asked becomes inputs, and what people called right a reference.

Attributes that hold the variables of a prompt: `llm.prompt_template.variables` of OpenInference, and
`traceloop.prompt.template_variables` of Traceloop.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Literal, TypeAlias, cast

import msgspec

from boxscore.datasets.dataset import content_id
from boxscore.datasets.example import Example
from boxscore.datasets.rows import plain
from boxscore.datasets.version import DatasetVersion
from boxscore.datasets.versions import Datasets
from boxscore.errors import DatasetError, NotFoundError, UsageError
from boxscore.store.spans import Filter, Score, SpanReader, StoredSpan, parse_condition
from boxscore.store.spans.filters import METADATA, kind_of
from boxscore.tracing.conversation import MODEL_CALLS, Exchange, read_exchange
from boxscore.tracing.said import Message, Reasoning, ToolCall, joined
from boxscore.tracing.values import read_value
from boxscore.tracing.wire import BrokenWireError, read_span
from boxscore.types import Json

__all__ = [
    "InputsFrom",
    "PickedSpan",
    "ReferenceFrom",
    "SpanMapping",
    "SpanSelection",
    "Taken",
    "examples_from",
    "pick",
    "take",
]

InputsFrom: TypeAlias = Literal["auto", "variables", "messages", "text"]
ReferenceFrom: TypeAlias = Literal["human", "output", "none"]
VARIABLES = ("llm.prompt_template.variables", "traceloop.prompt.template_variables")
PAGE = 200
MOST = 10_000
"""Spans that one request takes."""
SAMPLE = 20


class SpanMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What of a span becomes what of an example.

    `inputs`: the prompt's `variables`, where the span has them, or the arguments of a traced function; `messages` (all
    of them, `[{role, content}]`) under that name; the last message in as `text`, under `input`; `auto`: the first of
    these that fits, where messages are left out if there is one besides the system's.
    `reference`: the output where a person's score of true, and none of
    false, is on the span or its trace (`human`), always (`output`), or never (`none`). `slices` are fields of the span
    (`model`, `step`, `metadata.tier`) to report by.
    """

    inputs: InputsFrom = "auto"
    reference: ReferenceFrom = "human"
    slices: Sequence[str] = ()


class PickedSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span by its ids in hexadecimal digits; without `span_id` the entry of the trace."""

    trace_id: str
    span_id: str | None = None


class SpanSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Which spans: those that are `spans` by id, or else those that `filter` takes, newest first, `limit` at most."""

    spans: Sequence[PickedSpan] = ()
    filter: Sequence[str] = ()
    limit: int = 1000


class Taken(msgspec.Struct, kw_only=True):
    """What came of the spans: `rows` were made, `duplicates` have the inputs of a row that is there or came before, and
    `without_input` say nothing that was asked."""

    spans: int = 0
    rows: int = 0
    duplicates: int = 0
    without_input: int = 0
    references: int = 0


def pick(reader: SpanReader, project: str, selection: SpanSelection, conditions: Filter) -> Iterator[StoredSpan]:
    """The spans, whole, some in memory at a time. `NotFoundError` for an id that is not there."""
    if selection.spans and selection.filter:
        raise UsageError("name spans by id or by a filter, not by both.")
    if not 0 < selection.limit <= MOST or len(selection.spans) > MOST:
        raise UsageError(f"take between 1 and {MOST:,} spans at once.")
    if selection.spans:
        for picked in selection.spans:
            yield _by_id(reader, project, picked)
        return
    left, cursor = selection.limit, None
    while left:
        page = reader.spans(project, conditions, limit=min(PAGE, left), cursor=cursor, whole=True)
        yield from page.items
        left, cursor = left - len(page.items), page.cursor
        if cursor is None:
            return


def examples_from(
    reader: SpanReader, project: str, spans: Iterable[StoredSpan], mapping: SpanMapping, known: set[str], taken: Taken
) -> Iterator[Example]:
    """An example for every span with inputs that `known` (hashes of inputs, which it adds to) does not have; `taken`
    counts. The id is that of the inputs. `metadata` keeps trace, span and session by id, and no user; the session is
    the cluster."""
    for span in spans:
        taken.spans += 1
        exchange = read_exchange(span)
        inputs = _inputs(span, exchange, mapping.inputs)
        if inputs is None:
            taken.without_input += 1
            continue
        id = content_id(inputs)
        if id in known:
            taken.duplicates += 1
            continue
        known.add(id)
        reference = _reference(reader, project, span, exchange, mapping.reference)
        origin = {"trace_id": span.trace_id.hex(), "span_id": span.span_id.hex(), "session": span.session}
        taken.rows += 1
        taken.references += reference is not None
        yield Example(
            id=id,
            inputs=inputs,
            reference=reference,
            metadata={key: value for key, value in origin.items() if value is not None},
            cluster=span.session,
            slices=dict(_slices(span, mapping.slices)),
        )


def take(
    datasets: Datasets,
    reader: SpanReader,
    name: str,
    selection: SpanSelection,
    mapping: SpanMapping,
    *,
    by: str | None = None,
    note: str | None = None,
    look: bool = False,
) -> tuple[Taken, list[Example], DatasetVersion | None]:
    """Rows made from the spans, added to the newest version of the dataset, which is made where there is none: counts,
    the first `SAMPLE` rows, and the version; none with `look`, and where nothing came."""
    project = datasets.store.project
    conditions = [parse_condition(text) for text in selection.filter]
    for field in mapping.slices:
        kind_of(field)  # an unknown one is refused before anything is read
    taken = Taken()
    first: list[Example] = []

    def made() -> Iterator[Example]:
        spans = pick(reader, project, selection, conditions)
        for example in examples_from(reader, project, spans, mapping, datasets.inputs_of_head(name), taken):
            if len(first) < SAMPLE:
                first.append(example)
            yield example

    rows = made()
    begin = next(rows, None)
    if look or begin is None:
        for _ in rows:
            pass
        return taken, first, None
    version = datasets.put(name, chain([begin], rows), by=by, note=note or "from traces").version
    return taken, first, version


def _by_id(reader: SpanReader, project: str, picked: PickedSpan) -> StoredSpan:
    try:
        trace = bytes.fromhex(picked.trace_id)
        wanted = bytes.fromhex(picked.span_id) if picked.span_id else None
    except ValueError:
        raise UsageError(f"{picked.trace_id[:80]!r} is no id of a trace or span: ids are hexadecimal digits.") from None
    cursor: str | None = None
    first: StoredSpan | None = None
    while True:
        page = reader.trace(project, trace, cursor=cursor)
        for span in page.items:
            if span.span_id == wanted or (wanted is None and span.entry):
                return span
            first = first or span
        cursor = page.cursor
        if cursor is None:
            break
    if wanted is None and first is not None:
        return first
    raise NotFoundError("span" if wanted else "trace", picked.span_id or picked.trace_id)


def _inputs(span: StoredSpan, exchange: Exchange, how: InputsFrom) -> dict[str, Json] | None:
    """None where the span says nothing of it."""
    if how in ("auto", "variables") and (variables := _variables(span) or _arguments(span, exchange)):
        return variables
    if how == "variables":
        return None
    messages = [{"role": one.role or "user", "content": _content(one)} for one in exchange.input]
    if how == "messages":
        return {"messages": messages} if messages else None
    asked = [message for message in messages if message["role"] not in ("system", "developer")]
    if how == "auto" and len(asked) > 1:
        return {"messages": asked}
    text = str(asked[-1]["content"]) if asked else span.input_text
    return {"input": text} if text.strip() else None


def _variables(span: StoredSpan) -> dict[str, Json] | None:
    if not span.raw:
        return None
    with suppress(BrokenWireError):
        attributes = read_span(span.raw).attributes
        for key in VARIABLES:
            if key in attributes:
                found = read_value(attributes[key])
                if isinstance(found, str):
                    with suppress(msgspec.DecodeError):
                        found = msgspec.json.decode(found)
                if isinstance(found, dict) and found:
                    with suppress(DatasetError):
                        return cast("dict[str, Json]", plain(cast("object", found), 0, "inputs"))
    return None


def _arguments(span: StoredSpan, exchange: Exchange) -> dict[str, Json] | None:
    """What a traced function was called with: its one message is a JSON object of arguments by name."""
    if span.operation in MODEL_CALLS or len(exchange.input) != 1:
        return None
    text = _content(exchange.input[0]).lstrip()
    if not text.startswith("{"):
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast("dict[str, Json]", found) or None


def _content(message: Message) -> str:
    """What it says, calls of tools as `name(arguments)`; reasoning is no part of it."""
    return joined(part for part in message.parts if not isinstance(part, Reasoning)).encode("utf-8", "replace").decode()


def _reference(reader: SpanReader, project: str, span: StoredSpan, exchange: Exchange, how: ReferenceFrom) -> Json:
    if how == "none" or (how == "human" and not _approved(reader, project, span)):
        return None
    calls = [part for message in exchange.output for part in message.parts if isinstance(part, ToolCall)]
    text = "\n".join(_content(message) for message in exchange.output)
    if calls and not any(not isinstance(part, ToolCall) for message in exchange.output for part in message.parts):
        told = [{"name": call.name, "arguments": call.arguments} for call in calls]
        with suppress(DatasetError):
            return plain(told, 0, "reference")
    return text or span.output_text or None


def _approved(reader: SpanReader, project: str, span: StoredSpan) -> bool:
    """Whether people called it right, and nobody wrong."""
    said = [score.value for score in reader.scores(project, trace_id=span.trace_id) if _of_a_person(score, span)]
    return any(value is True for value in said) and not any(value is False for value in said)


def _of_a_person(score: Score, span: StoredSpan) -> bool:
    return score.source == "human" and score.span_id in (None, span.span_id)


def _slices(span: StoredSpan, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    for field in fields:
        name = field.removeprefix(METADATA)
        value = span.metadata.get(name) if field.startswith(METADATA) else getattr(span, field, None)
        if value is not None and value != "":
            yield name, str(value)
