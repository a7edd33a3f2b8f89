"""The schema of the records store, whichever the database: fresh, or brought up step by step."""

# ruff: noqa: S608 - what is put into statements is our own words

import re
from collections.abc import Iterator
from pathlib import Path

from boxscore.errors import StoreError
from boxscore.store import migrations
from boxscore.store.migrations import REVISIONS

DEFAULT_PROJECT = "default"
POSTGRES_TYPES = {
    "VARCHAR": 'TEXT COLLATE "C"',
    "TEXT": 'TEXT COLLATE "C"',
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE PRECISION",
}
"""What holds on PostgreSQL just what the type to the left holds on SQLite: texts of any length that sort by code point,
and whole numbers of 64 bits."""
_SCHEMA = Path(__file__).with_name("schema.sql")
_MIGRATIONS = Path(migrations.__file__).parent
_TYPE = re.compile(r"\b(VARCHAR|TEXT|INTEGER|FLOAT)\b(\(\d+\))?")


def fresh(*, postgres: bool = False) -> list[str]:
    """The statements that make the newest schema where there is none: the same as all migrations one after another, to
    which a test holds it."""
    return [
        *_statements(_SCHEMA, postgres),
        f"INSERT INTO projects (id, name) VALUES ('{DEFAULT_PROJECT}', '{DEFAULT_PROJECT}')",
        f"INSERT INTO alembic_version (version_num) VALUES ('{REVISIONS[-1]}')",
    ]


def steps(since: str | None, to: str, *, postgres: bool = False) -> Iterator[tuple[str, list[str]]]:
    """The revisions after `since`, None for an empty database, up to `to`, oldest first, each with its statements. They
    are one transaction, whose last statement tells that it was done: a kill leaves the step before it."""
    begin = 0 if since is None else REVISIONS.index(since) + 1
    for revision in REVISIONS[begin : REVISIONS.index(to) + 1]:
        (path,) = _MIGRATIONS.glob(f"{revision}_*.sql")
        yield revision, [*_statements(path, postgres), f"UPDATE alembic_version SET version_num = '{revision}'"]


def check_known(revision: str | None, name: str) -> None:
    """A `StoreError` where a newer program wrote the database called `name`."""
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"{name} was written by a newer Boxscore (its schema is {revision}, this program knows up to "
            f"{REVISIONS[-1]}): upgrade Boxscore, or point it at another store. Nothing was changed."
        )


def _statements(path: Path, postgres: bool) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if postgres:
        text = _TYPE.sub(lambda found: POSTGRES_TYPES[found[1]], text)
    return [statement for statement in text.split(";\n") if statement.strip()]
