"""Jobs: what was asked for and how far it is; comparisons and runs are asked for here."""

from typing import Annotated
from zlib import crc32

import msgspec
from fastapi import Query

from boxscore.experiments.jobs import COMPARISON, RUN, Estimate
from boxscore.experiments.jobs_spec import Asked
from boxscore.jobs import Job, JobPage, Jobs, JobState
from boxscore.server.api.events import EVENTS, Event, LastEventId, Stream, changes
from boxscore.server.api.parameters import Asker, Cursor, Limit, Project
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.server.specs import Specs

__all__ = ["add"]

LOOK_S = 0.5
SPEC_BYTES = 16 * 1024 * 1024


def add(api: Api, service: Service) -> None:
    known = Jobs(service.records.database)
    specs = Specs(service.store.folder.parent, service.records_url)

    @api.get("/jobs", answer=JobPage, right="read")
    def jobs(
        project: Project,
        state: Annotated[JobState | None, Query(description="Those in this state.")] = None,
        kind: Annotated[str | None, Query(description="comparison or run.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> JobPage:
        """Jobs, the newest first, without their specs."""
        return known.list(project, state=state, kind=kind, limit=limit, cursor=cursor)

    @api.get("/jobs/{id}", answer=Job, right="read", errors=(404,))
    def job(project: Project, id: str) -> Job:
        """A job with its spec, its progress, and when it is done its result."""
        return known.get(project, id)

    @api.get("/jobs/{id}/events", answer=Job, right="read", media=EVENTS, errors=(404,))
    async def job_events(project: Project, id: str, last: LastEventId = None) -> Stream:
        """The job whenever something of it changed, without its spec, until it has ended."""

        async def look() -> Event:
            found = await service.ask(lambda: known.get(project, id, whole=False))
            return Event(data=found, name="job", id=f"{crc32(msgspec.json.encode(found)):x}", last=found.ended)

        await service.ask(lambda: known.get(project, id, whole=False))  # what is not there is said before the stream
        return Stream(changes(look, after=last, every_s=LOOK_S), service.streams)

    @api.post("/jobs/{id}/cancel", answer=Job, right="write", errors=(404,))
    def cancel_job(project: Project, id: str) -> Job:
        """A job that waits is cancelled; one that runs stops within a second or so. What came back is kept."""
        return known.cancel(project, id)

    @api.post("/jobs/{id}/retry", answer=Job, right="write", status=202, errors=(404, 409))
    def retry_job(project: Project, id: str) -> Job:
        """Lets a job that failed or was cancelled go on: answers that are there are taken, and its errors are asked
        again."""
        return known.retry(project, id)

    @api.post("/comparisons", body=Asked, answer=Job, right="write", status=202, errors=(404,), body_bytes=SPEC_BYTES)
    def compare(project: Project, asker: Asker, body: Asked) -> Job:
        """Asks for a comparison: the job's result names its verdicts. Refused at once is what could not be done: an
        unknown name, a prompt that lacks a value, a price that the spend cap needs. A spec names no files, code,
        commands, addresses or variables of the environment; providers are those of the server."""
        return known.submit(project, COMPARISON, specs.checked(body, project), by=asker.name)

    @api.post(
        "/comparisons/plan",
        body=Asked,
        answer=Estimate,
        right="write",
        once=False,
        errors=(404,),
        body_bytes=SPEC_BYTES,
    )
    def plan_comparison(project: Project, body: Asked) -> Estimate:
        """What such a comparison could show on its dataset, and what it would cost. Nothing is asked of a provider."""
        return specs.estimate(body, project)

    @api.post("/runs", body=Asked, answer=Job, right="write", status=202, errors=(404,), body_bytes=SPEC_BYTES)
    def start_run(project: Project, asker: Asker, body: Asked) -> Job:
        """Asks for a run of one variant: `variant`, or the baseline. The job's result names the run."""
        asked = body if body.variant is not None else _of_baseline(body)
        return known.submit(project, RUN, specs.checked(asked, project), by=asker.name)


def _of_baseline(asked: Asked) -> Asked:
    return msgspec.structs.replace(asked, variant=asked.baseline or next(iter(asked.variants), None))
