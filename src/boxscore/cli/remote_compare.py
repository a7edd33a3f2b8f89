"""`boxscore compare --server`: the comparison is a job of a server, followed from here."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boxscore.cli.job_desk import DeskOfServer
from boxscore.cli.jobs import follow
from boxscore.cli.json_output import print_json
from boxscore.cli.output import EXIT
from boxscore.client import Client
from boxscore.errors import OperationError
from boxscore.jobs import Job
from boxscore.types import Json

if TYPE_CHECKING:
    from boxscore.experiments.plan import Plan
    from boxscore.experiments.verdict import Verdict


def compare_remotely(
    path: Path, more: dict[str, Json], *, as_json: bool, width: int | None, plan: "Callable[[Plan], int] | None"
) -> int:
    """With `plan`, what that gives for the plan, and nothing is run."""
    from boxscore.experiments.jobs_spec import asked_of

    asked = asked_of(path, more)
    with Client() as client:
        if plan is not None:
            found = client.plan_comparison(asked)
            code = plan(found.plan)
            if not as_json:
                cost = "what they cost is not known" if found.usd is None else f"about ${found.usd}"
                click.echo(f"{found.calls:,} calls to make, {cost}; the cap is ${found.spend_cap_usd}")
            return code
        job = done(client, client.compare(asked), as_json=as_json)
        return _print(client, [verdict["id"] for verdict in job.result["verdicts"]], as_json=as_json, width=width)


def done(client: Client, job: Job, *, as_json: bool) -> Job:
    """The job when it is done; `OperationError` where it came to another end."""
    try:
        job = follow(DeskOfServer(client.link), job.id, quiet=as_json and not sys.stderr.isatty())
    except KeyboardInterrupt:
        click.echo(f"\nthe job goes on: follow it with `boxscore jobs tail {job.id}`, or cancel it", err=True)
        raise
    if job.state == "cancelled":
        raise OperationError(f"job {job.id} was cancelled: `boxscore jobs retry {job.id}` goes on with it.")
    if job.error is not None:
        raise OperationError(f"job {job.id} failed: {job.error['message']}")
    return job


def _print(client: Client, ids: Sequence[str], *, as_json: bool, width: int | None) -> int:
    from boxscore.experiments import report as reports

    verdicts: list[Verdict] = [client.comparison(id) for id in ids]
    if as_json:
        print_json(verdicts[0] if len(verdicts) == 1 else {"verdicts": verdicts})
    else:
        for verdict in verdicts:
            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            click.echo(reports.terminal(verdict, width=width or 80, colour=colour))
            click.echo(f"{client.url}/experiments/{verdict.id}", err=True)
    return min((EXIT[verdict.verdict] for verdict in verdicts), key=(0, 3, 1).index)
