"""The description of the API is whole, and what clients are generated from stays as it is."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_origin

import jsonschema
import pytest

from boxscore.server.api import make_api
from boxscore.server.api.routes import Route
from boxscore.server.limits import Limits
from boxscore.server.schema import describe
from boxscore.server.service import Service
from boxscore.store.records import Records
from boxscore.store.spans import SqliteSpans
from boxscore.tracing.ingest import Ingest

BARE_LISTS = {
    *("trace_ids", "facets", "aggregate", "histogram", "scores"),  # a `limit` is all that bounds them
    *(
        "projects",
        "members",
        "users",
        "keys",
        "matrix_datasets",
        "scorers",
        "providers",
    ),  # no more than people make by hand
}
"""Answers that are lists and not pages."""
ASKING_BY_POST = {"look_at_file"}
"""Questions that take a body, and change nothing."""
TITLE = 110


class Described(NamedTuple):
    document: dict[str, Any]
    routes: list[Route]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    home = tmp_path_factory.mktemp("described")
    with SqliteSpans(home) as store, Ingest(store) as ingest, Records.open(home) as records:
        service = Service(store, ingest, records, Limits())
        api = make_api(service)
        yield Described(describe(api), api.routes)
        service.close()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, ways in document["paths"].items():
        for way, operation in ways.items():
            yield f"{way.upper()} {path}", operation


def everywhere(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from everywhere(one)
    elif isinstance(value, list):
        for one in value:
            yield from everywhere(one)


def test_every_route_is_in_it_under_a_name_of_its_own(described: Described) -> None:
    names = [operation["operationId"] for _, operation in operations(described.document)]

    assert sorted(names) == sorted(route.name for route in described.routes)
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)


def test_every_operation_says_what_it_does(described: Described) -> None:
    tags = {tag["name"] for tag in described.document["tags"] if tag["description"]}
    for name, operation in operations(described.document):
        summary = operation["summary"]
        assert 3 < len(summary) <= TITLE, name
        assert summary[0].isupper(), name
        assert summary[-1] not in ".:;,", name
        assert operation["description"].startswith(summary), name
        assert set(operation["tags"]) <= tags, name


def test_paths_are_nouns_in_lower_case(described: Described) -> None:
    for path in described.document["paths"]:
        assert re.fullmatch(r"/api/v1(/([a-z0-9-]+(\.[a-z]+)?|\{[a-z_]+\}))*", path), path


def test_every_parameter_is_typed_and_said(described: Described) -> None:
    silent = {
        (name, parameter["name"])
        for name, operation in operations(described.document)
        for parameter in operation["parameters"]
        if "$ref" not in parameter and parameter["in"] != "path"
        if not (parameter.get("description") and parameter["schema"])
    }
    assert silent == set()


def test_every_status_is_described_with_its_body(described: Described) -> None:
    for name, operation in operations(described.document):
        answers = operation["responses"]
        good = [status for status in answers if status < "400"]
        assert len(good) == 1, name
        assert ("content" in answers[good[0]]) == (good != ["204"]), name
        assert {"400", "403", "500", "503"} <= set(answers), name
        assert ({"401", "404"} <= set(answers)) or "x-right" not in operation, name
        assert ({"408", "413", "415"} <= set(answers)) == ("requestBody" in operation), name
        once = {"$ref": "#/components/parameters/IdempotencyKey"} in operation["parameters"]
        assert not once or {"409", "422"} <= set(answers), name
    for status, answer in described.document["components"]["responses"].items():
        assert answer["description"].endswith("."), status


def test_what_is_referred_to_is_there_and_everything_there_is_referred_to(described: Described) -> None:
    document = described.document
    refers = {one["$ref"] for one in everywhere(document) if isinstance(one.get("$ref"), str)}
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "parameters", "responses")
        for name in document["components"][kind]
    }

    assert refers <= there
    unused = there - refers - {f"#/components/responses/{status}" for status in (410, 429)}
    assert unused == set()


def test_schemas_are_json_schema_with_plain_names(described: Described) -> None:
    schemas = described.document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert [name for name in schemas if not re.fullmatch("[A-Z][A-Za-z0-9]*", name)] == []


def test_in_an_answer_every_field_is_there(described: Described) -> None:
    answered = described.document["components"]["schemas"]["Score"]
    sent = described.document["components"]["schemas"]["ScoreInput"]

    assert set(answered["required"]) == set(answered["properties"])
    assert set(sent["required"]) < set(sent["properties"])


def test_what_changes_something_needs_more_than_to_read(described: Described) -> None:
    for route in described.routes:
        if route.method != "GET" and route.name not in ASKING_BY_POST:
            assert route.right != "read", route.name
        if route.method == "GET":
            assert route.right in ("read", "admin", "server", "none"), route.name


def test_lists_come_in_pages(described: Described) -> None:
    lists = {route.name for route in described.routes if get_origin(route.answer) in (list, tuple, Sequence)}
    assert lists <= BARE_LISTS


def test_the_document_is_the_same_each_time(described: Described, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with SqliteSpans(home) as store, Ingest(store) as ingest, Records.open(home) as records:
        service = Service(store, ingest, records, Limits())
        assert describe(make_api(service)) == described.document
        service.close()
