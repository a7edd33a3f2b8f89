"""Two readings of verdicts that could not be had: as failures, or left out. A decision has to stand in both.

A judge that is down says nothing on either side, and two columns of failures look alike: under a rule that asks for no
worse they would ship.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from boxscore.experiments.decision import Condition, Grounds
from boxscore.experiments.table import PairedTable, pair
from boxscore.experiments.trial import Run
from boxscore.experiments.verdict import Rule

Decide = Callable[[PairedTable], Grounds | None]
"""Decides a part of a table; None where it says nothing of the primary metric."""


def stands(grounds: Grounds, table: PairedTable, rule: Rule, decide: Decide) -> Grounds:
    """The grounds as they are, or undecided by a condition "judged" where leaving out what was not judged would decide
    otherwise."""
    if grounds.decision == "undecided":
        return grounds
    asked = {rule.metric, *(guard.metric for guard in rule.guards)}
    missing = np.zeros(len(table.examples), dtype=np.bool_)
    for name in asked & {metric.name for metric in table.metrics}:
        missing |= table.baseline.unjudged[name] | table.candidate.unjudged[name]
    if not missing.any():
        return grounds
    judged = {example.id for example, gone in zip(table.examples, missing, strict=True) if not gone}
    other = decide(pair(_only(table.baseline.run, judged), _only(table.candidate.run, judged))) if judged else None
    if other is not None and other.decision == grounds.decision:
        return grounds
    condition = Condition(role="judged", metric=rule.metric, outcome="undecided")
    return msgspec.structs.replace(
        grounds, decision="undecided", decided_by=condition, conditions=(*grounds.conditions, condition)
    )


def _only(run: Run, ids: set[str]) -> Run:
    return msgspec.structs.replace(
        run,
        examples=tuple(example for example in run.examples if example.id in ids),
        trials=tuple(trial for trial in run.trials if trial.example_id in ids),
    )
