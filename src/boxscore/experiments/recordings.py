"""Recordings: answers that you already have, many models in one file, scored without asking anyone again."""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec

from boxscore.datasets.dataset import Dataset, canonical, version_of
from boxscore.datasets.example import Example
from boxscore.datasets.fields import as_text, with_fields
from boxscore.datasets.lines import decode_line, read_lines
from boxscore.errors import DatasetError, FileError, UnknownNameError
from boxscore.experiments.scored import score
from boxscore.experiments.trial import Run, Trial, VariantInfo
from boxscore.providers.response import ErrorInfo, Response, ToolCall, Usage
from boxscore.scoring.scorer import Scorer
from boxscore.types import Json


class Recording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: one recorded answer of one model to one case. docs/reference/formats.md describes the fields.

    `labels` are verdicts of whoever made the file. They are read over: no scorer sees them.
    """

    case_id: str | int
    model: str
    output: str | None = None
    error: str | ErrorInfo | None = None
    prompt: Json = None
    inputs: dict[str, Json] | None = None
    reference: Json = None
    metadata: dict[str, Json] | None = None
    cluster: str | int | None = None
    slices: dict[str, str | int | float | bool | None] | None = None
    params: dict[str, Json] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    finish_reason: str | None = None
    provider: str | None = None
    fingerprint: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: Decimal | None = None
    latency_s: float | None = None
    first_token_s: float | None = None
    recorded_at: datetime | None = None
    id: str | int | None = None
    set: str | None = None
    task: str | None = None
    group: str | int | None = None
    snapshot_date: str | None = None
    labels: msgspec.Raw = msgspec.Raw()


class Answer(NamedTuple):
    """`repeat` counts the recorded trials of one case and model from 0, in the order of `params.trial`."""

    case_id: str
    repeat: int
    response: Response


class Recordings(msgspec.Struct, frozen=True, kw_only=True):
    """A recordings file, read. `dataset` are its cases, each once; `answers` by model, in the order of the file.

    `warnings` are sentences for the report: cases that models were asked in different words, fields left out.
    """

    dataset: Dataset
    answers: dict[str, tuple[Answer, ...]]
    warnings: tuple[str, ...] = ()

    def models(self) -> tuple[str, ...]:
        """Names of the models, in the order of the file."""
        return tuple(self.answers)

    def run(self, model: str, scorers: Sequence[Scorer]) -> Run:
        """The recorded answers of one model as a run, scored.

        Its examples are the cases that the model answered, or failed at. Raises `UnknownNameError` for a model that
        is not in the file, and what a scorer raises.
        """
        if model not in self.answers:
            raise UnknownNameError("model", model, self.answers, where=str(self.dataset.path or self.dataset.name))
        answers = self.answers[model]
        answered = {answer.case_id for answer in answers}
        examples = {example.id: example for example in self.dataset.examples if example.id in answered}
        trials = tuple(
            Trial(
                example_id=answer.case_id,
                repeat=answer.repeat,
                response=answer.response,
                scores=score(scorers, examples[answer.case_id], answer.response),
            )
            for answer in answers
        )
        identity = _identity(model, answers)
        specs = tuple(scorer.spec for scorer in scorers)
        times = [answer.response.recorded_at for answer in answers if answer.response.recorded_at is not None]
        return Run(
            id=hashlib.sha256(canonical([identity, self.dataset.version, specs]).encode()).hexdigest()[:12],
            variant=VariantInfo(name=model, hash=identity, model=model),
            dataset_name=self.dataset.name,
            dataset_version=self.dataset.version,
            examples=tuple(examples.values()),
            metrics=tuple(scorer.metric for scorer in scorers),
            trials=trials,
            scorer_specs=specs,
            started_at=min(times, default=None),
            finished_at=max(times, default=None),
        )


def load_recordings(
    path: str | Path, *, name: str | None = None, cluster: str | None = None, slices: Sequence[str] = ()
) -> Recordings:
    """Read a recordings file (JSONL). `cluster` and `slices` name fields, as in `boxscore.datasets.load_dataset`.

    Raises `FileError` for a file that cannot be used, `DatasetError` for a row (among them: an answer recorded twice,
    and a case with two references), `UnknownNameError` for a field that no row has.
    """
    path = Path(path)
    if path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        raise FileError(path, "recordings are read from JSONL: one answer a line, as an object.")
    cases: dict[str, _Case] = {}
    seen: dict[tuple[str, str, int], int] = {}
    answers: dict[str, list[tuple[str, int, Response]]] = {}
    for line, raw in read_lines(path):
        row = decode_line(_DECODER, raw, path, line)
        _check(row, path, line)
        case_id, trial = str(row.case_id), _trial(row, path, line)
        first = seen.setdefault((row.model, case_id, trial), line)
        if first != line:
            raise DatasetError(
                f"{row.model!r} answered case {case_id!r} on line {first} already; repeats are told apart by "
                "'params': {\"trial\": 0, 1, …}.",
                path=path,
                line=line,
                field="case_id",
            )
        case = cases.get(case_id)
        if case is None:
            cases[case_id] = _Case(row, line)
        else:
            case.add(row, path, line)
        answers.setdefault(row.model, []).append((case_id, trial, _response(row)))
    if not cases:
        raise FileError(path, "has no rows; it needs at least one.")
    examples = with_fields([case.example(key) for key, case in cases.items()], cluster=cluster, slices=slices)
    dataset = Dataset(name=name or path.stem, version=version_of(examples), examples=examples, path=path)
    return Recordings(
        dataset=dataset,
        answers={model: _ranked(rows) for model, rows in answers.items()},
        warnings=_warnings(cases),
    )


_DECODER = msgspec.json.Decoder(Recording)


class _Case:
    """What the lines of one case say together. Null says nothing."""

    def __init__(self, row: Recording, line: int) -> None:
        self.prompt = row.prompt
        self.inputs = row.inputs
        self.reference = row.reference
        self.cluster = _cluster(row)
        self.slices = _slices(row)
        self.metadata = _metadata(row)
        self.unequal: dict[str, None] = {}
        self.lines: dict[str, int] = dict.fromkeys(("inputs", "reference", "cluster", "slices"), line)

    def add(self, row: Recording, path: Path, line: int) -> None:
        """Join another line of the same case. Raises `DatasetError` where two lines say different things."""
        said = {
            "inputs": row.inputs,
            "reference": row.reference,
            "cluster": _cluster(row),
            "slices": _slices(row) or None,
        }
        for field, value in said.items():
            if value is None:
                continue
            known: Json = getattr(self, field)
            if known is None or known == {}:
                setattr(self, field, value)
                self.lines[field] = line
            elif known != value:
                raise DatasetError(
                    f"differs from line {self.lines[field]}, which is the same case {str(row.case_id)!r}; "
                    "what is asked and what is right must be one for all models.",
                    path=path,
                    line=line,
                    field=field,
                )
        if row.prompt is not None and row.prompt != self.prompt:
            if self.prompt is None:
                self.prompt = row.prompt
            else:
                self.unequal.setdefault("prompt")
        for key, value in _metadata(row).items():
            if self.metadata.setdefault(key, value) != value:
                self.unequal.setdefault(f"metadata.{key}")

    def example(self, case_id: str) -> Example:
        inputs = self.inputs
        if inputs is None:
            inputs = {} if self.prompt is None else {"prompt": self.prompt}
        return Example(
            id=case_id,
            inputs=inputs,
            reference=self.reference,
            metadata={key: value for key, value in self.metadata.items() if f"metadata.{key}" not in self.unequal},
            cluster=self.cluster,
            slices=self.slices,
        )


def _cluster(row: Recording) -> str | None:
    return None if row.cluster is None or row.cluster == "" else str(row.cluster)


def _slices(row: Recording) -> dict[str, str]:
    return {key: text for key, value in (row.slices or {}).items() if (text := as_text(value)) is not None}


def _metadata(row: Recording) -> dict[str, Json]:
    own = {"set": row.set, "task": row.task, "group": row.group}
    return {**{key: value for key, value in own.items() if value is not None}, **(row.metadata or {})}


def _check(row: Recording, path: Path, line: int) -> None:
    for field in ("case_id", "model"):
        if getattr(row, field) == "":
            raise DatasetError("is empty, and every row needs it.", path=path, line=line, field=field)
    if row.output is None and row.error is None and not row.tool_calls:
        problem = (
            "is missing, and so is 'error'; an answer with no text is \"\", a failed call has its reason in 'error'."
        )
        raise DatasetError(problem, path=path, line=line, field="output")
    for field in ("tokens_in", "tokens_out", "cost_usd", "latency_s", "first_token_s"):
        value: int | float | Decimal | None = getattr(row, field)
        if value is not None and not (math.isfinite(value) and value >= 0):
            problem = f"is {value}, and must be a number from 0 up; null says that it was not recorded."
            raise DatasetError(problem, path=path, line=line, field=field)


def _trial(row: Recording, path: Path, line: int) -> int:
    trial = (row.params or {}).get("trial")
    if trial is None:
        return 0
    if isinstance(trial, bool) or not isinstance(trial, int) or trial < 0:
        problem = f"must be a whole number from 0 up, and is {trial!r}."
        raise DatasetError(problem, path=path, line=line, field="params.trial")
    return trial


def _response(row: Recording) -> Response:
    error = ErrorInfo(kind="recorded", message=row.error) if isinstance(row.error, str) else row.error
    usage = None
    if row.tokens_in is not None or row.tokens_out is not None:
        usage = Usage(input_tokens=row.tokens_in, output_tokens=row.tokens_out)
    recorded_at = row.recorded_at
    if recorded_at is not None and recorded_at.tzinfo is None:
        recorded_at = recorded_at.replace(tzinfo=UTC)
    return Response(
        output=row.output or "",
        tool_calls=row.tool_calls or (),
        finish_reason=row.finish_reason,
        model=row.model,
        provider=row.provider,
        fingerprint=row.fingerprint,
        usage=usage,
        cost_usd=row.cost_usd,
        price=None if row.cost_usd is None else "recorded",
        latency_s=row.latency_s,
        first_token_s=row.first_token_s,
        recorded_at=recorded_at,
        error=error,
    )


def _ranked(rows: list[tuple[str, int, Response]]) -> tuple[Answer, ...]:
    """Trials renumbered from 0 within each case: a file may count from 1, or lack some."""
    trials: dict[str, list[int]] = {}
    for case_id, trial, _ in rows:
        trials.setdefault(case_id, []).append(trial)
    for found in trials.values():
        found.sort()
    return tuple(Answer(case_id, trials[case_id].index(trial), response) for case_id, trial, response in rows)


def _warnings(cases: dict[str, _Case]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for case in cases.values():
        for field in case.unequal:
            counts[field] = counts.get(field, 0) + 1
    return tuple(
        f"{count} of {len(cases)} cases were asked with different prompts; the reports show the first."
        if field == "prompt"
        else f"{field} differs between the answers to one case, in {count} of {len(cases)} cases, and is left out."
        for field, count in counts.items()
    )


def _identity(model: str, answers: Sequence[Answer]) -> str:
    """The hash of a recorded variant: its name and all it answered, for nothing else is known of it."""
    digest = hashlib.sha256(model.encode())
    for answer in sorted(answers, key=lambda answer: (answer.case_id, answer.repeat)):
        digest.update(canonical([answer.case_id, answer.repeat, answer.response.output]).encode())
    return digest.hexdigest()[:12]
