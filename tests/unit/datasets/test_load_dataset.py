"""Loading JSONL and Python rows: what comes in is kept as it is, and what is wrong is named."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from boxscore.datasets import Dataset, from_rows, load_dataset
from boxscore.errors import DatasetError, FileError, UnknownNameError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(*lines: str | bytes, name: str = "cases.jsonl", end: bytes = b"\n") -> Path:
        path = tmp_path / name
        path.write_bytes(end.join(line.encode() if isinstance(line, str) else line for line in lines) + end)
        return path

    return put


def test_a_row_becomes_an_example_with_all_its_fields(write: Write) -> None:
    path = write(
        '{"id": "a", "inputs": {"q": "2+2"}, "reference": "4", "metadata": {"source": "hand"}, '
        '"cluster": "sums", "slices": {"level": 1, "easy": true, "lang": null}}'
    )

    (example,) = load_dataset(path).examples

    assert example.id == "a"
    assert example.inputs == {"q": "2+2"}
    assert example.reference == "4"
    assert example.metadata == {"source": "hand"}
    assert example.cluster == "sums"
    assert example.slices == {"level": "1", "easy": "true"}


def test_name_and_path_come_from_the_file_unless_a_name_is_given(write: Write) -> None:
    path = write('{"id": "a", "inputs": {}}')

    assert (load_dataset(path).name, load_dataset(path).path) == ("cases", path)
    assert load_dataset(path, name="sums").name == "sums"


def test_a_byte_order_mark_crlf_and_blank_lines_are_no_content(write: Write) -> None:
    plain = load_dataset(write('{"id": 1, "inputs": {"q": "é"}}', '{"id": 2, "inputs": {}}'))
    windows = load_dataset(
        write(b'\xef\xbb\xbf{"id": 1, "inputs": {"q": "\xc3\xa9"}}', b"", b'{"id": 2, "inputs": {}}', end=b"\r\n")
    )

    assert windows.examples == plain.examples
    assert windows.version == plain.version


def test_a_whole_number_as_id_is_its_text(write: Write) -> None:
    assert load_dataset(write('{"id": 7, "inputs": {}}')).examples[0].id == "7"


def test_without_an_id_the_inputs_make_it_so_that_it_stays_when_the_row_moves_or_is_corrected(write: Write) -> None:
    first = load_dataset(write('{"inputs": {"a": 1, "b": 2}}', '{"inputs": {"a": 2}}'))
    second = load_dataset(write('{"inputs": {"a": 2}}', '{"inputs": {"b": 2, "a": 1}, "reference": "x"}'))

    assert {example.id for example in first.examples} == {example.id for example in second.examples}


class TestVersion:
    rows = (
        {"id": "a", "inputs": {"q": 1, "r": [1, 2]}, "reference": "x"},
        {"id": "b", "inputs": {"q": 2}, "slices": {"s": "t"}},
    )

    def test_is_blind_to_file_name_key_order_white_space_and_row_order(self, write: Write) -> None:
        tight = write(*(json.dumps(row, separators=(",", ":")) for row in self.rows))
        loose = write(
            *(json.dumps(dict(reversed(row.items())), indent=None) + "  " for row in reversed(self.rows)),
            name="b.jsonl",
        )

        assert load_dataset(tight).version == load_dataset(loose).version == from_rows(self.rows).version
        assert [example.id for example in load_dataset(loose).examples] == ["b", "a"]

    @pytest.mark.parametrize(
        "change",
        [
            {"id": "c"},
            {"inputs": {"q": 1, "r": [2, 1]}},
            {"inputs": {"q": 1.5, "r": [1, 2]}},
            {"reference": "y"},
            {"reference": None},
            {"metadata": {"m": 1}},
            {"cluster": "k"},
            {"slices": {"s": "t"}},
        ],
    )
    def test_changes_with_anything_that_an_example_holds(self, change: dict[str, object]) -> None:
        assert from_rows([{**self.rows[0], **change}, self.rows[1]]).version != from_rows(self.rows).version

    def test_is_another_where_the_clusters_are_taken_from_another_field(self) -> None:
        rows = [{"id": "a", "inputs": {"doc": "d"}}]

        assert from_rows(rows, cluster="inputs.doc").version != from_rows(rows).version


class TestFiles:
    """A file that cannot be used at all is a FileError with its path."""

    def refused(self, path: Path) -> FileError:
        with pytest.raises(FileError) as caught:
            load_dataset(path)
        assert caught.value.path == path
        assert caught.value.exit_code == 2
        assert str(caught.value).startswith(f"{path}: ")
        return caught.value

    def test_missing_with_the_nearest_name_beside_it(self, write: Write) -> None:
        there = write("{}")

        assert f"no such file; did you mean '{there}'?" in str(self.refused(there.with_name("casse.jsonl")))

    def test_missing_with_its_folder(self, tmp_path: Path) -> None:
        assert "no folder" in str(self.refused(tmp_path / "nowhere" / "x.jsonl"))

    def test_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "x.jsonl").mkdir()

        assert "is a folder" in str(self.refused(tmp_path / "x.jsonl"))

    @pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf\n"])
    def test_empty(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "x.jsonl"
        path.write_bytes(content)

        assert "is empty" in str(self.refused(path))

    @pytest.mark.parametrize(
        ("head", "word"),
        [
            (b"\x7fELF\x02\x01\x01\0\0\0", "binary"),
            (b"\x1f\x8b\x08\x00", "gzip"),
            (b"PK\x03\x04\x14\x00", "spreadsheet"),
            ("{}".encode("utf-16"), "UTF-16"),
            (b"PAR1\x15\x04", ".parquet"),
        ],
    )
    def test_binary(self, tmp_path: Path, head: bytes, word: str) -> None:
        path = tmp_path / "x.jsonl"
        path.write_bytes(head * 20)

        assert word in str(self.refused(path))

    @pytest.mark.parametrize("name", ["cases.json", "cases.txt", "cases"])
    def test_an_ending_that_is_not_known(self, write: Write, name: str) -> None:
        assert "known are .jsonl, .ndjson, .csv, .tsv, .parquet" in str(self.refused(write("{}", name=name)))

    def test_a_line_of_200_mb_is_refused_before_it_is_in_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "long.jsonl"
        with path.open("wb") as file:
            file.write(b'{"id": "a", "inputs": {}}\n{"id": "b", "inputs": {"x": "')
            for _ in range(200):
                file.write(b"x" * 1024 * 1024)
            file.write(b'"}}\n')

        tracemalloc.start()
        try:
            error = self.refused(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert "line 2 is longer than 32 MB and was not read" in str(error)
        assert peak < 100 * 1024 * 1024


class TestRows:
    """A row that cannot be used is a DatasetError with file, line and field, and nothing is loaded."""

    def refused(self, path: Path, *, line: int, field: str | None) -> str:
        with pytest.raises(DatasetError) as caught:
            load_dataset(path)
        assert (caught.value.path, caught.value.line, caught.value.field) == (path, line, field)
        assert caught.value.exit_code == 2
        where = f"{path}, line {line}" + (f", field {field!r}" if field else "")
        assert str(caught.value).startswith(f"{where}: ")
        return str(caught.value).removeprefix(f"{where}: ")

    good = '{"id": "ok", "inputs": {"q": 1}}'

    def test_an_unknown_field_with_the_nearest_known_one(self, write: Write) -> None:
        path = write(self.good, '{"id": "a", "inputs": {}, "refrence": "4"}')

        problem = self.refused(path, line=2, field="refrence")

        assert problem.startswith("is no field of a row (did you mean 'reference'?)")

    def test_an_input_at_the_top_is_told_where_it_goes(self, write: Write) -> None:
        problem = self.refused(write('{"id": "a", "question": "?"}'), line=1, field="question")

        assert "fields are inputs, id, reference, metadata, cluster, slices" in problem
        assert "what fills the prompt inside 'inputs'" in problem

    @pytest.mark.parametrize(
        ("row", "field", "problem"),
        [
            ('{"id": "a"}', "inputs", "is missing, and every row needs it."),
            ('{"id": "a", "inputs": "q"}', "inputs", "must be an object, and is text."),
            ('{"id": 1.5, "inputs": {}}', "id", "must be a whole number or text, and is a number with a fraction."),
            ('{"id": true, "inputs": {}}', "id", "must be a whole number or text, and is true or false."),
            ('{"id": "a", "inputs": {}, "metadata": []}', "metadata", "must be an object, and is a list."),
            (
                '{"id": "a", "inputs": {}, "cluster": {}}',
                "cluster",
                "must be a whole number or text, and is an object.",
            ),
            ("[1, 2]", None, "a row must be an object, and is a list."),
            ('"text"', None, "a row must be an object, and is text."),
        ],
    )
    def test_a_wrong_type(self, write: Write, row: str, field: str | None, problem: str) -> None:
        assert self.refused(write(self.good, row), line=2, field=field) == problem

    def test_a_slice_that_is_no_plain_value(self, write: Write) -> None:
        path = write('{"id": "a", "inputs": {}, "slices": {"s": [1]}}')

        with pytest.raises(DatasetError) as caught:
            load_dataset(path)

        assert caught.value.line == 1
        assert "slices" in str(caught.value.field)

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
    def test_numbers_that_are_none(self, write: Write, value: str) -> None:
        problem = self.refused(write(self.good, '{"id": "a", "inputs": {"x": ' + value + "}}"), line=2, field=None)

        assert problem.startswith(f"has the value {value}, which JSON does not know")

    def test_a_number_too_large_to_hold(self, write: Write) -> None:
        with pytest.raises(DatasetError) as caught:
            load_dataset(write('{"id": "a", "inputs": {"x": 1e999}}'))

        assert caught.value.line == 1
        assert "out of range" in str(caught.value)

    def test_broken_json_with_its_column(self, write: Write) -> None:
        problem = self.refused(write(self.good, '  {"id": "a" "inputs": {}}'), line=2, field=None)

        assert problem == "column 14: is no JSON (expecting ',' delimiter)."

    def test_a_line_cut_off(self, write: Write) -> None:
        assert "is no JSON" in self.refused(write(self.good, '{"id": "a", "inp'), line=2, field=None)

    def test_bytes_that_are_no_utf_8(self, write: Write) -> None:
        problem = self.refused(write(self.good, b'{"id": "caf\xe9", "inputs": {}}'), line=2, field=None)

        assert problem == "column 12: the bytes are no UTF-8; save the file as UTF-8."

    def test_half_a_character(self, write: Write) -> None:
        problem = self.refused(write('{"id": "a", "inputs": {"x": "\\ud800"}}'), line=1, field=None)

        assert "half of a surrogate pair" in problem

    def test_nesting_without_end(self, write: Write) -> None:
        path = write('{"id": "a", "inputs": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}")

        assert "nested too deeply" in self.refused(path, line=1, field=None)

    def test_one_key_twice(self, write: Write) -> None:
        problem = self.refused(write('{"id": "a", "inputs": {"q": 1, "q": 2}}'), line=1, field="q")

        assert problem.startswith("stands twice in one object")

    @pytest.mark.parametrize("second", ['"a"', "7"])
    def test_an_id_twice_with_both_lines(self, write: Write, second: str) -> None:
        path = write(
            '{"id": "a", "inputs": {}}', '{"id": "7", "inputs": {}}', "", '{"id": ' + second + ', "inputs": {"q": 1}}'
        )

        problem = self.refused(path, line=4, field="id")

        assert problem.startswith(
            f"{second.strip(chr(34))!r} is the id of line {1 if second == chr(34) + 'a' + chr(34) else 2}"
        )

    def test_no_id_and_the_same_inputs_twice_with_both_lines(self, write: Write) -> None:
        problem = self.refused(write('{"inputs": {"q": 1}}', '{"inputs": {"q": 1}}'), line=2, field="id")

        assert "no id and the same inputs as line 1" in problem

    def test_an_empty_id(self, write: Write) -> None:
        assert self.refused(write('{"id": "", "inputs": {}}'), line=1, field="id").startswith("is empty")


class TestPythonRows:
    def test_are_copied_so_that_a_later_change_does_not_reach_the_version(self) -> None:
        row = {"id": "a", "inputs": {"q": [1]}}
        dataset = from_rows([row])

        row["inputs"]["q"].append(2)  # type: ignore[index]

        assert dataset.examples[0].inputs == {"q": [1]}

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (float("nan"), "is nan"),
            (float("inf"), "is inf"),
            ({1, 2}, "is a set"),
            (b"x", "is a bytes"),
            ("\ud800", "half of a surrogate pair"),
        ],
    )
    def test_hold_only_what_json_can(self, value: object, problem: str) -> None:
        with pytest.raises(DatasetError, match=problem) as caught:
            from_rows([{"inputs": {}}, {"inputs": {"deep": [{"x": value}]}}])

        assert (caught.value.line, caught.value.field) == (2, "inputs.deep[0].x")

    def test_are_at_least_one(self) -> None:
        with pytest.raises(DatasetError, match="has no rows"):
            from_rows([])

    def test_of_a_misspelt_field_are_refused(self) -> None:
        with pytest.raises(DatasetError, match="did you mean 'inputs'") as caught:
            from_rows([{"input": {}}])

        assert (caught.value.line, caught.value.field) == (1, "input")


class TestSlicesAndClusters:
    rows = (
        {"id": "a", "inputs": {"doc": "d1", "n": 3}, "metadata": {"lang": "de"}, "slices": {"lang": "German"}},
        {"id": "b", "inputs": {"doc": "d1"}, "metadata": {"lang": "en", "tags": [1]}},
    )

    def loaded(self, **options: object) -> Dataset:
        return from_rows(self.rows, **options)  # type: ignore[arg-type]

    def test_a_field_may_be_the_cluster(self) -> None:
        assert [example.cluster for example in self.loaded(cluster="inputs.doc").examples] == ["d1", "d1"]

    def test_a_bare_name_is_looked_up_in_slices_then_metadata_then_inputs(self) -> None:
        assert [example.cluster for example in self.loaded(cluster="lang").examples] == ["German", None]
        assert [example.cluster for example in self.loaded(cluster="metadata.lang").examples] == ["de", "en"]
        assert [example.cluster for example in self.loaded(cluster="doc").examples] == ["d1", "d1"]

    def test_a_slice_keeps_the_name_it_was_asked_by_and_leaves_out_rows_without_it(self) -> None:
        first, second = self.loaded(slices=["metadata.lang", "n", "slices.lang"]).examples

        assert first.slices == {"lang": "German", "metadata.lang": "de", "n": "3", "slices.lang": "German"}
        assert second.slices == {"metadata.lang": "en"}

    @pytest.mark.parametrize(("field", "nearest"), [("metadata.langs", "metadata.lang"), ("docs", "doc")])
    def test_a_field_that_no_row_has_is_named_with_the_nearest(self, field: str, nearest: str) -> None:
        with pytest.raises(UnknownNameError) as caught:
            self.loaded(slices=[field])

        assert (caught.value.kind, caught.value.name, caught.value.nearest) == ("slice field", field, nearest)

    def test_a_list_is_no_slice(self) -> None:
        with pytest.raises(DatasetError, match="example 'b' has a list"):
            self.loaded(slices=["tags"])


class TestSubset:
    def test_keeps_the_order_of_the_dataset_and_is_a_version_of_its_own(self) -> None:
        whole = from_rows([{"id": name, "inputs": {}} for name in "abc"])

        part = whole.subset(["c", "a"])

        assert [example.id for example in part.examples] == ["a", "c"]
        assert part.version != whole.version
        assert part.version == from_rows([{"id": name, "inputs": {}} for name in "ca"]).version
        assert whole.subset("cab").version == whole.version

    def test_of_an_unknown_id_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="No example is called 'caze-1'"):
            from_rows([{"id": "case-1", "inputs": {}}]).subset(["caze-1"])
