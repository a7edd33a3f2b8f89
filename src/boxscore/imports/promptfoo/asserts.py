"""promptfoo's assertions as checks of our scorers, where both mean the same.

Read from promptfoo 0.121 (src/assertions): what an assertion compares, with which default threshold, and how `not-`,
`weight` and sets of assertions work.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from boxscore.errors import BoxscoreError, TemplateError, UsageError
from boxscore.imports.files import read_text, read_tree
from boxscore.imports.reading import Node
from boxscore.imports.templates import render
from boxscore.scoring import make_scorer
from boxscore.types import Json

__all__ = ["from_text", "read_assert"]

Check = dict[str, Json]

_JUDGE = "it needs a judge"
_JUDGED = (
    "llm-rubric",
    "model-graded-closedqa",
    "model-graded-factuality",
    "factuality",
    "g-eval",
    "answer-relevance",
    "agent-rubric",
    "search-rubric",
    "context-faithfulness",
    "context-recall",
    "context-relevance",
    "conversation-relevance",
    "trajectory:goal-success",
    "pi",
)
_REMEDY_JUDGE = "ask a model to judge it (judges in the spec), or write a scorer: function:FILE.py:NAME"
_REMEDY_SET = "write its assertions beside the others"
_REMEDY_CODE = "write it as a scorer in Python: function:FILE.py:NAME"

# Assertions that are close to a scorer of ours and yet measure something else.
_NEAR = {
    "levenshtein": "edit_similarity",
    "rouge-n": "rouge_l",
    "rouge-l": "rouge_l",
    "rouge-s": "rouge_l",
    "bleu": "bleu",
    "gleu": "bleu",
    "is-refusal": "refusal",
    "is-valid-openai-tools-call": "tool_calls",
    "is-valid-openai-function-call": "tool_calls",
    "is-valid-function-call": "tool_calls",
    "tool-call-f1": "tool_calls",
    "word-count": "length",
    "contains-json": "json:fenced=allow",
    "similar": "token_f1",
}


def read_assert(node: Node, variables: Mapping[str, Json], folder: Path, *, by_threshold: bool = False) -> list[Check]:
    """The checks that one assertion means for a test with these variables; none where it cannot be carried, which is
    then said at its node. `by_threshold`: the test passes by its mean score."""
    kind = node["type"].value
    if not isinstance(kind, str):
        return []
    if kind == "assert-set":
        if by_threshold:
            node.leave("a set counts as one in the mean of a test with a threshold", _REMEDY_SET)
            return []
        return _set(node, variables, folder)
    base = kind.removeprefix("not-")
    if not _carries(node, base):
        return []
    try:
        check = _MAKERS[base](_value(node["value"], variables, folder), node["threshold"])
        make_scorer(cast("Mapping[str, Json] | str", check["scorer"]))
    except TemplateError as error:
        node.leave(f"its value cannot be filled in: {error}")
        return []
    except BoxscoreError as error:
        node.leave(f"our scorer cannot take it: {error}", _REMEDY_CODE)
        return []
    except _UnfitError as error:
        node.leave(str(error), error.remedy)
        return []
    node["type"].take()
    node["value"].take()
    if base != kind:
        check["not"] = True
    weight = node["weight"].number()
    if weight is not None and weight != 1:
        check["weight"] = weight
    if node["metric"]:
        node["metric"].leave("named metrics are not kept apart; the assertion itself is carried")
    return [check]


def _carries(node: Node, base: str) -> bool:
    if base in _JUDGED:
        node.leave(_JUDGE, _REMEDY_JUDGE)
    elif base in _NEAR or base.split(":")[0] == "similar":
        near = _NEAR[base.split(":")[0]]
        node.leave(f"{base!r} measures otherwise than any scorer of ours", f"the nearest is {near}; see its page")
    elif base in ("javascript", "python", "ruby", "webhook"):
        node.leave("it is code with an interface of its own", _REMEDY_CODE)
    elif base not in _MAKERS:
        node.leave(f"no scorer of ours is {base!r}", _REMEDY_CODE)
    elif "transform" in node:
        node.leave("its transform is code", _REMEDY_CODE)
    else:
        return True
    return False


def _set(node: Node, variables: Mapping[str, Json], folder: Path) -> list[Check]:
    if node["threshold"] or node["weight"]:
        node.leave("a set with a threshold or weight of its own", _REMEDY_SET)
        return []
    node["type"].take()
    return [check for one in node["assert"] for check in read_assert(one, variables, folder)]


class _UnfitError(Exception):
    def __init__(self, problem: str, remedy: str | None = None) -> None:
        self.remedy = remedy
        super().__init__(problem)


def _value(node: Node, variables: Mapping[str, Json], folder: Path) -> Json:
    value: Json = node.value
    if isinstance(value, list):
        return [_filled(part, variables, folder) for part in cast("list[Json]", value)]
    return _filled(value, variables, folder)


def _filled(value: Json, variables: Mapping[str, Json], folder: Path) -> Json:
    if not isinstance(value, str):
        return value
    if not value.startswith("file://"):
        return render(value, variables)
    path = folder / value.removeprefix("file://")
    if path.suffix not in (".txt", ".md", ".json", ".yaml", ".yml"):
        raise _UnfitError("its value comes from code", _REMEDY_CODE)
    try:
        if path.suffix in (".json", ".yaml", ".yml"):
            return read_tree(path).take()
        return read_text(path).strip()
    except UsageError as error:
        raise _UnfitError(f"its file cannot be used: {error}") from None


def _word(value: Json) -> str:
    """A value as the text that promptfoo compares."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        raise _UnfitError(f"its value must be a text or a number, and is {json.dumps(value)[:40]}")
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _words(value: Json) -> list[str]:
    if isinstance(value, str):
        rows = list(csv.reader([value], skipinitialspace=True))
        return [part.strip() for part in rows[0] if part.strip()] if rows else []
    if isinstance(value, list) and value:
        return [_word(part) for part in cast("list[Json]", value)]
    raise _UnfitError("its value must be a list of texts")


