"""Recalling a verdict from the records store, with its answers."""

from typing import TYPE_CHECKING

import msgspec

from boxscore.experiments.comparison import Comparison
from boxscore.experiments.evidence import gather
from boxscore.experiments.journal import load_run
from boxscore.experiments.measures import gain
from boxscore.experiments.table import pair
from boxscore.experiments.verdict import Evidence, Verdict
from boxscore.scoring.scorer import Metric

if TYPE_CHECKING:
    from boxscore.store.records import Records


def recall(records: "Records", verdict_id: str) -> Comparison:
    """The verdict as it was printed then; its evidence is read from the runs again, all pairs of it.

    Raises `UnknownNameError` where there is no such verdict.
    """
    row = records.verdict(verdict_id)
    verdict = msgspec.json.decode(row.content_json, type=Verdict)
    if row.baseline_run is None or row.candidate_run is None:
        return Comparison(verdict, Evidence())
    judged = judge_metrics(verdict)
    table = pair(load_run(records, row.baseline_run, judged), load_run(records, row.candidate_run, judged))
    metric = table.metric(verdict.rule.metric)
    return Comparison(verdict, gather(table, metric.name, gain(table, metric), most=len(table.examples)))


def judge_metrics(verdict: Verdict) -> tuple[Metric, ...]:
    """The metrics that judges added to the runs after these had ended."""
    return tuple(
        Metric(name=name, kind=value.kind, better=value.better, judge=judge.name, pairwise=judge.kind == "pairwise")
        for judge in verdict.judges
        for name in judge.metrics
        if (value := verdict.candidate.metrics.get(name)) is not None
    )
