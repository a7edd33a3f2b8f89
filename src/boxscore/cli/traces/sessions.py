"""`boxscore traces sessions`: conversations of several traces."""

import time
from collections.abc import Iterator

import click

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.cli.traces.ink import FAILED, Ink, terminal_width
from boxscore.cli.traces.output import goes_on, nothing_found, print_json
from boxscore.cli.traces.show import spans_of
from boxscore.cli.traces.talk import print_conversation
from boxscore.cli.traces.words import ago, tokens, took, usd
from boxscore.errors import NotFoundError
from boxscore.store.spans import Condition, Filter, SpanReader, StoredSpan
from boxscore.text import cells, left, right, stripped


@click.command(name="sessions")
@click.argument("session", required=False)
@filters
@click.option("--full", is_flag=True, help="Cut no text of the conversation short.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Sessions on a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def command(
    session: str | None,
    filter: tuple[str, ...],
    since: str | None,
    until: str | None,
    full: bool,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """The latest conversations, or what was said in SESSION, over all its traces.

    The traces of one as a list: boxscore traces list -f session=ID.
    """
    conditions = conditions_of(filter, since, until)
    with opened() as reader:
        if session is not None:
            print_conversation(
                _spans(reader, [*conditions, Condition("session", "=", session)], session), full, as_json
            )
            return
        page = reader.sessions(PROJECT, conditions, limit=limit, cursor=cursor)
        if as_json:
            print_json(page)
            return
        if not page.items and page.cursor is None:
            nothing_found(reader, "session", bool(conditions))
            return
    ink, width = Ink.of_terminal(), terminal_width()
    whose = min(max((cells(stripped(one.user or "")) for one in page.items), default=4), 20)
    whose = max(whose, 4) if width >= 72 and any(one.user for one in page.items) else 0
    name = min(width - 54 - (whose + 1 if whose else 0), max(cells(stripped(one.session)) for one in page.items))
    user = f" {left('user', whose)}" if whose else ""
    head = f"{left('last', 10)}   {left('session', max(name, 7))}{user} traces  spans   lasted tokens      cost"
    click.echo(ink.pale(head))
    now_ns = time.time_ns()
    for one in page.items:
        mark = ink.bad(FAILED) if one.errors else " "
        user = f" {left(stripped(one.user or ''), whose)}" if whose else ""
        click.echo(
            f"{ink.pale(left(ago(one.last_ns, now_ns), 10))} {mark} {left(stripped(one.session), max(name, 7))}{user}"
            f" {one.traces:>6,} {one.spans:>6,} {right(took(one.last_ns - one.start_ns), 8)}"
            f" {right(tokens(one.input_tokens, one.output_tokens), 6)} {right(usd(one.cost_usd), 9)}".rstrip()
        )
    if page.cursor is not None:
        goes_on(page.cursor)


def _spans(reader: SpanReader, filter: Filter, session: str) -> Iterator[StoredSpan]:
    """The spans of all traces of a session, trace by trace, the first first."""
    cursor, found = None, False
    while True:
        page = reader.traces(PROJECT, filter, limit=100, cursor=cursor, oldest_first=True)
        for trace in page.items:
            found = True
            yield from spans_of(reader, trace.entry.trace_id)
        cursor = page.cursor
        if cursor is None:
            break
    if not found:
        raise NotFoundError("session", session)
