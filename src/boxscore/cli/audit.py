"""`boxscore audit`."""

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import of_project, office, table


@click.command()
@of_project
@click.option("--server", is_flag=True, help="What is of no project: logins, users, projects.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Entries, the newest first.")
@click.option("--cursor", help="Where the next page begins, as the page before says.")
@as_json
def audit(project: str | None, server: bool, limit: int, cursor: str | None, as_json: bool) -> None:
    """Show who changed what, when, and what they were told."""
    with office(project) as at:
        page = at.audit(server, cursor, limit)
    if as_json:
        print_json(page)
        return
    if not page.items:
        click.echo("Nothing is written down here.")
        return
    rows = [("time (UTC)", "who", "what", "on", "told")]
    rows += [(f"{one.at:%Y-%m-%d %H:%M:%S}", one.actor, one.action, one.object, str(one.outcome)) for one in page.items]
    table(rows)
    if page.cursor is not None:
        click.echo(f"more: --cursor {page.cursor}", err=True)
