"""The record of writes."""

from typing import Annotated

from fastapi import Query

from boxscore.governance.audit import AuditPage
from boxscore.server.api.parameters import Asker, Cursor, Limit
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    people = service.people

    @api.get("/audit", answer=AuditPage, right="admin")
    def audit(
        asker: Asker,
        limit: Limit = 100,
        cursor: Cursor = None,
        server: Annotated[bool, Query(description="What is of no project: logins, users, projects.")] = False,
    ) -> AuditPage:
        """Who changed what in the project, and what they were told, the newest first."""
        if server:
            asker.require("server")
        return people.audit.page(None if server else asker.project, cursor=cursor, limit=limit)
