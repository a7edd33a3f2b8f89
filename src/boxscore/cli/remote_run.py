"""`boxscore run --server`: the run is a job of a server, followed from here."""

from pathlib import Path

from boxscore.cli.remote_compare import done
from boxscore.client import Client
from boxscore.experiments.history import RunDetail
from boxscore.types import Json

__all__ = ["run_remotely"]


def run_remotely(path: Path, more: dict[str, Json], *, as_json: bool) -> RunDetail:
    """The run, with its numbers."""
    from boxscore.experiments.jobs_spec import asked_of

    with Client() as client:
        job = done(client, client.start_run(asked_of(path, more)), as_json=as_json)
        [id, *_] = job.result["runs"]
        return client.run(id)
