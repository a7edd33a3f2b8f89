"""Logs of Inspect: samples, answers and scorers."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from read_back import places, rows, spec

from boxscore.datasets import Example
from boxscore.errors import ExtraMissingError, FileError
from boxscore.imports import archive, import_files
from boxscore.providers.response import Response
from boxscore.scoring import make_scorer

Written = Callable[..., Path]


def sample(number: int, **changes: Any) -> dict[str, Any]:
    """One sample of a log of version 2, as inspect-ai 0.3 writes it."""
    question = f"What is {number} plus {number}?"
    answer = {
        "id": "m2",
        "role": "assistant",
        "content": f"It is {2 * number}.",
        "source": "generate",
        "model": "gpt-4o",
    }
    return {
        "id": number,
        "epoch": 1,
        "input": question,
        "target": str(2 * number),
        "messages": [
            {"id": "m0", "role": "system", "content": "Count well."},
            {"id": "m1", "role": "user", "content": f"{question} Be brief.", "source": "input"},
            answer,
        ],
        "output": {
            "model": "gpt-4o",
            "choices": [{"message": answer, "stop_reason": "stop"}],
            "completion": f"It is {2 * number}.",
            "usage": {"input_tokens": 11, "output_tokens": 4, "total_tokens": 15},
            "time": 0.5,
        },
        "scores": {"match": {"value": "C", "answer": str(2 * number), "explanation": "…"}},
        "metadata": {"level": number},
        "working_time": 0.7,
        "completed_at": "2026-01-02T03:04:05+00:00",
        **changes,
    }


def log(*samples: dict[str, Any], model: str = "openai/gpt-4o", **changes: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "status": "success",
        "eval": {"model": model, "task": "sums", "scorers": [{"name": "includes", "options": {}}], **changes},
        "plan": {
            "name": "plan",
            "steps": [{"solver": "generate", "params": {}}],
            "config": {"temperature": 0.5, "max_tokens": 50},
        },
        "samples": list(samples),
    }


def packed(path: Path, tree: dict[str, Any], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("header.json", json.dumps({key: value for key, value in tree.items() if key != "samples"}))
        for one in tree["samples"]:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
    return path


def test_a_log_becomes_a_dataset_recorded_answers_and_a_variant(written: Written) -> None:
    made = import_files([written("log.json", log(sample(1), sample(2)))])

    assert rows(made)[0] == {
        "id": "1",
        "inputs": {"input": "What is 1 plus 1?"},
        "reference": "2",
        "metadata": {"level": 1},
    }
    assert rows(made, "recordings.jsonl")[0] == {
        "case_id": "1",
        "model": "openai/gpt-4o",
        "prompt": [
            {"role": "system", "content": "Count well."},
            {"role": "user", "content": "What is 1 plus 1? Be brief."},
        ],
        "output": "It is 2.",
        "params": {"trial": 0},
        "tokens_in": 11,
        "tokens_out": 4,
        "latency_s": 0.5,
        "recorded_at": "2026-01-02T03:04:05+00:00",
        "finish_reason": "stop",
        "labels": {"match": "C"},
        "inputs": {"input": "What is 1 plus 1?"},
        "reference": "2",
        "metadata": {"level": 1},
    }
    assert spec(made)["variants"] == {
        "openai/gpt-4o": {
            "provider": "openai",
            "model": "gpt-4o",
            "prompt": {"system": "Count well.", "user": "{{ input }} Be brief."},
            "params": {"max_tokens": 50, "temperature": 0.5},
        }
    }
    assert spec(made)["scorers"] == ["contains"]


def test_the_zip_form_says_the_same_as_json(written: Written, tmp_path: Path) -> None:
    tree = log(sample(1), sample(2))

    assert import_files([packed(tmp_path / "log.eval", tree)]).files == import_files([written("log.json", tree)]).files


def zstd_packed(path: Path, tree: dict[str, Any]) -> Path:
    zstandard = pytest.importorskip("zstandard")
    plain = {"header.json": {**tree, "samples": None}, "samples/1_epoch_1.json": tree["samples"][0]}
    contents = {name: json.dumps(value).encode() for name, value in plain.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        for name, content in contents.items():
            made.writestr(name, zstandard.ZstdCompressor().compress(content))
    # The method of every member, in its local and in its central header, is set to 93: what the writer cannot do.
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset : at + offset + 2] = (93).to_bytes(2, "little")
            at = raw.find(mark, at + 4)
    path.write_bytes(raw)
    return path


def test_zstd_inside_the_zip_is_read(written: Written, tmp_path: Path) -> None:
    tree = log(sample(1))

    assert (
        import_files([zstd_packed(tmp_path / "log.eval", tree)]).files
        == import_files([written("log.json", tree)]).files
    )


def test_without_the_extra_a_zstd_log_says_which_one_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zstd_packed(tmp_path / "log.eval", log(sample(1)))
    monkeypatch.setitem(sys.modules, "zstandard", None)

    with pytest.raises(ExtraMissingError, match=r"boxscore\[inspect\]"):
        import_files([path])


def test_two_logs_over_the_same_samples_are_two_models(written: Written) -> None:
    other = sample(1, output={"completion": "Two."}, scores={})
    logs = [written("a.json", log(sample(1))), written("b.json", log(other, model="anthropic/claude-x"))]

    made = import_files(logs)

    assert made.models == ("openai/gpt-4o", "anthropic/claude-x")
    assert [row["output"] for row in rows(made, "recordings.jsonl")] == ["It is 2.", "Two."]
    assert len(rows(made)) == 1


@pytest.mark.parametrize("change", [{"input": "What is 2 plus 2?"}, {"target": "3"}, {"choices": ["2", "3"]}])
def test_logs_whose_samples_share_a_name_alone_are_not_mixed(written: Written, change: dict[str, Any]) -> None:
    logs = [written("a.json", log(sample(1))), written("b.json", log(sample(1, **change), task="others"))]

    with pytest.raises(FileError, match=r"b\.json: its sample '1' is another than the '1' read before"):
        import_files(logs)


def test_two_logs_of_one_model_are_told_apart_by_task_or_file(written: Written) -> None:
    logs = [written(f"{name}.json", log(sample(1))) for name in "abc"]

    assert import_files(logs).models == ("openai/gpt-4o", "openai/gpt-4o, sums", "openai/gpt-4o, c")


def test_epochs_are_repeats(written: Written) -> None:
    made = import_files([written("log.json", log(sample(1), sample(1, epoch=2)))])

    assert [row["params"]["trial"] for row in rows(made, "recordings.jsonl")] == [0, 1]
    assert spec(made)["repeats"] == 2


def test_an_error_is_a_failed_answer(written: Written) -> None:
    failed = sample(2, output={"model": "gpt-4o", "choices": [], "completion": ""}, error={"message": "timed out"})

    made = import_files([written("log.json", log(sample(1), failed))])

    (line,) = [row for row in rows(made, "recordings.jsonl") if row["case_id"] == "2"]
    assert (line["error"], "output" in line) == ("timed out", False)


def test_tool_calls_are_carried(written: Written) -> None:
    call = {"id": "c1", "function": "add", "arguments": {"x": 1}, "type": "function"}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    one = sample(1, output={"choices": [{"message": message, "stop_reason": "tool_calls"}], "completion": ""})

    made = import_files([written("log.json", log(one))])

    assert rows(made, "recordings.jsonl")[0]["tool_calls"] == [{"name": "add", "arguments": {"x": 1}, "id": "c1"}]


def test_the_prompt_of_multiple_choice_is_found_in_what_was_sent(written: Written) -> None:
    def one(number: int, *choices: str) -> dict[str, Any]:
        listed = "\n".join(f"{letter}) {text}" for letter, text in zip("ABCD", choices, strict=False))
        letters = ",".join("ABCD"[: len(choices)])
        asked = f"Name one of {letters}.\n\nWhich is {number}?\n\n{listed}"
        return sample(
            number,
            input=f"Which is {number}?",
            choices=list(choices),
            target="B",
            messages=[{"role": "user", "content": asked}],
        )

    made = import_files(
        [written("log.json", log(one(1, "x", "y"), one(2, "u", "v", "w"), scorers=[{"name": "choice", "options": {}}]))]
    )

    assert made.left == tuple(left for left in made.left if left.place != "plan.steps")
    assert spec(made)["scorers"] == [{"choice": ["A", "B", "C"]}]
    assert rows(made)[1]["inputs"] == {"input": "Which is 2?", "choices": ["u", "v", "w"]}


@pytest.mark.parametrize(
    ("options", "right", "wrong"),
    [
        ({}, "so it is 2!", "2 it is"),
        ({"location": "begin"}, "(2) it is", "it is 2"),
        ({"location": "exact"}, "'2'.", "it is 2"),
        ({"location": "any"}, "1 2 3", "13"),
    ],
)
def test_match_means_the_same(written: Written, options: dict[str, Any], right: str, wrong: str) -> None:
    made = import_files([written("log.json", log(sample(1), scorers=[{"name": "match", "options": options}]))])
    example = Example(**rows(made)[0])
    (scorer,) = [make_scorer(one) for one in spec(made)["scorers"]]

    assert [scorer.score(example, Response(output=output)).value for output in (right, wrong)] == [1.0, 0.0]


@pytest.mark.parametrize("name", ["model_graded_qa", "my_own", "pattern"])
def test_a_scorer_of_another_meaning_is_listed_and_one_is_guessed(written: Written, name: str) -> None:
    made = import_files([written("log.json", log(sample(1), scorers=[{"name": name, "options": {}}]))])

    assert "eval.scorers[0]" in places(made)
    assert made.guesses == ("the references are numbers.",)


def test_what_a_newer_log_adds_is_listed(written: Written) -> None:
    tree = log(sample(1, mood={"valence": 1}))
    tree["weather"] = "fine"

    made = import_files([written("log.json", tree)])

    assert set(places(made, containing="not known")) == {"samples[0].mood", "weather"}


def test_samples_of_different_turns_are_asked_as_one_text(written: Written) -> None:
    chat = [{"role": "system", "content": "Count."}, {"role": "user", "content": "And 3?"}]
    made = import_files([written("log.json", log(sample(1), sample(2, input=chat)))])

    assert rows(made)[1]["inputs"]["messages"][0] == {"role": "system", "content": "Count."}
    assert "asked as one text" in made.guesses[0]


def test_names_in_the_zip_are_never_paths(tmp_path: Path) -> None:
    path = packed(tmp_path / "in" / "log.eval" if (tmp_path / "in").mkdir() is None else tmp_path, log(sample(1)))
    with zipfile.ZipFile(path, "a") as added:
        added.writestr("samples/../../../evil.json", json.dumps(sample(7)))
        added.writestr("/samples/evil.json", json.dumps(sample(8)))

    made = import_files([path])

    assert [row["id"] for row in rows(made)] == ["1"]
    assert [one.name for one in tmp_path.rglob("*.json")] == []


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBER_CAP", 10_000)
    bomb = sample(1, store={"zeros": "0" * 1_000_000})

    with pytest.raises(FileError, match="unpacks to more than"):
        import_files([packed(tmp_path / "log.eval", log(bomb))])


@pytest.mark.parametrize("damage", [lambda raw: raw[:200], lambda raw: b"PK\x03\x04" + raw[50:], lambda raw: b"{}"])
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = packed(tmp_path / "log.eval", log(sample(1)))
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(FileError):
        import_files([path])


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "log.eval", log(sample(1)))
    raw = bytearray(path.read_bytes())
    at = raw.find(b"samples/1_epoch_1.json") + 30
    raw[at : at + 20] = b"\xff" * 20
    path.write_bytes(raw)

    with pytest.raises(FileError, match="cannot be read"):
        import_files([path])


@pytest.mark.parametrize("tree", [[], {}, {"eval": {}, "version": 2}, {"eval": {"model": "openai/x"}, "samples": []}])
def test_what_is_no_log_is_refused(written: Written, tree: Any) -> None:
    with pytest.raises(FileError):
        import_files([written("log.json", tree)], format="inspect")
