"""What the commands over jobs ask: a server by its API, or the store of this folder itself."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

from boxscore import settings
from boxscore.client.call import Address, Call, ask, path, send
from boxscore.client.link import BlockingLink
from boxscore.errors import OperationError
from boxscore.jobs import Job, JobPage, Jobs, JobState

if TYPE_CHECKING:  # heavy, and only where a comparison is asked for
    from boxscore.experiments.history import RunDetail
    from boxscore.experiments.jobs import Estimate
    from boxscore.experiments.jobs_spec import Asked
    from boxscore.experiments.verdict import Verdict

__all__ = ["Desk", "desk", "server"]

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
        with server(project) as found:
            yield found
        return
    from boxscore.store.records import Records

    with Records.open(settings.home(chosen), chosen.records_url) as records:
        yield _OfFolder(Jobs(records.database), project or chosen.project or "default")


@contextmanager
def server(project: str | None = None) -> Generator["OfServer"]:
    """The server at `BOXSCORE_URL`, else the one that serves this folder; `OperationError` where none does."""
    chosen = settings.load()
    url = chosen.url
    if not url:
        from boxscore.client.place import find_place

        place = find_place(settings.home(chosen))
        if place is None:
            raise OperationError("no server is here: start `boxscore serve`, or name one in BOXSCORE_URL.")
        url = place.url
    with closing(BlockingLink(Address.of(url, chosen.api_key, project or chosen.project))) as link:
        yield OfServer(link)


class OfServer:
    def __init__(self, link: BlockingLink) -> None:
        self._link = link
        self.url = link.address.url

    def compare(self, spec: "Asked") -> Job:
        return self._link.ask(send(Job, "/comparisons", spec))

    def run(self, spec: "Asked") -> Job:
        return self._link.ask(send(Job, "/runs", spec))

    def run_detail(self, id: str) -> "RunDetail":
        from boxscore.experiments.history import RunDetail

        return self._link.ask(ask(RunDetail, path("runs", id)))

    def plan(self, spec: "Asked") -> "Estimate":
        from boxscore.experiments.jobs import Estimate

        return self._link.ask(send(Estimate, "/comparisons/plan", spec, once=False))

    def verdict(self, id: str) -> "Verdict":
        from boxscore.experiments.verdict import Verdict

        return self._link.ask(ask(Verdict, path("comparisons", id)))

    def list(self, state: str | None, kind: str | None, limit: int) -> JobPage:
        query = {"state": state, "kind": kind, "limit": limit}
        return self._link.ask(Call(method="GET", path="/jobs", kind=JobPage, query=query))

    def get(self, id: str) -> Job:
        return self._link.ask(ask(Job, path("jobs", id)))

    def cancel(self, id: str) -> Job:
        return self._link.ask(send(Job, path("jobs", id, "cancel"), {}))

    def retry(self, id: str) -> Job:
        return self._link.ask(send(Job, path("jobs", id, "retry"), {}))

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
