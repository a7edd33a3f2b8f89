"""A comparison as a job, while its workers are killed, stopped and short of room: every trial once, nothing paid twice.

`BOXSCORE_FAULT_RUNS=all` kills 2,000 trials at every boundary of a step; else it is a run of 600 and a few kills."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque

import pytest

import serving
from boxscore.jobs import Jobs
from boxscore.testing import FakeServer
from databases import NotHereError, Place, postgres

WHOLE = os.environ.get("BOXSCORE_FAULT_RUNS") == "all"
EXAMPLES = 1000 if WHOLE else 300
TRIALS = 2 * EXAMPLES
CONCURRENCY = 8
LEASE_S = 2.0


class Meter:
    """Answers, counts how often each question was asked, and knows which it should never be asked again."""

    def __init__(self):
        self.asked = Counter()
        self.kept = set()
        self.repeated = []
        self.turn = threading.Lock()

    def __call__(self, body):
        question = body["messages"][0]["content"]
        with self.turn:
            self.asked[question] += 1
            if f"answer {question}" in self.kept:
                self.repeated.append(question)
        return {
            "model": "m",
            "choices": [{"message": {"content": f"answer {question}"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
        }

    @property
    def calls(self):
        with self.turn:
            return self.asked.total()


class Crew:
    """Worker processes on one records store, and what the store has of their work."""

    def __init__(self, place, server, folder):
        self.place, self.folder = place, folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE_")}
        self.environment |= place.environment | {"BOXSCORE_PROVIDERS": f"counting={server.base_url}"}
        self.meter = server.meter
        self.database = place.open()
        self.jobs = Jobs(self.database)
        self.workers = []
        self.kills = 0

    def start(self, **more):
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "boxscore", "worker", f"--lease={LEASE_S}"]
            process = subprocess.Popen(command, env=self.environment, stderr=out, stdout=out, **more)
        self.workers.append((process, log))
        return process

    def holder(self, name):
        """The process of the worker of that name: the last that said that it begins."""
        found = [
            (line.split()[0], process)
            for process, log in self.workers
            if process.poll() is None
            for line in log.read_text().splitlines()
            if f"begins on {name}," in line
        ]
        return max(found, key=lambda one: one[0])[1] if found else None

    def kill(self, process):
        process.kill()
        process.wait()
        self.kills += 1
        self.meter.kept |= self.answers()

    def answers(self):
        return {output for (output,) in self.database.rows("SELECT output FROM responses")}

    def spec(self, **more):
        variants = {
            name: {"provider": "counting", "model": "m", "prompt": f"{name} {{{{ n }}}}", "usd_per_mtok": 1}
            for name in "ab"
        }
        rows = [{"id": str(n), "inputs": {"n": n}, "reference": f"answer b {n}"} for n in range(EXAMPLES)]
        return {"dataset": rows, "variants": variants, "scorers": ["exact"], "concurrency": CONCURRENCY, **more}

    def submit(self, **more):
        return self.jobs.submit("default", "comparison", self.spec(**more)).id

    def look(self, job):
        return self.jobs.get("default", job, whole=False)

    def until(self, true, seconds=120.0):
        end = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > end:
                said = "\n".join(log.read_text() for _, log in self.workers)
                raise AssertionError(f"it did not come about: {said}")
            time.sleep(0.004)
        return found

    def ended(self, job):
        return self.until(lambda: (found := self.look(job)).ended and found)

    def close(self):
        for process, _ in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process, log in self.workers:
            assert process.wait(30) in (0, -signal.SIGKILL), log.read_text()
        self.database.close()

    def check(self, job, *, calls_in_flight):
        """Every trial once, with its score and its answer; what was asked twice was in flight when a worker went."""
        done = self.look(job)
        assert done.state == "done", done.error
        assert [verdict["verdict"] for verdict in done.result["verdicts"]] == ["ship"]
        rows = self.database.rows
        assert rows("SELECT count(*) FROM runs") == [(2,)]
        assert rows("SELECT count(*) FROM runs WHERE finished_at IS NULL") == [(0,)]
        assert rows("SELECT count(*) FROM trials") == rows("SELECT count(*) FROM scores") == [(TRIALS,)]
        assert rows("SELECT count(*), count(DISTINCT output), count(error_kind) FROM responses") == [
            (TRIALS, TRIALS, 0)
        ]
        right = "SELECT count(*) FROM scores JOIN runs ON runs.id = run_id WHERE value = 1 AND variant_name = 'b'"
        assert rows(right) == [(EXAMPLES,)]
        assert {run for (run,) in rows("SELECT id FROM runs")} == set(done.result["runs"])
        assert self.meter.repeated == []
        assert len(self.meter.asked) == TRIALS
        assert self.meter.calls - TRIALS <= calls_in_flight
        assert (done.step, sum(one["done"] for one in done.progress.values())) == (TRIALS // 100, TRIALS)


@contextlib.contextmanager
def crew_on(place, folder, latency_s=0.02):
    meter = Meter()
    with FakeServer(meter, latency_s=latency_s) as server:
        server.meter = meter
        crew = Crew(place, server, folder)
        try:
            yield crew
        finally:
            crew.close()


@pytest.fixture
def crew(place, tmp_path):
    with crew_on(place, tmp_path) as made:
        yield made


@pytest.mark.timeout(900)
def test_a_job_is_done_once_though_its_workers_are_killed_at_every_step_and_inside(crew, place, record_property):
    inside = deque([TRIALS // 4 + 30, TRIALS // 2 + 60])
    boundary = 1
    job = crew.submit()
    for _ in range(1 if place.url is None else 2):
        crew.start()
    while not (found := crew.look(job)).ended:
        due = found.step >= boundary and (WHOLE or boundary in (1, 3, 5))
        if found.state == "running" and (due or (inside and crew.meter.calls >= inside[0])):
            holder = crew.until(lambda: (now := crew.look(job)).ended or (now.worker and crew.holder(now.worker)))
            if holder is not True:
                if not due:
                    inside.popleft()
                crew.kill(holder)
                crew.start()
        if found.step >= boundary:
            boundary = found.step + 1
        time.sleep(0.002)

    record_property("figures", f"{crew.kills} kills; {crew.meter.calls:,} calls for {TRIALS:,} trials")
    assert crew.kills >= (TRIALS // 100 if WHOLE else 4)
    crew.check(job, calls_in_flight=crew.kills * CONCURRENCY)


def test_a_worker_that_was_stopped_for_longer_than_its_lease_writes_nothing_when_it_goes_on(crew):
    job = crew.submit()
    first = crew.start()
    crew.until(lambda: crew.look(job).step >= 1)
    first.send_signal(signal.SIGSTOP)
    time.sleep(0.1)  # what it had handed to the database before may still be written
    crew.meter.kept = crew.answers()
    second = crew.start()
    crew.until(lambda: crew.look(job).step >= 3)
    first.send_signal(signal.SIGCONT)
    crew.ended(job)

    crew.check(job, calls_in_flight=2 * CONCURRENCY)
    assert first.poll() is None
    second.terminate()
    second.wait()
    again = crew.submit(fresh=True)  # and the first is a worker like any other
    assert crew.ended(again).state == "done"


def test_a_job_is_cancelled_in_the_middle_and_goes_on_when_it_is_tried_again(crew):
    job = crew.submit()
    crew.start()
    crew.until(lambda: crew.look(job).step >= 2)
    asked = time.monotonic()
    crew.jobs.cancel("default", job)
    cancelled = crew.ended(job)
    assert time.monotonic() - asked < 2.0
    assert cancelled.state == "cancelled"
    crew.meter.kept = crew.answers()
    assert 200 <= len(crew.meter.kept) < TRIALS

    crew.jobs.retry("default", job)
    crew.ended(job)
    crew.check(job, calls_in_flight=CONCURRENCY)


def test_a_fresh_job_that_is_gone_on_with_pays_nothing_again_that_it_has_paid(crew):
    job = crew.submit(fresh=True)
    crew.start()
    crew.until(lambda: crew.look(job).step >= 3)
    crew.kill(crew.holder(crew.look(job).worker))
    crew.start()
    crew.ended(job)
    crew.check(job, calls_in_flight=CONCURRENCY)


def test_a_job_outlives_a_disk_that_takes_no_more_for_a_while(tmp_path):
    with crew_on(Place(tmp_path / "home"), tmp_path) as crew:
        job = crew.submit()
        process = crew.start()
        crew.until(lambda: crew.look(job).step >= 2)
        limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        crew.until(lambda: "could not be written" in crew.workers[0][1].read_text())
        crew.meter.kept = crew.answers()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        assert crew.look(job).state in ("waiting", "running")
        crew.ended(job)
        crew.check(job, calls_in_flight=CONCURRENCY * 6)


def test_a_job_outlives_a_crash_of_its_database(tmp_path):
    try:
        with postgres("fsync=on") as server, server.fresh() as url, crew_on(Place(tmp_path, url), tmp_path) as crew:
            job = crew.submit()
            crew.start()
            crew.start()
            crew.until(lambda: crew.look(job).step >= 2)
            server.kill()
            server.start()
            crew.meter.kept = crew.answers()
            crew.ended(job)
            crew.check(job, calls_in_flight=3 * CONCURRENCY)
    except NotHereError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_goes_on_with_the_next_server(tmp_path, sign):
    home = tmp_path / "home"
    with crew_on(Place(home), tmp_path) as crew:
        providers = {"BOXSCORE_PROVIDERS": crew.environment["BOXSCORE_PROVIDERS"]}
        server = serving.start(home, environment=providers)
        answer = server.ask("/api/v1/comparisons", json.dumps(crew.spec()).encode(), serving.JSON)
        assert answer.status == 202, answer.body
        job = answer.json["id"]
        crew.until(lambda: crew.look(job).step >= 2)
        server.stop(sign)
        crew.until(lambda: crew.look(job).state == "waiting")
        assert crew.look(job).attempts == 0
        crew.meter.kept = crew.answers()

        server = serving.start(home, environment=providers)
        crew.ended(job)
        crew.check(job, calls_in_flight=CONCURRENCY)
        assert server.stop() == 0
