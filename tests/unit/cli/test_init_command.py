"""`boxscore init`: three files that work together, or none."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boxscore.cli.init import init
from boxscore.datasets import load_dataset
from boxscore.errors import FileError
from boxscore.experiments.yaml_tree import read_yaml
from boxscore.prompts import PromptTemplate

FILES = {"boxscore.yaml", "tickets.jsonl", "scorers.py"}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(init, [str(argument) for argument in arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_three_files_here_and_says_what_to_do_next(here: Path) -> None:
    result = run()

    assert result.exit_code == 0
    assert {path.name for path in here.iterdir()} == FILES
    assert result.output.endswith("Now run: boxscore compare\n")


def test_it_makes_the_folder_that_is_named(here: Path) -> None:
    result = run("new/one")

    assert {path.name for path in (here / "new" / "one").iterdir()} == FILES
    assert "cd new/one && boxscore compare" in result.output


def test_as_json_it_names_the_files(here: Path) -> None:
    assert json.loads(run("--json").output) == {
        "folder": str(here),
        "files": ["boxscore.yaml", "tickets.jsonl", "scorers.py"],
        "next": "boxscore compare",
    }


def test_files_that_are_there_are_named_and_nothing_is_written(here: Path) -> None:
    (here / "scorers.py").write_text("mine")

    error = run().exception

    assert isinstance(error, FileError)
    assert "scorers.py is there already and nothing was written" in str(error)
    assert [path.name for path in here.iterdir()] == ["scorers.py"]
    assert (here / "scorers.py").read_text() == "mine"


def test_with_force_they_are_replaced(here: Path) -> None:
    (here / "scorers.py").write_text("mine")

    assert run("--force").exit_code == 0
    assert "order_is_right" in (here / "scorers.py").read_text()
    assert {path.name for path in here.iterdir()} == FILES


@pytest.mark.parametrize("failing", sorted(FILES))
@pytest.mark.parametrize("action", ["write_bytes", "replace"])
def test_when_one_cannot_be_written_all_is_as_before(
    here: Path, monkeypatch: pytest.MonkeyPatch, failing: str, action: str
) -> None:
    (here / "boxscore.yaml").write_text("mine")
    real = getattr(Path, action)

    def fail(self: Path, *arguments: object) -> object:
        if failing in self.name:
            raise OSError(28, "No space left on device", str(self))
        return real(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Path, action, fail)
        error = run("--force").exception

    assert isinstance(error, FileError)
    assert "No space left on device" in str(error)
    assert {path.name for path in here.iterdir()} == {"boxscore.yaml"}
    assert (here / "boxscore.yaml").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_refused(here: Path) -> None:
    here.chmod(0o500)
    try:
        assert isinstance(run().exception, FileError)
    finally:
        here.chmod(0o700)


class TestTheFiles:
    @pytest.fixture(autouse=True)
    def _written(self, here: Path) -> None:
        run()

    def test_the_dataset_loads_and_has_enough_independent_customers_to_decide(self) -> None:
        dataset = load_dataset("tickets.jsonl")

        assert len(dataset) == 60
        assert len({example.cluster for example in dataset.examples}) >= 20
        assert all(set(example.reference) == {"intent", "order", "amount"} for example in dataset.examples)

    def test_every_prompt_can_be_filled_from_every_row(self, here: Path) -> None:
        spec, _ = read_yaml(here / "boxscore.yaml")

        for variant in spec["variants"].values():
            prompt = PromptTemplate.parse(variant["prompt"])
            for example in load_dataset("tickets.jsonl").examples:
                assert example.inputs["ticket"] in prompt.render(example.inputs)[-1].content

    def test_the_scorer_tells_right_from_wrong(self, here: Path) -> None:
        module_spec = importlib.util.spec_from_file_location("own_scorers", here / "scorers.py")
        assert module_spec is not None
        assert module_spec.loader is not None
        module = importlib.util.module_from_spec(module_spec)
        module_spec.loader.exec_module(module)

        assert module.order_is_right('{"order": "A12345"}', {"order": "A12345"}) is True
        assert module.order_is_right("order a12345", {"order": "A12345"}) is False
