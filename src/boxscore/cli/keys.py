"""`boxscore keys`."""

from datetime import UTC, datetime

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import of_project, office, table
from boxscore.cli.times import date_time
from boxscore.governance.roles import Right


@click.group()
def keys() -> None:
    """Make and revoke the keys of programs: of the server at BOXSCORE_URL, else of this folder."""


@keys.command()
@click.argument("name")
@click.option(
    "--right",
    "rights",
    multiple=True,
    type=click.Choice(["read", "score", "ingest", "write", "admin"]),
    help="What it may do; repeated for several. Default: ingest and score, as an application needs it.",
)
@click.option("--expires", metavar="TIME", help="In so long (90d, 12h), or at 2027-01-31. Default: never.")
@of_project
@as_json
def create(name: str, rights: tuple[Right, ...], expires: str | None, project: str | None, as_json: bool) -> None:
    """Make a key for what NAME says, and print it: this once."""
    until = None if expires is None else date_time(expires, "--expires", ahead=True)
    with office(project) as at:
        key = at.create_key(name, list(rights) or ["ingest", "score"], until)
    if as_json:
        print_json(key)
        return
    ends = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
    click.echo(f"{key.id} may {', '.join(key.rights)} in project {key.project}, {ends}.", err=True)
    click.echo("It is shown this once; keep it as BOXSCORE_API_KEY:", err=True)
    click.echo(key.secret)


@keys.command("list")
@click.option("--all", "every", is_flag=True, help="Those revoked and expired too.")
@of_project
@as_json
def list_(every: bool, project: str | None, as_json: bool) -> None:
    """List the keys of a project; never a key itself."""
    now = datetime.now(UTC)
    with office(project) as at:
        found = at.keys()
    shown = [
        key for key in found if every or (key.revoked_at is None and (key.expires_at is None or key.expires_at > now))
    ]
    if as_json:
        print_json(shown)
    elif not shown:
        click.echo("No key is here: `boxscore keys create NAME` makes one.")
    else:
        rows = [("id", "name", "key", "rights", "made", "by", "expires", "revoked")]
        rows += [
            (
                key.id,
                key.name,
                f"bxs_…{key.last_four}",
                ",".join(key.rights),
                f"{key.created_at:%Y-%m-%d}",
                key.created_by or "",
                f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "never",
                f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "no",
            )
            for key in shown
        ]
        table(rows)


@keys.command()
@click.argument("key")
@of_project
@as_json
def revoke(key: str, project: str | None, as_json: bool) -> None:
    """Revoke the key of that id: every server refuses it within two seconds."""
    with office(project) as at:
        revoked = at.revoke_key(key)
    if as_json:
        print_json(revoked)
    else:
        click.echo(f"{revoked.id} ({revoked.name}) is revoked.")
