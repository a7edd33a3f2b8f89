"""`boxscore.compare`: the Python face of a comparison."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import msgspec

from boxscore import settings
from boxscore.costs import PriceBook
from boxscore.datasets import Dataset, from_rows, load_dataset
from boxscore.errors import SpecError
from boxscore.experiments.baseline import Standing, read_baseline, stand
from boxscore.experiments.callables import CallableVariant
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.identity import utc_now
from boxscore.experiments.judges.judge import Judge
from boxscore.experiments.judges.judge_spec import judge_from_spec
from boxscore.experiments.live import Effort, ProgressOf, compare_variants
from boxscore.experiments.recorded import compare_recordings
from boxscore.experiments.rule import make_rule
from boxscore.experiments.spec import Spec, load_spec
from boxscore.experiments.variant import Variant
from boxscore.experiments.variant_spec import variant_from_spec
from boxscore.experiments.verdict import Guard
from boxscore.scoring import ScorerSpec, make_scorers
from boxscore.types import Json

VariantLike: TypeAlias = Variant | Callable[..., object] | Mapping[str, Json]
"""A function that takes an example's inputs and returns its answer, a mapping as in a spec file, or a variant."""

Rows: TypeAlias = str | Path | Dataset | Sequence[Mapping[str, Json]]


def compare(
    spec: str | Path | None = None,
    *,
    dataset: Rows | None = None,
    recordings: str | Path | None = None,
    baseline: str | VariantLike | None = None,
    baseline_file: str | Path | None = None,
    candidate: str | VariantLike | None = None,
    scorers: Sequence[ScorerSpec] = (),
    judges: Sequence[Judge] | Mapping[str, Mapping[str, Json]] = (),
    metric: str | None = None,
    rule: str | None = None,
    margin: float | None = None,
    alpha: float | None = None,
    usd_per_success: float | None = None,
    guards: Sequence[Guard | Mapping[str, Json]] = (),
    waive: Sequence[str] = (),
    slices: Sequence[str] = (),
    cluster: str | None = None,
    repeats: int = 1,
    concurrency: int | None = None,
    spend_cap_usd: float | None = None,
    fresh: bool = False,
    retry_errors: bool = False,
    stop_early: bool = False,
    home: str | Path | None = None,
    seed: int = 0,
    progress: ProgressOf | None = None,
) -> Comparison:
    """Say whether `candidate` should take the place of `baseline`.

    One of three forms:

    - `compare("boxscore.yaml")`: a spec file says everything; with `baseline_file` the baseline is what stands there.
    - `compare(recordings="answers.jsonl", baseline="gpt-4o-mini", candidate="gpt-4o", scorers=["exact"])`: answers that
      are there already; the names are models of the file.
    - `compare(dataset=rows, baseline=old, candidate=new, scorers=["exact"])`: functions, mappings as in a spec file, or
      variants, run over a file, a `Dataset` or a list of dicts.

    `judges` are `boxscore.Judge`s, or a mapping as in a spec file; `waive` names those that may ship uncalibrated.
    `margin` is in the metric's unit (for rates a fraction), money in US dollars. Answers are kept in `home` (default:
    the nearest `.boxscore`) and reused for a day unless `fresh`; `retry_errors` takes the last runs of this very
    comparison up again and asks their errors alone. Raises the leaves of `boxscore.errors.BoxscoreError`. Not for use
    inside a running event loop: call it in a thread there.
    """
    if spec is not None:
        where = None if home is None else Path(home)
        file = None if baseline_file is None else Path(baseline_file)
        return compare_spec(
            load_spec(spec),
            home=where,
            fresh=fresh,
            retry_errors=retry_errors,
            baseline_file=file,
            progress=progress,
        )[0]
    if baseline_file is not None:
        raise SpecError("a baseline file belongs to a spec, and there is none: name it first.", key="baseline_file")
    made = make_scorers(scorers)
    asked = _judges(judges, Path.cwd())
    decided_by = make_rule(
        [*(scorer.metric for scorer in made), *(metric for judge in asked for metric in judge.metrics)],
        metric=metric,
        kind=rule,
        margin=margin,
        alpha=alpha,
        usd_per_success=usd_per_success,
        guards=guards,
        waive=waive,
    )
    if baseline is None or candidate is None:
        missing = "baseline" if baseline is None else "candidate"
        raise SpecError("a comparison needs a baseline and a candidate.", key=missing)
    if recordings is not None:
        if asked:
            raise SpecError("judges are asked about live answers, and recordings are scored as they are.", key="judges")
        if not isinstance(baseline, str) or not isinstance(candidate, str):
            raise SpecError("with recordings, baseline and candidate are names of models in the file.", key="baseline")
        return compare_recordings(
            recordings,
            baseline=baseline,
            candidates=[candidate],
            scorers=made,
            rule=decided_by,
            slices=slices,
            cluster=cluster,
            seed=seed,
        )[0]
    if dataset is None:
        raise SpecError("name a spec, a dataset or recordings: there is nothing to compare on.", key="dataset")
    variants = {"baseline": _variant("baseline", baseline), "candidate": _variant("candidate", candidate)}
    return compare_variants(
        variants,
        _dataset(dataset, cluster, slices),
        made,
        decided_by,
        baseline="baseline",
        candidates=["candidate"],
        judges=asked,
        home=Path(home) if home is not None else settings.home(),
        effort=Effort(
            concurrency=concurrency or settings.load().concurrency,
            repeats=repeats,
            spend_cap_usd=spend_cap_usd,
            max_age_s=settings.load().reuse_max_age_s,
            fresh=fresh,
            retry_errors=retry_errors,
            stop_early=stop_early,
        ),
        slices=slices,
        seed=seed,
        progress=progress,
    )[0]


