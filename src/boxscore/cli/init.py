"""`boxscore init`: a working spec, a dataset and a scorer of your own. All files, or none."""

import os
from importlib.resources import files
from pathlib import Path

import click
import msgspec

from boxscore.errors import FileError

TICKETS = 60
"""Rows of the dataset: some thirty customers, enough to decide on, seconds to answer."""

SEED = 7
"""Seed of the dataset's tickets; not that of the demo."""


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--json", "as_json", is_flag=True, help="Say what was written as JSON.")
def init(folder: Path, force: bool, as_json: bool) -> None:
    """Write a spec that runs, a small dataset and a scorer of your own into FOLDER (default: here)."""
    contents = _contents()
    there = [name for name in contents if (folder / name).exists()]
    if there and not force:
        raise FileError(
            folder / there[0],
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already and nothing was written; "
            "name an empty folder, or replace with --force.",
        )
    _write_all(folder, contents)
    written = [str(folder / name) for name in contents]
    if as_json:
        report = {"folder": str(folder.resolve()), "files": written, "next": _next(folder)}
        click.echo(msgspec.json.encode(report).decode())
        return
    what = ("two prompts, compared on the tickets", f"{TICKETS} made-up support tickets, with the right answers")
    width = max(map(len, written))
    for path, about in zip(written, (*what, "a scorer of your own"), strict=True):
        click.echo(f"{path:<{width}}  {about}")
    click.echo(f"\nNow run: {_next(folder)}")


def _next(folder: Path) -> str:
    return "boxscore compare" if folder.resolve() == Path.cwd().resolve() else f"cd {folder} && boxscore compare"


def _contents() -> dict[str, bytes]:
    from boxscore.datasets.tickets import tickets

    templates = files("boxscore.cli") / "templates" / "init"
    rows = (
        ticket.example(f"ticket-{number:02d}") for number, ticket in enumerate(tickets(TICKETS, seed=SEED), start=1)
    )
    lines = (
        msgspec.json.encode(
            {
                "id": row.id,
                "inputs": row.inputs,
                "reference": row.reference,
                "cluster": row.cluster,
                "slices": row.slices,
            }
        )
        for row in rows
    )
    return {
        "boxscore.yaml": (templates / "boxscore.yaml").read_bytes(),
        "tickets.jsonl": b"".join(line + b"\n" for line in lines),
        "scorers.py": (templates / "scorers.py").read_bytes(),
    }


def _write_all(folder: Path, contents: dict[str, bytes]) -> None:
    """Write every file beside its place, then move all in; what fails puts back what was there."""
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    before = {name: (folder / name).read_bytes() for name in contents if (folder / name).is_file()}
    staged: dict[str, Path] = {}
    moved: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            staged[name] = folder / f".{name}.{os.getpid()}"
            staged[name].write_bytes(content)
        for name in contents:
            staged[name].replace(folder / name)
            moved.append(name)
    except OSError as error:
        for name, path in staged.items():
            if name not in moved:
                path.unlink(missing_ok=True)
        for name in moved:
            if name in before:
                (folder / name).write_bytes(before[name])
            else:
                (folder / name).unlink(missing_ok=True)
        for parent in made:
            if parent.is_dir():
                parent.rmdir()
        raise FileError(
            error.filename or folder, f"cannot be written ({error.strerror}); nothing was changed."
        ) from None
