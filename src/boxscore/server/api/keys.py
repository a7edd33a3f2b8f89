"""Keys of programs."""

from datetime import datetime

import msgspec

from boxscore.errors import ForbiddenError
from boxscore.governance.keys import Key, NewKey
from boxscore.governance.roles import Right
from boxscore.server.api.parameters import Asked, Asker
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["KeyAsked", "add"]


class KeyAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`rights` are some of read, score, ingest, write and admin. Without `expires_at` it holds until it is revoked."""

    name: str
    rights: list[Right]
    expires_at: datetime | None = None


def add(api: Api, service: Service) -> None:
    people = service.people

    @api.get("/keys", answer=list[Key], right="admin")
    def keys(asker: Asker) -> list[Key]:
        """The project's keys, those revoked and expired too, the newest first; never a key itself."""
        return people.keys.all(asker.project)

    @api.post("/keys", status=201, body=KeyAsked, answer=NewKey, right="admin", once=False)
    def create_key(asked: Asked, asker: Asker, body: KeyAsked) -> NewKey:
        """Makes a key of the project. Its `secret` is told this once. Nobody gives a key rights beyond their own."""
        for right in body.rights:
            if right != "server" and not asker.may(right):
                raise ForbiddenError(right, asker.project)
        key = people.keys.create(asker.project, body.name, body.rights, by=asker.name, expires_at=body.expires_at)
        people.roster.forget()
        asked["object"] = f"/keys/{key.id}"
        return key

    @api.delete("/keys/{key}", answer=Key, right="admin", errors=(404,))
    def revoke_key(asker: Asker, key: str) -> Key:
        """Revokes a key: at once here, within two seconds in every other process."""
        revoked = people.keys.revoke(asker.project, key)
        people.roster.forget()
        return revoked
