"""Projects: made, renamed, archived. Their members."""

import re
from collections.abc import Callable
from datetime import datetime

import msgspec

from boxscore.errors import ConflictError, NotFoundError, UsageError
from boxscore.governance.roles import Role
from boxscore.governance.users import check_role
from boxscore.store.records.identity import Identity, MemberRow, ProjectRow

__all__ = ["Member", "Project", "Projects"]

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """`id` stays and stands in addresses; `name` is what people call it. An archived one can be read, and nothing
    else."""

    id: str
    name: str
    created_at: datetime | None = None
    archived_at: datetime | None = None

    @classmethod
    def of(cls, row: ProjectRow) -> "Project":
        return cls(**msgspec.structs.asdict(row))


class Member(msgspec.Struct, frozen=True, kw_only=True):
    user: str
    role: Role
    since: datetime
    disabled: bool = False


class Projects:
    def __init__(self, store: Identity, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def all(self) -> list[Project]:
        return [Project.of(row) for row in self._store.projects()]

    def get(self, project: str) -> Project:
        return Project.of(self._row(project))

    def create(self, id: str, name: str | None = None) -> Project:
        """`ConflictError` where the id or the name is taken."""
        if not _ID.fullmatch(id):
            raise UsageError("a project's id has 1 to 63 letters a to z, digits and hyphens, as in support-desk.")
        row = ProjectRow(id=id, name=_name(id if name is None else name), created_at=self._clock())
        if not self._store.add_project(row):
            raise ConflictError("project", f"there is a project with the id {id!r} or the name {row.name!r} already.")
        return Project.of(row)

    def rename(self, project: str, name: str) -> Project:
        row = msgspec.structs.replace(self._row(project), name=_name(name))
        if any(other.name == name and other.id != project for other in self._store.projects()):
            raise ConflictError("project", f"another project is called {name!r} already.")
        return self._put(row)

    def archive(self, project: str, archived: bool = True) -> Project:
        row = self._row(project)
        if archived and row.archived_at is not None:
            return Project.of(row)
        return self._put(msgspec.structs.replace(row, archived_at=self._clock() if archived else None))

    # Members

    def members(self, project: str) -> list[Member]:
        names = {user.id: user for user in self._store.users()}
        return [
            Member(
                user=names[row.user_id].name,
                role=check_role(row.role) or "viewer",
                since=row.since,
                disabled=names[row.user_id].disabled_at is not None,
            )
            for row in self._store.members(project)
        ]

    def put_member(self, project: str, user: str, role: str) -> Member:
        """Makes a user a member, or gives a member another role. `NotFoundError` where nobody is called so."""
        checked = check_role(role)
        found = self._store.user(user)
        if found is None or checked is None:
            raise NotFoundError("user", user)
        self._store.put_member(
            MemberRow(project_id=self._row(project).id, user_id=found.id, role=checked, since=self._clock())
        )
        return next(member for member in self.members(project) if member.user == user)

    def remove_member(self, project: str, user: str) -> None:
        found = self._store.user(user)
        if found is None or not self._store.remove_member(project, found.id):
            raise NotFoundError("member", user)

    def _put(self, row: ProjectRow) -> Project:
        self._store.change_project(row)
        return Project.of(row)

    def _row(self, project: str) -> ProjectRow:
        for row in self._store.projects():
            if row.id == project:
                return row
        raise NotFoundError("project", project)


def _name(name: str) -> str:
    if not 0 < len(name) <= 100 or not name.isprintable() or name != name.strip():
        raise UsageError("a project's name has 1 to 100 printable characters and no space at its ends.")
    return name
