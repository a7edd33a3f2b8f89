"""What a scorer is: one metric, and a way to score one response to one example."""

import math
from typing import Literal, Protocol, runtime_checkable

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer measures.

    `kind`: "rate" is 0 or 1 per example and shown as percent; "mean" a number between 0 and 1, shown as percent too;
    "amount" any number, shown in its `unit`. `better` says which direction is better. `judge` names the judge whose
    word it is, None where it is measured. A `pairwise` one is the share of preference for the candidate over the
    baseline; the baseline's own is the rest of it.
    """

    name: str
    kind: Literal["rate", "mean", "amount"] = "rate"
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
    judge: str | None = None
    pairwise: bool = False


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One scorer's word on one response.

    `value` is None where the scorer has nothing to say (latency that was not recorded). `label` is what was read in
    the answer ("yes", "42", "2 of 3 rules"), `note` why the value is what it is; both are for people.
    """

    value: float | None
    label: str | None = None
    note: str | None = None


@runtime_checkable
class Scorer(Protocol):
    """The one door for scorers, ours and a plug-in's.

    `spec` is the scorer's name with its arguments as one would type them (`choice:yes,no,pick=listed`), so that a run
    can be scored again from its record. `score` must be a pure function of its two arguments: no clock, no network.
    """

    @property
    def spec(self) -> str: ...

    @property
    def metric(self) -> Metric: ...

    def score(self, example: Example, response: Response) -> Score: ...


def score_response(scorer: Scorer, example: Example, response: Response) -> Score:
    """The scorer's score, checked: a value that is no number, or lies outside of what its metric's kind allows, is a
    ScorerError that names scorer and example. Anyone may write a scorer, and one NaN would spoil every mean above it.
    """
    score = scorer.score(example, response)
    wrong = None if score.value is None else problem_of(scorer.metric, score.value)
    if wrong is not None:
        raise ScorerError(scorer.spec, f"gave {wrong}", example_id=example.id)
    return score


def problem_of(metric: Metric, value: float) -> str | None:
    """What is wrong with a value of this metric, if anything is: `7, and a rate is 0 or 1`."""
    if not math.isfinite(value):
        return f"{value}, which is no number that can be averaged"
    if metric.kind == "rate" and value not in (0, 1):
        return f"{value:g}, and a rate is 0 or 1"
    if metric.kind == "mean" and not 0 <= value <= 1:
        return f"{value:g}, and a mean lies between 0 and 1"
    return None
