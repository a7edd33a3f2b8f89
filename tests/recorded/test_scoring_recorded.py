"""Scorers against recorded answers: published accuracies, people's labels, planted mistakes."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.recorded

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "agreement.py"
Recorded = Callable[[str], Path]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_agreement", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("scorer", "percent"),
    [
        ("choice:yes,no", (52.9, 76.1, 84.0, 51.1)),
        ("choice:yes,no,pick=listed", (49.6, 76.2, 84.0, 51.1)),
        ("choice:yes,no,pick=marked", (51.8, 68.0, 84.0, 50.2)),
    ],
)
def test_accuracy_on_primes_depends_on_the_rule_as_published(
    bench: ModuleType, recorded: Recorded, scorer: str, percent: tuple[float, ...]
) -> None:
    totals = bench.totals(recorded("generations/llmdrift_prime.jsonl"), scorer)

    got = tuple(100 * totals[model][0] / totals[model][1] for model in bench.MODELS)
    assert got == pytest.approx(percent, abs=0.2)


def test_code_that_parses_as_it_stands(bench: ModuleType, recorded: Recorded) -> None:
    path = recorded("generations/llmdrift_leetcode_easy.jsonl")

    parses = bench.totals(path, "parses_as_python")
    ran = bench.recorded_totals(path, "directly_executable")

    assert [parses[model] for model in bench.MODELS] == [(19, 50), (1, 50), (46, 50), (6, 50)]
    assert [ran[model] for model in bench.MODELS] == [11, 1, 26, 5]


def test_parameter_free_instruction_rules_agree_with_the_recorded_strict_labels(
    bench: ModuleType, recorded: Recorded
) -> None:
    rules = bench.instruction_rules(recorded("generations/mifeval.jsonl"))

    assert set(rules) == {
        "no_comma", "quotation", "title", "english_capital", "english_lowercase", "json_format", "two_responses",
        "postscript", "constrained_response",
    }  # fmt: skip
    assert sum(agreed for agreed, _ in rules.values()) >= 0.97 * sum(count for _, count in rules.values())
    assert {rule: got for rule, got in rules.items() if got[0] < 0.93 * got[1]} == {}


@pytest.mark.parametrize("file", ["xstest_mistralguard", "xstest_mistralinstruct"])
@pytest.mark.parametrize("held_out", [False, True])
def test_refusals_agree_with_people_better_than_the_recorded_judges(
    bench: ModuleType, recorded: Recorded, file: str, held_out: bool
) -> None:
    keep = bench.held_out if held_out else lambda at: True

    judged = bench.refusals(recorded(f"refusals/{file}.jsonl"), "full or partial", keep=keep)

    ours = judged.pop("boxscore refusal")
    assert ours.agree > max(judge.agree for judge in judged.values())
    assert ours.kappa > max(judge.kappa for judge in judged.values()) + 0.08


@pytest.mark.parametrize("file", ["bfcl_simple_python", "bfcl_live_simple"])
def test_every_accepted_call_passes_and_every_planted_mistake_fails(
    bench: ModuleType, recorded: Recorded, file: str
) -> None:
    kinds = bench.tools(recorded(f"tools/{file}.jsonl"))

    right = {kind for kind in kinds if kind.startswith("accepted")}
    assert {kind: got for kind, got in kinds.items() if kind in right and got[0] != got[1]} == {}
    assert {kind: got for kind, got in kinds.items() if kind not in right and got[0] != 0} == {}
    assert {kind for kind in kinds if kind not in right} == {
        "wrong name", "missing required argument", "wrong value", "extra unknown argument", "wrong type",
        "wrong order of two calls",
    }  # fmt: skip
    assert all(count >= 100 for _, count in kinds.values())


@pytest.mark.parametrize("code", ["en", "de", "es"])
def test_languages_are_told_apart(bench: ModuleType, recorded: Recorded, code: str) -> None:
    told = bench.languages(recorded(f"rag/xquad_{code}.jsonl"), code)

    assert told["passages"][0] >= 0.99 * told["passages"][1]
    assert told["questions"][0] >= 0.97 * told["questions"][1]


def test_numbers_in_free_text_are_equal_where_both_models_were_right(bench: ModuleType, recorded: Recorded) -> None:
    by_outcome = bench.numbers(recorded("routing/gsm8k.jsonl"))

    equal, count = by_outcome[(True, True)]
    assert equal >= 0.99 * count
    for mixed in ((True, False), (False, True)):
        equal, count = by_outcome[mixed]
        assert equal <= 0.35 * count
