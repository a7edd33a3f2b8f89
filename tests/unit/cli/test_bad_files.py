"""Bad files at the command line: one clear sentence on standard error, exit 2, and no row kept."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from boxscore.cli import main

ROW = {"case_id": "1", "model": "old", "output": "yes", "reference": "yes"}
SPEC = """\
dataset: cases.jsonl
variants:
  old: {base_url: "http://127.0.0.1:9/v1", provider: local, model: m, prompt: "{{ q }}"}
  new: {base_url: "http://127.0.0.1:9/v1", provider: local, model: n, prompt: "{{ q }}!"}
scorers: [exact]
"""
Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a command that must be refused, and gives its sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOXSCORE_HOME", raising=False)

    def run(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        assert left.value.code == 2, err
        assert out == ""
        assert err.startswith("boxscore: ")
        assert err.count("\n") == 1, err
        assert "Traceback" not in err
        # Python may keep the compiled form of a scorer's file beside it.
        ours = {".boxscore", "__pycache__"}
        assert [path for path in sorted(tmp_path.rglob("*")) if not ours & set(path.parts)] == before
        assert kept(tmp_path / ".boxscore" / "records.db") == {}
        return err.removeprefix("boxscore: ").rstrip("\n")

    return run


def kept(store: Path) -> dict[str, int]:
    """Rows by table; a store that was opened and holds nothing is as good as none."""
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store)) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        counts = {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables}  # noqa: S608
    return {name: count for name, count in counts.items() if count and name not in ("alembic_version", "projects")}


def recordings(tmp_path: Path, *rows: dict[str, object] | bytes) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows))
    return path


def compare(*more: str, scorer: str = "exact") -> list[str]:
    return [
        "compare",
        "--recordings",
        "answers.jsonl",
        "--baseline",
        "old",
        "--candidate",
        "new",
        "--scorer",
        scorer,
        *more,
    ]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "answers.jsonl: is empty"),
        ([b"\x7fELF\0\0\0"], "answers.jsonl: is a binary file"),
        ([ROW, b'{"case_id": "2", "model": "old", "outp'], "answers.jsonl, line 2: column"),
        (
            [ROW, {**ROW, "refrence": "no"}],
            "line 2, field 'refrence': is no field of a row (did you mean 'reference'?)",
        ),
        ([ROW, ROW], "line 2, field 'case_id': 'old' answered case '1' on line 1 already"),
        ([ROW, {**ROW, "model": "new", "reference": "no"}], "line 2, field 'reference': differs from line 1"),
        ([b'{"case_id": "1", "model": "old", "output": NaN}'], "line 1: has the value NaN"),
        ([b'{"case_id": "1", "output": "' + b"x" * (33 << 20) + b'"}'], "line 1 is longer than 32 MB"),
        ([ROW, {**ROW, "model": "newer"}], "No model is called 'new' in answers.jsonl: did you mean 'newer'?"),
        (
            [{**ROW, "reference": None}, {**ROW, "model": "new", "reference": None}],
            "scorer 'exact' compares with a reference, and example '1' has none",
        ),
        ([ROW, {**ROW, "case_id": "2", "model": "new"}], "no example id is common to both"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_recordings(refused: Refused, tmp_path: Path, rows: list[dict[str, object] | bytes], sentence: str) -> None:
    recordings(tmp_path, *rows)

    assert sentence in refused(*compare())


def test_recordings_that_are_not_there(refused: Refused, tmp_path: Path) -> None:
    recordings(tmp_path, ROW).rename(tmp_path / "answer.jsonl")

    assert refused(*compare()) == "answers.jsonl: no such file; did you mean 'answer.jsonl'?"


def test_a_scorer_that_is_not_known(refused: Refused, tmp_path: Path) -> None:
    recordings(tmp_path, ROW, {**ROW, "model": "new"})

    assert refused(*compare(scorer="exakt")) == "No scorer is called 'exakt': did you mean 'exact'?"


def test_a_scorer_that_gives_nan(refused: Refused, tmp_path: Path) -> None:
    recordings(tmp_path, ROW, {**ROW, "model": "new"})
    (tmp_path / "own.py").write_text("def broken(output):\n    return float('nan')\n")

    sentence = refused(*compare(scorer="function:own.py:broken"))

    assert "'1'" in sentence
    assert "nan" in sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--rule", "noninferiority"], "key 'rule.margin': the noninferiority rule needs a margin"),
        (["--margin", "3"], "two points are 0.02"),
        (["--rule", "superiorty"], "No rule is called 'superiorty': did you mean 'superiority'?"),
        (["--metric", "exat"], "No metric is called 'exat': did you mean 'exact'?"),
        (["--slice", "tsak"], "No slice field is called 'tsak'"),
        (["--cluster", "docs"], "No cluster field is called 'docs'"),
    ],
)
def test_options(refused: Refused, tmp_path: Path, options: list[str], sentence: str) -> None:
    recordings(tmp_path, ROW, {**ROW, "model": "new"})

    assert sentence in refused(*compare(*options))


@pytest.mark.parametrize(
    ("spec", "dataset", "sentence"),
    [
        (SPEC + "repeat: 2\n", '{"id": "a", "inputs": {"q": "x"}}', "line 6, key 'repeat': there is no such key"),
        (SPEC, None, "cases.jsonl: no such file"),
        (SPEC, "", "cases.jsonl: is empty"),
        (SPEC, '{"id": "a", "inputs": {"qq": "x"}, "reference": "x"}', "example 'a'"),
        (SPEC, '{"id": "a", "inputs": {"qq": "x"}, "reference": "x"}', "the prompt needs 'q'"),
        (SPEC, '{"id": "a", "inputs": {"q": "x"}}', "example 'a' has none"),
        (SPEC, '{"id": "a", "inputs": {}}\n{"id": "a", "inputs": {}}', "'a' is the id of line 1 already"),
    ],
)
def test_specs_and_their_datasets(
    refused: Refused, tmp_path: Path, spec: str, dataset: str | None, sentence: str
) -> None:
    (tmp_path / "boxscore.yaml").write_text(spec)
    if dataset is not None:
        (tmp_path / "cases.jsonl").write_text(dataset)

    assert sentence in refused("compare")


def test_init_where_files_are(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "boxscore.yaml").write_text("mine")

    assert "boxscore.yaml is there already and nothing was written" in refused("init")
