"""One span, whole: what it took and cost, what was said, and every attribute as it came."""

from collections.abc import Iterator, Mapping, Sequence

from boxscore.cli.traces.ink import FAILED, Ink, flowed, safe
from boxscore.cli.traces.talk import as_text, block, message_lines
from boxscore.cli.traces.words import absolute, ago, took, usd
from boxscore.store.spans import StoredSpan
from boxscore.text import cells, left, stripped, wrapped
from boxscore.tracing.conversation import read_exchange
from boxscore.tracing.raw import read_raw
from boxscore.types import Json

_KEY = 36
"""Columns of a key before its value; a longer one has a line of its own."""
_VALUE_LINES = 4


def span_lines(span: StoredSpan, width: int, ink: Ink, *, full: bool) -> Iterator[str]:
    when = f"{absolute(span.start_ns)} UTC"
    yield ink.bold(left(safe(span.name), width - len(when) - 2)) + "  " + ink.pale(when)
    yield "━" * width
    yield from map(ink.bold, wrapped(_totals(span), width))
    if span.error:
        yield from map(ink.bad, block(span.status_message or "failed, and told no reason", width, f"{FAILED} "))
    for facts in _facts(span):
        yield from flowed(facts, width)
    exchange = read_exchange(span)
    if any(exchange):
        yield "─" * width
        for message in (*exchange.input, *exchange.output):
            yield from message_lines(message, width, ink, full=full)
    raw = read_raw(span)
    scope = {"name": raw.scope.name, "version": raw.scope.version, **raw.scope.attributes}
    yield from _table("metadata", span.metadata, width, ink, full)
    yield from _table("attributes, as they came", raw.attributes, width, ink, full)
    for event in raw.events:
        at = (
            took(event.time_ns - span.start_ns) if event.time_ns >= span.start_ns else ago(event.time_ns, span.start_ns)
        )
        yield from _table(f"event {safe(event.name)}, after {at}", event.attributes, width, ink, full, always=True)
    yield from _table("resource", raw.resource, width, ink, full)
    yield from _table("scope", {key: value for key, value in scope.items() if value}, width, ink, full)


def _totals(span: StoredSpan) -> str:
    said = ["still running, or its end was lost" if span.duration_ns is None else took(span.duration_ns)]
    if span.first_token_ns is not None:
        said.append(f"first token after {took(span.first_token_ns)}")
    if span.input_tokens is not None or span.output_tokens is not None:
        cached = f" ({span.cached_tokens:,} cached)" if span.cached_tokens else ""
        reasoning = f" ({span.reasoning_tokens:,} reasoning)" if span.reasoning_tokens else ""
        said.append(f"{span.input_tokens or 0:,} tokens in{cached}, {span.output_tokens or 0:,} out{reasoning}")
    if span.cost_usd is not None:
        said.append(usd(span.cost_usd))
    return f"{', '.join(said)}."


def _facts(span: StoredSpan) -> Iterator[list[str]]:
    above = [f"in span {span.parent_id.hex()}"] if span.parent_id else []
    yield [f"span {span.span_id.hex()}", *above, f"trace {span.trace_id.hex()}"]
    asked, model = stripped(span.model_asked or ""), stripped(span.model or "")
    if model or asked:
        told = model if not asked or asked == model else f"{asked} asked, {model} answered" if model else asked
        by = f" by {stripped(span.provider)}" if span.provider else ""
        yield [f"model {told}{by}", *([f"fingerprint {stripped(span.fingerprint)}"] if span.fingerprint else [])]
    if span.price:
        yield [f"price {stripped(span.price)}"]
    elif (model or asked) and span.input_tokens is not None:
        yield ["no price is known of this model, so there is no cost"]
    rest = [
        f"{word.replace('_', ' ')} {stripped(str(value))}"
        for word in ("operation", "step", "session", "user", "application", "environment", "release", "prompt")
        if (value := getattr(span, word))
    ]
    rest += [f"{word} {stripped(str(value))}" for word in ("variant", "graph") if (value := getattr(span, word))]
    if span.prompt_version:
        rest.append(f"prompt version {stripped(span.prompt_version)}")
    yield rest


def _table(
    title: str, found: Mapping[str, Json], width: int, ink: Ink, full: bool, *, always: bool = False
) -> Iterator[str]:
    if not found and not always:
        return
    yield f"─ {ink.bold(title)} " + "─" * max(0, width - cells(title) - 3)
    column = min(_KEY, max((cells(stripped(key)) for key in found), default=0))
    for key, value in found.items():
        name = stripped(key)
        lines: Sequence[str] = block(as_text(value), width - column - 2) or [""]
        if cells(name) > column:
            yield ink.pale(name)
            name = ""
        shown = lines if full or len(lines) <= _VALUE_LINES + 1 else lines[:_VALUE_LINES]
        for at, line in enumerate(shown):
            yield (ink.pale(left(name if at == 0 else "", column)) + "  " + line).rstrip()
        if len(shown) < len(lines):
            yield " " * (column + 2) + ink.pale(f"… {len(lines) - len(shown):,} more lines: --full")
