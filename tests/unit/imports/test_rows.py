"""Rows as data sets are published: which column is asked, and which is right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from read_back import places, rows, spec

from boxscore.errors import BoxscoreError, DatasetError, FileError, SpecError
from boxscore.imports import import_files
from boxscore.imports.fields import Fields

Written = Callable[..., Path]


@pytest.mark.parametrize(
    ("row", "inputs", "reference"),
    [
        ({"question": "2+2?", "answer": "4"}, {"question": "2+2?"}, "4"),
        ({"instruction": "Add", "input": "2 2", "output": "4"}, {"instruction": "Add", "input": "2 2"}, "4"),
        ({"prompt": "2+2=", "completion": "4"}, {"prompt": "2+2="}, "4"),
        ({"query": "2+2", "response": "four"}, {"query": "2+2"}, "four"),
        ({"text": "fine", "label": "good"}, {"text": "fine"}, "good"),
        (
            {"context": "c", "question": "q", "answers": {"text": ["a", "a", "b"], "answer_start": [1, 1, 2]}},
            {"context": "c", "question": "q"},
            ["a", "b"],
        ),
        (
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
            {"input": "q"},
            "a",
        ),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, {"input": "q"}, "a"),
    ],
)
def test_known_columns_are_told_apart(written: Written, row: Any, inputs: Any, reference: Any) -> None:
    made = import_files([written("rows.jsonl", [row])], format="huggingface")

    assert rows(made) == [{"id": "row-1", "inputs": inputs, "reference": reference}]
    assert "what is asked" in made.guesses[0]


@pytest.mark.parametrize(
    ("row", "letter"),
    [
        ({"choices": ["x", "y", "z"], "answer": 1}, "B"),
        ({"choices": ["x", "y", "z"], "answer": "z"}, "C"),
        ({"choices": {"text": ["x", "y", "z"], "label": ["1", "2", "3"]}, "answerKey": "3"}, "C"),
        ({"options": ["x", "y", "z"], "answer": "b"}, "B"),
    ],
)
def test_multiple_choice_is_asked_with_letters(written: Written, row: Any, letter: str) -> None:
    made = import_files([written("rows.jsonl", [{"question": "which?", **row}])])

    assert rows(made)[0]["inputs"] == {"question": "which?", "choices": ["x", "y", "z"]}
    assert rows(made)[0]["reference"] == letter
    assert spec(made)["scorers"] == [{"choice": ["A", "B", "C"]}]
    assert "loop.index0" in spec(made)["variants"]["model-a"]["prompt"]


def test_columns_that_are_named_win_and_all_others_are_metadata(written: Written) -> None:
    path = written("rows.jsonl", [{"id": 7, "the text": "t", "gold": "g", "doc": "d", "lang": "de", "more": [1]}])
    fields = Fields(inputs=("the text",), reference="gold", cluster="doc", slices=("lang",))

    made = import_files([path], fields=fields)

    assert rows(made) == [
        {
            "id": "7",
            "inputs": {"the_text": "t"},
            "reference": "g",
            "metadata": {"more": [1]},
            "cluster": "d",
            "slices": {"lang": "de"},
        }
    ]
    assert places(made) == ["(models)"]


def test_a_column_that_is_not_there_is_refused_with_the_nearest(written: Written) -> None:
    path = written("rows.jsonl", [{"question": "q", "answer": "a"}])

    with pytest.raises(SpecError, match="did you mean 'answer'"):
        import_files([path], fields=Fields(reference="anwser"))


@pytest.mark.parametrize(
    ("references", "scorer"),
    [
        (["1", "2,000", "-3.5"], "number"),
        (["we add #### 4", "so #### 5"], "number"),
        (["yes", "no"] * 10, {"choice": ["no", "yes"]}),
        (["Paris", "N'Djamena"], "contains"),
        (["a long answer in very many words", "another long answer in as many words"], "token_f1"),
        ([{"a": 1}, {"a": 2}], "fields:mode=all"),
    ],
)
def test_a_scorer_is_guessed_from_the_references_and_told(written: Written, references: Any, scorer: Any) -> None:
    made = import_files([written("rows.jsonl", [{"question": f"q{n}", "answer": r} for n, r in enumerate(references)])])

    assert spec(made)["scorers"] == [scorer]
    assert len(made.guesses) == 2


def test_a_system_message_that_all_rows_share_stands_in_the_prompt(written: Written) -> None:
    system = {"role": "system", "content": "Be brief."}
    path = written("rows.jsonl", [{"messages": [system, {"role": "user", "content": text}]} for text in ("a", "b")])

    made = import_files([path])

    assert spec(made)["variants"]["model-a"]["prompt"] == {"system": "Be brief.", "user": "{{ input }}"}
    assert [row["inputs"] for row in rows(made)] == [{"input": "a"}, {"input": "b"}]


def test_rows_inside_one_json_file_are_read(written: Written) -> None:
    row = {"question": "q", "answer": "a"}
    squad = {
        "title": "t",
        "paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q", "answers": [{"text": "a"}]}]}],
    }

    assert len(rows(import_files([written("list.json", [row])]))) == 1
    assert len(rows(import_files([written("api.json", {"rows": [{"row_idx": 0, "row": row}]})]))) == 1
    assert rows(import_files([written("squad.json", {"version": "1.1", "data": [squad]})]))[0]["reference"] == ["a"]


def test_rows_without_a_question_are_listed(written: Written) -> None:
    made = import_files([written("rows.jsonl", [{"question": "q", "answer": "a"}, {"note": "p"}])])

    assert len(rows(made)) == 1
    assert places(made, containing="without any of the columns") == ["[1]"]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('{"colour": "red"}\n', FileError, "--input FIELD"),
        ('{"question": "q"\n', DatasetError, "no JSON"),
        ('["q"]\n', DatasetError, "must be an object"),
        ('{"question": 1, "question": 2}\n', DatasetError, "twice"),
        ('{"question": NaN}\n', DatasetError, "NaN"),
        ('{"question": "\\ud800", "answer": "a"}\n', BoxscoreError, "surrogate"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", FileError, "git lfs pull"),
        ("\n\n", FileError, "empty"),
    ],
)
def test_what_is_no_row_is_refused(written: Written, text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        import_files([written("rows.jsonl", text)], format="huggingface")
