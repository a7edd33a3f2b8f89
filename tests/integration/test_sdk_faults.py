"""The application never suffers from tracing, whatever the server does, and no span goes uncounted."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver

from boxscore.sdk.spool import Spool
from boxscore.tracing import read_protobuf

APPLICATION = Path(__file__).with_name("sdk_application.py")
RUNS = int(os.environ.get("BOXSCORE_FAULT_RUNS", "5"))


def run(scenario: str, url: str, folder: Path, *, runs: int = RUNS, **more: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "BOXSCORE_"))}
    done = subprocess.run(
        [sys.executable, str(APPLICATION), scenario, url, str(folder), str(runs)],
        env=environment | {"NO_PROXY": "127.0.0.1"} | more,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def spooled(folder: Path) -> Iterator[str]:
    """Ids of the spans that a home's spool holds."""
    for place in (folder / "spool").glob("*"):
        spool = Spool(place, 1 << 30)
        held = []
        while (segment := spool.oldest()) is not None:
            held.append(segment)
            while (parcel := segment.next()) is not None:
                if parcel.kind == "spans":
                    yield from (span.span_id.hex() for span in read_protobuf(parcel.body).spans)
                segment.advance(parcel)
        for segment in held:
            segment.close()


def check(folder: Path, taken: set[str]) -> dict[str, Any]:
    """Acknowledged + on disk + counted as dropped or refused = made, for the run in `folder`."""
    told = json.loads((folder / "made.json").read_text())
    made, counts = set(told["made"]), told["counts"]["spans"]
    kept = set(spooled(folder))
    reports = counts["made"] - len(made)  # a span that tells what was dropped
    assert reports in (0, 1)
    missing = made - taken - kept
    lost = counts["dropped"] + counts["refused"]
    assert len(missing) <= lost <= len(missing) + reports, (len(made), len(missing), counts)
    assert told["slowest_s"] < 0.5, "a call waited for something"
    assert told["exit_s"] < 5.0, "the exit waited for too long"
    assert told["memory_mb"] < 200
    return told


def ids(receiver: Receiver) -> set[str]:
    return {span.span_id.hex() for span in receiver.spans}


def test_nothing_is_lost_when_the_interpreter_ends_at_once(tmp_path: Path) -> None:
    with Receiver() as receiver:
        said = run("exit", receiver.url, tmp_path)
        for folder in tmp_path.iterdir():
            told = check(folder, ids(receiver))

            assert set(told["made"]) <= ids(receiver)

    assert len(receiver.scores) == RUNS
    assert said == ""


@pytest.mark.parametrize("mode", ["garbage", "cut", "busy", "hang", "drip"])
def test_a_server_that_misbehaves_costs_nothing_and_spans_wait_on_disk(tmp_path: Path, mode: str) -> None:
    with Receiver(mode) as receiver:
        run("exit", receiver.url, tmp_path, OTEL_EXPORTER_OTLP_TIMEOUT="0.1")

    for folder in tmp_path.iterdir():
        told = check(folder, set())
        assert set(spooled(folder)) == set(told["made"])
        assert told["counts"]["scores"]["spooled"] == 1


def test_an_answer_of_100_megabytes_is_not_read(tmp_path: Path) -> None:
    with Receiver("huge") as receiver:
        run("exit", receiver.url, tmp_path, runs=5)

    for folder in tmp_path.iterdir():
        assert set(spooled(folder)) == set(check(folder, set())["made"])


def test_a_server_that_is_down_costs_nothing_and_spans_wait_on_disk(tmp_path: Path) -> None:
    with Receiver() as receiver:
        pass
    said = run("flush", receiver.url, tmp_path)

    for folder in tmp_path.iterdir():
        assert set(spooled(folder)) == set(check(folder, set())["made"])
    assert said.count("they wait on disk and the application goes on") == RUNS, "one line for each process"


