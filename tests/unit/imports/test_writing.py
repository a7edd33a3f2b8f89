"""An import's files: all of them, or none; read back before they are moved in; YAML that reads as it was."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import FileError
from boxscore.experiments.yaml_tree import read_yaml
from boxscore.imports import write
from boxscore.imports.yaml_text import to_yaml

ROW = b'{"id": "a", "inputs": {"x": 1}}\n'
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    write(tmp_path / "new" / "evals", {"dataset.jsonl": ROW}, source=Path("x"))

    assert [path.name for path in (tmp_path / "new" / "evals").iterdir()] == ["dataset.jsonl"]


def test_files_that_are_there_stay_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "dataset.jsonl").write_text("mine")

    with pytest.raises(FileError, match="--force"):
        write(tmp_path, {"dataset.jsonl": ROW, "recordings.jsonl": b"{}"}, source=Path("x"))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("dataset.jsonl", "mine")]

    write(tmp_path, {"dataset.jsonl": ROW}, source=Path("x"), force=True)
    assert (tmp_path / "dataset.jsonl").read_bytes() == ROW


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path) -> None:
    twice = b'{"id": "a", "inputs": {}}\n{"id": "a", "inputs": {}}\n'

    with pytest.raises(FileError, match="'a' is the id of line 1 already"):
        write(tmp_path / "evals", {"dataset.jsonl": twice}, source=Path("rows.jsonl"))
    assert list(tmp_path.iterdir()) == []


def test_a_move_that_fails_half_way_puts_back_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dataset.jsonl").write_text("mine")
    move = Path.replace

    def replace(path: Path, target: Path) -> Any:
        if path.name == "recordings.jsonl":
            raise OSError(28, "No space left on device", str(target))
        return move(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    line = b'{"case_id": "a", "model": "m", "output": ""}\n'
    with pytest.raises(FileError, match="nothing was changed"):
        write(tmp_path, {"dataset.jsonl": ROW, "recordings.jsonl": line}, source=Path("x"), force=True)

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("dataset.jsonl", "mine")]


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_yaml_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    path = tmp_path_factory.mktemp("yaml") / "tree.yaml"
    path.write_text(to_yaml({"tree": tree}), encoding="utf-8", newline="")

    assert read_yaml(path)[0] == {"tree": tree}


@pytest.mark.parametrize(
    "text",
    ["1e3", "08", "yes", "no", "null", "~", "", " a", "a: b", "- a", "12:30", "<<", "a\n b\n", "\x85", "a\u2028b"],
)
def test_texts_that_look_like_something_else_stay_texts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tree.yaml"
    path.write_text(to_yaml([text, {text: text}]))

    assert read_yaml(path)[0] == [text, {text: text}]
