"""Nothing of an erased user, session or trace stays, to the bytes of the files."""

import os
import random
from contextlib import closing

import pytest

from boxscore.errors import StoreError, UsageError
from boxscore.governance import erase, reapply, tombstones
from boxscore.store.spans import Score, SpanRow, SqliteSpans, parse_condition
from boxscore.store.spans.blocks import mark, saw
from boxscore.store.spans.database import open_database

NOW = 30_000_000 * 60 * 10**9
SHARED = "You are a helpful assistant of a shop. Answer in one sentence, politely. " * 10


def span(trace, span=0, *, words="", **fields):
    fields = {"name": "chat", "start_ns": NOW - 1000, "application": "shop", "duration_ns": 7} | fields
    return SpanRow(
        trace_id=trace.encode(),
        span_id=b"%d" % span,
        entry=span == 0,
        input_text=SHARED + words,
        output_text=f"answer for {words}",
        raw=f"{SHARED}{words}".encode(),
        **fields,
    )


def secret(n):
    """A word that occurs nowhere else, and does not compress."""
    return f"secret{random.Random(n).getrandbits(96):024x}"


def holds(home, *words):
    """Words that stand in any file of the home, and in which."""
    files = {path.name: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
    return [f"{word} in {name}" for word in words for name, stored in files.items() if word.encode() in stored]


@pytest.fixture
def store(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW, segment_spans=300) as opened:
        yield opened


def erased(home, store, kind, value, now_ns=NOW):
    return erase(home, store, kind, value, project="p", now_ns=now_ns)


def traces(store, *filter):
    return {item.entry.trace_id.decode() for item in store.traces("p", map(parse_condition, filter), limit=1000).items}


def test_nothing_of_an_erased_user_is_left_in_any_file(store, tmp_path):
    """Words in texts, in a dictionary that was trained on them, in metadata, names, scores, index and logs."""
    theirs = [secret(n) for n in range(30)]
    for n in range(600):
        mine = n < 30
        more = {"user": "ann@example.org", "session": f"session-of-ann-{n}"} if mine else {"user": f"u{n % 7}"}
        words = theirs[n] if mine else f"other {secret(1000 + n)}"
        row = span(f"t{n}", words=words, metadata={"told": theirs[n] if mine else "nothing"}, **more)
        store.put("p", [row, span(f"t{n}", 1, words=words)]).result()
    store.put_scores(
        "p",
        [
            Score(id="1", name="good", value=1.0, trace_id=b"t3", at_ns=1, comment=secret(77)),
            Score(id="2", name="good", value=1.0, session="session-of-ann-4", at_ns=1, comment=secret(78)),
            Score(id="3", name="good", value=1.0, trace_id=b"t400", at_ns=1, comment="stays"),
        ],
    ).result()
    store.catch_up()
    assert holds(tmp_path, "ann@example.org")
    assert holds(tmp_path, secret(77))
    assert holds(tmp_path, *theirs)
    left_before = {name: store.trace("p", name.encode()).items for name in ("t30", "t599")}

    done = erased(tmp_path, store, "user", "ann@example.org")
    left = holds(tmp_path, "ann@example.org", "session-of-ann", secret(77), secret(78), *theirs)

    assert (done.traces, done.spans) == (30, 60)
    assert left == []
    store.catch_up()
    assert holds(tmp_path, "ann@example.org", "session-of-ann", secret(77), secret(78), *theirs) == []
    assert store.counts("p").spans == 1140
    assert store.search("p", theirs[0]).items == []
    assert len(store.search("p", f'"other {secret(1500)}"').items) == 2
    assert [score.id for score in store.scores("p")] == ["3"]
    assert traces(store, "metadata.told=nothing") == {f"t{n}" for n in range(30, 600)}
    assert {name: store.trace("p", name.encode()).items for name in left_before} == left_before
    minute = 60 * 10**9
    series = store.series("p", start_ns=NOW - minute, end_ns=NOW, step_ns=minute)
    assert [point.spans for point in series.points] == [1140]


def test_what_comes_of_them_meanwhile_is_in_no_dictionary_that_is_trained_later(store, tmp_path, monkeypatch):
    for n in range(150):
        store.put("p", [span(f"t{n}", words=secret(n), user="ann" if n == 0 else "bob")]).result()
    remove = store.upkeep.remove

    def comes_before(traces):
        store.put("p", [span("t0", 1, words=secret(0))]).result()
        return remove(traces)

    monkeypatch.setattr(store.upkeep, "remove", comes_before)
    erased(tmp_path, store, "user", "ann")
    for n in range(150, 450):
        store.put("p", [span(f"t{n}", words=secret(n))]).result()
    store.close()

    with closing(open_database(tmp_path / "spans" / "000001.db", write=False)) as database:
        trained = [row[0] for row in database.execute("SELECT trained FROM dictionaries")]
    assert len(trained) == 1
    assert not any(saw(one, {mark(b"t0")}) for one in trained)
    assert not holds(tmp_path, secret(0))


def test_a_user_takes_along_their_sessions_but_no_trace_that_names_another(store, tmp_path):
    store.put("p", [span("a", user="ann", session="s")]).result()
    store.put("p", [span("b", session="s")]).result()  # nobody named: it is hers
    store.put("p", [span("c", session="s", user="bob")]).result()
    store.put("p", [span("d", session="other", user="ann"), span("e", session="other")]).result()
    store.put("q", [span("a", user="ann", session="s")]).result()
    scores = [Score(id=of, name="good", value=1.0, session=of, at_ns=1) for of in ("s", "other")]
    store.put_scores("p", scores).result()

    assert erased(tmp_path, store, "user", "ann").traces == 4
    assert traces(store) == {"c"}
    assert [score.id for score in store.scores("p")] == ["s"]  # bob's too
    assert store.counts("q").spans == 1


def test_a_session_and_a_trace_can_be_erased(store, tmp_path):
    store.put("p", [span("a", session="s"), span("b", session="s"), span("c", session="t"), span("d")]).result()
    store.put_scores("p", [Score(id="1", name="good", value=1.0, session="s", at_ns=1)]).result()

    assert erased(tmp_path, store, "session", "s").traces == 2
    assert erased(tmp_path, store, "trace", b"d".hex()).traces == 1
    assert traces(store) == {"c"}
    assert store.scores("p") == []
    with pytest.raises(UsageError):
        erased(tmp_path, store, "trace", "no hex")


def test_a_clock_that_is_behind_leaves_nothing_of_them(store, tmp_path):
    store.put("p", [span("a", user="ann")]).result()

    assert erased(tmp_path, store, "user", "ann", now_ns=NOW - 10**18).traces == 1
    assert traces(store) == set()


def test_a_tombstone_for_which_there_is_no_room_is_told_and_nothing_is_erased(store, tmp_path, monkeypatch):
    store.put("p", [span("a", user="ann")]).result()
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(tombstones.os, "write", lambda handle, text: write(handle, text[:20]))
        with pytest.raises(StoreError, match=r"No space left .* Nothing was erased"):
            erased(tmp_path, store, "user", "ann")

    assert traces(store) == {"a"}
    assert tombstones.read(tmp_path) == {}
    assert erased(tmp_path, store, "user", "ann").traces == 1


def test_tombstones_do_not_tell_whom_they_stand_for(store, tmp_path):
    store.put("p", [span("a", user="ann", session="s-of-ann")]).result()
    erased(tmp_path, store, "user", "ann")
    erased(tmp_path, store, "user", "bob")

    text = (tmp_path / tombstones.FILE).read_text()
    assert "ann" not in text
    assert "bob" not in text
    assert len({stone.salt for stone in tombstones.read(tmp_path)}) == 1


def test_what_comes_late_but_began_before_goes_again_and_what_began_later_stays(store, tmp_path):
    store.put("p", [span("a", user="ann")]).result()
    erased(tmp_path, store, "user", "ann")
    store.put("p", [span("late", user="ann"), span("new", user="ann", start_ns=NOW - 1)]).result()
    (stone,) = tombstones.read(tmp_path)
    assert stone.at_ns == NOW
    came = traces(store)
    with SqliteSpans(tmp_path / "later", clock_ns=lambda: NOW + 10) as later:
        later.put("p", [span("late", user="ann"), span("new", user="ann", start_ns=NOW + 1)]).result()
        tombstones.merge(tmp_path / "later", [stone])
        reapply(tmp_path / "later", later)
        kept = traces(later)

    assert came == {"late", "new"}  # the store takes what comes
    assert reapply(tmp_path, store).traces == 2
    assert traces(store) == set()
    assert kept == {"new"}


def test_an_erasure_that_was_cut_short_is_finished_by_the_next(tmp_path, monkeypatch):
    """After any step: names and bytes of what is gone already would be remembered by nobody."""
    from boxscore.store.spans.upkeep import Upkeep

    class Killed(BaseException):
        pass

    def die(*_args, **_more):
        raise Killed

    for step in ("untrain", "remove_session_scores", "remove", "scrub"):
        home = tmp_path / step
        with SqliteSpans(home, clock_ns=lambda: NOW) as store:
            for n in range(20):
                store.put("p", [span(f"t{n}", words=secret(n), user="ann", session=f"session of ann {n}")]).result()
                store.put("p", [span(f"f{n}", words=secret(n + 50), session=f"session of ann {n}")]).result()
            store.put("p", [span("bob", user="bob")]).result()
            store.catch_up()
            with monkeypatch.context() as patch:
                patch.setattr(Upkeep, step, die)
                with pytest.raises(Killed):
                    erased(home, store, "user", "ann")
        with SqliteSpans(home, clock_ns=lambda: NOW) as store:
            reapply(home, store)
            assert traces(store) == {"bob"}
            assert holds(home, "ann", *map(secret, range(20)), *map(secret, range(50, 70))) == []
            assert list(tombstones.read(home).values()) == [True]


def test_a_line_that_was_cut_off_is_no_tombstone_and_a_damaged_one_is_named(tmp_path):
    stones = [tombstones.make(tmp_path, "user", "p", name, NOW) for name in ("a", "b")]
    tombstones.add(tmp_path, stones[:1])
    path = tmp_path / tombstones.FILE
    path.write_bytes(path.read_bytes() + b"0123abcd {half")
    assert list(tombstones.read(tmp_path)) == stones[:1]
    tombstones.add(tmp_path, stones[1:])
    assert list(tombstones.read(tmp_path)) == stones

    whole = path.read_bytes()
    for at in range(len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(StoreError, match="line"):
            tombstones.read(tmp_path)
