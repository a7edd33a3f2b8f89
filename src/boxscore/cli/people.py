"""What the commands over people, keys and projects ask: a server by its API, or the store of this folder itself.

The folder is asked directly even while a server has it, for whoever can write it owns it, and can so help an owner in
again who has lost every password. The server sees a change within two seconds.
"""

import getpass
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Protocol, TypeVar

import click
import msgspec

from boxscore import settings
from boxscore.client import people as asked
from boxscore.client.call import Address
from boxscore.client.link import BlockingLink
from boxscore.governance.audit import AuditPage
from boxscore.governance.keys import Key, NewKey
from boxscore.governance.people import People
from boxscore.governance.projects import Member, Project
from boxscore.governance.roles import Right, Role
from boxscore.governance.users import User
from boxscore.text import stripped

__all__ = ["Invited", "Office", "of_project", "office", "table"]

Found = TypeVar("Found")

of_project = click.option("--project", metavar="ID", help="The project. Default: BOXSCORE_PROJECT, else default.")


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is the one-time link behind the server's address, None for one who has a password already."""

    user: User
    path: str | None


class Office(Protocol):
    """Where people, keys and projects are managed."""

    url: str

    def keys(self) -> list[Key]: ...
    def create_key(self, name: str, rights: list[Right], expires_at: datetime | None) -> NewKey: ...
    def revoke_key(self, key: str) -> Key: ...
    def users(self) -> list[User]: ...
    def add_user(self, name: str, role: Role | None, password: str | None) -> Invited: ...
    def invite(self, name: str, password: str | None) -> Invited: ...
    def disable(self, name: str, disabled: bool) -> User: ...
    def set_role(self, name: str, role: Role | None) -> User: ...
    def members(self) -> list[Member]: ...
    def put_member(self, user: str, role: Role) -> Member: ...
    def remove_member(self, user: str) -> None: ...
    def projects(self) -> list[Project]: ...
    def create_project(self, id: str, name: str | None) -> Project: ...
    def change_project(self, id: str, name: str | None, archived: bool | None) -> Project: ...
    def audit(self, server: bool, cursor: str | None, limit: int) -> AuditPage: ...


@contextmanager
def office(project: str | None = None) -> Generator[Office]:
    """That of the server at `BOXSCORE_URL`, else of this folder."""
    chosen = settings.load()
    if project is not None:
        chosen = msgspec.structs.replace(chosen, project=project)
    if chosen.url:
        with closing(BlockingLink(Address.of(chosen.url, chosen.api_key, chosen.project))) as link:
            yield _OfServer(link)
        return
    from boxscore.client.place import find_place
    from boxscore.store.records import Records

    home = settings.home(chosen)
    place = find_place(home)
    with Records.open(home, chosen.records_url) as records:
        url = place.url if place is not None else "http://127.0.0.1:8400"
        yield _OfFolder(People(records.database), chosen.project or "default", url)


