"""Datasets of the store: what is put in comes out, under one hash, version after version, on every database."""

import itertools
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxscore.datasets import Example, from_rows, load_dataset
from boxscore.datasets.names import Reference, is_file, parse_reference
from boxscore.datasets.version import Edit, Limits
from boxscore.datasets.versions import Datasets
from boxscore.errors import (
    ConflictError,
    DatasetError,
    DatasetMovedError,
    FileError,
    NotFoundError,
    UnknownNameError,
    UsageError,
)
from boxscore.experiments.identity import example_hash
from boxscore.store.records import ExampleRow, Records, RunRow, VariantRow

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)
examples = st.builds(
    Example,
    id=ids,
    inputs=st.dictionaries(text, values, max_size=3),
    reference=values,
    metadata=st.dictionaries(text, values, max_size=2),
    cluster=st.none() | text.filter(bool),
    slices=st.dictionaries(text, text, max_size=2),
)
sets = st.lists(examples, min_size=1, max_size=5, unique_by=lambda example: example.id)
relaxed = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
counter = itertools.count()
HEAD = Reference("d")


def rows(count: int, *, first: int = 0) -> list[Example]:
    return [Example(id=f"e{n}", inputs={"q": f"question {n}"}) for n in range(first, first + count)]


@pytest.fixture
def datasets(database) -> Datasets:
    return Datasets(database, "default")


@relaxed
@given(given=sets)
def test_a_version_holds_what_was_put_under_the_hash_that_a_file_of_it_has(datasets, given):
    name = f"d{next(counter)}"

    made = datasets.put(name, given)

    loaded = datasets.load(Reference(name))
    assert loaded.examples == tuple(given)
    expected = from_rows([{"id": one.id, "inputs": one.inputs, "reference": one.reference, "metadata": one.metadata,
                           "cluster": one.cluster, "slices": one.slices} for one in given])  # fmt: skip
    assert made.version.version == loaded.version == expected.version


@relaxed
@given(first=sets, second=sets)
def test_versions_stay_as_they_are_whatever_comes_after(datasets, first, second):
    name = f"d{next(counter)}"
    one = datasets.put(name, first).version
    two = datasets.put(name, second, replace=True).version
    again = datasets.restore(name, 1, base=two.number).version

    assert {example.id: example for example in datasets.examples(Reference(name, 1))} == {e.id: e for e in first}
    assert {e.id for e in datasets.examples(Reference(name, two.number))} == {e.id for e in second}
    assert again.version == one.version
    assert list(datasets.examples(Reference(name))) == first


@relaxed
@given(first=sets, second=sets)
def test_the_difference_of_two_versions_leads_from_one_to_the_other(datasets, first, second):
    name = f"d{next(counter)}"
    datasets.put(name, first)
    head = datasets.put(name, second, replace=True).version.number

    added, changed, removed = datasets.difference(name, 1, head)

    old, new = ({example.id: example for example in found} for found in (first, second))
    assert set(added) == new.keys() - old.keys()
    assert set(removed) == old.keys() - new.keys()
    for difference in datasets.differences(name, 1, head, [*added, *changed, *removed]):
        assert difference.before == old.get(difference.id)
        assert difference.after == new.get(difference.id)


def test_numbers_count_on_and_what_holds_the_same_makes_no_version(datasets):
    first = datasets.put("d", rows(3), by="ann", note="three").version
    same = datasets.put("d", reversed(rows(3)), replace=True)
    second = datasets.edit("d", Edit(put=rows(1, first=3), remove=["e0"]), base=1, by="bob").version
    back = datasets.restore("d", 1, base=2).version

    assert not same.new
    assert [v.number for v in datasets.versions("d")] == [3, 2, 1]
    assert (second.added, second.changed, second.removed) == (1, 0, 1)
    assert (back.version, back.note) == (first.version, "version 1 again")
    assert datasets.version(Reference("d", first.version)).number == 3
    assert (first.created_by, second.created_by) == ("ann", "bob")


def test_of_two_who_edit_the_same_version_the_second_hears_what_changed(datasets):
    datasets.put("d", rows(3))
    theirs = Edit(put=[Example(id="e1", inputs={"q": "theirs"}), Example(id="new", inputs={})], remove=["e2"])
    datasets.edit("d", theirs, base=1)

    with pytest.raises(DatasetMovedError) as caught:
        datasets.edit("d", Edit(put=[Example(id="e0", inputs={"q": "mine"})]), base=1)

    error = caught.value
    assert (error.base, error.head) == (1, 2)
    assert (error.added, error.changed, error.removed) == (("new",), ("e1",), ("e2",))
    assert [member.example.id for member in datasets.rows("d", 2)] == ["e0", "e1", "new"]


