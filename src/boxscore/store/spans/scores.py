"""Scores and feedback on spans, traces and sessions, in a file of their own: they may come before what they are of."""

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias, cast

import apsw
import msgspec

from boxscore.errors import StoreError, UsageError
from boxscore.store.spans.database import Database, Row, open_database

FILE = "scores.sqlite"
VERSION = 1
TEXT_BYTES = 64 * 1024
"""A comment, and all metadata together, are not longer."""
NAME_LENGTH = 200

Source: TypeAlias = Literal["human", "code", "judge", "user"]

_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE scores(
    project TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, at_ns INTEGER NOT NULL, received_ns INTEGER NOT NULL,
    trace BLOB, span BLOB, session TEXT, number REAL, word TEXT, content BLOB NOT NULL, PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX scores_trace ON scores(project, trace) WHERE trace IS NOT NULL;
CREATE INDEX scores_session ON scores(project, session) WHERE session IS NOT NULL;
CREATE INDEX scores_name ON scores(project, name, number);
CREATE INDEX scores_time ON scores(project, at_ns);
CREATE TABLE dropping(number INTEGER PRIMARY KEY) STRICT;
PRAGMA user_version = 1;
COMMIT
"""
_COLUMNS = "project, id, name, at_ns, received_ns, trace, span, session, number, word, content"
_SET = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS.split(", ")[2:])
_OF_FILE = """
DELETE FROM scores WHERE trace IS NOT NULL AND EXISTS (SELECT 1 FROM old.spans s
WHERE s.project = (SELECT id FROM old.names WHERE value = scores.project) AND s.trace = scores.trace)
"""
_PUT = f"""
INSERT INTO scores({_COLUMNS}) VALUES ({", ".join("?" * 11)}) ON CONFLICT DO UPDATE SET {_SET}
WHERE (excluded.at_ns, excluded.content) > (at_ns, content)
"""  # noqa: S608 - our own words


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody or something thought of a span (`trace_id` and `span_id`), a trace (`trace_id`) or a session.

    `id` makes it safe to send again: the same one replaces what it said before, if it is later by `at_ns` (nanoseconds
    since 1970 by the sender's clock); whatever the order of arrival, the latest stays. `name` is the metric, `value` a
    number, true or false (counted as 1 and 0), or a category. `source` is who scored: a person of ours, code, a judge
    or a user. A `UsageError` where it cannot be.
    """

    id: str
    name: str
    value: float | bool | str
    trace_id: bytes | None = None
    span_id: bytes | None = None
    session: str | None = None
    comment: str | None = None
    source: Source = "code"
    at_ns: int
    metadata: dict[str, str] = {}

    def __post_init__(self) -> None:
        if (self.trace_id is None) == (self.session is None) or (self.span_id and self.trace_id is None):
            raise UsageError(f"score {self.id!r} is of no one thing: give trace_id (and span_id), or session.")
        for field, text in (("id", self.id), ("name", self.name), ("session", self.session)):
            if text is not None and not 0 < len(text) <= NAME_LENGTH:
                raise UsageError(f"a score's {field} has between 1 and {NAME_LENGTH} characters, not {len(text):,}.")
        if not _plain(self.name):
            raise UsageError(f"{self.name!r} is no name of a score: it must be without spaces and without = ! < >.")
        if isinstance(self.value, float | int) and not math.isfinite(self.value):
            raise UsageError(f"score {self.id!r} is {self.value}: a value is a finite number, true, false or a text.")
        if isinstance(self.value, str) and not 0 < len(self.value) <= NAME_LENGTH:
            raise UsageError(f"score {self.id!r}: a category has between 1 and {NAME_LENGTH} characters.")
        if abs(self.at_ns) >= 2**63:
            raise UsageError(f"score {self.id!r}: at_ns={self.at_ns} is no time in nanoseconds since 1970.")
        told = (self.comment or "", *self.metadata.keys(), *self.metadata.values())
        if sum(len(text) for text in told) * 4 > TEXT_BYTES and sum(len(text.encode()) for text in told) > TEXT_BYTES:
            raise UsageError(f"score {self.id!r}: comment and metadata together are longer than {TEXT_BYTES:,} bytes.")


decode = msgspec.msgpack.Decoder(Score).decode


class ScoreFile:
    """The file of scores as its one writer has it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.database = connect(self.path, write=True)

    def close(self) -> None:
        self.database.close()

    def put(self, scores: Sequence[tuple[str, Score]], now_ns: int) -> None:
        """Projects and scores; all committed and synced, or an error and none of them."""
        with self._transaction() as database:
            database.executemany(_PUT, [_values(project, score, now_ns) for project, score in scores])

    def remove(self, traces: Sequence[tuple[str, bytes]]) -> None:
        """Scores of these traces, by project and id, and of their spans."""
        with self._transaction() as database:
            database.executemany("DELETE FROM scores WHERE project = ? AND trace = ?", traces)

    def remove_ids(self, ids: Sequence[tuple[str, str]]) -> None:
        """These scores, by project and id."""
        with self._transaction() as database:
            database.executemany("DELETE FROM scores WHERE project = ? AND id = ?", ids)

    def remove_sessions(self, sessions: Sequence[tuple[str, str]]) -> None:
        """Scores of these sessions, by project and name."""
        with self._transaction() as database:
            database.executemany("DELETE FROM scores WHERE project = ? AND session = ?", sessions)

    def drop(self, path: Path, number: int) -> None:
        """Decides that a span file goes: the scores of its traces go now, the file itself until `dropped`."""
        self.database.execute("ATTACH ? AS old", (str(path),))
        try:
            with self._transaction() as database:
                database.execute("INSERT OR IGNORE INTO dropping VALUES (?)", (number,))
                database.execute(_OF_FILE)
        except (apsw.IOError, apsw.CorruptError):  # damaged, and goes all the same; its scores go with age
            with self._transaction() as database:
                database.execute("INSERT OR IGNORE INTO dropping VALUES (?)", (number,))
        finally:
            self.database.execute("DETACH old")

    def dropping(self) -> list[int]:
        """Span files that were to go when the process ended."""
        return [cast(int, number) for (number,) in self.database.execute("SELECT number FROM dropping").fetchall()]

    def dropped(self, number: int) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM dropping WHERE number = ?", (number,))

    @contextmanager
    def _transaction(self) -> Generator[Database]:
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield self.database
            self.database.execute("COMMIT")
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            raise


def connect(path: Path, *, write: bool) -> Database:
    """A connection to the file of scores; a writing one makes it. A `StoreError` where it cannot be used or a newer
    Boxscore made it."""
    try:
        database = open_database(path, write=write)
        try:
            found = database.pragma("user_version")
            if not isinstance(found, int) or found > VERSION:
                raise StoreError(
                    f"{path} was written by a newer Boxscore (its schema is {found}, this program knows up to "
                    f"{VERSION}): upgrade Boxscore, or point BOXSCORE_HOME at another folder. Nothing was changed."
                )
            if write:
                database.pragma("auto_vacuum", "INCREMENTAL")
                database.pragma("journal_mode", "wal")
                database.pragma("synchronous", "FULL")
                database.pragma("secure_delete", 1)
                if found == 0:
                    database.execute(_TABLES)
        except BaseException:
            database.close()
            raise
    except apsw.Error as error:
        raise StoreError(f"{path} cannot be used as a file of scores: {error}.") from error
    return database


def read(folder: Path, project: str, *, trace_id: bytes | None, session: str | None, limit: int) -> list[Score]:
    """The latest scores of a trace and its spans, of a session, or of all, the latest first."""
    path = folder / FILE
    if not path.exists():
        return []
    asked, parameters = "SELECT content FROM scores WHERE project = ?", [project]
    for column, value in (("trace", trace_id), ("session", session)):
        if value is not None:
            asked += f" AND {column} = ?"
            parameters.append(cast(str, value))
    database = connect(path, write=False)
    try:
        found = database.execute(f"{asked} ORDER BY at_ns DESC, id LIMIT ?", (*parameters, limit)).fetchall()
        return [decode(cast(bytes, content)) for (content,) in found]
    except (apsw.Error, msgspec.DecodeError) as error:
        raise StoreError(f"{path} could not be read: {error}.") from error
    finally:
        database.close()


def _values(project: str, score: Score, now_ns: int) -> Row:
    value = score.value
    number, word = (None, value) if isinstance(value, str) else (float(value), None)
    score = msgspec.structs.replace(score, metadata=dict(sorted(score.metadata.items())))
    content = msgspec.msgpack.encode(score)
    target = (score.trace_id, score.span_id, score.session)
    return (project, score.id, score.name, score.at_ns, now_ns, *target, number, word, content)


def _plain(name: str) -> bool:
    return not any(sign.isspace() or sign in "=!<>" or not sign.isprintable() for sign in name)
