"""Projects, their members and keys: how a server is asked for them."""

from collections.abc import Sequence
from datetime import datetime

from boxscore.client.call import Call, ask, path, put, send
from boxscore.governance.keys import Key, NewKey
from boxscore.governance.projects import Member, Project
from boxscore.governance.roles import Right, Role

__all__ = [
    "create_key",
    "create_project",
    "keys",
    "members",
    "project",
    "projects",
    "put_member",
    "remove_member",
    "revoke_key",
]


def projects() -> Call[list[Project]]:
    """The projects that the caller may ask about."""
    return ask(list[Project], "/projects")


def project(id: str) -> Call[Project]:
    """One project. `NotFoundError` for one that the caller has no part in."""
    return ask(Project, path("projects", id))


def create_project(id: str, *, name: str | None = None) -> Call[Project]:
    """Makes a project. `ConflictError` where there is one."""
    return send(Project, "/projects", {"id": id, "name": name})


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
