"""Users of the server, and members of a project."""

import msgspec

from boxscore.client.people import Invitation
from boxscore.governance.links import Link
from boxscore.governance.projects import Member
from boxscore.governance.roles import Role
from boxscore.governance.users import User
from boxscore.server.api.parameters import Asked, Project
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["ChangedUser", "NewUser", "RoleIn", "add"]


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """`role` is in every project; without one the person is to be made member of some."""

    name: str
    role: Role | None = None


class ChangedUser(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays. `role` null takes the role in every project away."""

    role: Role | msgspec.UnsetType | None = msgspec.UNSET
    disabled: bool | None = None


class RoleIn(msgspec.Struct, frozen=True, kw_only=True):
    role: Role


def add(api: Api, service: Service) -> None:
    people = service.people

    @api.get("/members", answer=list[Member], right="admin")
    def members(project: Project) -> list[Member]:
        """Who has a role in the project; who has one in every project is not among them."""
        return people.projects.members(project)

    @api.put("/members/{user}", body=RoleIn, answer=Member, right="admin", errors=(404,))
    def put_member(project: Project, user: str, body: RoleIn) -> Member:
        """Makes a user a member, or gives a member another role."""
        member = people.projects.put_member(project, user, body.role)
        people.roster.forget()
        return member

    @api.delete("/members/{user}", right="admin", errors=(404,))
    def remove_member(project: Project, user: str) -> None:
        """Ends a membership."""
        people.projects.remove_member(project, user)
        people.roster.forget()

    @api.get("/users", answer=list[User], right="server")
    def users() -> list[User]:
        """Everybody whom the server knows."""
        return people.users.all()

    @api.post("/users", status=201, body=NewUser, answer=Invitation, right="server", once=False, errors=(409,))
    def add_user(asked: Asked, body: NewUser) -> Invitation:
        """Adds a person, with a one-time link to choose a password by."""
        user = people.users.add(body.name, role=body.role)
        people.roster.forget()
        asked["object"] = f"/users/{user.name}"
        return _invitation(user, people.links.for_user(user.name))

    @api.patch("/users/{user}", body=ChangedUser, answer=User, right="server", errors=(404, 409))
    def change_user(user: str, body: ChangedUser) -> User:
        """Changes a person's role in every project, or disables the person: then all logins end."""
        found = people.users.get(user)
        if body.role is not msgspec.UNSET:
            found = people.users.set_role(user, body.role)
        if body.disabled is not None:
            found = people.users.disable(user, body.disabled)
        people.roster.forget()
        return found

    @api.post("/users/{user}/link", status=201, answer=Invitation, right="server", once=False, errors=(404,))
    def invite_user(user: str) -> Invitation:
        """A new one-time link by which the person chooses a password; the one before works no more."""
        return _invitation(people.users.get(user), people.links.for_user(user))


def _invitation(user: User, link: Link) -> Invitation:
    return Invitation(user=user, path=f"/login#link={link.token}", link=link)
