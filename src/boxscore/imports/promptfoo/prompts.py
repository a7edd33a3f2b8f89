"""The prompts of a promptfoo configuration."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from boxscore.errors import TemplateError, UsageError
from boxscore.imports.files import parse_json, read_text, read_tree
from boxscore.imports.reading import Node
from boxscore.imports.templates import translate
from boxscore.prompts import PromptTemplate
from boxscore.types import Json

__all__ = ["Prompt", "named_files", "read_prompt", "read_prompts"]

_CODE = (".js", ".cjs", ".mjs", ".ts", ".py", ".rb", ".go")
_TEXTS = (".txt", ".md", ".j2", ".json", ".jsonl", ".yaml", ".yml", ".csv")


class Prompt(NamedTuple):
    """`source` is what a spec's `prompt` takes, `variables` the names that it fills in, `ids` what the file calls it.
    `node` is where it stands."""

    node: Node
    label: str | None
    source: Json
    variables: tuple[str, ...]
    ids: tuple[str, ...]


def read_prompts(node: Node, folder: Path) -> list[Prompt]:
    """All prompts that can be carried; the others are left with their reason."""
    if node.is_mapping:  # file: label
        entries = [(value, key, value.text()) for key, value in node.items()]
        return [
            prompt for entry, source, label in entries for prompt in _from_text(entry, source, label, (source,), folder)
        ]
    found: list[Prompt] = []
    for entry in node if node.is_list else [node]:
        if entry.is_mapping:
            label = entry["label"].text()
            name = entry["id"].text()
            raw = entry["raw"] if "raw" in entry else entry["id"]
            ids = tuple(part for part in (label, name) if part)
            if isinstance(raw.value, str):
                found += _from_text(raw, raw.value, label, ids, folder)
            if "config" in entry:
                entry["config"].leave("settings of one prompt", "put them under 'params' of the variants that use it")
        elif isinstance(entry.value, str):
            found += _from_text(entry, entry.value, None, (entry.value,), folder)
    return found


def read_prompt(node: Node, label: str | None, ids: tuple[str, ...] = ()) -> Prompt | None:
    """A prompt whose text stands in the source itself."""
    return _made(node, node.value, label, ids) if isinstance(node.value, str) else None


def named_files(reference: str, folder: Path) -> list[Path]:
    """The files that `file://` text, or a path with wildcards, means; sorted."""
    path = reference.removeprefix("file://")
    if any(mark in path for mark in "*?[") and not Path(path).is_absolute():
        return sorted(found for found in folder.glob(path) if found.is_file())
    return [folder / path]


def _from_text(node: Node, text: str, label: str | None, ids: tuple[str, ...], folder: Path) -> Iterator[Prompt]:
    is_file = text.startswith("file://") or (
        "\n" not in text and len(text) < 250 and text.endswith((*_TEXTS, *_CODE)) and (folder / text).is_file()
    )
    if not is_file:
        made = _made(node, text, label, ids)
        if made is not None:
            yield made
        return
    for path in named_files(text, folder):
        suffix = path.name.partition(":")[0]
        if suffix.endswith(_CODE) or ".py:" in path.name or ".js:" in path.name:
            node.leave("the prompt is made by code", "write what it makes as a template, or as a variant in Python")
            continue
        try:
            texts = list(_texts_of(path))
        except UsageError as error:
            node.leave(f"the file cannot be used: {error}")
            continue
        for number, (own_label, one) in enumerate(texts, start=1):
            name = own_label or label or path.stem
            suffixed = name if len(texts) == 1 or own_label else f"{name}-{number}"
            made = _made(node, one, suffixed, (*ids, path.name))
            if made is not None:
                yield made


def _texts_of(path: Path) -> Iterator[tuple[str | None, str]]:
    text = read_text(path)
    ending = path.suffix.lower()
    if ending == ".csv":
        for row in csv.DictReader(io.StringIO(text)):
            if row.get("prompt"):
                yield row.get("label") or None, row["prompt"]
    elif ending == ".jsonl":
        for line in text.splitlines():
            if line.strip():
                yield None, line
    elif ending in (".yaml", ".yml"):
        value = read_tree(path).take()
        yield None, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    elif ending == ".json":
        parse_json(path.read_bytes(), path)
        yield None, text
    else:
        parts: list[list[str]] = [[]]
        for line in text.splitlines():
            if line.strip() == "---" and ending == ".txt":
                parts.append([])
            else:
                parts[-1].append(line)
        for part in parts:
            if body := "\n".join(part).strip():
                yield None, body


def _made(node: Node, text: str, label: str | None, ids: tuple[str, ...]) -> Prompt | None:
    source: Json = translate(_chat(text))
    try:
        template = PromptTemplate.parse(source)
    except TemplateError as error:
        node.leave(f"the prompt cannot be carried: {error}", "write it in Jinja's syntax")
        return None
    if "env" in template.variables:
        node.leave("the prompt reads the environment", "put the value into the prompt, or into the rows")
        return None
    node.take()
    return Prompt(node, label, _short(source), template.variables, ids)


def _chat(text: str) -> Json:
    """The messages where the text is a JSON list of them, else the text."""
    if text.lstrip().startswith("["):
        try:
            value: Json = json.loads(text)
        except ValueError:
            return text
        messages = cast("list[Json]", value) if isinstance(value, list) else []
        if messages and all(isinstance(message, dict) and "role" in message for message in messages):
            return messages
    return text


def _short(source: Json) -> Json:
    """Messages of different roles as a mapping of role to text: how a person would write them in a spec."""
    if not isinstance(source, list):
        return source
    messages = cast("list[dict[str, Json]]", source)
    roles = [message["role"] for message in messages]
    plain = all(isinstance(message["content"], str) for message in messages)
    if plain and len(set(roles)) == len(roles):
        return {message["role"]: message["content"] for message in messages}
    return messages
