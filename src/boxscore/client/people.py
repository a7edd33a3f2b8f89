"""People, projects, their members and keys, and the record of writes: how a server is asked for them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from boxscore.client.call import Call, ask, path, put, send
from boxscore.governance.audit import AuditPage
from boxscore.governance.keys import Key, NewKey
from boxscore.governance.links import Link
from boxscore.governance.projects import Member, Project
from boxscore.governance.roles import Right, Role
from boxscore.governance.users import User

__all__ = [
    "Invitation",
    "Session",
    "Share",
    "add_user",
    "audit",
    "caller",
    "change_project",
    "change_user",
    "create_key",
    "create_project",
    "invite_user",
    "keys",
    "members",
    "project",
    "projects",
    "put_member",
    "remove_member",
    "revoke_key",
    "users",
]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller may do in a project."""

    id: str
    name: str
    archived: bool
    rights: list[Right]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `name` is a person's; of kind "local" it is whoever sits at this machine, while there are no users.
    `csrf` goes into the header boxscore-csrf of whatever changes something, None where that is not asked for.
    `server`: whether the caller manages users and projects."""

    kind: str
    name: str
    role: Role | None
    server: bool
    csrf: str | None
    projects: list[Share]


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is the one-time link without the server's address: give it to the person, and to nobody else. It is told
    this once."""

    user: User
    path: str
    link: Link


def caller() -> Call[Session]:
    """Who asks, and what they may do in each project."""
    return ask(Session, "/session")


def users() -> Call[list[User]]:
    """Everybody whom the server knows."""
    return ask(list[User], "/users")


def add_user(name: str, *, role: Role | None = None) -> Call[Invitation]:
    """Adds a person, with a one-time link to choose a password by; `role` is in every project. `ConflictError` where
    the name is taken."""
    return send(Invitation, "/users", {"name": name, "role": role}, once=False)


def invite_user(name: str) -> Call[Invitation]:
    """A new one-time link by which the person chooses a password; the one before works no more."""
    return send(Invitation, path("users", name, "link"), once=False)


def change_user(
    name: str, *, role: Role | msgspec.UnsetType | None = msgspec.UNSET, disabled: bool | None = None
) -> Call[User]:
    """Changes a person's role in every project, or disables the person. What is left out stays."""
    body: dict[str, object] = {"disabled": disabled} if role is msgspec.UNSET else {"disabled": disabled, "role": role}
    return send(User, path("users", name), body, method="PATCH")


def audit(*, server: bool = False, limit: int = 100, cursor: str | None = None) -> Call[AuditPage]:
    """Who changed what in the project, the newest first; with `server` what is of no project."""
    return ask(AuditPage, "/audit", server=server, limit=limit, cursor=cursor)


def projects() -> Call[list[Project]]:
    """The projects that the caller may ask about."""
    return ask(list[Project], "/projects")


def project(id: str) -> Call[Project]:
    """One project. `NotFoundError` for one that the caller has no part in."""
    return ask(Project, path("projects", id))


def create_project(id: str, *, name: str | None = None) -> Call[Project]:
    """Makes a project. `ConflictError` where there is one."""
    return send(Project, "/projects", {"id": id, "name": name})


def change_project(id: str, *, name: str | None = None, archived: bool | None = None) -> Call[Project]:
    """Renames or archives a project. What is left out stays."""
    return send(Project, path("projects", id), {"name": name, "archived": archived}, method="PATCH")


def members() -> Call[list[Member]]:
    """Who has a role in the project."""
    return ask(list[Member], "/members")


def put_member(user: str, role: Role) -> Call[Member]:
    """Makes a user a member, or gives a member another role."""
    return put(Member, path("members", user), {"role": role})


def remove_member(user: str) -> Call[None]:
    """Ends a membership."""
    return Call(method="DELETE", path=path("members", user), kind=type(None))


def keys() -> Call[list[Key]]:
    """The project's keys, the newest first; never a key itself."""
    return ask(list[Key], "/keys")


def create_key(name: str, rights: Sequence[Right], *, expires_at: datetime | None = None) -> Call[NewKey]:
    """Makes a key of the project. Its `secret` is told this once."""
    body = {"name": name, "rights": list(rights), "expires_at": expires_at}
    return send(NewKey, "/keys", body, once=False)


def revoke_key(key: str) -> Call[Key]:
    """Revokes a key."""
    return Call(method="DELETE", path=path("keys", key), kind=Key)
