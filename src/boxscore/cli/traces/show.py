"""`boxscore traces show`: one trace as a tree, as a conversation, or one span of it whole."""

from collections.abc import Iterator
from itertools import islice

import click
import msgspec

from boxscore.cli.json_output import print_json
from boxscore.cli.traces.asking import PROJECT, find_trace, opened
from boxscore.cli.traces.detail import span_lines
from boxscore.cli.traces.ink import Ink, terminal_width
from boxscore.cli.traces.output import goes_on
from boxscore.cli.traces.talk import print_conversation
from boxscore.cli.traces.waterfall import Waterfall, fine_print, summary
from boxscore.client.forms import encode
from boxscore.errors import NotFoundError, UsageError
from boxscore.server.formats import span_form
from boxscore.store.spans import SpanReader, StoredSpan
from boxscore.tracing.tree import build_tree

PAGE = 1000
"""Spans read at once."""


@click.command(name="show")
@click.argument("trace", required=False)
@click.option("--span", "span_id", metavar="ID", help="One span, whole: its id or the beginning of it.")
@click.option("--conversation", "talk", is_flag=True, help="What was said, message by message.")
@click.option("--full", is_flag=True, help="Cut no text short.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1), help="Spans on a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def command(
    trace: str | None, span_id: str | None, talk: bool, full: bool, limit: int, cursor: str | None, as_json: bool
) -> None:
    """One TRACE as a tree: what took how long, what it cost, what failed.

    TRACE is an id or the beginning of one; without it the newest is shown. In a bar the pale part is the wait for the
    first token. With --json a page of spans has their attributes as they came.
    """
    with opened() as reader:
        trace_id = find_trace(reader, trace)
        if span_id is not None:
            _show_span(find_span(reader, trace_id, span_id), full, as_json)
        elif talk:
            print_conversation(spans_of(reader, trace_id), full, as_json)
        elif as_json:
            _print_page(reader, trace_id, limit, cursor)
        else:
            _show_tree(reader, trace_id, limit, cursor)


def spans_of(reader: SpanReader, trace_id: bytes) -> Iterator[StoredSpan]:
    """All spans of a trace by start, a page at a time; `NotFoundError` where there is none."""
    cursor = None
    while True:
        page = reader.trace(PROJECT, trace_id, limit=PAGE, cursor=cursor)
        if cursor is None and not page.items:
            raise NotFoundError("trace", trace_id.hex())
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def _show_tree(reader: SpanReader, trace_id: bytes, limit: int, cursor: str | None) -> None:
    if cursor is not None and not cursor.isdecimal():
        raise UsageError(f"{cursor!r} is no cursor of this tree: begin again without one.")
    first = int(cursor or 0)
    tree = build_tree(spans_of(reader, trace_id))
    ink, width = Ink.of_terminal(), terminal_width()
    rows = Waterfall(tree, width, ink)
    if first == 0:
        for line in summary(tree, reader.scores(PROJECT, trace_id=trace_id), width, ink):
            click.echo(line)
        click.echo("─" * width)
    click.echo(rows.head())
    for node in tree.nodes[first : first + limit]:
        for line in rows.lines(node):
            click.echo(line)
    if first + limit < len(tree.nodes):
        click.echo(f"{first + limit:,} of {len(tree.nodes):,} spans.", err=True)
        goes_on(str(first + limit))
        return
    prices = fine_print(tree, width)
    for line in ["─" * width, *prices] if prices else []:
        click.echo(ink.pale(line) if line in prices else line)


def _print_page(reader: SpanReader, trace_id: bytes, limit: int, cursor: str | None) -> None:
    page = reader.trace(PROJECT, trace_id, limit=min(limit, PAGE), cursor=cursor)
    if not page.items and cursor is None:
        raise NotFoundError("trace", trace_id.hex())
    scores = msgspec.json.decode(encode(reader.scores(PROJECT, trace_id=trace_id)))
    print_json({"items": [span_form(span) for span in page.items], "cursor": page.cursor, "scores": scores})


def find_span(reader: SpanReader, trace_id: bytes, text: str) -> StoredSpan:
    """A span of a trace by its id or the beginning of it."""
    written = text.strip().lower()
    matching = (span for span in spans_of(reader, trace_id) if span.span_id.hex().startswith(written))
    found = list(islice(matching, 1 if len(written) == 16 else None))
    if len(found) > 1:
        some = ", ".join(span.span_id.hex() for span in found[:5])
        raise UsageError(f"{len(found)} spans begin with {text}: {some}; give more of the id.")
    if not found:
        raise NotFoundError("span", f"{text} in trace {trace_id.hex()}")
    return found[0]


def _show_span(span: StoredSpan, full: bool, as_json: bool) -> None:
    if as_json:
        print_json(span_form(span))
        return
    for line in span_lines(span, terminal_width(), Ink.of_terminal(), full=full):
        click.echo(line)
