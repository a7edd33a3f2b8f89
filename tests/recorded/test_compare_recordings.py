"""The verdicts on recorded answers: published accuracies, to the tenth of a point."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from boxscore.cli import cli
from boxscore.experiments.recorded import compare_recordings
from boxscore.experiments.rule import make_rule
from boxscore.experiments.verdict import Verdict
from boxscore.scoring import make_scorers

pytestmark = pytest.mark.recorded
Find = Callable[[str], Path]
PRIMES = "generations/llmdrift_prime.jsonl"
OLD, NEW = "gpt-3.5-turbo-0301", "gpt-4-0314"


def primes(recorded: Find, baseline: str, candidate: str, scorer: str = "choice:yes,no", **rule: object) -> Verdict:
    scorers = make_scorers([scorer])
    return compare_recordings(
        recorded(PRIMES),
        baseline=baseline,
        candidates=[candidate],
        scorers=scorers,
        rule=make_rule([scorer.metric for scorer in scorers], **rule),  # pyright: ignore[reportArgumentType]
    )[0].verdict


@pytest.mark.parametrize(
    ("scorer", "accuracies"),
    [
        ("choice:yes,no", (52.9, 76.1, 84.0, 51.1)),
        ("choice:yes,no,pick=listed", (49.6, 76.2, 84.0, 51.1)),
        ("choice:yes,no,pick=marked", (51.8, 68.0, 84.0, 50.2)),
    ],
)
def test_accuracy_depends_on_the_rule_that_reads_the_answer(
    recorded: Find, scorer: str, accuracies: tuple[float, ...]
) -> None:
    verdict = primes(recorded, OLD, NEW, scorer)
    rows = {row.name: row for row in (verdict.baseline, verdict.candidate, *verdict.also_run)}

    found = [100 * rows[name].metrics["choice"].value for name in (OLD, "gpt-3.5-turbo-0613", NEW, "gpt-4-0613")]

    assert found == pytest.approx(accuracies, abs=0.2)


def test_the_report_says_which_rule_read_the_answers(recorded: Find) -> None:
    verdict = primes(recorded, OLD, NEW)

    assert verdict.provenance is not None
    assert any("pick=last" in scorer for scorer in verdict.provenance.scorers)


def test_the_upgrade_ships_with_its_price(recorded: Find) -> None:
    verdict = primes(recorded, OLD, NEW)

    assert verdict.verdict == "ship"
    gain = verdict.comparisons[0]
    assert gain.low < 0.311 < gain.high
    assert verdict.cost is not None
    assert verdict.cost.low < 13.31 < verdict.cost.high
    assert verdict.cost.per_extra_success_low is not None
    assert verdict.cost.per_extra_success_high is not None
    assert verdict.cost.per_extra_success_usd == pytest.approx(13.31 / 311, rel=0.01)
    assert verdict.cost.per_extra_success_low < 13.31 / 311 < verdict.cost.per_extra_success_high


def test_the_silent_update_is_rejected(recorded: Find) -> None:
    verdict = primes(recorded, NEW, "gpt-4-0613")

    assert verdict.verdict == "reject"
    assert len(verdict.regressions) > 400


def test_a_slice_hidden_in_the_gain_is_found(recorded: Find) -> None:
    verdict = primes(recorded, OLD, NEW)

    worst = verdict.slices[0]
    assert (worst.slice, worst.shown) == ("reference", "worse")


def test_the_command_prints_the_contract_and_leaves_with_its_code(recorded: Find) -> None:
    arguments = ["--recordings", str(recorded(PRIMES)), "--baseline", NEW, "--candidate", "gpt-4-0613"]

    result = CliRunner().invoke(
        cli, ["compare", *arguments, "--scorer", "choice:yes,no", "--json"], standalone_mode=False
    )

    assert result.return_value == 1
    verdict = json.loads(result.stdout)
    assert verdict["verdict"] == "reject"
    assert set(verdict) >= {
        "verdict", "reason", "rule", "dataset", "baseline", "candidate", "comparisons", "cost", "latency", "needs",
        "slices", "regressions", "warnings",
    }  # fmt: skip
    assert set(verdict["rule"]) >= {"metric", "kind", "margin", "alpha", "usd_per_success", "guards"}
    assert set(verdict["baseline"]) >= {
        "name", "hash", "model", "metrics", "cost_per_1k_usd", "latency_p50_s", "latency_p95_s", "tokens_in",
        "tokens_out", "errors",
    }  # fmt: skip


def test_code_that_parses_as_it_stands(recorded: Find) -> None:
    scorers = make_scorers(["parses_as_python"])
    verdict = compare_recordings(
        recorded("generations/llmdrift_leetcode_easy.jsonl"),
        baseline="gpt-4-0314",
        candidates=["gpt-4-0613"],
        scorers=scorers,
        rule=make_rule([scorer.metric for scorer in scorers]),
    )[0].verdict
    rows = {row.name: row for row in (verdict.baseline, verdict.candidate, *verdict.also_run)}

    found = [
        round(50 * rows[name].metrics["parses_as_python"].value)
        for name in (OLD, "gpt-3.5-turbo-0613", NEW, "gpt-4-0613")
    ]

    assert found == [19, 1, 46, 6]
    assert verdict.verdict == "reject"
