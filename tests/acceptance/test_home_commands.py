"""The commands that look after a home, as a person runs them."""

import json
import signal
import subprocess
import sys

import pytest

from boxscore.governance import Policy
from boxscore.governance.maintenance import Maintenance
from boxscore.store.spans import SpanRow, SqliteSpans


@pytest.fixture
def home(tmp_path):
    with SqliteSpans(tmp_path / "home") as store:
        store.put("default", [span(f"t{n}", user=f"user-{n % 3}") for n in range(30)]).result()
        store.catch_up()
    return tmp_path / "home"


def span(trace, **fields):
    return SpanRow(trace_id=trace.encode(), span_id=b"0", name="chat", entry=True, start_ns=10**18, **fields)


def boxscore(home, *arguments, code=0, **settings):
    env = {"BOXSCORE_HOME": str(home), "PATH": "/usr/bin:/bin"} | settings
    ran = subprocess.run([sys.executable, "-m", "boxscore", *arguments], env=env, capture_output=True, text=True)
    assert ran.returncode == code, ran.stderr
    return ran.stdout if code == 0 else ran.stdout + ran.stderr


def users(home):
    with SqliteSpans(home, write=False) as store:
        return {facet.value for facet in store.facets("default", "user")}


def test_backup_erase_and_restore(home, tmp_path):
    assert "30 spans" in boxscore(home, "backup", str(tmp_path / "backup"))
    assert "nothing is wrong" in boxscore(home, "verify", str(tmp_path / "backup"))
    assert "10 traces" in boxscore(home, "erase", "--user", "user-1", "--yes")
    assert "--replace" in boxscore(home, "restore", str(tmp_path / "backup"), code=2)
    boxscore(home, "restore", str(tmp_path / "backup"), "--replace")

    assert users(home) == {"user-0", "user-2"}
    assert json.loads(boxscore(home, "verify", "--json"))["problems"] == []


def test_a_damaged_file_is_named_and_the_exit_code_says_so(home):
    path = home / "spans" / "000001.db"
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)

    assert "000001.db: it is damaged" in boxscore(home, "verify", code=4)


def test_what_would_go_is_told_before_it_goes(home):
    old = {"BOXSCORE_RETAIN_DAYS": "0.05"}
    assert "would remove 0 spans" in boxscore(home, "retain", "--dry-run", **old)
    assert "BOXSCORE_RETAIN_DAYS" in boxscore(home, "retain", code=2, BOXSCORE_RETAIN_DAYS="0")
    assert len(users(home)) == 3


def test_migrate_tells_versions_and_makes_a_backup_where_there_is_something_to_do(home, tmp_path):
    from boxscore.store.spans.database import open_database

    assert "nothing is to be done" in boxscore(home, "migrate")
    with SqliteSpans(home):
        newer = open_database(home / "spans" / "scores.sqlite", write=True)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
    assert "newer Boxscore" in boxscore(home, "migrate", code=4)


def test_doctor_names_what_is_wrong_and_writes_nothing(home, tmp_path):
    before = {path: path.read_bytes() for path in home.rglob("*.*") if path.is_file()}
    lines = {line["what"]: line for line in json.loads(boxscore(home, "doctor", "--json"))}

    assert lines["spans"]["found"].startswith("30 in 1 file")
    assert lines["owner"]["found"] == "nobody writes spans to it"
    assert "boxscore backup" in lines["backup"]["problem"]
    assert {path: path.read_bytes() for path in before} == before
    boxscore(home, "backup", str(tmp_path / "backup"))
    assert "the last on" in boxscore(home, "doctor")
    assert "does not exist" in boxscore(tmp_path / "nowhere", "doctor")


def test_a_process_that_writes_carries_out_what_another_asks_it_to_erase(home):
    with SqliteSpans(home) as store, Maintenance(home, store, Policy()) as maintenance:
        told = boxscore(home, "erase", "--user", "user-2", "--yes")

        assert maintenance.problem is None
        assert {facet.value for facet in store.facets("default", "user")} == {"user-0", "user-1"}
        (gone, *left) = [item.entry.trace_id for item in store.traces("default").items]
        boxscore(home, "erase", "--trace", gone.hex().upper(), "--yes")  # as somebody may write it
        assert [item.entry.trace_id for item in store.traces("default").items] == left
    assert "no trace id" in boxscore(home, "erase", "--trace", "that one", "--yes", code=2)
    assert "erased the user" in told
    assert b"user-2" not in (home / "spans" / "000001.db").read_bytes()


def test_a_server_answers_while_it_is_backed_up_and_keeps_its_home_to_itself(home, tmp_path):
    command = [sys.executable, "-m", "boxscore", "serve", "--port", "0", "--otlp-port", "0", "--grpc-port", "0"]
    server = subprocess.Popen(
        command, env={"BOXSCORE_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert b"Boxscore serves" in server.stdout.readline()
        boxscore(home, "backup", str(tmp_path / "backup"))
        refused = boxscore(home, "restore", str(tmp_path / "backup"), "--replace", code=4)
        owner = boxscore(home, "doctor")
        boxscore(home, "erase", "--user", "user-0", "--yes")
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)

    assert "stop it first" in refused
    assert "the server at http://127.0.0.1:" in owner
    assert users(home) == {"user-1", "user-2"}
