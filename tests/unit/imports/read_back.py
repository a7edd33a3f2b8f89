"""Reading an import's files back in tests."""

import json
from typing import Any

import yaml

from boxscore.imports import Imported


def spec(imported: Imported) -> dict[str, Any]:
    return yaml.safe_load(imported.files["boxscore.yaml"])


def rows(imported: Imported, name: str = "dataset.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in imported.files[name].splitlines()]


def places(imported: Imported, *, containing: str = "") -> list[str]:
    """Places of what was not carried, for this reason."""
    return [left.place for left in imported.left if containing in left.reason]
