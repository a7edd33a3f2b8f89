"""Scoring one response by several scorers, with the checks that every score must pass."""

from collections.abc import Iterable, Sequence

from boxscore.datasets.example import Example
from boxscore.errors import BoxscoreError, MissingReferenceError, ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.scorer import Score, Scorer, score_response


def score(scorers: Sequence[Scorer], example: Example, response: Response) -> dict[str, Score]:
    """Scores by metric name; none for a response that is an error.

    A scorer that raises, or gives what is no finite number or lies outside its metric's range, is a `ScorerError` that
    names the example.
    """
    if response.error is not None:
        return {}
    return {scorer.metric.name: _one(scorer, example, response) for scorer in scorers}


def check_references(scorers: Sequence[Scorer], examples: Iterable[Example]) -> None:
    """Raises `MissingReferenceError` before anything is paid. A scorer is pure, so it may be asked about no answer."""
    blank = Response()
    for example in examples:
        for scorer in scorers:
            try:
                scorer.score(example, blank)
            except MissingReferenceError:
                raise
            except Exception:  # noqa: BLE001, S112 - what it makes of a blank answer is of no interest here
                continue


def _one(scorer: Scorer, example: Example, response: Response) -> Score:
    try:
        return score_response(scorer, example, response)
    except BoxscoreError:
        raise
    except Exception as error:
        raise ScorerError(scorer.spec, f"it raised {type(error).__name__}: {error}", example_id=example.id) from error
