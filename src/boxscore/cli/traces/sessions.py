"""`boxscore traces sessions`: conversations of several traces."""

import time

import click

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.cli.traces.ink import FAILED, Ink, terminal_width
from boxscore.cli.traces.output import goes_on, nothing_found, print_json
from boxscore.cli.traces.words import ago, tokens, took, usd
from boxscore.experiments.report.text import cells, left, right, stripped


@click.command(name="sessions")
@filters
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Sessions on a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on after an earlier page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def command(
    filter: tuple[str, ...], since: str | None, until: str | None, limit: int, cursor: str | None, as_json: bool
) -> None:
    """The latest conversations. The traces of one: boxscore traces list -f session=ID."""
    conditions = conditions_of(filter, since, until)
    with opened() as reader:
        page = reader.sessions(PROJECT, conditions, limit=limit, cursor=cursor)
        if as_json:
            print_json(page)
            return
        if not page.items and page.cursor is None:
            nothing_found(reader, "session", asked=True)
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
