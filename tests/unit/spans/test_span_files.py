"""The span store on real files: what goes in comes out once, merged, whatever the order."""

import itertools
import os
import random
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

import apsw
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import StoreError, UsageError
from boxscore.store.spans import (
    Condition,
    Counts,
    SpanRow,
    SqliteSpans,
    StoredSpan,
    long,
    merge,
    parse_condition,
    schema,
)
from boxscore.store.spans.columns import SEQ
from boxscore.store.spans.database import open_database
from boxscore.store.spans.files import segment_paths
from boxscore.store.spans.reader import Reader

NOW = 1_800_000_000 * 10**9
DAY = 24 * 3600 * 10**9


def row(n=0, trace=b"trace-1", **more):
    fields = {"trace_id": trace, "span_id": b"span-%d" % n, "name": "chat", "start_ns": NOW + n, "duration_ns": 5}
    return SpanRow(**(fields | more))


def full(n=0, **more):
    """A row with a value of its own in each field."""
    return row(
        n,
        parent_id=b"above",
        error=True,
        status_message="no",
        metadata={"tier": "gold", "": "empty", "text": 'quo"te'},
        raw=bytes(range(256)),
        resource=b"resource",
        scope=b"scope",
        cost_usd=Decimal("0.000000000001"),
        **{
            name: f"{name} of it"
            for name in (
                *("operation", "step", "application", "environment", "release", "session", "user", "model_asked"),
                *("model", "provider", "fingerprint", "prompt", "prompt_version", "variant", "graph", "price"),
                *("input_text", "output_text"),
            )
        },
        **{
            name: 100 + place
            for place, name in enumerate(
                ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "first_token_ns")
            )
        },
        **more,
    )


def stored(row, received_ns=NOW, **more):
    fields = {name: getattr(row, name) for name in SpanRow.__struct_fields__}
    return StoredSpan(**(fields | more), received_ns=received_ns)


def fill(store, rows, project="p"):
    for row in rows:
        store.put(project, [row]).result()


def ids(page):
    return [item.span_id for item in page.items]


def open_files():
    """Names of the files that this process has open; what was unlinked is there too."""
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield os.readlink(one)


