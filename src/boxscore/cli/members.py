"""`boxscore members`."""

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import of_project, office, table
from boxscore.governance.roles import Role


@click.group()
def members() -> None:
    """Say who may do what in a project: viewers read, reviewers score too, editors write and spend too, owners
    manage members and keys too."""


@members.command("list")
@of_project
@as_json
def list_(project: str | None, as_json: bool) -> None:
    """List the members of a project."""
    with office(project) as at:
        found = at.members()
    if as_json:
        print_json(found)
    elif not found:
        click.echo("No member is here: who has a role in every project is in `boxscore users list`.")
    else:
        rows = [("user", "role", "since")]
        rows += [
            (one.user + (" (disabled)" if one.disabled else ""), one.role, f"{one.since:%Y-%m-%d}") for one in found
        ]
        table(rows)


@members.command()
@click.argument("user")
@click.argument("role", type=click.Choice(["owner", "editor", "reviewer", "viewer"]))
@of_project
@as_json
def add(user: str, role: Role, project: str | None, as_json: bool) -> None:
    """Make a user a member, or give a member another role."""
    with office(project) as at:
        member = at.put_member(user, role)
    if as_json:
        print_json(member)
    else:
        click.echo(f"{member.user} is {member.role}.")


@members.command()
@click.argument("user")
@of_project
def remove(user: str, project: str | None) -> None:
    """End a membership."""
    with office(project) as at:
        at.remove_member(user)
    click.echo(f"{user} is no member any more.")
