"""Short forms of the faults around `boxscore serve`. `make faults` runs them all, for longer."""

import pytest

from faults import around, scenarios
from faults.around import YEAR_NS
from faults.calls import Site
from faults.servers import serve

HOUR_NS = 3_600 * 10**9


def test_what_the_server_acknowledged_before_a_kill_is_stored_once_and_whole(tmp_path, draw):
    verdict = scenarios.kill(tmp_path, serve, draw, kills=2)

    assert verdict.good, verdict
    assert verdict.acknowledged


def test_what_the_server_acknowledged_before_a_power_loss_is_stored_once_and_whole(tmp_path, built, draw):
    losses, verdict = scenarios.lose_power(tmp_path, serve, built, draw, losses=5, lives=1)

    assert verdict.good, verdict
    assert losses == 5
    assert verdict.acknowledged


def test_a_full_disk_refuses_and_is_written_to_again_once_there_is_room(tmp_path, built, draw):
    verdict = around.disk_full(tmp_path, serve, built, draw)

    assert verdict.good, verdict


def test_a_slow_disk_is_waited_for_by_those_who_send_and_by_nobody_else(tmp_path, built):
    longest, verdict = around.slow_sync(tmp_path, serve, built, 0.5)

    assert verdict.good, verdict
    assert longest >= 0.5


def test_overload_is_refused_and_soon_forgotten(tmp_path, built):
    told, verdict = around.overload(tmp_path, serve, built, seconds=5, clients=50)

    assert verdict.good, verdict
    assert told["recovered_s"] < 10


@pytest.mark.parametrize(
    ("site", "at_start"),
    [
        (Site("sync", 3, "EIO"), False),
        (Site("write", 40, "ENOSPC", -1), True),
        (Site("write", 9, "EIO"), False),
    ],
    ids=["a sync fails under load", "no room to start", "a write fails under load"],
)
def test_a_failing_call_is_refused_and_loses_nothing(tmp_path, built, site, at_start):
    fired, verdict = around.failing_call(tmp_path, serve, built, site, at_start=at_start)

    assert fired
    assert verdict.good, verdict


def test_clocks_that_jump_lose_nothing(tmp_path, built):
    verdict = around.clocks(tmp_path, serve, built, [0, -HOUR_NS, 24 * HOUR_NS, -10 * YEAR_NS, 10 * YEAR_NS])

    assert verdict.good, verdict


def test_every_order_of_the_spans_of_a_trace_ends_alike(tmp_path, built, draw):
    sequences = around.every_order()
    verdict = around.orders(tmp_path, serve, built, sequences)

    assert verdict.good, verdict
    assert verdict.stored == 720 * 6


def test_a_batch_that_comes_again_at_once_and_after_a_restart_is_stored_once(tmp_path, built, draw):
    verdict = around.repeats(tmp_path, serve, built, draw, batches=4)

    assert verdict.good, verdict
    assert verdict.stored == 4 * 12


def test_a_second_server_on_a_folder_refuses_with_one_sentence(tmp_path, built):
    verdict = around.second_server(tmp_path, serve, built)

    assert verdict.good, verdict


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_a_server_that_is_told_to_stop_under_load_leaves_soon_and_loses_nothing(tmp_path, built, draw, twice):
    took, verdict = around.stopped(tmp_path, serve, built, draw, twice=twice)

    assert verdict.good, verdict
    assert took < 11
