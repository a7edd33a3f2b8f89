"""A server in Python: what the API answers, typed, blocking and awaited."""

import asyncio
import inspect
import json
import time
from collections.abc import Iterator

import pytest

import boxscore
from boxscore import AsyncClient, Client
from boxscore.client.datasets import FromTraces
from boxscore.client.prices import NewPrice
from boxscore.datasets.from_spans import SpanSelection
from boxscore.errors import ConflictError, NotFoundError, OperationError, UnauthenticatedError, UsageError
from boxscore.store.spans import Score
from serving import JSON, Server, request, start

TRACE = "2b" * 16


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("asked") / "home"
    home.mkdir()
    rows = [{"id": str(n), "inputs": {"n": n}, "reference": str(n)} for n in range(20)]
    boxscore.compare(dataset=rows, baseline=lambda n: "0", candidate=lambda n: str(n), scorers=["exact"], home=home)
    server = start(home)
    for number in range(7):
        trace = bytes.fromhex(TRACE) if number == 0 else None
        body = request("chat", trace=trace, session__id="talk", gen_ai__request__model="gpt-4o-mini", input__value="hi")
        server.send(body.SerializeToString())
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def client(filled: Server) -> Iterator[Client]:
    with Client(filled.url) as client:
        yield client


def test_traces_and_numbers_over_them(client: Client) -> None:
    page = client.traces(["model_asked=gpt-4o-mini"], limit=3)

    assert (len(page.items), page.cursor is not None) == (3, True)
    assert len(list(client.each(client.traces, limit=3))) == 7
    assert client.trace(TRACE).items[0].trace_id.hex() == TRACE
    assert [one.session for one in client.sessions().items] == ["talk"]
    assert len(client.session("talk").items) == 7
    assert client.counts().spans == 7
    assert client.aggregate(["count"], by=["model_asked"])[0].values == (7,)
    assert client.facets("model_asked")[0].value == "gpt-4o-mini"
    assert len(client.search("hi", wait=10).items) == 7
    now = time.time_ns() // 60_000_000_000 * 60_000_000_000
    series = client.series(start_ns=now - 60 * 6 * 10**10, end_ns=now + 6 * 10**10, step_ns=6 * 10**10, wait=10)
    assert sum(point.spans for point in series.points) + series.pending == 7


def test_scores_are_given_and_taken_back(client: Client) -> None:
    score = Score(id="s", name="tone", value=0.5, trace_id=bytes.fromhex(TRACE), at_ns=1)

    assert client.put_scores([score]).stored == 1
    assert client.scores(trace_id=TRACE) == [score]
    client.remove_score("s")
    assert client.scores(trace_id=TRACE) == []


def test_datasets_from_nothing_to_a_file(client: Client) -> None:
    client.create_dataset("talks", description="what they said")
    with pytest.raises(ConflictError):
        client.create_dataset("talks")
    first = client.edit_dataset("talks", base=0, put=[{"id": "a/b", "inputs": {"q": "1"}, "reference": "2"}])
    client.import_dataset("talks", b'{"id": "c", "inputs": {"q": "3"}}\n', filename="more.jsonl", add=True)
    client.add_traces("talks", FromTraces(selection=SpanSelection(filter=["model_asked=gpt-4o-mini"])))

    assert first.version.number == 1
    assert [one.name for one in client.datasets().items] == ["talks"]
    assert client.dataset("talks").dataset.name == "talks"
    assert [one.number for one in client.dataset_versions("talks").items][-1] == 1
    assert {row.example.id for row in client.each(client.dataset_examples, "talks", limit=1)} >= {"a/b", "c"}
    assert json.loads(client.export_dataset("talks").splitlines()[0])["id"] == "a/b"
    assert client.diff_versions("talks", 1).changes
    assert client.dataset_example("talks", "a/b", 1).reference == "2"
    again = client.restore_version("talks", 1, base=client.dataset_version("talks").number)
    assert client.dataset_version("talks", again.version.number).version == first.version.version
    assert client.change_dataset("talks", archived=True).archived_at
    assert client.datasets().items == []
    client.delete_dataset("talks")
    with pytest.raises(NotFoundError):
        client.dataset("talks")


