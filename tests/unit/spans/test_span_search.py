"""Words and phrases of spans are found behind the write."""

import pytest

from boxscore.errors import QueryTooLargeError, UsageError
from boxscore.store.spans import SpanRow, SqliteSpans

NOW = 1_800_000_000 * 10**9


def row(n, output_text="", **more):
    fields = {"trace_id": b"t%d" % n, "span_id": b"%d" % n, "name": "chat", "start_ns": NOW}
    return SpanRow(output_text=output_text, **(fields | more))


def found(store, text, project="p", **more):
    hits = store.search(project, text, **more)
    assert hits.pending == 0
    return [int(span.span_id) for span in hits.items]


@pytest.fixture
def store(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW, segment_spans=3) as store:
        for one in (
            row(0, "The golden parachute clause is void."),
            row(1, "A parachute, golden; no clause"),
            row(2, "Größe und Über-Mut", input_text="What SIZE is it?"),
            row(3, "golden", input_text="parachute"),
            row(4),
        ):
            store.put("p", [one]).result()
        store.put("q", [row(5, "golden secrets")]).result()
        store.catch_up()
        yield store


def test_parts_of_words_are_found_from_three_characters_on_and_without_digits(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        store.put("p", [row(0, "order4711 was " + "x" * 80 + "y"), row(1, "東京都の天気は")]).result()
        store.catch_up()

        assert found(store, "order4*") == [0]
        assert found(store, "*rder47*") == []
        assert found(store, "*xxxx*") == [0]
        assert found(store, "*の天気*") == [1]
        with pytest.raises(UsageError, match="three characters"):
            store.search("p", "*or*")


def test_a_part_of_too_many_words_is_refused(tmp_path):
    with SqliteSpans(tmp_path, clock_ns=lambda: NOW) as store:
        letters = "abcdefghijklmnopqrstuvwxyz"
        words = [f"word{one}{two}" for one in letters for two in letters]
        store.put("p", [row(0, " ".join(words))]).result()
        store.catch_up()

        assert found(store, "*ordxy*") == [0]
        with pytest.raises(QueryTooLargeError, match="more of it"):
            store.search("p", "*ord*")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("golden", [3, 1, 0]),
        ("GOLDEN parachute", [3, 1, 0]),
        ('"golden parachute"', [0]),
        ("golden-parachute", [0]),
        ('clause "golden parachute"', [0]),
        ("grosse", []),
        ("große", [2]),
        ("größe", [2]),
        ("uber-mut size", [2]),
        ("secrets", []),
        ("gold", []),
        ("golden AND clause", []),
        ("golden*", [3, 1, 0]),
        ("NOT", []),
        ("gold*", [3, 1, 0]),
        ("*chute", [3, 1, 0]),
        ("*olde*", [3, 1, 0]),
        ("*RÖß*", [2]),
        ("*olde* clause", [1, 0]),
        ("*olden*te", []),
        ("*chut", []),
        ("*ecret*", []),
        ('"*olde*"', []),
    ],
)
def test_all_words_and_phrases_must_be_there(store, text, expected):
    assert found(store, text) == expected


def test_projects_find_their_own(store):
    assert found(store, "golden", project="q") == [5]
    assert found(store, "golden", project="r") == []


@pytest.mark.parametrize("text", ["", "  ", '""', "-- ; '"])
def test_a_search_without_words_is_a_usage_error(store, text):
    with pytest.raises(UsageError):
        store.search("p", text)


def test_pages_of_a_search_follow_each_other(store):
    first = store.search("p", "golden", limit=2)

    assert found(store, "golden", limit=2) == [3, 1]
    assert found(store, "golden", limit=2, cursor=first.cursor) == [0]


def test_a_changed_text_is_found_by_its_new_words(store):
    store.put("p", [row(3, "golden and even longer than before")]).result()
    store.put("p", [row(3, "g")]).result()
    store.catch_up()

    assert found(store, "longer") == [3]


def test_what_is_not_indexed_yet_is_told_and_an_index_can_be_made_again(tmp_path):
    with SqliteSpans(tmp_path) as store:
        store.put("p", [row(0, "golden"), row(1, "iron")]).result()
    for path in (tmp_path / "spans").glob("*.search"):
        path.unlink()
    with SqliteSpans(tmp_path, write=False) as reader:
        hits = reader.search("p", "golden")
        assert (list(hits.items), hits.pending) == ([], 2)

    with SqliteSpans(tmp_path) as store:
        store.catch_up()
        assert found(store, "golden") == [0]
