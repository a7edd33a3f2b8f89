"""A home is backed up while others write, restored, verified; killed in the middle, damaged, held against erasures."""

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from boxscore.errors import BoxscoreError, FileError, StoreError, UsageError
from boxscore.governance import erase
from boxscore.governance.erasure import hold_against
from boxscore.store import backup as backups
from boxscore.store.backup import MANIFEST, backup, read_manifest, restore
from boxscore.store.records import Records
from boxscore.store.spans import Score, SpanRow, SqliteSpans
from boxscore.store.verify import verify

NOW = 1_800_000_000 * 10**9


def span(trace, n=0, **fields):
    told = random.Random(f"{trace} {n}")
    fields = {"start_ns": NOW + told.randrange(10**12), "user": f"user {told.randrange(9)}"} | fields
    return SpanRow(
        trace_id=trace.encode(),
        span_id=b"%d" % n,
        name="chat",
        entry=n == 0,
        application="shop",
        input_tokens=told.randrange(1000),
        output_text=f"answer {told.randrange(1000)} in words that all of them use " * 5,
        raw=told.randbytes(60),
        metadata={"tier": f"t{told.randrange(3)}"},
        **fields,
    )


def fill(home, traces=60):
    with SqliteSpans(home, segment_spans=80, clock_ns=lambda: NOW) as store:
        for n in range(traces):
            store.put("p", [span(f"t{n}"), span(f"t{n}", 1)]).result()
        store.put_scores("p", [Score(id="1", name="good", value=0.5, trace_id=b"t1", at_ns=1)]).result()
        store.catch_up()
    Records.open(home).close()
    (home / "prices.yaml").write_text("[]")


def content(home):
    """All that can be asked of the home."""
    with SqliteSpans(home, write=False) as store:
        found, cursor = [], None
        while True:
            page = store.spans("p", limit=100, cursor=cursor, whole=True)
            found += page.items
            if (cursor := page.cursor) is None:
                return sorted(found, key=lambda one: (one.trace_id, one.span_id)), list(store.scores("p"))


@pytest.fixture
def home(tmp_path):
    fill(tmp_path / "home")
    return tmp_path / "home"


def test_what_is_restored_is_what_was_backed_up(home, tmp_path):
    manifest = backup(home, tmp_path / "backup", now_ns=NOW)
    restore(tmp_path / "backup", tmp_path / "other")

    assert {file.path for file in manifest.files} == {
        *(f"spans/00000{n}.db" for n in (1, 2)),
        "spans/scores.sqlite",
        "records.db",
        "prices.yaml",
    }
    assert sum(file.spans or 0 for file in manifest.files) == 120
    assert read_manifest(tmp_path / "backup") == manifest
    assert content(tmp_path / "other") == content(home)
    assert verify(tmp_path / "other") == []
    with SqliteSpans(tmp_path / "other") as store:  # and it goes on
        store.put("p", [span("new")]).result()
        store.catch_up()
        assert len(store.search("p", "answer", limit=1000).items) == 121
    assert verify(tmp_path / "other") == []


def test_a_backup_while_others_write_is_consistent(tmp_path):
    home, stop = tmp_path / "home", threading.Event()
    with SqliteSpans(home, segment_spans=2_000) as store:

        def write(client):
            for n in range(100_000):
                if stop.is_set():
                    return
                store.put("p", [span(f"{client} {n}", place) for place in range(3)]).result()

        clients = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        for client in clients:
            client.start()
        for n in range(3):
            time.sleep(0.2)
            backup(home, tmp_path / f"backup {n}")
        stop.set()
        for client in clients:
            client.join()
        whole, _ = content(home)

    for n in range(3):
        restore(tmp_path / f"backup {n}", tmp_path / f"restored {n}")
        assert verify(tmp_path / f"restored {n}") == []
        found, _ = content(tmp_path / f"restored {n}")
        assert len(found) % 3 == 0  # whole commits
        assert {one.raw for one in found} <= {one.raw for one in whole}


