import random
from pathlib import Path

import pytest

from faults import shim


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim, compiled; the test is skipped, with the reason, where that cannot be."""
    if (reason := shim.missing()) is not None:
        pytest.skip(reason)
    return shim.compiled(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def draw() -> random.Random:
    """The same faults every time; the campaign draws others."""
    return random.Random(1)
