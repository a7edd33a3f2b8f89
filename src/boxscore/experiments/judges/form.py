"""Forms: what a judge is asked, the shape of its reply, and the metrics that come of it."""

from typing import Literal, cast

import msgspec

from boxscore.experiments.judges.reply import read_object, without_thought
from boxscore.experiments.judges.scale import Scale, UnreadableError
from boxscore.scoring.scorer import Metric, Score
from boxscore.types import Json

Kind = Literal["binary", "ordinal", "rubric", "pairwise"]

LONGEST_REASON = 2_000


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is judged. `name` is empty where it is the only one."""

    question: str
    scale: Scale
    name: str = ""
    weight: float = 1.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A judge's word on one criterion: the option it chose, its value from 0 to 1, and why."""

    criterion: Criterion
    option: str | int
    value: float
    reason: str = ""

    @property
    def label(self) -> str:
        return self.criterion.scale.label(self.option)


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """Binary, ordinal and pairwise forms have one criterion, rubrics several. `better` is the direction of the metric;
    `name` is the judge's and names its metrics."""

    name: str
    kind: Kind
    criteria: tuple[Criterion, ...]
    better: Literal["higher", "lower"] = "higher"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The judge's metric, and for a rubric one more per criterion, as `judge.criterion`."""
        whole = Metric(
            name=self.name,
            kind="rate" if self.kind == "binary" else "mean",
            better=self.better,
            judge=self.name,
            pairwise=self.kind == "pairwise",
        )
        if self.kind != "rubric":
            return (whole,)
        parts = (
            Metric(
                name=f"{self.name}.{criterion.name}",
                kind="mean" if criterion.scale.ordinal else "rate",
                better=self.better,
                judge=self.name,
            )
            for criterion in self.criteria
        )
        return (whole, *parts)

    def schema(self) -> dict[str, Json]:
        """The reply as a JSON schema in the strict form: every key is required, no other is allowed. The reason comes
        before the verdict, so that a model that writes from left to right has thought when it decides."""
        if self.kind != "rubric":
            return _object(_one(self.criteria[0].scale))
        return _object({part.name: _object(_one(part.scale)) for part in self.criteria})

    def reply_form(self) -> str:
        """How the reply must look, in words."""
        if self.kind != "rubric":
            one = f'{{"reason": "…", "verdict": …}}, where the verdict is {self.criteria[0].scale.words()}'
            return f"Reply with one JSON object and nothing else: {one} and the reason one or two sentences."
        lines = [
            f'  "{part.name}": {{"reason": "…", "verdict": …}}  (the verdict is {part.scale.words()})'
            for part in self.criteria
        ]
        return (
            "Reply with one JSON object and nothing else, with one key per criterion and the reason in a sentence:\n"
            "{\n" + "\n".join(lines) + "\n}"
        )

    def read(self, text: str) -> tuple[Finding, ...]:
        """What the judge found, one per criterion. Raises `UnreadableError` when the reply does not say it."""
        text = without_thought(text)
        if self.kind == "rubric":
            found = read_object(text, [part.name for part in self.criteria])
            return tuple(_finding(part, found[part.name]) for part in self.criteria)
        (only,) = self.criteria
        bare = text.strip().strip("*\"'`.")
        if bare and len(bare) < 20:  # a judge that says its verdict and nothing else has said it
            try:
                return (_finding(only, bare),)
            except UnreadableError:
                pass
        return (_finding(only, read_object(text, ["verdict"])),)

    def scores(self, findings: tuple[Finding, ...]) -> dict[str, Score]:
        """The findings of one reply as scores by metric."""
        whole, *parts = self.metrics
        if not parts:
            (only,) = findings
            return {whole.name: Score(value=only.value, label=only.label, note=only.reason or None)}
        weight = sum(found.criterion.weight for found in findings)
        value = sum(found.criterion.weight * found.value for found in findings) / weight
        said = "; ".join(_said(found) for found in findings)
        scores = {whole.name: Score(value=min(1.0, max(0.0, value)), label=f"{value:.2f}", note=said)}
        for part, found in zip(parts, findings, strict=True):
            scores[part.name] = Score(value=found.value, label=found.label, note=found.reason or None)
        return scores


def _one(scale: Scale) -> dict[str, Json]:
    return {"reason": {"type": "string"}, "verdict": scale.schema()}


def _object(properties: dict[str, Json]) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _finding(criterion: Criterion, given: Json) -> Finding:
    """From `{reason, verdict}`, or from the verdict alone."""
    fields = cast("dict[str, Json]", given) if isinstance(given, dict) else {"verdict": given}
    if "verdict" not in fields:
        raise UnreadableError(f"{criterion.name!r} has no verdict")
    try:
        option = criterion.scale.read(fields["verdict"])
    except UnreadableError as problem:
        raise UnreadableError(f"of {criterion.name!r} {problem}" if criterion.name else str(problem)) from None
    reason = fields.get("reason")
    return Finding(
        criterion=criterion,
        option=option,
        value=criterion.scale.value(option),
        reason=reason[:LONGEST_REASON] if isinstance(reason, str) else "",
    )


def _said(found: Finding) -> str:
    return f"{found.criterion.name}: {found.label}" + (f" ({found.reason})" if found.reason else "")
