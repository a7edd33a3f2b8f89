"""The example project's gate passes as it stands, and holds back a prompt that is worse."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "gate"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(EXAMPLE, tmp_path / "gate", ignore=shutil.ignore_patterns(".boxscore", "__pycache__", ".*"))


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BOXSCORE_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_example_costs_nothing_without_the_flag(project: Path) -> None:
    ran = run(project)

    assert "2 skipped" in ran.stdout
    assert not (project / ".boxscore").exists()


def test_the_example_passes_as_it_stands(project: Path) -> None:
    ran = run(project, "--boxscore")

    assert "2 passed" in ran.stdout, ran.stdout
    assert "\nSHIP       careful-prompt, +" in ran.stdout


def test_a_worse_prompt_is_held_back_with_its_box_score(project: Path) -> None:
    spec = project / "boxscore.yaml"
    before, _, rest = spec.read_text().partition("        You read support tickets.")
    spec.write_text(before + "        Thank the customer in one word.\n" + rest[rest.index("      user:") :])

    ran = run(project, "--boxscore", "-k", "careful")

    assert ran.returncode == 1
    assert "reject, and the gate asks for ship: careful-prompt answers" in ran.stdout
    assert "examples got worse, 0 better" in ran.stdout
    assert "Traceback" not in ran.stdout
