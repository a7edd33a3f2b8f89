"""Workers of a server: processes of their own, there while there are jobs.

What a run does to the interpreter and to memory, it does to a process that can be killed, with less of a right to the
CPU; and an idle server has none at all.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from boxscore.errors import BoxscoreError
from boxscore.server.logs import log
from boxscore.store.records.backend import Database
from boxscore.store.records.jobs import JobRow, JobRows

__all__ = ["Workers"]

LOOK_S = 0.5
AGAIN_S = 5.0
"""After which a worker that failed is started again."""
STOP_S = 6.0
"""That workers have to give back what they do."""
HUNG_S = 60.0
"""Where nobody has touched a running job for so long, its worker hangs, and so do all others of ours: they would have
taken it over."""


class Workers:
    """Starts up to `count` workers of the home when there is a job; they end by themselves when there was none for a
    while, and give back what they do when the server ends, however it ends."""

    def __init__(
        self,
        home: Path,
        database: Database,
        count: int,
        *,
        records_url: str | None = None,
        command: Sequence[str] = (sys.executable, "-m", "boxscore", "worker", "--attached"),
        hung_s: float = HUNG_S,
    ) -> None:
        self._rows = JobRows(database)
        self._command = list(command)
        self._hung_s = hung_s
        self._touched: dict[tuple[str, int, int], float] = {}
        self._environment = {**os.environ, "BOXSCORE_HOME": str(home)}
        if records_url is not None:
            self._environment["BOXSCORE_RECORDS_URL"] = records_url
        self._slots: list[subprocess.Popen[bytes] | None] = [None] * count
        self._not_before = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="boxscore-workers", daemon=True)

    def __enter__(self) -> "Workers":
        if self._slots:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        until = time.monotonic() + STOP_S
        for worker in filter(None, self._slots):
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:  # the next worker finds its job as that of a dead one
                worker.kill()
                worker.wait()

    def stop(self) -> None:
        """Tells the workers to give back what they do; leaving the context waits for them."""
        self._stopping.set()
        for worker in filter(None, self._slots):
            _let_go(worker)

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_S):
            for slot, worker in enumerate(self._slots):
                if worker is not None and worker.poll() is not None:
                    self._slots[slot] = None
                    _let_go(worker)
                    if worker.returncode != 0:
                        log.error("a worker ended with %d; its jobs go on with the next", worker.returncode)
                        self._not_before = time.monotonic() + AGAIN_S
            try:
                waiting, running = self._rows.open()
            except BoxscoreError:  # the server says so itself
                continue
            self._end_hung(running)
            wanted = waiting or (bool(running) and not any(self._slots))
            if wanted and None in self._slots and time.monotonic() >= self._not_before:
                self._slots[self._slots.index(None)] = self._start()

    def _end_hung(self, running: Sequence[JobRow]) -> None:
        now = time.monotonic()
        signs = [(row.id, row.turn, row.beat) for row in running]
        self._touched = {sign: self._touched.get(sign, now) for sign in signs}
        if any(now - since >= self._hung_s for since in self._touched.values()):
            self._touched.clear()
            for worker in filter(None, self._slots):
                log.error("a worker hangs and is killed; its jobs go on with the next")
                worker.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        # It ends when it can read no more from us: also when we are killed.
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, env=self._environment)  # noqa: S603 - ourselves


def _let_go(worker: subprocess.Popen[bytes]) -> None:
    if worker.stdin is not None:
        worker.stdin.close()