def compare_spec(
    spec: Spec,
    *,
    home: Path | None = None,
    limit: int | None = None,
    fresh: bool = False,
    retry_errors: bool = False,
    baseline_file: Path | None = None,
    command: str | None = None,
    progress: ProgressOf | None = None,
) -> list[Comparison]:
    """One comparison per candidate of a spec; `limit` takes only the first examples of its dataset. With
    `baseline_file` the baseline is what stands there (`boxscore.experiments.baseline`), and only candidates are run."""
    spec = spec if baseline_file is None else spec.against_file(())
    names = (spec.baseline, *spec.candidates)
    if not spec.candidates:
        raise SpecError("has one variant, and a comparison needs two.", key="variants", path=spec.path)
    dataset = spec.read_dataset(home=home)
    if limit is not None:
        dataset = dataset.subset([example.id for example in dataset.examples[:limit]])
    variants = {name: variant_from_spec(name, spec.variants[name], spec.folder) for name in names}
    standing = None if baseline_file is None else _stand(spec, baseline_file, dataset, variants)
    configured = settings.load()
    return compare_variants(
        variants,
        dataset,
        spec.scorers,
        spec.rule,
        baseline=spec.baseline,
        candidates=spec.candidates,
        standing=standing,
        judges=_judges(spec.judges, spec.folder),
        home=home or settings.home(configured),
        effort=Effort(
            concurrency=spec.concurrency or configured.concurrency,
            repeats=spec.repeats,
            spend_cap_usd=spec.spend_cap_usd,
            max_age_s=configured.reuse_max_age_s if spec.max_age_s is None else spec.max_age_s,
            fresh=fresh,
            retry_errors=retry_errors,
            stop_early=spec.stop_early,
            book=None if spec.prices is None else PriceBook.load(spec.prices),
        ),
        slices=spec.slices,
        command=command,
        seed=spec.seed,
        progress=progress,
    )


def _stand(spec: Spec, path: Path, dataset: Dataset, variants: Mapping[str, Variant]) -> Standing:
    """The baseline of a file, under a name that no candidate has, with what its identity says beside theirs."""
    again = f"boxscore run {spec.path} --variant {spec.baseline} --write-baseline {path}"
    baseline = read_baseline(path, again=again)
    standing = stand(
        baseline,
        dataset,
        spec.scorers,
        path=path,
        folder=spec.folder,
        again=again,
        now=utc_now(),
        timed=spec.rule.kind == "noninferiority" or any("latency" in guard.metric for guard in spec.rule.guards),
    )
    was, warnings = baseline.variant, list(standing.warnings)
    own = None if spec.baseline in spec.candidates else variants[spec.baseline].info
    if own is not None and own.name == was.name and own.hash != was.hash:
        warnings.append(f"{was.name} of the spec is another than in {path.name}; what is compared is that of the file.")
    for name in spec.candidates:
        if variants[name].info.hash == was.hash:
            warnings.append(f"{name} is what {path.name} has, unchanged: any difference is chance, or its provider's.")
    if was.name in spec.candidates:
        renamed = msgspec.structs.replace(was, name=f"{was.name} ({path.name})")
        standing = standing._replace(run=msgspec.structs.replace(standing.run, variant=renamed))
    return standing._replace(warnings=tuple(warnings))


def _variant(role: str, given: str | VariantLike) -> Variant:
    if isinstance(given, Variant):
        return given
    if isinstance(given, Mapping):
        return variant_from_spec(role, dict(cast("Mapping[str, Json]", given)), Path.cwd())
    if callable(given):
        return CallableVariant(given, name=role)
    raise SpecError(f"{given!r} is a name, and names belong to recordings: give a function or a mapping.", key=role)


def _judges(given: Sequence[Judge] | Mapping[str, Mapping[str, Json]], folder: Path) -> list[Judge]:
    if isinstance(given, Mapping):
        return [judge_from_spec(name, mapping, folder) for name, mapping in given.items()]
    return list(given)


def _dataset(rows: Rows, cluster: str | None, slices: Sequence[str]) -> Dataset:
    if isinstance(rows, Dataset):
        return rows
    if isinstance(rows, str | Path):
        return load_dataset(rows, cluster=cluster, slices=slices)
    return from_rows(rows, cluster=cluster, slices=slices)
