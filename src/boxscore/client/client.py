"""A server in Python: every question of its API as a method, blocking or awaited."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from boxscore.client import datasets as of_datasets
from boxscore.client import experiments as of_experiments
from boxscore.client import people as of_people
from boxscore.client import prices as of_prices
from boxscore.client import system as of_system
from boxscore.client import traces as of_traces
from boxscore.client.call import Address, Call
from boxscore.client.link import BlockingLink, Link
from boxscore.experiments.history import RunEntry
from boxscore.jobs.job import Job

__all__ = ["AsyncClient", "Client"]

Asked = ParamSpec("Asked")
Found = TypeVar("Found")
Item = TypeVar("Item", covariant=True)


class Paged(Protocol[Item]):
    """A page: `cursor` asks for the next one."""

    @property
    def items(self) -> Sequence[Item]: ...

    @property
    def cursor(self) -> str | None: ...


def _blocking(make: Callable[Asked, Call[Found]]) -> "Callable[Concatenate[Client, Asked], Found]":
    @wraps(make)
    def method(self: "Client", *args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        return self.link.ask(make(*args, **kwargs))

    return method


def _awaited(make: Callable[Asked, Call[Found]]) -> "Callable[Concatenate[AsyncClient, Asked], Awaitable[Found]]":
    @wraps(make)
    async def method(self: "AsyncClient", *args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        return await self.link.ask(make(*args, **kwargs))

    return method


class Client:
    """A server at `url` (default: BOXSCORE_URL, else the one that owns the folder of the stores), asked with an API key
    (BOXSCORE_API_KEY) about a project (BOXSCORE_PROJECT, else the key's own). Safe to use from threads. Close it, or
    use it as a context manager.

    Errors are leaves of `boxscore.errors`: those that the server met, and `OperationError` for one that does not
    answer. Lists give pages; `each` goes through all of them.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, project: str | None = None) -> None:
        self.link = BlockingLink(Address.of(url, api_key, project))

    @property
    def url(self) -> str:
        return self.link.address.url

    def close(self) -> None:
        self.link.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def each(self, ask: "Callable[Asked, Paged[Found]]", *args: Asked.args, **kwargs: Asked.kwargs) -> Iterator[Found]:
        """What is in all pages that a method gives: `client.each(client.traces, ["model=gpt-5"])`."""
        more: Any = dict(kwargs)
        while True:
            page = cast("Callable[..., Paged[Found]]", ask)(*args, **more)
            yield from page.items
            if page.cursor is None:
                return
            more["cursor"] = page.cursor

    def job_events(self, id: str) -> Generator[Job, None, None]:
        """The job whenever something of it changed, until it has ended."""
        return self.link.events(of_experiments.job_events(id))

    def run_events(self, id: str) -> Generator[RunEntry, None, None]:
        """The run whenever something of it changed, until it is finished."""
        return self.link.events(of_experiments.run_events(id))

    traces = _blocking(of_traces.traces)
    trace = _blocking(of_traces.trace)
    spans = _blocking(of_traces.spans)
    sessions = _blocking(of_traces.sessions)
    session = _blocking(of_traces.session)
    search = _blocking(of_traces.search)
    counts = _blocking(of_traces.counts)
    facets = _blocking(of_traces.facets)
    aggregate = _blocking(of_traces.aggregate)
    series = _blocking(of_traces.series)
    scores = _blocking(of_traces.scores)
    put_scores = _blocking(of_traces.put_scores)
    remove_score = _blocking(of_traces.remove_score)

    datasets = _blocking(of_datasets.datasets)
    dataset = _blocking(of_datasets.dataset)
    create_dataset = _blocking(of_datasets.create_dataset)
    change_dataset = _blocking(of_datasets.change_dataset)
    delete_dataset = _blocking(of_datasets.delete_dataset)
    dataset_versions = _blocking(of_datasets.dataset_versions)
    dataset_version = _blocking(of_datasets.dataset_version)
    dataset_example = _blocking(of_datasets.dataset_example)
    dataset_examples = _blocking(of_datasets.dataset_examples)
    edit_dataset = _blocking(of_datasets.edit_dataset)
    import_dataset = _blocking(of_datasets.import_dataset)
    export_dataset = _blocking(of_datasets.export_dataset)
    restore_version = _blocking(of_datasets.restore_version)
    diff_versions = _blocking(of_datasets.diff_versions)
    add_traces = _blocking(of_datasets.add_traces)

    variants = _blocking(of_experiments.variants)
    variant = _blocking(of_experiments.variant)
    runs = _blocking(of_experiments.runs)
    run = _blocking(of_experiments.run)
    run_trials = _blocking(of_experiments.run_trials)
    start_run = _blocking(of_experiments.start_run)
    comparisons = _blocking(of_experiments.comparisons)
    comparison = _blocking(of_experiments.comparison)
    comparison_pairs = _blocking(of_experiments.comparison_pairs)
    comparison_report = _blocking(of_experiments.comparison_report)
    comparison_markdown = _blocking(of_experiments.comparison_markdown)
    comparison_csv = _blocking(of_experiments.comparison_csv)
    plan_comparison = _blocking(of_experiments.plan_comparison)
    compare = _blocking(of_experiments.compare)
    jobs = _blocking(of_experiments.jobs)
    job = _blocking(of_experiments.job)
    cancel_job = _blocking(of_experiments.cancel_job)
    retry_job = _blocking(of_experiments.retry_job)

    prices = _blocking(of_prices.prices)
    price = _blocking(of_prices.price)
    own_prices = _blocking(of_prices.own_prices)
    add_own_price = _blocking(of_prices.add_own_price)
    remove_own_price = _blocking(of_prices.remove_own_price)
    cost_what_if = _blocking(of_prices.cost_what_if)
    run_cost = _blocking(of_prices.run_cost)

    projects = _blocking(of_people.projects)
    project = _blocking(of_people.project)
    create_project = _blocking(of_people.create_project)
    change_project = _blocking(of_people.change_project)
    members = _blocking(of_people.members)
    put_member = _blocking(of_people.put_member)
    remove_member = _blocking(of_people.remove_member)
    keys = _blocking(of_people.keys)
    create_key = _blocking(of_people.create_key)
    revoke_key = _blocking(of_people.revoke_key)
    users = _blocking(of_people.users)
    add_user = _blocking(of_people.add_user)
    invite_user = _blocking(of_people.invite_user)
    change_user = _blocking(of_people.change_user)
    caller = _blocking(of_people.caller)
    audit = _blocking(of_people.audit)

    health = _blocking(of_system.health)
    settings = _blocking(of_system.settings)


