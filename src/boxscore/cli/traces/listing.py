"""`boxscore traces list`: the newest traces, one a line."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import click

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.cli.traces.ink import FAILED, Ink, safe, terminal_width
from boxscore.cli.traces.output import goes_on, nothing_found, print_json
from boxscore.cli.traces.words import ago, counted, tokens, took, usd
from boxscore.store.spans import StoredSpan, TraceSummary
from boxscore.text import cells, left, middle_cut, right, stripped, wrapped


@click.command(name="list")
@filters
@click.option("--spans", "of_spans", is_flag=True, help="List spans instead: a filter asks of every one of them.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Lines of a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def command(
    filter: tuple[str, ...],
    since: str | None,
    until: str | None,
    of_spans: bool,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """The newest traces: when, what, how long, what it cost, whether it failed.

    A filter asks of the span where a trace begins, which names the session and the user; what models and tools did
    is found with --spans.
    """
    conditions = conditions_of(filter, since, until)
    with opened() as reader:
        question = reader.spans if of_spans else reader.traces
        page = question(PROJECT, conditions, limit=limit, cursor=cursor, whole=not as_json)
        while not page.items and page.cursor is not None:  # a server looks only so far at a time
            page = question(PROJECT, conditions, limit=limit, cursor=page.cursor, whole=not as_json)
        if as_json:
            print_json(page)
            return
        if not page.items:
            nothing_found(reader, "span" if of_spans else "trace", bool(conditions))
            if not of_spans and conditions and reader.spans(PROJECT, conditions, limit=1).items:
                click.echo("Spans inside traces fit: see them with --spans.")
            return
    ink = Ink.of_terminal()
    traces = [item if isinstance(item, TraceSummary) else _alone(item) for item in page.items]
    noun = "span" if of_spans else "trace"
    for line in wrapped(_headline(traces, noun, newest=cursor is None, more=page.cursor is not None), terminal_width()):
        click.echo(ink.bold(line))
    rows = Rows(traces, terminal_width(), ink, of_spans=of_spans)
    click.echo(rows.head())
    for trace in traces:
        click.echo(rows.line(trace))
    if page.cursor is not None:
        goes_on(page.cursor)


def _alone(span: StoredSpan) -> TraceSummary:
    """A span in the place of a trace."""
    return TraceSummary(
        entry=span,
        spans=1,
        errors=int(span.error),
        duration_ns=span.duration_ns,
        input_tokens=span.input_tokens,
        output_tokens=span.output_tokens,
        cost_usd=span.cost_usd,
        models=[model] if (model := span.model or span.model_asked) else [],
    )


def _headline(traces: Sequence[TraceSummary], noun: str, *, newest: bool, more: bool) -> str:
    failed = sum(1 for trace in traces if trace.errors)
    cost = sum((trace.cost_usd for trace in traces if trace.cost_usd is not None), Decimal(0))
    which = "The newest " if more and newest else "Another " if not newest else ""
    said = [f"{which}{counted(len(traces), noun)}: {f'{failed} with errors' if failed else 'no errors'}"]
    said += [usd(cost)] if cost else []
    return ", ".join(said) + "."


class Rows:
    """Traces as lines of one width, each column as wide as these traces need: what none of them tells has none. A
    wider terminal adds what was asked, and whose they were. Without traces the columns are as wide as usual."""

    def __init__(
        self, traces: Sequence[TraceSummary], width: int, ink: Ink, *, when: int = 0, of_spans: bool = False
    ) -> None:
        self.ink = ink
        self.of_spans = of_spans
        self.now_ns = time.time_ns()
        wide, wider = width >= 100, width >= 140
        self._inside = wide

        def widest(told: Callable[[TraceSummary], str], least: int, most: int, usual: int) -> int:
            """Columns for what these traces tell, and what is usual where there are none yet."""
            needed = max((cells(told(trace)) for trace in traces), default=usual)
            return max(least, min(needed, most)) if needed else 0

        self.when = when or widest(self._when, 4, 10, 10)
        self.took = widest(lambda trace: took(_lasted(trace)), 7, 8, 8)
        self.cost = widest(lambda trace: usd(trace.cost_usd), 4, 11, 8) or 4
        self.model = widest(self._model, 5, 24 if wide else 16, 16)
        self.whose = widest(_whose, 5, 20 if wider else 12, 12) if wide else 0
        ids = _ID + _SPAN_ID + 1 if of_spans else _ID
        room = width - sum((self.when, self.took, self.cost, len("tokens"), ids)) - 7
        room -= sum(column + 1 for column in (self.model, self.whose) if column)
        names = widest(lambda trace: stripped(trace.entry.name), 4, 36 if wider else 24, 24)
        self.asked = widest(_asked, 5, room - names - 1, width) if room - names - 1 >= _ASKED else 0
        self.name = min(room, names) if self.asked or traces else room
        if self.model and not self.asked and traces:
            self.model += min(room - self.name, widest(self._model, 5, width, 0) - self.model)

    def head(self) -> str:
        asked = f" {left('asked', self.asked)}" if self.asked else ""
        model = f" {left('model', self.model)}" if self.model else ""
        whose = f" {left('whose', self.whose)}" if self.whose else ""
        ids = f"{left('trace', _ID)} span" if self.of_spans else "trace"
        text = (
            f"{left('when', self.when)}   {left('name', self.name)}{asked}{model}"
            f" {right('took', self.took)} tokens {right('cost', self.cost)}{whose} {ids}"
        )
        return self.ink.pale(text)

    def line(self, trace: TraceSummary, when: str | None = None) -> str:
        """A failed trace carries the mark before its name."""
        entry, ink = trace.entry, self.ink
        mark = ink.bad(FAILED) if trace.errors else " "
        asked = f" {left(_asked(trace), self.asked)}" if self.asked else ""
        whose = f" {ink.pale(left(_whose(trace), self.whose))}" if self.whose else ""
        name = left(safe(entry.name), self.name)
        model = f" {left(middle_cut(self._model(trace), self.model), self.model)}" if self.model else ""
        return (
            f"{ink.pale(left(self._when(trace) if when is None else when, self.when))} {mark} "
            f"{ink.bad(name) if trace.errors else name}{asked}{model}"
            f" {right(took(_lasted(trace)), self.took)}"
            f" {right(tokens(trace.input_tokens, trace.output_tokens), 6)} {right(usd(trace.cost_usd), self.cost)}"
            f"{whose} {ink.pale(self._id(trace.entry))}"
        )

    def _id(self, span: StoredSpan) -> str:
        trace = span.trace_id.hex()[:_ID]
        return f"{trace} {span.span_id.hex()[:_SPAN_ID]}" if self.of_spans else trace

    def _model(self, trace: TraceSummary) -> str:
        """Of several the first, and how many there are beside it. A narrow terminal has room for what was asked, and
        for no more than the model of the entry itself."""
        own = trace.entry.model or trace.entry.model_asked
        models = trace.models if self._inside or own else ()
        first = stripped(next(iter(models), "")).rpartition("/models/")[2]
        return f"{first} +{len(models) - 1}" if len(models) > 1 else first

    def _when(self, trace: TraceSummary) -> str:
        return ago(min(trace.entry.start_ns, trace.entry.received_ns), self.now_ns)


_ID, _SPAN_ID = 8, 6
_ASKED = 20
"""Columns below which a question cannot be recognised."""


def _lasted(trace: TraceSummary) -> int | None:
    """From the first start to the last end; a trace whose clocks contradict each other lasts as long as its first span
    says."""
    own, whole = trace.entry.duration_ns, trace.duration_ns
    if own is None or whole is None or whole <= own:
        return whole
    from boxscore.tracing.tree import QUEUE_NS

    return own if whole > own + QUEUE_NS else whole


def _asked(trace: TraceSummary) -> str:
    return stripped(trace.entry.input_text[:400])


def _whose(trace: TraceSummary) -> str:
    return stripped(trace.entry.user or trace.entry.session or "")
