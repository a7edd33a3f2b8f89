"""`boxscore traces export`: spans in a file, for other tools."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast, get_args

import click
import msgspec

from boxscore.cli.traces.asking import PROJECT, conditions_of, filters, opened
from boxscore.errors import FileError, UsageError
from boxscore.figures import counted
from boxscore.server.formats import Writer, writer_of
from boxscore.store.spans import Filter, SpanReader

Format = Literal["jsonl", "csv", "parquet", "otlp"]
PAGE = 500
LINE_EVERY_S = 10.0


class Place(msgspec.Struct, frozen=True):
    """How far an export is: what was asked, where the reading goes on, and how much of the file is good."""

    asked: str
    cursor: str
    bytes: int
    spans: int


@click.command(name="export")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@filters
@click.option("--format", "form", type=click.Choice(get_args(Format)), help="Default: by the end of the name.")
def command(file: Path, filter: tuple[str, ...], since: str | None, until: str | None, form: Format | None) -> None:
    """Write spans to FILE, oldest first: .jsonl, .csv, .parquet, or OTLP in .otlp.jsonl; - is standard output.

    JSONL has all of a span, its attributes as they came among it; CSV and Parquet (extra parquet) its fields; OTLP what
    was sent, for another collector. The file appears when it is whole. After a stop the same command goes on where it
    was, but for Parquet, which begins anew.
    """
    form = form or _format_of(file)
    conditions = conditions_of(filter, since, until)
    asked = " ".join([form, *filter, since or "", until or ""])
    with opened() as reader:
        if str(file) == "-":
            if form == "parquet":
                raise UsageError("Parquet is not written to standard output: name a file.")
            spans = _stream(reader, conditions, writer_of(form, sys.stdout.buffer, begin=True), None, _silent)
        else:
            spans = _to_file(reader, conditions, file, form, asked)
    if str(file) != "-":
        click.echo(f"{counted(spans, 'span')} in {file}", err=True)


def _format_of(file: Path) -> Format:
    name = file.name.lower()
    for ending, form in ((".otlp.jsonl", "otlp"), (".jsonl", "jsonl"), (".csv", "csv"), (".parquet", "parquet")):
        if name.endswith(ending):
            return cast(Format, form)
    if name == "-":
        return "jsonl"
    raise UsageError(f"{file} does not tell its format: end it in .jsonl, .csv, .parquet or .otlp.jsonl, or --format.")


def _to_file(reader: SpanReader, filter: Filter, file: Path, form: Format, asked: str) -> int:
    unfinished = file.with_name(f"{file.name}.unfinished")
    place_file = file.with_name(f"{file.name}.place")
    place = None if form == "parquet" else _place(place_file, unfinished, asked)
    if place is not None:
        click.echo(f"going on after {counted(place.spans, 'span')} of an export that was stopped", err=True)
    try:
        with unfinished.open("r+b" if place is not None else "wb") as out:
            if place is not None:
                out.truncate(place.bytes)
                out.seek(place.bytes)

            def keep(cursor: str, spans: int) -> None:
                out.flush()
                place_file.write_bytes(msgspec.json.encode(Place(asked, cursor, out.tell(), spans)))

            writer = writer_of(form, out, begin=place is None)
            with _progress(reader, filter) as told:

                def done(cursor: str | None, spans: int) -> None:
                    if cursor is not None and form != "parquet":
                        keep(cursor, spans)
                    told(cursor, spans)

                spans = _stream(reader, filter, writer, place, done)
        unfinished.replace(file)
        place_file.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(error.filename or file, f"the export cannot be written: {error.strerror or error}.") from error
    return spans


def _place(place_file: Path, unfinished: Path, asked: str) -> Place | None:
    """Where to go on; None where nothing was begun, or something else was asked for."""
    try:
        place = msgspec.json.decode(place_file.read_bytes(), type=Place)
        return place if place.asked == asked and unfinished.stat().st_size >= place.bytes else None
    except (OSError, msgspec.MsgspecError):
        return None


def _stream(
    reader: SpanReader, filter: Filter, writer: Writer, place: Place | None, done: Callable[[str | None, int], None]
) -> int:
    """Pages of spans into the writer; `done` hears the cursor after each and the number of spans so far."""
    cursor, spans = (None, 0) if place is None else (place.cursor, place.spans)
    while True:
        page = reader.spans(PROJECT, filter, limit=PAGE, cursor=cursor, whole=True, oldest_first=True)
        writer.write(page.items)
        cursor, spans = page.cursor, spans + len(page.items)
        if cursor is None:
            writer.close()
        done(cursor, spans)
        if cursor is None:
            return spans


def _silent(cursor: str | None, spans: int) -> None:
    del cursor, spans


@contextmanager
def _progress(reader: SpanReader, filter: Filter) -> Generator[Callable[[str | None, int], None]]:
    """A bar on a terminal, a line now and then in a log."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def line(cursor: str | None, spans: int) -> None:
            nonlocal last
            if cursor is not None and time.monotonic() - last >= LINE_EVERY_S:
                last = time.monotonic()
                click.echo(f"{counted(spans, 'span')} so far", err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("spans", total=reader.counts(PROJECT, filter).spans)
        yield lambda cursor, spans: bars.update(task, completed=spans)
