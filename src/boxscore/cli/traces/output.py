"""What all commands over traces print alike: JSON, where a list goes on, and what to do where there is nothing."""

import click
import msgspec

from boxscore.cli.traces.asking import PROJECT
from boxscore.client.forms import encode
from boxscore.store.spans import SpanReader, SqliteSpans

FIRST_TRACE = """\
No trace is here yet. Every call of your application will be: what it was asked,
what it answered, how long that took and what it cost. The first one needs

  boxscore serve

and an application that sends its spans there: `import boxscore; boxscore.init()`
at its start, or, where OpenTelemetry is at work already, the address
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8400 in its environment."""


def print_json(found: object) -> None:
    """The JSON of the HTTP API, set in for people."""
    click.echo(msgspec.json.format(encode(found), indent=2).decode())


def goes_on(cursor: str) -> None:
    """Where the next page begins, on standard error: it is no part of the answer."""
    click.echo(f"more: --cursor {cursor}", err=True)


def nothing_found(reader: SpanReader, noun: str, asked: bool) -> None:
    """Whether there is nothing at all, or nothing that was asked for."""
    if not reader.spans(PROJECT, limit=1).items:
        click.echo(FIRST_TRACE)
        if isinstance(reader, SqliteSpans):
            click.echo(f"\nNo server runs for this folder, {reader.folder.parent}; BOXSCORE_URL asks another one.")
    elif asked:
        click.echo(f"No {noun} fits: take a condition away, or widen --since and --until.")
    else:
        click.echo(f"No {noun} is here: no span names one.")