class AsyncClient:
    """`Client` for one event loop: the same methods, to be awaited."""

    def __init__(self, url: str | None = None, *, api_key: str | None = None, project: str | None = None) -> None:
        self.link = Link(Address.of(url, api_key, project))

    @property
    def url(self) -> str:
        return self.link.address.url

    async def close(self) -> None:
        await self.link.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def each(
        self, ask: "Callable[Asked, Awaitable[Paged[Found]]]", *args: Asked.args, **kwargs: Asked.kwargs
    ) -> AsyncIterator[Found]:
        """What is in all pages that a method gives."""
        more: Any = dict(kwargs)
        while True:
            page = await cast("Callable[..., Awaitable[Paged[Found]]]", ask)(*args, **more)
            for item in page.items:
                yield item
            if page.cursor is None:
                return
            more["cursor"] = page.cursor

    def job_events(self, id: str) -> AsyncGenerator[Job, None]:
        """The job whenever something of it changed, until it has ended."""
        return self.link.events(of_experiments.job_events(id))

    def run_events(self, id: str) -> AsyncGenerator[RunEntry, None]:
        """The run whenever something of it changed, until it is finished."""
        return self.link.events(of_experiments.run_events(id))

    traces = _awaited(of_traces.traces)
    trace = _awaited(of_traces.trace)
    spans = _awaited(of_traces.spans)
    sessions = _awaited(of_traces.sessions)
    session = _awaited(of_traces.session)
    search = _awaited(of_traces.search)
    counts = _awaited(of_traces.counts)
    facets = _awaited(of_traces.facets)
    aggregate = _awaited(of_traces.aggregate)
    series = _awaited(of_traces.series)
    scores = _awaited(of_traces.scores)
    put_scores = _awaited(of_traces.put_scores)
    remove_score = _awaited(of_traces.remove_score)

    datasets = _awaited(of_datasets.datasets)
    dataset = _awaited(of_datasets.dataset)
    create_dataset = _awaited(of_datasets.create_dataset)
    change_dataset = _awaited(of_datasets.change_dataset)
    delete_dataset = _awaited(of_datasets.delete_dataset)
    dataset_versions = _awaited(of_datasets.dataset_versions)
    dataset_version = _awaited(of_datasets.dataset_version)
    dataset_example = _awaited(of_datasets.dataset_example)
    dataset_examples = _awaited(of_datasets.dataset_examples)
    edit_dataset = _awaited(of_datasets.edit_dataset)
    import_dataset = _awaited(of_datasets.import_dataset)
    export_dataset = _awaited(of_datasets.export_dataset)
    restore_version = _awaited(of_datasets.restore_version)
    diff_versions = _awaited(of_datasets.diff_versions)
    add_traces = _awaited(of_datasets.add_traces)

    variants = _awaited(of_experiments.variants)
    variant = _awaited(of_experiments.variant)
    runs = _awaited(of_experiments.runs)
    run = _awaited(of_experiments.run)
    run_trials = _awaited(of_experiments.run_trials)
    start_run = _awaited(of_experiments.start_run)
    comparisons = _awaited(of_experiments.comparisons)
    comparison = _awaited(of_experiments.comparison)
    comparison_pairs = _awaited(of_experiments.comparison_pairs)
    comparison_report = _awaited(of_experiments.comparison_report)
    comparison_markdown = _awaited(of_experiments.comparison_markdown)
    comparison_csv = _awaited(of_experiments.comparison_csv)
    plan_comparison = _awaited(of_experiments.plan_comparison)
    compare = _awaited(of_experiments.compare)
    jobs = _awaited(of_experiments.jobs)
    job = _awaited(of_experiments.job)
    cancel_job = _awaited(of_experiments.cancel_job)
    retry_job = _awaited(of_experiments.retry_job)

    prices = _awaited(of_prices.prices)
    price = _awaited(of_prices.price)
    own_prices = _awaited(of_prices.own_prices)
    add_own_price = _awaited(of_prices.add_own_price)
    remove_own_price = _awaited(of_prices.remove_own_price)
    cost_what_if = _awaited(of_prices.cost_what_if)
    run_cost = _awaited(of_prices.run_cost)

    projects = _awaited(of_people.projects)
    project = _awaited(of_people.project)
    create_project = _awaited(of_people.create_project)
    change_project = _awaited(of_people.change_project)
    members = _awaited(of_people.members)
    put_member = _awaited(of_people.put_member)
    remove_member = _awaited(of_people.remove_member)
    keys = _awaited(of_people.keys)
    create_key = _awaited(of_people.create_key)
    revoke_key = _awaited(of_people.revoke_key)
    users = _awaited(of_people.users)
    add_user = _awaited(of_people.add_user)
    invite_user = _awaited(of_people.invite_user)
    change_user = _awaited(of_people.change_user)
    caller = _awaited(of_people.caller)
    audit = _awaited(of_people.audit)

    health = _awaited(of_system.health)
    settings = _awaited(of_system.settings)
