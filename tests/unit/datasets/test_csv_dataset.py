"""CSV: the header says what a column is, cells stay text, and a wrong row is named by its line."""

from pathlib import Path

import pytest

from boxscore.datasets import Dataset, from_rows, load_dataset
from boxscore.errors import DatasetError, FileError


def load(folder: Path, text: str | bytes, name: str = "cases.csv") -> Dataset:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_dataset(path)


def test_columns_are_fields_by_their_names_and_inputs_otherwise(tmp_path: Path) -> None:
    dataset = load(
        tmp_path,
        "id,question,inputs.id,reference,cluster,metadata.source,slices.lang\n1,what?,x,42,doc,web,de\n2,,y,,,,\n",
    )

    same = from_rows(
        [
            {
                "id": "1",
                "inputs": {"question": "what?", "id": "x"},
                "reference": "42",
                "cluster": "doc",
                "metadata": {"source": "web"},
                "slices": {"lang": "de"},
            },
            {"id": "2", "inputs": {"question": "", "id": "y"}},
        ]
    )
    assert dataset.examples == same.examples
    assert dataset.version == same.version


def test_cells_stay_text(tmp_path: Path) -> None:
    (example,) = load(tmp_path, "id,n,day\n007,1e3,2024-01-02\n").examples

    assert example.id == "007"
    assert example.inputs == {"n": "1e3", "day": "2024-01-02"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("id,q\na,x;y\n", "c.csv"),
        ("id;q\na;x;y\n".replace("x;y", '"x;y"'), "c.csv"),
        ("id\tq\na\tx;y\n", "c.csv"),
        ("id\tq\na\tx;y\n", "c.tsv"),
        ("\ufeffid,q\r\na,x;y\r\n", "c.csv"),
    ],
)
def test_the_delimiter_is_told_from_the_header(tmp_path: Path, text: str, name: str) -> None:
    assert load(tmp_path, text, name).examples[0].inputs == {"q": "x;y"}


def test_a_quoted_cell_may_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    (example,) = load(tmp_path, 'id,q\na,"one, ""two""\nthree"\n').examples

    assert example.inputs == {"q": 'one, "two"\nthree'}


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    (example,) = load(tmp_path, f"id,q\na,{'x' * 300_000}\n").examples

    assert len(example.inputs["q"]) == 300_000


def test_without_an_id_column_the_inputs_make_the_ids(tmp_path: Path) -> None:
    dataset = load(tmp_path, "q\nx\ny\n")

    assert [example.id for example in dataset.examples] == [
        example.id for example in from_rows([{"inputs": {"q": "x"}}, {"inputs": {"q": "y"}}]).examples
    ]


@pytest.mark.parametrize(
    ("text", "line", "field", "problem"),
    [
        ('id,q\na,"x\ny"\nb\n', 4, None, "has 1 cells, and the header 2"),
        ("id,q\na,x,y\n", 2, None, "has 3 cells, and the header 2"),
        ("id,q\na,x\n\na,y\n", 4, "id", "'a' is the id of line 2 already"),
        ("id,q\n ,x\n", 2, "id", "is empty"),
        ("id,q,q\na,x,y\n", 1, "q", "stands twice in the header"),
        ("id,q,inputs.q\na,x,y\n", 1, "inputs.q", "stands twice in the header"),
        ("id,,q\na,x,y\n", 1, None, "column 2 has no name"),
        ("id,refrence\na,x\n", 1, "refrence", "did you mean 'reference'?"),
        ("id,metdata.x\na,x\n", 1, "metdata.x", "did you mean 'metadata'?"),
        ('id,q\na,"x\n', 2, None, "is no CSV"),
        (b"id,q\na,caf\xe9\n", 2, None, "column 6: the bytes are no UTF-8"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, text: str | bytes, line: int, field: str | None, problem: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load(tmp_path, text)

    assert (caught.value.path, caught.value.line, caught.value.field) == (tmp_path / "cases.csv", line, field)
    assert problem in str(caught.value)


@pytest.mark.parametrize(("text", "problem"), [("", "is empty"), ("id,q\n", "has no rows"), (b"\x7fELF\0\0", "binary")])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(FileError, match=problem):
        load(tmp_path, text)


def test_a_line_beyond_the_cap_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="line 2 is longer than 32 MB"):
        load(tmp_path, b"id,q\na," + b"x" * (33 << 20))


def test_a_quote_that_never_closes_does_not_read_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxscore.datasets.csv_rows.LINE_CAP", 1000)

    with pytest.raises(FileError, match="double quote that is never closed"):
        load(tmp_path, 'id,q\na,"x\n' + "b,y\n" * 1000)
