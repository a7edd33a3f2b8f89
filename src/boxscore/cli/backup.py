"""`boxscore backup`."""

import time
from pathlib import Path

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.maintenance import bytes_shown, home, tell_of_records_elsewhere


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@as_json
def backup(target: Path, as_json: bool) -> None:
    """Copy the home to the new folder TARGET while others write to it.

    The copy is consistent, and its manifest has a checksum of every file; it is written last, so that a backup that
    was killed is none. Search and roll-ups are left out: they are made again.
    """
    from boxscore.governance import journal
    from boxscore.store.backup import backup as make

    of = home()
    with bytes_shown("backup") as progress:
        manifest = make(of, target, progress=progress)
    tell_of_records_elsewhere("The records are in {} and not in this backup: pg_dump makes one of them.")
    journal.note(of, "backup", time.time_ns(), files=len(manifest.files))
    if as_json:
        print_json(manifest)
        return
    size, spans = sum(file.bytes for file in manifest.files), sum(file.spans or 0 for file in manifest.files)
    click.echo(f"backed up {of} to {target}: {len(manifest.files)} files, {size / 1e6:,.1f} MB, {spans:,} spans")
    click.echo(f"Look at it with: boxscore verify {target}")
