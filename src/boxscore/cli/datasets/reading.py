"""`boxscore datasets list`, `show`, `versions`, `diff` and `export`."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import get_args

import click
import msgspec

from boxscore.cli.datasets.place import place
from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import table
from boxscore.datasets.example import Example
from boxscore.datasets.export import ENDINGS, Form
from boxscore.datasets.names import parse_reference
from boxscore.datasets.version import DatasetVersion
from boxscore.errors import FileError, UsageError
from boxscore.figures import counted
from boxscore.text import left, stripped
from boxscore.types import Json

EMPTY = """\
No dataset is here. One comes from a file, or from what your application was
really asked:

  boxscore datasets import tickets tickets.jsonl
  boxscore datasets add tickets --since 7d

A spec then says `dataset: tickets`."""


@click.command(name="list")
@click.option("--archived", is_flag=True, help="Archived ones too.")
@as_json
def list_(archived: bool, as_json: bool) -> None:
    """Datasets by name."""
    with place() as at:
        lines = at.lines(archived=archived)
    if as_json:
        print_json(lines)
    elif not lines:
        click.echo(EMPTY)
    else:
        rows = [("name", "examples", "version", "runs", "changed", "by", "")]
        for line in lines:
            head = line.head
            rows.append(
                (
                    line.name,
                    f"{head.examples - head.erased:,}" if head else "0",
                    str(head.number) if head else "none",
                    f"{line.runs:,}",
                    _when(head.created_at if head else line.created_at),
                    stripped((head.created_by if head else line.created_by) or ""),
                    "archived" if line.archived_at else "",
                )
            )
        table(rows)


@click.command()
@click.argument("dataset", metavar="NAME[@VERSION]")
@click.option("--text", default="", help="Only rows that hold this text, whatever its case.")
@click.option("--where", multiple=True, metavar="FIELD=VALUE", help="As in slices.language=de; all must hold.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="The most rows that are shown.")
@as_json
def show(dataset: str, text: str, where: tuple[str, ...], limit: int, as_json: bool) -> None:
    """What a dataset can show, and its first rows, or those that hold what is looked for."""
    reference = parse_reference(dataset)
    with place() as at:
        detail = at.detail(reference.name)
        rows = at.find(reference, text, where, limit) if limit and detail.dataset.head else []
    if as_json:
        print_json({"dataset": detail.dataset, "detectable": detail.detectable, "examples": rows})
        return
    head = detail.dataset.head
    if head is None:
        click.echo(
            f"No example is in {reference.name} yet: `boxscore datasets import {reference.name} FILE` brings some."
        )
        return
    if reference.version is None:
        click.echo(_sees(head, detail.detectable))
        click.echo(f"version {head.number}, {head.version}, {_when(head.created_at)} by {_by(head)}{_note(head)}")
        for name, values in head.summary.slices.items():
            told = ", ".join(f"{stripped(value)} {count:,}" for value, count in list(values.items())[:6])
            more = f" and {len(values) - 6} more" if len(values) > 6 else ""
            click.echo(f"slice {stripped(name)}: {told}{more}")
    width = _width()
    for row in rows:
        click.echo(_line(row.example, width))


@click.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
def versions(name: str, limit: int, as_json: bool) -> None:
    """The versions of a dataset, newest first."""
    with place() as at:
        found = at.versions(name, limit)
    if as_json:
        print_json(found)
        return
    rows = [("version", "content", "examples", "added", "changed", "removed", "made", "by", "note")]
    rows += [
        (
            str(one.number),
            one.version,
            f"{one.examples - one.erased:,}" + (f" ({one.erased:,} erased)" if one.erased else ""),
            f"+{one.added:,}",
            f"{one.changed:,}",
            f"−{one.removed:,}",
            _when(one.created_at),
            _by(one),
            stripped(one.note or ""),
        )
        for one in found
    ]
    table(rows)


@click.command()
@click.argument("name")
@click.argument("before")
@click.argument("after", default="head")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The most that are shown.")
@as_json
def diff(name: str, before: str, after: str, limit: int, as_json: bool) -> None:
    """What differs between version BEFORE and version AFTER (the newest), example by example."""
    with place() as at:
        found = at.diff(name, before, after, limit)
    if as_json:
        print_json(found)
        return
    changes = found.changes
    told = [f"{size:,} {what}" for what, size in (("added", changes.added), ("changed", changes.changed),
                                                 ("removed", changes.removed)) if size]  # fmt: skip
    click.echo(f"{name}, version {found.before} to {found.after}: {', '.join(told) or 'they hold the same'}")
    width = _width() - 2
    for item in found.items:
        if item.before is not None:
            click.echo(f"- {_line(item.before, width)}")
        if item.after is not None:
            click.echo(f"+ {_line(item.after, width)}")
    if (left_out := changes.added + changes.changed + changes.removed - len(found.items)) > 0:
        click.echo(f"{left_out:,} more: --limit", err=True)


@click.command()
@click.argument("dataset", metavar="NAME[@VERSION]")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "form", type=click.Choice(get_args(Form)), help="Default: by the end of the name.")
@click.option("--spreadsheet", is_flag=True, help="CSV that no spreadsheet takes for formulas: ' before = + - @.")
def export(dataset: str, file: Path, form: Form | None, spreadsheet: bool) -> None:
    """Write a version to FILE: .jsonl, .csv or .parquet; - is standard output.

    JSONL and Parquet keep every value; CSV knows text alone, and says other values as JSON. The file appears when it is
    whole.
    """
    reference = parse_reference(dataset)
    chosen = form or ENDINGS.get(file.suffix.lower()) or ("jsonl" if str(file) == "-" else None)
    if chosen is None:
        raise UsageError(f"{file} does not tell its format: end it in .jsonl, .csv or .parquet, or give --format.")
    if str(file) == "-":
        with tempfile.TemporaryDirectory() as folder, place() as at:
            out = Path(folder) / "export"
            at.export(reference, chosen, out, spreadsheet=spreadsheet)
            with out.open("rb") as source:
                shutil.copyfileobj(source, sys.stdout.buffer)
        return
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        with place() as at:
            at.export(reference, chosen, unfinished, spreadsheet=spreadsheet)
        unfinished.replace(file)
    except OSError as error:
        raise FileError(file, f"cannot be written: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"{reference} in {file}", err=True)


def _sees(head: DatasetVersion, detectable: float | None) -> str:
    summary = head.summary
    parts = sum(map(len, summary.slices.values()))
    left = head.examples - head.erased
    said = counted(left, "example")
    if summary.clusters:
        said += f", {summary.units:,} of them independent,"
    if parts:
        said += f" in {counted(parts, 'slice')}"
    if detectable is None:
        return f"{said}; that is too few to show any difference"
    return f"{said}; at this size a difference of {100 * detectable:.1f} points shows at 80 % power"


def _line(example: Example, width: int) -> str:
    """Id, inputs and reference in one line."""
    values = example.inputs
    inputs = _text(next(iter(values.values()))) if len(values) == 1 else _text(values)
    told = f"{example.id}  {inputs}"
    if example.reference is not None:
        told = f"{left(stripped(told), max(20, width * 2 // 3))}  → {_text(example.reference)}"
    return left(stripped(told), width).rstrip()


def _text(value: Json) -> str:
    return " ".join(value.split()) if isinstance(value, str) else msgspec.json.encode(value).decode()


def _by(version: DatasetVersion) -> str:
    return stripped(version.created_by or "nobody known")


def _note(version: DatasetVersion) -> str:
    return f": {stripped(version.note)}" if version.note else ""


def _when(at: str) -> str:
    return at[:16].replace("T", " ")


def _width() -> int:
    return max(80, min(shutil.get_terminal_size((80, 24)).columns, 160)) if sys.stdout.isatty() else 100
