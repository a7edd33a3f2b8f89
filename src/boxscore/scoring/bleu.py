"""BLEU and chrF of one answer, by sacrebleu (extra `bleu`)."""

from typing import Protocol, cast

from boxscore.datasets.example import Example
from boxscore.errors import ExtraMissingError
from boxscore.providers.response import Response
from boxscore.scoring.references import reference_texts
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Bleu", "ChrF"]


class _Result(Protocol):
    score: float


class _Sentence(Protocol):
    def sentence_score(self, hypothesis: str, references: list[str]) -> _Result: ...


class Bleu:
    """BLEU of the answer against the reference, per answer, as sacrebleu computes it (13a tokens, up to 4-grams,
    exponential smoothing, effective order), divided by 100.

    A list as reference is several references. Source: Papineni et al. 2002; Post 2018.

    Lies on single sentences: it was made for a whole corpus, and the mean of sentence scores is not corpus BLEU. A
    right answer in other words scores near 0. Languages without spaces need their own tokens; use `chrf`.
    """

    def __init__(self) -> None:
        try:
            from sacrebleu.metrics.bleu import BLEU
        except ImportError:
            raise ExtraMissingError("scorer 'bleu'", "bleu") from None
        self._sentence = cast(_Sentence, BLEU(effective_order=True))
        self.spec: str = "bleu"
        self.metric: Metric = Metric(name="bleu", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        references = list(reference_texts("bleu", example))
        return Score(value=min(1.0, self._sentence.sentence_score(response.output, references).score / 100))


class ChrF:
    """chrF2 of the answer against the reference, as sacrebleu computes it (character 1- to 6-grams, recall counts
    twice), divided by 100. A list as reference: the best one.

    Kinder than BLEU to inflection and to languages without spaces. Source: Popović 2015.

    Lies about meaning: two texts about one subject share many characters, so that a wrong answer gets 0.3 easily.
    """

    def __init__(self) -> None:
        try:
            from sacrebleu.metrics.chrf import CHRF
        except ImportError:
            raise ExtraMissingError("scorer 'chrf'", "bleu") from None
        self._sentence = cast(_Sentence, CHRF())
        self.spec: str = "chrf"
        self.metric: Metric = Metric(name="chrf", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        references = list(reference_texts("chrf", example))
        return Score(value=min(1.0, self._sentence.sentence_score(response.output, references).score / 100))
