"""Comparisons as jobs, with all that a spec can ask for, cut short again and again: no question is paid twice."""

import threading
import time
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal

import pytest

from boxscore.experiments.jobs import handlers, progress_of
from boxscore.jobs import Jobs, Worker
from boxscore.store.records import Records
from boxscore.testing import FakeServer
from databases import Place

ROWS = [{"id": str(n), "inputs": {"n": n}, "reference": f"b {n}"} for n in range(120)]


class Meter:
    def __init__(self):
        self.asked = Counter()
        self.turn = threading.Lock()

    def __call__(self, body):
        question = body["messages"][-1]["content"]
        judged = "Is it right?" in question
        with self.turn:
            self.asked[question] += 1
        return {
            "model": "m",
            "choices": [
                {"message": {"content": '{"verdict": "yes"}' if judged else question}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
        }


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
def jobs(tmp_path, monkeypatch, meter):
    with FakeServer(meter, latency_s=0.004) as server:
        monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("BOXSCORE_PROVIDERS", f"shop={server.base_url}")
        database = Place(tmp_path / "home").open()
        yield Jobs(database)
        database.close()


def spec(**more):
    shop = {"provider": "shop", "model": "m", "usd_per_mtok": 1}
    variants = {name: {**shop, "prompt": f"{name} {{{{ n }}}}"} for name in "ab"}
    return {"dataset": ROWS, "variants": variants, "scorers": ["exact"], "concurrency": 4, **more}


@contextmanager
def working(jobs):
    worker = Worker(jobs, handlers(), look_s=0.01)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


def cut_short(jobs, job, meter, cuts):
    """Lets workers begin the job and stops them again, then lets one end it."""
    for cut in cuts:
        with working(jobs):
            until(lambda cut=cut: meter.asked.total() >= cut or jobs.get("default", job.id).ended)
    with working(jobs):
        until(lambda: jobs.get("default", job.id).ended)
    done = jobs.get("default", job.id)
    assert done.state == "done", done.error
    return done


@pytest.mark.parametrize("fresh", [False, True])
def test_looks_that_stop_early_go_on_with_what_earlier_attempts_have_asked(jobs, meter, fresh):
    even = [row | {"reference": f"{'ab'[n % 2]} {n}"} for n, row in enumerate(ROWS)]  # so that it is never clear
    job = jobs.submit("default", "comparison", spec(stop_early=True, fresh=fresh, dataset=even))
    done = cut_short(jobs, job, meter, [60, 150])
    assert [verdict["verdict"] for verdict in done.result["verdicts"]] == ["undecided"]
    assert len(meter.asked) == 240
    assert meter.asked.total() - len(meter.asked) <= 2 * 4


@pytest.mark.parametrize("fresh", [False, True])
def test_judges_are_asked_once_about_every_answer(jobs, meter, fresh):
    judge = {"provider": "shop", "model": "m", "question": "Is it right?", "usd_per_mtok": 1}
    judged = spec(judges={"right": judge}, fresh=fresh, dataset=ROWS[:40])
    job = jobs.submit("default", "comparison", judged)
    done = cut_short(jobs, job, meter, [30, 90, 130])
    assert set(done.progress) >= {"a", "b"}
    assert meter.asked.total() - len(meter.asked) <= 3 * 4
    assert len(meter.asked) == 160
    assert len(done.result["runs"]) == 3


def test_a_job_of_a_project_keeps_its_runs_there(jobs, meter):
    records = Records(jobs.rows.database)
    job = jobs.submit("default", "run", spec(variant="a", dataset=ROWS[:10]))
    done = cut_short(jobs, job, meter, [])
    assert [run.id for run in records.runs()] == done.result["runs"]
    assert [run.job_id for run in records.runs()] == [job.id]


def test_a_run_that_was_begun_here_is_left_to_whoever_began_it_and_its_answers_are_taken(jobs, meter):
    first = cut_short(jobs, jobs.submit("default", "comparison", spec(dataset=ROWS[:20])), meter, [])
    second = cut_short(jobs, jobs.submit("default", "comparison", spec(dataset=ROWS[:20])), meter, [])
    assert not set(first.result["runs"]) & set(second.result["runs"])
    assert meter.asked.total() == 40
    assert [run["reused"] for run in second.progress.values()] == [20, 20]


def test_progress_reads_as_that_of_a_run_here(jobs, meter):
    done = cut_short(jobs, jobs.submit("default", "comparison", spec(dataset=ROWS[:20])), meter, [])
    progress = progress_of(done.progress)["b"]
    assert (progress.done, progress.total, progress.errors, progress.unpriced) == (20, 20, 0, 0)
    assert progress.spent_usd == Decimal("0.00006")
    assert progress.forecast.calls == 20
    assert progress_of(None) == {}
