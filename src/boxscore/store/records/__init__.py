"""The records store: runs, responses, trials, scores and verdicts, in an SQLite file or on PostgreSQL."""

from boxscore.store.records.records import Records
from boxscore.store.records.rows import (
    ExampleRow,
    ResponseRow,
    RunRow,
    ScoreRow,
    Totals,
    TrialRow,
    VariantRow,
    VerdictRow,
)

__all__ = [
    "ExampleRow",
    "Records",
    "ResponseRow",
    "RunRow",
    "ScoreRow",
    "Totals",
    "TrialRow",
    "VariantRow",
    "VerdictRow",
]
