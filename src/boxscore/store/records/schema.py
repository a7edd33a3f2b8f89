"""The schema of the records store, whichever the database: fresh, or brought up step by step."""

# ruff: noqa: S608 - what is put into statements is our own words

import re
from pathlib import Path
from typing import TYPE_CHECKING

from boxscore.errors import StoreError
from boxscore.store.migrations import REVISIONS

if TYPE_CHECKING:
    from sqlalchemy import Engine

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
_TYPE = re.compile(r"\b(VARCHAR|TEXT|INTEGER|FLOAT)\b(\(\d+\))?")


def fresh(*, postgres: bool = False) -> list[str]:
    """The statements that make the newest schema where there is none. The same as all migrations one after another,
    which a test holds it to, but without Alembic: that takes a third of a second and 20 MB to import."""
    text = _SCHEMA.read_text()
    if postgres:
        text = _TYPE.sub(lambda found: POSTGRES_TYPES[found[1]], text)
    return [
        *(statement for statement in text.split(";\n") if statement.strip()),
        f"INSERT INTO projects (id, name) VALUES ('{DEFAULT_PROJECT}', '{DEFAULT_PROJECT}')",
        f"INSERT INTO alembic_version VALUES ('{REVISIONS[-1]}')",
    ]


def upgrade(engine: "Engine", to: str = REVISIONS[-1]) -> None:
    """Brings an older schema to revision `to`. Every step is a transaction: a kill leaves the step before it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "boxscore.store:migrations")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def check_known(revision: str | None, name: str) -> None:
    """A `StoreError` where a newer program wrote the database called `name`."""
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"{name} was written by a newer Boxscore (its schema is {revision}, this program knows up to "
            f"{REVISIONS[-1]}): upgrade Boxscore, or point it at another store. Nothing was changed."
        )
