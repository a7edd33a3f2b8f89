"""Parcels that wait on disk while the server is away: files that are only appended to, and synced.

A file is `NANOSECONDS-PROCESS-NUMBER.spool`; its name sorts by the time of its first parcel. Who writes to one, or
sends what it holds, has it locked: any process may send the files of one that is gone. A file goes when all in it was
answered, so a process that dies while sending sends some of it twice, which is safe (spans and scores have ids).
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from boxscore.sdk.parcel import Kind, Parcel

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock: there, a process sends its own files alone
    fcntl = None

__all__ = ["Segment", "Spool"]

SEGMENT_BYTES = 4 * 1024 * 1024
_HEAD = struct.Struct("<4sBIQII")  # magic, kind, count, made_ns, length, crc32 of the body
_MAGIC = b"BXS1"
_KINDS: tuple[Kind, ...] = ("spans", "scores")


class Segment:
    """A locked file of the spool, to be read from its beginning."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._at = 0

    def next(self) -> Parcel | None:
        """The next parcel, None at the end. One that was not written whole, or was changed since, is passed over."""
        while (head := _head(self._handle, self._at)) is not None:
            kind, count, made_ns, length, crc = head
            body = os.pread(self._handle, length, self._at + _HEAD.size)
            if len(body) == length and zlib.crc32(body) == crc:
                return Parcel(kind, count, made_ns, body)
            self._at += _HEAD.size + length
        return None

    def advance(self, parcel: Parcel) -> None:
        self._at += _HEAD.size + len(parcel.body)

    def left(self) -> Iterator[tuple[Kind, int]]:
        """Kind and count of the parcels from here on, by their heads alone."""
        at = self._at
        while (head := _head(self._handle, at)) is not None:
            yield head[0], head[1]
            at += _HEAD.size + head[3]

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        os.close(self._handle)


class Spool:
    """The files in `folder`, at most about `most` bytes of them, whoever wrote them. Not for two threads at once."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self.dropped: Callable[[Kind, int], None] = lambda kind, count: None
        self._most = most
        self._handle: int | None = None
        self._path = folder
        self._size = 0
        self._number = 0
        self._others = 0  # bytes of the other files, as of the last look

    def append(self, parcel: Parcel) -> None:
        """Writes and syncs. `OSError` when the disk does not take it: nothing of it is left then. What has to go for
        it, the oldest first, is told to `dropped`."""
        size = _HEAD.size + len(parcel.body)
        if self._handle is None or self._size + size > SEGMENT_BYTES:
            self._open(parcel.made_ns)
        while self._others + self._size + size > self._most:
            if not self._drop_oldest():
                raise OSError("the spool is full, and all of it is other processes'")
        try:
            self._write(parcel)
        except OSError:
            self._forget_tail()
            if not self._drop_oldest():
                raise
            try:
                self._write(parcel)
            except OSError:
                self._forget_tail()
                raise

    def rotate(self) -> None:
        """What was written can be sent from now on; what comes goes into another file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holds_any(self) -> bool:
        """Whether any process has left something here."""
        return bool(self._files())

    def oldest(self) -> Segment | None:
        """The oldest file that nobody has, locked; the caller removes or closes it."""
        for path in self._files():
            if path == self._path and self._handle is not None:
                self.rotate()
            segment = _locked(path)
            if segment is not None:
                return segment
        return None

    def forget(self) -> None:
        """After a fork: the files are the parent's."""
        self.rotate()

    def _open(self, made_ns: int) -> None:
        self.rotate()
        _make_private(self.folder)
        self._number += 1
        self._path = self.folder / f"{made_ns:020d}-{os.getpid()}-{self._number}.spool"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        handle = os.open(self._path, flags, 0o600)
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._handle, self._size = handle, 0
        self._others = sum(_size(path) for path in self._files())
        _sync_folder(self.folder)

    def _write(self, parcel: Parcel) -> None:
        if self._handle is None:
            self._open(parcel.made_ns)
        assert self._handle is not None  # noqa: S101
        kind = _KINDS.index(parcel.kind)
        crc = zlib.crc32(parcel.body)
        data = memoryview(_HEAD.pack(_MAGIC, kind, parcel.count, parcel.made_ns, len(parcel.body), crc) + parcel.body)
        while data:
            data = data[os.write(self._handle, data) :]
        os.fsync(self._handle)
        self._size = os.fstat(self._handle).st_size

    def _forget_tail(self) -> None:
        """Takes back what was written of a parcel. Where not even that can be done, the file takes no more."""
        if self._handle is None:
            return
        try:
            os.ftruncate(self._handle, self._size)
        except OSError:
            self.rotate()

    def _drop_oldest(self) -> bool:
        segment = self.oldest()
        if segment is None:
            return False
        for kind, count in segment.left():
            self.dropped(kind, count)
        segment.remove()
        self._others = sum(_size(path) for path in self._files() if path != self._path or self._handle is None)
        if self._handle is None:
            self._size = 0
        return True

    def _files(self) -> list[Path]:
        try:
            found = sorted(path for path in self.folder.iterdir() if path.suffix == ".spool")
            return found if _is_private(self.folder) else []  # else what lies there may be another user's
        except OSError:
            return []


def _head(handle: int, at: int) -> tuple[Kind, int, int, int, int] | None:
    data = os.pread(handle, _HEAD.size, at)
    if len(data) < _HEAD.size:
        return None
    magic, kind, count, made_ns, length, crc = cast("tuple[bytes, int, int, int, int, int]", _HEAD.unpack(data))
    if magic != _MAGIC or kind >= len(_KINDS):
        return None
    return _KINDS[kind], count, made_ns, length, crc


def _locked(path: Path) -> Segment | None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif f"-{os.getpid()}-" not in path.name:  # pragma: no cover - Windows
            raise BlockingIOError
        if os.fstat(handle).st_nlink == 0:  # sent and removed by another process meanwhile
            raise FileNotFoundError
    except OSError:
        os.close(handle)
        return None
    return Segment(path, handle)


def _make_private(folder: Path) -> None:
    """Makes the folder for this user alone. `PermissionError` where another one could write into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(folder):
        raise PermissionError(f"{folder} is not this user's alone")


def _is_private(folder: Path) -> bool:
    if not hasattr(os, "geteuid"):
        return True
    status = folder.lstat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # pragma: no cover - Windows cannot open a folder
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
