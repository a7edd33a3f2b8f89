"""Jobs and workers on real databases, each worker in a thread of its own."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from boxscore.errors import ConflictError, NotFoundError, SpecError, StoreError
from boxscore.jobs import Jobs, Worker
from boxscore.jobs.worker import ATTEMPTS
from boxscore.store.records.backend import Write
from boxscore.store.records.jobs import Fenced, JobRows, Turn

SLOW = timedelta(seconds=20)


@pytest.fixture
def jobs(database):
    database.submit([Write(0, "INSERT INTO projects (id, name) VALUES {}", [("p", "p"), ("q", "q")])]).result()
    return Jobs(database)


@contextmanager
def working(jobs, handlers, **options):
    worker = Worker(jobs, handlers, look_s=0.02, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
    return found


def ended(jobs, job):
    return until(lambda: (found := jobs.get(job.project, job.id)).ended and found)


async def forever(task):
    await asyncio.sleep(3600)


def test_a_job_is_done_with_its_spec_and_keeps_its_result(jobs):
    async def double(task):
        task.report({"half": task.job.spec["number"]}, step=3)
        return {"number": 2 * task.job.spec["number"]}

    job = jobs.submit("p", "double", {"number": 21}, by="ada")
    assert (job.state, job.step, job.created_by) == ("waiting", 0, "ada")
    with working(jobs, {"double": double}):
        done = ended(jobs, job)

    assert (done.state, done.result, done.error) == ("done", {"number": 42}, None)
    assert (done.progress, done.step) == ({"half": 21}, 3)
    assert done.spec == {"number": 21}
    assert done.created_at <= done.started_at <= done.finished_at
    assert done.worker is None


def test_jobs_of_another_project_are_not_there(jobs):
    job = jobs.submit("p", "double", {})
    for asked in (jobs.get, jobs.cancel, jobs.retry):
        with pytest.raises(NotFoundError):
            asked("q", job.id)
    assert jobs.list("q").items == []
    assert jobs.get("p", job.id).state == "waiting"


def test_a_list_comes_in_pages_the_newest_first_and_without_specs(jobs):
    made = [jobs.submit("p", "a" if n % 2 else "b", {"n": n}).id for n in range(5)]
    first = jobs.list("p", limit=2)
    rest = jobs.list("p", limit=3, cursor=first.cursor)

    assert [job.id for job in [*first.items, *rest.items]] == made[::-1]
    assert rest.cursor is None
    assert all(job.spec is None for job in first.items)
    assert [job.id for job in jobs.list("p", kind="a").items] == [made[3], made[1]]
    jobs.cancel("p", made[4])
    assert [job.id for job in jobs.list("p", state="cancelled").items] == [made[4]]


def test_a_handlers_error_is_kept_and_the_job_can_be_tried_again(jobs):
    broken = True

    async def work(task):
        if broken:
            raise SpecError("is no number.", key="margin")
        return "done"

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}):
        failed = ended(jobs, job)
        assert (failed.state, failed.error["code"], failed.attempts) == ("failed", "spec", 1)
        assert "is no number" in failed.error["message"]

        broken = False
        jobs.retry("p", job.id)
        assert ended(jobs, job).result == "done"
        with pytest.raises(ConflictError):
            jobs.retry("p", job.id)
    assert jobs.get("p", job.id).error is None


def test_a_fault_of_ours_fails_the_job_and_says_nothing_of_its_inside(jobs, caplog):
    async def work(task):
        raise KeyError("secret-of-the-inside")

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}):
        failed = ended(jobs, job)
    assert failed.state == "failed"
    assert "KeyError" in failed.error["message"]
    assert "secret" not in failed.error["message"]
    assert "secret-of-the-inside" in caplog.text


def test_a_store_in_trouble_lets_the_job_wait_and_begin_again(jobs):
    tries = []

    async def work(task):
        tries.append(task.job.attempts)
        if len(tries) == 1:
            raise StoreError("the disk is full.")
        return "done"

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}):
        waiting = until(lambda: (found := jobs.get("p", job.id)).error and found)
        assert (waiting.state, waiting.error["code"]) == ("waiting", "store")
        assert ended(jobs, job).state == "done"
    assert tries == [1, 2]


def test_a_job_that_waits_is_cancelled_at_once(jobs):
    job = jobs.submit("p", "work", {})
    cancelled = jobs.cancel("p", job.id)
    assert cancelled.state == "cancelled"
    assert cancelled.finished_at is not None
    with working(jobs, {"work": forever}):
        later = jobs.submit("p", "nobody", {})
        assert jobs.cancel("p", later.id).state == "cancelled"
    assert jobs.cancel("p", job.id).finished_at == cancelled.finished_at


def test_a_running_job_is_cancelled_within_a_second_and_its_handler_may_clean_up(jobs):
    tidied = threading.Event()

    async def work(task):
        task.report({"done": 3})
        try:
            await asyncio.sleep(3600)
        finally:
            tidied.set()

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}):
        until(lambda: jobs.get("p", job.id).state == "running")
        asked = time.monotonic()
        assert jobs.cancel("p", job.id).state == "running"
        stopped = ended(jobs, job)
        assert time.monotonic() - asked < 1.0
    assert (stopped.state, stopped.progress, stopped.error) == ("cancelled", {"done": 3}, None)
    assert tidied.is_set()


def test_progress_is_seen_while_the_job_runs(jobs):
    async def work(task):
        for done in range(1000):
            task.report({"done": done}, step=done // 100)
            await asyncio.sleep(0.01)

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}, lease_s=1.0):
        seen = until(lambda: (found := jobs.get("p", job.id)).step >= 2 and found)
        assert seen.progress["done"] >= 200
        assert seen.attempts == 0  # what has finished a step is no attempt that came to nothing
        jobs.cancel("p", job.id)


def test_a_worker_that_stops_gives_its_jobs_back_without_counting_the_attempt(jobs):
    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": forever}):
        until(lambda: jobs.get("p", job.id).state == "running")
    given_back = jobs.get("p", job.id)
    assert (given_back.state, given_back.attempts, given_back.worker) == ("waiting", 0, None)

    async def work(task):
        return task.job.attempts

    with working(jobs, {"work": work}):
        assert ended(jobs, job).result == 1


def test_what_is_due_later_waits(jobs):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    early = Jobs(jobs.rows.database, clock=lambda: now)
    early.submit("p", "work", {})
    assert jobs.rows.claim("w", ["work"], now - timedelta(seconds=1)) is None
    assert jobs.rows.claim("w", ["other"], now) is None
    assert jobs.rows.claim("w", ["work"], now) is not None


def test_projects_take_turns_however_many_jobs_one_of_them_has(jobs):
    for _ in range(5):
        jobs.submit("p", "work", {})
    for _ in range(2):
        jobs.submit("q", "work", {})
    now, order = datetime.now(UTC) + SLOW, []
    while (row := jobs.rows.claim("w", ["work"], now := now + timedelta(seconds=1))) is not None:
        order.append(row.project_id)
        jobs.rows.end(Turn(row.id, row.turn), "done", step=0, attempts=1, due_at=now, finished_at=now)
    assert order == ["p", "q", "p", "q", "p", "p", "p"]


def test_a_project_with_less_running_comes_first(jobs):
    for project in "ppppq":
        jobs.submit(project, "work", {})
    now = datetime.now(UTC) + SLOW
    taken = [jobs.rows.claim("w", ["work"], now).project_id for _ in range(3)]
    assert taken == ["p", "q", "p"]


def test_jobs_are_counted_by_state_for_a_project_and_for_all(jobs):
    assert jobs.rows.counts(None) == {"waiting": 0, "running": 0}
    for project in "pq":
        jobs.submit(project, "work", {})
    jobs.rows.claim("w", ["work"], datetime.now(UTC) + SLOW)
    assert jobs.rows.counts(None) == {"waiting": 1, "running": 1}
    assert jobs.rows.counts("q") == {"waiting": 1, "running": 0}


def test_one_job_is_had_by_one_of_many_who_want_it(jobs):
    made = {jobs.submit("p", "work", {}).id for _ in range(12)}

    def take(_):
        found = []
        while jobs.rows.open()[0]:
            row = jobs.rows.claim("w", ["work"], datetime.now(UTC))
            found += [] if row is None else [row.id]
        return found

    with ThreadPoolExecutor(4) as threads:
        taken = [id for found in threads.map(take, range(4)) for id in found]
    assert len(taken) == 12
    assert set(taken) == made


def test_a_worker_does_as_many_jobs_at_once_as_it_is_told(jobs):
    for _ in range(4):
        jobs.submit("p", "work", {})
    with working(jobs, {"work": forever}, at_once=3):
        until(lambda: len(jobs.rows.open()[1]) == 3)
        assert jobs.rows.open()[0]


def test_an_idle_worker_ends_when_it_is_told_to(jobs):
    job = jobs.submit("p", "work", {})

    async def work(task):
        return 1

    Worker(jobs, {"work": work}, look_s=0.02).run(idle_s=0.1)
    assert jobs.get("p", job.id).state == "done"


# Workers that die, hang, and come back


def test_a_dead_workers_job_is_taken_over_at_once(jobs):
    job = jobs.submit("p", "work", {})
    dead = Worker(jobs, {"work": forever})
    jobs.rows.claim(dead.name, ["work"], datetime.now(UTC))
    dead._lock.release()  # as its death does

    async def work(task):
        return task.job.attempts

    with working(jobs, {"work": work}, lease_s=3600.0):
        assert ended(jobs, job).result == 2


def test_a_worker_that_hangs_loses_its_job_and_cannot_write_on(jobs, database):
    job = jobs.submit("p", "work", {})
    hung = Worker(jobs, {"work": forever})
    row = jobs.rows.claim(hung.name, ["work"], datetime.now(UTC))
    turn = Turn(row.id, row.turn)
    fenced = Fenced(database, turn)
    write = Write(0, "INSERT INTO projects (id, name) VALUES {}", [("new", "new")])

    async def work(task):
        return "by another"

    with working(jobs, {"work": work}, lease_s=0.3):
        assert ended(jobs, job).result == "by another"
    with pytest.raises(StoreError):
        fenced.submit([write]).result()
    assert database.rows("SELECT 1 FROM projects WHERE id = 'new'") == []
    assert jobs.rows.beat(turn, 9, None) == (False, False)
    assert not jobs.rows.end(
        turn, "done", step=0, attempts=0, due_at=datetime.now(UTC), result_json='"by the hung one"'
    )
    assert jobs.get("p", job.id).result == "by another"
    hung._lock.release()


def test_what_is_fenced_is_written_while_the_turn_is_held(jobs, database):
    jobs.submit("p", "work", {})
    row = jobs.rows.claim("w", ["work"], datetime.now(UTC))
    fenced = Fenced(database, Turn(row.id, row.turn))
    writes = [
        fenced.submit([Write(0, "INSERT INTO projects (id, name) VALUES {}", [(f"n{n}", f"n{n}")])]) for n in range(99)
    ]
    for write in writes:
        write.result()
    assert database.rows("SELECT count(*) FROM projects WHERE id LIKE 'n%'") == [(99,)]


def test_a_worker_whose_beat_goes_on_keeps_its_job_for_as_long_as_it_takes(jobs):
    async def work(task):
        await asyncio.sleep(1.5)
        return task.job.attempts

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}, lease_s=0.5), working(jobs, {"work": work}, lease_s=0.5):
        assert ended(jobs, job).result == 1


def test_a_handler_that_lost_its_job_is_stopped(jobs):
    stopped = threading.Event()

    async def work(task):
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}):
        row = until(lambda: next(iter(jobs.rows.open()[1]), None))
        jobs.rows.end(Turn(row.id, row.turn), "done", step=0, attempts=1, due_at=datetime.now(UTC), result_json="1")
        assert stopped.wait(20)
    assert jobs.get("p", job.id).result == 1


def test_a_job_that_kills_its_workers_has_failed_after_a_few(jobs):
    job = jobs.submit("p", "work", {})
    later = datetime.now(UTC)
    jobs.rows.claim("gone", ["work"], later)
    for attempt in range(2, ATTEMPTS + 1):
        row = JobRows(jobs.rows.database).open()[1][0]
        assert row.attempts == attempt - 1
        with working(jobs, {"other": forever}):
            until(lambda: jobs.get("p", job.id).state == "waiting")
        later += timedelta(hours=1)
        jobs.rows.claim("gone", ["work"], later)
    with working(jobs, {"other": forever}):
        failed = ended(jobs, job)
    assert (failed.state, failed.error["code"]) == ("failed", "worker_lost")


def test_a_cancelled_job_of_a_dead_worker_is_not_begun_again(jobs):
    job = jobs.submit("p", "work", {})
    jobs.rows.claim("gone", ["work"], datetime.now(UTC))
    jobs.cancel("p", job.id)
    with working(jobs, {"work": forever}):
        assert ended(jobs, job).state == "cancelled"


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_worker_with_a_wrong_clock_takes_nothing_from_the_others(jobs, hours):
    wrong = Jobs(jobs.rows.database, clock=lambda: datetime.now(UTC) + timedelta(hours=hours))

    async def work(task):
        await asyncio.sleep(0.5)
        return task.job.attempts

    job = jobs.submit("p", "work", {})
    with working(jobs, {"work": work}):
        until(lambda: jobs.get("p", job.id).state == "running")
        with working(wrong, {"work": work}):
            assert ended(jobs, job).result == 1
