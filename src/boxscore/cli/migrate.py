"""`boxscore migrate`."""

import time
from pathlib import Path

import click

from boxscore.cli.maintenance import as_json, bytes_shown, home, print_json


@click.command()
@click.option(
    "--backup", "target", type=click.Path(path_type=Path), help="Folder of the backup. Default: beside the home."
)
@click.option("--dry-run", is_flag=True, help="Only tell.")
@as_json
def migrate(target: Path | None, dry_run: bool, as_json: bool) -> None:
    """Bring the stores of the home to the newest schema, after a backup.

    Every program does this by itself when it opens them; this one tells, and makes a backup first. A store of a newer
    Boxscore is refused and left as it is.
    """
    from boxscore.governance import journal
    from boxscore.store import versions
    from boxscore.store.backup import backup

    of = home()
    found = versions.versions(of)
    behind = [one for one in found if one.found != one.newest]
    made: Path | None = None
    if behind and not dry_run:
        made = target or of.with_name(f"{of.name}-before-migration-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
        with bytes_shown("backup") as progress:
            backup(of, made, progress=progress)
        journal.note(of, "backup", time.time_ns())
        versions.migrate(of)
    if as_json:
        print_json({"stores": found, "backup": None if made is None else str(made), "migrated": bool(made)})
        return
    for one in found:
        click.echo(f"{one.path}: schema {one.found}" + ("" if one.found == one.newest else f", newest {one.newest}"))
    if made is not None:
        click.echo(f"brought to the newest schema; as it was before it is in {made}")
    else:
        click.echo("there is something to do" if behind else "nothing is to be done")
