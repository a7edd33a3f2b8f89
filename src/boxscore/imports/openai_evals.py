"""OpenAI evals: samples, registry entries and logs of runs.

Read from the repository openai/evals of 2024: what its basic evals compare, and the events that `oaieval` writes.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from boxscore.errors import FileError
from boxscore.imports.chat import Turn, shape_of, turns_of
from boxscore.imports.draft import Draft, Row, add_models
from boxscore.imports.files import read_jsonl, read_tree
from boxscore.imports.guessing import guess_scorer
from boxscore.imports.reading import Node, list_of, mapping_of
from boxscore.types import Json

__all__ = ["import_evals"]

_BOOKS: Final = "bookkeeping of OpenAI evals"
_COUNTED: Final = "counted again from the answers"


class _Rule:
    """How a class of evals compares: `name` is the class at the node `kind` without its path."""

    def __init__(self, node: Node, kind: Node) -> None:
        self.node = node
        self.kind = kind
        self.name = str(kind.value).rpartition(":")[2].rpartition(".")[2]
        self.arguments = node["args"]


def import_evals(paths: Sequence[Path], models: Sequence[str]) -> Draft:
    """Any of a registry entry, its samples, and logs of runs. Raises `FileError` and `DatasetError`."""
    draft = Draft(source="OpenAI evals")
    rule: _Rule | None = None
    samples: list[Node] = []
    logs: list[tuple[Path, list[Node]]] = []
    for path in paths:
        if path.suffix.lower() in (".yaml", ".yml"):
            tree = read_tree(path, path.name if len(paths) > 1 else "")
            draft.nodes.append(tree)
            rule, found = _registry(tree, path, wanted=not any(one.suffix == ".jsonl" for one in paths))
            samples += found
            continue
        lines = list(read_jsonl(path, path.name if len(paths) > 1 else ""))
        if lines and "spec" in lines[0]:
            logs.append((path, lines))
        else:
            samples += lines
    if logs:
        prompt = _logs(draft, logs)
        for sample in samples:
            sample.leave("the logs say what was asked; samples beside them are not read")
        found_rule = _rule_of_log(logs[0][1][0]) or rule
        _score(draft, found_rule)
        draft.more += [left for _, lines in logs for line in lines for left in line.lefts()]
        runs = dict.fromkeys(cast("str", line["model"]) for line in draft.recordings)
        add_models(draft, tuple(models) or tuple(runs), {"": prompt})
        return draft
    if not samples:
        raise FileError(paths[0], "names samples that are not beside it; name their file as well.")
    prompt = _samples(draft, samples, paths[0])
    _score(draft, rule)
    draft.more += [left for sample in samples for left in sample.lefts()]
    add_models(draft, models, {"": prompt})
    return draft


def _registry(tree: Node, path: Path, *, wanted: bool) -> tuple[_Rule | None, list[Node]]:
    """The first eval of a registry file with its samples; further ones are left."""
    rule: _Rule | None = None
    samples: list[Node] = []
    for name, entry in tree.items():
        kind = entry["class"].value
        if not isinstance(kind, str):
            entry.rest(_BOOKS)
            continue
        if rule is not None:
            entry.leave("one eval at a time is imported", f"import it again from a file with {name!r} alone")
            continue
        rule = _Rule(entry, entry["class"])
        reference = rule.arguments["samples_jsonl"].text()
        if reference is not None and wanted:
            found = _beside(path, reference)
            if found is not None:
                samples = list(read_jsonl(found, found.name))
    return rule, samples


def _beside(path: Path, reference: str) -> Path | None:
    """Samples stand in the registry's folder `data`, beside `evals` with its entries."""
    folder = path.resolve().parent
    places = (folder / reference, folder.parent / "data" / reference, folder / "data" / reference)
    return next((place for place in places if place.is_file()), None)


