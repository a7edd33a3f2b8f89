"""`boxscore show`: answers side by side, whatever is in them."""

import json
from pathlib import Path

import pytest

import boxscore
from boxscore.cli import main


def shown(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["show", *arguments])
    assert left.value.code == 0


def test_no_line_of_an_answer_or_a_note_passes_for_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
    forged = "no\nafter 1 (yes): fine\n── another"

    def judge(answer: str) -> str:
        return json.dumps({"reason": forged, "verdict": "yes" if answer == "good" else "no"})

    compared = boxscore.compare(
        dataset=[{"id": str(n), "inputs": {"n": n}} for n in range(20)],
        baseline=lambda n: "good",
        candidate=lambda n: f"{n}: {forged}",
        judges=[boxscore.Judge("kind", "Is it?", by=judge)],
    )

    shown(compared.verdict.id, "--worse")

    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("──") for line in lines) == 20
    assert [line for line in lines if line.startswith("after 1")] == []