def test_runs_and_verdicts(client: Client) -> None:
    [verdict] = client.comparisons().items
    runs = client.runs().items

    assert client.comparison(verdict.id).verdict == verdict.verdict == "ship"
    assert len(list(client.each(client.comparison_pairs, verdict.id, limit=9))) == 20
    assert b"<html" in client.comparison_report(verdict.id)
    assert b"ship" in client.comparison_markdown(verdict.id).lower()
    assert len(client.comparison_csv(verdict.id).splitlines()) == 21
    assert client.run(runs[0].id)
    assert len(list(client.each(client.run_trials, runs[0].id, limit=9))) == 20
    assert client.variant(runs[0].variant.hash)
    assert [run.state for run in client.run_events(runs[0].id)] == ["finished"]


def test_a_comparison_is_asked_for_and_followed_to_its_end(client: Client) -> None:
    rows = [{"id": str(n), "inputs": {"text": str(n)}, "reference": "x"} for n in range(3)]
    spec = {
        "dataset": rows,
        "variants": {"a": {"provider": "tiny", "model": "tiny-2", "prompt": "{{ text }}"}},
        "scorers": ["exact"],
    }
    with pytest.raises(UsageError):
        client.compare({"no": "spec"})
    job = client.start_run(spec)
    last = list(client.job_events(job.id))[-1]

    assert last.id == job.id
    assert last.ended
    assert client.job(job.id).state == last.state
    assert [one.id for one in client.jobs().items] == [job.id]


def test_prices_and_what_if(client: Client) -> None:
    assert client.price("gpt-4o").price.provider == "openai"
    assert client.prices("gpt-4o", limit=2).cursor is not None
    own = client.add_own_price(NewPrice(provider="acme", model="acme-large", usd_per_mtok={"input": 3, "output": 15}))
    assert [row.model for row in own.rows] == ["acme-large"]
    assert client.prices("acme").items[0].source == "own"
    client.remove_own_price(own.rows[0].line or 0, version=own.version)
    assert client.own_prices().rows == []
    assert client.cost_what_if(start_ns=0, end_ns=2**62, model=["openai/gpt-4o"]).asked[0].model == "gpt-4o"


def test_projects_members_and_keys(client: Client, filled: Server) -> None:
    client.create_project("other", name="The other")
    key = client.create_key("ci", ["read"])
    with Client(filled.url, api_key=key.secret) as reader, Client(filled.url, project="other") as other:
        assert reader.counts().spans == 7
        with pytest.raises(NotFoundError):
            Client(filled.url, api_key=key.secret, project="other").counts()
        assert other.counts().spans == 0
    assert [one.name for one in client.keys()] == ["ci"]  # noqa: SIM118 - no dictionary
    client.revoke_key(key.id)
    assert {one.id for one in client.projects()} == {"default", "other"}
    assert client.members() == []
    assert client.health().ready
    assert client.settings().version == boxscore.__version__


def test_errors_are_those_that_the_server_met(client: Client) -> None:
    with pytest.raises(NotFoundError) as missing:
        client.trace("3c" * 16)
    assert missing.value.kind == "trace"
    with pytest.raises(OperationError, match="does not answer"):
        Client("http://127.0.0.1:9").counts()
    assert issubclass(UnauthenticatedError, UsageError)


def test_the_same_is_awaited(filled: Server) -> None:
    async def ask() -> tuple[int, int]:
        async with AsyncClient(filled.url) as client:
            counts, page = await asyncio.gather(client.counts(), client.traces())
            return counts.spans, len([one async for one in client.each(client.traces, limit=2)]) + len(page.items)

    assert asyncio.run(ask()) == (7, 14)


def test_a_client_blocks_inside_of_an_event_loop_too(client: Client) -> None:
    async def notebook() -> int:
        return client.counts().spans

    assert asyncio.run(notebook()) == 7


def test_both_clients_have_the_same_methods() -> None:
    def face(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in vars(kind).items()
            if callable(method) and not name.startswith("_")
        }

    assert face(Client) == face(AsyncClient)


def test_a_server_of_the_folder_is_found(filled: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOXSCORE_URL", "BOXSCORE_API_KEY", "BOXSCORE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BOXSCORE_HOME", str(filled.home))
    with Client() as client:
        assert client.url == filled.url
    assert JSON
