"""Scorers made of scorers: all, any, weighted."""

import math
from collections.abc import Sequence
from pathlib import Path

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.registry import ScorerSpec, make_scorer
from boxscore.scoring.scorer import Metric, Score, Scorer

__all__ = ["AllOf", "AnyOf", "Weighted"]


def _members(name: str, specs: Sequence[ScorerSpec], folder: Path | None) -> tuple[Scorer, ...]:
    members = tuple(make_scorer(spec, folder=folder) for spec in specs)
    if not members:
        raise ScorerError(name, 'needs at least one scorer: all:json,"choice:yes,no"')
    for member in members:
        if member.metric.kind == "amount":
            raise ScorerError(
                name, f"{member.spec!r} gives an amount, and only scorers between 0 and 1 can be put together"
            )
    return members


def _goodness(member: Scorer, score: Score) -> float | None:
    """The score with 1 as the good end."""
    if score.value is None:
        return None
    return score.value if member.metric.better == "higher" else 1.0 - score.value


class _Joined:
    name = ""

    def __init__(self, *scorers: ScorerSpec, at: float = 1.0, folder: Path | None = None) -> None:
        if not 0 < at <= 1:
            raise ScorerError(self.name, f"argument 'at' cannot be {at:g}: it takes a number above 0, up to 1")
        self._members = _members(self.name, scorers, folder)
        self._at = at
        self.spec: str = format_spec(
            self.name, [member.spec for member in self._members], {"at": None if at == 1.0 else at}
        )
        self.metric: Metric = Metric(name=self.name)

    def _passed(self, example: Example, response: Response) -> tuple[list[bool | None], str]:
        passed: list[bool | None] = []
        notes: list[str] = []
        for member in self._members:
            score = member.score(example, response)
            good = _goodness(member, score)
            passed.append(None if good is None else good >= self._at)
            word = "?" if good is None else "pass" if good >= self._at else "fail"
            label = f" ({score.label})" if score.label else ""
            notes.append(f"{member.metric.name}: {word}{label}")
        return passed, "; ".join(notes)


class AllOf(_Joined):
    """Passes when every one of its scorers passes: `all:json,"choice:yes,no"`.

    A scorer passes at 1 (at 0 where lower is better, as with `refusal`); `at=0.8` lets scorers between 0 and 1 pass
    from there. Arguments are scorers in their string form, quoted where they hold a comma; in a spec file a list. Where
    one had nothing to say (None) and none failed, there is no value.

    Lies when one scorer is much stricter than the rest: look at each of them before you trust the conjunction.
    """

    name = "all"

    def score(self, example: Example, response: Response) -> Score:
        passed, note = self._passed(example, response)
        value = 0.0 if False in passed else None if None in passed else 1.0
        return Score(value=value, label=f"{passed.count(True)} of {len(passed)}", note=note)


class AnyOf(_Joined):
    """Passes when at least one of its scorers passes: `any:exact,"number:tolerance=0.01"`.

    Passing and arguments are as in `all`. Where one had nothing to say and none passed, there is no value.

    Lies when one scorer is lenient: it decides alone.
    """

    name = "any"

    def score(self, example: Example, response: Response) -> Score:
        passed, note = self._passed(example, response)
        value = 1.0 if True in passed else None if None in passed else 0.0
        return Score(value=value, label=f"{passed.count(True)} of {len(passed)}", note=note)


class Weighted:
    """The weighted mean of its scorers, each with 1 as the good end: `weighted:json,"choice:yes,no",weights="1,3"`.

    Weights are positive, in the order of the scorers; left out, all count the same. Where a scorer had nothing to say
    there is no value.

    Lies by nature: one number hides which part moved, and the weights are an opinion. Report the parts beside it.
    """

    def __init__(self, *scorers: ScorerSpec, weights: tuple[float, ...] = (), folder: Path | None = None) -> None:
        self._members = _members("weighted", scorers, folder)
        if weights and len(weights) != len(self._members):
            raise ScorerError("weighted", f"has {len(self._members)} scorers and {len(weights)} weights")
        self._weights = weights or (1.0,) * len(self._members)
        if any(not math.isfinite(weight) or weight <= 0 for weight in self._weights):
            raise ScorerError("weighted", "weights are numbers above 0")
        self.spec: str = format_spec(
            "weighted", [member.spec for member in self._members], {"weights": list(weights) or None}
        )
        self.metric: Metric = Metric(name="weighted", kind="mean")

    def score(self, example: Example, response: Response) -> Score:
        total = 0.0
        missing = False
        notes: list[str] = []
        for member, weight in zip(self._members, self._weights, strict=True):
            good = _goodness(member, member.score(example, response))
            if good is None:
                missing = True
            else:
                total += weight * good
            notes.append(f"{member.metric.name}: {'?' if good is None else f'{good:.2f}'}")
        value = None if missing else min(1.0, total / math.fsum(self._weights))
        return Score(value=value, note="; ".join(notes))
