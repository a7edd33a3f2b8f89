"""`boxscore retain`."""

import time

import click

from boxscore import settings
from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.maintenance import steps_shown


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@as_json
def retain(dry_run: bool, as_json: bool) -> None:
    """Remove spans by age, size and sampling, as the settings say: BOXSCORE_RETAIN_DAYS, BOXSCORE_RETAIN_GB,
    BOXSCORE_RETAIN_SAMPLE and BOXSCORE_RETAIN_SAMPLE_DAYS.

    A server does this once an hour by itself; beside one, only --dry-run works.
    """
    from boxscore.governance import Policy, journal
    from boxscore.governance import retain as remove
    from boxscore.store.spans import SqliteSpans

    chosen = settings.load()
    of, policy, now_ns = settings.home(chosen).resolve(), Policy.of(chosen), time.time_ns()
    with steps_shown() as told, SqliteSpans(of, write=not dry_run) as store:
        done = remove(store, policy, now_ns=now_ns, dry_run=dry_run, progress=told)
    if not dry_run and (done.files or done.spans or done.scores):
        journal.note(of, "retention", now_ns, spans=dict(done.spans), files=done.files, scores=done.scores)
    if as_json:
        print_json(done)
        return
    spans = sum(done.spans.values())
    click.echo(f"{'would remove' if dry_run else 'removed'} {spans:,} spans, {done.files} whole files among them")
