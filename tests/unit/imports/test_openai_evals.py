"""OpenAI evals: samples, registry entries, logs of runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from read_back import places, rows, spec

from boxscore.datasets import Example
from boxscore.errors import FileError
from boxscore.imports import import_files
from boxscore.providers.response import Response
from boxscore.scoring import make_scorer

Written = Callable[..., Path]
SAMPLES = [
    {
        "input": [{"role": "system", "content": "Name the capital."}, {"role": "user", "content": country}],
        "ideal": ideal,
    }
    for country, ideal in (("Peru", "Lima"), ("Chad", ["N'Djamena", "Ndjamena"]))
]


def registry(kind: str, **arguments: Any) -> dict[str, Any]:
    return {
        "capitals": {"id": "capitals.dev.v0", "metrics": ["accuracy"], "description": "Capitals"},
        "capitals.dev.v0": {
            "class": f"evals.elsuite.{kind}",
            "args": {"samples_jsonl": "capitals/samples.jsonl", **arguments},
        },
    }


def test_samples_become_rows_and_one_prompt(written: Written) -> None:
    made = import_files([written("samples.jsonl", SAMPLES)], models=["one", "two"])

    prompt = {"system": "Name the capital.", "user": "{{ input }}"}
    assert spec(made)["variants"] == {name: {"model": name, "prompt": prompt} for name in ("one", "two")}
    assert rows(made) == [
        {"id": "sample-1", "inputs": {"input": "Peru"}, "reference": "Lima"},
        {"id": "sample-2", "inputs": {"input": "Chad"}, "reference": ["N'Djamena", "Ndjamena"]},
    ]
    assert made.left == ()


def test_further_keys_of_a_sample_are_metadata(written: Written) -> None:
    made = import_files([written("samples.jsonl", [{**SAMPLES[0], "level": 3}])])

    assert rows(made)[0]["metadata"] == {"level": 3}


@pytest.mark.parametrize(
    ("kind", "arguments", "right", "wrong"),
    [
        ("basic.match:Match", {}, "Lima, of course", "It is Lima"),
        ("basic.includes:Includes", {}, "It is Lima", "it is lima"),
        ("basic.includes:Includes", {"ignore_case": True}, "it is lima", "it is Quito"),
        ("basic.json_validator:JsonValidator", {}, "{}", "Lima"),
    ],
)
def test_a_class_of_the_registry_is_the_scorer_of_the_same_meaning(
    written: Written, kind: str, arguments: dict[str, Any], right: str, wrong: str
) -> None:
    written("data/capitals/samples.jsonl", SAMPLES)

    made = import_files([written("evals/capitals.yaml", registry(kind, **arguments))])

    (scorer,) = [make_scorer(one) for one in spec(made)["scorers"]]
    example = Example(**rows(made)[0])
    assert [scorer.score(example, Response(output=output)).value for output in (right, wrong)] == [1.0, 0.0]
    assert set(places(made)) == {"capitals", "(models)"}


def test_json_match_compares_objects(written: Written) -> None:
    written("data/capitals/samples.jsonl", [{"input": "Peru", "ideal": '{"city": "Lima"}'}])

    made = import_files([written("evals/capitals.yaml", registry("basic.json_match:JsonMatch"))])

    assert rows(made)[0]["reference"] == {"city": "Lima"}
    assert spec(made)["scorers"] == ["fields:mode=all,extra=fail"]


@pytest.mark.parametrize("kind", ["modelgraded.classify:ModelBasedClassify", "basic.fuzzy_match:FuzzyMatch", "x:Y"])
def test_a_class_of_another_meaning_is_listed(written: Written, kind: str) -> None:
    samples = written("samples.jsonl", SAMPLES)

    made = import_files([written("capitals.yaml", registry(kind)), samples])

    assert "capitals.yaml: capitals.dev.v0" in places(made)
    assert made.guesses == ("the references are short texts, looked for in the answer.",)


def test_a_registry_whose_samples_are_elsewhere_asks_for_them(written: Written) -> None:
    with pytest.raises(FileError, match="name their file as well"):
        import_files([written("capitals.yaml", registry("basic.match:Match"))])


def log(model: str, *answers: str | None) -> list[dict[str, Any]]:
    """The events of a run, as `oaieval` writes them."""
    cls = "evals.elsuite.basic.includes:Includes"
    run = {"completion_fns": [model], "eval_name": "capitals.dev.v0", "run_config": {"eval_spec": {"cls": cls}}}
    events: list[dict[str, Any]] = [{"spec": {**run, "run_id": "r", "created_by": ""}}]
    for number, (sample, answer) in enumerate(zip(SAMPLES, answers, strict=True)):
        base = {
            "run_id": "r",
            "sample_id": f"capitals.dev.{number}",
            "created_by": "",
            "created_at": "2024-01-02 03:04:05+00:00",
        }
        if answer is None:
            events.append({**base, "type": "error", "data": {"type": "Timeout", "message": "timed out"}})
            continue
        usage = {"prompt_tokens": 8, "completion_tokens": 2}
        sampled = {"prompt": sample["input"], "sampled": [answer], "usage": usage, "model": model}
        events.append({**base, "event_id": number, "type": "sampling", "data": sampled})
        match = {"correct": True, "expected": sample["ideal"], "picked": answer, "sampled": answer}
        events.append({**base, "event_id": number, "type": "match", "data": match})
    return [*events, {"final_report": {"accuracy": 1.0}, "run_id": "r"}]


def test_logs_whose_samples_share_a_name_alone_are_not_mixed(written: Written) -> None:
    other = log("gpt-b", "Quito", "N'Djamena")
    for line in other:
        if line.get("type") == "match":
            line["data"]["expected"] = "Quito"
    logs = [written("a.jsonl", log("gpt-a", "Lima", "N'Djamena")), written("b.jsonl", other)]

    with pytest.raises(FileError, match=r"b\.jsonl: its sample 'capitals\.dev\.0' expects something else"):
        import_files(logs)


def test_logs_of_two_models_become_recorded_answers(written: Written) -> None:
    logs = [
        written("a.jsonl", log("gpt-a", "Lima", "N'Djamena")),
        written("b.jsonl", log("gpt-b", "Quito", "N'Djamena")),
    ]

    made = import_files(logs)

    assert made.models == ("gpt-a", "gpt-b")
    assert list(spec(made)["variants"]) == ["gpt-a", "gpt-b"]
    assert rows(made, "recordings.jsonl")[0] == {
        "case_id": "capitals.dev.0",
        "model": "gpt-a",
        "prompt": SAMPLES[0]["input"],
        "output": "Lima",
        "tokens_in": 8,
        "tokens_out": 2,
        "recorded_at": "2024-01-02T03:04:05+00:00",
        "labels": {"correct": True},
        "inputs": {"input": "Peru"},
        "reference": "Lima",
    }
    assert spec(made)["scorers"] == ["contains:case=keep"]


def test_an_error_of_a_run_is_a_failed_answer(written: Written) -> None:
    made = import_files([written("a.jsonl", log("gpt-a", "Lima", None))])

    assert rows(made, "recordings.jsonl")[1]["error"] == "timed out"


def test_an_event_of_an_unknown_kind_is_listed(written: Written) -> None:
    events = log("gpt-a", "Lima", "N'Djamena")
    events.insert(2, {"sample_id": "capitals.dev.0", "type": "embedding", "data": {"vector": [1]}, "shape": 1})

    made = import_files([written("a.jsonl", events)])

    assert places(made, containing="not known") == ["[2].data", "[2].shape"]
