"""The recorded generations load whole, fast, and with nothing lost."""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from boxscore.experiments.recordings import load_recordings

pytestmark = pytest.mark.recorded


@pytest.mark.parametrize(
    ("name", "cases", "models"),
    [
        ("generations/llmdrift_prime.jsonl", 1000, 4),
        ("generations/llmdrift_leetcode_easy.jsonl", 50, 4),
        ("generations/mifeval.jsonl", 541, 4),
    ],
)
def test_every_row_is_a_trial_with_its_own_values(
    recorded: Callable[[str], Path], name: str, cases: int, models: int
) -> None:
    path = recorded(name)
    rows = [json.loads(line, parse_float=Decimal) for line in path.read_bytes().splitlines()]

    recordings = load_recordings(path)
    runs = {model: recordings.run(model, []) for model in recordings.models()}

    assert (len(recordings.dataset), len(runs), recordings.warnings) == (cases, models, ())
    assert sum(len(run.trials) for run in runs.values()) == len(rows)
    trials = {(model, trial.example_id): trial.response for model, run in runs.items() for trial in run.trials}
    examples = {example.id: example for example in recordings.dataset.examples}
    for row in rows:
        response = trials[row["model"], row["case_id"]]
        assert response.output == row["output"]
        assert response.cost_usd == row["cost_usd"]
        assert response.latency_s == (None if row["latency_s"] is None else float(row["latency_s"]))
        assert (response.usage and response.usage.output_tokens) == row["tokens_out"]
        example = examples[row["case_id"]]
        assert example.reference == row["reference"]
        assert example.inputs == ({} if row["prompt"] is None else {"prompt": row["prompt"]})
        assert not set(row["labels"]) & set(example.metadata)


def test_four_thousand_answers_are_read_in_under_a_second_of_cpu(recorded: Callable[[str], Path]) -> None:
    path = recorded("generations/llmdrift_prime.jsonl")

    begin = time.process_time()
    load_recordings(path)

    assert time.process_time() - begin < 1.0
