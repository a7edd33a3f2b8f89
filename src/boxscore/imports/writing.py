"""Putting an import's files into a folder: all of them, checked, or none."""

from collections.abc import Mapping
from pathlib import Path

from boxscore.datasets import load_dataset
from boxscore.errors import FileError, UsageError
from boxscore.experiments.recordings import load_recordings
from boxscore.experiments.spec import load_spec
from boxscore.imports.draft import DATASET, RECORDINGS, SPEC
from boxscore.writing import write_together

__all__ = ["write"]


def write(folder: Path, files: Mapping[str, bytes], *, source: Path, force: bool = False) -> None:
    """Write the files as `write_together` does, once they are read back as `boxscore compare` would.

    Raises `FileError`, also for what the source says twice in different ways.
    """
    write_together(folder, files, force=force, check=lambda staging: _read_back(staging, files, source))


def _read_back(staging: Path, files: Mapping[str, bytes], source: Path) -> None:
    try:
        if SPEC in files:
            load_spec(staging / SPEC).read_dataset()
        elif DATASET in files:
            load_dataset(staging / DATASET)
        if RECORDINGS in files:
            load_recordings(staging / RECORDINGS)
    except UsageError as error:
        raise FileError(source, f"cannot be imported; {str(error).replace(f'{staging}/', '')}") from None
