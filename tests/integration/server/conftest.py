"""Servers for tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving import Server, start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers that do not outlive the test."""
    servers: list[Server] = []

    def started(
        *options: str,
        home: Path | None = None,
        wait: bool = True,
        limits: dict[str, float] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Server:
        folder = home or tmp_path / "home"
        folder.mkdir(exist_ok=True)
        servers.append(start(folder, *options, wait=wait, limits=limits, environment=environment))
        return servers[-1]

    yield started
    for server in servers:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a module."""
    home = tmp_path_factory.mktemp("served") / "home"
    home.mkdir()
    server = start(home)
    yield server
    server.process.kill()
    server.process.wait()
