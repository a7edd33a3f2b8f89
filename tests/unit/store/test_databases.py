"""What the records store may ask of a database, held to on each of them."""

import asyncio
import string
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxscore.errors import ExtraMissingError, SpecError, StoreAwayError, StoreError
from boxscore.store.records.backend import Write
from databases import Place

ADD = "INSERT INTO examples (project_id, hash, content_json) VALUES {}"
PUT = f"{ADD} ON CONFLICT (project_id, hash) DO UPDATE SET content_json = excluded.content_json"
APPEND = (
    f"{ADD} ON CONFLICT (project_id, hash) DO UPDATE SET content_json = examples.content_json || excluded.content_json"
)
RENAME = "UPDATE examples SET content_json = given.column2 FROM (VALUES {}) AS given WHERE hash = given.column1"
CONTENT = "SELECT content_json FROM examples WHERE hash = ?"


def put(database, hash, content, statement=PUT):
    database.submit([Write(0, statement, [("default", hash, content)])]).result()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8")) | st.text("\x00\x10@a"))
def test_every_text_comes_back_as_it_went_in(database, text):
    put(database, "text", text)

    assert database.rows(CONTENT, "text") == [(text,)]
    assert database.rows("SELECT hash FROM examples WHERE content_json = ?", text) == [("text",)]


def test_long_texts_come_back_also_where_a_column_says_a_length(database):
    name, content = "n" * 10_000, "☃" * 3_000_000
    put(database, name, content)

    assert database.rows(CONTENT, name) == [(content,)]


def test_texts_sort_by_code_point(database):
    names = [*string.printable.strip(), "é", "É", "ß", "ﬀ", "☃", "中", "aa", "aB", "Aa", "a-b", "a b", "ab", "🎲"]
    for name in names:
        put(database, name, "")

    found = database.rows("SELECT hash FROM examples WHERE hash > ? ORDER BY hash", "A")

    assert [name for (name,) in found] == sorted(name for name in names if name > "A")


def test_numbers_come_back_as_numbers(database):
    whole, floats = [0, -1, 2**62, 2**63 - 1], [0.1, -1.5e-300, 1.7976931348623157e308, 0.0]
    asked = "SELECT CAST(? AS FLOAT), sum(n), avg(n), count(*), max(n) FROM (SELECT ? AS n UNION ALL SELECT ?) AS given"
    write = (
        "INSERT INTO run_examples (run_id, position, project_id, example_id, example_hash, question_hash) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING position"
    )
    database.change("INSERT INTO variants VALUES ('default', 'v', 'prompt', NULL, '{}') RETURNING hash")
    columns = "id, project_id, plan_hash, variant_hash, variant_name, dataset_name, dataset_version, repeats"
    database.change(
        f"INSERT INTO runs ({columns}, metrics_json, scorer_specs_json, fresh, started_at) "  # noqa: S608
        "VALUES ('r', 'default', 'p', 'v', 'n', 'd', '1', 1, '[]', '[]', ?, 'now') RETURNING fresh",
        True,
    )
    put(database, "h", "{}")

    assert [database.change(write, "r", n, "default", f"e{n}", "h", "q") for n in whole] == [[(n,)] for n in whole]
    assert [database.rows(asked, number, 1, 2)[0] for number in floats] == [(n, 3, 1.5, 2, 2) for n in floats]
    assert bool(database.rows("SELECT fresh FROM runs WHERE fresh")[0][0]) is True
    assert database.rows("SELECT id FROM runs WHERE NOT fresh") == []


def test_percent_signs_and_question_marks_in_a_statement_are_themselves(database):
    put(database, "100%?", "x")

    assert database.rows("SELECT hash FROM examples WHERE hash LIKE '1%?' AND content_json = ?", "x") == [("100%?",)]
    assert database.rows("SELECT 7 % ?", 4) == [(3,)]


def test_one_row_may_be_written_twice_in_one_commit_and_the_last_counts(database):
    rows = [("default", name, f"{name}{turn}") for turn in range(3) for name in ("a", "b")]
    writes = [Write(0, PUT, rows), Write(0, PUT, [("default", "a", "last")])]
    database.submit(writes).result()

    assert database.rows("SELECT hash, content_json FROM examples ORDER BY hash") == [("a", "last"), ("b", "b2")]


def test_every_version_of_a_row_counts_where_a_write_adds_to_it(database):
    database.submit([Write(0, APPEND, [("default", "a", letter)]) for letter in "boxscore"]).result()

    assert database.rows(CONTENT, "a") == [("boxscore",)]


def test_updates_of_one_row_in_one_commit_are_made_in_turn(database):
    put(database, "a", "")
    database.submit([Write(1, RENAME, [("a", str(turn))]) for turn in range(9)]).result()

    assert database.rows(CONTENT, "a") == [("8",)]


