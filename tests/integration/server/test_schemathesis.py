"""Whatever the description of the API allows may be asked: nothing breaks, and every answer is one that it names.

A few examples of each operation; BOXSCORE_SCHEMATHESIS_EXAMPLES asks for more.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import boxscore
from serving import JSON, Server, request, start

pytestmark = pytest.mark.filterwarnings("default")  # what the tool warns of is not about us

OPENAPI = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
EXAMPLES = int(os.environ.get("BOXSCORE_SCHEMATHESIS_EXAMPLES", "5"))
TRACE = "1a" * 16
SENSIBLE = {
    "filter": ["model_asked=gpt-4o-mini"],
    "measure": ["count", "sum(cost_usd)"],
    "by": ["model_asked"],
    "field": "model_asked",
    "text": "hello",
    "beginning": "1a",
    "start_ns": 60 * 10**9,
    "end_ns": 240 * 10**9,
    "step_ns": 60 * 10**9,
    "trace_id": TRACE,
    "model": ["own"],
    "dataset": "talks",
    "filename": "a.jsonl",
}
"""Values of parameters that are understood, by name."""
RIGHTS = ["read", "score", "ingest", "write", "admin"]


def operations() -> Iterator[tuple[str, str]]:
    document = json.loads(OPENAPI.read_text())
    for path, ways in document["paths"].items():
        for way, operation in ways.items():
            answers = operation["responses"].values()
            if not any("text/event-stream" in answer.get("content", {}) for answer in answers):  # these do not end
                yield way, path


class Asked(NamedTuple):
    server: Server
    schema: Any
    key: str
    known: dict[str, str]
    """Path parameters of what is there, an `id` by what it is of."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    import schemathesis

    home = tmp_path_factory.mktemp("schemathesis") / "home"
    home.mkdir()
    known = {
        "trace_id": TRACE,
        "span_id": "00" * 7 + "01",
        "session": "talk",
        "name": "talks",
        "model": "openai/gpt-4o-mini",
    }
    compare(home)
    server = start(home)
    try:
        for text in texts():
            server.send(request("chat", "tool", input__value=text, session__id="talk").SerializeToString())
        chat = request("chat", trace=bytes.fromhex(TRACE), session__id="talk", gen_ai__request__model="gpt-4o-mini")
        server.send(chat.SerializeToString())
        rows = b'{"id": "a", "inputs": {"q": "1"}, "reference": "2"}\n{"id": "b", "inputs": {"q": "2"}}\n'
        made = server.ask("/api/v1/datasets/talks/import?filename=a.jsonl", rows, {"content-type": "text/plain"})
        assert made.status == 201, made.body
        known["version"] = made.json["version"]["version"]
        [run, *_] = server.ask("/api/v1/runs").json["items"]
        [comparison] = server.ask("/api/v1/comparisons").json["items"]
        known |= {"/runs": run["id"], "/comparisons": comparison["id"], "hash": run["variant"]["hash"]}
        key = server.ask("/api/v1/keys", json.dumps({"name": "all", "rights": RIGHTS}).encode(), JSON).json["secret"]
        yield Asked(server, schemathesis.openapi.from_dict(server.ask("/api/v1/openapi.json").json), key, known)
    finally:
        server.process.kill()
        server.process.wait()


def compare(home: Path) -> None:
    """A comparison and its runs, kept in the home."""
    rows = [{"id": str(n), "inputs": {"n": n}, "reference": str(n)} for n in range(30)]
    boxscore.compare(
        dataset=rows,
        baseline=lambda n: str(n * (n % 3 > 0)),
        candidate=lambda n: str(n * (n % 3 > 1)),
        scorers=["exact"],
        home=home,
    )


def texts() -> list[str]:
    """What people and models really say, where it is here."""
    root = os.environ.get("BOXSCORE_DATA")
    path = Path(root or "", "generations", "mifeval.jsonl")
    if not root or not path.exists():
        return ["hello, world", "où est le café ? 🙂"]
    with path.open() as lines:
        return [line[:4000] for line, _ in zip(lines, range(60), strict=False)]


@pytest.mark.parametrize(("way", "path"), list(operations()), ids=lambda value: value)
def test_every_answer_is_one_that_the_description_names(asked: Asked, way: str, path: str) -> None:
    from schemathesis import GenerationMode
    from schemathesis import checks as there
    from schemathesis.specs.openapi import checks

    operation = asked.schema[path][way.upper()]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]  # what it allows, and what it does not
    if not (operation.body or operation.query or operation.path_parameters):
        modes.pop()
    held = [
        there.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=cases, real=st.booleans())
    def ask(case: Any, real: bool) -> None:
        if real and case.path_parameters and way != "delete":
            known = asked.known | {"id": asked.known.get(path.removeprefix("/api/v1").partition("/{id}")[0], "a")}
            case.path_parameters.update({name: known.get(name, old) for name, old in case.path_parameters.items()})
        if case.query:
            for name in ("wait", "project", "cursor"):
                case.query.pop(name, None)
            if real:
                case.query.update({name: SENSIBLE.get(name, old) for name, old in case.query.items()})
        case.headers.pop("boxscore-project", None)
        headers = {"authorization": f"Bearer {asked.key}"}
        answer = case.call(base_url=asked.server.url, headers=headers)
        case.validate_response(answer, checks=held)

    ask()
    assert asked.server.process.poll() is None
