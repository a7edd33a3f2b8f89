"""What the commands over traces ask with: filters, times, and the store or server that answers."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from boxscore import settings
from boxscore.cli.times import moment
from boxscore.errors import NotFoundError, UsageError
from boxscore.store.spans import Condition, SpanReader, parse_condition

Command = TypeVar("Command", bound=Callable[..., Any])

PROJECT = settings.load().project or "default"
ENTRY = Condition("entry", "=", True)
_SOME = 5


@contextmanager
def opened() -> Generator[SpanReader]:
    """The spans of the server that is named or owns this folder, else of the folder itself."""
    from boxscore.client.spans import open_spans

    reader = open_spans()
    try:
        yield reader
    finally:
        reader.close()


def filters(command: Command) -> Command:
    """The options that a command over filters takes, to be read by `conditions_of`."""
    for option in (
        click.option("--until", metavar="TIME", help="Begun before, in the same forms."),
        click.option("--since", metavar="TIME", help="Begun at or after: 30m, 2h or 7d ago, or 2026-01-31T08:30Z."),
        click.option("-f", "--filter", "filter", multiple=True, metavar="FILTER",
                     help="A condition, as in model=gpt-5; repeated, all have to hold."),
    ):  # fmt: skip
        command = option(command)
    return command


def conditions_of(filter: Sequence[str], since: str | None, until: str | None) -> list[Condition]:
    conditions = [parse_condition(text) for text in filter]
    now_ns = time.time_ns()
    if since is not None:
        conditions.append(Condition("start_ns", ">=", moment(since, now_ns, "--since")))
    if until is not None:
        conditions.append(Condition("start_ns", "<", moment(until, now_ns, "--until")))
    return conditions


def find_trace(reader: SpanReader, text: str | None) -> bytes:
    """The id of a trace, from the whole of it or its beginning where only one trace begins so; of the newest
    trace where nothing is given."""
    if text is None:
        newest = reader.spans(PROJECT, [ENTRY], limit=1).items
        if not newest:
            raise NotFoundError("trace", "yet")
        return newest[0].trace_id
    written = text.strip().lower()
    if not written or not set(written) <= set("0123456789abcdef") or len(written) > 32:
        raise UsageError(f"{text!r} is no id of a trace: it has up to 32 digits 0 to 9 and a to f.")
    if len(written) == 32:
        return bytes.fromhex(written)
    found = reader.trace_ids(PROJECT, written, limit=_SOME + 1)
    if len(found) > 1:
        count = f"{len(found)}" if len(found) <= _SOME else f"more than {_SOME}"
        some = ", ".join(trace[: max(12, len(written) + 4)] for trace in found[:_SOME])
        raise UsageError(f"{count} traces begin with {written}: {some}; give more of the id.")
    if not found:
        raise NotFoundError("trace", written)
    return bytes.fromhex(found[0])
