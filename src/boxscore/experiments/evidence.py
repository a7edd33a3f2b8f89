"""Evidence: the answers and latencies that a verdict rests on, for people to look at."""

from collections import defaultdict

import numpy as np

from boxscore.experiments.table import Column, Floats, PairedTable
from boxscore.experiments.trial import Trial
from boxscore.experiments.verdict import Evidence, Pair, Side

MOST_PAIRS = 200
"""Answers side by side that are kept for the reports; the verdict itself has the ids of all that changed."""


def gather(table: PairedTable, metric: str, gains: Floats, *, most: int = MOST_PAIRS) -> Evidence:
    """`gains` has shape (examples,): candidate − baseline on the primary metric, more is better, NaN where unknown.

    The pairs that lost most come first, then those that gained most; ties fill up what is left of `most`.
    """
    sides = [_first_trials(column) for column in (table.baseline, table.candidate)]
    lost = [int(i) for i in np.argsort(gains, kind="stable") if gains[i] < 0]
    gained = [int(i) for i in np.argsort(-gains, kind="stable") if gains[i] > 0]
    tied = [int(i) for i in np.nonzero(~(gains != 0))[0]]
    all_fit = len(table.examples) <= most
    chosen = lost + gained + tied if all_fit else (lost[: most // 2] + gained[: most // 4] + tied)[:most]
    outcomes = {**dict.fromkeys(lost, "worse"), **dict.fromkeys(gained, "better")}
    pairs = tuple(
        Pair(
            example_id=(example := table.examples[i]).id,
            outcome=outcomes.get(i, "tied"),  # pyright: ignore[reportArgumentType]
            inputs=example.inputs,
            reference=example.reference,
            slices=example.slices,
            baseline=_side(sides[0].get(example.id), metric, table.baseline.values[metric][i]),
            candidate=_side(sides[1].get(example.id), metric, table.candidate.values[metric][i]),
        )
        for i in chosen
    )
    latencies = {
        column.run.variant.name: tuple(column.latency[~np.isnan(column.latency)].tolist())
        for column in (table.baseline, table.candidate)
    }
    return Evidence(latencies=latencies, pairs=pairs)


def _first_trials(column: Column) -> dict[str, Trial]:
    trials: dict[str, list[Trial]] = defaultdict(list)
    for trial in column.run.trials:
        trials[trial.example_id].append(trial)
    return {example: min(several, key=lambda trial: trial.repeat) for example, several in trials.items()}


def _side(trial: Trial | None, metric: str, value: float) -> Side:
    mean = None if np.isnan(value) else float(value)
    if trial is None:
        return Side(output="", value=mean, error="not run")
    response = trial.response
    score = trial.scores.get(metric)
    return Side(
        output=response.output or "\n".join(f"{call.name}({call.arguments})" for call in response.tool_calls),
        value=mean,
        label=score.label if score else None,
        note=score.note if score else None,
        tokens_out=response.usage.output_tokens if response.usage else None,
        cost_usd=None if response.cost_usd is None else float(response.cost_usd),
        latency_s=response.latency_s,
        error=response.error.message if response.error else None,
    )
