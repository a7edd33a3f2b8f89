"""What the commands over jobs ask: a server by its API, or the store of this folder itself."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Protocol

import msgspec

from boxscore import settings
from boxscore.client.call import Address, ask, path, send
from boxscore.client.link import BlockingLink
from boxscore.jobs import Job, JobPage, Jobs, JobState

__all__ = ["Desk", "DeskOfServer", "desk"]

LOOK_S = 0.5


class Desk(Protocol):
    """Where jobs are asked after."""

    def list(self, state: str | None, kind: str | None, limit: int) -> JobPage: ...
    def get(self, id: str) -> Job: ...
    def cancel(self, id: str) -> Job: ...
    def retry(self, id: str) -> Job: ...

    def follow(self, id: str) -> Iterator[Job]:
        """The job whenever something of it changed, until it has ended."""
        ...


@contextmanager
def desk(project: str | None = None) -> Generator[Desk]:
    """That of the server at `BOXSCORE_URL`, else of this folder."""
    chosen = settings.load()
    if chosen.url:
        with closing(BlockingLink(Address.of(chosen.url, chosen.api_key, project or chosen.project))) as link:
            yield DeskOfServer(link)
        return
    from boxscore.store.records import Records

    with Records.open(settings.home(chosen), chosen.records_url) as records:
        yield _OfFolder(Jobs(records.database), project or chosen.project or "default")


class DeskOfServer:
    """By the calls themselves: `boxscore.Client` loads what comparisons need, and these commands start without it."""

    def __init__(self, link: BlockingLink) -> None:
        self._link = link

    def list(self, state: str | None, kind: str | None, limit: int) -> JobPage:
        return self._link.ask(ask(JobPage, "/jobs", state=state, kind=kind, limit=limit))

    def get(self, id: str) -> Job:
        return self._link.ask(ask(Job, path("jobs", id)))

    def cancel(self, id: str) -> Job:
        return self._link.ask(send(Job, path("jobs", id, "cancel")))

    def retry(self, id: str) -> Job:
        return self._link.ask(send(Job, path("jobs", id, "retry")))

    def follow(self, id: str) -> Iterator[Job]:
        return self._link.events(ask(Job, path("jobs", id, "events")))


class _OfFolder:
    def __init__(self, jobs: Jobs, project: str) -> None:
        self._jobs, self._project = jobs, project

    def list(self, state: str | None, kind: str | None, limit: int) -> JobPage:
        return self._jobs.list(self._project, state=msgspec.convert(state, JobState | None), kind=kind, limit=limit)

    def get(self, id: str) -> Job:
        return self._jobs.get(self._project, id)

    def cancel(self, id: str) -> Job:
        return self._jobs.cancel(self._project, id)

    def retry(self, id: str) -> Job:
        return self._jobs.retry(self._project, id)

    def follow(self, id: str) -> Iterator[Job]:
        told: Job | None = None
        while told is None or not told.ended:
            found = self._jobs.get(self._project, id, whole=False)
            if found != told:
                yield found
                told = found
            time.sleep(0.0 if found.ended else LOOK_S)
