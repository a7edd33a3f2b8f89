"""What a store has to do beside taking in and answering: dropping files, removing traces, and leaving nothing of them.

It decides nothing: what goes is told by `boxscore.governance`. Long work comes to the writing thread in steps, so that
writing goes on between them.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar, cast

import apsw
import msgspec

from boxscore.errors import StoreError
from boxscore.store.spans import blocks, removal, scores, search
from boxscore.store.spans.behind import Behind
from boxscore.store.spans.database import Database, open_database, truncate_log
from boxscore.store.spans.files import Files, segment_paths, unlink
from boxscore.store.spans.removal import Removed
from boxscore.store.spans.schema import connect
from boxscore.store.spans.segment import Segment, Trace
from boxscore.store.spans.writer import Writer

STEP_TRACES = 100
PAGE_TRACES = 500
TRIES = 100
PAUSE_S = 0.05
REWRITE_KB = 8 * 1024
LARGEST = 2**63 - 1
MADE = (".rollup", ".search", ".columns")

Result = TypeVar("Result")

_TRACES = """
SELECT s.project, s.trace, s.error, EXISTS (SELECT 1 FROM scores x WHERE x.project = p.value AND (x.trace = s.trace
OR x.session = (SELECT value FROM names WHERE id = s.session))), p.value
FROM (SELECT project, trace, max(error) AS error, max(session) AS session FROM spans WHERE (project, trace) > (?, ?)
GROUP BY project, trace LIMIT ?) s JOIN names p ON p.id = s.project ORDER BY s.project, s.trace
"""
_PROJECTS = "SELECT n.value, count(*) FROM spans s JOIN names n ON n.id = s.project GROUP BY s.project"
_OF_TRACE = "SELECT count(*) FROM spans WHERE project = (SELECT id FROM names WHERE value = ?) AND trace = ?"
_FILE = """
WITH RECURSIVE of(project) AS (
    SELECT min(project) FROM spans UNION ALL
    SELECT (SELECT min(project) FROM spans WHERE project > of.project) FROM of WHERE of.project IS NOT NULL
)
SELECT (SELECT count(*) FROM spans), (SELECT received_ns FROM spans ORDER BY seq DESC LIMIT 1),
(SELECT max((SELECT max(at_ns) FROM spans WHERE project = of.project)) FROM of),
(SELECT value FROM state WHERE name = 'sampled')
"""
_SAMPLED = """
INSERT INTO state(name, value) VALUES ('sampled', ?) ON CONFLICT DO UPDATE SET value = min(value, excluded.value)
"""
_VALUES = """
SELECT p.value, v.value FROM (SELECT DISTINCT project, {0} AS value FROM spans WHERE {0} IS NOT NULL) d
JOIN names p ON p.id = d.project JOIN names v ON v.id = d.value
"""
_OF = """
SELECT DISTINCT n.value, s.trace FROM spans s JOIN names n ON n.id = s.{0}
WHERE s.project = (SELECT id FROM names WHERE value = ?) AND s.at_ns <= ?
AND s.{0} IN (SELECT id FROM names WHERE value IN (SELECT value FROM json_each(?)))
"""
_SESSIONS = """
SELECT DISTINCT n.value FROM spans s JOIN names n ON n.id = s.session
WHERE s.project = (SELECT id FROM names WHERE value = ?) AND s.trace = ?
"""
_HAS_SESSION = """
SELECT 1 FROM spans WHERE project = ? AND session = (SELECT id FROM names WHERE value = ?) AND entry > 0 LIMIT 1
"""
_OTHERS = """
SELECT 1 FROM spans WHERE project = (SELECT id FROM names WHERE value = ?) AND trace = ?
AND "user" IS NOT NULL AND "user" IS NOT (SELECT id FROM names WHERE value = ?) LIMIT 1
"""


class SpanFile(msgspec.Struct, frozen=True):
    """A span file with all that belongs to it. `last_ns` is when its last span was received, by the store's clock,
    `newest_ns` the latest time that both a sender's clock and the store's bear out; None where it is empty. `sampled`
    is the share of unremarkable traces that was left in it, in thousandths, None where all are."""

    number: int
    path: Path
    spans: int
    last_ns: int | None
    newest_ns: int | None
    bytes: int
    sampled: int | None


class TraceState(msgspec.Struct, frozen=True):
    """What keep-rules ask of a trace."""

    project: str
    trace_id: bytes
    error: bool
    scored: bool


class Inventory:
    """What the files have, for those who decide what goes. Safe to use from threads; failures are `StoreError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[SpanFile]:
        """The oldest first; new traces go to the last."""
        found: list[SpanFile] = []
        for number, path in segment_paths(self.folder):
            with self._reading(path) as database:
                row = cast("tuple[int, int | None, int | None, int | None]", database.execute(_FILE).fetchone())
            size = sum(map(_size, self.folder.glob(f"{path.stem}.*")))
            found.append(SpanFile(number, path, *row[:3], size, row[3]))
        return found

    def spans_of(self, number: int, traces: Sequence[Trace] | None = None) -> Mapping[str, int]:
        """How many spans of which project a file has, of all or of these traces."""
        with self._reading(self.folder / f"{number:06}.db") as database:
            if traces is None:
                return {cast(str, name): cast(int, count) for name, count in database.execute(_PROJECTS)}
            found: dict[str, int] = {}
            for project, trace in traces:
                count = cast(int, database.execute(_OF_TRACE, (project, trace)).get)
                found[project] = found.get(project, 0) + count
            return found

    def traces(self, number: int) -> Iterator[TraceState]:
        """All traces of a file, in no order that means something."""
        after: tuple[int, bytes] = (0, b"")
        with self._reading(self.folder / f"{number:06}.db") as database:
            database.execute("ATTACH ? AS beside", (str(self.folder / scores.FILE),))
            while page := database.execute(_TRACES, (*after, PAGE_TRACES)).fetchall():
                for project, trace, error, scored, name in page:
                    after = (cast(int, project), cast(bytes, trace))
                    yield TraceState(cast(str, name), cast(bytes, trace), error == 1, scored == 1)

    def values(self, field: str) -> set[tuple[str, str]]:
        """Projects and what their spans say in `user` or `session`."""
        found: set[tuple[str, str]] = set()
        for _, path in segment_paths(self.folder):
            with self._reading(path) as database:
                rows = database.execute(_VALUES.format(f'"{field}"')).fetchall()
            found |= {(cast(str, project), cast(str, value)) for project, value in rows}
        return found

    def traces_of(
        self, project: str, field: str, values: Iterable[str], until_ns: int = LARGEST
    ) -> Mapping[str, Sequence[Trace]]:
        """Traces with a span that began until then and says so in `user` or `session`, by what it says. Each file is
        read once from its beginning to its end."""
        found: dict[str, list[Trace]] = {value: [] for value in values}
        asked = msgspec.json.encode(list(found)).decode()
        for _, path in segment_paths(self.folder):
            for value, trace in self._ask(path, _OF.format(f'"{field}"'), (project, until_ns, asked)):
                found[cast(str, value)].append((project, cast(bytes, trace)))
        return found

    def sessions_of(self, traces: Iterable[Trace]) -> set[tuple[str, str]]:
        """Projects and sessions that the traces name."""
        return {
            (project, cast(str, session))
            for _, path in segment_paths(self.folder)
            for project, trace in traces
            for (session,) in self._ask(path, _SESSIONS, (project, trace))
        }

    def names_others(self, trace: Trace, user: str) -> bool:
        """Whether a span of the trace names another user."""
        return any(self._ask(path, _OTHERS, (*trace, user)) for _, path in segment_paths(self.folder))

    def _ask(self, path: Path, statement: str, parameters: Sequence[str | bytes | int]) -> list[tuple[object, ...]]:
        with self._reading(path) as database:
            return cast("list[tuple[object, ...]]", database.execute(statement, parameters).fetchall())

    def _reading(self, path: Path) -> AbstractContextManager[Database]:
        return self._open(lambda: connect(path, write=False))

    @contextmanager
    def _open(self, connected: Callable[[], Database]) -> Generator[Database]:
        try:
            database = connected()
            try:
                yield database
            finally:
                database.close()
        except apsw.Error as error:
            raise StoreError(f"the files in {self.folder} could not be read: {error}.") from error


class Upkeep(Inventory):
    """Of the one process that writes. Safe to use from threads; failures are `StoreError`."""

    def __init__(
        self,
        folder: Path,
        writer: Writer,
        behind: Behind,
        *,
        clock_ns: Callable[[], int],
        dropped: Callable[[int], None],
    ) -> None:
        super().__init__(folder)
        self._writer = writer
        self._behind = behind
        self._clock_ns = clock_ns
        self._dropped = dropped

    # Files

    def drop(self, number: int) -> Mapping[str, int]:
        """Unlinks a file with all that was made of it; gives back how many spans of which project it had."""
        spans: Mapping[str, int] = {}
        with suppress(StoreError):  # damaged, and to go: nobody can count it any more
            spans = self.spans_of(number)
        self._writer.run(lambda files: files.drop(number, self._clock_ns())).result()
        with self._behind.paused():
            unlink(self.folder, number)
        self._dropped(number)
        self._writer.run(lambda files: files.scores.dropped(number)).result()
        return spans

    def begin_file(self) -> None:
        """New traces go to another file from now on."""
        self._writer.run(lambda files: files.begin(self._clock_ns())).result()

    def remove_waiting_scores(self, received_before_ns: int) -> int:
        """Removes scores that came before then and are of nothing that is there."""
        path = self.folder / scores.FILE
        asked = "SELECT id, project, trace, session FROM scores WHERE received_ns < ?"
        with self._open(lambda: scores.connect(path, write=False)) as database:
            old = database.execute(asked, (received_before_ns,)).fetchall()
        for _, file in segment_paths(self.folder):
            with self._reading(file) as database:
                old = [row for row in old if not _is_there(database, row)]
        keys = [(cast(str, project), cast(str, id)) for id, project, _, _ in old]
        self._writer.run(lambda files: files.scores.remove_ids(keys)).result()
        return len(keys)

    def trim_changes(self) -> int:
        """Forgets changes that all that is made of the files has taken up; gives back how many."""
        trimmed = 0
        for number, path in segment_paths(self.folder):
            marks: list[int] = []
            for made in (path.with_suffix(suffix) for suffix in MADE):
                if made.exists():
                    with self._open(lambda made=made: open_database(made, write=False)) as database:
                        if database.pragma("user_version"):
                            marks.append(cast(int, database.execute("SELECT change FROM mark").get))
            if len(marks) < len(MADE):
                continue
            mark = min(marks)
            if self._ask(path, "SELECT 1 FROM changes WHERE id <= ? LIMIT 1", [mark]):
                trimmed += self._run(lambda files, n=number, mark=mark: _trim(_segment(files, n), mark))
        return trimmed

    # Traces

    def remove(self, traces: Sequence[Trace], *, keep_totals: bool = False) -> Removed:
        """Removes traces with their scores, some at a time. With `keep_totals`, series still count their spans."""
        removed = Removed()
        for start in range(0, len(traces), STEP_TRACES):
            step = traces[start : start + STEP_TRACES]
            removed.add(self._writer.run(lambda files, step=step: _remove(files, step, keep_totals)).result())
        return removed

    def remove_session_scores(self, sessions: Iterable[tuple[str, str]]) -> None:
        of = sorted(sessions)
        self._writer.run(lambda files: files.scores.remove_sessions(of)).result()

    def sampled(self, number: int, thousandths: int) -> None:
        """Notes the share that was left in a file."""

        def note(files: Files) -> None:
            _segment(files, number).database.execute(_SAMPLED, (thousandths,))

        self._writer.run(note).result()

    # Nothing is left

    def untrain(self, traces: Sequence[Trace]) -> set[int]:
        """Replaces the dictionaries that have texts of these traces; gives back the files that had one. To be done
        before the traces are removed: then a kill in between finds the same ones again."""
        marks = {blocks.mark(trace) for _, trace in traces}
        found = self._run(lambda files: removal.tainted(files, marks))
        for segment, number, owner in found:
            instead = self._run(lambda files, s=segment, o=owner: removal.retrain(s, o, marks))
            after: int | None = 0
            while after is not None:
                step = (segment, number, owner, instead, after)
                after = self._run(lambda files, step=step: removal.recompress(*step))
        return {segment.number for segment, _, _ in found}

    def scrub(self, names: Mapping[int, Set[int]] | None = None, *, texts: bool = False) -> None:
        """Follows removals to their end: roll-ups, search and `names` (by file those that may be unused now; None looks
        at all of them); with `texts` also every byte that was freed."""
        self._behind.catch_up()
        with self._behind.paused():
            for number, path in segment_paths(self.folder):
                if names is not None and number not in names:
                    continue
                with self._reading(path) as database:
                    last = cast(int, database.execute("SELECT coalesce(max(seq), 0) FROM spans").get)
                    left = removal.unused(database, None if names is None else names[number])
                self._run(lambda files, n=number, u=left, s=last: removal.drop_names(_segment(files, n), u, s))
                if texts:
                    for made in self.folder.glob(f"{path.stem}.columns*"):
                        made.unlink(missing_ok=True)
                    search.compact(path)
                    self._rewrite(path)
                self._empty_log(lambda files, n=number: _segment(files, n).database)
            self._empty_log(lambda files: files.scores.database)

    def _rewrite(self, path: Path) -> None:
        """Writes the file anew: pages that were rearranged have copies of what was removed in their gaps, whatever
        `secure_delete` overwrites. Who writes to this file meanwhile waits."""
        with self._open(lambda: connect(path, write=True)) as database:
            database.pragma("cache_size", -REWRITE_KB)  # it fills its caches, whatever their size
            database.execute("VACUUM")

    def _empty_log(self, of: Callable[[Files], Database]) -> None:
        """Gives room back and empties the log; readers in the middle of a question are waited for out of the writer's
        way."""

        def empty(files: Files) -> bool:
            database = of(files)
            database.execute("PRAGMA incremental_vacuum").fetchall()
            database.set_busy_timeout(0)
            try:
                truncate_log(database)
            except apsw.BusyError:
                return False
            finally:
                database.set_busy_timeout(30_000)
            return True

        for _ in range(TRIES):
            if self._run(empty):
                return
            time.sleep(PAUSE_S)
        raise StoreError(
            f"the logs in {self.folder} could not be emptied: something has been reading there for a long time. What "
            "was removed cannot be found any more, but its bytes are still on the disk: end what reads, and run it "
            "again."
        )

    def _run(self, do: Callable[[Files], Result]) -> Result:
        return self._writer.run(do).result()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # what is made of a file comes and goes
        return 0


def _trim(segment: Segment, mark: int) -> int:
    count = cast(int, segment.database.execute("SELECT count(*) FROM changes WHERE id <= ?", (mark,)).get)
    segment.database.execute("DELETE FROM changes WHERE id <= ?", (mark,))
    return count


def _segment(files: Files, number: int) -> Segment:
    found = next((segment for segment in files.segments if segment.number == number), None)
    if found is None:
        raise StoreError(f"span file {number} of {files.folder} was dropped meanwhile: run it again.")
    return found


def _remove(files: Files, traces: Sequence[Trace], keep_totals: bool) -> Removed:
    return removal.remove(files, traces, keep_totals=keep_totals)


def _is_there(database: Database, score: Sequence[object]) -> bool:
    _, project, trace, session = score
    number = cast("int | None", database.execute("SELECT id FROM names WHERE value = ?", (cast(str, project),)).get)
    if number is None:
        return False
    if trace is not None:
        asked = "SELECT 1 FROM spans WHERE project = ? AND trace = ? LIMIT 1"
        return database.execute(asked, (number, cast(bytes, trace))).get is not None
    return database.execute(_HAS_SESSION, (number, cast(str, session))).get is not None
