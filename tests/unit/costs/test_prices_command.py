"""`boxscore prices` and `boxscore models`, as a user calls them."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boxscore.cli.models import models
from boxscore.cli.prices import prices
from boxscore.errors import BoxscoreError, DatasetError, FileError, UnknownNameError, UnknownPriceError, UsageError
from boxscore.models.tiny import MODELS
from boxscore.store.records import ExampleRow, Records, ResponseRow, RunRow, TrialRow, VariantRow


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BOXSCORE_PRICES", raising=False)


def call(*arguments: str, stdin: str | None = None) -> Result:
    """The command with these arguments; its own errors are raised."""
    result = CliRunner().invoke(prices, arguments, input=stdin)
    if isinstance(result.exception, BoxscoreError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def call_models(*arguments: str) -> Result:
    result = CliRunner().invoke(models, arguments)
    if isinstance(result.exception, BoxscoreError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_a_price_is_shown_at_a_date() -> None:
    before = json.loads(call("o3", "--at", "2025-06-09", "--json").stdout)
    after = json.loads(call("o3", "--at", "2025-06-10", "--json").stdout)

    assert (before["price"]["rates"]["input"]["usd"], after["price"]["rates"]["input"]["usd"]) == (10, 2)
    assert after["price"]["ref"].startswith("genai-prices/openai/o3/1@")
    assert [step["from"] for step in after["history"]] == [None, "2025-06-10"]


def test_the_table_fits_eighty_columns_and_marks_the_row_that_holds() -> None:
    out = call("gemini-2.5-pro", "--at", "2025-10-15").stdout + call("o3", "--at", "2025-10-15").stdout

    assert "above 200,000 input tokens, then for all" in out
    assert any(line.startswith("from 2025-06-10") and line.endswith("<") for line in out.splitlines())
    assert max(map(len, out.splitlines())) <= 80


def test_the_way_of_serving_changes_the_price() -> None:
    flex = json.loads(call("gpt-5", "--tier", "flex", "--at", "2026-11-01", "--json").stdout)
    batch = json.loads(call("claude-sonnet-4-5", "--tier", "batch", "--at", "2026-11-01", "--json").stdout)

    assert flex["price"]["context"] == {"service_tier": "flex"}
    assert batch["price"]["rates"]["input"]["usd"] == 1.5


def test_an_unknown_model_names_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="'gpt-4o'"):
        call("gpt-4oo")


def test_a_model_of_several_sellers_asks_which() -> None:
    with pytest.raises(UsageError, match="--provider"):
        call("meta-llama/llama-3.3-70b-instruct")


def test_one_usage_object_is_priced_with_its_parts() -> None:
    body = {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 200}}

    text = call("--usage", "-", "--at", "2025-10-15", stdin=json.dumps(body)).stdout
    found = json.loads(call("--usage", "-", "--at", "2025-10-15", "--json", stdin=json.dumps(body)).stdout)

    assert "0.0045 US dollars" in text
    assert found["total_usd"] == 0.0045
    assert found["rows"][0]["cost"]["parts"][0] == {
        "kind": "input",
        "count": 1000,
        "usd_per_unit": 2.5,
        "per": 1_000_000,
        "usd": 0.0025,
    }


def test_a_bare_usage_object_takes_its_model_from_the_command() -> None:
    text = call("gpt-4o", "--usage", "-", stdin='{"prompt_tokens": 1000000, "completion_tokens": 0}').stdout

    assert "2.5 US dollars" in text


def test_a_file_of_bodies_is_priced_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "bodies.jsonl"
    rows = [
        {"model": "gpt-4o", "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0}},
        {
            "provider": "anthropic",
            "body": {"model": "claude-haiku-4-5", "usage": {"input_tokens": 10**6, "output_tokens": 0}},
        },
        {"model": "house-model", "usage": {"prompt_tokens": 5, "completion_tokens": 5}},
    ]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")

    result = call("--usage", str(file), "--at", "2025-10-15")
    found = json.loads(call("--usage", str(file), "--at", "2025-10-15", "--json").stdout)

    assert [row["cost"] and row["cost"]["total_usd"] for row in found["rows"]] == [2.5, 1, None]
    assert "3.5" in result.stdout
    assert "no price is known for 1 of 3, the first 'house-model', line 3" in result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_recorded_stream_is_priced(tmp_path: Path) -> None:
    file = tmp_path / "stream.txt"
    file.write_text(
        'data: {"model": "gpt-4o", "choices": []}\n\n'
        'data: {"model": "gpt-4o", "choices": [], "usage": {"prompt_tokens": 1000000, "completion_tokens": 0}}\n\n'
        "data: [DONE]\n\n"
    )

    assert json.loads(call("--usage", str(file), "--json").stdout)["total_usd"] == 2.5


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", FileError, "empty"),
        ('{"model": "gpt-4o", "usage": {}}\n{broken', DatasetError, "line 2"),
        ('{"usage": {"prompt_tokens": 1}}', DatasetError, "names no model"),
        ('{"model": "gpt-4o", "usage": {"fuel": 1}}', DatasetError, "fuel"),
        ('{"model": "house", "usage": {"prompt_tokens": 1}}', UnknownPriceError, "house"),
        (
            '{"model": "gpt-4o", "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}}',
            DatasetError,
            "contradicts",
        ),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_2(tmp_path: Path, text: str, error: type[BoxscoreError], says: str) -> None:
    file = tmp_path / "usage.json"
    file.write_text(text)

    with pytest.raises(error, match=says) as caught:
        call("--usage", str(file))

    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_missing_file_a_bad_date_and_nothing_to_do_are_refused() -> None:
    with pytest.raises(FileError, match="no such file"):
        call("--usage", "nowhere.jsonl")
    with pytest.raises(UsageError, match="2026-01-31"):
        call("gpt-4o", "--at", "yesterday")
    with pytest.raises(UsageError, match="nothing to price"):
        call()
    with pytest.raises(UnknownNameError, match="run"):
        call("--run", "no-such-run")


def test_the_kinds_of_a_price_table_are_listed() -> None:
    kinds = {row["kind"]: row["per"] for row in json.loads(call("--kinds", "--json").stdout)}

    assert (kinds["cache_write_1h"], kinds["web_searches"]) == (1_000_000, 1_000)


def test_own_prices_are_shown_with_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mine.yaml"
    table.write_text("prices:\n  - {model: house-model, usd_per_mtok: {input: 1, output: 2}}\n")
    monkeypatch.setenv("BOXSCORE_PRICES", str(table))

    assert "mine.yaml:2@" in call("house-model").stdout


def test_models_are_listed_with_provider_context_and_price() -> None:
    found = json.loads(
        call_models("claude", "haiku-4-5", "--provider", "anthropic", "--at", "2025-10-15", "--json").stdout
    )

    assert [(row["model"], row["context_window"], row["input_usd_per_mtok"]) for row in found] == [
        ("claude-haiku-4-5", 200_000, 1)
    ]


def test_the_embedded_models_are_listed_first_and_are_free() -> None:
    found = json.loads(call_models("--json").stdout)

    assert tuple(row["model"] for row in found if row["provider"] == "tiny") == MODELS
    assert found[0]["provider"] == "tiny"
    assert (found[0]["input_usd_per_mtok"], found[0]["price"]) == (0, "local")
    assert len(found) > 1_000


def test_the_list_of_models_fits_eighty_columns_and_says_how_many_more() -> None:
    result = call_models()

    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "more: narrow with words, or --all" in result.stderr


def test_no_such_model_names_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="claude-sonnet"):
        call_models("claude-sonet-4-5")
    with pytest.raises(UnknownNameError, match="anthropic"):
        call_models("--provider", "antropic")


def test_a_stored_run_is_priced_again_at_another_date(tmp_path: Path) -> None:
    home = tmp_path / "home"
    at = datetime(2025, 6, 1, tzinfo=UTC)
    usage = '{"input_tokens":1000000,"output_tokens":0}'
    with Records.open(home) as records:
        records.start_run(
            RunRow(
                id="r1",
                plan_hash="p",
                variant_hash="v",
                variant_name="old",
                model="o3",
                dataset_name="d",
                dataset_version="1",
                repeats=1,
                metrics_json="[]",
                scorer_specs_json="[]",
                fresh=False,
                started_at=at,
            ),
            VariantRow(hash="v", kind="test", model="o3", description_json="{}"),
            [ExampleRow(position=0, example_id="e", hash="h", question_hash="q", content_json="{}")],
        )
        response = ResponseRow(
            id="x",
            run_id="r1",
            variant_hash="v",
            question_hash="q",
            draw=0,
            recorded_at=at,
            output="",
            model="o3",
            usage_json=usage,
            cost_usd=Decimal(10),
        )
        asyncio.run(records.save_response(response, TrialRow(run_id="r1", example_id="e", repeat=0, response_id="x")))

    found = json.loads(call("--run", "r1", "--at", "2025-06-10", "--json").stdout)

    assert (found["was_usd"], found["usd"], found["responses"]) == (10, 2, 1)
    assert "run r1 at the prices of 2025-06-10" in call("--run", "r1", "--at", "2025-06-10").stdout
