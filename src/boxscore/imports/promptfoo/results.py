"""Results of `promptfoo eval -o results.json`, versions 2 and 3: a dataset and recorded answers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from boxscore.datasets.dataset import canonical
from boxscore.errors import FileError
from boxscore.imports.draft import Draft
from boxscore.imports.promptfoo.config import add_variants, leave_settings
from boxscore.imports.promptfoo.judged import Judged
from boxscore.imports.promptfoo.prompts import Prompt, read_prompt
from boxscore.imports.promptfoo.providers import Provider, read_providers
from boxscore.imports.promptfoo.tests import Case, add_cases
from boxscore.imports.reading import Node, list_of, mapping_of
from boxscore.types import Json

__all__ = ["import_results"]

_COUNTED: Final = "counted again from the answers"
_KEPT: Final = "promptfoo's own verdict, which no scorer sees; it is kept as a label of the answer"
_BOOKS: Final = "promptfoo's own bookkeeping"


def import_results(path: Path, tree: Node, models: Sequence[str] = ()) -> Draft:
    """Raises `FileError` where there are no results in the tree."""
    outer = tree["results"]
    rows = outer["results"] if outer.is_mapping else outer
    if not rows.is_list or not rows.value:
        raise FileError(path, "has no results: write them with promptfoo eval -o results.json.")
    draft = Draft(source="promptfoo results", nodes=[tree])
    folder = path.resolve().parent
    seen: dict[tuple[str, str], int] = {}
    judged = Judged()
    cases: dict[str, str] = {}
    labels = _labels([*outer["prompts"], *(row["prompt"] for row in rows)])
    for row in rows:
        case = _case(draft, cases, row, folder, judged)
        model = _model(row, labels)
        trial = seen.get((model, case), 0)
        seen[model, case] = trial + 1
        draft.recordings.append(_recording(row, case, model, trial))
        _leave_verdicts(row)
    judged.settle(draft)
    for key in ("stats", "table"):
        outer[key].rest(_COUNTED)
    for key in ("evalId", "metadata", "shareableUrl", "vars", "runtimeOptions", "author", "createdAt"):
        tree[key].rest(_BOOKS)
    for key in ("version", "timestamp"):
        outer[key].rest(_BOOKS)
    _variants(draft, tree, outer["prompts"], folder, labels, models)
    return draft


def _labels(prompts: Sequence[Node]) -> dict[str, str]:
    """A short name for each prompt, by the label that promptfoo gave it: often the whole prompt itself."""
    found: dict[str, str] = {}
    for prompt in prompts:
        label = prompt["label"].value or prompt["raw"].value
        if isinstance(label, str) and label not in found:
            plain = len(label) <= 40 and "{" not in label and "\n" not in label
            found[label] = label if plain else f"prompt-{len(found) + 1}"
    return found


def _case(draft: Draft, cases: dict[str, str], row: Node, folder: Path, judged: Judged) -> str:
    """The id of the row's test, which is added where it is new. Tests are known by what they hold."""
    test = row["testCase"]
    variables = row["vars"].take() if row["vars"] else test["vars"].value
    key = canonical([variables, test.value])
    row["testIdx"].take()
    if key not in cases:
        # What was run is one combination of variables, whatever lists stood in the configuration.
        value: dict[str, Json] = {**(mapping_of(test.value) or _graded(row)), "vars": variables}
        value["options"] = {**mapping_of(value.get("options")), "disableVarExpansion": True}
        copy = Node(value, test.source, test.path)
        add_cases(draft, [Case((copy,))], folder, judged)
        cases[key] = draft.rows[-1].id
        draft.nodes.append(copy)
    test.take()
    return cases[key]


def _graded(row: Node) -> dict[str, Json]:
    """The test of a result of version 2, which has it only as what was graded."""
    graded = list_of(row["gradingResult"]["componentResults"].value)
    found = [mapping_of(mapping_of(one).get("assertion")) for one in graded]
    return {"assert": [one for one in found if one]}