@pytest.fixture
def store(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        yield store


def test_every_field_comes_back_as_it_went_in(store):
    sent = full(entry=True)

    store.put("p", [sent]).result()

    assert store.trace("p", sent.trace_id).items == [stored(sent)]
    assert store.spans("p", whole=True).items == [stored(sent)]
    assert all(getattr(sent, field.name) != field.default for field in msgspec.structs.fields(SpanRow))


def test_lists_leave_out_what_is_long(store):
    store.put("p", [full(entry=True)]).result()

    light = store.spans("p").items[0]

    assert (light.raw, light.input_text, light.metadata, light.model) == (b"", "", {}, "model of it")


def test_the_same_span_again_has_no_effect(store, tmp_path):
    rows = [full(n) for n in range(3)]
    for _ in range(3):
        store.put("p", rows).result()
        store.put("p", [*rows, rows[0]]).result()

    assert store.trace("p", b"trace-1").items == [stored(row, entry=row.span_id == b"span-0") for row in rows]
    assert count(tmp_path, "spans") == 3
    assert count(tmp_path, "blocks") == 1
    assert count(tmp_path, "tags") == 9


def test_the_same_batch_from_many_threads_is_stored_once(store):
    rows = [full(n, trace=b"t%d" % (n % 7)) for n in range(100)]

    with ThreadPoolExecutor(8) as pool:
        wait(list(pool.map(lambda _: store.put("p", rows), range(40))))

    assert store.counts("p").spans == 100


def test_a_later_version_changes_what_is_asked_for_and_keeps_its_place(store):
    early = row(model="gpt", metadata={"stage": "open"}, raw=b"early", duration_ns=None)
    late = row(model="gpt-5", metadata={"stage": "closed"}, raw=b"late and longer", user="u")
    store.put("p", [row(1), early, row(2)]).result()
    before = ids(store.spans("p"))

    store.put("p", [late]).result()

    assert ids(store.spans("p")) == before
    assert store.trace("p", b"trace-1").items[0] == stored(merge(early, late), entry=True)
    assert ids(store.spans("p", [parse_condition("metadata.stage=closed")])) == [b"span-0"]
    for gone in ("metadata.stage=open", "model=gpt"):
        assert ids(store.spans("p", [parse_condition(gone)])) == []


VERSIONS = [
    row(duration_ns=None, raw=b"a", metadata={"a": "1"}),
    row(duration_ns=9, output_tokens=3, raw=b"abc", metadata={"a": "2"}),
    row(duration_ns=7, model="m", error=True, raw=b"ab", metadata={"b": "1"}, entry=True),
]


def test_versions_of_a_span_end_alike_in_every_order(tmp_path):
    states = []
    for at, order in enumerate(itertools.permutations(VERSIONS)):
        with SqliteSpans(tmp_path / str(at), clock_ns=lambda: NOW) as store:
            fill(store, order)
            states.append(state(store))

    assert all(found == states[0] for found in states)


SIX = [
    row(0, entry=True, start_ns=NOW, name="agent"),
    row(1, parent_id=b"span-0", start_ns=NOW - 5, model="m", metadata={"k": "v"}),
    row(2, parent_id=b"span-0", start_ns=NOW + 7, error=True, duration_ns=None),
    row(3, parent_id=b"span-1", start_ns=NOW + DAY, cost_usd=Decimal("0.1")),
    row(4, parent_id=b"span-3", start_ns=NOW - DAY, output_text="out"),
    row(2, parent_id=b"span-0", start_ns=NOW + 6, duration_ns=9, output_tokens=4),
]


@settings(max_examples=40, deadline=None)
@given(st.permutations(SIX), st.lists(st.integers(1, 3), min_size=6, max_size=6), st.booleans())
def test_spans_of_a_trace_end_alike_in_every_order(tmp_path_factory, order, sizes, whole):
    """With and without its entry, in batches of any size."""
    rows = [one for one in order if whole or not one.entry]

    def state_after(rows, sizes):
        with SqliteSpans(tmp_path_factory.mktemp("order"), clock_ns=lambda: NOW) as store:
            rows = iter(rows)
            for size in sizes:
                store.put("p", list(itertools.islice(rows, size))).result()
            return state(store)

    in_order = [one for one in SIX if whole or not one.entry]
    assert state_after(rows, sizes) == state_after(in_order, [6])


def state(store):
    """All that a reader can see."""
    by_condition = [
        tuple(ids(store.spans("p", [parse_condition(text)])))
        for text in ("entry=true", "error=true", "model=m", "metadata.k=v", "metadata.a=1", "metadata.a=2")
    ]
    summaries = store.traces("p", whole=True).items
    return store.trace("p", b"trace-1").items, summaries, by_condition, store.counts("p")


def test_a_trace_without_its_entry_is_listed_once_by_its_earliest_span(store):
    store.put("p", [row(2, parent_id=b"x"), row(3, parent_id=b"x")]).result()
    store.put("p", [row(1, parent_id=b"x"), row(4, parent_id=b"x")]).result()
    assert [trace.entry.span_id for trace in store.traces("p").items] == [b"span-1"]

    store.put("p", [row(9, entry=True)]).result()

    assert [trace.entry.span_id for trace in store.traces("p").items] == [b"span-9"]


def test_a_trace_stays_listed_when_a_later_version_moves_another_span_to_its_front(store):
    fill(store, [row(1), row(2), row(2, start_ns=NOW - 5)])

    assert [trace.entry.span_id for trace in store.traces("p").items] == [b"span-2"]
    assert store.counts("p").traces == 1


def test_a_trace_is_listed_with_its_totals(store):
    store.put(
        "p",
        [
            row(0, entry=True, duration_ns=50),
            row(1, duration_ns=90, error=True, input_tokens=3, cost_usd=Decimal("0.1")),
            row(2, duration_ns=None, input_tokens=4, cost_usd=Decimal("0.2")),
        ],
    ).result()

    (trace,) = store.traces("p").items

    assert (trace.spans, trace.errors, trace.duration_ns) == (3, 1, 91)
    assert (trace.input_tokens, trace.output_tokens, trace.cost_usd) == (7, None, Decimal("0.3"))


def test_projects_do_not_see_each_other_even_with_the_same_ids(store):
    store.put("a", [row(user="of a", metadata={"k": "v"})]).result()
    store.put("b", [row(user="of b", metadata={"k": "v"})]).result()

    assert [span.user for span in store.spans("a").items] == ["of a"]
    assert [span.user for span in store.trace("b", b"trace-1").items] == ["of b"]
    assert store.counts("b", [parse_condition("metadata.k=v")]).spans == 1
    assert store.spans("c").items == []


@pytest.mark.parametrize(
    ("written", "takes"),
    [
        (["user=u1"], lambda span: span.user == "u1"),
        (["user!=u1"], lambda span: span.user != "u1"),
        (["user!=nobody"], lambda span: True),
        (["user=nobody"], lambda span: False),
        (["user="], lambda span: span.user is None),
        (["user!="], lambda span: span.user is not None),
        (["error=true"], lambda span: span.error),
        (["error!=true", "error=false"], lambda span: not span.error),
        ([f"start_ns>={NOW + 20}", f"start_ns<{NOW + 40}"], lambda span: NOW + 20 <= span.start_ns < NOW + 40),
        (["cost_usd>0.5"], lambda span: (span.cost_usd or 0) > Decimal("0.5")),
        (["metadata.mod=3"], lambda span: span.metadata["mod"] == "3"),
        (["metadata.mod!=3", "metadata.tier=gold"], lambda span: span.metadata["mod"] != "3"),
        (["metadata.mod=3", "metadata.tier=gold", "user=u2"], lambda s: s.metadata["mod"] == "3" and s.user == "u2"),
    ],
)
def test_pages_give_what_the_filter_takes_newest_first_over_all_files(tmp_path, written, takes):
    rows = [
        row(
            n,
            trace=b"t%d" % n,
            error=n % 5 == 0,
            user=f"u{n % 3}" if n % 4 else None,
            cost_usd=Decimal(n) / 60,
            metadata={"mod": str(n % 4), "tier": "gold"},
        )
        for n in range(60)
    ]
    filter = [parse_condition(text) for text in written]
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW + DAY, segment_spans=13) as store:
        for first in (3, 1, 0, 2):  # files overlap in time
            fill(store, rows[first::4])
        paged, cursor = [], None
        while True:
            page = store.spans("p", filter, limit=7, cursor=cursor)
            paged += ids(page)
            if (cursor := page.cursor) is None:
                break
        expected = [span.span_id for span in reversed(rows) if takes(span)]

        assert len(list((tmp_path / "spans").glob("*.db"))) > 3
        assert paged == expected
        assert store.counts("p", filter).spans == len(expected)


