"""`boxscore traces search`: spans by the words in what was asked and answered."""

import time
from collections.abc import Iterator

import click

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.cli.traces.ink import FAILED, Ink, safe, terminal_width
from boxscore.cli.traces.output import goes_on, nothing_found, print_json
from boxscore.cli.traces.snippet import snippet
from boxscore.cli.traces.words import ago, counted, took, usd
from boxscore.errors import UsageError
from boxscore.store.spans import StoredSpan
from boxscore.text import cells, left, middle_cut, stripped


@click.command(name="search")
@click.argument("words", nargs=-1, metavar="WORD...")
@filters
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Spans on a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def command(
    words: tuple[str, ...],
    filter: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """Spans whose input or output has every WORD, the latest to arrive first.

    Several words in one pair of quotes are a phrase: they stand side by side. Case and accents do not matter.
    """
    # The shell took the quotes away: what has a space in it was quoted.
    asked = " ".join(f'"{word}"' if " " in word.strip() and '"' not in word else word for word in words)
    if not asked.strip():
        raise UsageError('there is nothing to search for: boxscore traces search refund "second invoice"')
    conditions = conditions_of(filter, since, until)
    with opened() as reader:
        hits = reader.search(PROJECT, asked, conditions, limit=limit, cursor=cursor)
        if as_json:
            print_json(hits)
            return
        if not hits.items and not hits.cursor:
            nothing_found(reader, "span", asked=True)
    ink, width = Ink.of_terminal(), terminal_width()
    for span in hits.items:
        for line in _lines(span, asked, width, ink):
            click.echo(line)
    if hits.pending:
        late = counted(hits.pending, "span")
        click.echo(f"{late} came a moment ago and cannot be found yet: ask again in a second.", err=True)
    if hits.cursor is not None:
        goes_on(hits.cursor)


def _lines(span: StoredSpan, asked: str, width: int, ink: Ink) -> Iterator[str]:
    facts = (middle_cut(stripped(span.model or span.model_asked or ""), 18), took(span.duration_ns), usd(span.cost_usd))
    facts = facts if width >= 72 else facts[1:]
    end = "  ".join((*filter(None, facts), f"{span.trace_id.hex()[:8]} {span.span_id.hex()[:6]}"))
    mark = ink.bad(FAILED) if span.error else " "
    when = ago(min(span.start_ns, span.received_ns), time.time_ns())
    room = max(8, width - 13 - cells(end) - 2)
    yield f"{ink.pale(left(when, 10))} {mark} {ink.bold(left(safe(span.name), room))}  {ink.pale(end)}"
    for side, text in (("in", span.input_text), ("out", span.output_text)):
        found = snippet(text, asked, width - 17, ink)
        if found is not None:
            yield f"{'':13}{ink.pale(left(side, 4))}{found}"
