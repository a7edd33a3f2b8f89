"""`boxscore traces tail`: new traces as they come."""

import time
from collections.abc import Iterator, Sequence

import click

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.cli.traces.ink import Ink, terminal_width
from boxscore.cli.traces.listing import Rows
from boxscore.cli.traces.words import absolute, clock
from boxscore.client.forms import encode
from boxscore.errors import BusyError, OperationError
from boxscore.store.spans import Filter, SpanReader, TraceSummary

EVERY_S = 1.0
UNFINISHED_S = 5.0
"""So long a trace whose first span is not here yet may wait before it is told of."""
_PAGES, _PAGE = 10, 100
_KEPT = 50_000


@click.command(name="tail")
@filters
@click.option("-n", "--last", default=5, show_default=True, type=click.IntRange(0, _PAGE), help="Earlier ones before.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each trace.")
def command(filter: tuple[str, ...], since: str | None, until: str | None, last: int, as_json: bool) -> None:
    """New traces as they come, one a line; Ctrl-C ends it.

    A server that does not answer is asked on: it may be starting again.
    """
    conditions = conditions_of(filter, since, until)
    rows = Rows([], terminal_width(), Ink.of_terminal(), when=10)
    try:
        with opened() as reader:
            if not as_json:
                click.echo(rows.head())
            for trace in _arriving(reader, conditions, last):
                if as_json:
                    click.echo(encode(trace))
                else:
                    click.echo(rows.line(trace, _at(trace)))
    except KeyboardInterrupt:
        click.echo(err=True)


def _at(trace: TraceSummary) -> str:
    """The time of today, or the day."""
    at_ns = min(trace.entry.start_ns, trace.entry.received_ns)
    return clock(at_ns) if time.time_ns() - at_ns < 86_400 * 10**9 else absolute(at_ns)[:10]


def _arriving(reader: SpanReader, filter: Filter, last: int) -> Iterator[TraceSummary]:
    """Each trace once: the last ones that are there, and then whatever comes."""
    told: dict[bytes, None] = {}
    first_seen: dict[bytes, float] = {}
    newest = reader.traces(PROJECT, filter, limit=_PAGE, whole=True).items
    yield from reversed(newest[:last])
    told.update((trace.entry.trace_id, None) for trace in newest)
    away = False
    while True:
        time.sleep(EVERY_S)
        now = time.monotonic()
        try:
            unknown = list(_unknown(reader, filter, told))
        except OperationError as error:
            if type(error) is not OperationError and not isinstance(error, BusyError):
                raise
            if not away:
                click.echo(f"{error} It is asked on; Ctrl-C ends it.", err=True)
            away = True
            continue
        away = False
        for trace in reversed(unknown):
            key = trace.entry.trace_id
            waited = now - first_seen.setdefault(key, now)
            if trace.entry.parent_id is not None and waited < UNFINISHED_S:
                continue
            told[key] = None
            first_seen.pop(key, None)
            yield trace
        while len(told) > _KEPT:
            del told[next(iter(told))]


def _unknown(reader: SpanReader, filter: Filter, told: dict[bytes, None]) -> Iterator[TraceSummary]:
    """Traces that were not told of, newest first, until a page has none of them."""
    cursor = None
    for _ in range(_PAGES):
        page = reader.traces(PROJECT, filter, limit=_PAGE, cursor=cursor, whole=True)
        new: Sequence[TraceSummary] = [trace for trace in page.items if trace.entry.trace_id not in told]
        yield from new
        cursor = page.cursor
        if not new or cursor is None:
            return
