"""The core stays small: few dependencies, each with its reason, and an import that loads nothing heavy."""

import re
import subprocess
import sys
import tomllib

from doc_examples import ROOT

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
MOST = 25


def test_the_core_has_at_most_25_direct_dependencies() -> None:
    dependencies = tomllib.loads(PROJECT)["project"]["dependencies"]

    assert 0 < len(dependencies) <= MOST


def test_every_dependency_carries_its_reason() -> None:
    tables = tomllib.loads(PROJECT)
    optional = tables["project"]["optional-dependencies"].values()
    lines = [line.strip() for line in PROJECT.splitlines()]

    without = [
        requirement
        for requirement in [*tables["project"]["dependencies"], *(name for extra in optional for name in extra)]
        if not any(f'"{requirement}"' in line and re.search(r"#\s*\w+.{8,}", line) for line in lines)
    ]

    assert not without


def test_import_loads_nothing_heavy() -> None:
    heavy = {
        "numpy",
        "aiohttp",
        "argon2",
        "apsw",
        "psycopg",
        "uvicorn",
        "rich",
        "jsonschema",
        "fastapi",
        "starlette",
        "flask",
        "django",
    }
    script = "import sys, boxscore; print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "boxscore" in done.stdout.split()
    assert not heavy & set(done.stdout.split())


def test_help_loads_nothing_heavy() -> None:
    script = "import sys\nfrom boxscore.cli import cli\ncli(['--version'], standalone_mode=False)\nprint(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not {"numpy", "aiohttp", "fastapi", "argon2", "apsw", "psycopg"} & set(done.stdout.split())
