"""promptfoo's configurations: prompts, providers, tests and assertions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from read_back import places, rows, spec

from boxscore.datasets import Example
from boxscore.errors import FileError, SpecError
from boxscore.imports import Imported, import_files
from boxscore.providers.response import Response
from boxscore.scoring import make_scorer

Written = Callable[..., Path]
SMALL: dict[str, Any] = {
    "prompts": ["Capital of {{country}}?"],
    "providers": ["openai:gpt-4o-mini", "openai:chat:gpt-4o"],
    "tests": [{"vars": {"country": "Peru"}, "assert": [{"type": "icontains", "value": "lima"}]}],
}


def imported(written: Written, **changes: Any) -> Imported:
    return import_files([written("promptfooconfig.yaml", {**SMALL, **changes})])


def checks_of(written: Written, *asserts: dict[str, Any], **changes: Any) -> Any:
    """Scorers and metadata.checks of one test with these assertions."""
    tests = [{"vars": {"country": "Peru"}, "assert": list(asserts), **changes}]
    made = imported(written, tests=tests)
    return spec(made)["scorers"], rows(made)[0]


def test_a_small_configuration_is_carried_whole(written: Written) -> None:
    made = imported(written)

    assert made.left == ()
    assert spec(made) == {
        "dataset": "dataset.jsonl",
        "variants": {
            "gpt-4o-mini": {"provider": "openai", "model": "gpt-4o-mini", "prompt": "Capital of {{country}}?"},
            "gpt-4o": {"provider": "openai", "model": "gpt-4o", "prompt": "Capital of {{country}}?"},
        },
        "scorers": ["contains"],
    }
    assert rows(made) == [{"id": "test-1", "inputs": {"country": "Peru"}, "reference": "lima"}]


def test_one_assertion_of_a_kind_in_every_test_is_a_scorer_with_references(written: Written) -> None:
    tests = [
        {"vars": {"country": country}, "assert": [{"type": "equals", "value": capital}, {"type": "is-json"}]}
        for country, capital in (("Peru", "Lima"), ("Chad", "N'Djamena"))
    ]
    made = imported(written, tests=tests)

    assert spec(made)["scorers"] == [{"all": ["exact:strip=false", "json"]}, "exact:strip=false", "json"]
    assert [row["reference"] for row in rows(made)] == ["Lima", "N'Djamena"]


def test_assertions_that_differ_from_test_to_test_stay_with_their_rows(written: Written) -> None:
    tests = [
        {"vars": {"country": "Peru"}, "assert": [{"type": "equals", "value": "Lima"}]},
        {"vars": {"country": "Chad"}, "assert": [{"type": "regex", "value": "^N"}, {"type": "is-json", "weight": 2}]},
    ]
    made = imported(written, tests=tests)

    assert spec(made)["scorers"] == ["checks"]
    assert [row["metadata"]["checks"] for row in rows(made)] == [
        [{"scorer": "exact:strip=false", "reference": "Lima"}],
        [{"regex": {"pattern": "^N"}}, {"scorer": "json", "weight": 2}],
    ]


# Assertion, an answer that passes it, one that fails it: as promptfoo 0.121 decided.
MEANING: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "equals", "value": "Lima"}, "Lima", "Lima "),
    ({"type": "equals", "value": {"a": [1]}}, '{"a": [1]}', '{"a": [2]}'),
    ({"type": "equals", "value": 42}, "42", "42.0"),
    ({"type": "contains", "value": "Lima"}, "It is Lima.", "It is lima."),
    ({"type": "icontains", "value": "LIMA"}, "It is lima.", "It is Quito."),
    ({"type": "contains-any", "value": ["Lima", "Quito"]}, "Quito", "quito"),
    ({"type": "contains-any", "value": 'Lima, "a, b"'}, "a, b", "a"),
    ({"type": "contains-all", "value": ["Lima", "Quito"]}, "Quito, Lima", "Lima, quito"),
    ({"type": "icontains-all", "value": ["lima", "quito"]}, "Quito, Lima", "Lima"),
    ({"type": "starts-with", "value": "a.b"}, "a.b.", "axb"),
    ({"type": "regex", "value": r"(?<n>\d{2})$"}, "in 42", "in 4"),
    ({"type": "is-json"}, "[1]", "[1"),
    ({"type": "is-json", "value": {"required": ["a"]}}, '{"a": 1}', '{"b": 1}'),
    ({"type": "is-json", "value": "type: array"}, "[]", "{}"),
    ({"type": "not-contains", "value": "{{country}}"}, "Lima", "Lima, Peru"),
    ({"type": "not-is-json"}, "plain", "{}"),
]


@pytest.mark.parametrize(("written_assert", "right", "wrong"), MEANING)
def test_an_assertion_means_the_same(written: Written, written_assert: Any, right: str, wrong: str) -> None:
    made = imported(written, tests=[{"vars": {"country": "Peru"}, "assert": [written_assert]}])
    (scorer,) = [make_scorer(one) for one in spec(made)["scorers"]]
    row = rows(made)[0]
    example = Example(**row)

    assert made.left == ()
    assert [scorer.score(example, Response(output=output)).value for output in (right, wrong)] == [1.0, 0.0]


def test_latency_and_cost_keep_their_limits(written: Written) -> None:
    limits = [{"type": "latency", "threshold": 2500}, {"type": "cost", "threshold": 0.001}]

    _, row = checks_of(written, *limits)

    assert row["metadata"]["checks"] == [
        {"scorer": "latency", "at_most": 2.5},
        {"scorer": "cost", "at_most": 0.001},
    ]


def test_a_set_counts_as_its_assertions_do_but_not_where_a_mean_decides(written: Written) -> None:
    a_set = {"type": "assert-set", "assert": [{"type": "is-json"}, {"type": "regex", "value": "a"}]}
    regex = {"regex": {"pattern": "a"}}

    assert checks_of(written, a_set)[0] == [{"all": ["json", regex]}, "json", regex]
    made = imported(written, tests=[{"assert": [a_set, {"type": "is-json"}], "threshold": 0.5}])
    assert places(made) == ["tests[0].assert[0]"]
    assert rows(made)[0]["metadata"] == {"checks_threshold": 0.5, "checks": ["json"]}


def test_the_threshold_of_a_test_is_carried(written: Written) -> None:
    scorers, row = checks_of(written, {"type": "equals", "value": "Lima"}, {"type": "is-json"}, threshold=0.5)

    assert scorers == ["checks"]
    assert row["metadata"]["checks_threshold"] == 0.5


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"type": "llm-rubric", "value": "is polite"}, "judged by a model"),
        ({"type": "g-eval", "value": "is polite"}, "judge"),
        ({"type": "javascript", "value": "output.length < 3"}, "code"),
        ({"type": "similar", "value": "x"}, "otherwise than any scorer"),
        ({"type": "levenshtein", "value": "x"}, "otherwise than any scorer"),
        ({"type": "is-xml"}, "no scorer of ours"),
        ({"type": "equals", "value": "x", "transform": "output.trim()"}, "transform is code"),
        ({"type": "regex", "value": "(a+)+"}, "our scorer cannot take it"),
        ({"type": "equals", "value": "{{ x | nothing }}"}, "cannot be filled in"),
        ({"type": "contains", "value": "file://words.js"}, "comes from code"),
    ],
)
def test_an_assertion_of_another_meaning_is_listed_with_its_place(written: Written, one: Any, said: str) -> None:
    made = imported(written, tests=[{"vars": {}, "assert": [{"type": "is-json"}, one]}])

    assert places(made, containing=said) == ["tests[0].assert[1]"]
    assert next(left for left in made.left if said in left.reason).line == 10
    assert spec(made)["scorers"] == ["json"]


RUBRIC = {"type": "llm-rubric", "value": "is polite"}


def test_a_rubric_of_every_test_with_a_named_model_is_a_judge(written: Written) -> None:
    grader = {"id": "anthropic:messages:claude-x", "config": {"temperature": 0}}
    made = imported(written, defaultTest={"assert": [RUBRIC], "options": {"provider": grader}})

    assert spec(made)["judges"] == {
        "rubric": {
            "question": "Does the answer meet this requirement? is polite",
            "provider": "anthropic",
            "model": "claude-x",
            "params": {"temperature": 0},
        }
    }
    assert spec(made)["scorers"] == ["contains"]
    assert made.left == ()
    assert made.carried["judges"] == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"defaultTest": {"assert": [RUBRIC]}}, "does not name"),
        ({"defaultTest": {"assert": [{**RUBRIC, "provider": "exec:grade"}]}}, "cannot be asked here"),
        ({"defaultTest": {"assert": [{**RUBRIC, "value": "{{country | x}}", "provider": "openai:x"}]}}, "filled in"),
        ({"tests": [{"assert": [{**RUBRIC, "provider": "openai:x"}]}, {}]}, "not in all of them"),
    ],
)
def test_a_rubric_that_no_judge_of_ours_can_take_is_listed(
    written: Written, changes: dict[str, Any], said: str
) -> None:
    made = imported(written, **changes)

    assert len(places(made, containing=said)) == 1
    assert "judges" not in spec(made)


def test_default_tests_and_lists_of_values_are_spread(written: Written) -> None:
    made = imported(
        written,
        defaultTest={"vars": {"style": "short"}, "assert": [{"type": "contains", "value": "{{country}}"}]},
        tests=[{"vars": {"country": ["Peru", "Chad"]}, "description": "two of them"}],
    )

    assert [(row["inputs"], row["reference"], row["metadata"]) for row in rows(made)] == [
        ({"style": "short", "country": country}, country, {"description": "two of them"})
        for country in ("Peru", "Chad")
    ]


def test_scenarios_cross_their_data_with_their_tests(written: Written) -> None:
    made = imported(
        written,
        tests=[],
        scenarios=[{"config": [{"vars": {"country": c}} for c in ("Peru", "Chad")], "tests": [{}, {"vars": {"x": 1}}]}],
    )

    assert [row["inputs"] for row in rows(made)] == [
        {"country": "Peru"},
        {"country": "Peru", "x": 1},
        {"country": "Chad"},
        {"country": "Chad", "x": 1},
    ]


def test_tests_in_files_are_read(written: Written) -> None:
    written("more.csv", 'country,__expected,__expected2,__metadata:tag,__odd\nSpain,Madrid,"icontains: ma",eu,?\n')
    written("more.jsonl", [{"vars": {"country": "Chad"}, "assert": [{"type": "is-json"}]}])
    written("more.yaml", [{"vars": {"country": "Mali"}}])

    made = imported(written, tests=["file://more.*", "https://example.org/tests.csv"])

    assert [row["inputs"]["country"] for row in rows(made)] == ["Spain", "Chad", "Mali"]
    assert rows(made)[0]["metadata"] == {
        "tag": "eu",
        "checks": [
            {"scorer": "exact:strip=false", "reference": "Madrid"},
            {"scorer": "contains", "reference": "ma"},
        ],
    }
    assert places(made) == ["tests[1]", "more.csv: [0].__odd"]


def test_prompts_are_read_from_files_and_chats(written: Written) -> None:
    written("prompts/two.txt", "One {{country}}\n---\nTwo {{country}}\n")
    written("prompts/chat.json", [{"role": "system", "content": "Brief."}, {"role": "user", "content": "{{country}}?"}])
    written("prompts/code.py", "def prompt(): ...")

    made = imported(
        written, prompts=["file://prompts/*", {"id": "greeting", "raw": "Hi {{country}}"}], providers=["openai:gpt-4o"]
    )

    assert {name: one["prompt"] for name, one in spec(made)["variants"].items()} == {
        "chat": {"system": "Brief.", "user": "{{country}}?"},
        "two-1": "One {{country}}",
        "two-2": "Two {{country}}",
        "prompt-4": "Hi {{country}}",
    }
    assert places(made) == ["prompts[0]"]


def test_a_template_that_our_engine_does_not_know_is_listed(written: Written) -> None:
    made = imported(written, prompts=["{{ country | shorten }}", "{{ country | dump }}", "{{ env.KEY }}"])

    assert [one["prompt"] for one in spec(made)["variants"].values()] == ["{{ country | tojson }}"] * 2
    assert places(made, containing="cannot be carried") == ["prompts[0]"]
    assert places(made, containing="environment") == ["prompts[2]"]


def test_settings_of_a_provider_become_parameters(written: Written) -> None:
    settings = {"temperature": 0, "max_tokens": 9, "apiKeyEnvar": "MY_KEY", "apiBaseUrl": "http://localhost:1/v1"}
    provider = {"id": "openai:x", "label": "mine", "config": {**settings, "apiKey": "hidden", "organization": "us"}}

    made = imported(written, providers=[provider])

    assert spec(made)["variants"]["mine"] == {
        "provider": "openai",
        "model": "x",
        "base_url": "http://localhost:1/v1",
        "api_key_env": "MY_KEY",
        "params": {"temperature": 0, "max_tokens": 9},
        "prompt": "Capital of {{country}}?",
    }
    assert places(made) == ["providers[0].config.apiKey", "providers[0].config.organization"]
    assert b"hidden" not in b"".join(made.files.values())


def test_an_endpoint_that_is_asked_as_chat_completions_is_a_model_behind_its_address(written: Written) -> None:
    lead = {"role": "system", "content": "Be brief."}
    config = {
        "method": "POST",
        "headers": {"Content-Type": "application/json", "Authorization": "Bearer {{env.MY_KEY}}", "X-Team": "blue"},
        "body": {"model": "mine", "temperature": 0, "messages": [lead, {"role": "user", "content": "{{prompt}}"}]},
        "transformResponse": "json.choices[0].message.content",
    }
    made = imported(written, providers=[{"id": "https://localhost/v1/chat/completions", "config": config}])

    assert spec(made)["variants"] == {
        "mine": {
            "provider": "localhost",
            "base_url": "https://localhost/v1",
            "model": "mine",
            "api_key_env": "MY_KEY",
            "params": {"temperature": 0},
            "prompt": [lead, {"role": "user", "content": "Capital of {{country}}?"}],
        }
    }
    assert places(made) == ["providers[0].config.headers.X-Team"]


def test_an_endpoint_that_takes_the_inputs_is_a_variant(written: Written) -> None:
    config = {
        "body": {"country": "{{country}}"},
        "transformResponse": "json.choices[0].text",
        "headers": {"Authorization": "Bearer x", "X-Team": "blue"},
    }
    made = imported(written, providers=[{"id": "https://localhost/answer", "config": config}])

    assert spec(made)["variants"] == {
        "https://localhost/answer": {
            "url": "https://localhost/answer",
            "inputs_key": None,
            "output_path": "choices.0.text",
            "headers": {"X-Team": "blue"},
        }
    }
    assert places(made, containing="secret") == ["providers[0].config.headers.Authorization"]


@pytest.mark.parametrize(
    ("provider", "keys"),
    [
        ("anthropic:messages:claude-x", {"provider": "anthropic", "model": "claude-x"}),
        ("openai:responses:gpt-4o", {"provider": "openai", "model": "gpt-4o", "api": "responses"}),
        ("google:gemini-x", {"provider": "google", "model": "gemini-x"}),
        ("bedrock:converse:amazon.nova:0", {"provider": "bedrock", "model": "amazon.nova:0"}),
        ("ollama:chat:llama3:8b", {"provider": "ollama", "model": "llama3:8b"}),
        ("xai:grok-x", {"provider": "x-ai", "model": "grok-x"}),
    ],
)
def test_a_provider_keeps_its_name_and_model(written: Written, provider: str, keys: dict[str, str]) -> None:
    (variant,) = spec(imported(written, providers=[provider]))["variants"].values()

    assert variant == {**keys, "prompt": "Capital of {{country}}?"}


@pytest.mark.parametrize(
    "provider", ["exec: python answer.py", "file://answer.py", "openai:image:x", "unheard:of", "https://localhost/x"]
)
def test_a_provider_that_cannot_answer_here_is_listed_and_the_rest_carried(written: Written, provider: str) -> None:
    made = imported(written, providers=[provider, "openai:gpt-4o"])

    assert list(spec(made)["variants"]) == ["gpt-4o"]
    assert places(made) == ["providers[0]"]


def test_without_any_provider_the_spec_has_placeholders_or_the_models_that_are_named(written: Written) -> None:
    path = written("promptfooconfig.yaml", {**SMALL, "providers": ["echo"]})

    assert list(spec(import_files([path]))["variants"]) == ["model-a", "model-b"]
    assert list(spec(import_files([path], models=["mine"]))["variants"]) == ["mine"]
    assert (import_files([path]).runs, import_files([path], models=["mine"]).runs) == (False, True)


def test_a_variable_that_a_test_lacks_is_empty_as_in_promptfoo(written: Written) -> None:
    made = imported(written, tests=[{"vars": {"country": "Peru"}}, {"vars": {"land": "Chad"}}])

    assert rows(made)[1]["inputs"] == {"land": "Chad", "country": ""}
    assert "'country' has no value in 1 tests" in made.guesses[0]


def test_json_is_read_as_yaml_is(written: Written) -> None:
    as_json = import_files([written("config.json", SMALL)])

    assert as_json.files == imported(written).files


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("a.yaml", "prompts: [", SpecError),
        ("a.yaml", "- 1", FileError),
        ("a.yaml", "tests: []\nprompts: []", FileError),
        ("a.json", '{"prompts": 1, "prompts": 2}', FileError),
        ("a.json", '{"prompts": NaN}', FileError),
        ("a.json", "[", SpecError),
        ("a.json", "[" * 100_000, FileError),
    ],
)
def test_what_is_no_configuration_is_refused(written: Written, name: str, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        import_files([written(name, text)], format="promptfoo")


def result(index: int, **changes: Any) -> dict[str, Any]:
    """One result of version 3, as promptfoo 0.121 writes it."""
    return {
        "id": f"result-{index}",
        "promptIdx": 0,
        "testIdx": index,
        "promptId": "p",
        "provider": {"id": "openai:gpt-4o", "label": ""},
        "prompt": {"raw": "Capital of Peru?", "label": "Capital of {{country}}?", "config": {}},
        "vars": {"country": "Peru"},
        "testCase": {"vars": {"country": "Peru"}, "assert": [{"type": "equals", "value": "Lima"}], "options": {}},
        "response": {"output": "Lima", "cached": False, "tokenUsage": {"total": 9, "prompt": 7, "completion": 2}},
        "success": True,
        "score": 1,
        "latencyMs": 250,
        "cost": 0.002,
        "gradingResult": {"pass": True, "score": 1, "reason": "All assertions passed"},
        "failureReason": 0,
        **changes,
    }


def results(written: Written, *found: dict[str, Any]) -> Imported:
    prompts = [{"raw": "Capital of {{country}}?", "label": "Capital of {{country}}?", "provider": "openai:gpt-4o"}]
    tree = {
        "evalId": "e",
        "results": {"version": 3, "prompts": prompts, "results": list(found), "stats": {}},
        "config": {**SMALL, "providers": ["openai:gpt-4o"]},
    }
    return import_files([written("results.json", tree)])


def test_results_become_a_dataset_and_recorded_answers(written: Written) -> None:
    made = results(written, result(0))

    assert rows(made, "recordings.jsonl") == [
        {
            "case_id": "test-1",
            "model": "openai:gpt-4o",
            "prompt": "Capital of Peru?",
            "output": "Lima",
            "params": {"trial": 0},
            "tokens_in": 7,
            "tokens_out": 2,
            "cost_usd": 0.002,
            "latency_s": 0.25,
            "labels": {"success": True, "score": 1, "reason": "All assertions passed"},
            "inputs": {"country": "Peru"},
            "reference": "Lima",
        }
    ]
    assert spec(made)["scorers"] == ["exact:strip=false"]
    assert spec(made)["variants"]["gpt-4o"]["prompt"] == "Capital of {{country}}?"


def test_results_of_version_2_have_their_assertions_from_what_was_graded(written: Written) -> None:
    graded = {"pass": True, "componentResults": [{"pass": True, "assertion": {"type": "icontains", "value": "lima"}}]}
    old = {key: value for key, value in result(0, gradingResult=graded).items() if key not in ("testCase", "testIdx")}

    made = results(written, old)

    assert (spec(made)["scorers"], rows(made)[0]["reference"]) == (["contains"], "lima")


def test_the_same_test_again_is_a_repeat(written: Written) -> None:
    made = results(written, result(0), result(1, response={"output": {"city": "Lima"}}))

    again = rows(made, "recordings.jsonl")[1]
    assert (again["case_id"], again["params"], again["output"]) == ("test-1", {"trial": 1}, '{"city": "Lima"}')


def test_an_error_is_an_error_and_a_cached_answer_took_no_time(written: Written) -> None:
    failed = result(0, response={}, error="401", failureReason=2, success=False)
    cached = result(1, provider="other", response={"output": "Lima", "cached": True})

    first, second = rows(results(written, failed, cached), "recordings.jsonl")

    assert (first["error"], "output" in first) == ("401", False)
    assert "latency_s" not in second
    assert "cost_usd" not in second


def test_an_unknown_key_of_a_result_is_listed(written: Written) -> None:
    made = results(written, result(0, mood="good"))

    assert places(made, containing="not known") == ["results.results[0].mood"]


def test_the_verdicts_of_the_source_are_labels_that_no_scorer_sees(written: Written) -> None:
    made = results(written, result(0))

    assert all("labels" not in json.dumps(row["inputs"]) for row in rows(made, "recordings.jsonl"))
    assert places(made, containing="promptfoo's own verdict") == [
        "results.results[0].gradingResult.pass",
        "results.results[0].gradingResult.score",
        "results.results[0].failureReason",
    ]
