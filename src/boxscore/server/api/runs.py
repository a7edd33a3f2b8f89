"""Runs: a variant over a dataset version, how far it is, and its trials."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import Query

from boxscore.experiments.history import DatasetRuns, History, Matrix, RunDetail, RunEntry, TrialLine
from boxscore.server.api.events import EVENTS, Event, LastEventId, Stream, changes
from boxscore.server.api.parameters import Cursor, Limit, Project
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]

LOOK_S = 1.0
"""So often a run that is told live is looked at."""


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, the newest first; `cursor` asks for those after them, None when there are none."""

    items: Sequence[RunEntry]
    cursor: str | None


class TrialPage(msgspec.Struct, frozen=True, kw_only=True):
    """Trials by place of their example; `cursor` asks for those after them."""

    items: Sequence[TrialLine]
    cursor: str | None


def add(api: Api, service: Service) -> None:
    def history(project: str) -> History:
        return History(service.records.of(project))

    @api.get("/runs", answer=RunPage, right="read")
    def runs(
        project: Project,
        dataset: Annotated[str | None, Query(description="NAME or NAME@VERSION.")] = None,
        variant: Annotated[str | None, Query(description="Hash or name.")] = None,
        unfinished: Annotated[bool, Query(description="Only those that have not finished.")] = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> RunPage:
        """Runs, the newest first, with counts over their rows."""
        items, following = history(project).runs(
            limit=limit, cursor=cursor, dataset=dataset, variant=variant, unfinished=unfinished
        )
        return RunPage(items=items, cursor=following)

    @api.get("/runs/{id}", answer=RunDetail, right="read", errors=(404,))
    def run(project: Project, id: str) -> RunDetail:
        """A run, what its variant is, and its own line of the box score."""
        return history(project).detail(id)

    @api.get("/runs/{id}/trials", answer=TrialPage, right="read", errors=(404,))
    def run_trials(
        project: Project,
        id: str,
        which: Annotated[Literal["all", "errors", "reused"], Query(description="Those that are told.")] = "all",
        example: Annotated[str | None, Query(description="Only trials of this example.")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> TrialPage:
        """Trials with output, scores, cost, latency and error, as they are kept now."""
        items, following = history(project).trials(id, limit=limit, cursor=cursor, which=which, example=example)
        return TrialPage(items=items, cursor=following)

    @api.get("/runs/{id}/events", answer=RunEntry, right="read", media=EVENTS, errors=(404,))
    async def run_events(project: Project, id: str, last: LastEventId = None) -> Stream:
        """The run whenever something of it changed, until it is finished."""
        known = history(project)

        async def look() -> Event:
            found = await service.ask(lambda: known.run(id))
            seen = f"{found.state}-{found.counts.trials}-{found.counts.calls}"
            return Event(data=found, name="run", id=seen, last=found.state == "finished")

        await service.ask(lambda: known.run(id))  # what is not there is said before the stream begins
        return Stream(changes(look, after=last, every_s=LOOK_S), service.streams)

    @api.get("/matrix/datasets", answer=list[DatasetRuns], right="read")
    def matrix_datasets(project: Project) -> list[DatasetRuns]:
        """Dataset versions that were run, the last one first."""
        return history(project).datasets()

    @api.get("/matrix", answer=Matrix, right="read", errors=(404,))
    def matrix(
        project: Project,
        dataset: Annotated[str, Query(description="Its name.")],
        version: Annotated[str, Query(description="Its hash.")],
    ) -> Matrix:
        """Variants beside each other on one version of a dataset, each by its newest finished run."""
        return history(project).matrix(dataset, version)
