"""Short forms of the faults below the span store. `make faults` runs them all, for longer."""

from functools import partial

import scenarios
from calls import Site
from scenarios import Calls
from servers import store_server

CALLS = 60


def test_what_was_acknowledged_before_a_kill_is_stored_once_and_whole(tmp_path, draw):
    verdict = scenarios.kill(tmp_path, store_server, draw, kills=3)

    assert verdict.good, verdict
    assert verdict.acknowledged > 50


def test_what_was_acknowledged_before_a_power_loss_is_stored_once_and_whole(tmp_path, built, draw):
    losses, verdict = scenarios.lose_power(tmp_path, store_server, built, draw, losses=5)

    assert verdict.good, verdict
    assert losses == 10
    assert verdict.acknowledged > 100


def test_a_store_that_does_not_sync_each_commit_is_found_out(tmp_path, built, draw):
    """The shim and the checker see what they are made for."""
    unsynced = partial(store_server, synchronous="NORMAL")
    _, verdict = scenarios.lose_power(tmp_path, unsynced, built, draw, losses=5, lives=1)

    assert verdict.lost > 0


def test_no_failing_call_loses_doubles_or_halves_what_was_acknowledged(tmp_path, built, draw):
    with Calls(tmp_path, built) as calls:
        found = [calls.run(site) for site in draw.sample(calls.sites(), CALLS)]

    assert [one for one in found if not one.good] == []
    assert sum(one.fired > 0 for one in found) > CALLS / 2
    assert sum(one.refused for one in found) > 0


def test_a_span_file_that_could_not_be_made_whole_does_not_take_its_place(tmp_path, built):
    with Calls(tmp_path, built) as calls:
        sites = [
            Site("write", n, error, times, match=".new")
            for n in range(2, 100, 7)
            for error, times in (("EIO", -1), ("ENOSPC", 1))
        ]
        found = [calls.run(site) for site in sites]

    assert [one for one in found if not one.good] == []
    assert sum(one.refused for one in found) > len(found) / 2


def test_after_a_failed_sync_and_a_new_start_a_power_loss_takes_nothing_that_was_acknowledged(tmp_path, built, draw):
    """What the failed sync left is in memory as if it were on disk; later commits must not stand on it."""
    losses, verdict = scenarios.lose_power(
        tmp_path, store_server, built, draw, losses=8, lives=1, processes=2, failing_syncs=True
    )

    assert verdict.good, verdict
    assert losses == 8
