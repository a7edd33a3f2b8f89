"""Schema migrations of the records store, applied in this order. A released one is never edited."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""All revisions this program knows, oldest first; the last is what it works with."""
