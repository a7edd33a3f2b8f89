"""`boxscore init`: a working spec, a dataset and a scorer of your own. All files, or none."""

from importlib.resources import files
from pathlib import Path

import click
import msgspec

from boxscore.writing import write_together

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
    write_together(folder, contents, force=force)
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
