"""Questions: what the answers of some runs put to a judge, and the scores that its verdicts make."""

from collections.abc import Iterator, Sequence

import msgspec

from boxscore.datasets.dataset import Dataset, version_of
from boxscore.datasets.example import Example
from boxscore.experiments.identity import question_hash
from boxscore.experiments.judges.bias import Order, order
from boxscore.experiments.judges.form import Finding
from boxscore.experiments.judges.judge import Judge
from boxscore.experiments.judges.scale import UnreadableError
from boxscore.experiments.judges.variant import said
from boxscore.experiments.trial import Run, Trial
from boxscore.scoring.scorer import Score
from boxscore.types import Json

Key = tuple[str, int]
"""An example's id and a repeat."""

Shares = tuple[float, float]
"""What the candidate got of the preference when it stood first, and when it stood second."""


class Questions:
    """Each question is an example of its own, known by the hash of what the judge sees. Equal answers to equal inputs,
    of whichever variant, are judged once and get the same verdict.

    The first run is the baseline, the next `candidates` are compared with it. A pairwise judge is asked about their
    answers and the baseline's, in both orders; all other judges about every answer. An answer that is not there is not
    asked about: it has lost already.
    """

    def __init__(self, judge: Judge, runs: Sequence[Run], candidates: int) -> None:
        self._judge = judge
        self._pairwise = judge.form.kind == "pairwise"
        self._baseline = runs[0]
        self._rivals = {one.id for one in runs[1 : 1 + candidates]}
        self._answers = {_key(trial): trial for trial in runs[0].trials}
        self._inputs = {example.id: example for one in runs for example in one.examples}
        self._examples: dict[str, Example] = {}
        self._asked: dict[tuple[str, Key], tuple[str, ...]] = {}
        self._verdicts: dict[str, dict[int, Trial]] = {}
        for one in runs:
            for trial in one.trials:
                self._asked[one.id, _key(trial)] = tuple(self._add(asked) for asked in self._about(one, trial))

    def __len__(self) -> int:
        return len(self._examples)

    def dataset(self) -> Dataset:
        examples = tuple(self._examples.values())
        return Dataset(
            name=f"answers to {self._baseline.dataset_name}", version=version_of(examples), examples=examples
        )

    def take(self, verdicts: Run) -> None:
        """The verdicts on `dataset()`."""
        for trial in verdicts.trials:
            self._verdicts.setdefault(trial.example_id, {})[trial.repeat] = trial

    def scored(self, one: Run) -> Run:
        """The run with the judge's metrics, and its scores in every trial that has an answer. A preference is the
        candidate's score alone; the baseline's is made of it where the two are paired."""
        if self._pairwise and one.id not in self._rivals and one.id != self._baseline.id:
            return one  # it is shown beside the two and not compared
        trials = tuple(
            msgspec.structs.replace(trial, scores={**trial.scores, **self._scores(one, trial)}) for trial in one.trials
        )
        return msgspec.structs.replace(one, trials=trials, metrics=(*one.metrics, *self._judge.metrics))

    def verdicts(self, *runs: Run) -> list[Trial]:
        """The verdicts that the scores of these runs rest on, each once."""
        ids = dict.fromkeys(
            id for one in runs for trial in one.trials for id in self._asked.get((one.id, _key(trial)), ())
        )
        return [verdict for id in ids for verdict in self._verdicts.get(id, {}).values()]

    def order(self, candidate: Run) -> Order:
        """What the place of an answer did to the verdicts on a candidate."""
        pairs = dict.fromkeys(self._asked.get((candidate.id, _key(trial)), ()) for trial in candidate.trials)
        return order([shares for pair in pairs if pair for shares in self._shares(pair)])

    # Asking

    def _about(self, one: Run, trial: Trial) -> Iterator[dict[str, Json]]:
        if trial.response.error is not None:
            return
        example = self._inputs[trial.example_id]
        answer = said(trial.response)
        if not self._pairwise:
            yield material(self._judge, example, answer=answer)
        elif one.id in self._rivals and (other := self._other(trial)) is not None and other != answer:
            yield material(self._judge, example, first=answer, second=other)
            yield material(self._judge, example, first=other, second=answer)

    def _other(self, trial: Trial) -> str | None:
        """The baseline's answer to the same, None where it has none."""
        other = self._answers.get(_key(trial))
        return None if other is None or other.response.error is not None else said(other.response)

    def _add(self, inputs: dict[str, Json]) -> str:
        example = Example(id="", inputs=inputs)
        id = question_hash(example)[:16]
        self._examples.setdefault(id, msgspec.structs.replace(example, id=id))
        return id

    # Scoring

    def _scores(self, one: Run, trial: Trial) -> dict[str, Score]:
        if trial.response.error is not None:
            return {}
        asked = self._asked[one.id, _key(trial)]
        if not self._pairwise:
            return self._alone(asked[0])
        if one.id == self._baseline.id:
            return {}
        return {self._judge.name: self._against(asked, self._other(trial))}

    def _alone(self, id: str) -> dict[str, Score]:
        found = [
            self._judge.form.scores(findings)
            for trial in self._verdicts.get(id, {}).values()
            if (findings := self._findings(trial)) is not None
        ]
        if not found:
            none = Score(value=None, note=self._why_none([id]))
            return {metric.name: none for metric in self._judge.metrics}
        return {metric.name: _mean([scores[metric.name] for scores in found]) for metric in self._judge.metrics}

    def _against(self, asked: Sequence[str], other: str | None) -> Score:
        if other is None:
            return Score(value=1.0, label="preferred", note="The other gave no answer.")
        if not asked:
            return Score(value=0.5, label="tied", note="Both gave the same answer.")
        votes = self._shares(asked)
        if not votes:
            return Score(value=None, note=self._why_none(asked))
        share = sum(first + second for first, second in votes) / (2 * len(votes))
        label = "preferred" if share > 0.5 else "not preferred" if share < 0.5 else "tied"
        if label == "tied" and any(first != second for first, second in votes):
            label = "orders disagree"
        ahead, behind = (self._reason(id) for id in asked)
        if ahead and behind and ahead != behind:
            return Score(value=share, label=label, note=f"Candidate first: {ahead} Candidate second: {behind}")
        return Score(value=share, label=label, note=ahead or behind or None)

    def _reason(self, id: str) -> str:
        """Why, by the first verdict on a question that says it."""
        found = (self._findings(trial) for trial in self._verdicts.get(id, {}).values())
        return next((findings[0].reason for findings in found if findings and findings[0].reason), "")

    def _shares(self, asked: Sequence[str]) -> list[Shares]:
        """One entry per repeat that has a verdict in both orders: one order alone says as much of the place."""
        first, second = (self._verdicts.get(id, {}) for id in asked)
        found: list[Shares] = []
        for repeat, trial in first.items():
            ahead = self._findings(trial)
            behind = self._findings(second[repeat]) if repeat in second else None
            if ahead and behind:
                found.append((ahead[0].value, 1.0 - behind[0].value))
        return found

    def _findings(self, verdict: Trial) -> tuple[Finding, ...] | None:
        if verdict.response.error is not None:
            return None
        try:
            return self._judge.form.read(said(verdict.response))
        except UnreadableError:
            return None  # kept by an earlier version, which read more or otherwise

    def _why_none(self, asked: Sequence[str]) -> str:
        errors = [
            trial.response.error.message
            for id in asked
            for trial in self._verdicts.get(id, {}).values()
            if trial.response.error is not None
        ]
        return f"No verdict: {errors[0] if errors else 'it was not asked'}"


def material(judge: Judge, example: Example, **answers: str) -> dict[str, Json]:
    """What a judge sees of an example and the answers to it."""
    shown = example.reference is not None and judge.shows_reference
    return {"inputs": example.inputs, **({"reference": example.reference} if shown else {}), **answers}


def _key(trial: Trial) -> Key:
    return trial.example_id, trial.repeat


def _mean(scores: Sequence[Score]) -> Score:
    values = [score.value for score in scores if score.value is not None]
    first = scores[0]
    if len(values) == 1:
        return first
    value = sum(values) / len(values)
    label = first.label if len({score.label for score in scores}) == 1 else f"{value:.2f}, mean of {len(values)}"
    return Score(value=value, label=label, note=first.note)
