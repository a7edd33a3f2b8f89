"""Worker processes that a server starts: here any program that does a job."""

import sys
import time

import pytest

from boxscore.jobs import Jobs
from boxscore.server import workers
from boxscore.server.workers import Workers
from databases import Place

PROGRAM = """
import os, pathlib, sys, time
from datetime import UTC, datetime
from boxscore.store.records.jobs import JobRows, Turn
from boxscore.store.records.records import open_database
home = pathlib.Path(os.environ["BOXSCORE_HOME"])
with (home / "started").open("a") as log:
    log.write(f"{os.getpid()}\\n")
first = len((home / "started").read_text().split()) == 1
%s
"""
DOES = """
database = open_database(home)
rows, now = JobRows(database), datetime.now(UTC)
row = rows.claim("worker-0", ["work"], now)
rows.end(Turn(row.id, row.turn), "done", step=0, attempts=1, due_at=now, finished_at=now)
database.close()
"""
FAILS = f"if first: sys.exit(7)\n{DOES}"
HANGS = """
if first:
    JobRows(open_database(home)).claim("worker-0", ["work"], datetime.now(UTC))
    time.sleep(3600)
time.sleep(3600)
"""
READS = "sys.stdin.read()"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "home")


@pytest.fixture
def jobs(place):
    database = place.open()
    yield Jobs(database)
    database.close()


def working(place, jobs, program, **options):
    command = [sys.executable, "-c", PROGRAM % program]
    return Workers(place.home, jobs.rows.database, 1, command=command, **options)


def started(place):
    path = place.home / "started"
    return path.read_text().split() if path.exists() else []


def until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def test_there_is_no_worker_before_there_is_a_job_and_one_when_there_is(place, jobs, monkeypatch):
    monkeypatch.setattr(workers, "LOOK_S", 0.02)
    with working(place, jobs, DOES):
        time.sleep(0.3)
        assert started(place) == []
        job = jobs.submit("default", "work", {})
        until(lambda: jobs.get("default", job.id).state == "done")
    assert len(started(place)) == 1


def test_a_worker_that_fails_is_started_again(place, jobs, monkeypatch, caplog):
    monkeypatch.setattr(workers, "LOOK_S", 0.02)
    monkeypatch.setattr(workers, "AGAIN_S", 0.1)
    job = jobs.submit("default", "work", {})
    with working(place, jobs, FAILS):
        until(lambda: jobs.get("default", job.id).state == "done")
    assert len(started(place)) == 2
    assert "ended with 7" in caplog.text


def test_a_worker_that_hangs_is_killed_and_another_started(place, jobs, monkeypatch):
    monkeypatch.setattr(workers, "LOOK_S", 0.02)
    monkeypatch.setattr(workers, "AGAIN_S", 0.1)
    jobs.submit("default", "work", {})
    made = working(place, jobs, HANGS, hung_s=0.5)
    with made:
        until(lambda: len(started(place)) >= 2)
        for worker in filter(None, made._slots):
            worker.kill()


def test_workers_end_with_the_server(place, jobs, monkeypatch):
    monkeypatch.setattr(workers, "LOOK_S", 0.02)
    jobs.submit("default", "work", {})
    made = working(place, jobs, READS)
    with made:
        until(lambda: started(place))
        [worker] = made._slots
    assert worker.returncode == 0


def test_a_worker_that_does_not_end_is_killed(place, jobs, monkeypatch):
    monkeypatch.setattr(workers, "LOOK_S", 0.02)
    monkeypatch.setattr(workers, "STOP_S", 0.2)
    jobs.submit("default", "work", {})
    made = working(place, jobs, "time.sleep(3600)")
    with made:
        until(lambda: started(place))
        [worker] = made._slots
    assert worker.returncode == -9


def test_no_worker_is_started_where_none_is_wanted(place, jobs, monkeypatch):
    monkeypatch.setattr(workers, "LOOK_S", 0.02)
    jobs.submit("default", "work", {})
    with Workers(place.home, jobs.rows.database, 0, command=[sys.executable, "-c", "raise SystemExit(1)"]):
        time.sleep(0.2)
    assert started(place) == []
