"""`boxscore migrate`."""

import time
from pathlib import Path

import click

from boxscore import settings
from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.maintenance import bytes_shown, home, tell_of_records_elsewhere


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
    url = settings.load().records_url
    found = versions.versions(of, url)
    behind = [one for one in found if one.found != one.newest]
    made: Path | None = None
    migrated = bool(behind) and not dry_run
    if migrated:
        if of.is_dir():
            made = target or of.with_name(f"{of.name}-before-migration-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
            with bytes_shown("backup") as progress:
                backup(of, made, progress=progress)
            journal.note(of, "backup", time.time_ns())
            tell_of_records_elsewhere("The records are in {} and not in the backup: pg_dump makes one of them.")
        versions.migrate(of, url)
    if as_json:
        print_json({"stores": found, "backup": None if made is None else str(made), "migrated": migrated})
        return
    for one in found:
        click.echo(f"{one.path}: schema {one.found}" + ("" if one.found == one.newest else f", newest {one.newest}"))
    if migrated:
        click.echo("brought to the newest schema" + (f"; as it was before it is in {made}" if made else ""))
    else:
        click.echo("there is something to do" if behind else "nothing is to be done")
