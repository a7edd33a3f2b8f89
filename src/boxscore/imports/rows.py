"""Rows of JSON as data sets are published (Hugging Face style): which column is asked, and which is right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from boxscore.datasets.fields import as_text
from boxscore.datasets.lines import nearest
from boxscore.errors import FileError, SpecError
from boxscore.imports.chat import Turn, shape_of, turns_of
from boxscore.imports.draft import Draft, Row, add_models
from boxscore.imports.fields import Fields
from boxscore.imports.files import read_json, read_jsonl
from boxscore.imports.guessing import guess_scorer
from boxscore.imports.reading import Node, Source
from boxscore.types import Json

__all__ = ["import_rows"]

# Columns that are asked, and those of which the first that is there is right; the first line that fits is taken.
_KNOWN: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("context", "question"), ("answers", "answer")),
    (("passage", "question"), ("answers", "answer", "label")),
    (("question",), ("answers", "answer", "best_answer", "answerKey", "label", "response", "solution")),
    (("instruction", "input"), ("output", "response")),
    (("instruction", "context"), ("response", "output")),
    (("instruction",), ("output", "response", "completion")),
    (("system", "prompt"), ("completion", "response", "chosen", "output")),
    (("prompt",), ("completion", "response", "chosen", "output", "answer", "canonical_solution")),
    (("premise", "hypothesis"), ("label",)),
    (("sentence1", "sentence2"), ("label",)),
    (("query",), ("response", "answer", "answers", "output")),
    (("problem",), ("answer", "solution")),
    (("text",), ("label", "labels", "summary", "answer")),
    (("sentence",), ("label",)),
    (("document",), ("summary",)),
    (("article",), ("highlights", "summary")),
    (("dialogue",), ("summary",)),
    (("source",), ("target",)),
    (("input",), ("output", "target", "ideal", "label", "answer")),
)
_CONVERSATIONS = ("messages", "conversations", "conversation")
_IDS = ("id", "_id", "idx", "qid", "question_id", "uid")
_CHOICES = ("choices", "options", "endings")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _Columns(NamedTuple):
    inputs: tuple[str, ...]
    reference: str | None
    choices: str | None
    said: bool


def import_rows(paths: Sequence[Path], models: Sequence[str], fields: Fields) -> Draft:
    """Raises `FileError`, `DatasetError` for a line, and `SpecError` for a column that is not there."""
    draft = Draft(source="rows")
    rows = [row for path in paths for row in _rows(path)]
    if not rows:
        raise FileError(paths[0], "has no rows.")
    names = list(dict.fromkeys(key for row in rows for key in row.names()))
    for option, asked in (
        ("--input", fields.inputs),
        ("--reference", (fields.reference,)),
        ("--cluster", (fields.cluster,)),
        ("--slice", fields.slices),
    ):
        for name in asked:
            if name is not None and name not in names:
                hint = nearest(name, names) or f"; there are {', '.join(names[:12])}"
                raise SpecError(f"no row has a column {name!r}{hint}.", key=option, path=paths[0])
    conversation = next((name for name in _CONVERSATIONS if name in names), None)
    if conversation is not None and not fields.inputs:
        prompt = _of_conversations(draft, rows, conversation, fields, paths[0])
    else:
        prompt = _of_columns(draft, rows, names, fields, paths[0])
    draft.more += [left for row in rows for left in row.lefts()]
    if not draft.scorers:
        guess = guess_scorer([row.reference for row in draft.rows])
        draft.scorers = [guess.scorer]
        draft.guesses.append(f"{guess.why}.")
    add_models(draft, models, {"": prompt})
    return draft


def _of_conversations(draft: Draft, rows: Sequence[Node], name: str, fields: Fields, path: Path) -> Json:
    """The turns before the last answer are asked; that answer is right, unless a column is named."""
    kept: list[tuple[Node, str | None]] = []
    asked: list[list[Turn]] = []
    for row in rows:
        turns = turns_of(row[name].value)
        if turns is None or all(turn.role == "assistant" for turn in turns):
            row[name].leave("a conversation with more than text in it, or without a question")
            continue
        row[name].take()
        answer = None
        if turns[-1].role == "assistant":
            *turns, (_, answer) = turns
        asked.append(turns)
        kept.append((row, answer))
    if not kept:
        raise FileError(path, f"no row's {name!r} is a conversation of texts.")
    shape = shape_of(asked)
    for (row, answer), inputs in zip(kept, shape.inputs, strict=True):
        reference = row[fields.reference].take() if fields.reference is not None else answer
        _add(draft, row, inputs, reference, fields, used=(name,))
    draft.guesses.append(f"{name!r} is what is asked, and its last answer is what is right.")
    if not shape.exact:
        draft.guesses.append("the conversations differ in their turns, and are asked as one text.")
    return shape.prompt


def _of_columns(draft: Draft, rows: Sequence[Node], names: Sequence[str], fields: Fields, path: Path) -> Json:
    columns = _columns(names, fields, path)
    used = [*columns.inputs, *filter(None, (columns.reference, columns.choices))]
    most = 0
    for row in rows:
        if not any(row[name] for name in columns.inputs):
            row.leave("a row without any of the columns that are asked")
            continue
        inputs = {_variable(name): "" if (value := row[name].take()) is None else value for name in columns.inputs}
        reference = _reference(row[columns.reference]) if columns.reference is not None else None
        if columns.choices is not None:
            texts, labels = _choices(row[columns.choices])
            inputs["choices"] = texts
            reference = _letter(reference, labels, texts)
            most = max(most, len(texts))
        _add(draft, row, inputs, reference, fields, used=used)
    if not columns.said:
        right = f", and {columns.reference!r} is what is right" if columns.reference else ""
        are = "is" if len(columns.inputs) == 1 else "are"
        draft.guesses.append(f"{' and '.join(map(repr, columns.inputs))} {are} what is asked{right}.")
    if not draft.rows:
        raise FileError(path, f"no row has any of the columns {', '.join(columns.inputs)}.")
    prompt = "\n\n".join(f"{{{{ {_variable(name)} }}}}" for name in columns.inputs)
    if 2 <= most <= len(_LETTERS) and all(isinstance(row.reference, str) for row in draft.rows):
        draft.scorers = [{"choice": list(_LETTERS[:most])}]
        prompt += (
            "\n{% for choice in choices %}\n{{ '" + _LETTERS + "'[loop.index0] }}. {{ choice }}{% endfor %}\n\n"
            "Answer with the letter alone."
        )
    return prompt


def _variable(name: str) -> str:
    """The column's name as a template can say it."""
    word = re.sub(r"\W", "_", name)
    return word if re.match(r"[^\W\d]", word) else f"column_{word}"


