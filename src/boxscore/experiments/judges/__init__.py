"""Judges: scorers that ask a model, or anything else that answers a question."""

from boxscore.experiments.judges.judge import Judge

__all__ = ["Judge"]
