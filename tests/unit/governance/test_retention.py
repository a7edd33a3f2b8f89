"""What is kept, for how long, and what of it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from boxscore.errors import SpecError, StoreError
from boxscore.governance import Policy, retain
from boxscore.governance.retention import Now, plan
from boxscore.settings import Settings
from boxscore.store.spans import Score, SpanRow, SqliteSpans, parse_condition
from boxscore.store.spans.upkeep import SpanFile

DAY = 24 * 3600 * 10**9
START = 30_000_000 * 60 * 10**9
MINUTE = 60 * 10**9
YEAR = 365 * DAY


class Clock:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with SqliteSpans(tmp_path, clock_ns=clock, period_ns=DAY) as opened:
        yield opened


def trace(name, clock, **fields):
    fields = {"name": "call", "start_ns": clock.now, "duration_ns": 5, "output_text": f"said {name}"} | fields
    return [
        SpanRow(trace_id=name.encode(), span_id=b"0", entry=True, metadata={"tier": "gold"}, **fields),
        SpanRow(trace_id=name.encode(), span_id=b"1", input_tokens=10, **fields),
    ]


def days(store, clock, count, each=3):
    for day in range(count):
        for n in range(each):
            store.put("p", trace(f"{day}-{n}", clock, user=f"u{day}-{n}")).result()
        clock.now += DAY


def file(number, *, last=0, newest=None, bytes=10**9, spans=10, sampled=None):
    newest = last if newest is None else newest
    return SpanFile(number=number, path=None, spans=spans, last_ns=last, newest_ns=newest, bytes=bytes, sampled=sampled)


def traces(store):
    return {item.entry.trace_id.decode() for item in store.traces("p", limit=1000).items}


def total(store):
    store.catch_up()
    series = store.series("p", start_ns=START, end_ns=START + 100 * DAY, step_ns=100 * DAY)
    return sum(point.spans for point in series.points), sum(point.input_tokens for point in series.points)


def test_files_whose_last_span_came_before_the_age_go_as_a_whole():
    files = [file(1, last=3 * DAY), file(2, last=5 * DAY), file(3, last=9 * DAY)]

    assert plan(files, Policy(days=5), 10 * DAY).drop == [1]
    assert plan(files, Policy(days=5), 10 * DAY + 1).drop == [1, 2]
    assert plan(files, Policy(days=1), 100 * DAY).drop == [1, 2, 3]
    assert not plan(files, Policy(), 100 * DAY).drop


def test_a_clock_that_was_set_wrong_for_a_while_makes_no_file_older_and_keeps_none_for_ever():
    back = [file(1, last=-20 * YEAR, newest=3 * DAY), file(2, last=-20 * YEAR), file(3, last=9 * DAY)]
    ahead = [file(1, last=3 * DAY), file(2, last=20 * YEAR), file(3, last=5 * DAY), file(4, last=20 * YEAR)]

    assert plan(back, Policy(days=5), 8 * DAY).drop == []
    assert plan(back, Policy(days=5), 10 * DAY).drop == [1, 2]
    assert plan(ahead, Policy(days=5), 8 * DAY + 1).drop == [1]
    assert plan(ahead, Policy(days=5), 10 * DAY + 1).drop == [1, 2, 3]


def test_a_clock_a_year_ahead_makes_no_span_older(store, clock):
    days(store, clock, 4)
    passed = 0
    now = Now(lambda: clock.now + YEAR, passed_ns=lambda: passed)

    def left():
        retain(store, Policy(days=2.5), now_ns=now(store.upkeep.files()))
        return len(traces(store))

    assert left() == 3 * 3  # of the first day all are older than that, by the newest
    store.put("p", trace("while it is ahead", clock)).result()
    assert left() == 2 * 3 + 1
    passed = 3 * DAY  # nothing comes any more, and what is there grows older all the same
    assert left() == 0


def test_files_that_were_begun_while_the_clock_was_ahead_do_not_go_on_for_as_long(tmp_path, clock):
    with SqliteSpans(tmp_path, clock_ns=clock, period_ns=DAY) as store:
        for n, now in enumerate((START, START + YEAR, START + MINUTE, START + 2 * MINUTE)):
            clock.now = now
            store.put("p", trace(f"{n}", clock)).result()

        assert [(one.spans, one.last_ns) for one in store.upkeep.files()] == [
            (2, START),
            (2, START + YEAR),
            (4, START + 2 * MINUTE),
        ]


def test_the_oldest_files_go_until_the_rest_fits_but_never_the_one_that_is_written():
    files = [file(1), file(2), file(3, bytes=10**8)]

    assert plan(files, Policy(gigabytes=2.1), 0).drop == []
    assert plan(files, Policy(gigabytes=1.5), 0).drop == [1]
    assert plan(files, Policy(gigabytes=0.01), 0).drop == [1, 2]
    assert plan(files, Policy(gigabytes=0.01), 0).begin  # so that the next time it can go
    assert not plan(files, Policy(gigabytes=1.5), 0).begin


def test_a_file_is_sampled_once_it_is_settled_and_again_only_for_a_smaller_share():
    policy = Policy(sample=0.1, sample_days=7)

    assert plan([file(1, last=0), file(2, last=DAY)], policy, 7 * DAY + 1).sample == [1]
    assert plan([file(1, sampled=100)], policy, 8 * DAY).sample == []
    assert plan([file(1, sampled=200)], policy, 8 * DAY).sample == [1]
    assert plan([file(1)], Policy(), 8 * DAY).sample == []


def test_old_spans_go_with_their_files_scores_and_all_that_was_made_of_them(store, clock, tmp_path):
    store.put_scores("p", [Score(id=str(n), name="good", value=1.0, trace_id=b"%d-0" % n, at_ns=1) for n in (0, 3)])
    days(store, clock, 4)
    store.catch_up()
    waiting = Score(id="waits", name="good", value=1.0, trace_id=b"never came", at_ns=1)
    store.put_scores("p", [waiting]).result()

    told = retain(store, Policy(days=2.5), now_ns=clock.now, dry_run=True)
    done = retain(store, Policy(days=2.5), now_ns=clock.now)

    assert told.spans == done.spans == {"p": 12}
    assert traces(store) == {f"{day}-{n}" for day in (2, 3) for n in range(3)}
    assert {score.id for score in store.scores("p")} == {"3", "waits"}
    assert sorted(path.name for path in (tmp_path / "spans").glob("00000[12].*")) == []
    assert store.search("p", "said").pending == 0
    assert retain(store, Policy(days=2.5), now_ns=clock.now).files == 0
    clock.now += 3 * DAY
    assert retain(store, Policy(days=2.5), now_ns=clock.now).scores == 1  # the other went with its trace
    assert store.counts("p").spans == 0
    store.put("p", trace("again", clock)).result()  # what is written goes to another file
    assert traces(store) == {"again"}


def test_sampling_keeps_errors_scored_traces_and_a_share_of_the_others_and_all_totals(store, clock, tmp_path):
    for n in range(200):
        store.put("p", trace(f"plain {n}", clock, user=f"user {n}", model="m" if n % 2 else None)).result()
    store.put("p", trace("failed", clock, error=True)).result()
    store.put("p", trace("scored", clock)).result()
    store.put("p", trace("in session", clock, session="s")).result()
    store.put_scores("p", [Score(id="1", name="good", value=0.0, trace_id=b"scored", span_id=b"1", at_ns=1)]).result()
    store.put_scores("p", [Score(id="2", name="good", value=0.0, session="s", at_ns=1)]).result()
    before = total(store)
    clock.now += 8 * DAY
    policy = Policy(sample=0.1)

    told = retain(store, policy, now_ns=clock.now, dry_run=True)
    done = retain(store, policy, now_ns=clock.now)

    left = traces(store)
    assert {"failed", "scored", "in session"} <= left
    assert 8 < len(left) < 45
    assert told.spans == done.spans == {"p": 2 * (203 - len(left))}
    assert store.counts("p").spans == 2 * len(left)
    assert total(store) == before
    assert len(store.search("p", "said", limit=1000).items) == 2 * len(left)
    assert len(store.spans("p", [parse_condition("metadata.tier=gold")], limit=1000).items) == len(left)
    gone = next(f"plain {n}" for n in range(200) if f"plain {n}" not in left)
    assert store.trace("p", gone.encode()).items == []
    assert f"user {gone.split()[1]}".encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "spans").glob("*.db")
    )
    assert retain(store, policy, now_ns=clock.now).spans == {}

    for made in (tmp_path / "spans").glob("*.rollup*"):  # made anew, they still have what was removed
        made.unlink()
    store.put("p", trace("another", clock)).result()
    assert total(store) == (before[0] + 2, before[1] + 10)


def test_a_late_span_of_a_removed_trace_begins_it_anew(store, clock):
    store.put("p", trace("t", clock)).result()
    clock.now += 8 * DAY
    retain(store, Policy(sample=0.0), now_ns=clock.now)
    first = store.counts("p").spans
    store.put("p", trace("t", clock)[1:]).result()
    store.catch_up()

    assert first == 0
    assert [span.span_id for span in store.trace("p", b"t").items] == [b"1"]
    assert len(store.search("p", "said").items) == 1


def test_numbers_of_removed_spans_do_not_come_again(tmp_path, clock):
    """Roll-ups and search stand on them: a number that comes again would never be found."""
    for _ in range(3):
        with SqliteSpans(tmp_path, clock_ns=clock, period_ns=1000 * DAY) as store:
            store.put("p", trace(f"t{clock.now}", clock)).result()
            store.catch_up()
            found = store.search("p", "said")
            assert len(found.items) == 2
            clock.now += 8 * DAY
            retain(store, Policy(sample=0.0), now_ns=clock.now)
            assert store.search("p", "said").items == []
            assert store.counts("p").spans == 0
            assert total(store)[0] > 0


def test_questions_go_on_while_files_are_dropped(store, clock):
    days(store, clock, 25, each=1)
    store.catch_up()
    done = threading.Event()
    answers: list[int] = []

    def ask():
        while not done.is_set():
            answers.append(store.counts("p").spans)
            store.traces("p", limit=10)
            store.search("p", "said")
            store.trace("p", b"0-0")
            store.series("p", start_ns=START, end_ns=START + DAY, step_ns=DAY)

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask) for _ in range(2)]
        for left in range(24, 0, -1):
            retain(store, Policy(days=left), now_ns=clock.now)
        done.set()
        for one in asked:
            one.result()

    assert answers
    assert store.counts("p").spans == 2


def test_changes_that_all_have_taken_up_are_forgotten(store, clock, tmp_path):
    for n in range(60):
        store.put("p", trace(f"t{n % 3}", clock, release=f"{n:05}")).result()
    store.catch_up()
    totals = total(store)
    trimmed = store.upkeep.trim_changes()
    store.put("p", trace("t1", clock, output_tokens=5)).result()

    assert trimmed > 50
    assert store.upkeep.trim_changes() == 0
    assert total(store) == totals
    assert len(store.search("p", "said").items) == 6


def test_only_who_writes_may_remove(tmp_path, store):
    with SqliteSpans(tmp_path, write=False) as reading, pytest.raises(StoreError):
        retain(reading, Policy(days=1), now_ns=0)


@pytest.mark.parametrize(
    "wrong", [{"retain_days": 0}, {"retain_gb": -1}, {"retain_sample": 1.5}, {"retain_days": float("nan")}]
)
def test_a_policy_that_cannot_be_is_refused(wrong):
    with pytest.raises(SpecError, match="BOXSCORE_RETAIN"):
        Policy.of(Settings(**wrong))
