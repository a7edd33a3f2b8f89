"""`boxscore project`."""

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import office, table


@click.group()
def project() -> None:
    """Make, rename and archive projects: each keeps its traces, datasets, runs, members and keys to itself."""


@project.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the projects that you may ask about."""
    with office() as at:
        found = at.projects()
    if as_json:
        print_json(found)
        return
    rows = [("id", "name", "made", "archived")]
    for one in found:
        made = f"{one.created_at:%Y-%m-%d}" if one.created_at else "with the store"
        rows.append((one.id, one.name, made, f"{one.archived_at:%Y-%m-%d}" if one.archived_at else "no"))
    table(rows)


@project.command()
@click.argument("id")
@click.option("--name", help="What people call it. Default: the id.")
@as_json
def create(id: str, name: str | None, as_json: bool) -> None:
    """Make a project."""
    with office() as at:
        made = at.create_project(id, name)
    if as_json:
        print_json(made)
    else:
        click.echo(f"{made.id} is there: BOXSCORE_PROJECT={made.id} asks about it.")


@project.command()
@click.argument("id")
@click.argument("name")
@as_json
def rename(id: str, name: str, as_json: bool) -> None:
    """Call a project something else; its id stays."""
    with office() as at:
        changed = at.change_project(id, name, None)
    if as_json:
        print_json(changed)
    else:
        click.echo(f"{changed.id} is called {changed.name}.")


@project.command()
@click.argument("id")
@click.option("--undo", is_flag=True, help="Take it out of the archive.")
@as_json
def archive(id: str, undo: bool, as_json: bool) -> None:
    """Let a project be read, and nothing else."""
    with office() as at:
        changed = at.change_project(id, None, not undo)
    if as_json:
        print_json(changed)
    else:
        click.echo(f"{changed.id} is {'in use again' if undo else 'archived'}.")
