"""`boxscore verify`."""

from pathlib import Path

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.maintenance import bytes_shown, home, steps_shown, tell_of_records_elsewhere


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@as_json
def verify(folder: Path | None, as_json: bool) -> int:
    """Look at every byte that is stored in the home, or in the backup FOLDER, and name what is damaged.

    Others may write meanwhile. Exit code 4 where something is wrong.
    """
    from boxscore.errors import FileError
    from boxscore.store.backup import MANIFEST, check
    from boxscore.store.verify import verify as look

    of = (folder or home()).resolve()
    if not of.is_dir():
        raise FileError(of, "there is no such folder to look at.")
    wrong: list[dict[str, str]] = []
    if (of / MANIFEST).exists():
        with bytes_shown("verify") as progress:
            wrong += [{"file": str(of), "problem": problem} for problem in check(of, progress=progress)]
    with steps_shown() as told:
        found = look(of, lambda file: told(f"verify: {file}"))
    tell_of_records_elsewhere("The records are in {} and were not looked at: pg_amcheck looks at them.")
    wrong += [{"file": str(path), "problem": problem} for path, problem in found]
    if as_json:
        print_json({"folder": str(of), "problems": wrong})
    else:
        for one in wrong:
            click.echo(f"{one['file']}: {one['problem']}")
        click.echo(f"{of}: {len(wrong):,} problems" if wrong else f"{of}: nothing is wrong")
    return 4 if wrong else 0