def _columns(names: Sequence[str], fields: Fields, path: Path) -> _Columns:
    choices = next((name for name in _CHOICES if name in names), None)
    if fields.inputs:
        used = choices if choices not in fields.inputs and fields.reference is not None else None
        return _Columns(fields.inputs, fields.reference, used, said=True)
    for inputs, references in _KNOWN:
        if all(name in names for name in inputs):
            keys = ("answerKey", "answer", "label", "answer_index", "correct") if choices else references
            reference = fields.reference or next((name for name in keys if name in names), None)
            if reference is not None or len(names) == len(inputs):
                return _Columns(inputs, reference, choices if reference is not None else None, said=False)
    for inputs, _ in _KNOWN:
        if all(name in names for name in inputs):
            return _Columns(inputs, fields.reference, None, said=False)
    raise FileError(
        path, f"no column of {', '.join(names[:12])} is known; name them: --input FIELD, and --reference FIELD."
    )


def _add(
    draft: Draft, row: Node, inputs: dict[str, Json], reference: Json, fields: Fields, *, used: Sequence[str]
) -> None:
    """One row; its further columns are metadata."""
    key = next((key for key in _IDS if isinstance(row[key].value, str | int) and row[key].value != ""), None)
    made = Row(
        id=f"row-{len(draft.rows) + 1}" if key is None else str(row[key].take()), inputs=inputs, reference=reference
    )
    if fields.cluster is not None and _is_plain(row[fields.cluster]):
        made.cluster = as_text(row[fields.cluster].take())
    for name in fields.slices:
        if _is_plain(row[name]):
            made.slices[name] = as_text(row[name].take()) or ""
    taken = {*used, *fields.slices, *filter(None, (key, fields.cluster))}
    made.metadata = {name: value.take() for name, value in row.items() if name not in taken and value}
    draft.rows.append(made)


