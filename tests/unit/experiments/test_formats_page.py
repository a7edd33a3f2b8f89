"""The page on file formats names every field and key, and its examples load."""

import re
from pathlib import Path

import msgspec
import pytest

from boxscore.datasets import load_dataset
from boxscore.datasets.rows import ExampleRow
from boxscore.experiments.recordings import Recording, load_recordings
from boxscore.experiments.rule import OPERATIONS
from boxscore.experiments.spec import RuleKeys, SpecKeys, load_spec
from boxscore.experiments.variant_spec import CommandKeys, HttpKeys, PromptKeys, PythonKeys

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "formats.md").read_text()


def part(heading: str) -> str:
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[["Datasets", "Recordings", "Specs"].index(heading) + 1]


def example(heading: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", part(heading), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("Datasets", ExampleRow),
        ("Recordings", Recording),
        *(("Specs", keys) for keys in (SpecKeys, RuleKeys, PromptKeys, HttpKeys, CommandKeys, PythonKeys)),
    ],
)
def test_every_field_has_its_row(heading: str, struct: type[msgspec.Struct]) -> None:
    lines = part(heading).splitlines()
    rows = [line.split("|")[1] for line in lines if line.startswith("|")] + [line for line in lines if "`kind`" in line]

    assert [name for name in struct.__struct_fields__ if not any(f"`{name}`" in row for row in rows)] == []


def test_every_operation_that_a_guard_can_watch_is_named() -> None:
    assert [name for name in OPERATIONS if f"`{name}`" not in part("Specs")] == []


@pytest.mark.parametrize(("language", "rows"), [("jsonl", 2), ("csv", 1)])
def test_the_examples_of_datasets_load(tmp_path: Path, language: str, rows: int) -> None:
    path = tmp_path / f"example.{language}"
    path.write_text(example("Datasets", language))

    assert len(load_dataset(path)) == rows


def test_the_example_of_recordings_loads(tmp_path: Path) -> None:
    path = tmp_path / "example.jsonl"
    path.write_text(example("Recordings", "jsonl"))

    recordings = load_recordings(path)

    assert recordings.models() == ("model-a", "model-b")
    assert len(recordings.run("model-a", []).trials) == 2


def test_the_example_of_a_spec_loads(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example("Specs", "yaml"))

    spec = load_spec(path)

    assert (spec.rule.kind, spec.rule.margin, spec.spend_cap_usd) == ("noninferiority", 0.02, 5)
