"""The `checks` scorer: every example brings its own scorers."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.registry import ScorerSpec, make_scorer
from boxscore.scoring.scorer import Metric, Score, Scorer, score_response
from boxscore.types import Json

__all__ = ["Checks"]

_KEYS = ("scorer", "reference", "at_least", "at_most", "not", "weight")


class _Check(NamedTuple):
    """`low` and `high` are the bounds, both included, within which the scorer's value passes."""

    scorer: Scorer
    reference: Json
    low: float
    high: float
    negated: bool
    weight: float


class Checks:
    """Passes when all the checks pass that stand in the example's `metadata.checks`: each example has its own.

    A check is a scorer as a spec writes it (`"json"`, `{"contains": ["Paris"]}`), or an object with `scorer` and any of
    `reference` (in place of the example's), `at_least`, `at_most` (bounds of the value; default: a scorer passes at its
    good end), `not` (turns it round) and `weight` (default 1; at 0 it cannot fail the example). With
    `metadata.checks_threshold` the example passes when the weighted share of checks that pass reaches it.

    An example without checks has no value, and so has one where a check that would decide had nothing to say.

    Lies by hiding: one number says that something failed, not what. Read the notes of the examples that got worse.
    """

    def __init__(self, *, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, _Check] = {}
        self.spec: str = "checks"
        self.metric: Metric = Metric(name="checks")

    def score(self, example: Example, response: Response) -> Score:
        checks = self._checks(example)
        if not checks:
            return Score(value=None, label="no checks")
        results = [self._passed(check, example, response) for check in checks]
        passed = [result for result, _ in results]
        label = f"{passed.count(True)} of {len(passed)}"
        note = "; ".join(note for _, note in results)
        threshold = example.metadata.get("checks_threshold")
        if threshold is None:
            deciding = [one for one, check in zip(passed, checks, strict=True) if check.weight > 0]
            value = 0.0 if False in deciding else None if None in deciding else 1.0
            return Score(value=value, label=label, note=note)
        if isinstance(threshold, bool) or not isinstance(threshold, int | float):
            raise ScorerError("checks", "metadata.checks_threshold must be a number", example_id=example.id)
        total = sum(check.weight for check in checks)
        if None in passed:
            return Score(value=None, label=label, note=note)
        share = sum(check.weight for check, one in zip(checks, passed, strict=True) if one) / (total or 1.0)
        return Score(value=float(share >= threshold - 1e-12), label=label, note=note)

    def _passed(self, check: _Check, example: Example, response: Response) -> tuple[bool | None, str]:
        if check.reference is not None:
            example = msgspec.structs.replace(example, reference=check.reference)
        score = score_response(check.scorer, example, response)
        name = f"not {check.scorer.metric.name}" if check.negated else check.scorer.metric.name
        if score.value is None:
            return None, f"{name}: ?"
        passed = (check.low <= score.value <= check.high) is not check.negated
        label = f" ({score.label})" if score.label else ""
        return passed, f"{name}: {'pass' if passed else 'fail'}{label}"

    def _checks(self, example: Example) -> list[_Check]:
        listed: Json = example.metadata.get("checks")
        if listed is None:
            return []
        if not isinstance(listed, list):
            raise ScorerError("checks", "metadata.checks must be a list of scorers", example_id=example.id)
        return [self._check(item, example.id) for item in cast("Sequence[Json]", listed)]

    def _check(self, item: Json, example_id: str) -> _Check:
        key = json.dumps(item, sort_keys=True, ensure_ascii=False)
        if key not in self._known:
            self._known[key] = self._read(item, example_id)
        return self._known[key]

    def _read(self, item: Json, example_id: str) -> _Check:
        whole = isinstance(item, dict) and "scorer" in item
        fields: Mapping[str, Json] = cast("Mapping[str, Json]", item) if whole else {"scorer": item}
        unknown = [key for key in fields if key not in _KEYS]
        if unknown:
            problem = f"a check has no key {unknown[0]!r}; known are {', '.join(_KEYS)}"
            raise ScorerError("checks", problem, example_id=example_id)
        negated: Json = fields.get("not", False)
        if not isinstance(negated, bool):
            raise ScorerError("checks", f"not must be true or false, and is {negated!r}", example_id=example_id)
        scorer = make_scorer(cast("ScorerSpec", fields["scorer"]), folder=self._folder)
        if isinstance(scorer, Checks):
            raise ScorerError("checks", "a check cannot be 'checks' itself: list its scorers", example_id=example_id)
        low, high = _bound(fields, "at_least", example_id), _bound(fields, "at_most", example_id)
        if low is None and high is None:
            if scorer.metric.kind == "amount":
                problem = f"{scorer.spec!r} gives an amount: say with at_least or at_most what passes"
                raise ScorerError("checks", problem, example_id=example_id)
            low, high = (1.0, None) if scorer.metric.better == "higher" else (None, 0.0)
        weight = _bound(fields, "weight", example_id)
        if weight is not None and weight < 0:
            raise ScorerError("checks", f"a weight is 0 or more, not {weight:g}", example_id=example_id)
        return _Check(
            scorer=scorer,
            reference=fields.get("reference"),
            low=-math.inf if low is None else low,
            high=math.inf if high is None else high,
            negated=negated,
            weight=1.0 if weight is None else weight,
        )


def _bound(fields: Mapping[str, Json], key: str, example_id: str) -> float | None:
    value: Json = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScorerError("checks", f"{key} must be a number, not {value!r}", example_id=example_id)
    return float(value)
