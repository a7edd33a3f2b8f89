"""`boxscore init && boxscore compare` in an empty folder gives a verdict from answers generated here."""

import json
import os
import subprocess
import sys
from pathlib import Path

EXITS = {"ship": 0, "reject": 1, "undecided": 3}


def boxscore(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE_")}
    return subprocess.run(
        [sys.executable, "-m", "boxscore", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_an_empty_folder_has_a_verdict_after_two_commands(tmp_path: Path) -> None:
    written = boxscore(tmp_path, "init")
    compared = boxscore(tmp_path, "compare", "--json")

    assert (written.returncode, written.stderr) == (0, "")
    verdict = json.loads(compared.stdout)
    assert compared.returncode == EXITS[verdict["verdict"]]
    assert verdict["dataset"]["examples"] == 60
    assert [verdict[side]["errors"] for side in ("baseline", "candidate")] == [0, 0]
    assert list(verdict["candidate"]["metrics"]) == ["all_fields_right", "json", "order_is_right"]
    assert verdict["candidate"]["metrics"]["json"]["value"] > verdict["baseline"]["metrics"]["json"]["value"]
