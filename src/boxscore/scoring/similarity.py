"""Scorers of closeness to a reference text: edit similarity, token F1, ROUGE-L."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Literal

from rapidfuzz.distance import Indel, LCSseq, Levenshtein

from boxscore.datasets.example import Example
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.references import reference_texts
from boxscore.scoring.scorer import Metric, Score

__all__ = ["EditSimilarity", "RougeL", "TokenF1", "tokens"]

# Scripts that do not set words apart count by character.
_TOKEN = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’][^\W_]+)*")


def tokens(text: str) -> list[str]:
    """Words in lower case without punctuation; each character of Chinese, Japanese, Korean and Thai."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())


def _best(scorer: str, example: Example, measure: Callable[[str], float]) -> float:
    return max(measure(text) for text in reference_texts(scorer, example))


class EditSimilarity:
    """How little must be edited to turn the answer into the reference: 1 is equal, 0 nothing in common.

    `1 − distance / length of the longer`, with Levenshtein's distance over characters (`by=chars`, default) or over
    words (`by=words`); blanks at the ends do not count. `case=ignore` folds case. Of several references the nearest.

    Lies about meaning: "not guilty" is near "guilty", and a right answer in other words is far.
    """

    def __init__(self, *, by: Literal["chars", "words"] = "chars", case: Literal["keep", "ignore"] = "keep") -> None:
        self._by, self._case = by, case
        options = {"by": None if by == "chars" else by, "case": None if case == "keep" else case}
        self.spec: str = format_spec("edit_similarity", options=options)
        self.metric: Metric = Metric(name="edit_similarity", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        answer = self._parts(response.output)
        value = _best(
            "edit_similarity", example, lambda text: Levenshtein.normalized_similarity(answer, self._parts(text))
        )
        return Score(value=value)

    def _parts(self, text: str) -> str | list[str]:
        text = unicodedata.normalize("NFC", text.strip())
        if self._case == "ignore":
            text = text.casefold()
        return text if self._by == "chars" else text.split()


class TokenF1:
    """Overlap of the answer's words with the reference's: the harmonic mean of precision and recall, as in SQuAD.

    Words in lower case without punctuation, counted as often as they occur; `articles=drop` leaves out a, an, the, as
    SQuAD's script does. Of several references the best. No words on both sides is 1, on one side 0.
    Source: Rajpurkar et al. 2016.

    Lies about order and negation ("dog bites man" equals "man bites dog"), and punishes a long right answer.
    """

    def __init__(self, *, articles: Literal["keep", "drop"] = "keep") -> None:
        self._articles = articles
        self.spec: str = format_spec("token_f1", options={"articles": None if articles == "keep" else articles})
        self.metric: Metric = Metric(name="token_f1", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        answer = Counter(self._tokens(response.output))
        return Score(value=_best("token_f1", example, lambda text: _f1_of_bags(answer, Counter(self._tokens(text)))))

    def _tokens(self, text: str) -> list[str]:
        found = tokens(text)
        return [token for token in found if token not in ("a", "an", "the")] if self._articles == "drop" else found


def _f1_of_bags(answer: Counter[str], wanted: Counter[str]) -> float:
    shared = (answer & wanted).total()
    total = answer.total() + wanted.total()
    return 2 * shared / total if total else 1.0


class RougeL:
    """Longest common subsequence of words, as F1: words of the reference that the answer has in the same order.

    Words in lower case without punctuation, no stemming; the whole text is one sequence (ROUGE-L, not ROUGE-Lsum).
    Of several references the best. Source: Lin 2004, with beta 1.

    Lies about meaning like all word overlap; it favours answers of the reference's length and style, and cannot see a
    wrong name or number in a long summary.
    """

    def __init__(self) -> None:
        self.spec: str = "rouge_l"
        self.metric: Metric = Metric(name="rouge_l", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        answer = tokens(response.output)
        return Score(value=_best("rouge_l", example, lambda text: _f1_of_sequences(answer, tokens(text))))


def _f1_of_sequences(answer: list[str], wanted: list[str]) -> float:
    total = len(answer) + len(wanted)
    if not total:
        return 1.0
    # Indel's similarity is 2 · LCS / total, which is the F1 of precision LCS/answer and recall LCS/wanted.
    return (
        Indel.normalized_similarity(answer, wanted) if total < 20_000 else 2 * LCSseq.similarity(answer, wanted) / total
    )
