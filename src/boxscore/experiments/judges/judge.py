"""The judge: a form and who is asked by it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, cast

from boxscore.costs import PriceBook
from boxscore.errors import SpecError, TemplateError
from boxscore.experiments.callables import CallableVariant
from boxscore.experiments.judges.form import Criterion, Form, Kind
from boxscore.experiments.judges.scale import PREFERENCE, YES_NO, Scale, ordinal
from boxscore.experiments.judges.variant import JudgeVariant
from boxscore.experiments.rule import OPERATIONS
from boxscore.experiments.variant import Variant
from boxscore.experiments.variant_spec import variant_from_spec
from boxscore.prompts import PromptTemplate
from boxscore.scoring.scorer import Metric
from boxscore.types import Json

Asker: TypeAlias = Variant | Callable[..., object] | Mapping[str, Json]
"""Who judges: a mapping as of a variant in a spec file (without a prompt the judge's own is sent), a function of the
judge's inputs, or a variant."""

ScaleLike: TypeAlias = Sequence[int] | Mapping[str, str] | Mapping[int, str]
CriterionLike: TypeAlias = str | Mapping[str, Json]

_PROMPTS = ("prompt", "prompt_file", "messages")
AS_THE_PROMPT_SAYS = "What the prompt asks."
PREFERRED = "Which answer serves the one who asked better?"


class Judge:
    """Scores answers by asking a model, or whatever `by` is.

    `kind` is `binary` (yes or no), `ordinal` (a whole number on `scale`, as [1, 5] or a mapping of steps to what they
    mean), `rubric` (several `criteria` by name, each a question or a mapping with `question`, `scale` and `weight`) or
    `pairwise` (candidate against baseline, asked in both orders). `better="lower"` where yes, or a high number, is bad.
    `reference`: shown where the example has one; True requires it, False hides it. `repeats` verdicts per question are
    averaged.

    Its metric has the judge's `name` and is marked uncalibrated. Raises `SpecError` whose key is `judges.NAME.KEY`.
    """

    def __init__(
        self,
        name: str,
        question: str | None = None,
        *,
        by: Asker,
        kind: Kind = "binary",
        scale: ScaleLike | None = None,
        criteria: Mapping[str, CriterionLike] | None = None,
        better: Literal["higher", "lower"] = "higher",
        reference: bool | None = None,
        repeats: int = 1,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        if question is None and kind in ("binary", "ordinal") and has_prompt(by):
            question = AS_THE_PROMPT_SAYS
        self.form = make_form(name, kind=kind, question=question, scale=scale, criteria=criteria, better=better)
        if repeats < 1:
            raise _error(name, "repeats", f"must be 1 or more, and is {repeats}.")
        self.repeats = repeats
        self.asker, mentions = _asker(name, by, self.form, folder or Path.cwd())
        if reference is False and mentions:
            raise _error(name, "reference", "is false, and the judge's prompt writes out the reference.")
        self.needs_reference = bool(reference) or mentions
        self.shows_reference = reference is not False

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return self.form.metrics

    @property
    def model(self) -> str | None:
        return self.asker.info.model

    def variant(self, book: PriceBook | None = None) -> JudgeVariant:
        """The judge as something that runs over answers."""
        return JudgeVariant(self.form, self.asker, needs_reference=self.needs_reference, book=book)


def make_form(
    name: str,
    *,
    kind: str,
    question: str | None = None,
    scale: Json = None,
    criteria: Json = None,
    better: str = "higher",
) -> Form:
    """The form of a judge, checked as `Judge` says."""
    if not name or "." in name:
        raise SpecError(f"{name!r} is no name for a judge: it takes one or more letters, and no point.", key="judges")
    if name in OPERATIONS:
        raise SpecError(f"{name!r} is what a guard watches already: give the judge another name.", key=f"judges.{name}")
    if kind not in ("binary", "ordinal", "rubric", "pairwise"):
        raise _error(name, "kind", f"must be binary, ordinal, rubric or pairwise, and is {kind!r}.")
    if better not in ("higher", "lower"):
        raise _error(name, "better", f"must be higher or lower, and is {better!r}.")
    if kind == "pairwise" and better == "lower":
        raise _error(name, "better", "belongs to the other kinds: of two answers the judge prefers the better one.")
    if kind == "rubric":
        if question is not None or scale is not None:
            key = "scale" if question is None else "question"
            raise _error(name, key, "belongs to each criterion of a rubric: write it below 'criteria'.")
        return Form(name=name, kind="rubric", criteria=_criteria(name, criteria), better=better)
    if criteria is not None:
        raise _error(name, "criteria", f"belong to a rubric, and this judge is {kind}.")
    if scale is not None and kind != "ordinal":
        raise _error(name, "scale", f"belongs to an ordinal judge, and this one is {kind}.")
    if kind == "pairwise":
        only = Criterion(question=_question(name, "question", question or PREFERRED), scale=PREFERENCE)
    elif kind == "ordinal":
        if scale is None:
            raise _error(name, "scale", "is missing: [1, 5], or each step with what it means.")
        only = Criterion(question=_question(name, "question", question), scale=_scale(name, "scale", scale))
    else:
        only = Criterion(question=_question(name, "question", question), scale=YES_NO)
    return Form(name=name, kind=kind, criteria=(only,), better=better)


def _criteria(name: str, given: Json) -> tuple[Criterion, ...]:
    if not isinstance(given, Mapping) or not given:
        raise _error(name, "criteria", "is missing: a mapping of names to questions.")
    return tuple(_criterion(name, part, said) for part, said in cast("Mapping[str, Json]", given).items())


def _criterion(name: str, part: str, said: Json) -> Criterion:
    key = f"criteria.{part}"
    if not isinstance(said, Mapping):
        return Criterion(name=part, question=_question(name, key, said), scale=YES_NO)
    fields = cast("Mapping[str, Json]", said)
    for field in fields:
        if field not in ("question", "scale", "weight"):
            raise _error(name, f"{key}.{field}", "there is no such key; known are question, scale, weight.")
    weight: Json = fields.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
        raise _error(name, f"{key}.weight", f"must be a number above 0, and is {weight!r}.")
    scale: Json = fields.get("scale")
    return Criterion(
        name=part,
        question=_question(name, f"{key}.question", fields.get("question")),
        scale=YES_NO if scale is None else _scale(name, f"{key}.scale", scale),
        weight=float(weight),
    )


def _question(name: str, key: str, given: Json) -> str:
    if not isinstance(given, str) or not given.strip():
        problem = "is missing: what is the judge to decide?" if given is None else f"must be text, and is {given!r}."
        raise _error(name, key, problem)
    return given.strip()


def _scale(name: str, key: str, given: Json) -> Scale:
    try:
        if isinstance(given, Mapping):
            steps = {int(step): str(meaning) for step, meaning in cast("Mapping[str, Json]", given).items()}
            anchors = {str(step): meaning for step, meaning in sorted(steps.items())}
            return ordinal(min(steps, default=0), max(steps, default=0), anchors)
        low, high = cast("Sequence[Json]", given)
        if not type(low) is type(high) is int:
            raise ValueError("its ends are whole numbers")
        return ordinal(low, high)
    except (TypeError, ValueError) as problem:
        raise _error(
            name, key, f"{given!r} is no scale ({problem}): write [1, 5], or each step with what it means."
        ) from None


def has_prompt(by: object) -> bool:
    """Whether it is a mapping with a prompt of the user's own, which asks its own question."""
    return isinstance(by, Mapping) and any(cast("Mapping[str, Json]", by).get(key) is not None for key in _PROMPTS)


def _asker(name: str, by: Asker, form: Form, folder: Path) -> tuple[Variant, bool]:
    """Who is asked, and whether its prompt writes out the reference."""
    if isinstance(by, Variant):
        return by, False
    if isinstance(by, Mapping):
        mapping, mentions = _with_prompt(name, dict(cast("Mapping[str, Json]", by)), form, folder)
        try:
            return variant_from_spec(name, mapping, folder), mentions
        except SpecError as error:
            key = (error.key or "").removeprefix(f"variants.{name}").removeprefix(".")
            raise _error(name, key, error.problem) from None
    if callable(by):
        return CallableVariant(by, name=name), False
    raise _error(name, "by", f"{by!r} judges nothing: give a mapping, a function or a variant.")


def _with_prompt(name: str, mapping: dict[str, Json], form: Form, folder: Path) -> tuple[dict[str, Json], bool]:
    """A prompt variant's mapping with our prompt, or with the form of the reply added to the user's own, and with the
    reply's schema; other kinds as they are. Second, whether the prompt writes out the reference."""
    structured: Json = mapping.pop("structured", True)
    if mapping.get("kind", "prompt") != "prompt" or any(key in mapping for key in ("url", "command", "python")):
        return mapping, False
    if structured:
        mapping.setdefault("output_schema", form.schema())
    given = [key for key in _PROMPTS if mapping.get(key) is not None]
    if not given:
        mapping["messages"] = [
            {"role": "system", "content": "{{ system }}"},
            {"role": "user", "content": "{{ prompt }}"},
        ]
        return mapping, False
    if len(given) > 1:
        return mapping, False  # refused in words by the variant
    source: Json = mapping.pop(given[0])
    if given[0] == "prompt_file":
        source = _file(name, folder / str(source))
    try:
        template = PromptTemplate.parse(source)
    except TemplateError as error:
        raise TemplateError(f"key 'judges.{name}.{given[0]}': {error}", variable=error.variable) from error
    messages: list[Json] = [{"role": message.role, "content": message.content} for message in template.messages]
    if "reply_form" not in template.variables and "prompt" not in template.variables:
        last = messages[-1]
        more = "{{ reply_form }}"
        content: Json = last["content"]
        longer: Json = (
            f"{content}\n\n{more}" if isinstance(content, str) else [*content, {"type": "text", "text": more}]
        )
        messages[-1] = {**last, "content": longer}
    mapping["messages"] = messages
    return mapping, "reference" in template.variables


def _file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _error(name, "prompt_file", f"{path} cannot be read: {error}.") from None


def _error(name: str, key: str, problem: str) -> SpecError:
    return SpecError(problem, key=f"judges.{name}.{key}" if key else f"judges.{name}")
