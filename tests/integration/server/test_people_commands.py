"""`boxscore users`, `members`, `keys`, `project` and `audit`: in a folder, and at a server by its address."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from boxscore.cli import cli
from boxscore.errors import BoxscoreError, ForbiddenError, NotFoundError, UnauthenticatedError
from serving import JSON, Server

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("BOXSCORE_URL", "BOXSCORE_API_KEY", "BOXSCORE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str, stdin: str = "") -> str:
    """What the command prints on standard output; it raises what it met."""
    done = CliRunner().invoke(cli, arguments, input=stdin, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout


def read(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_a_folder_gets_its_owner_members_projects_and_keys(home: Path) -> None:
    run("users", "add", "ada", "--role", "owner", "--password-stdin", stdin=f"{PASSWORD}\n")
    link = run("users", "add", "bob")
    run("project", "create", "shop", "--name", "The shop")
    run("members", "add", "bob", "editor", "--project", "shop")
    key = run("keys", "create", "checkout", "--project", "shop", "--expires", "90d").strip()

    assert "/login#link=" in link
    assert [(one["name"], one["role"], one["signs_in"]) for one in read("users", "list")] == [
        ("ada", "owner", True),
        ("bob", None, False),
    ]
    assert [one["id"] for one in read("project", "list")] == ["default", "shop"]
    assert [(one["user"], one["role"]) for one in read("members", "list", "--project", "shop")] == [("bob", "editor")]
    (listed,) = read("keys", "list", "--project", "shop")
    assert (listed["last_four"], listed["rights"]) == (key[-4:], ["score", "ingest"])
    assert read("keys", "list") == []

    run("keys", "revoke", listed["id"], "--project", "shop")
    assert read("keys", "list", "--project", "shop") == []
    assert read("keys", "list", "--project", "shop", "--all")[0]["revoked_at"]
    actions = [one["action"] for one in read("audit", "--project", "shop")["items"]]
    assert actions == ["keys revoke", "keys create", "members add"]
    assert key not in run("audit", "--project", "shop") + run("keys", "list", "--project", "shop", "--all")


def test_a_project_that_is_not_there_is_told(home: Path) -> None:
    for command in (["keys", "list"], ["keys", "create", "x"], ["members", "list"], ["audit"]):
        with pytest.raises(NotFoundError):
            run(*command, "--project", "nope")


def test_what_was_changed_in_the_folder_of_a_server_holds_there(home: Path, serve: Callable[..., Server]) -> None:
    server = serve(home=home)
    assert server.ask("/api/v1/traces").status == 200

    run("users", "add", "ada", "--role", "owner", "--password-stdin", stdin=f"{PASSWORD}\n")
    while server.ask("/api/v1/traces").status == 200:
        pass

    login = json.dumps({"name": "ada", "password": PASSWORD}).encode()
    assert server.ask("/api/v1/login", login, JSON).status == 200


def test_a_server_is_asked_with_the_key_of_the_environment(
    home: Path, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("users", "add", "ada", "--role", "owner")
    run("project", "create", "shop")
    key = run("keys", "create", "me", "--project", "shop", "--right", "admin", "--right", "read").strip()
    server = serve(home=home)
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("BOXSCORE_URL", server.url)

    with pytest.raises(UnauthenticatedError):
        run("keys", "list")
    monkeypatch.setenv("BOXSCORE_API_KEY", key)

    made = read("keys", "create", "ci", "--right", "read")
    assert made["project"] == "shop"
    assert {one["name"] for one in read("keys", "list")} == {"ci", "me"}
    run("members", "add", "ada", "viewer")
    assert [one["user"] for one in read("members", "list")] == ["ada"]
    run("members", "remove", "ada")
    run("keys", "revoke", made["id"])
    run("project", "rename", "shop", "The shop")
    assert [one["name"] for one in read("project", "list")] == ["The shop"]
    assert [one["action"] for one in read("audit")["items"]][:2] == ["PATCH /projects/{project}", "DELETE /keys/{key}"]
    assert run("traces", "list")
    for command in (["users", "list"], ["project", "create", "x"]):
        with pytest.raises(ForbiddenError):
            run(*command)
    with pytest.raises(NotFoundError):
        run("keys", "list", "--project", "default")


def test_no_refusal_shows_the_key(home: Path, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(home=home)
    run("users", "add", "ada", "--role", "owner")
    monkeypatch.setenv("BOXSCORE_URL", server.url)
    monkeypatch.setenv("BOXSCORE_API_KEY", "bxs_a_key_that_is_not_known")

    with pytest.raises(BoxscoreError) as refused:
        run("keys", "list")

    assert "bxs_a_key" not in str(refused.value) + repr(vars(refused.value))


def test_the_record_of_writes_shows_addresses_as_text(home: Path, serve: Callable[..., Server]) -> None:
    server = serve(home=home)
    address = "/api/v1/keys/%1b%5b2Jk%0a2026-01-01%20%20local%20%20nothing"
    assert server.ask(address, method="DELETE").status == 404

    told = run("audit")

    assert "\x1b" not in told
    assert len(told.splitlines()) == 2