def test_a_cursor_stays_good_while_spans_arrive(store):
    fill(store, [row(n, trace=b"t%d" % n) for n in range(6)])
    first = store.spans("p", limit=3)

    fill(store, [row(n, trace=b"t%d" % n) for n in range(6, 9)])

    assert ids(store.spans("p", limit=3, cursor=first.cursor)) == [b"span-2", b"span-1", b"span-0"]


def test_a_long_trace_comes_page_by_page(store):
    rows = [row(n, start_ns=NOW + n // 3) for n in range(500)]
    store.put("p", rows[::-1]).result()

    found, cursor = [], None
    while True:
        page = store.trace("p", b"trace-1", limit=99, cursor=cursor)
        found += page.items
        if (cursor := page.cursor) is None:
            break

    assert [span.span_id for span in found] == [
        span.span_id for span in sorted(rows, key=lambda one: (one.start_ns, one.span_id))
    ]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "k84AAUwIAc0", "é"])
def test_a_bad_cursor_or_limit_is_a_usage_error(store, cursor):
    with pytest.raises(UsageError):
        store.spans("p", cursor=cursor)
    with pytest.raises(UsageError):
        store.trace("p", b"t", cursor=cursor)
    with pytest.raises(UsageError):
        store.spans("p", limit=0)


