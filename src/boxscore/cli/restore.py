"""`boxscore restore`."""

import time
from pathlib import Path

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.maintenance import bytes_shown, home, tell_of_records_elsewhere


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of what the home has now.")
@as_json
def restore(source: Path, replace: bool, as_json: bool) -> None:
    """Bring the backup SOURCE back into the home: BOXSCORE_HOME, or the nearest .boxscore/.

    All checksums are looked at before anything is touched, and what was erased since the backup is erased again before
    it is served. Killed in the middle, it leaves the old home or the new one, never a part of each.
    """
    from boxscore.governance import journal
    from boxscore.governance.erasure import hold_against
    from boxscore.store.backup import restore as bring_back

    to = home()
    with bytes_shown("restore") as progress:
        manifest = bring_back(source, to, replace=replace, prepare=hold_against, progress=progress)
    tell_of_records_elsewhere("The records are in {} and were left as they are: pg_restore brings a dump back.")
    journal.note(to, "restore", time.time_ns(), made_at_ns=manifest.made_at_ns)
    if as_json:
        print_json(manifest)
        return
    spans = sum(file.spans or 0 for file in manifest.files)
    click.echo(f"restored {source} into {to}: {len(manifest.files)} files, {spans:,} spans less those erased since")
    click.echo("Look at it with: boxscore verify")
