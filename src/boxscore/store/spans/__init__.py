"""Spans: every call of the application, kept and found again."""

from boxscore.store.spans.rows import SpanRow

__all__ = ["SpanRow"]