def test_facets_count_values_the_most_frequent_first(store):
    fill(store, [row(n, model=model) for n, model in enumerate(["a", "b", "b", None])])

    found = [(facet.value, facet.spans) for facet in store.facets("p", "model")]

    assert found == [("b", 2), (None, 1), ("a", 1)]
    with pytest.raises(UsageError):
        store.facets("p", "input_tokens")


def test_money_is_summed_exactly_and_beyond_64_bits(store):
    store.put("p", [row(n, cost_usd=Decimal("9000000.000000000001")) for n in range(5)] + [row(6)]).result()

    assert store.counts("p") == Counts(
        spans=6,
        traces=1,
        errors=0,
        input_tokens=0,
        output_tokens=0,
        cost_usd=Decimal("45000000.000000000005"),
        unpriced=1,
    )


@pytest.mark.parametrize("start", [-(2**63), -1, 0, 2**63 - 1, 2**64 - 1, 10**40])
def test_a_clock_that_lies_drops_nothing_and_does_not_go_ahead_of_the_truth(store, start):
    store.put("p", [row(1, start_ns=start, output_tokens=10**30), row(2, trace=b"t2", start_ns=NOW)]).result()

    newest = store.spans("p").items
    assert {span.span_id for span in newest} == {b"span-1", b"span-2"}
    assert newest[0].span_id == b"span-2"
    assert newest[1].start_ns == max(min(start, 2**63 - 1), -(2**63) + 1)


def test_a_trace_stays_in_its_file_so_that_a_repeat_after_weeks_is_known(tmp_path):
    clock = NOW
    with SqliteSpans(tmp_path, clock_ns=lambda: clock) as store:
        store.put("p", [row(0)]).result()
        clock += 8 * DAY
        store.put("p", [row(0, trace=b"new")]).result()
        assert len(list((tmp_path / "spans").glob("*.db"))) == 2
    with SqliteSpans(tmp_path, clock_ns=lambda: clock) as store:
        store.put("p", [row(0), row(1)]).result()
        clock -= 30 * DAY
        store.put("p", [row(0), row(0, trace=b"newer")]).result()

        assert store.counts("p").spans == 4
        assert ids(store.trace("p", b"trace-1")) == [b"span-0", b"span-1"]
    assert len(list((tmp_path / "spans").glob("*.db"))) == 3  # nor does a file go on for a clock that was ahead


def test_texts_with_much_in_common_get_a_dictionary_that_outlives_the_process_and_the_file(tmp_path):
    def talk(n):
        return row(n, trace=b"t%d" % n, application="help", input_text=f"{n} is asked. " + "Be kind and brief. " * 40)

    with SqliteSpans(tmp_path, segment_spans=250) as store:
        for n in range(299):
            store.put("p", [talk(n)]).result()
        wait(store._files.dictionaries._training.values())
        store.put("p", [talk(299)]).result()
    with SqliteSpans(tmp_path, segment_spans=250) as store:
        for n in range(300, 600):
            store.put("p", [talk(n)]).result()
        store.put("p", [msgspec.structs.replace(talk(599), user="u", raw=b"more"), talk(598)]).result()
        assert ids(store.spans("p", [parse_condition("user=u")])) == [b"span-599"]
        for n in range(600):
            assert store.trace("p", b"t%d" % n).items[0].input_text == talk(n).input_text
    newest = max((tmp_path / "spans").glob("*.db"))
    with open_database(newest, write=True) as file:
        assert file.execute("SELECT count(*) FROM dictionaries").fetchone() == (1,)
        assert file.execute("SELECT count(*) FROM blocks WHERE dictionary IS NULL").fetchone() == (1,)  # the changed
    file.close()


