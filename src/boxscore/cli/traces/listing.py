"""`boxscore traces list`: the newest traces, one a line."""

import time
from collections.abc import Sequence
from decimal import Decimal

import click

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.cli.traces.ink import FAILED, Ink, safe, terminal_width
from boxscore.cli.traces.output import goes_on, nothing_found, print_json
from boxscore.cli.traces.words import ago, counted, tokens, took, usd
from boxscore.experiments.report.text import cells, left, middle_cut, right, stripped
from boxscore.store.spans import TraceSummary
from boxscore.tracing.tree import QUEUE_NS


@click.command(name="list")
@filters
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Traces on a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def command(
    filter: tuple[str, ...], since: str | None, until: str | None, limit: int, cursor: str | None, as_json: bool
) -> None:
    """The newest traces: when, what, how long, what it cost, whether it failed.

    A filter asks of a trace's first span; those of one conversation: -f session=ID.
    """
    conditions = conditions_of(filter, since, until)
    with opened() as reader:
        page = reader.traces(PROJECT, conditions, limit=limit, cursor=cursor, whole=not as_json)
        if as_json:
            print_json(page)
            return
        if not page.items:
            nothing_found(reader, "trace", bool(conditions))
            return
    ink = Ink.of_terminal()
    click.echo(ink.bold(_headline(page.items, newest=cursor is None, more=page.cursor is not None)))
    rows = Rows(page.items, terminal_width(), ink)
    click.echo(rows.head())
    for trace in page.items:
        click.echo(rows.line(trace))
    if page.cursor is not None:
        goes_on(page.cursor)


def _headline(traces: Sequence[TraceSummary], *, newest: bool, more: bool) -> str:
    failed = sum(1 for trace in traces if trace.errors)
    cost = sum((trace.cost_usd for trace in traces if trace.cost_usd is not None), Decimal(0))
    which = "The newest " if more and newest else "Another " if not newest else ""
    said = [f"{which}{counted(len(traces), 'trace')}: {f'{failed} with errors' if failed else 'no errors'}"]
    said += [usd(cost)] if cost else []
    return ", ".join(said) + "."


class Rows:
    """Traces as lines of one width, each column as wide as these traces need: what none of them tells has none. A
    wider terminal adds what was asked, and whose they were. Without traces the columns are as wide as usual."""

    def __init__(self, traces: Sequence[TraceSummary], width: int, ink: Ink, *, when: int = 0) -> None:
        self.ink = ink
        self.now_ns = time.time_ns()
        self.when = when or _widest([self._when(trace) for trace in traces], 4, 10)
        self.took = _widest([took(_lasted(trace)) for trace in traces], 7, 8)
        self.cost = _widest([usd(trace.cost_usd) for trace in traces] if traces else ["$0.00041"], 4, 11)
        models = _widest([_model(trace) for trace in traces] if traces else [" " * 16], 0, 16 if width < 140 else 24)
        self.model = max(models, 5) if models else 0
        whose = _widest([_whose(trace) for trace in traces] if traces else [" " * 12], 0, 12 if width < 140 else 20)
        self.whose = max(whose, 5) if whose and width >= 100 else 0
        room = width - sum((self.when, self.took, self.cost, len("tokens"), _ID)) - 7
        room -= sum(width + 1 for width in (self.model, self.whose) if width)
        names = _widest(
            [stripped(trace.entry.name) for trace in traces] if traces else [" " * 24], 4, 24 if width < 140 else 36
        )
        asked = _widest([_asked(trace) for trace in traces] if traces else [" " * width], 0, room - names - 1)
        self.asked = asked if room - names - 1 >= _ASKED else 0
        self.name = min(room, names) if self.asked or traces else room

    def head(self) -> str:
        asked = f" {left('asked', self.asked)}" if self.asked else ""
        model = f" {left('model', self.model)}" if self.model else ""
        whose = f" {left('whose', self.whose)}" if self.whose else ""
        text = (
            f"{left('when', self.when)}   {left('name', self.name)}{asked}{model}"
            f" {right('took', self.took)} tokens {right('cost', self.cost)}{whose} trace"
        )
        return self.ink.pale(text)

    def line(self, trace: TraceSummary, when: str | None = None) -> str:
        """A failed trace carries the mark before its name."""
        entry, ink = trace.entry, self.ink
        mark = ink.bad(FAILED) if trace.errors else " "
        asked = f" {left(_asked(trace), self.asked)}" if self.asked else ""
        whose = f" {ink.pale(left(_whose(trace), self.whose))}" if self.whose else ""
        name = left(safe(entry.name), self.name)
        model = f" {left(middle_cut(_model(trace), self.model), self.model)}" if self.model else ""
        return (
            f"{ink.pale(left(self._when(trace) if when is None else when, self.when))} {mark} "
            f"{ink.bad(name) if trace.errors else name}{asked}{model}"
            f" {right(took(_lasted(trace)), self.took)}"
            f" {right(tokens(trace.input_tokens, trace.output_tokens), 6)} {right(usd(trace.cost_usd), self.cost)}"
            f"{whose} {ink.pale(trace.entry.trace_id.hex()[:_ID])}"
        )

    def _when(self, trace: TraceSummary) -> str:
        return ago(min(trace.entry.start_ns, trace.entry.received_ns), self.now_ns)


_ID = 8
_ASKED = 20
"""Columns below which a question cannot be recognised."""


def _lasted(trace: TraceSummary) -> int | None:
    """From the first start to the last end; a trace whose clocks contradict each other lasts as long as its first span
    says."""
    own, whole = trace.entry.duration_ns, trace.duration_ns
    return own if own is not None and whole is not None and whole > own + QUEUE_NS else whole


def _asked(trace: TraceSummary) -> str:
    return stripped(trace.entry.input_text[:400])


def _model(trace: TraceSummary) -> str:
    return stripped(trace.entry.model or trace.entry.model_asked or "").rpartition("/models/")[2]


def _whose(trace: TraceSummary) -> str:
    return stripped(trace.entry.user or trace.entry.session or "")


def _widest(texts: Sequence[str], least: int, most: int) -> int:
    return max(min(max(least, *map(cells, texts)) if texts else least, most), 0)
