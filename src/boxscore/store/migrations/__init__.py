"""Schema migrations of the records store: SQL files, applied in the order of their numbers. A released one is never
edited. What they may say on SQLite and PostgreSQL alike is what `records/schema.sql` may."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""All revisions this program knows, oldest first; the last is what it works with."""
