"""Putting an import's files into a folder: all of them, checked, or none."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from boxscore.datasets import load_dataset
from boxscore.errors import FileError, UsageError
from boxscore.experiments.recordings import load_recordings
from boxscore.experiments.spec import load_spec
from boxscore.imports.draft import DATASET, RECORDINGS, SPEC

__all__ = ["write"]


def write(folder: Path, files: Mapping[str, bytes], *, source: Path, force: bool = False) -> None:
    """Write the files into the folder, made where it is missing. They are written beside their places and read back as
    `boxscore compare` would, then moved; what fails leaves the folder as it was.

    Raises `FileError` where one is there already and `force` is not given, or the folder cannot be written, and
    `UsageError` for what the source says twice in different ways.
    """
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        raise FileError(
            folder / there[0],
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already and nothing was written; "
            "name another folder with --out, or replace with --force.",
        )
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    staging: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(mkdtemp(prefix=".import-", dir=folder))
        for name, content in files.items():
            (staging / name).write_bytes(content)
        _read_back(staging, files, source)
        _move(staging, folder, files)
    except OSError as error:
        _undo(staging, made)
        raise FileError(
            error.filename or folder, f"cannot be written ({error.strerror}); nothing was changed."
        ) from None
    except BaseException:
        _undo(staging, made)
        raise
    shutil.rmtree(staging)


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


def _move(staging: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    """Move all in; where one cannot be moved, put back what was there."""
    before = {name: (folder / name).read_bytes() for name in files if (folder / name).is_file()}
    moved: list[str] = []
    try:
        for name in files:
            (staging / name).replace(folder / name)
            moved.append(name)
    except OSError:
        for name in moved:
            if name in before:
                (folder / name).write_bytes(before[name])
            else:
                (folder / name).unlink(missing_ok=True)
        raise


def _undo(staging: Path | None, made: list[Path]) -> None:
    if staging is not None:
        shutil.rmtree(staging, ignore_errors=True)
    for parent in made:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