def test_a_file_that_was_left_half_made_is_made_again(tmp_path):
    (tmp_path / "spans").mkdir()
    for name in ("000001.new", "000001.new-wal"):
        (tmp_path / "spans" / name).write_bytes(b"half")

    with SqliteSpans(tmp_path) as store:
        store.put("p", [row()]).result()

        assert store.counts("p").spans == 1
    made = ("000001.columns", "000001.rollup", "000001.search")
    # those have logs of their own, which a reader leaves
    left = {path.name for path in (tmp_path / "spans").iterdir() if not path.name.startswith(made)}
    assert left == {"000001.db", "lock", "scores.sqlite"}


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    with SqliteSpans(tmp_path) as store:
        store.put("p", [row()]).result()

        with pytest.raises(StoreError, match="another process writes"):
            SqliteSpans(tmp_path)
        with SqliteSpans(tmp_path, write=False) as reader:
            assert reader.counts("p").spans == 1
            with pytest.raises(StoreError, match="reading only"):
                reader.put("p", [row()])
    with SqliteSpans(tmp_path):
        pass


@pytest.mark.parametrize(("sizes", "blocks"), [([10] * 65, 2), ([600_000] * 3, 3), ([9, 2_000_000, 9, 9], 3)])
def test_to_see_a_span_little_else_is_read(store, tmp_path, sizes, blocks):
    rows = [row(n, raw=random.Random(n).randbytes(size)) for n, size in enumerate(sizes)]

    store.put("p", rows).result()

    assert count(tmp_path, "blocks") == blocks
    assert [span.raw for span in store.trace("p", b"trace-1").items] == [row.raw for row in rows]


def test_a_newer_file_is_refused_and_left_alone(tmp_path):
    with SqliteSpans(tmp_path):
        pass
    path = tmp_path / "spans" / "000001.db"
    with open_database(path, write=True) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="newer Boxscore"):
        SqliteSpans(tmp_path)

    assert path.read_bytes() == before


def test_one_bad_write_does_not_take_its_neighbours_with_it(store):
    good, bad = [row(n, trace=b"t%d" % n) for n in range(5)], row(9, name="\ud800")

    futures = [store.put("p", [one]) for one in [*good[:3], bad, *good[3:]]]
    wait(futures)

    assert [future.exception() is None for future in futures] == [True, True, True, False, True, True]
    assert isinstance(futures[3].exception(), StoreError)
    assert store.counts("p").spans == 5
    assert store.waiting == 0


def test_what_is_closed_takes_nothing(tmp_path):
    store = SqliteSpans(tmp_path)
    acknowledged = store.put("p", [row()])
    store.close()
    store.close()

    assert acknowledged.done()
    with pytest.raises(StoreError):
        store.put("p", [row()])


def test_a_damaged_block_is_named_and_never_served(tmp_path):
    with SqliteSpans(tmp_path) as store:
        store.put("p", [row(raw=b"x" * 100)]).result()
    with open_database(tmp_path / "spans" / "000001.db", write=True) as file:
        file.execute("UPDATE blocks SET data = CAST(substr(data, 1, length(data) - 1) || x'00' AS BLOB)")
    file.close()

    with SqliteSpans(tmp_path) as store, pytest.raises(StoreError, match="could not be read"):
        store.trace("p", b"trace-1")


def test_a_full_disk_is_told_and_forgotten_when_there_is_room(tmp_path):
    with SqliteSpans(tmp_path) as store:
        store.put("p", [row(0)]).result()
        connection = store._files._segments[0]._connection  # the only way to a full disk without a disk
        connection.pragma("max_page_count", connection.pragma("page_count"))
        big = row(1, trace=b"big", raw=random.Random(0).randbytes(500_000))

        assert isinstance(store.put("p", [big]).exception(), StoreError)
        connection.pragma("max_page_count", 2**30)
        store.put("p", [big]).result()

        assert store.counts("p").spans == 2


