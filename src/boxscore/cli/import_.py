"""`boxscore import`: files of other tools as a spec, a dataset and recorded answers."""

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boxscore.cli.json_output import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boxscore.imports import Imported, Left

_FORMATS = ("promptfoo", "inspect", "openai-evals", "huggingface")


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--from", "format", type=click.Choice(_FORMATS), help="Whose format (default: as the file looks).")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("evals"), show_default=True, help="Folder to fill."
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--model", "models", metavar="NAME", multiple=True, help="A variant, where FILE names none; repeatable.")
@click.option("--input", "inputs", metavar="FIELD", multiple=True, help="Column that is asked; repeatable.")
@click.option("--reference", metavar="FIELD", help="Column with the right answer.")
@click.option("--cluster", metavar="FIELD", help="Column whose rows are not independent.")
@click.option("--slice", "slices", metavar="FIELD", multiple=True, help="Column to report by; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Say what was carried as JSON.")
def import_(
    files: tuple[Path, ...],
    format: str | None,
    out: Path,
    force: bool,
    models: tuple[str, ...],
    inputs: tuple[str, ...],
    reference: str | None,
    cluster: str | None,
    slices: tuple[str, ...],
    as_json: bool,
) -> int:
    """Write a spec, a dataset and recorded answers from files of another tool, and list what was not carried.

    FILE is a promptfoo configuration or its results, a log of Inspect (.eval or .json), samples, registry entries or
    logs of OpenAI evals, or rows of JSON as data sets are published; several where they belong together.

    \b
      boxscore import promptfooconfig.yaml --out evals
      boxscore import logs/one.eval logs/two.eval --out evals
      boxscore import questions.jsonl --model gpt-4o-mini --model gpt-4.1-mini --out evals
    """
    from boxscore.imports import import_files, write
    from boxscore.imports.fields import Fields

    fields = Fields(inputs=inputs, reference=reference, cluster=cluster, slices=slices)
    imported = import_files(files, format=format, models=models, fields=fields)
    write(out, imported.files, source=files[0], force=force)
    commands = [shlex.join(command) for command in next_commands(imported, out)]
    if as_json:
        report = {
            "source": imported.source,
            "files": [str(out / name) for name in imported.files],
            "carried": imported.carried,
            "guesses": imported.guesses,
            "not_carried": imported.left,
            "next": commands,
        }
        print_json(report)
    else:
        _print(imported, out, commands)
    return 0


def next_commands(imported: "Imported", out: Path) -> list[list[str]]:
    """What can be run now: the recorded answers compared, and the spec, or its plan where it cannot run yet."""
    commands: list[list[str]] = []
    if len(imported.models) > 1 and imported.scorers:
        baseline, candidate, *_ = imported.models
        scorers = [part for spec in imported.scorers for part in ("--scorer", spec)]
        sides = ["--baseline", baseline, "--candidate", candidate]
        commands.append(["boxscore", "compare", "--recordings", str(out / "recordings.jsonl"), *sides, *scorers])
    spec = ["boxscore", "compare", str(out / "boxscore.yaml")]
    if imported.runs and len(imported.variants) > 1:
        commands.append(spec)
    elif "boxscore.yaml" in imported.files:
        commands.append([*spec, "--plan"] if not imported.runs else ["boxscore", "run", str(out / "boxscore.yaml")])
    return commands


def _print(imported: "Imported", out: Path, commands: list[str]) -> None:
    from boxscore.text import stripped

    for name in imported.files:
        click.echo(out / name)
    click.echo(f"\nCarried from {imported.source}")
    for name, count in imported.carried.items():
        click.echo(f"{count:>8,}  {name}")
    for guess in imported.guesses:
        click.echo(textwrap.fill(f"guess: {stripped(guess)}", 80, initial_indent="  ", subsequent_indent="  "))
    click.echo("\nNot carried" if imported.left else "\nNothing was left.")
    for why, places in _grouped(imported.left).items():
        click.echo(textwrap.fill(stripped(why), 80, initial_indent="  ", subsequent_indent="  "))
        kept = ", ".join(place.replace(" ", "\0") for place in map(stripped, places))
        listed = textwrap.wrap(kept, 76, break_long_words=False, break_on_hyphens=False)
        click.echo(textwrap.indent("\n".join(listed), "    ").replace("\0", " "))
    for number, command in enumerate(commands):
        click.echo(f"\n{'Now run' if number == 0 else 'or'}: {command}")


def _grouped(lefts: "Sequence[Left]") -> dict[str, list[str]]:
    """Places by reason and what to do; first what there is something to do about."""
    found: dict[str, list[str]] = {}
    for left in sorted(lefts, key=lambda left: left.remedy is None):
        line = f" (line {left.line})" if left.line else ""
        times = f" ×{left.count:,}" if left.count > 1 else ""
        why = f"{left.reason.rstrip('.')}: {left.remedy}" if left.remedy else left.reason
        found.setdefault(why, []).append(f"{left.place}{line}{times}")
    return found
