"""Fixtures that every test may use."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from boxscore.store.records.backend import Database
    from databases import Place, Postgres


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Path]:
    """Path of a recorded file below BOXSCORE_DATA; the test is skipped, with the reason, where it is absent."""

    def find(name: str) -> Path:
        root = os.environ.get("BOXSCORE_DATA")
        if not root:
            pytest.skip("BOXSCORE_DATA is not set: recorded data is not here")
        path = Path(root) / name
        if not path.exists():
            pytest.skip(f"{path} is not here")
        return path

    return find


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """A PostgreSQL for all tests, whose database `made` has the schema of records; skipped where none can run."""
    from databases import NotHereError, Place, postgres

    try:
        with postgres() as server:
            server.execute("CREATE DATABASE made")
            Place(Path(), server.url("made")).open().close()
            yield server
    except NotHereError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Place]":
    """Where a new records store is, on each database in turn."""
    from databases import Place

    if request.param == "sqlite":
        yield Place(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.fresh("made") as url:
        yield Place(tmp_path, url)


@pytest.fixture
def database(place: "Place") -> "Iterator[Database]":
    """A new records store's database, of each kind in turn."""
    opened = place.open()
    yield opened
    opened.close()
