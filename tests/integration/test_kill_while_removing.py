"""Retention and erasure are killed in the middle, while spans come in: nothing that was to stay is lost, and the next
run finishes what was begun."""

import random
import signal
import subprocess
import sys
import time

import pytest

from boxscore.governance import Policy, reapply, retain, tombstones
from boxscore.store.spans import SpanRow, SqliteSpans
from boxscore.store.verify import verify

DAY = 24 * 3600 * 10**9
NOW = 1_800_000_000 * 10**9
LIVES = 4

PROGRAM = """
import os, sys, threading
from pathlib import Path
from boxscore.governance import Policy, erase, retain
from boxscore.store.spans import SqliteSpans
sys.path.insert(0, sys.argv[4])
from test_kill_while_removing import DAY, NOW, span

what, home, life = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
journal = os.open(home / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
with SqliteSpans(home, segment_spans=400, clock_ns=lambda: NOW + 30 * DAY) as store:

    def write():
        for n in range(10**9):
            store.put("p", [span(f"live-{life}-{n}")]).result()
            os.write(journal, b"live-%d-%d\\n" % (life, n))

    threading.Thread(target=write, daemon=True).start()
    print("ready", flush=True)
    if what == "erase":
        erase(home, store, "user", "ann@example.org", project="p", now_ns=NOW + 29 * DAY)
    else:
        policy = Policy(days=20) if what == "drop" else Policy(sample=0.0)
        retain(store, policy, now_ns=NOW + 30 * DAY)
    print("done", flush=True)
    threading.Event().wait()
"""


def span(name, user="somebody", **fields):
    text = f"{name} asked what all of them ask, in the words that they use " * 4
    fields = {"start_ns": NOW, "error": False} | fields
    return SpanRow(trace_id=name.encode(), span_id=b"0", name="chat", entry=True, user=user, input_text=text, **fields)


def secret(n):
    return f"secret{random.Random(n).getrandbits(96):024x}"


def fill(home):
    with SqliteSpans(home, segment_spans=400, clock_ns=lambda: NOW) as store:
        for n in range(900):
            ann = n % 3 == 0
            row = span(
                f"old {n}",
                user="ann@example.org" if ann else "somebody",
                output_text=secret(n) if ann else "",
                error=n % 10 == 1,
                application="shop",
            )
            store.put("p", [row])
        store.catch_up()


def killed(what, home, life, after_s):
    """Whether it was done before it was killed."""
    here = __file__.rpartition("/")[0]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, what, home, str(life), here], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout.readline() == b"ready\n", child.stderr.read().decode()
    time.sleep(after_s)  # the fault is the time: any is as good as another
    child.send_signal(signal.SIGKILL)
    return child.communicate()[0] == b"done\n"


def names(store):
    found, cursor = [], None
    while True:
        page = store.spans("p", limit=1000, cursor=cursor)
        found += [item.trace_id.decode() for item in page.items]
        if (cursor := page.cursor) is None:
            return found


@pytest.mark.parametrize("what", ["drop", "sample", "erase"])
def test_a_removal_that_is_killed_is_finished_by_the_next(tmp_path, what):
    fill(tmp_path)
    draw = random.Random(what)
    for life in range(LIVES):
        killed(what, tmp_path, life, draw.uniform(0.02, 0.35))
        assert verify(tmp_path) == []

    acknowledged = (tmp_path / "acknowledged").read_text().split("\n")[:-1]
    with SqliteSpans(tmp_path, segment_spans=400, clock_ns=lambda: NOW + 30 * DAY) as store:
        if what == "erase":
            reapply(tmp_path, store)
        else:
            retain(store, Policy(days=20) if what == "drop" else Policy(sample=0.0), now_ns=NOW + 30 * DAY)
        found = names(store)
        bytes_left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert verify(tmp_path) == []
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    old = {name for name in found if name.startswith("old")}
    match what:
        case "drop":
            assert not old
        case "sample":
            assert old == {f"old {n}" for n in range(900) if n % 10 == 1}
        case _:
            assert old == {f"old {n}" for n in range(900) if n % 3}
            assert b"ann@example.org" not in bytes_left
            assert not [n for n in range(0, 900, 3) if secret(n).encode() in bytes_left]
            assert all(tombstones.read(tmp_path).values())
