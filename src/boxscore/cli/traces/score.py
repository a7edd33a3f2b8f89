"""`boxscore traces score`: what a person thinks of a trace, kept beside it."""

import hashlib
import time

import click

from boxscore import settings
from boxscore.cli.traces.asking import PROJECT, find_trace, opened
from boxscore.cli.traces.output import print_json
from boxscore.cli.traces.show import find_span
from boxscore.store.spans import Score, SqliteSpans


@click.command(name="score")
@click.argument("trace")
@click.argument("name")
@click.argument("value")
@click.option("--span", "span_id", metavar="ID", help="One span of it: its id or the beginning of it.")
@click.option("--comment", metavar="TEXT", help="Why.")
@click.option("--json", "as_json", is_flag=True, help="Print the score as JSON to standard output.")
def command(trace: str, name: str, value: str, span_id: str | None, comment: str | None, as_json: bool) -> None:
    """Score TRACE: NAME is what is judged, VALUE a number, true, false or a word.

    The same name again on the same trace or span replaces what was said before. Find scored traces with
    -f 'score.NAME>=0.8'.
    """
    from boxscore.client.spans import RemoteSpans

    with opened() as reader:
        trace_id = find_trace(reader, trace)
        span = None if span_id is None else find_span(reader, trace_id, span_id).span_id
        key = b"\0".join((trace_id, span or b"", name.encode(), b"human"))
        score = Score(
            id=f"cli-{hashlib.sha256(key).hexdigest()[:24]}",
            name=name,
            value=_value(value),
            trace_id=trace_id,
            span_id=span,
            comment=comment,
            source="human",
            at_ns=time.time_ns(),
        )
        if isinstance(reader, RemoteSpans):
            reader.put_scores(PROJECT, [score])
        else:  # no server owns the folder: for a moment we do
            with SqliteSpans(settings.home()) as store:
                store.put_scores(PROJECT, [score]).result()
    if as_json:
        print_json(score)
    else:
        click.echo(f"{name} {value} is kept with trace {trace_id.hex()[:8]}.")


def _value(text: str) -> float | bool | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text
