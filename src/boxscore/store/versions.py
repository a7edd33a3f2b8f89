"""Schema versions of the stores of a home."""

from pathlib import Path

import msgspec

from boxscore.store.migrations import REVISIONS
from boxscore.store.records import database as records
from boxscore.store.spans import SqliteSpans, schema, scores
from boxscore.store.spans.files import FOLDER, segment_paths


class StoreVersion(msgspec.Struct, frozen=True):
    """A database, the schema that it has and the newest that this program knows."""

    path: str
    found: str
    newest: str


def versions(home: Path) -> list[StoreVersion]:
    """Of all that is there. A newer one than ours is a `StoreError`."""
    found: list[StoreVersion] = []
    if (path := home / records.FILE).exists():
        found.append(StoreVersion(str(path), records.revision(path) or "none", REVISIONS[-1]))
    of_spans = [(path, schema.connect, schema.VERSION) for _, path in segment_paths(home / FOLDER)]
    if (path := home / FOLDER / scores.FILE).exists():
        of_spans.append((path, scores.connect, scores.VERSION))
    for path, connect, newest in of_spans:
        database = connect(path, write=False)
        try:
            found.append(StoreVersion(str(path), str(database.pragma("user_version")), str(newest)))
        finally:
            database.close()
    return found


def migrate(home: Path) -> None:
    """Opens each for writing, which brings it up. A `StoreError` where another process has it."""
    if (home / records.FILE).exists():
        records.prepare(home / records.FILE)
    if segment_paths(home / FOLDER):
        SqliteSpans(home).close()
