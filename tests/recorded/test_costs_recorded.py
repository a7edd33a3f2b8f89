"""Recorded bills: every reading, every price, and no difference left unexplained."""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from boxscore.costs import events_of, normalise, read_body
from boxscore.errors import UnreadableUsageError

pytestmark = pytest.mark.recorded

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "costs.py"
Recorded = Callable[[str], Path]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_costs", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(recorded: Recorded) -> Path:
    recorded("costs/genai_usages.jsonl")
    return Path(os.environ["BOXSCORE_DATA"])


def test_the_usage_of_every_row_is_read_as_recorded(bench: ModuleType, data: Path) -> None:
    rows, bad = bench.readings_not_equal(data)

    assert rows == 696
    assert bad == []


def test_the_usage_by_each_providers_api_is_one_of_the_recorded_readings(bench: ModuleType, data: Path) -> None:
    strange = [case for case in bench.cases(data) if bench.counts(case.usage) not in case.readings]

    assert strange == []


def test_the_price_is_the_due_one_wherever_the_price_row_did_not_change(bench: ModuleType, data: Path) -> None:
    cases = list(bench.cases(data))
    changed = bench.differences(data)

    assert len(cases) == 1_819
    assert [d for d in changed if not d.then] == []
    assert sum(case.equal for case in cases) + sum(d.rows for d in changed) == 1_819
    assert sum(case.equal for case in cases) >= 0.96 * 1_819


def test_no_price_is_other_than_the_librarys_at_any_of_three_moments(bench: ModuleType, data: Path) -> None:
    for at in (bench.AT, *bench.OTHER_MOMENTS):
        assert bench.library_disagreements(data, at) == []


def test_the_page_names_every_price_row_that_changed(bench: ModuleType, data: Path) -> None:
    page = (BENCHMARK.parents[1] / "docs" / "benchmarks.md").read_text(encoding="utf-8")

    for difference in bench.differences(data):
        assert f"| {difference.now} | {difference.then} |" in page


def test_every_recorded_answer_with_usage_is_read_and_streams_agree_with_their_last_word(recorded: Recorded) -> None:
    read = refused = 0
    for name in ("wire/openllmetry.jsonl", "wire/otel_contrib.jsonl"):
        for line in recorded(name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            body = events_of(row["raw"]) if row["stream"] and row.get("raw") else row.get("response")
            if (row["status"] or 200) >= 400 or not body:
                continue
            try:
                reading = read_body(body)
            except UnreadableUsageError:
                # What carries none: streams that were not asked for it, old Bedrock bodies, errors, reranking.
                assert '_tokens":' not in json.dumps(body).replace("max_tokens", "").replace("num_tokens", "")
                refused += 1
                continue
            read += 1
            if row["stream"] and reading.dialect != "anthropic":
                last = next(e for e in reversed(body) if _has_usage(e))
                assert normalise(last) == reading.usage

    assert read > 600
    assert refused < 130


def _has_usage(event: object) -> bool:
    try:
        normalise(event)
    except UnreadableUsageError:
        return False
    return True