def _is_plain(node: Node) -> bool:
    return bool(node) and not isinstance(node.value, list | dict)


def _reference(node: Node) -> Json:
    """A right answer, or a list of them; SQuAD keeps the texts beside where they begin."""
    if node.is_mapping and node["text"].is_list:
        texts = cast("list[Json]", node["text"].take())
        node["answer_start"].leave("where in the text an answer begins is not used")
        return list(dict.fromkeys(str(text) for text in texts)) or None
    if node.is_mapping and "value" in node:
        return node["value"].take()
    return node.take()


def _choices(node: Node) -> tuple[list[Json], list[Json]]:
    """Texts of the choices, and what the source calls each (ARC: A to D, or 1 to 4)."""
    if node.is_mapping and node["text"].is_list:
        return cast("list[Json]", node["text"].take()), cast("list[Json]", node["label"].take() or [])
    value = node.take()
    if isinstance(value, dict):
        return list(cast("dict[str, Json]", value).values()), list(cast("dict[str, Json]", value))
    return (cast("list[Json]", value), []) if isinstance(value, list) else ([], [])


def _letter(answer: Json, labels: Sequence[Json], texts: Sequence[Json]) -> Json:
    """The letter of the right choice, whether it is named by label, place or text."""
    at: int | None = None
    if answer in labels:
        at = list(labels).index(answer)
    elif isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(texts):
        at = answer
    elif answer in texts:
        at = list(texts).index(answer)
    elif isinstance(answer, str) and answer.isdigit() and int(answer) < len(texts):
        at = int(answer)
    elif isinstance(answer, str) and len(answer) == 1 and answer.upper() in _LETTERS[: len(texts)]:
        return answer.upper()
    return answer if at is None else _LETTERS[at]


def _rows(path: Path) -> Iterator[Node]:
    if path.suffix.lower() != ".json":
        yield from read_jsonl(path)
        return
    tree = Node(read_json(path), Source())
    inner = tree if tree.is_list else tree["rows"] if "rows" in tree else tree["data"]
    for entry in inner:
        if entry["row"].is_mapping:
            yield entry["row"]
        elif entry["paragraphs"].is_list:
            yield from _of_paragraphs(entry)
        elif entry.is_mapping:
            yield entry
        else:
            raise FileError(path, f"{entry.path or 'a row'} is no object.")


def _of_paragraphs(article: Node) -> Iterator[Node]:
    """SQuAD's own file: questions below paragraphs below articles."""
    for number, paragraph in enumerate(article["paragraphs"]):
        for question in paragraph["qas"]:
            value: dict[str, Json] = dict(cast("Mapping[str, Json]", question.value))
            answers = cast("list[dict[str, Json]]", value.pop("answers", None) or [])
            texts = [one.get("text") for one in answers]
            yield Node(
                {
                    **value,
                    "context": paragraph["context"].value,
                    "answers": list(dict.fromkeys(texts)),
                    "title": article["title"].value,
                    "paragraph": f"{article['title'].value}#{number + 1}",
                },
                question.source,
                question.path,
            )
