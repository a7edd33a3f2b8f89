"""`boxscore run --server`: the run is a job of a server, and followed from here."""

from pathlib import Path

from boxscore.cli.compare_there import done
from boxscore.cli.job_desk import server
from boxscore.experiments.history import RunDetail
from boxscore.types import Json

__all__ = ["run_there"]


def run_there(path: Path, more: dict[str, Json], *, as_json: bool) -> RunDetail:
    """The run, with its numbers."""
    from boxscore.experiments.jobs_spec import asked_of

    with server() as at:
        job = done(at, at.run(asked_of(path, more)), as_json=as_json)
        [id, *_] = job.result["runs"]
        return at.run_detail(id)
