"""`boxscore jobs`."""

import click
import msgspec

from boxscore.cli.job_desk import Desk, desk
from boxscore.cli.json_output import as_json, print_json
from boxscore.cli.people import of_project, table
from boxscore.cli.progress import show_progress
from boxscore.errors import NotFoundError
from boxscore.jobs import Job
from boxscore.jobs.job import ENDED

EXIT = {"done": 0, "failed": 4, "cancelled": 4}


class _Run(msgspec.Struct):
    done: int
    total: int
    errors: int
    spent_usd: str


class _Verdict(msgspec.Struct):
    id: str
    verdict: str
    reason: str


class _Result(msgspec.Struct):
    verdicts: list[_Verdict] = []
    runs: list[str] = []


@click.group()
def jobs() -> None:
    """List, follow, cancel and retry jobs: of the server at BOXSCORE_URL, else of this folder.

    `boxscore compare SPEC --server` asks for one.
    """


@jobs.command("list")
@click.option("--state", type=click.Choice(["waiting", "running", *sorted(ENDED)]), help="Only those.")
@click.option("--kind", metavar="KIND", help="Only those: comparison, run.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@of_project
@as_json
def list_(state: str | None, kind: str | None, limit: int, project: str | None, as_json: bool) -> None:
    """List jobs, the newest first."""
    with desk(project) as at:
        found = at.list(state, kind, limit)
    if as_json:
        print_json(found.items)
    elif not found.items:
        click.echo("No job is here: `boxscore compare SPEC --server` asks for one.")
    else:
        table([("id", "kind", "state", "done", "asked", "by"), *(_row(job) for job in found.items)])


@jobs.command()
@click.argument("id", required=False)
@of_project
@as_json
def show(id: str | None, project: str | None, as_json: bool) -> None:
    """Show a job: the newest, where no ID is given."""
    with desk(project) as at:
        job = at.get(_id(at, id))
    _print(job, as_json)


@jobs.command()
@click.argument("id")
@of_project
@as_json
def cancel(id: str, project: str | None, as_json: bool) -> None:
    """Stop a job. What came back is kept; `jobs retry` goes on with it."""
    with desk(project) as at:
        job = at.cancel(id)
    if as_json:
        print_json(job)
    else:
        click.echo(f"job {job.id} is {'told to stop' if job.state == 'running' else job.state}")


@jobs.command()
@click.argument("id")
@of_project
@as_json
def retry(id: str, project: str | None, as_json: bool) -> None:
    """Let a job that failed or was cancelled go on: its answers are taken, its errors asked again."""
    with desk(project) as at:
        job = at.retry(id)
    if as_json:
        print_json(job)
    else:
        click.echo(f"job {job.id} is {job.state}")


@jobs.command()
@click.argument("id", required=False)
@of_project
@as_json
def tail(id: str | None, project: str | None, as_json: bool) -> int:
    """Follow a job until it has ended: the newest, where no ID is given."""
    with desk(project) as at:
        job = follow(at, _id(at, id), quiet=as_json)
    _print(job, as_json)
    return EXIT[job.state]


def follow(at: Desk, id: str, *, quiet: bool = False) -> Job:
    """The job when it has ended; its progress is shown as that of a run here."""
    from boxscore.experiments.jobs import progress_of

    found: Job | None = None
    with show_progress(quiet=quiet) as progress:
        for found in at.follow(id):
            if progress is not None:
                for name, state in progress_of(found.progress).items():
                    progress(name, state)
    return at.get(id) if found is None else found


def _id(at: Desk, id: str | None) -> str:
    if id is not None:
        return id
    for job in at.list(None, None, 1).items:
        return job.id
    raise NotFoundError("job", "yet")


def _row(job: Job) -> tuple[str, ...]:
    runs = _progress(job).values()
    share = f"{sum(run.done for run in runs):,} of {sum(run.total for run in runs):,}" if runs else ""
    return job.id, job.kind, job.state, share, f"{job.created_at:%Y-%m-%d %H:%M}", job.created_by or ""


def _print(job: Job, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.structs.replace(job, spec=None))
        return
    click.echo(f"{job.kind} {job.id}: {job.state}")
    if job.cancel_asked_at is not None and not job.ended:
        click.echo("  told to stop")
    for name, run in _progress(job).items():
        errors = f", {run.errors} errors" if run.errors else ""
        click.echo(f"  {name}: {run.done:,} of {run.total:,}, ${run.spent_usd}{errors}")
    if job.error is not None:
        click.echo(f"  {job.error['message']}")
    result = msgspec.convert(job.result or {}, _Result)
    for verdict in result.verdicts:
        click.echo(f"  {verdict.verdict}: {verdict.reason} (`boxscore show {verdict.id}`)")
    if result.runs and not result.verdicts:
        click.echo(f"  runs: {', '.join(result.runs)}")


def _progress(job: Job) -> dict[str, _Run]:
    return msgspec.convert(job.progress or {}, dict[str, _Run])
