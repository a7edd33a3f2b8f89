"""`boxscore users`."""

import sys
from typing import Literal

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import office, table
from boxscore.governance.roles import Role

ROLES = click.Choice(["owner", "editor", "reviewer", "viewer"])
_stdin = click.option(
    "--password-stdin", "stdin", is_flag=True, help="Read the password from standard input instead of making a link."
)


@click.group()
def users() -> None:
    """Add people to a server, invite them, disable them: at the server of BOXSCORE_URL, else in this folder."""


@users.command()
@click.argument("name")
@click.option("--role", type=ROLES, help="In every project. Default: none; `boxscore members` gives roles in one.")
@_stdin
@as_json
def add(name: str, role: Role | None, stdin: bool, as_json: bool) -> None:
    """Add a person, and print a one-time link by which the person chooses a password."""
    password = _password() if stdin else None
    with office() as at:
        invited = at.add_user(name, role, password)
        url = at.url
    if as_json:
        print_json(invited)
    elif invited.path is None:
        click.echo(f"{name} can sign in.")
    else:
        click.echo(f"{name} chooses a password at this address, once, within a day:", err=True)
        click.echo(f"{url}{invited.path}")


@users.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List everybody whom the server knows."""
    with office() as at:
        found = at.users()
    if as_json:
        print_json(found)
    elif not found:
        click.echo("Nobody is here: `boxscore users add NAME --role owner` adds the first owner.")
    else:
        rows = [("name", "role everywhere", "since", "state")]
        for user in found:
            state = "disabled" if user.disabled_at else "signs in" if user.signs_in else "invited"
            rows.append((user.name, user.role or "none", f"{user.created_at:%Y-%m-%d}", state))
        table(rows)


@users.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the person in again.")
@as_json
def disable(name: str, undo: bool, as_json: bool) -> None:
    """Disable a person: all logins end, and none begins."""
    with office() as at:
        user = at.disable(name, not undo)
    if as_json:
        print_json(user)
    else:
        click.echo(f"{name} {'may sign in again' if undo else 'is disabled'}.")


@users.command()
@click.argument("name")
@click.argument("role", type=click.Choice([*ROLES.choices, "none"]))
@as_json
def role(name: str, role: Role | Literal["none"], as_json: bool) -> None:
    """Give a person a role in every project, or none."""
    with office() as at:
        user = at.set_role(name, None if role == "none" else role)
    if as_json:
        print_json(user)
    else:
        click.echo(f"{name} is {user.role} in every project." if user.role else f"{name} is what members say alone.")


@users.command()
@click.argument("name")
@_stdin
@as_json
def password(name: str, stdin: bool, as_json: bool) -> None:
    """Print a new one-time link for a person who lost the password."""
    new = _password() if stdin else None
    with office() as at:
        invited = at.invite(name, new)
        url = at.url
    if as_json:
        print_json(invited)
    elif invited.path is None:
        click.echo(f"{name} has a new password; every login of {name} has ended.")
    else:
        click.echo(f"{name} chooses a password at this address, once, within a day:", err=True)
        click.echo(f"{url}{invited.path}")


@users.command("hash")
def hash_() -> None:
    """Ask for a password and print its hash, for BOXSCORE_OWNER."""
    from boxscore.governance.users import hash_password

    click.echo(hash_password(_password()))


def _password() -> str:
    """From a terminal twice and unseen, else the first line of what comes."""
    if sys.stdin.isatty():
        return click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    return sys.stdin.readline().rstrip("\r\n")
