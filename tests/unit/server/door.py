"""A server's door without its ports: requests go to the application as they would come from the network."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

from argon2 import PasswordHasher, profiles

from boxscore.governance.keys import NewKey
from boxscore.governance.people import People
from boxscore.server.app import App
from boxscore.server.limits import Limits
from boxscore.server.service import Service
from boxscore.store.records import Records
from boxscore.store.spans import SqliteSpans
from boxscore.tracing.ingest import Ingest

HOST = "localhost:8400"
PASSWORD = "correct horse battery"  # noqa: S105
JSON = "application/json"


class Clock:
    """Stands still but for `pass_by`; tells the time of day and, called by `seconds`, that of a stopwatch."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


class Answer:
    """`headers` in lower case."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode().lower(): value.decode() for name, value in headers}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of an error."""
        return self.json["error"]["code"]


class Browser:
    """Somebody signed in: the cookie, and the proof that goes with writes."""

    def __init__(self, door: "Door", answer: Answer) -> None:
        assert answer.status == 200, answer.body
        self._door = door
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        self.csrf: str = answer.json["csrf"]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        proof = {"cookie": self.cookie, "origin": f"http://{HOST}", "boxscore-csrf": self.csrf}
        return self._door.ask(method, path, body, **proof | headers)


class Door:
    def __init__(self, home: Path, records: Records, store: SqliteSpans, ingest: Ingest, *public: str) -> None:
        self.clock = Clock()
        self.people = People(records.database, clock=self.clock, monotonic=self.clock.seconds)
        self.records = records
        self.service = Service(store, ingest, records, Limits(), public=public, people=self.people)
        self.app = App(self.service)
        self.runner = asyncio.Runner()

    def ask(
        self, method: str, path: str, body: object = None, *, client: str | None = "127.0.0.1", **headers: str
    ) -> Answer:
        """`body` is sent as JSON, but for bytes; `path` without `/api/v1`, or a whole one that starts with `//`. Of a
        stream of events only its head is waited for."""
        return self.runner.run(self._ask(method, path, body, client, headers))

    def ask_with(self, key: NewKey, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return self.ask(method, path, body, authorization=f"Bearer {key.secret}", **headers)

    def owner(self, name: str = "ada") -> Browser:
        """The first owner, made by the link that the server prints."""
        link = self.people.links.for_owner()
        assert link is not None
        self.people.roster.forget()
        made = self.ask("POST", "/owner", {"link": link.token, "name": name, "password": PASSWORD}, origin=ORIGIN)
        return Browser(self, made)

    def sign_in(self, name: str, password: str = PASSWORD) -> Browser:
        return Browser(self, self.ask("POST", "/login", {"name": name, "password": password}, origin=ORIGIN))

    def key(self, *rights: str, project: str = "default", expires_at: datetime | None = None) -> NewKey:
        made = self.people.keys.create(project, "a program", rights, expires_at=expires_at)
        self.people.roster.forget()
        return made

    async def _ask(self, method: str, path: str, body: object, client: str | None, headers: dict[str, str]) -> Answer:
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        listed = {"host": HOST} | ({"content-type": JSON} if body is not None else {}) | headers
        path = path[1:] if path.startswith("//") else f"/api/v1{path}"
        where, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": where,
            "raw_path": quote(where).encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in listed.items() if value],
            "client": None if client is None else (client, 50000),
            "scheme": "http",
            "server": ("127.0.0.1", 8400),
            "root_path": "",
        }
        parts = iter([{"type": "http.request", "body": sent}])
        left = asyncio.Event()
        began: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.get_running_loop().create_future()
        got = bytearray()

        async def receive() -> dict[str, object]:
            for part in parts:
                return part
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                began.set_result((event["status"], list(event["headers"])))
            else:
                got.extend(event.get("body", b""))

        task = asyncio.create_task(self.app(scope, receive, send))  # type: ignore[arg-type]
        await asyncio.wait({began, task}, return_when=asyncio.FIRST_COMPLETED)
        status, found = await began
        if b"text/event-stream" in dict(found).get(b"content-type", b""):
            task.cancel()
        left.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return Answer(status, found, bytes(got))


ORIGIN = f"http://{HOST}"


@contextlib.contextmanager
def opened(home: Path, *public: str) -> Iterator[Door]:
    """A door to a new home. Passwords are hashed at little cost: what they cost is tested elsewhere."""
    cheap = PasswordHasher.from_parameters(profiles.CHEAPEST)
    with (
        mock.patch("boxscore.governance.users._hasher", return_value=cheap),
        mock.patch("boxscore.governance.users._nobodys_hash", return_value=cheap.hash("nobody's")),
        SqliteSpans(home) as store,
        Ingest(store) as ingest,
        Records.open(home) as records,
    ):
        door = Door(home, records, store, ingest, *public)
        yield door
        door.runner.close()
        door.service.close()
