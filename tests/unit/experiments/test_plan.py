"""A plan says before anything is spent whether a dataset can show the margin asked for, and CI can hold it to that."""

import json
from pathlib import Path

import pytest

from boxscore.cli import main
from boxscore.datasets import Example
from boxscore.experiments.plan import Plan, plan
from boxscore.experiments.verdict import Rule
from boxscore.scoring import Metric

RATE = Metric(name="exact")


def planned(size: int, rule: Rule, *, each: int = 1, metric: Metric = RATE, variants: int = 2) -> Plan:
    """Of `size` examples in clusters of `each`."""
    rows = [Example(id=str(n), cluster=None if each == 1 else str(n // each)) for n in range(size)]
    return plan("rows", rows, metric, rule, variants=variants)


NONINFERIORITY = Rule(metric="exact", kind="noninferiority", margin=0.05)
SUPERIORITY = Rule(metric="exact", margin=0.05)


@pytest.mark.parametrize("rule", [NONINFERIORITY, SUPERIORITY])
@pytest.mark.parametrize("each", [1, 4])
def test_the_number_that_is_needed_is_enough_and_a_tenth_less_is_not(rule: Rule, each: int) -> None:
    small = planned(80, rule, each=each)
    assert small.enough is False
    assert small.examples_needed is not None

    assert planned(small.examples_needed, rule, each=each).enough is True
    assert planned(small.examples_needed * 9 // 10, rule, each=each).enough is False


@pytest.mark.parametrize(("size", "enough"), [(300, False), (2000, True)])
def test_enough_is_what_the_lines_say(size: int, enough: bool) -> None:
    found = planned(size, NONINFERIORITY)
    usual = next(line.detectable for line in found.lines if line.changed == 0.2)

    assert usual is not None
    assert found.enough is enough is (usual <= 0.05)
    assert (found.examples_needed is None) is enough


def test_clusters_and_further_candidates_need_more() -> None:
    alone = planned(80, NONINFERIORITY).examples_needed
    clustered = planned(80, NONINFERIORITY, each=4).examples_needed
    several = planned(80, NONINFERIORITY, variants=4).examples_needed

    assert alone is not None
    assert clustered is not None
    assert several is not None
    assert clustered > alone < several


@pytest.mark.parametrize(
    ("rule", "metric"),
    [
        (Rule(metric="exact"), RATE),
        (Rule(metric="exact", kind="value", usd_per_success=0.1), RATE),
        (Rule(metric="tokens", margin=3.0), Metric(name="tokens", kind="amount")),
    ],
)
def test_where_no_margin_is_asked_or_nothing_can_be_told_it_is_neither(rule: Rule, metric: Metric) -> None:
    found = planned(50, rule, metric=metric)

    assert (found.enough, found.examples_needed) == (None, None)


def test_too_few_to_decide_anything_are_too_few_whatever_is_asked() -> None:
    found = planned(10, Rule(metric="exact"))

    assert (found.enough, found.examples_needed) == (False, 20)
    assert found.reason.endswith("20 are the least. About 20 examples are needed.")


def test_a_margin_out_of_reach_has_no_number() -> None:
    found = planned(50, Rule(metric="exact", kind="noninferiority", margin=0.0001))

    assert (found.enough, found.examples_needed) == (False, None)


@pytest.mark.parametrize(("margin", "code"), [("0.05", 3), ("0.5", 0)])
def test_the_command_leaves_with_3_where_the_dataset_is_too_small(
    margin: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ({"inputs": {"n": n}, "reference": "a"} for n in range(60))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "boxscore.yaml").write_text(
        "dataset: rows.jsonl\nscorers: exact\nvariants:\n  a: {command: echo a}\n  b: {command: echo b}\n"
    )
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as left:
        main(["compare", "--plan", "--json", "--rule", "noninferiority", "--margin", margin])

    found = json.loads(capsys.readouterr().out)
    assert left.value.code == code
    assert found["enough"] is (code == 0)
    assert (found["examples_needed"] is None) is (code == 0)
