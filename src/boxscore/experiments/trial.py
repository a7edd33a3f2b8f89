"""Run, trial: a variant over a dataset version, one example at a time."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import NothingAnsweredError
from boxscore.providers.response import Response
from boxscore.scoring.scorer import Metric, Score


class VariantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who answered. `hash` is the identity: same hash, same behaviour as far as we control it. `model` as asked for."""

    name: str
    hash: str
    model: str | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One example, once. `scores` by metric name; a response with an error has no scores and counts as a failure.

    `reused`: another run had paid for the response.
    """

    example_id: str
    repeat: int = 0
    response: Response
    scores: dict[str, Score] = {}
    reused: bool = False


def failures(trials: Iterable[Trial]) -> str:
    """Kinds of errors, the most frequent first: "9 rate_limit, 3 timeout"."""
    kinds = Counter(trial.response.error.kind for trial in trials if trial.response.error is not None)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A variant over a dataset version. `metrics` in the order of the spec; the first is the primary one.

    `spent_usd` is the exact sum of what this run itself paid, as far as prices are known; None for recordings.
    """

    id: str
    variant: VariantInfo
    dataset_name: str
    dataset_version: str
    examples: tuple[Example, ...]
    metrics: tuple[Metric, ...]
    trials: tuple[Trial, ...]
    scorer_specs: tuple[str, ...] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None
    spent_usd: Decimal | None = None


def check_answered(run: Run) -> None:
    """`NothingAnsweredError` for a run of nothing but errors, which says nothing of the variant's quality."""
    errors = [trial.response.error for trial in run.trials if trial.response.error is not None]
    if not errors or len(errors) < len(run.trials):
        return
    told = [error for error in errors if error.kind != "not_sent"] or errors
    [(kind, _)] = Counter(error.kind for error in told).most_common(1)
    said = next(error.message for error in told if error.kind == kind)
    raise NothingAnsweredError(run.variant.name, model=run.variant.model, trials=len(run.trials), kind=kind, said=said)
