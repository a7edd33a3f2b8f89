"""People, logins, links, keys and projects, on each kind of database."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from boxscore.errors import BoxscoreError, ConflictError, NotFoundError, UnauthenticatedError, UsageError
from boxscore.governance.links import Link
from boxscore.governance.logins import Login
from boxscore.governance.people import People
from boxscore.governance.tries import FREE, LONGEST_S, MOST, Tries
from boxscore.store.records.backend import Database
from boxscore.store.records.identity import LOGINS, Identity

PASSWORD = "correct horse battery"  # noqa: S105
OLD = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$Nfqp1cnBvT2RIxN5HpqXOQ"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(database: Database, clock: Clock) -> People:
    return People(database, clock=clock, monotonic=lambda: clock.now.timestamp())


@pytest.fixture
def link(people: People) -> Link:
    made = people.links.for_owner()
    assert made is not None
    return made


# Passwords


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_rfc_9106(people: People, database: Database) -> None:
    people.users.add("ada", password=PASSWORD)

    row = Identity(database).user("ada")
    assert row is not None
    assert row.password_hash is not None
    assert row.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert people.users.check("ada", PASSWORD).name == "ada"


def test_a_hash_with_other_parameters_is_made_anew_at_the_next_login(people: People, database: Database) -> None:
    from argon2 import PasswordHasher, profiles

    cheap = PasswordHasher.from_parameters(profiles.CHEAPEST).hash(PASSWORD)
    people.users.add_hashed("ada", cheap)

    with pytest.raises(UnauthenticatedError):
        people.users.check("ada", "another password")
    assert Identity(database).user("ada").password_hash == cheap  # type: ignore[union-attr]
    people.users.check("ada", PASSWORD)

    assert "$m=65536,t=3,p=4$" in Identity(database).user("ada").password_hash  # type: ignore[union-attr, operator]
    people.users.check("ada", PASSWORD)


def test_nobodys_name_takes_as_long_as_somebodys(people: People) -> None:
    people.users.add("ada", password=PASSWORD)
    people.users.add("invited")

    def fastest(name: str) -> float:
        times: list[float] = []
        for _ in range(3):
            began = time.process_time()
            with pytest.raises(UnauthenticatedError):
                people.users.check(name, "wrong horse battery")
            times.append(time.process_time() - began)
        return min(times)

    fastest("nobody")
    known, unknown, invited = fastest("ada"), fastest("nobody"), fastest("invited")
    assert 0.5 < unknown / known < 2
    assert 0.5 < invited / known < 2


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1025, "aaaaaaaaaaaaaaaa", "Ada Lovelace!"])
def test_a_password_that_anybody_would_try_is_refused(people: People, password: str) -> None:
    with pytest.raises(UsageError):
        people.users.add("ada lovelace!", password=password)
    assert not people.users.any()


@pytest.mark.parametrize("text", ["", "x", "$2b$12$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=65536,t=3,p=4$YQ$YQ"])
def test_only_a_hash_of_argon2id_is_taken_for_one(people: People, text: str) -> None:
    with pytest.raises(UsageError):
        people.users.add_hashed("ada", text)


@pytest.mark.parametrize("name", ["", " ada", "ada ", "a\nb", "x" * 101, "\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_refused(people: People, name: str) -> None:
    with pytest.raises(UsageError):
        people.users.add(name)


def test_a_name_is_taken_once(people: People) -> None:
    people.users.add("ada")
    with pytest.raises(ConflictError):
        people.users.add("ada", role="owner")
    assert people.users.get("ada").role is None


# Links


def test_of_fifty_that_redeem_a_link_at_once_one_becomes_owner(
    people: People, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxscore.governance.users._hasher", lambda: _Cheap())

    def redeem(number: int) -> str | None:
        try:
            return people.links.make_owner(link.token, f"user {number}", PASSWORD).name
        except UnauthenticatedError:
            return None

    with ThreadPoolExecutor(50) as pool:
        made = [name for name in pool.map(redeem, range(50)) if name is not None]

    assert len(made) == 1
    assert [user.name for user in people.users.all()] == made
    assert people.users.all()[0].role == "owner"


class _Cheap:
    def hash(self, password: str) -> str:
        return OLD


def test_a_link_that_is_spent_replaced_old_or_made_up_is_no_link(people: People, link: Link, clock: Clock) -> None:
    def refused(token: str) -> bool:
        try:
            people.links.make_owner(token, "eve", PASSWORD)
        except UnauthenticatedError:
            return True
        return False

    newer = people.links.for_owner()
    assert newer is not None
    assert refused(link.token)
    assert refused("made up")
    clock.now += timedelta(hours=24)
    assert refused(newer.token)
    assert not people.users.any()


def test_a_link_for_a_password_makes_no_owner_and_the_reverse(people: People, link: Link) -> None:
    people.links.make_owner(link.token, "ada", PASSWORD)
    people.users.add("bob")
    invited = people.links.for_user("bob")

    with pytest.raises(UnauthenticatedError):
        people.links.make_owner(invited.token, "eve", PASSWORD)
    assert people.links.choose_password(invited.token, PASSWORD).signs_in
    with pytest.raises(UnauthenticatedError):
        people.links.choose_password(invited.token, PASSWORD)


def test_a_link_of_somebody_disabled_opens_nothing(people: People) -> None:
    people.users.add("bob", password=PASSWORD)
    link = people.links.for_user("bob")
    people.users.disable("bob")

    with pytest.raises(UnauthenticatedError):
        people.links.choose_password(link.token, "another password")


# Logins and keys, seen through the roster


def test_a_login_holds_until_it_is_ended(people: People, clock: Clock) -> None:
    user = people.users.add("ada", role="viewer")
    one, other = people.logins.begin(user.id), people.logins.begin(user.id)
    roster = people.roster.read()
    assert roster.login(one.token, clock.now) is not None
    assert roster.login("made up", clock.now) is None

    people.logins.end_others(user.id, but=one.token)
    people.roster.forget()

    roster = people.roster.read()
    assert roster.login(one.token, clock.now) is not None
    assert roster.login(other.token, clock.now) is None


def test_of_many_logins_of_one_person_the_newest_are_kept(people: People, clock: Clock) -> None:
    ada, bob = people.users.add("ada"), people.users.add("bob")
    other = people.logins.begin(bob.id)
    made: list[Login] = []
    for _ in range(LOGINS + 10):
        clock.now += timedelta(seconds=1)
        made.append(people.logins.begin(ada.id))

    roster = people.roster.read()

    held = [roster.login(login.token, clock.now) is not None for login in made]
    assert held == [False] * 10 + [True] * LOGINS
    assert roster.login(other.token, clock.now) is not None


def test_what_another_process_changed_is_seen_after_two_seconds(
    people: People, database: Database, clock: Clock
) -> None:
    key = people.keys.create("default", "shop", ["read"])
    assert people.roster.read().key(key.secret, clock.now) is not None
    People(database, clock=clock).keys.revoke("default", key.id)
    assert people.roster.read().key(key.secret, clock.now) is not None

    clock.now += timedelta(seconds=2)

    assert people.roster.read().key(key.secret, clock.now) is None


def test_a_key_is_revoked_once_and_by_its_project_alone(people: People, clock: Clock) -> None:
    people.projects.create("shop")
    key = people.keys.create("shop", "checkout", ["ingest"])

    with pytest.raises(NotFoundError):
        people.keys.revoke("default", key.id)
    first = people.keys.revoke("shop", key.id).revoked_at
    clock.now += timedelta(hours=1)

    assert first == NOW
    assert people.keys.revoke("shop", key.id).revoked_at == first
    assert people.keys.all("default") == []


@pytest.mark.parametrize(
    ("name", "rights", "expires_at"),
    [("", ["read"], None), ("x", [], None), ("x", ["server"], None), ("x", ["read"], NOW), ("x", ["all"], None)],
)
def test_a_key_that_could_not_be_is_refused(
    people: People, name: str, rights: list[str], expires_at: datetime | None
) -> None:
    with pytest.raises(UsageError):
        people.keys.create("default", name, rights, expires_at=expires_at)


# Projects


def test_projects_are_made_renamed_and_archived(people: People) -> None:
    people.projects.create("shop", "The shop")
    with pytest.raises(ConflictError):
        people.projects.create("shop")
    with pytest.raises(ConflictError):
        people.projects.create("other", "The shop")
    with pytest.raises(ConflictError):
        people.projects.rename("shop", "default")

    people.projects.rename("shop", "Shop")
    assert people.projects.archive("shop").archived_at == NOW

    assert [(one.id, one.name) for one in people.projects.all()] == [("default", "default"), ("shop", "Shop")]
    assert people.projects.archive("shop", False).archived_at is None


@pytest.mark.parametrize("id", ["", "Shop", "a b", "-a", "a/b", "ü", "x" * 64, "../x"])
def test_an_id_that_would_not_stand_in_an_address_is_refused(people: People, id: str) -> None:
    with pytest.raises(UsageError):
        people.projects.create(id)


def test_a_member_has_one_role_that_can_change(people: People) -> None:
    people.users.add("ada")
    people.projects.put_member("default", "ada", "viewer")
    people.projects.put_member("default", "ada", "editor")

    assert [(one.user, one.role) for one in people.projects.members("default")] == [("ada", "editor")]
    people.projects.remove_member("default", "ada")
    with pytest.raises(NotFoundError):
        people.projects.remove_member("default", "ada")
    with pytest.raises(BoxscoreError):
        people.projects.put_member("default", "nobody", "viewer")


def test_two_owners_cannot_both_be_taken_away(people: People) -> None:
    people.users.add("ada", role="owner")
    people.users.add("bob", role="owner")

    people.users.set_role("ada", None)
    with pytest.raises(ConflictError):
        people.users.set_role("bob", "editor")
    with pytest.raises(ConflictError):
        people.users.disable("bob")
    assert people.users.get("bob").role == "owner"


# The record


def test_the_record_gives_each_entry_once_over_its_pages(people: People, clock: Clock) -> None:
    for number in range(7):
        people.audit.note_now("local", "POST /x", f"/x/{number}", 200, project="default")
        clock.now += timedelta(seconds=number % 2)
    people.audit.note_now("local", "POST /x", "/elsewhere", 200, project=None)

    found: list[str] = []
    cursor = None
    while True:
        page = people.audit.page("default", cursor=cursor, limit=3)
        found += [entry.object for entry in page.items]
        cursor = page.cursor
        if cursor is None:
            break

    assert found == [f"/x/{number}" for number in reversed(range(7))]
    assert [entry.object for entry in people.audit.page(None).items] == ["/elsewhere"]


# Tries


@pytest.fixture
def seconds() -> list[float]:
    return [0.0]


def test_each_wrong_try_waits_longer_up_to_a_limit(seconds: list[float]) -> None:
    tries = Tries(lambda: seconds[0])
    waits: list[float] = []
    for _ in range(FREE + 12):
        seconds[0] += tries.wait_s(["ada"])
        tries.wrong(["ada"])
        waits.append(tries.wait_s(["ada"]))

    assert waits[: FREE - 1] == [0.0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 3] == [1.0, 2.0, 4.0, 8.0]
    assert max(waits) == waits[-1] == LONGEST_S
    assert tries.wait_s(["bob"]) == 0.0
    seconds[0] += LONGEST_S
    assert tries.wait_s(["ada"]) == 0.0


def test_a_right_try_and_time_forget_wrong_ones(seconds: list[float]) -> None:
    tries = Tries(lambda: seconds[0])
    for _ in range(FREE):
        tries.wrong(["ada"])
    tries.right(["ada"])
    assert tries.wait_s(["ada"]) == 0.0

    for _ in range(FREE):
        tries.wrong(["ada"])
    seconds[0] += 3_601
    tries.wrong(["ada"])
    assert tries.wait_s(["ada"]) == 0.0


def test_what_is_remembered_of_tries_is_bounded() -> None:
    tries = Tries(lambda: 0.0)
    for number in range(3 * MOST):
        tries.wrong([f"name {number}", "address 192.0.2.7"])

    assert len(tries) == MOST
    assert tries.wait_s(["address 192.0.2.7"]) == LONGEST_S
