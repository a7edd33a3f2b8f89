"""Words of spans, indexed behind the write, each index in a file beside its span file.

One document per span with new text, found by the span's order of arrival. The index knows where a document has a word:
without that it is half the size, and a page of a phrase of frequent words looks into hundreds of texts. Parts of words
are looked up in a list of the words, by their trigrams. The files can be deleted at any time; they are made again.
"""

import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import apsw

from boxscore.errors import QueryTooLargeError, StoreError, UsageError
from boxscore.store.spans.database import Database, open_database, truncate_log
from boxscore.store.spans.reader import Reader
from boxscore.store.spans.store import StoredSpan

STEP_ROWS = 4_000
TERM = 64
"""Of longer words only so much is in the list that parts of words are looked up in. Words with digits are not in it:
numbers and ids never end."""
TERMS = 500
"""A part of more words than these is no use."""
KNOWN = 100_000
"""Words of the text whose terms are known to be in the list: a step remembers so many."""

_TABLES = """
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS mark;
DROP TABLE IF EXISTS words;
DROP TABLE IF EXISTS terms;
DROP TABLE IF EXISTS trigrams;
DROP TABLE IF EXISTS made;
CREATE TABLE mark(seq INTEGER NOT NULL, change INTEGER NOT NULL) STRICT;
INSERT INTO mark VALUES (0, 0);
CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize='unicode61');
INSERT INTO words(words, rank) VALUES ('automerge', 8);
CREATE TABLE terms(id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE) STRICT;
CREATE VIRTUAL TABLE trigrams USING fts5(term, content='', contentless_delete=1, detail=none, tokenize='trigram');
CREATE TABLE made(id BLOB NOT NULL) STRICT;
INSERT INTO made VALUES (randomblob(16));
PRAGMA user_version = 3;
COMMIT
"""
_VERSION = 3
_FORGET = "DELETE FROM terms; DELETE FROM trigrams; UPDATE made SET id = randomblob(16)"
_ADD_TERM = "INSERT INTO terms(term) VALUES (?) ON CONFLICT DO NOTHING RETURNING id"
_ADD_TRIGRAMS = "INSERT INTO trigrams(rowid, term) VALUES (?, ?)"
_TERMS = """
SELECT term FROM terms WHERE id IN (SELECT rowid FROM trigrams WHERE trigrams MATCH ?) AND instr(term, ?)
AND (? OR substr(term, 1, length(?2)) = ?2) AND (? OR substr(term, -length(?2)) = ?2) LIMIT ?
"""
_MARK = "SELECT seq, change FROM mark"
_FIND = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
_DIGIT = re.compile(r"\d")
_PIECES = re.compile(r'"([^"]*)"|([^\s"]+)')


def search_path(path: Path) -> Path:
    return path.with_suffix(".search")


class Piece(NamedTuple):
    """Words side by side, or one word, which may go on before it or after it."""

    words: Sequence[str]
    before: bool = False
    after: bool = False

    def pattern(self) -> re.Pattern[str]:
        """Finds it in lower case ASCII, four times as fast as by the words of a text."""
        start, end = "" if self.before else "(?<![a-z0-9])", "" if self.after else "(?![a-z0-9])"
        return re.compile(start + "[^a-z0-9]+".join(self.words) + end)

    def stands_in(self, text: Sequence[str]) -> bool:
        if self.before or self.after:
            part = self.words[0]
            return any(
                part in word and (self.before or word.startswith(part)) and (self.after or word.endswith(part))
                for word in text
            )
        first, length = self.words[0], len(self.words)
        return any(word == first and text[at : at + length] == self.words for at, word in enumerate(text))


class Words:
    """What is searched for: every piece."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokenizer()
        self._pieces = [piece for found in _PIECES.finditer(text) if (piece := self._piece(found)) is not None]
        if not self._pieces:
            raise UsageError(f"{text!r} has no word to search for.")
        plain = all(word.isascii() for piece in self._pieces for word in piece.words)
        self._plain = [piece.pattern() for piece in self._pieces] if plain else None

    def _piece(self, found: re.Match[str]) -> Piece | None:
        written = found[2] or ""
        words = self._tokens(found[1] or written)
        before, after = written.startswith("*"), written.endswith("*")
        if len(words) != 1 or not (before or after):
            return Piece(words) if words else None
        if before and len(words[0]) < 3:
            raise UsageError(f"{written!r} is too short: write three characters or more of a part of a word.")
        return Piece(words, before, after)

    def candidates(self, reader: Reader, path: Path, project: str, before: int, limit: int) -> Sequence[int]:
        """The latest spans that have all the words and phrases, with a lower number than `before`; a phrase may begin
        in the input and end in the output."""
        number = reader.name_id(project)
        database = _existing(search_path(path))
        if number is None or database is None:
            return []
        try:
            parts = [f'"{_of_project(number)}"', *(_asked(database, piece) for piece in self._pieces)]
            found = database.execute(_FIND, (" AND ".join(parts), before, limit))
            return [cast(int, row[0]) for row in found]
        except apsw.Error as error:
            raise StoreError(f"{search_path(path)} could not be searched: {error}.") from error
        finally:
            database.close()

    def match(self, span: StoredSpan) -> bool:
        """Whether each piece stands in one of the span's texts as it was asked for."""
        written = (span.input_text, span.output_text)
        if self._plain is not None and all(text.isascii() for text in written):
            lower = [text.lower() for text in written]
            return all(any(piece.search(text) for text in lower) for piece in self._plain)
        texts = [self._tokens(text) for text in written]
        return all(any(piece.stands_in(text) for text in texts) for piece in self._pieces)


