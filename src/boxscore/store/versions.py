"""Schema versions of the stores of a home."""

from pathlib import Path

import msgspec

from boxscore.store.migrations import REVISIONS
from boxscore.store.records import database as records
from boxscore.store.records.records import open_database
from boxscore.store.spans import SqliteSpans, schema, scores
from boxscore.store.spans.files import FOLDER, segment_paths


class StoreVersion(msgspec.Struct, frozen=True):
    """A database, the schema that it has and the newest that this program knows."""

    path: str
    found: str
    newest: str


def versions(home: Path, records_url: str | None = None) -> list[StoreVersion]:
    """Of all that is there, with the records at `records_url` where they are not in the home. A newer one than ours is
    a `StoreError`."""
    found: list[StoreVersion] = []
    if records_url is not None:
        from boxscore.store.records import postgres

        found.append(
            StoreVersion(postgres.name_of(records_url), postgres.revision(records_url) or "none", REVISIONS[-1])
        )
    elif (path := home / records.FILE).exists():
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


def migrate(home: Path, records_url: str | None = None) -> None:
    """Opens each for writing, which brings it up. A `StoreError` where another process has it."""
    if records_url is not None or (home / records.FILE).exists():
        open_database(home, records_url).close()
    if segment_paths(home / FOLDER):
        SqliteSpans(home).close()
