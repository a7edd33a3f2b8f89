"""Who may ask: addresses, logins, keys, and what takes them away again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from door import PASSWORD, Answer, Browser, Door, opened

from boxscore.server.access import address_of
from boxscore.server.body import Scope

WRONG = "wrong horse battery"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as door:
        yield door


# While there are no users


@pytest.mark.parametrize("host", ["localhost", "localhost:8400", "127.0.0.1:1", "[::1]:8400", "LOCALHOST"])
def test_names_of_loopback_are_answered(door: Door, host: str) -> None:
    assert door.ask("GET", "/traces", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "127.0.0.1.example.com",
        "localhost@example.com",
        "example.com@localhost",
        "127.0.0.1#example.com",
        "example.com\\@localhost",
        "[::2]",
        "[",
        "127.0.0.2",
    ],
)
def test_other_names_are_not(door: Door, host: str) -> None:
    refused = door.ask("GET", "/traces", host=host)

    assert refused.status == 403
    assert refused.json["error"]["kind"] == "bad_host"


@pytest.mark.parametrize(
    "origin", ["null", "http://example.com", "http://localhost:3000", "file://", "http://127.0.0.1:8400"]
)
def test_pages_of_others_are_not(door: Door, origin: str) -> None:
    refused = door.ask("GET", "/traces", origin=origin)

    assert refused.status == 403
    assert refused.json["error"]["kind"] == "bad_origin"


@pytest.mark.parametrize("client", ["192.0.2.7", "::2", None])
def test_another_machine_is_asked_who_it_is(door: Door, client: str | None) -> None:
    assert door.ask("GET", "/traces", client=client).status == 401


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_what_came_through_a_proxy_is_not_of_this_machine(door: Door, header: str) -> None:
    assert door.ask("GET", "/traces", **{header: "127.0.0.1"}).status == 401


# The first owner


def test_the_first_owner_ends_the_time_without_logins(door: Door) -> None:
    assert door.ask("GET", "/session").json["kind"] == "local"

    ada = door.owner()

    assert door.ask("GET", "/traces").status == 401
    session = ada.ask("GET", "/session").json
    assert (session["name"], session["role"], session["server"]) == ("ada", "owner", True)


def test_a_link_makes_one_owner(door: Door) -> None:
    link = door.people.links.for_owner()
    assert link is not None
    asked = {"link": link.token, "name": "ada", "password": PASSWORD}

    assert door.ask("POST", "/owner", asked | {"password": "short"}).status == 400  # and does not spend it
    assert door.ask("POST", "/owner", asked).status == 200
    assert door.ask("POST", "/owner", asked | {"name": "eve"}).status == 401
    assert door.people.links.for_owner() is None


def test_a_new_link_voids_the_one_before(door: Door) -> None:
    first, second = door.people.links.for_owner(), door.people.links.for_owner()
    assert first is not None
    assert second is not None

    assert door.ask("POST", "/owner", {"link": first.token, "name": "a", "password": PASSWORD}).status == 401
    assert door.ask("POST", "/owner", {"link": second.token, "name": "a", "password": PASSWORD}).status == 200


def test_a_link_ends_after_a_day(door: Door) -> None:
    link = door.people.links.for_owner()
    assert link is not None
    door.clock.pass_by(hours=24)

    assert door.ask("POST", "/owner", {"link": link.token, "name": "a", "password": PASSWORD}).status == 401


# Logins


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong horse battery"), ("eve", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(door: Door, name: str, password: str) -> None:
    door.owner()

    refused = door.ask("POST", "/login", {"name": name, "password": password})

    assert refused.status == 401
    assert refused.json["error"]["message"] == "the name or the password is wrong."
    assert "set-cookie" not in refused.headers


def test_the_cookie_is_for_this_server_and_no_script(door: Door) -> None:
    door.owner()

    told = door.ask("POST", "/login", {"name": "ada", "password": PASSWORD}).headers["set-cookie"]

    parts = {part.strip().lower() for part in told.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=strict"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_over_https_the_cookie_is_secure_and_of_the_host_alone(tmp_path: Path) -> None:
    with opened(tmp_path, "https://box.example.org") as door:
        door.people.users.add("ada", role="owner", password=PASSWORD)
        asked = {"name": "ada", "password": PASSWORD}
        told = door.ask("POST", "/login", asked, host="box.example.org", origin="https://box.example.org")

        assert told.status == 200
        assert told.headers["set-cookie"].startswith("__Host-boxscore=")
        assert "; secure" in told.headers["set-cookie"].lower()
        cookie = told.headers["set-cookie"].partition(";")[0]
        assert door.ask("GET", "/session", host="box.example.org", cookie=cookie).status == 200
        assert door.ask("GET", "/session", host="other.example.org", cookie=cookie).status == 403
        proof = {"origin": "https://box.example.org", "boxscore-csrf": told.json["csrf"]}
        gone = door.ask("POST", "/logout", host="box.example.org", cookie=cookie, **proof).headers["set-cookie"]
        assert gone.startswith('__Host-boxscore="";')
        assert "; secure" in gone.lower()  # without it browsers keep the cookie
        assert door.ask("GET", "/session", host="box.example.org", origin="http://box.example.org").status == 403


def test_signing_out_ends_the_login(door: Door) -> None:
    ada = door.owner()

    assert ada.ask("POST", "/logout").status == 204
    assert ada.ask("GET", "/session").status == 401


def test_a_login_ends_when_nothing_is_asked_for_a_day(door: Door) -> None:
    ada = door.owner()
    for _ in range(3):
        door.clock.pass_by(hours=23)
        assert ada.ask("GET", "/session").status == 200

    door.clock.pass_by(hours=24)

    assert ada.ask("GET", "/session").status == 401


def test_a_login_ends_after_two_weeks_however_much_is_asked(door: Door) -> None:
    ada = door.owner()
    for _ in range(27):
        door.clock.pass_by(hours=12)
        assert ada.ask("GET", "/session").status == 200

    door.clock.pass_by(hours=12)

    assert ada.ask("GET", "/session").status == 401


def test_a_new_password_ends_every_other_login(door: Door) -> None:
    here, there = door.owner(), door.sign_in("ada")

    changed = here.ask("POST", "/password", {"old": PASSWORD, "new": "another long password"})

    assert Browser(door, changed).ask("GET", "/session").status == 200
    assert there.ask("GET", "/session").status == 401
    assert here.ask("GET", "/session").status == 401
    assert door.ask("POST", "/login", {"name": "ada", "password": PASSWORD}).status == 401
    door.sign_in("ada", "another long password")


def test_who_is_disabled_is_signed_out_and_stays_out(door: Door) -> None:
    ada = door.owner()
    door.people.users.add("bob", role="viewer", password=PASSWORD)
    bob = door.sign_in("bob")

    assert ada.ask("PATCH", "/users/bob", {"disabled": True}).status == 200

    assert bob.ask("GET", "/session").status == 401
    assert door.ask("POST", "/login", {"name": "bob", "password": PASSWORD}).status == 401


def test_the_last_owner_can_be_neither_disabled_nor_demoted(door: Door) -> None:
    ada = door.owner()

    assert ada.ask("PATCH", "/users/ada", {"disabled": True}).status == 409
    assert ada.ask("PATCH", "/users/ada", {"role": "editor"}).status == 409

    door.people.users.add("bob", role="owner", password=PASSWORD)
    assert ada.ask("PATCH", "/users/ada", {"role": "editor"}).status == 200


def test_an_invited_person_chooses_the_password(door: Door) -> None:
    ada = door.owner()
    link = ada.ask("POST", "/users", {"name": "bob", "role": "viewer"}).json["path"].rpartition("=")[2]

    assert door.ask("POST", "/login", {"name": "bob", "password": PASSWORD}).status == 401
    bob = Browser(door, door.ask("POST", "/invitation", {"link": link, "password": PASSWORD}))

    assert bob.ask("GET", "/traces").status == 200
    assert door.ask("POST", "/invitation", {"link": link, "password": PASSWORD}).status == 401
    assert door.ask("POST", "/owner", {"link": link, "name": "x", "password": PASSWORD}).status == 401


def test_a_role_in_one_project_is_none_in_another(door: Door) -> None:
    ada = door.owner()
    ada.ask("POST", "/projects", {"id": "shop"})
    door.people.users.add("bob", password=PASSWORD)
    bob = door.sign_in("bob")
    assert bob.ask("GET", "/traces").status == 404
    assert bob.ask("GET", "/session").json["projects"] == []

    ada.ask("PUT", "/members/bob?project=shop", {"role": "reviewer"})

    assert bob.ask("GET", "/traces?project=shop").status == 200
    assert bob.ask("GET", "/traces").status == 200  # of the one project that there is for bob
    assert bob.ask("GET", "/traces?project=default").status == 404
    assert bob.ask("POST", "/scores?project=shop", []).status == 200
    assert bob.ask("GET", "/keys?project=shop").status == 403

    ada.ask("DELETE", "/members/bob?project=shop")
    assert bob.ask("GET", "/traces?project=shop").status == 404


# Wrong tries


def test_who_is_wrong_too_often_has_to_wait_and_then_is_heard(door: Door) -> None:
    door.owner()

    def tried(name: str = "ada", password: str = WRONG, client: str = "192.0.2.7") -> Answer:
        return door.ask("POST", "/login", {"name": name, "password": password}, client=client)

    assert [tried().status for _ in range(5)] == [401] * 5
    refused = tried()
    assert refused.status == 429
    assert refused.code == "too_many_tries"
    assert int(refused.headers["retry-after"]) == 1
    assert tried(client="192.0.2.8").status == 429  # the name waits, wherever it is tried
    assert tried(password=PASSWORD, client="192.0.2.8").status == 429
    assert tried(name="bob").status == 429  # and the address, whoever is tried there
    assert tried(name="bob", client="192.0.2.8").status == 401

    door.clock.pass_by(seconds=1)
    assert tried(password=PASSWORD).status == 200
    assert [tried().status for _ in range(6)] == [401] * 5 + [429]


def test_a_link_is_not_guessed_at_either(door: Door) -> None:
    door.people.links.for_owner()
    asked = {"name": "ada", "password": PASSWORD}

    told = [door.ask("POST", "/owner", asked | {"link": f"guess {n}"}).status for n in range(6)]

    assert told == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("client", "forwarded", "behind_proxy", "whom"),
    [
        ("192.0.2.7", "", False, "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", False, "192.0.2.7"),  # which the client may have made up
        ("127.0.0.1", "198.51.100.1", True, "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", True, "198.51.100.1"),  # the proxy's own word is the last
        ("127.0.0.1", "203.0.113.9\n198.51.100.1", True, "198.51.100.1"),  # in a header of its own, as some write it
        ("127.0.0.1", "", True, "127.0.0.1"),
        ("127.0.0.1", "not an address", True, "unknown"),
        ("2001:db8:1:2:3:4:5:6", "", False, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "", False, "192.0.2.7"),
    ],
)
def test_tries_are_counted_by_the_address_that_nobody_can_choose(
    client: str, forwarded: str, behind_proxy: bool, whom: str
) -> None:
    listed = [(b"x-forwarded-for", line.encode()) for line in forwarded.split("\n")]
    scope = Scope(type="http", method="POST", path="/", query_string=b"", headers=listed, client=(client, 1))

    assert address_of(scope, behind_proxy=behind_proxy) == whom


# Proof of a page of ours


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"boxscore-csrf": ""}, "bad_token"),
        ({"boxscore-csrf": "0" * 64}, "bad_token"),
        ({"origin": ""}, "bad_token"),
        ({"origin": "https://example.com"}, "bad_origin"),
        ({"origin": "null"}, "bad_origin"),
        ({"host": "example.com"}, "bad_host"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_without_proof_changes_nothing(door: Door, method: str, headers: dict[str, str], kind: str) -> None:
    ada = door.owner()
    path = {"POST": "/users", "PUT": "/members/ada", "PATCH": "/users/ada", "DELETE": "/members/ada"}[method]

    refused = ada.ask(method, path, {"name": "eve", "role": "viewer"}, **headers)

    assert refused.status == 403
    assert refused.json["error"]["kind"] == kind
    assert [user.name for user in door.people.users.all()] == ["ada"]


def test_the_proof_of_one_login_is_none_of_another(door: Door) -> None:
    one, other = door.owner(), door.sign_in("ada")

    assert one.ask("POST", "/projects", {"id": "x"}, **{"boxscore-csrf": other.csrf}).status == 403
    assert one.ask("POST", "/projects", {"id": "x"}).status == 201


# Keys


def test_a_key_has_the_rights_that_it_was_given(door: Door) -> None:
    door.owner()
    key = door.key("read")

    assert door.ask_with(key, "GET", "/traces").status == 200
    assert door.ask_with(key, "POST", "/scores", []).status == 403
    assert door.ask_with(key, "GET", "/keys").status == 403


def test_a_revoked_key_opens_nothing_at_once(door: Door) -> None:
    ada, key = door.owner(), door.key("read", "ingest")
    assert door.ask_with(key, "GET", "/traces").status == 200

    assert ada.ask("DELETE", f"/keys/{key.id}").status == 200

    assert door.ask_with(key, "GET", "/traces").status == 401
    assert door.ask_with(key, "POST", "//v1/traces", b"").status == 401


def test_a_key_that_another_process_revoked_opens_nothing_two_seconds_later(door: Door) -> None:
    door.owner()
    key = door.key("read")
    assert door.ask_with(key, "GET", "/traces").status == 200

    door.people.keys.revoke("default", key.id)  # as another process does: nobody here is told
    door.clock.pass_by(seconds=2)

    assert door.ask_with(key, "GET", "/traces").status == 401


def test_a_key_ends_when_it_expires(door: Door) -> None:
    door.owner()
    key = door.key("read", expires_at=door.clock.now.replace(hour=1))
    assert door.ask_with(key, "GET", "/traces").status == 200

    door.clock.pass_by(seconds=3599.9)
    assert door.ask_with(key, "GET", "/traces").status == 200
    door.clock.pass_by(seconds=0.1)
    assert door.ask_with(key, "GET", "/traces").status == 401


def test_a_key_is_shown_whole_once(door: Door) -> None:
    ada = door.owner()
    made = ada.ask("POST", "/keys", {"name": "shop", "rights": ["read", "ingest"]}).json

    listed = ada.ask("GET", "/keys")

    assert made["secret"].startswith("bxs_")
    assert made["secret"].encode() not in listed.body
    assert listed.json[0]["last_four"] == made["secret"][-4:]
    assert door.people.audit.page("default").items[0].object == f"/keys/{made['id']}"


def test_a_key_gives_no_key_more_rights_than_its_own(door: Door) -> None:
    door.owner()
    key = door.key("admin", "read")

    assert door.ask_with(key, "POST", "/keys", {"name": "x", "rights": ["write"]}).status == 403
    assert door.ask_with(key, "POST", "/keys", {"name": "x", "rights": ["server"]}).status == 400
    assert door.ask_with(key, "POST", "/keys", {"name": "x", "rights": ["read"]}).status == 201


def test_a_program_with_a_key_calls_the_server_by_any_name(door: Door) -> None:
    door.owner()
    key = door.key("read")

    assert door.ask_with(key, "GET", "/traces", host="boxscore:4318").status == 200


def test_an_archived_project_can_be_read_and_nothing_else(door: Door) -> None:
    ada, key = door.owner(), door.key("read", "score", "ingest", "write")

    assert ada.ask("PATCH", "/projects/default", {"archived": True}).status == 200

    assert door.ask_with(key, "GET", "/traces").status == 200
    assert door.ask_with(key, "POST", "/scores", []).status == 403
    assert door.ask_with(key, "POST", "//v1/traces", b"").status == 403
    assert ada.ask("PATCH", "/projects/default", {"archived": False}).status == 200
    assert door.ask_with(key, "POST", "/scores", []).status == 200


# Beside the API


def test_spans_come_with_the_right_to_send_them(door: Door) -> None:
    ada = door.owner()
    ada.ask("POST", "/projects", {"id": "shop"})
    key, reader = door.key("ingest", project="shop"), door.key("read", project="shop")
    body = {"resourceSpans": []}

    assert door.ask("POST", "//v1/traces", body).status == 401
    assert door.ask_with(reader, "POST", "//v1/traces", body).status == 403
    assert door.ask_with(key, "POST", "//v1/traces", body).status == 200
    assert door.ask_with(key, "POST", "//v1/traces", body, **{"boxscore-project": "default"}).status == 404


def test_health_is_told_to_everybody_and_metrics_to_who_may_read(door: Door) -> None:
    ada = door.owner()

    assert door.ask("GET", "//health/live", host="10.0.0.3:8400").status == 200
    assert door.ask("GET", "//health/ready", host="10.0.0.3:8400").status == 200
    assert door.ask("GET", "//metrics").status == 401
    assert door.ask_with(door.key("ingest"), "GET", "//metrics").status == 403
    assert door.ask_with(door.key("read"), "GET", "//metrics").status == 200
    assert ada.ask("GET", "//metrics").status == 200


@pytest.mark.parametrize("path", ["/session", "/traces", "/nothing", "/openapi.json"])
def test_no_proxy_on_the_way_keeps_an_answer(door: Door, path: str) -> None:
    answer = door.owner().ask("GET", path)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


# The record of writes


def test_every_write_is_written_down_with_who_and_what_came_of_it(door: Door) -> None:
    ada, key = door.owner(), door.key("score")
    door.ask_with(key, "POST", "/scores", [])
    door.ask_with(key, "DELETE", "/members/bob")
    ada.ask("PUT", "/members/bob", {"role": "viewer"})

    found = [(one.actor, one.action, one.object, one.outcome) for one in door.people.audit.page("default").items]

    assert found == [
        ("user ada", "PUT /members/{user}", "/members/bob", 404),
        (f"key {key.id}", "DELETE /members/{user}", "/members/bob", 403),
        (f"key {key.id}", "POST /scores", "/scores", 200),
    ]


def test_the_record_comes_in_pages_and_holds_no_secret(door: Door) -> None:
    ada = door.owner()
    made = [ada.ask("POST", "/keys", {"name": f"k{n}", "rights": ["read"]}).json for n in range(5)]
    door.ask("POST", "/login", {"name": PASSWORD, "password": "ada"})  # typed into the wrong field
    door.ask("POST", "/login", {"name": "ada", "password": "wrong horse battery"})

    pages, cursor = [], ""
    while cursor is not None:
        page = ada.ask("GET", f"/audit?limit=2{cursor and f'&cursor={cursor}'}").json
        pages += page["items"]
        cursor = page["cursor"]
    server = ada.ask("GET", "/audit?server=true")

    assert [one["object"] for one in pages] == [f"/keys/{key['id']}" for key in reversed(made)]
    assert [one["action"] for one in server.json["items"]] == ["POST /login", "POST /owner"]
    everything = str(pages).encode() + server.body
    for secret in [PASSWORD, ada.cookie.partition("=")[2], ada.csrf, *(key["secret"] for key in made)]:
        assert secret.encode() not in everything


def test_the_record_of_the_server_is_for_its_owners(door: Door) -> None:
    door.owner()
    key = door.key("admin")

    assert door.ask_with(key, "GET", "/audit").status == 200
    assert door.ask_with(key, "GET", "/audit?server=true").status == 403


def test_secrets_are_kept_as_hashes_alone(door: Door, tmp_path: Path) -> None:
    ada, key = door.owner(), door.key("read")
    door.runner.run(door.service.people.audit.note("a", "b", "c", 200, project=None))

    files = b"".join(path.read_bytes() for path in tmp_path.glob("records.db*"))

    assert b"ada" in files
    for secret in (PASSWORD, ada.cookie.partition("=")[2], ada.csrf, key.secret):
        assert secret.encode() not in files