def _contains(case: str, mode: str) -> Callable[[Json, Node], Check]:
    def make(value: Json, threshold: Node) -> Check:
        name = "contains:case=keep" if case == "keep" else "contains"
        if mode == "all":
            options = {"args": _words(value), **({"case": "keep"} if case == "keep" else {})}
            return {"scorer": {"contains": options}}
        words: Json = _word(value) if mode == "one" else _words(value)
        if not words or (mode != "one" and "" in words):
            raise _UnfitError("its value is empty")
        return {"scorer": name, "reference": words}

    return make


def _equals(value: Json, threshold: Node) -> Check:
    if isinstance(value, dict) and value:
        return {"scorer": "fields:mode=all,extra=fail", "reference": value}
    if isinstance(value, list | dict):
        raise _UnfitError("only texts and objects can be compared for equality", _REMEDY_CODE)
    return {"scorer": "exact:strip=false", "reference": _word(value)}


def _starts_with(value: Json, threshold: Node) -> Check:
    threshold.rest("what starts with a text does so without degrees")
    return {"scorer": {"regex": {"pattern": r"\A" + re.escape(_word(value))}}}


def _regex(value: Json, threshold: Node) -> Check:
    if not isinstance(value, str) or not value:
        raise _UnfitError("its value must be a regular expression")
    return {"scorer": {"regex": {"pattern": re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", value)}}}


def _is_json(value: Json, threshold: Node) -> Check:
    if value in (None, ""):
        return {"scorer": "json"}
    if isinstance(value, str):
        import yaml

        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError:
            value = None
    if not isinstance(value, dict):
        raise _UnfitError("its schema is no object")
    return {"scorer": {"schema": {"schema": value}}}


def _at_most(scorer: str, factor: float) -> Callable[[Json, Node], Check]:
    def make(value: Json, threshold: Node) -> Check:
        limit = threshold.number()
        if limit is None:
            raise _UnfitError("it has no threshold")
        return {"scorer": scorer, "at_most": limit * factor}

    return make


_MAKERS: dict[str, Callable[[Json, Node], Check]] = {
    "equals": _equals,
    "contains": _contains("keep", "one"),
    "icontains": _contains("ignore", "one"),
    "contains-any": _contains("keep", "any"),
    "icontains-any": _contains("ignore", "any"),
    "contains-all": _contains("keep", "all"),
    "icontains-all": _contains("ignore", "all"),
    "starts-with": _starts_with,
    "regex": _regex,
    "is-json": _is_json,
    "latency": _at_most("latency", 0.001),
    "cost": _at_most("cost", 1.0),
}

_TEXT_FORM = re.compile(
    r"(not-)?([a-z]+(?:-[a-z]+)*(?::(?:cosine|dot|euclidean))?)(?:\((-?\d+(?:\.\d+)?)\))?(?::([\s\S]*))?"
)
_THRESHOLDS = ("cost", "latency", "levenshtein", "rouge-n", "similar", "starts-with", "perplexity", "classifier")


def from_text(expected: str) -> dict[str, Json]:
    """The assertion that a cell of the column `__expected` means: `TYPE: VALUE`, `TYPE(THRESHOLD): VALUE`, or the text
    that the answer must equal."""
    for prefix, kind in (("javascript:", "javascript"), ("fn:", "javascript"), ("eval:", "javascript")):
        if expected.startswith(prefix):
            return {"type": kind, "value": expected.removeprefix(prefix).strip()}
    if expected.startswith(("grade:", "llm-rubric:")):
        return {"type": "llm-rubric", "value": expected.partition(":")[2]}
    if expected.startswith("file://") and re.search(r"\.(py|js|cjs|mjs|ts)\b", expected):
        return {"type": "python" if ".py" in expected else "javascript", "value": expected}
    found = _TEXT_FORM.fullmatch(expected)
    known = {*_MAKERS, *_JUDGED, *_NEAR, *_THRESHOLDS, "python", "is-html", "is-sql", "is-xml", "moderation", "webhook"}
    if found is None or found[2] not in known:
        return {"type": "equals", "value": expected}
    made: dict[str, Json] = {"type": (found[1] or "") + found[2]}
    if found[4] is not None:
        made["value"] = found[4].strip()
    if found[3] is not None:
        made["threshold"] = float(found[3])
    elif found[2] in _THRESHOLDS:
        made["threshold"] = 0.75
    return made
