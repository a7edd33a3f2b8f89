"""Recalling a verdict from the records store, with its answers."""

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from boxscore.experiments.baseline import NOT_KEPT
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.evidence import gather
from boxscore.experiments.journal import load_run
from boxscore.experiments.measures import gain
from boxscore.experiments.table import PairedTable, pair
from boxscore.experiments.trial import Run
from boxscore.experiments.verdict import Evidence, Side, Verdict
from boxscore.scoring.scorer import Metric

if TYPE_CHECKING:
    from boxscore.store.records import Records, VerdictRow


class Recalled(NamedTuple):
    """A comparison read again, with the table of its rows; None where the baseline stood in a file."""

    comparison: Comparison
    table: PairedTable | None


def recall(records: "Records", verdict_id: str) -> Comparison:
    """The verdict as it was printed then; its evidence is read from the runs again, all pairs of it.

    Raises `UnknownNameError` where there is no such verdict.
    """
    return recalled(records, records.verdict(verdict_id)).comparison


def recalled(records: "Records", row: "VerdictRow") -> Recalled:
    verdict = msgspec.json.decode(row.content_json, type=Verdict)
    if row.candidate_run is None:
        return Recalled(Comparison(verdict, Evidence()), None)
    if row.baseline_run is None:
        return Recalled(Comparison(verdict, _one_sided(load_run(records, row.candidate_run), verdict)), None)
    judged = judge_metrics(verdict)
    table = pair(load_run(records, row.baseline_run, judged), load_run(records, row.candidate_run, judged))
    metric = table.metric(verdict.rule.metric)
    evidence = gather(table, metric.name, gain(table, metric), most=len(table.examples))
    return Recalled(Comparison(verdict, evidence), table)


def judge_metrics(verdict: Verdict) -> tuple[Metric, ...]:
    """The metrics that judges added to the runs after these had ended."""
    return tuple(
        Metric(name=name, kind=value.kind, better=value.better, judge=judge.name, pairwise=judge.kind == "pairwise")
        for judge in verdict.judges
        for name in judge.metrics
        if (value := verdict.candidate.metrics.get(name)) is not None
    )


def _one_sided(run: Run, verdict: Verdict) -> Evidence:
    """The candidate's answers beside a baseline that stood in a file, which keeps none. What became of each is known
    from the verdict, worst first."""
    gains = dict.fromkeys((example.id for example in run.examples), 0.0)
    gains |= {id: float(rank - len(verdict.regressions)) for rank, id in enumerate(verdict.regressions)}
    gains |= {id: float(len(verdict.improvements) - rank) for rank, id in enumerate(verdict.improvements)}
    table = pair(run, run)
    ordered = np.array([gains[example.id] for example in table.examples])
    found = gather(table, verdict.rule.metric, ordered, most=len(table.examples))
    bare = Side(output=NOT_KEPT)
    return msgspec.structs.replace(
        found, pairs=tuple(msgspec.structs.replace(one, baseline=bare) for one in found.pairs)
    )