def _asked(database: Database, piece: Piece) -> str:
    """The piece as the index is asked for it; other words than its own where it is part of them."""
    if not piece.before:
        return f'"{" ".join(piece.words)}"' + ("*" if piece.after else "")
    part = piece.words[0]
    trigrams = " AND ".join(f'"{part[at : at + 3]}"' for at in range(len(part) - 2))
    found = database.execute(_TERMS, (trigrams, part, piece.before, piece.after, TERMS + 1)).fetchall()
    if len(found) > TERMS:
        raise QueryTooLargeError(f"{part!r} is part of more than {TERMS} words: write more of it.")
    words = [part, *(cast(str, row[0]) for row in found)]
    return "(" + " OR ".join(f'"{word}"*' if len(word) == TERM else f'"{word}"' for word in words) + ")"


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
            if database.pragma("user_version") != _VERSION:
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
    changes = reader.changes_after(change, told=True)
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
    _list_terms(database, [text for _, text in words])
    marks = (fresh[-1].seq if fresh else seq, changes[-1][0] if changes else change)
    database.execute("UPDATE mark SET seq = ?, change = ?", marks)
    database.execute("COMMIT")
    return True


class _Known:
    """Words that one index is known to have, of the one that was written to last."""

    def __init__(self) -> None:
        self.made = b""
        self.words: set[str] = set()


_known = threading.local()


def _list_terms(database: Database, texts: Sequence[str]) -> None:
    """Adds the terms of texts to the list. Most of their words were there before: those are not looked up again."""
    made = cast(bytes, database.execute("SELECT id FROM made").get)
    known = cast(_Known, getattr(_known, "of", None) or _Known())
    if known.made != made or len(known.words) > KNOWN:
        known.made, known.words = made, set()
    _known.of = known
    new: set[str] = set()
    for text in texts:
        new.update(text.split())
    new -= known.words
    tokens = _tokenizer()
    for term in {token[:TERM] for token in tokens(" ".join(new)) if not _DIGIT.search(token)}:
        if (number := database.execute(_ADD_TERM, (term,)).get) is not None:
            database.execute(_ADD_TRIGRAMS, (cast(int, number), term))
    known.words |= new


def compact(path: Path) -> None:
    """Words of removed spans leave the file: deleting leaves them where they are until parts of the index merge."""
    database = _existing(search_path(path), write=True)
    if database is None:
        return
    try:
        database.pragma("secure_delete", 1)
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
        database.execute("BEGIN IMMEDIATE")
        database.execute(_FORGET)
        database.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, row)")
        terms = {cast(str, row[0])[:TERM] for row in database.execute("SELECT term FROM temp.vocabulary")}
        for term in terms:
            if not _DIGIT.search(term):
                number = cast(int, database.execute(_ADD_TERM, (term,)).get)
                database.execute(_ADD_TRIGRAMS, (number, term))
        database.execute("COMMIT")
        database.execute("INSERT INTO trigrams(trigrams) VALUES ('optimize')")
        truncate_log(database)
    except apsw.Error as error:
        raise StoreError(f"{search_path(path)} could not be compacted: {error}.") from error
    finally:
        database.close()


def _existing(path: Path, *, write: bool = False) -> Database | None:
    if not path.exists():
        return None
    database = open_database(path, write=write)
    if database.pragma("user_version") != _VERSION:
        database.close()
        return None
    return database


def _of_project(number: int) -> str:
    """A word that all documents of a project have: others' documents are not even candidates."""
    return f"boxscoreproject{number}"


def _tokenizer() -> Callable[[str], list[str]]:
    """Gives the words of a text as the index sees them. For one thread."""
    tokenizer = cast("Callable[..., list[str]]", apsw.Connection(":memory:").fts5_tokenizer("unicode61", []))

    def tokens(text: str) -> list[str]:
        how = apsw.FTS5_TOKENIZE_DOCUMENT
        return tokenizer(text.encode(), how, None, include_offsets=False, include_colocated=False)

    return tokens