def _samples(draft: Draft, samples: Sequence[Node], path: Path) -> Json:
    kept: list[tuple[Node, list[Turn]]] = []
    for sample in samples:
        turns = turns_of(sample["input"].value)
        if turns is None:
            sample["input"].leave("it is no text and no conversation of texts")
            continue
        sample["input"].take()
        kept.append((sample, turns))
    if not kept:
        raise FileError(path, "no line has an 'input' that is text or messages.")
    shape = shape_of([turns for _, turns in kept])
    for number, ((sample, _), inputs) in enumerate(zip(kept, shape.inputs, strict=True), start=1):
        row = Row(id=f"sample-{number}", inputs=inputs, reference=_ideal(sample["ideal"]))
        row.metadata = {
            key: value.take()
            for key, value in sample.items()
            if key not in ("input", "ideal") and value.value is not None
        }
        draft.rows.append(row)
    if not shape.exact:
        draft.guesses.append("the samples differ in their turns, and are asked as one text.")
    return shape.prompt


def _ideal(node: Node) -> Json:
    value: Json = node.take()
    if len(list_of(value)) == 1:
        return list_of(value)[0]
    return None if value in ("", []) else value


def _score(draft: Draft, rule: _Rule | None) -> None:
    """The scorer that means what the eval's class does; else one that suits the references."""
    made = rule is not None and _of_class(draft, rule)
    if not made:
        guess = guess_scorer([row.reference for row in draft.rows])
        draft.scorers = [guess.scorer]
        draft.guesses.append(f"{guess.why}.")


def _of_class(draft: Draft, rule: _Rule) -> bool:
    texts = all(_words(row.reference) for row in draft.rows)
    few = rule.arguments["num_few_shot"].value
    if isinstance(few, int) and few > 0:
        rule.arguments["num_few_shot"].leave("examples before the question", "write them into the spec's prompt")
    if rule.name == "Match" and texts:
        for row in draft.rows:
            words = "|".join(re.escape(word) for word in _words(row.reference))
            draft.checks[row.id] = [{"scorer": {"regex": {"pattern": rf"\A(?:{words})"}}}]
    elif rule.name == "Includes" and texts:
        ignores = rule.arguments["ignore_case"].flag() is True
        draft.scorers = ["contains" if ignores else "contains:case=keep"]
    elif rule.name == "JsonValidator":
        draft.scorers = ["json"]
    elif rule.name == "JsonMatch" and (objects := [_object(row.reference) for row in draft.rows]) and all(objects):
        for row, value in zip(draft.rows, objects, strict=True):
            row.reference = value
        draft.scorers = ["fields:mode=all,extra=fail"]
    elif rule.name == "ModelBasedClassify":
        rule.node.leave("it needs a judge", "ask a model to judge it (judges in the spec)")
        return False
    else:
        reason = f"no scorer of ours means the same as {rule.name!r} on these references"
        rule.node.leave(reason, "write it in Python: function:FILE.py:NAME")
        return False
    rule.kind.take()
    return True


def _words(reference: Json) -> list[str]:
    """The reference as the texts of which one is right; empty where it is none."""
    parts = cast("list[Json]", reference) if isinstance(reference, list) else [reference]
    return cast("list[str]", parts) if all(isinstance(part, str) and part for part in parts) else []


def _object(reference: Json) -> Json:
    if not isinstance(reference, str):
        return mapping_of(reference) or None
    try:
        value: Json = json.loads(reference)
    except ValueError:
        return None
    return mapping_of(value) or None


def _rule_of_log(header: Node) -> _Rule | None:
    spec = header["spec"]["run_config"]["eval_spec"]
    return _Rule(spec, spec["cls"]) if isinstance(spec["cls"].value, str) else None


