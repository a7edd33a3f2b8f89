"""Words of spans, indexed behind the write, each index in a file beside its span file.

One document per span with new text, found by the span's order of arrival. The index knows which words a document has
and not where (a quarter of the size): phrases are looked up as words and then checked in the text. The files can be
deleted at any time; they are made again.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import apsw

from boxscore.errors import StoreError, UsageError
from boxscore.store.spans.database import Database, open_database, truncate_log
from boxscore.store.spans.reader import Reader
from boxscore.store.spans.store import StoredSpan

STEP_ROWS = 4_000
CANDIDATES = 200

_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE mark(seq INTEGER NOT NULL, change INTEGER NOT NULL) STRICT;
INSERT INTO mark VALUES (0, 0);
CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='unicode61');
PRAGMA user_version = 1;
COMMIT
"""
_MARK = "SELECT seq, change FROM mark"
_FIND = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
_PIECES = re.compile(r'"([^"]*)"|([^\s"]+)')


def search_path(path: Path) -> Path:
    return path.with_suffix(".search")


class Words:
    """What is searched for: every word, and the words of a piece side by side."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokenizer()
        written = [piece[1] or piece[2] or "" for piece in _PIECES.finditer(text)]
        self._pieces = [tokens for piece in written if (tokens := self._tokens(piece))]
        if not self._pieces:
            raise UsageError(f"{text!r} has no word to search for.")

    def candidates(self, reader: Reader, path: Path, project: str, before: int) -> Sequence[int]:
        """Spans that have all the words, the latest first, with a lower number than `before`."""
        number = reader.name_id(project)
        database = _existing(search_path(path))
        if number is None or database is None:
            return []
        try:
            words = {_of_project(number), *(token for tokens in self._pieces for token in tokens)}
            match = " AND ".join(f'"{word}"' for word in sorted(words))
            return [cast(int, row[0]) for row in database.execute(_FIND, (match, before, CANDIDATES))]
        except apsw.Error as error:
            raise StoreError(f"{search_path(path)} could not be searched: {error}.") from error
        finally:
            database.close()

    def match(self, span: StoredSpan) -> bool:
        """Whether each piece stands in one of the span's texts as it was asked for."""
        texts = [self._tokens(span.input_text), self._tokens(span.output_text)]
        return all(any(_holds(text, piece) for text in texts) for piece in self._pieces)


def not_searchable(reader: Reader, path: Path) -> int:
    """Spans of the file that the index does not have yet."""
    database = _existing(search_path(path))
    if database is None:
        return reader.last_seq()
    try:
        return max(0, reader.last_seq() - cast("tuple[int, int]", database.execute(_MARK).fetchone())[0])
    finally:
        database.close()


def step(path: Path) -> bool:
    """Brings the index of a span file nearer to it; True when there may be more to do."""
    reader = Reader(path, 0)
    try:
        database = open_database(search_path(path), write=True)
        try:
            database.pragma("journal_mode", "wal")
            database.pragma("synchronous", "NORMAL")  # what a power loss takes is indexed again
            database.pragma("secure_delete", 1)
            if database.pragma("user_version") == 0:
                database.execute(_TABLES)
            with reader.snapshot():
                return _step(reader, database)
        finally:
            database.close()
    except apsw.Error as error:
        raise StoreError(f"{search_path(path)} could not be brought up to its spans: {error}.") from error
    finally:
        reader.close()


def _step(reader: Reader, database: Database) -> bool:
    seq, change = cast("tuple[int, int]", database.execute(_MARK).fetchone())
    fresh = reader.texts_after(seq, STEP_ROWS)
    changes = reader.changes_after(change)
    if not fresh and not changes:
        return False
    stale = sorted({number for _, number in changes if number <= seq})
    words = [
        (span.seq, f"{span.input_text}\n{span.output_text}\n{_of_project(span.project)}")
        for span in (*reader.texts_of(stale), *fresh)
        if span.input_text or span.output_text
    ]
    database.execute("BEGIN IMMEDIATE")
    database.executemany("DELETE FROM words WHERE rowid = ?", [(number,) for number in stale])
    database.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", words)
    marks = (fresh[-1].seq if fresh else seq, changes[-1][0] if changes else change)
    database.execute("UPDATE mark SET seq = ?, change = ?", marks)
    database.execute("COMMIT")
    return True


def compact(path: Path) -> None:
    """Words of removed spans leave the file: deleting leaves them where they are until parts of the index merge."""
    database = _existing(search_path(path), write=True)
    if database is None:
        return
    try:
        database.pragma("secure_delete", 1)
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
        truncate_log(database)
    except apsw.Error as error:
        raise StoreError(f"{search_path(path)} could not be compacted: {error}.") from error
    finally:
        database.close()


def _existing(path: Path, *, write: bool = False) -> Database | None:
    if not path.exists():
        return None
    database = open_database(path, write=write)
    if database.pragma("user_version") == 0:
        database.close()
        return None
    return database


def _of_project(number: int) -> str:
    """A word that all documents of a project have: others' documents are not even candidates."""
    return f"boxscoreproject{number}"


def _holds(text: Sequence[str], piece: Sequence[str]) -> bool:
    first, length = piece[0], len(piece)
    return any(word == first and text[at : at + length] == piece for at, word in enumerate(text))


def _tokenizer() -> Callable[[str], list[str]]:
    """Gives the words of a text as the index sees them. For one thread."""
    tokenizer = cast("Callable[..., list[str]]", apsw.Connection(":memory:").fts5_tokenizer("unicode61", []))

    def tokens(text: str) -> list[str]:
        how = apsw.FTS5_TOKENIZE_DOCUMENT
        return tokenizer(text.encode(), how, None, include_offsets=False, include_colocated=False)

    return tokens
