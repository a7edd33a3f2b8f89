"""Comparing models over recordings: answers that are there already."""

from collections.abc import Sequence
from pathlib import Path

from boxscore.errors import SpecError, UnknownNameError
from boxscore.experiments.comparison import Circumstances, Comparison
from boxscore.experiments.recordings import load_recordings
from boxscore.experiments.verdict import Rule
from boxscore.scoring import Scorer


def compare_recordings(
    path: str | Path,
    *,
    baseline: str,
    candidates: Sequence[str],
    scorers: Sequence[Scorer],
    rule: Rule,
    slices: Sequence[str] = (),
    cluster: str | None = None,
    command: str | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """One comparison per candidate model of the file. All its other models are shown beside them."""
    recordings = load_recordings(path, cluster=cluster, slices=slices)
    for name in (baseline, *candidates):
        if name not in recordings.models():
            raise UnknownNameError("model", name, recordings.models(), where=str(path))
        if name == baseline and name in candidates:
            raise SpecError(f"{name!r} is baseline and candidate: name two models.", key="candidate")
    runs = {name: recordings.run(name, scorers) for name in recordings.models()}
    around = Circumstances(
        warnings=recordings.warnings,
        command=command,
        seed=seed,
        dataset_total=len(recordings.dataset),
        slices=slices,
        also=tuple(run for name, run in runs.items() if name != baseline and name not in candidates),
    )
    from boxscore.experiments.comparing import compare_many

    return compare_many(runs[baseline], [runs[name] for name in candidates], rule, around)