def test_many_write_the_same_rows_at_once_and_all_are_told(place):
    """Two databases are two processes: what they do at once may block the one or the other, and is done in the end."""
    first, second = place.open(), place.open()
    first.submit([Write(0, ADD, [("default", f"h{n}", "") for n in range(200)])]).result()

    async def write(database, order):
        rows = [("default", f"h{n}", "x") for n in order]
        writes = [database.submit_async([Write(0, APPEND, [row])]) for row in rows]
        await asyncio.gather(*writes)

    threads = [
        threading.Thread(target=lambda at=database, order=order: asyncio.run(write(at, order)))
        for database, order in ((first, range(200)), (second, range(199, -1, -1)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert first.rows("SELECT DISTINCT content_json FROM examples") == [("xx",)]
    first.close()
    second.close()


def test_a_bad_write_is_its_own_askers_alone(database):
    async def write():
        return await asyncio.gather(
            *(database.submit_async([Write(0, ADD, [("default", f"h{n}", "")])]) for n in range(5)),
            database.submit_async([Write(0, ADD, [("nobody", "h", "")])]),
            database.submit_async([Write(0, ADD, [("default", "half \ud800", "")])]),
            return_exceptions=True,
        )

    *good, foreign, half = asyncio.run(write())

    assert good == [None] * 5
    assert isinstance(foreign, StoreError)
    assert isinstance(half, UnicodeEncodeError)
    assert database.rows("SELECT count(*) FROM examples") == [(5,)]


def test_a_change_gives_what_it_returns_and_is_taken_by_one_alone(place):
    """As a worker takes a job."""
    first, second = place.open(), place.open()
    first.submit([Write(0, ADD, [("default", f"h{n:02}", "free") for n in range(40)])]).result()
    take = (
        "UPDATE examples SET content_json = ? WHERE content_json = 'free' "
        "AND hash = (SELECT min(hash) FROM examples WHERE content_json = 'free') RETURNING hash"
    )
    taken = {name: [] for name in "abcd"}

    def work(database, name):
        while first.rows("SELECT 1 FROM examples WHERE content_json = 'free' LIMIT 1"):
            taken[name] += database.change(take, name)

    threads = [
        threading.Thread(target=work, args=(at, name)) for at, name in zip([first, second] * 2, taken, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(row for rows in taken.values() for row in rows) == [(f"h{n:02}",) for n in range(40)]
    first.close()
    second.close()


def test_a_reading_sees_one_state_and_others_write_meanwhile(database):
    put(database, "a", "before")
    with database.reading() as reading:
        assert reading.rows(CONTENT, "a") == [("before",)]
        put(database, "a", "after")
        assert reading.rows(CONTENT, "a") == [("before",)]

    assert database.rows(CONTENT, "a") == [("after",)]


def test_a_question_that_fails_leaves_the_next_one_alone(database):
    for _ in range(10):
        with pytest.raises(StoreError), database.reading() as reading:
            reading.rows("SELECT nothing FROM nowhere")
        with pytest.raises(StoreError):
            database.rows("SELECT nothing FROM nowhere")

    assert database.rows("SELECT id FROM projects") == [("default",)]


def test_many_threads_ask_at_once(database):
    put(database, "a", "x" * 100_000)
    found = []

    def ask():
        found.extend(database.rows(CONTENT, "a") for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[("x" * 100_000,)]] * 400


def test_a_lock_has_one_holder_in_all_processes(place):
    first, second = place.open(), place.open()
    held = first.lock("run")

    assert [one.lock("run") for one in (first, second)] == [None, None]
    other = second.lock("another")
    held.release()
    held.release()
    again = second.lock("run")
    other.release()
    again.release()
    first.close()
    second.close()


def test_a_closed_database_says_so(place):
    database = place.open()
    database.close()
    database.close()

    with pytest.raises(StoreError, match="closed"):
        database.submit([Write(0, ADD, [("default", "h", "")])])
    with pytest.raises(StoreError):
        database.rows(CONTENT, "a")


def test_an_address_that_leads_nowhere_is_told_at_once_and_without_its_password(tmp_path):
    for url in (
        "postgresql://me:s3cret@127.0.0.1:1/records",
        "postgresql://me:s3cret@/records?host=/nowhere",
        "host=/nowhere password=s3cret",
        "postgres//me:s3cret@wrong",
        "sqlite:///s3cret",
        "postgresql://me:s3cret@host:port/records",
    ):
        with pytest.raises((StoreAwayError, SpecError)) as caught:
            Place(tmp_path, url).open()

        error = caught.value
        assert "s3cret" not in f"{error}{error.__cause__}{error.__dict__}"


def test_without_its_extra_the_sentence_names_it(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("boxscore.store.records.")]:
        if name.endswith((".postgres", ".wire")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ExtraMissingError, match=r"boxscore\[postgres\]"):
        Place(tmp_path, "postgresql://host/records").open()