def test_a_slow_server_gets_what_it_takes_in_time_and_the_rest_waits(tmp_path: Path) -> None:
    with Receiver("slow") as receiver:
        run("flush", receiver.url, tmp_path)
        for folder in tmp_path.iterdir():
            check(folder, ids(receiver))


def test_refused_for_good_is_counted_and_not_kept(tmp_path: Path) -> None:
    with Receiver("refuse") as receiver:
        run("exit", receiver.url, tmp_path, runs=3)

    for folder in tmp_path.iterdir():
        told = check(folder, set())
        assert told["counts"]["spans"]["refused"] == len(told["made"])


def test_forked_processes_send_their_own_spans_once(tmp_path: Path) -> None:
    with Receiver() as receiver:
        run("fork", receiver.url, tmp_path)

    arrived = [span.span_id.hex() for span in receiver.spans]
    for folder in tmp_path.iterdir():
        check(folder, set(arrived))
        for process in ("fork", "process"):
            made = json.loads((folder / process / "made.json").read_text())["made"]
            assert len(made) == 5
            assert set(made) <= set(arrived)
    assert len(arrived) == len(set(arrived)) == RUNS * 25


def test_forked_processes_spool_apart(tmp_path: Path) -> None:
    with Receiver() as receiver:
        pass
    run("fork", receiver.url, tmp_path, runs=3)

    for folder in tmp_path.iterdir():
        parts = [folder / "fork", folder / "process", folder]
        made = [span for part in parts for span in json.loads((part / "made.json").read_text())["made"]]
        assert sorted(spooled(folder)) == sorted(made)


def test_streams_that_outlive_their_event_loop_end_quietly(tmp_path: Path) -> None:
    with Receiver() as receiver:
        said = run("loop", receiver.url, tmp_path)

    for folder in tmp_path.iterdir():
        told = check(folder, ids(receiver))
        assert set(told["made"]) <= ids(receiver)
    assert "Traceback" not in said


def test_a_full_disk_beside_a_server_that_is_down_is_counted(tmp_path: Path) -> None:
    with Receiver() as receiver:
        pass
    said = run("disk", receiver.url, tmp_path)

    for folder in tmp_path.iterdir():
        told = check(folder, set())
        assert told["counts"]["spans"]["dropped"] >= len(told["made"]) - len(set(spooled(folder)))
    assert "nothing can be kept in" in said


def test_what_a_process_left_on_disk_is_sent_by_the_next(tmp_path: Path) -> None:
    with Receiver("busy") as receiver:
        run("exit", receiver.url, tmp_path / "a", runs=1)
        receiver.mode = "good"
        first = json.loads((tmp_path / "a" / "0" / "made.json").read_text())["made"]
        assert not receiver.spans
        (tmp_path / "a" / "0" / "made.json").unlink()
        os.rename(tmp_path / "a" / "0", tmp_path / "home")

        code = (
            "import boxscore; boxscore.init(instrument=False)\n"
            "with boxscore.trace('later'): pass\n"
            "assert boxscore.flush(20)"
        )
        environment = os.environ | {"BOXSCORE_HOME": str(tmp_path / "home"), "BOXSCORE_URL": receiver.url}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)

    arrived = [span.span_id.hex() for span in receiver.spans]
    assert arrived[: len(first)] == first, "the oldest come first"
    assert receiver.spans[-1].name == "later"
    assert list(spooled(tmp_path / "home")) == []
    assert len(receiver.scores) == 1


def test_an_exit_beside_a_server_that_hangs_is_bounded(tmp_path: Path) -> None:
    with Receiver("hang") as receiver:
        began = time.perf_counter()
        run("exit", receiver.url, tmp_path, runs=1)
        took = time.perf_counter() - began

    told = check(tmp_path / "0", set())
    assert told["exit_s"] < 4.0
    assert took < 20
    assert set(spooled(tmp_path / "0")) == set(told["made"])
