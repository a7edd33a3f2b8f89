"""The commands with records on PostgreSQL, as a person runs them."""

import json
import subprocess
import sys

import pytest

from boxscore.store.migrations import REVISIONS
from boxscore.store.records import postgres as schema
from boxscore.store.records.database import FILE
from databases import Place


@pytest.fixture
def place(postgres, tmp_path):
    """With a password in its address, which nobody asks for here."""
    with postgres.fresh() as url:
        yield Place(tmp_path / "home", url.replace("postgres@", "postgres:s3cret@"))


def boxscore(place, *arguments, code=0):
    """What it prints, also to standard error; never the password."""
    env = {"PATH": "/usr/bin:/bin", "BOXSCORE_NO_BROWSER": "1"} | place.environment
    ran = subprocess.run(
        [sys.executable, "-m", "boxscore", *arguments], env=env, capture_output=True, text=True, cwd=place.home.parent
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == code, said
    assert "s3cret" not in said
    return said


def test_a_comparison_is_kept_there_and_shown_again(place):
    (place.home.parent / "boxscore.yaml").write_text(
        json.dumps(
            {
                "dataset": "rows.jsonl",
                "baseline": "old",
                "candidate": "new",
                "variants": {
                    "old": {"provider": "tiny", "model": "tiny-2", "prompt": "{{ message }}"},
                    "new": {"provider": "tiny", "model": "tiny-2", "prompt": "Say: {{ message }}"},
                },
                "scorers": ["exact"],
            }
        )
    )
    rows = [{"id": str(n), "inputs": {"message": f"order {n}"}, "reference": "billing"} for n in range(4)]
    (place.home.parent / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))

    boxscore(place, "compare", code=3)

    [listed] = json.loads(boxscore(place, "show", "--json"))
    assert "undecided" in boxscore(place, "show", listed["id"]).lower()
    assert not (place.home / FILE).exists()


def test_migrate_brings_it_up_and_doctor_tells_of_it(place):
    schema.migrate(place.url, to="0003")
    behind = boxscore(place, "migrate", "--dry-run")
    done = boxscore(place, "migrate")

    assert f"schema 0003, newest {REVISIONS[-1]}" in behind
    assert "there is something to do" in behind
    assert "brought to the newest schema" in done
    assert "nothing is to be done" in boxscore(place, "migrate")
    lines = [line for line in json.loads(boxscore(place, "doctor", "--json")) if line["what"] == "records"]
    assert f"schema {REVISIONS[-1]}" in lines[0]["found"]
    assert "fsync is off" in lines[0]["problem"]  # as the tests run it


def test_doctor_says_that_it_is_not_there(place):
    there = Place(place.home, place.url.replace("host=", "host=/nowhere"))

    lines = [line for line in json.loads(boxscore(there, "doctor", "--json")) if line["what"] == "records"]
    assert "cannot be reached" in lines[0]["problem"]
    assert "cannot be reached" in boxscore(there, "show", code=4)


def test_backup_verify_and_restore_say_that_records_are_elsewhere(place, tmp_path):
    place.open().close()
    place.home.mkdir(exist_ok=True)
    (place.home / "prices.yaml").write_text("[]")

    assert "pg_dump" in boxscore(place, "backup", str(tmp_path / "backup"))
    assert "pg_amcheck" in boxscore(place, "verify")
    assert "pg_restore" in boxscore(place, "restore", str(tmp_path / "backup"), "--replace")
