"""Scoring: what a scorer is, and how one is found and made."""

from boxscore.scoring.registry import ScorerInfo, ScorerSpec, known_scorers, list_scorers, make_scorer, make_scorers
from boxscore.scoring.scorer import Metric, Score, Scorer, score_response

__all__ = [
    "Metric",
    "Score",
    "Scorer",
    "ScorerInfo",
    "ScorerSpec",
    "known_scorers",
    "list_scorers",
    "make_scorer",
    "make_scorers",
    "score_response",
]
