"""Signing in and out, and who one is."""

import msgspec
from starlette.responses import Response

from boxscore.client.forms import encode
from boxscore.client.people import Session, Share
from boxscore.errors import UnauthenticatedError
from boxscore.governance.logins import Login, csrf_of
from boxscore.governance.roles import RIGHTS, Right
from boxscore.governance.users import User
from boxscore.server.access import Caller, address_of
from boxscore.server.answers import Answer
from boxscore.server.api.parameters import Asked, Asker
from boxscore.server.api.routes import Api
from boxscore.server.body import Scope
from boxscore.server.service import Service

__all__ = ["Credentials", "NewOwner", "NewPassword", "Redeemed", "add"]


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    password: str


class NewOwner(msgspec.Struct, frozen=True, kw_only=True):
    """`link` is what follows `#owner=` in the one-time link."""

    link: str
    name: str
    password: str


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """`link` is what follows `#link=` in the one-time link."""

    link: str
    password: str


class NewPassword(msgspec.Struct, frozen=True, kw_only=True):
    old: str
    new: str


def add(api: Api, service: Service) -> None:
    people, access, sign_in = service.people, service.access, service.sign_in

    async def told(caller: Caller, csrf: str | None) -> Session:
        roster = await access.roster()
        rights = {
            project: caller.rights
            if caller.user is None and project == caller.project
            else roster.limited(caller.rights, project)
            if caller.kind == "local"
            else roster.rights_of(caller.user, project)
            if caller.user is not None
            else frozenset[Right]()
            for project in sorted(roster.projects)
        }
        names = {project.id: project.name for project in await service.ask(people.projects.all)}
        return Session(
            kind=caller.kind,
            name=caller.user.name if caller.user is not None else caller.name,
            role=caller.user.role if caller.user is not None else None,
            server="server" in caller.rights or (caller.user is not None and caller.user.role == "owner"),
            csrf=csrf,
            projects=[
                Share(
                    id=project,
                    name=names.get(project, project),
                    archived=roster.projects[project],
                    rights=[right for right in RIGHTS if right in has],
                )
                for project, has in rights.items()
                if has
            ],
        )

    async def signed_in(scope: Scope, user: User, action: str) -> Response:
        """A new login for the browser that asks, in place of the one that it may have."""
        old = access.token(scope)
        login = await service.ask(lambda: people.logins.begin(user.id))
        if old:
            await service.ask(lambda: people.logins.end(old))
        people.roster.forget()
        await people.audit.note(f"user {user.name}", action, action.partition(" ")[2], 200, project=None)
        caller = Caller(kind="user", name=f"user {user.name}", project="", rights=frozenset(), user=user)
        answer = Answer(encode(await told(caller, csrf_of(login.token))), service.answers)
        _set_cookie(answer, service, scope, login)
        return answer

    def address(scope: Scope) -> str:
        return address_of(scope, behind_proxy=bool(service.public))

    @api.post("/login", body=Credentials, answer=Session, right="none", once=False, errors=(401, 429))
    async def login(asked: Asked, body: Credentials) -> Response:
        """Signs a person in: the answer sets a cookie. Wrong tries have to wait, longer each time."""
        try:
            user = await sign_in.check(body.name, body.password, address(asked))
        except UnauthenticatedError:
            # What is no name may be a password, and would fill the record at the pace of whoever tries.
            if any(user.name == body.name for user in (await access.roster()).users.values()):
                await people.audit.note(f"user {body.name}", "POST /login", "/login", 401, project=None)
            raise
        return await signed_in(asked, user, "POST /login")

    @api.post("/owner", body=NewOwner, answer=Session, right="none", once=False, errors=(401, 409, 429))
    async def make_owner(asked: Asked, body: NewOwner) -> Response:
        """Makes the first owner by the one-time link that the server printed, and signs that person in."""
        user = await sign_in.redeem(
            lambda: people.links.make_owner(body.link, body.name, body.password), address(asked)
        )
        return await signed_in(asked, user, "POST /owner")

    @api.post("/invitation", body=Redeemed, answer=Session, right="none", once=False, errors=(401, 429))
    async def redeem_invitation(asked: Asked, body: Redeemed) -> Response:
        """Chooses the password of the person whom a one-time link is for, and signs that person in."""
        user = await sign_in.redeem(lambda: people.links.choose_password(body.link, body.password), address(asked))
        return await signed_in(asked, user, "POST /invitation")

    @api.get("/session", answer=Session, right="none", errors=(401,))
    async def whoami(asked: Asked, asker: Asker) -> Session:
        """Who asks, and what they may do in each project."""
        _someone(asker)
        token = access.token(asked) if asker.kind == "user" else ""
        return await told(asker, csrf_of(token) if token else None)

    @api.post("/logout", answer=None, right="none", once=False, errors=(401,))
    async def logout(asked: Asked, asker: Asker) -> Response:
        """Ends the login of this browser."""
        _someone(asker)
        token = access.token(asked)
        await service.ask(lambda: people.logins.end(token))
        people.roster.forget()
        await people.audit.note(asker.name, "POST /logout", "/logout", 204, project=None)
        answer = Response(status_code=204)
        secure = access.is_secure(asked)
        name = access.cookie_name(asked, secure=secure)
        answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
        return answer

    @api.post("/password", body=NewPassword, answer=Session, right="none", once=False, errors=(401, 429))
    async def change_password(asked: Asked, asker: Asker, body: NewPassword) -> Response:
        """Changes one's own password. Other browsers that are signed in are so no more."""
        _someone(asker)
        user = asker.user
        if user is None:
            raise UnauthenticatedError("only a person who is signed in has a password to change.")
        await sign_in.check(user.name, body.old, address(asked))
        await sign_in.hash(lambda: people.users.set_password(user.name, body.new))
        await service.ask(lambda: people.logins.end_others(user.id))
        return await signed_in(asked, user, "POST /password")


def _someone(caller: Caller) -> None:
    """A person without any project is somebody too."""
    if not caller.elsewhere:
        caller.require_someone()


def _set_cookie(answer: Response, service: Service, scope: Scope, login: Login) -> None:
    secure = service.access.is_secure(scope)
    answer.set_cookie(
        service.access.cookie_name(scope, secure=secure),
        login.token,
        expires=login.expires_at,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
