"""The records store on real databases."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import StoreError, UnknownNameError
from boxscore.store.records import (
    ExampleRow,
    Records,
    ResponseRow,
    RunRow,
    ScoreRow,
    TrialRow,
    VariantRow,
    VerdictRow,
)
from boxscore.store.records.database import connect

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VARIANT = VariantRow(hash="v", kind="prompt", model="m", description_json="{}")


def run_row(id="r", **more):
    fields = {
        "id": id,
        "plan_hash": "p",
        "variant_hash": "v",
        "variant_name": "n",
        "model": None,
        "dataset_name": "d",
        "dataset_version": "1",
        "repeats": 1,
        "metrics_json": "[]",
        "scorer_specs_json": "[]",
        "fresh": False,
        "started_at": NOW,
    }
    return RunRow(**(fields | more))


def examples(count):
    return [
        ExampleRow(position=n, example_id=f"e{n}", hash=f"h{n}", question_hash=f"q{n}", content_json="{}")
        for n in range(count)
    ]


def response(n=0, *, run="r", **more):
    fields = {"id": f"{run}-x{n}", "run_id": run, "variant_hash": "v", "question_hash": f"q{n}", "draw": 0}
    return ResponseRow(**(fields | {"recorded_at": NOW, "output": f"out {n}"} | more))


def trial(n=0, *, run="r", response_id=None):
    return TrialRow(run_id=run, example_id=f"e{n}", repeat=0, response_id=response_id or f"{run}-x{n}")


def save(records, *pairs):
    async def write():
        await asyncio.gather(*(records.save_response(*pair) for pair in pairs))

    asyncio.run(write())


@pytest.fixture
def records(database):
    records = Records(database)
    records.start_run(run_row(), VARIANT, examples(5))
    return records


def test_a_response_is_found_by_identity_and_age(records):
    save(records, (response(), trial()))

    assert records.find_response("v", "q0", 0, not_older_than=NOW) == response()
    assert records.find_response("v", "q0", 0, not_older_than=NOW + timedelta(microseconds=1)) is None
    assert records.find_response("v", "q0", 1) is None
    assert records.find_response("w", "q0", 0) is None
    assert records.answers("v") == {("q0", 0): response()}


def test_every_field_of_a_response_comes_back_as_it_went_in(records):
    full = response(
        tool_calls_json='[{"name":"f"}]',
        finish_reason="stop",
        model="m-1",
        provider="p",
        fingerprint="fp",
        usage_json="{}",
        usage_raw_json='{"prompt_tokens":1}',
        cost_usd=Decimal("0.00000000012345678901234567890"),
        price="row@1",
        latency_s=0.25,
        first_token_s=0.125,
        error_kind="server",
        error_message="no\n\x00☃",
        error_status=500,
    )
    save(records, (full, trial()))

    assert records.run_trials("r") == [(trial(), full)]


@settings(max_examples=25, deadline=None)
@given(costs=st.lists(st.one_of(st.none(), st.decimals(min_value=0, max_value=10**6, places=12)), max_size=30))
def test_totals_are_the_exact_sum_over_rows(tmp_path_factory, costs):
    with Records.open(tmp_path_factory.mktemp("home")) as records:
        records.start_run(run_row(), VARIANT, examples(len(costs)))
        save(records, *((response(n, cost_usd=cost), trial(n)) for n, cost in enumerate(costs)))
        totals = records.totals("r")

    assert totals.spent_usd == sum((cost for cost in costs if cost is not None), Decimal(0))
    assert (totals.trials, totals.calls) == (len(costs), len(costs))
    assert totals.unpriced == costs.count(None)


def test_totals_tell_what_was_paid_here_from_what_was_reused(records):
    save(records, (response(0, cost_usd=Decimal("0.5")), trial(0)))
    records.start_run(run_row("r2"), VARIANT, examples(5))
    asyncio.run(records.save_trials([trial(0, run="r2", response_id="r-x0")]))
    save(records, (response(1, run="r2", cost_usd=Decimal("0.25")), trial(1, run="r2")))

    totals = records.totals("r2")

    assert (totals.trials, totals.reused, totals.calls, totals.spent_usd) == (2, 1, 1, Decimal("0.25"))


def test_one_bad_write_does_not_take_its_neighbours_with_it(records):
    async def write():
        good = [records.save_response(response(n), trial(n)) for n in range(3)]
        bad = records.save_response(response(4, run="nobody"), trial(4, run="nobody"))
        return await asyncio.gather(*good, bad, return_exceptions=True)

    *good, bad = asyncio.run(write())

    assert good == [None] * 3
    assert isinstance(bad, StoreError)
    assert records.totals("r").trials == 3


def test_a_score_is_replaced_when_it_is_made_again(records):
    score = ScoreRow(run_id="r", example_id="e0", repeat=0, metric="exact", value=0.0)
    save(records, (response(), trial()))
    asyncio.run(records.save_scores([score]))
    asyncio.run(records.save_scores([ScoreRow(run_id="r", example_id="e0", repeat=0, metric="exact", value=1.0)]))

    assert [row.value for row in records.run_scores("r")] == [1.0]


def test_a_score_without_its_trial_is_refused(records):
    score = ScoreRow(run_id="r", example_id="e0", repeat=0, metric="exact", value=0.0)

    with pytest.raises(StoreError):
        asyncio.run(records.save_scores([score]))


def test_unfinished_runs_of_a_plan_are_found_while_they_show_life(records):
    save(records, (response(recorded_at=NOW + timedelta(hours=5)), trial()))

    assert [row.id for row in records.runs_of_plan("p", finished=False, active_since=NOW + timedelta(hours=5))] == ["r"]
    assert records.runs_of_plan("p", finished=False, active_since=NOW + timedelta(hours=6)) == []
    assert records.runs_of_plan("other", finished=False) == []
    records.finish_run("r", NOW)
    assert records.runs_of_plan("p", finished=False, active_since=None) == []


def test_an_unknown_run_is_named_with_the_nearest(records):
    with pytest.raises(UnknownNameError) as caught:
        records.run("rr")

    assert caught.value.nearest == "r"


def test_a_verdict_is_kept_and_replaced_by_its_id(records):
    verdict = VerdictRow(
        id="abc", created_at=NOW, verdict="ship", baseline_run="r", candidate_run=None, content_json='{"a":1}'
    )
    records.save_verdict(verdict)
    records.save_verdict(verdict)

    assert records.verdict("abc") == verdict
    assert records.verdicts() == [verdict]


def test_a_naive_time_is_refused(records):
    with pytest.raises(StoreError):
        records.finish_run("r", datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_file_is_synced_at_every_commit_and_keeps_its_keys(tmp_path):
    Records.open(tmp_path).close()
    connection = connect(tmp_path / "records.db")
    read = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    connection.close()

    assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_two_processes_write_at_once(place):
    program = """
import sys
sys.path.insert(0, "tests/unit/store")
from test_records import *
from boxscore import settings
run, found = sys.argv[1], settings.load()
with Records.open(settings.home(found), found.records_url) as records:
    records.start_run(run_row(run), VARIANT, examples(40))
    for n in range(40):
        save(records, (response(n, run=run), trial(n, run=run)))
"""
    children = [
        subprocess.Popen([sys.executable, "-c", program, f"run{n}"], env=os.environ | place.environment)
        for n in range(2)
    ]

    assert [child.wait(60) for child in children] == [0, 0]
    with Records(place.open()) as records:
        assert [records.totals(f"run{n}").trials for n in range(2)] == [40, 40]


# Places that cannot be used


def test_what_is_no_database_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "records.db").write_text("not a database at all, and longer than a header would be" * 20)

    with pytest.raises(StoreError) as caught:
        Records.open(tmp_path)

    assert "records.db" in str(caught.value)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError):
        Records.open(tmp_path / "file" / "home")