def table(rows: list[tuple[str, ...]]) -> None:
    """The first row is the heading. What others chose, names and addresses, is written as text."""
    rows = [tuple(map(stripped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class _OfServer:
    def __init__(self, link: BlockingLink) -> None:
        self._link = link
        self.url = link.address.url

    def keys(self) -> list[Key]:
        return self._link.ask(asked.keys())

    def create_key(self, name: str, rights: list[Right], expires_at: datetime | None) -> NewKey:
        return self._link.ask(asked.create_key(name, rights, expires_at=expires_at))

    def revoke_key(self, key: str) -> Key:
        return self._link.ask(asked.revoke_key(key))

    def users(self) -> list[User]:
        return self._link.ask(asked.users())

    def add_user(self, name: str, role: Role | None, password: str | None) -> Invited:
        _no_password(password)
        made = self._link.ask(asked.add_user(name, role=role))
        return Invited(user=made.user, path=made.path)

    def invite(self, name: str, password: str | None) -> Invited:
        _no_password(password)
        made = self._link.ask(asked.invite_user(name))
        return Invited(user=made.user, path=made.path)

    def disable(self, name: str, disabled: bool) -> User:
        return self._link.ask(asked.change_user(name, disabled=disabled))

    def set_role(self, name: str, role: Role | None) -> User:
        return self._link.ask(asked.change_user(name, role=role))

    def members(self) -> list[Member]:
        return self._link.ask(asked.members())

    def put_member(self, user: str, role: Role) -> Member:
        return self._link.ask(asked.put_member(user, role))

    def remove_member(self, user: str) -> None:
        self._link.ask(asked.remove_member(user))

    def projects(self) -> list[Project]:
        return self._link.ask(asked.projects())

    def create_project(self, id: str, name: str | None) -> Project:
        return self._link.ask(asked.create_project(id, name=name))

    def change_project(self, id: str, name: str | None, archived: bool | None) -> Project:
        return self._link.ask(asked.change_project(id, name=name, archived=archived))

    def audit(self, server: bool, cursor: str | None, limit: int) -> AuditPage:
        return self._link.ask(asked.audit(server=server, cursor=cursor, limit=limit))


class _OfFolder:
    def __init__(self, people: People, project: str, url: str) -> None:
        self._people = people
        self._project = project
        self.url = url

    def keys(self) -> list[Key]:
        return self._people.keys.all(self._known())

    def create_key(self, name: str, rights: list[Right], expires_at: datetime | None) -> NewKey:
        project = self._known()
        key = self._people.keys.create(project, name, rights, by="local", expires_at=expires_at)
        self._note("keys create", f"/keys/{key.id}", project)
        return key

    def revoke_key(self, key: str) -> Key:
        return self._noted("keys revoke", f"/keys/{key}", lambda: self._people.keys.revoke(self._project, key))

    def users(self) -> list[User]:
        return self._people.users.all()

    def add_user(self, name: str, role: Role | None, password: str | None) -> Invited:
        user = self._people.users.add(name, role=role, password=password)
        self._note("users add", f"/users/{user.name}", None)
        return Invited(user=user, path=self._path(name) if password is None else None)

    def invite(self, name: str, password: str | None) -> Invited:
        user = self._people.users.get(name)
        self._note("users password", f"/users/{user.name}", None)
        if password is None:
            return Invited(user=user, path=self._path(name))
        user = self._people.users.set_password(name, password)
        self._people.logins.end_others(user.id)
        return Invited(user=user, path=None)

    def disable(self, name: str, disabled: bool) -> User:
        action = "users disable" if disabled else "users enable"
        return self._noted(action, f"/users/{name}", lambda: self._people.users.disable(name, disabled), server=True)

    def set_role(self, name: str, role: Role | None) -> User:
        return self._noted("users role", f"/users/{name}", lambda: self._people.users.set_role(name, role), server=True)

    def members(self) -> list[Member]:
        return self._people.projects.members(self._known())

    def put_member(self, user: str, role: Role) -> Member:
        def put() -> Member:
            return self._people.projects.put_member(self._project, user, role)

        return self._noted("members add", f"/members/{user}", put)

    def remove_member(self, user: str) -> None:
        def remove() -> None:
            self._people.projects.remove_member(self._project, user)

        self._noted("members remove", f"/members/{user}", remove)

    def projects(self) -> list[Project]:
        return self._people.projects.all()

    def create_project(self, id: str, name: str | None) -> Project:
        def create() -> Project:
            return self._people.projects.create(id, name)

        return self._noted("project create", f"/projects/{id}", create, server=True)

    def change_project(self, id: str, name: str | None, archived: bool | None) -> Project:
        found = self._people.projects.get(id)
        if name is not None:
            found = self._people.projects.rename(id, name)
        if archived is not None:
            found = self._people.projects.archive(id, archived)
        self._note("project change", f"/projects/{id}", id)
        return found

    def audit(self, server: bool, cursor: str | None, limit: int) -> AuditPage:
        return self._people.audit.page(None if server else self._known(), cursor=cursor, limit=limit)

    def _known(self) -> str:
        """The project, if it is one: `NotFoundError`."""
        return self._people.projects.get(self._project).id

    def _path(self, name: str) -> str:
        return f"/login#link={self._people.links.for_user(name).token}"

    def _noted(self, action: str, object: str, do: Callable[[], Found], *, server: bool = False) -> Found:
        done = do()
        self._note(action, object, None if server else self._project)
        return done

    def _note(self, action: str, object: str, project: str | None) -> None:
        self._people.audit.note_now(f"local {getpass.getuser()}", action, object, 200, project=project)


def _no_password(password: str | None) -> None:
    if password is not None:
        raise click.UsageError("a password is set in the server's own folder alone; here the person gets a link.")
