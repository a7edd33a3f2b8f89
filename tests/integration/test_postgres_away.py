"""Records on a PostgreSQL that is killed in the middle of writes."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from boxscore.errors import StoreAwayError
from boxscore.store.records.backend import Write
from boxscore.store.records.postgres import PostgresDatabase
from databases import NotHereError, Place, postgres
from serving import JSON, start

ADD = "INSERT INTO examples (project_id, hash, content_json) VALUES {}"
ADD_ONE = "INSERT INTO examples (project_id, hash, content_json) VALUES ('default', ?, '') RETURNING hash"


@pytest.fixture
def server():
    try:
        with postgres("shared_buffers=16MB") as server:
            yield server
    except NotHereError as error:
        pytest.skip(str(error))


def wait(until, seconds=60):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_nothing_that_was_acknowledged_is_lost_and_all_goes_on_when_it_is_back(server):
    database = PostgresDatabase(server.url())
    acknowledged, in_doubt, wrong, stop = set(), set(), [], threading.Event()

    def work(name, write):
        for n in range(1_000_000):
            if stop.is_set():
                return
            try:
                write(f"{name}{n}")
            except StoreAwayError as error:
                (in_doubt.add(f"{name}{n}") if error.in_doubt else wrong.append(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
                wrong.append(error)
            else:
                acknowledged.add(f"{name}{n}")

    def submit(hash):
        database.submit([Write(0, ADD, [("default", hash, "")])]).result()

    def change(hash):
        assert database.change(ADD_ONE, hash) == [(hash,)]

    def read(hash):
        database.rows("SELECT count(*) FROM examples")

    kinds = [("a", submit), ("b", submit), ("c", change), ("d", change), ("read", read)]
    threads = [threading.Thread(target=work, args=kind, daemon=True) for kind in kinds]
    for thread in threads:
        thread.start()
    for kill in (True,) * 6 + (False,):
        before = len(acknowledged)
        wait(lambda before=before: len(acknowledged) > before + 100)
        if kill:
            server.kill()
            server.start()
    stop.set()
    for thread in threads:
        thread.join()

    found = {name for (name,) in database.rows("SELECT hash FROM examples")}
    database.close()
    assert wrong == []
    written = {name for name in acknowledged if not name.startswith("read")}
    assert written <= found
    assert found <= written | in_doubt


def test_what_is_waited_for_too_long_fails_and_the_next_is_written(server):
    database = PostgresDatabase(server.url(), patience_s=0.2)
    server.kill()
    for ask in (
        lambda: database.submit([Write(0, ADD, [("default", "lost", "")])]).result(),
        lambda: database.change(ADD_ONE, "lost"),
        lambda: database.rows("SELECT 1"),
        lambda: database.lock("run"),
    ):
        with pytest.raises(StoreAwayError) as caught:
            ask()
        assert not caught.value.in_doubt
    server.start()

    assert database.change(ADD_ONE, "kept") == [("kept",)]
    assert database.rows("SELECT hash FROM examples") == [("kept",)]
    database.close()


def test_a_commit_that_nobody_answers_is_in_doubt_and_is_not_made_again(server):
    """A rule that is looked at in the commit ends the connection there."""
    database = PostgresDatabase(server.url())
    database.change("CREATE SEQUENCE tries")  # which counts what is undone too
    database.change(
        "CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM nextval('tries'); PERFORM pg_terminate_backend(pg_backend_pid()); "
        "PERFORM pg_sleep(60); RETURN NULL; END $$"
    )
    database.change(
        "CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON examples DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION end_it()"
    )

    with pytest.raises(StoreAwayError, match="may be there or not") as caught:
        database.change(ADD_ONE, "doubtful")

    assert caught.value.in_doubt
    database.change("DROP TRIGGER ends ON examples")
    assert database.rows("SELECT hash FROM examples") == []
    assert database.rows("SELECT last_value FROM tries") == [(1,)]
    database.close()


def test_a_lock_is_free_when_its_process_is_killed(server, tmp_path):
    place = Place(tmp_path, server.url())
    program = (
        "import os, sys; sys.path.insert(0, 'tests')\n"
        "from databases import Place\n"
        "lock = Place(None, os.environ['BOXSCORE_RECORDS_URL']).open().lock('run')\n"
        "print(lock is not None, flush=True)\n"
        "sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], env=os.environ | place.environment, **pipes) as holder:
        assert holder.stdout.readline() == b"True\n"
        database = place.open()
        assert database.lock("run") is None
        holder.kill()
    free = []
    wait(lambda: free.append(database.lock("run")) or free[-1])
    free[-1].release()
    database.close()


def test_a_server_keeps_its_records_there_and_goes_on_when_it_is_back(server, tmp_path):
    place = Place(tmp_path / "home", server.url())
    place.home.mkdir()
    serving = start(place.home, environment={"BOXSCORE_RECORDS_URL": place.url})
    try:
        made = [serving.ask("/api/v1/datasets", json.dumps({"name": "before"}).encode(), JSON)]
        server.kill()
        answer = []
        asking = threading.Thread(target=lambda: answer.append(serving.ask("/api/v1/datasets")))
        asking.start()
        server.start()
        asking.join()
        made.append(serving.ask("/api/v1/datasets", json.dumps({"name": "behind"}).encode(), JSON))
        found = serving.ask("/api/v1/datasets").json
    finally:
        serving.process.kill()
        serving.process.wait()

    assert [one.status for one in made] == [201, 201]
    assert [(one.status, [line["name"] for line in one.json["items"]]) for one in answer] == [(200, ["before"])]
    assert [line["name"] for line in found["items"]] == ["before", "behind"]
    assert not (place.home / "records.db").exists()
