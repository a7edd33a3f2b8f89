"""The folder of span files: one per stretch of time."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import apsw

from boxscore.errors import StoreError
from boxscore.store.locks import FileLock
from boxscore.store.spans.blocks import Dictionaries
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.schema import connect
from boxscore.store.spans.scores import ScoreFile
from boxscore.store.spans.segment import Segment, Trace
from boxscore.writing import make_private

FOLDER = "spans"
PERIOD_NS = 7 * 24 * 3600 * 10**9
SEGMENT_SPANS = 5_000_000
TRACES_KEPT = 200_000
MEGABYTE = 1 << 20
DAMAGED = "`boxscore verify` says what is wrong with it, `boxscore restore` brings back a backup."


def segment_paths(folder: Path) -> list[tuple[int, Path]]:
    """The span files of a folder by number, the oldest first. Reading asks this too, so that it sees new ones."""
    return sorted((int(path.stem), path) for path in folder.glob("*.db") if path.stem.isdecimal())


def is_owned(home: Path) -> bool:
    """Whether a process writes spans to the home now."""
    lock = FileLock(home / FOLDER / "lock")
    if not lock.path.exists():
        return False
    try:
        return not lock.acquire(wait=False)
    finally:
        lock.release()


class Files:
    """The span files as the one writer has them. A trace stays in the file where its first span came to, so that the
    same span again meets its own row; a new trace goes to the newest file. Another file follows after a week or
    `segment_spans`, by the time of receipt: a sender's clock moves nothing.
    """

    def __init__(
        self, folder: Path, *, now_ns: int, period_ns: int = PERIOD_NS, segment_spans: int = SEGMENT_SPANS
    ) -> None:
        try:
            make_private(folder)
            _sync(folder.parent)
        except (OSError, apsw.IOError) as error:
            raise StoreError(f"the folder {folder} cannot be made: {error}.") from error
        self.folder = folder
        self._period_ns = period_ns
        self._segment_spans = segment_spans
        self._lock = FileLock(folder / "lock")
        try:
            locked = self._lock.acquire(wait=False)
        except OSError as error:
            raise StoreError(f"the folder {folder} cannot be locked: {error.strerror}.") from error
        if not locked:
            raise StoreError(f"another process writes to {folder}: stop it, or point BOXSCORE_HOME at another folder.")
        self.dictionaries = Dictionaries()
        self._homes: dict[Trace, Segment] = {}
        self._segments: list[Segment] = []
        try:
            for log in folder.glob("*-wal"):
                _write_again(log)
            self.scores = ScoreFile(folder)
            for number in self.scores.dropping():
                unlink(folder, number)
                self.scores.dropped(number)
            for number, path in segment_paths(folder):
                try:
                    self._segments.append(Segment(path, number, self.dictionaries))
                except apsw.Error as error:
                    raise StoreError(f"{path} could not be read: {error}. {DAMAGED}") from error
            if not self._segments:
                self._add_segment(now_ns)
        except (OSError, apsw.Error) as error:
            self.close()
            raise StoreError(f"{folder} cannot be written to: {error}.") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.dictionaries.close()
        for segment in self._segments:
            segment.close()
        if hasattr(self, "scores"):
            self.scores.close()
        self._lock.release()

    @property
    def segments(self) -> Sequence[Segment]:
        """The oldest first; new traces go to the last."""
        return self._segments

    def home(self, trace: Trace) -> Segment | None:
        """The file that has spans of the trace."""
        return self._home(trace)

    def forget(self) -> None:
        """Looks for traces anew: some were removed."""
        self._homes.clear()

    def begin(self, now_ns: int) -> None:
        """New traces go to another file."""
        self._add_segment(now_ns)

    def drop(self, number: int, now_ns: int) -> None:
        """Lets go of a file, decided and synced: `unlink` it then. Scores of its traces go with it. New traces go to
        another file."""
        segment = next((one for one in self._segments if one.number == number), None)
        if segment is None:
            return
        if segment is self._segments[-1]:
            self._add_segment(now_ns)
        self.scores.drop(self.folder / f"{number:06}.db", number)
        self._segments.remove(segment)
        self._homes.clear()
        segment.close()

    def count(self) -> int:
        """About how many spans all files have."""
        return sum(segment.count() for segment in self._segments)

    def store(self, traces: Mapping[Trace, Sequence[SpanRow]], now_ns: int) -> None:
        """All rows, committed and synced, or an error; then nothing of them stays, unless traces of older files were
        among them: those may have been committed alone."""
        placed: dict[Segment, dict[Trace, Sequence[SpanRow]]] = {}
        known: set[Trace] = set()
        newest = self._newest(now_ns)
        for trace, rows in traces.items():
            home = self._home(trace)
            if home is None:
                home = self._homes[trace] = newest
            else:
                known.add(trace)
            placed.setdefault(home, {})[trace] = rows
        try:
            for segment, of_segment in placed.items():
                segment.begin()
                segment.put(of_segment, known, now_ns)
            for segment in placed:
                segment.commit()
        except BaseException:
            self._homes.clear()
            for segment in placed:
                segment.rollback()
            raise
        if len(self._homes) > TRACES_KEPT:
            self._homes.clear()

    def _home(self, trace: Trace) -> Segment | None:
        home = self._homes.get(trace)
        if home is None:
            home = next((segment for segment in reversed(self._segments) if segment.knows(trace)), None)
            if home is not None:
                self._homes[trace] = home
        return home

    def _newest(self, now_ns: int) -> Segment:
        newest = self._segments[-1]
        age = abs(now_ns - newest.made_ns)  # of one that was made while the clock was ahead, too
        if newest.count() and (newest.count() >= self._segment_spans or age >= self._period_ns):
            newest = self._add_segment(now_ns)
        return newest

    def _add_segment(self, now_ns: int) -> Segment:
        number = self._segments[-1].number + 1 if self._segments else 1
        path = self.folder / f"{number:06}.db"
        making = path.with_suffix(".new")  # readers meet it when it has its tables
        for left in self.folder.glob(f"{making.name}*"):  # by a process that was killed here
            left.unlink()
        if not path.exists():  # as it does where what follows failed before
            database = connect(making, write=True)
            try:
                database.pragma("wal_checkpoint", "TRUNCATE")  # closing does it too, and does not say when it fails
            finally:
                database.close()
            making.replace(path)
        _sync(self.folder)
        segment = Segment(path, number, self.dictionaries, now_ns=now_ns)
        self._segments.append(segment)
        return segment


def unlink(folder: Path, number: int) -> None:
    """Removes a file that was dropped, and what was made of it: itself first, so that none opens it without its log."""
    for path in sorted(folder.glob(f"{number:06}.*"), key=lambda path: path.suffix != ".db"):
        path.unlink(missing_ok=True)
    _sync(folder)


def _sync(folder: Path) -> None:
    """What was made in the folder is there after a power loss. Its failure is the disk's, as of any other sync:
    `apsw.IOError`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        raise apsw.IOError(f"sync of the folder: {error.strerror}") from error
    finally:
        os.close(handle)


def _write_again(log: Path) -> None:
    """What the last process wrote and could not sync is read back from memory as if it were on disk, and after a failed
    sync Linux takes it for written: a later sync passes it by. Roll-ups and new spans build upon it, so it is written
    once more, and synced, before anybody reads it."""
    with log.open("r+b", buffering=0) as file:
        while data := file.read(MEGABYTE):
            file.seek(-len(data), os.SEEK_CUR)
            file.write(data)
        os.fsync(file.fileno())
