"""An example plug-in: one scorer that counts how many sentences are short enough to read."""

import re

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring import Metric, Score

__all__ = ["Readability"]


class Readability:
    """The share of sentences that have at most `max_words=` words (default 20).

    Lies about sense: short sentences can be nonsense, and a list without full stops is one long sentence.
    """

    def __init__(self, *, max_words: int = 20) -> None:
        if max_words < 1:
            raise ScorerError("readability", f"argument 'max_words' cannot be {max_words}: it takes a number from 1 up")
        self._max_words = max_words
        # The spec makes the same scorer again: defaults are left out, so that it stays short in reports.
        self.spec: str = "readability" if max_words == 20 else f"readability:max_words={max_words}"
        self.metric: Metric = Metric(name="readability", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        sentences = [part for part in re.split(r"[.!?]+\s+|\n+", response.output) if part.strip()]
        if not sentences:
            return Score(value=0.0, label="empty")
        short = sum(1 for sentence in sentences if len(sentence.split()) <= self._max_words)
        return Score(value=short / len(sentences), label=f"{short} of {len(sentences)} sentences are short")
