"""Short forms of the faults below the span store. `make faults` runs them all, for longer."""

from functools import partial
from unittest.mock import Mock

import pytest

from boxscore.store.spans import SqliteSpans
from boxscore.store.verify import verify
from faults import scenarios
from faults.calls import Site
from faults.checker import PROJECT, check
from faults.load import Journal, parts_of, request, rows
from faults.power import Disk, Record
from faults.scenarios import Calls
from faults.servers import store_server

CALLS = 50
DAMAGES = {
    "noise": lambda draw, data: draw.randbytes(len(data)),
    "flipped bits": lambda draw, data: bytes(byte ^ (draw.random() < 0.01) for byte in data),
    "cut": lambda draw, data: data[: 4096 * draw.randrange(1, len(data) // 4096)],
    "empty": lambda draw, data: b"",
}


def test_what_was_acknowledged_before_a_kill_is_stored_once_and_whole(tmp_path, draw):
    verdict = scenarios.kill(tmp_path, store_server, draw, kills=3)

    assert verdict.good, verdict
    assert verdict.acknowledged > 50


def test_what_was_acknowledged_before_a_power_loss_is_stored_once_and_whole(tmp_path, built, draw):
    losses, verdict = scenarios.lose_power(tmp_path, store_server, built, draw, losses=5)

    assert verdict.good, verdict
    assert losses == 10
    assert verdict.acknowledged > 100


def test_a_sync_that_a_kill_cut_short_is_not_taken_for_the_next_one(tmp_path):
    home, log = str(tmp_path / "home"), str(tmp_path / "home" / "log")
    told = [("created", log), ("syncing", home), ("synced", home), ("syncing", log), ("killed", "")]
    told += [("opened", log), ("written", log), ("syncing", log), ("synced", log)]
    disk = Disk(tmp_path / "home", [Record(kind, path, 7 if path == log else 1, 0, b"kept") for kind, path in told])
    disk.run_to(len(told))

    disk.lose_power(tmp_path / "left", Mock(choice=lambda _: "all"))

    assert (tmp_path / "left" / "log").read_bytes() == b"kept"


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


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["rollup", "search", "columns"])
def test_what_is_made_of_the_spans_is_made_again_when_it_is_damaged(tmp_path, draw, kind, damage):
    journal = Journal()
    with SqliteSpans(tmp_path) as store:
        for n in range(10):
            for part in parts_of(f"trace {n}"):
                journal.sending(part)
                store.put(PROJECT, rows(request(part))).result()
                journal.answered(200, part)
        store.catch_up()
    path = store.folder / f"000001.{kind}"
    path.write_bytes(DAMAGES[damage](draw, path.read_bytes()))

    verdict = check(tmp_path, journal)

    assert verdict.good, verdict
    assert verdict.stored == 60


def test_a_span_file_that_was_cut_within_its_last_page_is_named(tmp_path):
    with SqliteSpans(tmp_path) as store:
        for n in range(30):
            store.put(PROJECT, rows(request(parts_of(f"trace {n}")[-1]))).result()
    path = store.folder / "000001.db"
    path.write_bytes(path.read_bytes()[:-8_000])

    assert {named for named, _ in verify(tmp_path)} == {path}
