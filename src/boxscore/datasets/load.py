"""Loading: a file, or rows from Python, as an immutable dataset version. All of it, or an error and nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from boxscore.datasets.dataset import Dataset, version_of
from boxscore.datasets.fields import with_fields
from boxscore.datasets.lines import check_text_file
from boxscore.datasets.rows import ExampleRow, read_jsonl, read_rows, to_examples
from boxscore.errors import FileError
from boxscore.types import Json

_ENDINGS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")


def load_dataset(
    path: str | Path, *, name: str | None = None, cluster: str | None = None, slices: Sequence[str] = ()
) -> Dataset:
    """The dataset in a file: JSONL, CSV (or tab-separated) or Parquet, by its ending.

    `name` is the file's name without ending if not given. `cluster` names a field whose value is the cluster of a row
    (`metadata.document`), `slices` fields to report by; both replace or add to what the rows say. The forms are
    described in docs/reference/formats.md. Raises `FileError` for a file that cannot be used, `DatasetError` for a row,
    `UnknownNameError` for a field that no row has, `ExtraMissingError` for Parquet without its extra.
    """
    path = Path(path)
    examples = with_fields(to_examples(read_file(path), path), cluster=cluster, slices=slices)
    return Dataset(name=name or path.stem, version=version_of(examples), examples=examples, path=path)


def from_rows(
    rows: Iterable[Mapping[str, Json]],
    *,
    name: str = "rows",
    cluster: str | None = None,
    slices: Sequence[str] = (),
) -> Dataset:
    """The dataset made of Python dicts with the same fields as a line of JSONL. Errors count rows from 1 as lines."""
    examples = with_fields(to_examples(read_rows(rows), None), cluster=cluster, slices=slices)
    return Dataset(name=name, version=version_of(examples), examples=examples)


def read_file(path: Path) -> Iterator[tuple[int, ExampleRow]]:
    """Line and row of a file in any of the forms, one at a time. Raises as `load_dataset` does."""
    ending = path.suffix.lower()
    if ending in (".jsonl", ".ndjson"):
        return read_jsonl(path)
    if ending in (".csv", ".tsv"):
        from boxscore.datasets.csv_rows import read_csv

        return read_csv(path)
    if ending == ".parquet":
        from boxscore.datasets.parquet import read_parquet

        return read_parquet(path)
    check_text_file(path)
    hint = "JSONL has one object a line: save it with the ending .jsonl" if ending == ".json" else "rename the file"
    raise FileError(path, f"the ending {ending or '(none)'} is not known; known are {', '.join(_ENDINGS)} ({hint}).")