def test_after_a_failed_sync_nothing_more_is_taken(tmp_path, monkeypatch):
    with SqliteSpans(tmp_path) as store:
        store.put("p", [row(0)]).result()
        segment = store._files._segments[0]

        def fail():
            raise apsw.IOError("fsync")

        monkeypatch.setattr(segment, "commit", fail)
        assert isinstance(store.put("p", [row(1)]).exception(), StoreError)
        monkeypatch.undo()

        with pytest.raises(StoreError, match="opened again"):
            store.put("p", [row(2)])
        assert store.counts("p").spans == 1


def test_what_a_user_wrote_is_never_part_of_a_statement(store):
    nasty = "'; DROP TABLE spans; --"
    store.put("p", [row(user=nasty, metadata={nasty: nasty})]).result()

    assert store.counts("p", [Condition("user", "=", nasty), Condition(f"metadata.{nasty}", "=", nasty)]).spans == 1


def count(tmp_path, table):
    with open_database(tmp_path / "spans" / "000001.db", write=True) as file:
        (found,) = file.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    file.close()
    return found


def test_a_long_trace_is_that_of_the_moment_even_where_another_question_saw_a_later_one(tmp_path, monkeypatch):
    monkeypatch.setattr(long, "LONG", 2)
    kept = long.LongTraces()
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        fill(store, [row(n) for n in range(0, 10, 2)])
        (number, path), *_ = segment_paths(store.folder)
        with closing(Reader(path, number, kept)) as early, closing(Reader(path, number, kept)) as late:
            pages = []
            with early.snapshot():
                early.first("p", oldest_first=True)  # now it sees what it sees
                fill(store, [row(n) for n in range(1, 10, 2)])
                with late.snapshot():
                    pages.append(late.trace_rows("p", b"trace-1", (0, b""), 4))
                pages.append(early.trace_rows("p", b"trace-1", (0, b""), 4))

            assert [[values[SEQ] for values in page] for page in pages] == [[1, 6, 2, 7], [1, 2, 3, 4]]


def test_a_trace_that_is_too_long_to_be_kept_in_memory_is_not_read_as_a_whole(store, monkeypatch):
    monkeypatch.setattr(long, "LONG", 2)
    monkeypatch.setattr(long, "KEPT", 8)
    monkeypatch.setattr(long, "_with_more", lambda *_: pytest.fail("all of its spans were read"))

    fill(store, [row(n, entry=n == 0) for n in range(9)])

    assert len(store.trace("p", b"trace-1", limit=4).items) == 4
    assert store.traces("p").items[0].spans == 9


def test_a_log_that_grew_under_a_long_question_is_cut_when_it_was_written_back(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "LOG_BYTES", 1024 * 1024)
    log = tmp_path / "spans" / "000001.db-wal"
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        reading = open_database(tmp_path / "spans" / "000001.db", write=False)
        reading.execute("BEGIN; SELECT count(*) FROM spans").fetchall()
        for n in range(60):
            fill(store, [row(n, trace=b"t%d" % n, raw=random.Random(n).randbytes(400_000))])
        grown = log.stat().st_size
        reading.close()
        for n in range(2):
            store.catch_up()  # which reads too
            fill(store, [row(n, trace=b"u")])

        assert grown > 20 * 1024 * 1024
        assert log.stat().st_size <= 1024 * 1024


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc on Linux only")
def test_a_question_that_is_under_way_while_its_file_is_dropped_leaves_no_room_taken(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        fill(store, [row()])
        (number, path), *_ = segment_paths(store.folder)
        with store._reading(number, path):
            store.upkeep.drop(number)

        assert store.spans("p").items == []
        assert not [name for name in open_files() if name.startswith(str(path))]


def test_only_the_user_who_made_it_can_look_into_a_folder_of_spans(tmp_path):
    with SqliteSpans(tmp_path / "home"):
        pass

    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "home", tmp_path / "home" / "spans")] == [
        "0o700"
    ] * 2
