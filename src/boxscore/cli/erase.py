"""`boxscore erase`."""

import time
from typing import cast

import click

from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.maintenance import home, steps_shown

WAIT_S = 0.2


@click.command()
@click.option("--user", help="The user, as spans say it.")
@click.option("--session", help="The session.")
@click.option("--trace", help="The trace, in hexadecimal digits.")
@click.option("--again", is_flag=True, help="Carry out again all that was erased before.")
@click.option("--project", default="default", show_default=True, help="Project of the spans.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def erase(
    user: str | None, session: str | None, trace: str | None, again: bool, project: str, yes: bool, as_json: bool
) -> None:
    """Erase all that began until now of a user, a session or a trace, from every file.

    With a user go the traces in which a span names them and the sessions of these, as far as they name nobody else.
    With every trace go the rows of datasets that were made from it, out of every version. Beside a server, the server
    does it. Backups keep what they have, until they are restored: then it is erased from what they bring. Copy
    tombstones.jsonl of the home to where your backups are.
    """
    from boxscore.errors import UsageError
    from boxscore.governance import erase as remove
    from boxscore.governance import journal, reapply, tombstones
    from boxscore.governance.erasure import bury
    from boxscore.governance.tombstones import Kind
    from boxscore.store.spans import SqliteSpans
    from boxscore.store.spans.files import is_owned

    asked = [(kind, value) for kind, value in (("user", user), ("session", session), ("trace", trace)) if value]
    if len(asked) + again != 1:
        raise UsageError("say one of --user, --session, --trace and --again.")
    of, now_ns = home(), time.time_ns()
    if asked and not yes:
        click.confirm(f"Erase the {asked[0][0]} {asked[0][1]!r} of {of}? It cannot be undone", abort=True, err=True)
    with steps_shown() as told:
        if is_owned(of):
            if again:
                raise UsageError("a server runs, and does that by itself.")
            kind, value = asked[0]
            stone = bury(of, cast(Kind, kind), value, project=project, now_ns=now_ns)
            told("the server erases")
            while not tombstones.read(of).get(stone):
                if not is_owned(of):
                    raise UsageError("the server stopped before it was done: run `boxscore erase --again`.")
                time.sleep(WAIT_S)
            told("")
            print_json({"done": True}) if as_json else click.echo(f"erased the {kind}")
            return
        with SqliteSpans(of) as store:
            if again:
                done = reapply(of, store, progress=told)
            else:
                kind, value = asked[0]
                done = remove(of, store, cast(Kind, kind), value, project=project, now_ns=now_ns, progress=told)
    journal.note(of, "erasure", now_ns, traces=done.traces, spans=done.spans)
    if as_json:
        print_json(done)
    else:
        rows = f", and {done.rows:,} rows of datasets made from them" if done.rows else ""
        click.echo(f"erased {done.traces:,} traces with {done.spans:,} spans{rows}")
