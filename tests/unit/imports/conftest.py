"""Files of other tools in small, written here in their shapes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """`written(name, value)` writes a file by its ending and gives its path."""

    def write(name: str, value: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, str):
            path.write_text(value)
        elif name.endswith((".yaml", ".yml")):
            path.write_text(yaml.safe_dump(value, sort_keys=False))
        elif name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in value))
        else:
            path.write_text(json.dumps(value))
        return path

    return write
