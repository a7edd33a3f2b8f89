"""Fixtures that every test may use."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


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
