"""The baseline file: what is in use, committed beside the spec, so that CI compares with it and pays for the candidate
alone.

It keeps numbers and no answers: scores, dollars, seconds and tokens of every trial, one line per example in the order
of their ids, so that a difference reads well and nothing that a model or a customer wrote comes into the repository.
The same run gives the same bytes. docs/reference/formats.md describes the fields.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec

from boxscore import __version__
from boxscore.datasets.dataset import Dataset
from boxscore.datasets.example import Example
from boxscore.errors import FileError, NothingToCompareError
from boxscore.experiments.identity import digest
from boxscore.experiments.trial import Run, Trial, VariantInfo
from boxscore.providers.response import ErrorInfo, Response, Usage
from boxscore.scoring.scorer import Metric, Score, Scorer, problem_of
from boxscore.writing import write_whole

FORMAT = 1
NOT_KEPT = "(not kept: a baseline file has scores and no answers)"
_CODE = re.compile(r"[^\s,;:=()\[\]\"']+\.py(?=:)")


class BaselineTrial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One example, once. `scores` by metric; `error` is the kind of the error that stands in the answer's place."""

    scores: dict[str, float | None] = {}
    cost_usd: Decimal | None = None
    latency_s: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    error: str | None = None


class BaselineExample(msgspec.Struct, frozen=True, kw_only=True):
    """`asked` is a hash of all that an answer and its scores depend on: inputs, reference and metadata."""

    asked: str
    trials: tuple[BaselineTrial, ...]


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a baseline file keeps it. `scorers` are their specs, each with a hash of the code files that it names
    ("" where it names none). `models` and `fingerprints` are what answered by its own account."""

    boxscore_baseline: int = FORMAT
    boxscore_version: str = ""
    variant: VariantInfo
    dataset_name: str
    dataset_version: str
    answered_from: datetime | None = None
    answered_to: datetime | None = None
    models: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    prices: tuple[str, ...] = ()
    scorers: dict[str, str]
    examples: dict[str, BaselineExample]


class Standing(NamedTuple):
    """A baseline in the place of one that is run: its run over those of the `total` examples that it has answers to,
    which are the `dataset` that a candidate is asked, and what must be said of it."""

    run: Run
    dataset: Dataset
    total: int
    warnings: tuple[str, ...]


def baseline_of(run: Run, *, folder: Path) -> Baseline:
    """What is kept of a run. `folder` is the base of the code files that scorers name."""
    trials: dict[str, list[Trial]] = {example.id: [] for example in run.examples}
    for trial in sorted(run.trials, key=lambda trial: trial.repeat):
        trials[trial.example_id].append(trial)
    responses = [trial.response for trial in run.trials]
    times = [response.recorded_at for response in responses if response.recorded_at is not None]
    return Baseline(
        boxscore_version=__version__,
        variant=run.variant,
        dataset_name=run.dataset_name,
        dataset_version=run.dataset_version,
        answered_from=min(times, default=None),
        answered_to=max(times, default=None),
        models=_named(response.model for response in responses),
        fingerprints=_named(response.fingerprint for response in responses),
        prices=_named(response.price for response in responses),
        scorers={spec: _code(spec, folder) for spec in run.scorer_specs},
        examples={
            example.id: BaselineExample(asked=_asked(example), trials=tuple(map(_kept, trials[example.id])))
            for example in sorted(run.examples, key=lambda example: example.id)
        },
    )


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write the file, whole or not at all. Raises `FileError`."""
    head = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(baseline, examples={})), indent=2).decode()
    lines = (
        f"    {msgspec.json.encode(id).decode()}: {msgspec.json.encode(example).decode()}"
        for id, example in baseline.examples.items()
    )
    text = head.removesuffix("{}\n}") + "{\n" + ",\n".join(lines) + "\n  }\n}\n"
    try:
        write_whole(path, text)
    except OSError as error:
        raise FileError(path, f"the baseline cannot be written: {error.strerror or error}.") from error