def _model(row: Node, labels: Mapping[str, str]) -> str:
    """Name of what answered: the provider, and the prompt where there are several."""
    provider, prompt = row["provider"], row["prompt"]
    name = provider["label"].text() or provider["id"].text() or provider.text() or "unknown"
    provider["id"].take()
    label = prompt["label"].text() or cast("str", prompt["raw"].value or "")
    row["promptId"].rest(_BOOKS)
    prompt["config"].leave("settings of one prompt", "put them under 'params' of its variants")
    return f"{name}, {labels.get(label, label)}" if len(labels) > 1 else name


def _recording(row: Node, case: str, model: str, trial: int) -> dict[str, Json]:
    response = row["response"]
    usage = response["tokenUsage"] if response["tokenUsage"] else row["tokenUsage"]
    error = row["error"].text() or response["error"].text()
    output: Json = response["output"].take()
    tool_calls = None
    if output is not None and not isinstance(output, str):
        output = json.dumps(output, ensure_ascii=False)
    # A cached answer took no time and cost nothing, which says nothing of the provider.
    cached = response["cached"].flag() is True
    latency, cost = row["latencyMs"].number(), row["cost"].number()
    failed = error if error and row["failureReason"].value != 1 else None
    line: dict[str, Json] = {
        "case_id": case,
        "model": model,
        "prompt": row["prompt"]["raw"].take(),
        "output": output if output is not None or failed else "",
        "error": failed if output is None else None,
        "params": {"trial": trial},
        "tool_calls": tool_calls,
        "tokens_in": _count(usage["prompt"]),
        "tokens_out": _count(usage["completion"]),
        "cost_usd": None if cached or not cost else cost,
        "latency_s": None if cached or latency is None else latency / 1000,
        "finish_reason": response["finishReason"].text(),
        "labels": {
            "success": row["success"].take(),
            "score": row["score"].take(),
            "reason": row["gradingResult"]["reason"].take(),
        },
    }
    return line


def _count(node: Node) -> int | None:
    """Tokens; promptfoo writes 0 where a provider said nothing."""
    return node.whole() or None


def _leave_verdicts(row: Node) -> None:
    row["gradingResult"].rest(_KEPT)
    for key in ("namedScores", "failureReason"):
        row[key].rest(_KEPT)
    for key in ("id", "promptIdx", "description", "evalId", "createdAt", "updatedAt"):
        row[key].rest(_BOOKS)
    row["metadata"].rest("what promptfoo noted beside the answer")
    row["tokenUsage"].rest("tokens are counted from each answer")
    for key in ("raw", "metadata", "isRefusal", "cost", "latencyMs", "tokenUsage", "logProbs", "guardrails"):
        row["response"][key].rest("what the provider said beside the answer")


def _variants(
    draft: Draft, tree: Node, ran: Node, folder: Path, labels: Mapping[str, str], models: Sequence[str]
) -> None:
    """Variants from the configuration inside the results, with the prompts as they ran."""
    config = tree["config"]
    prompts: dict[str, Prompt] = {}
    for prompt in ran:
        raw, label = prompt["raw"].value, prompt["label"].text()
        if isinstance(raw, str) and raw not in prompts:
            own = label if label is not None and labels.get(label) == label else None
            made = read_prompt(prompt["raw"], own, (label or raw, raw))
            if made is not None:
                prompts[raw] = made
        prompt["raw"].take()
        prompt["provider"].take()
        for key in ("id", "config"):
            prompt[key].rest(_BOOKS)
        prompt["metrics"].rest(_COUNTED)
    providers: list[Provider] = read_providers(config["providers"], folder, draft.nodes)
    add_variants(draft, list(prompts.values()), providers, models)
    leave_settings(config, draft)
    for key in ("prompts", "tests", "defaultTest", "scenarios"):
        config[key].rest("taken from the results, where it stands as it ran")
