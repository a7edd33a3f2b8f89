"""Parquet: the same rows as JSONL give the same version; without its extra the sentence names it."""

import datetime as dt
import sys
from pathlib import Path

import pytest

from boxscore.datasets import from_rows, load_dataset
from boxscore.errors import DatasetError, ExtraMissingError, FileError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_nested_columns_are_the_rows_of_jsonl(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"id": "a", "inputs": {"q": "x", "n": 1}, "reference": {"r": ["y"]}, "cluster": "c"},
        {"id": "b", "inputs": {"q": "z", "n": 2}, "reference": {"r": []}, "cluster": None},
    ]

    assert load_dataset(write(tmp_path / "a.parquet", rows)).version == from_rows(rows).version


def test_flat_columns_are_those_of_csv_and_keep_their_types(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.parquet",
        [{"id": 1, "n": 2.5, "day": dt.date(2024, 1, 2), "metadata.lang": "de", "slices.easy": True, "reference": "x"}],
    )

    (example,) = load_dataset(path).examples

    assert example.id == "1"
    assert example.inputs == {"n": 2.5, "day": "2024-01-02"}
    assert example.metadata == {"lang": "de"}
    assert example.slices == {"easy": "true"}


def test_a_wrong_row_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [{"id": "a", "q": 1.0}, {"id": "b", "q": float("nan")}])

    with pytest.raises(DatasetError) as caught:
        load_dataset(path)

    assert (caught.value.path, caught.value.line, caught.value.field) == (path, 2, "inputs.q")


def test_bytes_are_no_value(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is a bytes"):
        load_dataset(write(tmp_path / "a.parquet", [{"id": "a", "q": b"\0"}]))


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text('{"id": "a"}')

    with pytest.raises(FileError, match="no readable Parquet"):
        load_dataset(path)
    with pytest.raises(FileError, match="no such file"):
        load_dataset(tmp_path / "b.parquet")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", [{"id": "a", "q": "x"}])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(ExtraMissingError, match=r"pip install 'boxscore\[parquet\]'") as caught:
        load_dataset(path)

    assert caught.value.extra == "parquet"
