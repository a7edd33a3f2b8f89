"""What follows the write: roll-ups and search, made from what is stored."""

import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from boxscore.store.spans import search
from boxscore.store.spans.reader import columns_path, rollup_path

PAUSE_S = 0.3
"""Between two looks: many commits become one step."""
SETTLED_NS = 10**9


class Behind:
    """The thread that keeps roll-ups and search near the span files. `problem` says what stopped the last
    step, None when nothing did; it tries again with the next commit."""

    def __init__(self, paths: Callable[[], Iterable[Path]]) -> None:
        self.problem: str | None = None
        self._paths = paths
        self._done: dict[Path, object] = {}
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
                for step in (stripes.step, rollups.step, search.step):
                    while step(path):
                        if self._stop.is_set():
                            return
                if time.time_ns() - newest > SETTLED_NS:  # else a commit within the same tick may look the same
                    self._done[path] = before

    @contextmanager
    def paused(self) -> Generator[None]:
        """Meanwhile nothing is made of the files, and what was made can be removed."""
        with self._stepping:
            yield

    def close(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join()

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


def _stamp(path: Path) -> tuple[object, int]:
    """What changes when the file or its log does, and when what is made of it is gone: old files stay unopened. And
    when it was written."""
    log = path.with_name(f"{path.name}-wal")
    written = [(file.stat().st_mtime_ns, file.stat().st_size) for file in (path, log) if file.exists()]
    made = (columns_path(path), rollup_path(path), search.search_path(path))
    stamp = (written, [file.exists() for file in made])
    return stamp, max((at_ns for at_ns, _ in written), default=0)