def _logs(draft: Draft, logs: Sequence[tuple[Path, list[Node]]]) -> Json:
    asked: dict[str, list[Turn]] = {}
    names: list[str] = []
    for path, lines in logs:
        spec = lines[0]["spec"]
        model = next((text for one in spec["completion_fns"] if (text := one.text())), path.stem)
        name = model if model not in names else f"{model}, {path.stem}"
        names.append(name)
        _log(draft, lines[1:], name, asked, path)
        for key in ("run_id", "created_at", "created_by", "eval_name", "base_eval", "split"):
            spec[key].rest(_BOOKS)
        spec["run_config"]["completion_fns"].rest(_BOOKS)
        spec["run_config"]["seed"].rest(_BOOKS)
    if not draft.recordings:
        raise FileError(logs[0][0], "has no answers: neither a sampling nor a match event with what was sampled.")
    shape = shape_of([asked[row.id] for row in draft.rows])
    for row, inputs in zip(draft.rows, shape.inputs, strict=True):
        row.inputs = inputs
    if not shape.exact:
        draft.guesses.append("the samples differ in their turns, and are asked as one text.")
    return shape.prompt


def _log(draft: Draft, lines: Sequence[Node], model: str, asked: dict[str, list[Turn]], path: Path) -> None:
    events: dict[str, list[Node]] = {}
    for line in lines:
        if "final_report" in line:
            line.rest(_COUNTED)
            continue
        name = line["sample_id"].value
        if isinstance(name, str):
            events.setdefault(name, []).append(line)
    rows = {row.id: row for row in draft.rows}
    for name, found in events.items():
        kinds = {kind: [one for one in found if one["type"].value == kind] for kind in ("sampling", "match", "error")}
        first = next(iter(kinds["sampling"]), None)
        match = next(iter(kinds["match"]), None)
        failed = next(iter(kinds["error"]), None)
        prompt = first["data"]["prompt"] if first else match["data"]["prompt"] if match else None
        turns = turns_of(prompt.value) if prompt is not None else None
        output = _sampled(first, match)
        error = failed["data"]["message"].text() if failed else None
        if output is None and error is None:
            continue
        if turns is None:
            turns = asked.get(name) or [Turn("user", name)]
        elif prompt is not None:
            prompt.take()
        asked.setdefault(name, turns)
        if name not in rows:
            rows[name] = Row(id=name, inputs={})
            draft.rows.append(rows[name])
        reference = _ideal(match["data"]["expected"]) if match else None
        if rows[name].reference is None:
            rows[name].reference = reference
        elif reference is not None and reference != rows[name].reference:
            raise FileError(
                path,
                f"its sample {name!r} expects something else than the {name!r} read before. Logs go together over the "
                "same samples; import this one into a folder of its own.",
            )
        draft.recordings.append(_recording(name, model, turns, output, error, first, found))
        for one in found:
            _leave_event(one)


def _sampled(first: Node | None, match: Node | None) -> str | None:
    for event in (first, match):
        if event is None:
            continue
        value: Json = event["data"]["sampled"].value
        if isinstance(value, list) and value:
            value = cast("list[Json]", value)[0]
        if isinstance(value, str):
            event["data"]["sampled"].take()
            return value
    return None


def _recording(
    case: str,
    model: str,
    turns: list[Turn],
    output: str | None,
    error: str | None,
    first: Node | None,
    found: Sequence[Node],
) -> dict[str, Json]:
    usage = first["data"]["usage"] if first else Node(None, found[0].source)
    created = (first or found[0])["created_at"].text()
    labels = {
        key: value.take()
        for event in found
        if event["type"].value in ("match", "metrics")
        for key, value in event["data"].items()
        if key not in ("expected", "sampled", "options", "prompt", "picked")
    }
    return {
        "case_id": case,
        "model": model,
        "prompt": [turn._asdict() for turn in turns],
        "output": output,
        "error": error if output is None else None,
        "tokens_in": usage["prompt_tokens"].whole(),
        "tokens_out": usage["completion_tokens"].whole(),
        "recorded_at": None if created is None else created.replace(" ", "T"),
        "labels": labels or None,
    }


def _leave_event(event: Node) -> None:
    for key in ("run_id", "event_id", "sample_id", "type", "created_by", "created_at"):
        event[key].rest(_BOOKS)
    data = event["data"]
    for key in ("expected", "picked", "options", "sampled", "prompt", "model", "usage"):
        data[key].rest("said again, or by a later call")
