"""Writing files whole or not at all."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp

from boxscore.errors import FileError


def write_whole(path: Path, text: str) -> None:
    """Write a file of text in place of what is there. Raises `OSError`, and then all is as it was. A device or a pipe
    is written to: a file in its place would take /dev/null away from the whole machine."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, for this user alone: what applications say lies in it. One that is
    there stays as it is."""
    for made in reversed([missing for missing in (folder, *folder.parents) if not missing.exists()]):
        made.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)


def write_together(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    force: bool = False,
    check: Callable[[Path], None] | None = None,
) -> None:
    """Write files by name into the folder, made where it is missing. They are written into a folder beside their
    places, where `check` may read them, then moved; what fails leaves the folder as it was.

    Raises `FileError` where one is there already and `force` is not given, or the folder cannot be written, and what
    `check` raises.
    """
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        raise FileError(
            folder / there[0],
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already and nothing was written; "
            "name another folder, or replace with --force.",
        )
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    staging: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(mkdtemp(prefix=".unfinished-", dir=folder))
        for name, content in files.items():
            (staging / name).write_bytes(content)
        if check is not None:
            check(staging)
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


def _move(staging: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    """Move all in; where one cannot be moved, put back what was there."""
    before = {name: (folder / name).read_bytes() for name in files if (folder / name).is_file()}
    moved: list[str] = []
    try:
        for name in files:
            (staging / name).replace(folder / name)
            moved.append(name)
    except BaseException:
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
