"""Every route of the table, whatever it is: who may not, is told so before anything else is looked at."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from door import ORIGIN, PASSWORD, Door, opened

from boxscore.governance.roles import RIGHTS
from boxscore.server.api import make_api
from boxscore.server.api.routes import PREFIX, Api, Route

OPEN = {"POST /login", "POST /owner", "POST /invitation", "GET ", "GET /openapi.json"}
"""What everybody may ask who reaches the server."""
ALL = [right for right in RIGHTS if right != "server"]
BODIES = {"POST /password": {"old": "x", "new": "y"}}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as door:
        yield door


def routes(door: Door) -> list[Route]:
    return make_api(door.service).routes


def told(route: Route) -> str:
    return f"{route.method} {route.path}"


def address(route: Route) -> str:
    return re.sub(r"\{[^}]+\}", "default", route.path)


def body(route: Route) -> object:
    return BODIES.get(told(route)) if route.body is not None else None


def test_the_table_has_every_route_of_the_application(door: Door) -> None:
    api: Api = make_api(door.service)
    served = {
        (method, str(path).removeprefix(PREFIX))
        for one in api.app.routes
        for path in [getattr(one, "path", None)]
        for method in getattr(one, "methods", None) or ()
        if path is not None and method not in ("HEAD", "OPTIONS")
    }

    assert served == {(route.method, route.path) for route in api.routes}
    assert len(served) == len(api.routes) > 60
    assert all(getattr(one, "methods", None) for one in api.app.routes)  # nothing is mounted past the table


def test_without_a_session_it_is_401(door: Door) -> None:
    door.owner()
    wrong = {
        told(route): answer.status
        for route in routes(door)
        if told(route) not in OPEN
        for headers in ({}, {"authorization": "Bearer bxs_unknown"}, {"cookie": "boxscore-8400=unknown"})
        if (answer := door.ask(route.method, address(route), body(route), **headers)).status != 401
    }

    assert wrong == {}


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_with_a_key_that_holds_no_more_it_is_401(door: Door, how: str) -> None:
    door.owner()
    key = door.key(*ALL, expires_at=door.clock.now.replace(hour=1))
    assert door.ask_with(key, "GET", "/traces").status == 200
    if how == "revoked":
        door.people.keys.revoke("default", key.id)
    door.clock.pass_by(seconds=3600 if how == "expired" else 2)

    wrong = {
        told(route): answer.status
        for route in routes(door)
        if told(route) not in OPEN
        if (answer := door.ask_with(key, route.method, address(route), body(route))).status != 401
    }

    assert wrong == {}


def test_with_a_session_that_has_ended_it_is_401(door: Door) -> None:
    ada = door.owner()
    door.clock.pass_by(days=14)

    wrong = {
        told(route): answer.status
        for route in routes(door)
        if told(route) not in OPEN
        if (answer := ada.ask(route.method, address(route), body(route))).status != 401
    }

    assert wrong == {}


def test_without_the_right_it_is_403(door: Door) -> None:
    door.owner()
    every = [route for route in routes(door) if route.right != "none"]
    keys = {right: door.key(*(one for one in ALL if one != right)) for right in RIGHTS}

    answers = {told(route): door.ask_with(keys[route.right], route.method, address(route)) for route in every}

    assert {name: answer.status for name, answer in answers.items() if answer.status != 403} == {}
    for route in every:
        assert answers[told(route)].code == "forbidden"
        assert answers[told(route)].json["error"]["right"] == route.right


def test_in_another_project_it_is_404(door: Door) -> None:
    ada = door.owner()
    for project in ("mine", "theirs"):
        ada.ask("POST", "/projects", {"id": project})
    door.people.users.add("bob", password=PASSWORD)
    ada.ask("PUT", "/members/bob?project=mine", {"role": "owner"})
    bob, key = door.sign_in("bob"), door.key(*ALL, project="mine")
    wrong: dict[str, int] = {}
    for route in routes(door):
        if route.right in ("none", "server"):
            continue
        path = re.sub(r"\{[^}]+\}", "theirs", route.path)
        in_path = route.path.startswith("/projects/")
        for suffix, headers in (("?project=theirs", {}), ("", {"boxscore-project": "theirs"}), ("?project=none", {})):
            for answer in (
                door.ask_with(key, route.method, f"{path}{suffix}", **headers),
                bob.ask(route.method, f"{path}{suffix}", **headers),
            ):
                if answer.status != 404 or answer.json["error"]["name"] not in (
                    ("theirs",) if in_path else ("theirs", "none")
                ):
                    wrong[told(route)] = answer.status

    assert wrong == {}


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"host": "example.com"}, "bad_host"),
        ({"origin": "https://example.com"}, "bad_origin"),
        ({"boxscore-csrf": ""}, "bad_token"),
        ({"boxscore-csrf": "0" * 64}, "bad_token"),
    ],
    ids=str,
)
def test_from_a_page_of_others_it_is_403(door: Door, headers: dict[str, str], kind: str) -> None:
    ada = door.owner()
    wrong: dict[str, int] = {}
    for route in routes(door):
        if kind == "bad_token" and (route.method == "GET" or told(route) in OPEN):
            continue
        answer = ada.ask(route.method, address(route), body(route), **headers)
        if answer.status != 403 or answer.json["error"]["kind"] != kind:
            wrong[told(route)] = answer.status

    assert wrong == {}


def test_at_this_machine_it_is_allowed_while_there_are_no_users(door: Door) -> None:
    wrong = {
        told(route): answer.status
        for route in routes(door)
        if told(route) not in OPEN | {"POST /password", "POST /users", "POST /users/{user}/link"}
        if (answer := door.ask(route.method, address(route), body(route), origin=ORIGIN)).status in (401, 403)
    }

    assert wrong == {}
