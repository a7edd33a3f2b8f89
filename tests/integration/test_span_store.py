"""A writing process is killed without warning, again and again: what it acknowledged is there, once and whole."""

import random
import signal
import subprocess
import sys
import time

import apsw
import pytest

from boxscore.store.spans import SpanRow, SqliteSpans

KILLS = 5
MINUTE = 60 * 10**9
EPOCH = 16_666_667 * MINUTE
SPANS = 7  # of a trace, sent in two parts that overlap

PROGRAM = """
import os, random, sys, threading
from pathlib import Path
from boxscore.store.spans import SpanRow, SqliteSpans
sys.path.insert(0, sys.argv[3])
from test_span_store import SPANS, span

home, life = Path(sys.argv[1]), int(sys.argv[2])
journal = os.open(home / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def work(store, client):
    draw = random.Random(f"{life} {client}")
    for n in range(10**9):
        trace = f"{life}-{client}-{n}".encode()
        rows = [span(trace, place) for place in range(SPANS)]
        cut = draw.randrange(1, SPANS)
        for part in (rows[cut - 1 :], rows[: cut + 1], rows):
            store.put("p", part).result()
            os.write(journal, b"".join(b"%s %d\\n" % (row.trace_id, int(row.span_id)) for row in part))

with SqliteSpans(home, segment_spans=1_000) as store:
    clients = [threading.Thread(target=work, args=(store, n), daemon=True) for n in range(4)]
    for client in clients:
        client.start()
    print("ready", flush=True)
    clients[0].join()
"""


def span(trace, place):
    """The same for the same arguments, with content that a torn or mixed row would not have."""
    told = random.Random(f"{trace} {place}")
    return SpanRow(
        trace_id=trace,
        span_id=b"%d" % place,
        parent_id=b"0" if place else None,
        entry=place == 0,
        name=f"step {place}",
        start_ns=EPOCH + told.randrange(10**9),
        duration_ns=told.randrange(10**9),
        application="killed",
        user=f"user {told.randrange(50)}",
        output_tokens=told.randrange(1000),
        metadata={"place": str(place)},
        output_text=f"answer {told.randrange(1000)} " + "in the words that all of them use " * 20,
        raw=told.randbytes(100),
    )


@pytest.mark.parametrize("seed", [1])
def test_what_was_acknowledged_before_a_kill_is_stored_once_and_whole(tmp_path, seed):
    draw = random.Random(seed)
    here = __file__.rpartition("/")[0]
    for life in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, tmp_path, str(life), here], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert child.stdout.readline() == b"ready\n", child.stderr.read().decode()
        time.sleep(draw.uniform(0.05, 0.7))  # the fault is the time: any is as good as another
        child.send_signal(signal.SIGKILL)
        child.communicate()

    lines = (tmp_path / "acknowledged").read_bytes().split(b"\n")[:-1]  # a last line without its end was not written
    acknowledged = {tuple(line.split(b" ")) for line in lines}
    with SqliteSpans(tmp_path) as store:
        stored, cursor = {}, None
        while True:
            page = store.spans("p", limit=5_000, cursor=cursor, whole=True)
            for found in page.items:
                assert (found.trace_id, found.span_id) not in stored  # none twice
                stored[found.trace_id, found.span_id] = found
            if (cursor := page.cursor) is None:
                break
        in_flight = [store.trace("p", trace).items for trace in {trace for trace, _ in stored.keys() - acknowledged}]
        store.catch_up()
        series = store.series("p", start_ns=EPOCH, end_ns=EPOCH + MINUTE, step_ns=MINUTE)
        found_again = store.search("p", "answer", limit=10_000)
        counts = store.counts("p")
    assert [point.spans for point in series.points] == [counts.spans] == [len(stored)]
    assert series.points[0].output_tokens == counts.output_tokens
    assert (series.pending, found_again.pending) == (0, 0)
    assert len(acknowledged) > 100 * KILLS
    assert acknowledged <= stored.keys()  # none lost
    for (trace, place), found in stored.items():
        sent = span(trace, int(place))
        whole = {name: getattr(found, name) for name in SpanRow.__struct_fields__ if name != "entry"}
        assert whole == {name: getattr(sent, name) for name in whole}  # none half
    assert len(in_flight) <= 4 * KILLS  # what was never answered is at most what was on its way
    files = sorted((tmp_path / "spans").glob("*.db"))
    assert len(files) > 1
    for file in files:
        connection = apsw.Connection(str(file))
        assert connection.pragma("integrity_check") == "ok"
        dangling = "SELECT count(*) FROM spans WHERE block NOT IN (SELECT id FROM blocks)"
        unused = "SELECT count(*) FROM blocks WHERE id NOT IN (SELECT block FROM spans)"
        assert [connection.execute(asked).get for asked in (dangling, unused)] == [0, 0]
        connection.close()