def test_of_many_who_save_at_the_same_moment_one_is_taken_and_nothing_is_lost(datasets):
    datasets.put("d", rows(2))
    barrier = threading.Barrier(8)
    taken: list[int] = []
    refused: list[int] = []

    def save(n: int) -> None:
        barrier.wait()
        try:
            datasets.edit("d", Edit(put=[Example(id="e0", inputs={"by": n})]), base=1)
            taken.append(n)
        except DatasetMovedError:
            refused.append(n)

    threads = [threading.Thread(target=save, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 1
    assert len(refused) == 7
    assert datasets.row("d", 2, "e0").inputs == {"by": taken[0]}


def test_what_cannot_be_done_is_refused_whole(datasets, tmp_path):
    datasets.put("d", rows(2))
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"inputs": {"q": "fine"}}\n{"imputs": {}}\n')

    with pytest.raises(DatasetError, match="line 2"):
        datasets.import_file("d", bad)
    with pytest.raises(DatasetError, match="named twice"):
        datasets.edit("d", Edit(put=rows(1), remove=["e0"]), base=1)
    with pytest.raises(UnknownNameError, match="did you mean 'e1'"):
        datasets.edit("d", Edit(remove=["e11"]), base=1)
    with pytest.raises(NotFoundError):
        datasets.edit("other", Edit(remove=["e1"]), base=1)
    with pytest.raises(ConflictError, match="already"):
        datasets.create("d")
    with pytest.raises(UsageError, match="has a dot"):
        datasets.create("d.jsonl")

    assert datasets.get("d").head.number == 1
    assert datasets.store.database.rows("SELECT count(*) FROM examples") == [(2,)]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(rows=3), "more than 3 rows"),
        (Limits(row_bytes=100), "a row has 100 at most"),
        (Limits(bytes=300), "which is the most"),
    ],
)
def test_what_is_too_large_is_refused_and_leaves_nothing(database, limits, said):
    datasets = Datasets(database, "default", limits=limits)
    big = [*rows(3), Example(id="big", inputs={"q": "x" * 200})]

    with pytest.raises(DatasetError, match=said):
        datasets.put("d", big)

    assert datasets.list() == []
    assert database.rows("SELECT count(*) FROM examples") == [(0,)]


def test_what_is_nested_too_deeply_is_refused(datasets):
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    datasets.put("d", [Example(id="a", inputs={"deep": deep[0]})])

    with pytest.raises(DatasetError, match="100 levels"):
        datasets.put("d", [Example(id="a", inputs={"deep": deep})])

    assert datasets.get("d").head.number == 1


def test_an_archived_dataset_is_out_of_the_list_and_changes_no_more(datasets):
    datasets.put("d", rows(1))
    datasets.archive("d")

    assert datasets.list() == []
    assert [line.name for line in datasets.list(archived=True)] == ["d"]
    assert len(datasets.load(HEAD)) == 1
    with pytest.raises(ConflictError, match="archived"):
        datasets.put("d", rows(2))
    assert datasets.archive("d", back=True).archived_at is None


def test_another_project_sees_none_of_it(database):
    database.change("INSERT INTO projects (id, name) VALUES ('other', 'other') RETURNING id")
    Datasets(database, "default").put("d", rows(1))
    other = Datasets(database, "other")

    assert other.list() == []
    with pytest.raises(NotFoundError):
        other.get("d")
    other.put("d", rows(2))
    assert len(Datasets(database, "default").load(HEAD)) == 1


