"""The thread of a server that removes what has to go: by the policy once an hour, what is erased at once."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from boxscore.governance import journal, tombstones
from boxscore.governance.erasure import reapply
from boxscore.governance.retention import Now, Policy, retain
from boxscore.store.spans import SqliteSpans

EVERY_S = 3600.0
LOOK_S = 1.0


class Maintenance:
    """Looks after the home of a store that is open for writing, until it is closed.

    Another process that adds a tombstone (`boxscore erase` beside a server) has it carried out within seconds.
    `problem` says why the last round failed, None when it did not; the next one tries again.
    """

    def __init__(
        self, home: Path, store: SqliteSpans, policy: Policy, *, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.problem: str | None = None
        self._home = home
        self._store = store
        self._policy = policy
        self._now = Now(clock_ns)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="boxscore-maintenance", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Maintenance":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Waits for what is under way."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        due, seen = time.monotonic(), -1
        while not self._stop.wait(LOOK_S):
            erased = self._erased()
            if time.monotonic() < due and erased == seen:
                continue
            try:
                reapply(self._home, self._store)
                seen = self._erased()
                if time.monotonic() >= due:
                    now_ns = self._now(self._store.upkeep.files())
                    run_retention(self._home, self._store, self._policy, now_ns=now_ns)
                    self._store.upkeep.trim_changes()
                    due = time.monotonic() + EVERY_S
                self.problem = None
            except Exception as error:  # noqa: BLE001 - told to whoever asks, and the thread lives on
                self.problem = str(error)
                due = time.monotonic() + EVERY_S
                seen = erased

    def _erased(self) -> int:
        """Changes when somebody adds a tombstone."""
        try:
            return (self._home / tombstones.FILE).stat().st_size
        except OSError:
            return 0


def run_retention(home: Path, store: SqliteSpans, policy: Policy, *, now_ns: int) -> None:
    """Carries the policy out and notes what went."""
    done = retain(store, policy, now_ns=now_ns)
    if done.files or done.spans or done.scores:
        journal.note(home, "retention", now_ns, spans=dict(done.spans), files=done.files, scores=done.scores)
