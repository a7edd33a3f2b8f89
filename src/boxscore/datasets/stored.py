"""A dataset of the store by its name, from wherever the records of this folder are."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from boxscore import settings
from boxscore.datasets.dataset import Dataset
from boxscore.datasets.names import Reference
from boxscore.datasets.versions import Datasets
from boxscore.errors import UnknownNameError
from boxscore.store.records import Records

__all__ = ["load_stored", "opened"]


@contextmanager
def opened(home: Path | None = None) -> Generator[Datasets]:
    """The datasets of the project that is set, in the records of `home` or of the home that is set."""
    chosen = settings.load()
    project = chosen.project or "default"
    with Records.open(home or settings.home(chosen), chosen.records_url, project=project) as records:
        yield Datasets(records.database, project)


def load_stored(
    reference: Reference, *, home: Path | None = None, cluster: str | None = None, slices: Sequence[str] = ()
) -> Dataset:
    """The version that is meant, as `load_dataset` gives that of a file. `UnknownNameError` where there is no dataset
    of that name, `NotFoundError` where it has no such version."""
    with opened(home) as datasets:
        names = [row.name for row in datasets.store.datasets()]
        if reference.name not in names:
            raise UnknownNameError("dataset", reference.name, names, where=datasets.store.database.name)
        return datasets.load(reference, cluster=cluster, slices=slices)