def test_a_deleted_dataset_is_gone_with_what_its_rows_held_but_for_what_runs_asked(database):
    datasets = Datasets(database, "default")
    asked, kept = rows(2)
    datasets.put("d", [asked, kept])
    datasets.put("e", [kept])
    run = RunRow(
        id="r", plan_hash="p", variant_hash="v", variant_name="n", model=None, dataset_name="d", dataset_version="x",
        repeats=1, metrics_json="[]", scorer_specs_json="[]", fresh=False, started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    row = ExampleRow(position=0, example_id="e0", hash=example_hash(asked), question_hash="q", content_json="{}")
    Records(database).start_run(run, VariantRow(hash="v", kind="k", model=None, description_json="{}"), [row])
    datasets.put("d", rows(3))

    datasets.delete("d")

    assert [line.name for line in datasets.list(archived=True)] == ["e"]
    left = {hash for (hash,) in database.rows("SELECT hash FROM examples")}
    assert left == {example_hash(asked), example_hash(kept)}


def test_rows_made_from_an_erased_trace_leave_every_version(datasets):
    trace = "ab" * 16
    made = Example(id="t", inputs={"q": "my name is Ann"}, metadata={"trace_id": trace})
    datasets.put("d", [*rows(2), made])
    datasets.edit("d", Edit(remove=["t"]), base=1)
    datasets.edit("d", Edit(put=rows(1, first=7)), base=2)

    assert datasets.store.made_from([trace]) == [("d", "t")]
    assert datasets.store.erase([trace]) == 1

    assert [v.erased for v in datasets.versions("d")] == [0, 0, 1]
    assert [example.id for example in datasets.examples(Reference("d", 1))] == ["e0", "e1"]
    assert not [c for (c,) in datasets.store.database.rows("SELECT content_json FROM examples") if "Ann" in c]


def test_rows_are_found_by_words_and_fields_page_by_page(datasets):
    german = [Example(id=f"g{n}", inputs={"q": "WO ist es?"}, slices={"language": "de"}) for n in range(5)]
    datasets.put("d", [*rows(20), *german])

    found, after = datasets.find("d", 1, text="wo IST", where=["slices.language=de"], limit=3)
    rest, end = datasets.find("d", 1, text="wo IST", where=["language=de"], after=after, limit=3)

    assert [member.example.id for member in [*found, *rest]] == ["g0", "g1", "g2", "g3", "g4"]
    assert end is None
    assert datasets.find("d", 1, text="nowhere") == ([], None)


def test_a_summary_tells_clusters_slices_and_references(datasets):
    given = [
        Example(id="a", inputs={}, cluster="c", slices={"s": "x"}, reference=1),
        Example(id="b", inputs={}, cluster="c", slices={"s": "y"}),
        Example(id="c", inputs={}, slices={"s": "y"}),
    ]

    summary = datasets.put("d", given).version.summary

    assert (summary.references, summary.clusters, summary.units) == (1, 1, 2)
    assert summary.typical == pytest.approx(5 / 3)
    assert summary.slices == {"s": {"x": 1, "y": 2}}


def test_an_import_compared_before_tells_what_it_changes(datasets):
    datasets.put("d", rows(3))

    told = datasets.compare("d", [*rows(2), Example(id="e2", inputs={"q": "other"}), Example(id="n", inputs={})])
    added = datasets.compare("d", [], add=True)

    assert (told.added, told.changed, told.removed) == (1, 1, 0)
    assert (added.added, added.changed, added.removed) == (0, 0, 0)


@pytest.mark.recorded
@pytest.mark.parametrize("file", ["rag/xquad_en.jsonl", "pii/presidio_v2.jsonl", "tools/bfcl_simple_python.jsonl"])
def test_recorded_data_comes_in_row_by_row(datasets, recorded, tmp_path, file):
    lines = recorded(file).read_text().splitlines()
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join('{"id": "%d", "inputs": %s}' % pair for pair in enumerate(lines)))  # noqa: UP031

    made = datasets.import_file("d", path).version

    assert made.examples == len(lines)
    assert made.version == load_dataset(path).version


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tickets", Reference("tickets")),
        ("tickets@3", Reference("tickets", 3)),
        ("a-B_9@0123456789ab", Reference("a-B_9", "0123456789ab")),
        ("d@123456789012", Reference("d", "123456789012")),
    ],
)
def test_names_tell_a_version(written, meant):
    assert parse_reference(written) == meant
    assert str(meant) == written


@pytest.mark.parametrize("written", ["", "a b", "-a", "a@", "a@0", "a@head", "a@12x", "ü", "a" * 101])
def test_what_is_no_name_is_refused(written):
    with pytest.raises(UsageError):
        parse_reference(written)


def test_names_and_files_cannot_be_confused():
    assert not any(map(is_file, ["tickets", "tickets@3", "a-b_c"]))
    assert all(map(is_file, ["tickets.jsonl", "data/tickets", "./tickets", "tickets@3.csv", "..\\x"]))


def test_a_missing_file_is_said_and_makes_no_dataset(datasets, tmp_path: Path):
    with pytest.raises(FileError):
        datasets.import_file("d", tmp_path / "absent.jsonl")

    assert datasets.list() == []