def test_what_is_in_a_long_log_alone_is_in_the_backup(tmp_path):
    """More than fits into the copy's memory: its pages have no checksums in the log."""
    draw = random.Random(3)
    with SqliteSpans(tmp_path / "home") as store:
        rows = [
            SpanRow(trace_id=b"%d" % n, span_id=b"0", name="x", start_ns=NOW, raw=draw.randbytes(8_000))
            for n in range(900)
        ]
        with SqliteSpans(tmp_path / "home", write=False) as other, other._reading(1, store.folder / "000001.db"):
            store.put("p", rows).result()  # a reader keeps the log from being brought in
            backup(tmp_path / "home", tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")

    assert verify(tmp_path / "restored") == []
    assert len(content(tmp_path / "restored")[0]) == 900


def test_a_home_in_use_or_not_empty_is_left_alone(home, tmp_path):
    backup(home, tmp_path / "backup")
    before = content(home)
    with pytest.raises(UsageError, match="not empty"):
        restore(tmp_path / "backup", home)
    with SqliteSpans(home), pytest.raises(StoreError, match="stop it first"):
        restore(tmp_path / "backup", home, replace=True)

    assert content(home) == before
    with pytest.raises(FileError):
        backup(home, tmp_path / "backup")
    with pytest.raises(UsageError):
        backup(home, home / "backup")
    with pytest.raises(FileError):
        restore(home, tmp_path / "x")


def test_a_restore_replaces_all_that_was_there(home, tmp_path):
    backup(home, tmp_path / "backup")
    before = content(home)
    with SqliteSpans(home, segment_spans=80) as store:
        store.put("p", [span(f"new {n}") for n in range(200)]).result()
    (home / "later.txt").write_text("x")
    restore(tmp_path / "backup", home, replace=True)

    assert content(home) == before
    assert sorted(path.name for path in home.iterdir()) == ["prices.yaml", "records.db", "restore.lock", "spans"]


def test_a_flipped_bit_anywhere_in_a_backup_keeps_it_from_being_restored(home, tmp_path):
    backup(home, tmp_path / "backup")
    draw = random.Random(1)
    files = [path for path in sorted((tmp_path / "backup").rglob("*")) if path.is_file()]
    for path in [*files, *draw.choices(files, k=20)]:
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(BoxscoreError, match=path.name.replace(".", r"\.")):
            restore(tmp_path / "backup", tmp_path / "other")
        path.write_bytes(whole)
    (tmp_path / "backup" / "more").write_text("x")
    with pytest.raises(StoreError, match="more"):
        restore(tmp_path / "backup", tmp_path / "other")
    assert not (tmp_path / "other" / "spans" / "000001.db").exists()


@pytest.mark.parametrize("name", ["000001.db", "scores.sqlite", "000002.rollup", "000001.search", "000001.columns"])
def test_a_flipped_bit_in_a_span_file_is_named_or_in_a_page_that_nobody_reads(home, name):
    """And no question is answered with another value."""
    path, draw, right = home / "spans" / name, random.Random(name), content(home)
    if not path.exists():
        pytest.skip(f"there is no {name}")
    whole, unseen = path.read_bytes(), 0
    for _ in range(25):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        if (home / "spans" / name) not in {found for found, _ in verify(home)}:
            unseen += 1
        with contextlib.suppress(StoreError):
            assert content(home) == right
    path.write_bytes(whole)

    assert unseen == 0
    assert verify(home) == []


def test_counts_and_costs_that_cannot_be_are_no_damage(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        for n, (tokens, cost) in enumerate([(2**70, 10**9), (2**63 - 1, 9 * 10**6), (-(2**63), -(10**9)), (-5, -0.7)]):
            told = {"input_tokens": tokens, "output_tokens": tokens, "cost_usd": Decimal(cost), "start_ns": NOW}
            rows = [msgspec.structs.replace(span(f"t{n}"), **told) for _ in range(2)]
            store.put("p", [rows[0], msgspec.structs.replace(rows[1], span_id=b"1")]).result()
        store.catch_up()

    assert verify(tmp_path) == []


def test_an_older_backup_does_not_bring_back_what_was_erased_since(home, tmp_path):
    with SqliteSpans(home) as store:
        store.put("p", [span("ann 1", user="ann@example.org"), span("ann 2", user="ann@example.org")]).result()
    backup(home, tmp_path / "before")
    with SqliteSpans(home) as store:
        erase(home, store, "user", "ann@example.org", project="p", now_ns=NOW + 10**13)
    kept = content(home)

    restore(tmp_path / "before", home, replace=True, prepare=hold_against)

    assert content(home) == kept
    assert not any(b"ann@example.org" in path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert verify(home) == []


PROGRAM = """
import sys
from pathlib import Path
from boxscore.store.backup import backup, restore
what, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
print("ready", flush=True)
if what == "backup":
    backup(source, target)
else:
    restore(source, target, replace=True)
print("done", flush=True)
"""


def killed(what, source, target, after_s):
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, what, source, target], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    time.sleep(after_s)  # the fault is the time: any is as good as another
    child.send_signal(signal.SIGKILL)
    return child.communicate()[0] == b"done\n"


def test_a_backup_that_is_killed_is_no_backup(home, tmp_path):
    draw, done = random.Random(1), 0
    for n in range(6):
        target = tmp_path / f"backup {n}"
        if killed("backup", home, target, draw.uniform(0, 0.12)):
            done += 1
        if target.exists():
            assert backups.check(target) == []
        else:
            assert not (target.with_name(f"{target.name}.part") / MANIFEST).exists() or done < 6
            backup(home, target)
            assert backups.check(target) == []


def test_a_restore_that_is_killed_leaves_the_old_home_or_the_new(home, tmp_path):
    backup(home, tmp_path / "backup")
    new = content(home)
    other = tmp_path / "other"
    fill(other, traces=5)
    old, draw, seen = content(other), random.Random(2), set()
    for _ in range(8):
        killed("restore", tmp_path / "backup", other, draw.uniform(0, 0.15))
        found = content(other)
        assert found in (old, new)
        assert verify(other) == []
        seen.add(found == new)
        if found == new:
            restore_old(other, tmp_path, old)
    assert seen


def restore_old(other, tmp_path, old):
    import shutil

    shutil.rmtree(other)
    fill(other, traces=5)
    assert content(other) == old


def test_every_step_of_the_swap_can_be_the_last(home, tmp_path, monkeypatch):
    """Killed at each rename in turn: whoever opens the home next finishes it."""
    backup(home, tmp_path / "backup")
    new = content(home)

    class Killed(BaseException):
        pass

    real = Path.rename
    for last in range(1, 12):
        other = tmp_path / f"other {last}"
        fill(other, traces=5)
        left = [last]

        def rename(self, target, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", rename)
            with contextlib.suppress(Killed):
                restore(tmp_path / "backup", other, replace=True)
        if not left[0] < 0:
            break
        assert content(other) == new
        assert sorted(path.name for path in other.iterdir()) == ["prices.yaml", "records.db", "restore.lock", "spans"]
    else:
        pytest.fail("it has more steps than were tried")
