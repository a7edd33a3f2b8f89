"""Projects. A route with a project's id in its path is about that project, and its right is asked for there."""

import msgspec

from boxscore.governance.projects import Project
from boxscore.server.api.parameters import Asked, Asker
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["ChangedProject", "NewProject", "add"]


class NewProject(msgspec.Struct, frozen=True, kw_only=True):
    """`id` stays and stands in addresses: letters a to z, digits and hyphens. `name` is the id where it is left out."""

    id: str
    name: str | None = None


class ChangedProject(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays. An archived project can be read, and nothing else."""

    name: str | None = None
    archived: bool | None = None


def add(api: Api, service: Service) -> None:
    people = service.people

    @api.get("/projects", answer=list[Project], right="none", errors=(401,))
    async def projects(asker: Asker) -> list[Project]:
        """The projects that the caller may ask about."""
        asker.require_someone()
        roster = await service.access.roster()
        user = asker.user
        mine = {asker.project} if user is None else set(roster.projects_of(user))
        found = await service.ask(people.projects.all)
        return [project for project in found if asker.kind == "local" or project.id in mine]

    @api.post("/projects", status=201, body=NewProject, answer=Project, right="server", errors=(409,))
    def create_project(asked: Asked, body: NewProject) -> Project:
        """Makes a project."""
        project = people.projects.create(body.id, body.name)
        people.roster.forget()
        asked["object"] = f"/projects/{project.id}"
        return project

    @api.get("/projects/{project}", answer=Project, right="read", errors=(404,))
    def project(asker: Asker) -> Project:
        """One project."""
        return people.projects.get(asker.project)

    @api.patch("/projects/{project}", body=ChangedProject, answer=Project, right="admin", errors=(404, 409))
    def change_project(asker: Asker, body: ChangedProject) -> Project:
        """Renames or archives a project, or takes it out of the archive."""
        found = people.projects.get(asker.project)
        if body.name is not None:
            found = people.projects.rename(asker.project, body.name)
        if body.archived is not None:
            found = people.projects.archive(asker.project, body.archived)
        people.roster.forget()
        return found
