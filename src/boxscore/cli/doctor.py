"""`boxscore doctor`."""

import time

import click

from boxscore import settings
from boxscore.cli.json_output import as_json, print_json


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Say what a person wants to know when something is wrong: folder, room, who writes, versions, what lags behind,
    the last backup, settings, prices.

    It writes nothing. `boxscore verify` looks at the data itself.
    """
    from boxscore.governance.doctor import examine

    chosen = settings.load()
    lines = examine(settings.home(chosen).resolve(), chosen, now_ns=time.time_ns())
    if as_json:
        print_json(lines)
        return
    width = max(len(line.what) for line in lines)
    for line in lines:
        click.echo(f"{'!' if line.problem else ' '} {line.what:<{width}}  {line.found}")
        if line.problem:
            click.echo(f"  {'':<{width}}  {line.problem}")