def read_baseline(path: Path, *, again: str) -> Baseline:
    """Read a file; `again` is the command that writes it. Raises `FileError` that names the command."""
    try:
        baseline = msgspec.json.decode(path.read_bytes(), type=Baseline)
    except FileNotFoundError:
        raise FileError(path, f"no baseline is here: `{again}` writes it.") from None
    except OSError as error:
        raise FileError(path, f"the baseline cannot be read: {error.strerror or error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileError(path, f"this is no baseline file ({error}); write it again: `{again}`.") from error
    if baseline.boxscore_baseline != FORMAT:
        raise FileError(
            path,
            f"its form is {baseline.boxscore_baseline}, and this Boxscore {__version__} reads {FORMAT}; use the "
            f"version that wrote it ({baseline.boxscore_version}), or write it again: `{again}`.",
        )
    return baseline


def stand(
    baseline: Baseline,
    dataset: Dataset,
    scorers: Sequence[Scorer],
    *,
    path: Path,
    folder: Path,
    again: str,
    now: datetime,
    timed: bool = False,
) -> Standing:
    """Put a baseline in the place of one that is run, over those examples that are as they were then.

    An example that is new, or whose inputs, reference or metadata changed, was never asked of the baseline. That is no
    failure of it, so the example is left out on both sides. `timed`: the rule looks at latency. Raises `FileError` when
    a scorer is another than then, `NothingToCompareError` when no example is left.
    """
    for scorer in scorers:
        if baseline.scorers.get(scorer.spec) != _code(scorer.spec, folder):
            how = "changed since" if scorer.spec in baseline.scorers else "was not among its scorers"
            raise FileError(
                path, f"the scorer {scorer.spec!r} {how}, so its scores say nothing; write it again: `{again}`."
            )
    _check_values(baseline, [scorer.metric for scorer in scorers], path, again)
    known = {example.id: _asked(example) for example in dataset.examples if example.id in baseline.examples}
    same = [id for id, asked in known.items() if asked == baseline.examples[id].asked]
    if not same:
        raise NothingToCompareError(
            f"{path} has answers to {len(baseline.examples)} examples, and none of the {len(dataset)} of "
            f"{dataset.name!r} is among them unchanged: nothing can be paired. Write it again: `{again}`."
        )
    kept = dataset.subset(same) if len(same) < len(dataset) else dataset
    warnings = [_age(baseline, path, now, timed=timed)]
    if len(kept) < len(dataset):
        new, changed = len(dataset) - len(known), len(known) - len(same)
        warnings.append(
            f"{len(dataset) - len(kept)} of {len(dataset)} examples are left out: {new} are not in {path.name}, "
            f"{changed} changed since. `{again}` takes them in."
        )
    if baseline.boxscore_version != __version__:
        warnings.append(
            f"{path.name} was scored by boxscore {baseline.boxscore_version}, and this is {__version__}: scorers of "
            "the same name may differ."
        )
    run = Run(
        id=f"baseline-{digest(baseline)[:12]}",
        variant=baseline.variant,
        dataset_name=kept.name,
        dataset_version=kept.version,
        examples=kept.examples,
        metrics=tuple(scorer.metric for scorer in scorers),
        trials=tuple(trial for example in kept.examples for trial in _trials(baseline, example.id)),
        scorer_specs=tuple(scorer.spec for scorer in scorers),
        started_at=baseline.answered_from,
        finished_at=baseline.answered_to,
    )
    return Standing(run, kept, len(dataset), tuple(warnings))


def _check_values(baseline: Baseline, metrics: Sequence[Metric], path: Path, again: str) -> None:
    """A file in a repository may have been merged or edited by hand."""
    for id, example in baseline.examples.items():
        for trial in example.trials:
            scores = ((metric, trial.scores.get(metric.name)) for metric in metrics)
            found = [wrong for metric, value in scores if value is not None and (wrong := problem_of(metric, value))]
            if trial.cost_usd is not None and not (trial.cost_usd.is_finite() and trial.cost_usd >= 0):
                found.append(f"{trial.cost_usd} dollars, and a cost is 0 or more")
            if found:
                raise FileError(path, f"its example {id!r} has {found[0]}; write it again: `{again}`.")


def _age(baseline: Baseline, path: Path, now: datetime, *, timed: bool) -> str:
    said = f"The baseline is {baseline.variant.name} as {path.name} has it"
    if baseline.answered_to is not None:
        days = max(0, (now - baseline.answered_to).days)
        ago = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
        said += f", answered {baseline.answered_to:%Y-%m-%d}, {ago}" if days > 1 else f", answered {ago}"
    said += ": it was not asked again, so what its provider changed since counts as the candidate's."
    return said + (" Its latency is of that day and that machine." if timed else "")


def _asked(example: Example) -> str:
    return digest([example.inputs, example.reference, example.metadata])[:12]


def _code(spec: str, folder: Path) -> str:
    """A hash of the code files that a scorer's spec names; "" for none, and for files that are not there."""
    content = hashlib.sha256()
    found = [path for name in _CODE.findall(spec) if (path := folder / name).is_file()]
    for path in found:
        content.update(path.read_bytes() + b"\0")
    return content.hexdigest()[:12] if found else ""


def _named(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))


def _kept(trial: Trial) -> BaselineTrial:
    response = trial.response
    return BaselineTrial(
        scores={metric: score.value for metric, score in trial.scores.items()},
        cost_usd=response.cost_usd,
        latency_s=None if response.latency_s is None else round(response.latency_s, 4),
        tokens_in=response.usage.input_tokens if response.usage else None,
        tokens_out=response.usage.output_tokens if response.usage else None,
        error=response.error.kind if response.error else None,
    )


def _trials(baseline: Baseline, id: str) -> Iterable[Trial]:
    for repeat, kept in enumerate(baseline.examples[id].trials):
        usage = Usage(input_tokens=kept.tokens_in, output_tokens=kept.tokens_out)
        response = Response(
            output=NOT_KEPT,
            model=baseline.models[0] if len(baseline.models) == 1 else None,
            usage=usage,
            cost_usd=kept.cost_usd,
            price="; ".join(baseline.prices) or None,
            latency_s=kept.latency_s,
            recorded_at=baseline.answered_from,
            error=None if kept.error is None else ErrorInfo(kind=kept.error, message=NOT_KEPT),
        )
        scores = {metric: Score(value=value) for metric, value in kept.scores.items()}
        yield Trial(example_id=id, repeat=repeat, response=response, scores=scores, reused=True)
