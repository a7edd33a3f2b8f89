"""Spans: every call of the application, kept and found again."""

from boxscore.store.spans.filters import Condition, Filter, parse_condition
from boxscore.store.spans.measures import Group, Measure, parse_measure
from boxscore.store.spans.merge import merge
from boxscore.store.spans.rows import SpanRow
from boxscore.store.spans.scores import Score
from boxscore.store.spans.sqlite import SqliteSpans
from boxscore.store.spans.store import (
    Arrivals,
    Bin,
    Counts,
    Facet,
    Hits,
    Marks,
    Page,
    Point,
    Series,
    SessionSummary,
    SpanReader,
    SpanStore,
    StoredSpan,
    TraceSummary,
)

__all__ = [
    "Arrivals",
    "Bin",
    "Condition",
    "Counts",
    "Facet",
    "Filter",
    "Group",
    "Hits",
    "Marks",
    "Measure",
    "Page",
    "Point",
    "Score",
    "Series",
    "SessionSummary",
    "SpanReader",
    "SpanRow",
    "SpanStore",
    "SqliteSpans",
    "StoredSpan",
    "TraceSummary",
    "merge",
    "parse_condition",
    "parse_measure",
]
