"""`boxscore datasets create`, `import`, `add`, `remove`, `restore`, `archive` and `delete`."""

from pathlib import Path
from typing import get_args

import click

from boxscore.cli.datasets.place import conditions_text, place
from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.traces.asking import filters
from boxscore.client.datasets import FromTraces, TracesTaken, VersionMade
from boxscore.datasets.from_spans import InputsFrom, PickedSpan, ReferenceFrom, SpanMapping, SpanSelection
from boxscore.errors import UsageError
from boxscore.figures import counted

FILE = click.Path(path_type=Path, dir_okay=False)
noted = click.option("--note", metavar="TEXT", help="Why, for who reads the versions.")


@click.command()
@click.argument("name")
@click.option("--about", metavar="TEXT", help="What it is.")
@as_json
def create(name: str, about: str | None, as_json: bool) -> None:
    """Make a dataset without a row."""
    with place() as at:
        made = at.create(name, about)
    print_json(made) if as_json else click.echo(
        f"{made.name} is made; `boxscore datasets add {made.name} FILE` fills it."
    )


@click.command(name="import")
@click.argument("name")
@click.argument("file", type=FILE)
@noted
@as_json
def import_(name: str, file: Path, note: str | None, as_json: bool) -> None:
    """Make a version of NAME that holds the rows of FILE and no others; NAME is made where it is new.

    FILE is JSONL, CSV, tab-separated or Parquet. What is in no version yet is read whole, or nothing of it.
    """
    with place() as at:
        _told(name, at.put_file(name, file, add=False, note=note), as_json)


@click.command()
@click.argument("name")
@click.argument("file", type=FILE, required=False)
@click.option("--trace", "traces", multiple=True, metavar="ID", help="The entry of this trace; repeated for several.")
@filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="The most spans.")
@click.option(
    "--inputs",
    type=click.Choice(get_args(InputsFrom)),
    default="auto",
    show_default=True,
    help="What becomes the inputs: variables of the prompt or arguments, all messages, the last text; or what fits.",
)
@click.option(
    "--reference",
    type=click.Choice(get_args(ReferenceFrom)),
    default="human",
    show_default=True,
    help="When the answer becomes the reference: where a person scored it true, always, never.",
)
@click.option(
    "--slice", "slices", multiple=True, metavar="FIELD", help="A field of the span to report by, as in model."
)
@click.option("--look", is_flag=True, help="Tell what would come of the spans, and make nothing.")
@noted
@as_json
def add(
    name: str,
    file: Path | None,
    traces: tuple[str, ...],
    filter: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    inputs: InputsFrom,
    reference: ReferenceFrom,
    slices: tuple[str, ...],
    look: bool,
    note: str | None,
    as_json: bool,
) -> None:
    """Make a version of NAME with rows added: those of FILE, or made of traces by ids or by a filter.

    A row of FILE with an id that is there takes its place. Of traces, what asks the same as a row that is there is left
    out and counted. Texts come as they were traced, with what they hold of persons; a row keeps the ids of its trace,
    span and session, and no user. Without a filter for other spans, the entries of traces are taken.
    """
    conditions = conditions_text(filter, since, until)
    if file is not None:
        if traces or conditions:
            raise UsageError("add from a file or from traces, not from both at once.")
        with place() as at:
            _told(name, at.put_file(name, file, add=True, note=note), as_json)
        return
    if traces and conditions:
        raise UsageError("name traces by id or by a filter, not by both.")
    if not traces and not conditions:
        raise UsageError("say what to add: a file, --trace ID, or a filter such as --since 7d.")
    if conditions and not any(one.startswith(("entry", "operation", "step", "name")) for one in conditions):
        conditions.append("entry=true")
    asked = FromTraces(
        selection=SpanSelection(spans=[PickedSpan(trace_id=trace) for trace in traces], filter=conditions, limit=limit),
        mapping=SpanMapping(inputs=inputs, reference=reference, slices=slices),
        note=note,
        look=look,
    )
    with place() as at:
        found = at.take(name, asked)
    if as_json:
        print_json(found)
    else:
        click.echo(_of_traces(name, found, look))


@click.command()
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@noted
@as_json
def remove(name: str, ids: tuple[str, ...], note: str | None, as_json: bool) -> None:
    """Make a version of NAME without the rows of these ids. Older versions keep them."""
    with place() as at:
        _told(name, at.remove(name, ids, note), as_json)


@click.command()
@click.argument("name")
@click.argument("number", type=click.IntRange(1))
@as_json
def restore(name: str, number: int, as_json: bool) -> None:
    """Make a version that holds what version NUMBER holds: its content hash is the same, its number is new."""
    with place() as at:
        _told(name, at.restore(name, number), as_json)


@click.command()
@click.argument("name")
@click.option("--back", is_flag=True, help="Into the list again.")
@as_json
def archive(name: str, back: bool, as_json: bool) -> None:
    """Take NAME out of the list. Its versions stay, specs may name them, and nothing changes them; --back undoes it."""
    with place() as at:
        line = at.archive(name, back=back)
    if as_json:
        print_json(line)
    elif back:
        click.echo(f"{name} is back in the list.")
    else:
        click.echo(f"{name} is archived; `boxscore datasets archive {name} --back` brings it back.")


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, yes: bool) -> None:
    """Delete NAME with all its versions, for good. What runs asked stays with the runs."""
    if not yes:
        click.confirm(f"Delete {name} with all its versions? It cannot be undone", abort=True, err=True)
    with place() as at:
        at.delete(name)
    click.echo(f"{name} is deleted.")


def _told(name: str, made: VersionMade, as_json: bool) -> None:
    version = made.version
    if as_json:
        print_json(made)
    elif not made.new:
        click.echo(f"{name} holds this already: version {version.number}, {version.version}.")
    else:
        changes = ((version.added, "added"), (version.changed, "changed"), (version.removed, "removed"))
        told = ", ".join(f"{size:,} {what}" for size, what in changes if size) or "empty"
        click.echo(f"{name}@{version.number}, {version.version}: {counted(version.examples, 'example')} ({told})")


def _of_traces(name: str, found: TracesTaken, look: bool) -> str:
    taken = found.taken
    said = f"{counted(taken.spans, 'span')}: {counted(taken.rows, 'row')}, {taken.references:,} with a reference"
    if taken.duplicates:
        said += f"; {taken.duplicates:,} left out that ask what is there already"
    if taken.without_input:
        said += f"; {taken.without_input:,} that tell no input"
    if look:
        return f"{said}. Nothing was made."
    if found.version is None:
        return f"{said}. No version was made."
    return (
        f"{said}\n{name}@{found.version.number}, {found.version.version}: {counted(found.version.examples, 'example')}"
    )
