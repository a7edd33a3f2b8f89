"""What follows the write: roll-ups and search, made from what is stored."""

import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from boxscore.errors import StoreError
from boxscore.store.spans import search
from boxscore.store.spans.database import open_database
from boxscore.store.spans.reader import columns_path, rollup_path

PAUSE_S = 0.3
"""Between two looks: many commits become one step."""
SETTLED_NS = 10**9


class Behind:
    """The thread that keeps roll-ups and search near the span files; what is damaged of them is made again. `problem`
    says what stopped the last step, None when nothing did; it tries again with the next commit."""

    def __init__(self, paths: Callable[[], Iterable[Path]]) -> None:
        self.problem: str | None = None
        self._paths = paths
        self._done: dict[Path, object] = {}
        self._made_again: set[Path] = set()  # once each: what is damaged then is the span file itself
        self._stepping = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="boxscore-behind", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def catch_up(self) -> None:
        """Returns when all that was committed before is rolled up and found."""
        from boxscore.store.spans import rollups, stripes  # they load numpy

        with self._stepping:
            for path in self._paths():
                before, newest = _stamp(path)
                if before == self._done.get(path):
                    continue
                steps = (stripes.step, rollups.step, search.step)
                for step, made in zip(steps, _made_of(path), strict=True):
                    self._follow(step, path, made)
                    if self._stop.is_set():
                        return
                if time.time_ns() - newest > SETTLED_NS:  # else a commit within the same tick may look the same
                    self._done[path] = before

    def _follow(self, step: Callable[[Path], bool], path: Path, made: Path) -> None:
        try:
            while step(path) and not self._stop.is_set():
                pass
        except OSError as error:
            raise StoreError(f"{made} could not be brought up to its spans: {error}.") from error
        except StoreError as error:
            if made in self._made_again or not _is_damage(error.__cause__):
                raise
            self._made_again.add(made)
            for part in made.parent.glob(f"{made.name}*"):
                part.unlink()
            self._follow(step, path, made)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Meanwhile nothing is made of the files, and what was made can be removed."""
        with self._stepping:
            yield

    def close(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join()
        for path in self._paths():
            for made in _made_of(path):
                if made.with_name(f"{made.name}-wal").exists():  # a reader was the last to close it
                    with suppress(apsw.Error):
                        open_database(made, write=True).close()

    def _work(self) -> None:
        self._wake.set()
        while True:
            self._wake.wait()
            if self._stop.is_set():
                return
            self._wake.clear()
            try:
                self.catch_up()
                self.problem = None
            except Exception as error:  # noqa: BLE001 - told to whoever asks, and the thread lives on
                self.problem = str(error)
            self._stop.wait(PAUSE_S)


def _made_of(path: Path) -> tuple[Path, Path, Path]:
    return columns_path(path), rollup_path(path), search.search_path(path)


def _is_damage(error: BaseException | None) -> bool:
    """Whether a file does not hold what was written to it; a disk that only does not answer is something else."""
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA  # a page that fails its checksum
    return isinstance(error, apsw.CorruptError | apsw.NotADBError | apsw.SQLError)


def _stamp(path: Path) -> tuple[object, int]:
    """What changes when the file or its log does, and when what is made of it is gone: old files stay unopened. And
    when it was written."""
    log = path.with_name(f"{path.name}-wal")
    written = [(file.stat().st_mtime_ns, file.stat().st_size) for file in (path, log) if file.exists()]
    stamp = (written, [file.exists() for file in _made_of(path)])
    return stamp, max((at_ns for at_ns, _ in written), default=0)
