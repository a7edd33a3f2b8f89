"""The tests of a promptfoo configuration: variables, assertions and what else is said of each."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from boxscore.errors import BoxscoreError, FileError, TemplateError, UsageError
from boxscore.imports.draft import Draft, Row
from boxscore.imports.files import read_jsonl, read_text, read_tree
from boxscore.imports.promptfoo.asserts import from_text, read_assert
from boxscore.imports.promptfoo.judged import Judged
from boxscore.imports.promptfoo.prompts import named_files
from boxscore.imports.reading import Node, Source
from boxscore.imports.templates import has_template, render
from boxscore.types import Json

__all__ = ["Case", "add_cases", "read_cases"]

_OVERRIDDEN = "every test that it stands above says otherwise"

_AROUND = ("text around the prompt of single tests", "put it into a variable of the prompt")
_CODE = ("answers are changed by code before they are compared", "answer with a variant in Python that changes them")
_OPTIONS = {"prefix": _AROUND, "suffix": _AROUND, "transform": _CODE, "postprocess": _CODE}


class Case(NamedTuple):
    """One test with what stands above it: nodes from the most general (`defaultTest`) to the test itself."""

    nodes: tuple[Node, ...]

    def last(self, key: str) -> Node:
        """The key of the most particular node that has it."""
        having = [node[key] for node in self.nodes if key in node]
        for general in having[:-1]:
            general.rest(_OVERRIDDEN)
        return having[-1] if having else self.nodes[-1][key]

    def merged(self, key: str) -> dict[str, Node]:
        """What stands below the key in all nodes; the most particular wins."""
        found: dict[str, Node] = {}
        for node in self.nodes:
            for name, value in node[key].items():
                if name in found:
                    found[name].rest(_OVERRIDDEN)
                found[name] = value
        return found


def read_cases(config: Node, folder: Path, nodes: list[Node]) -> list[Case]:
    """Every test, with `defaultTest` and scenarios spread over them. Files that are read join `nodes`."""
    default = config["defaultTest"]
    if isinstance(default.value, str) and default.value.startswith("file://"):
        tree = _tree(default, folder)
        if tree is not None:
            nodes.append(tree)
            default = tree
    above = (default,) if default.is_mapping else ()
    cases = [Case((*above, test)) for test in _tests(config["tests"], folder, nodes)]
    for scenario in config["scenarios"]:
        data = list(_tests(scenario["config"], folder, nodes))
        tests = list(_tests(scenario["tests"], folder, nodes)) or [Node({}, config.source, scenario.path)]
        cases += [Case((*above, one, test)) for one in data for test in tests]
    if not cases and not config["tests"] and not config["scenarios"]:
        cases = [Case((*above, Node({}, config.source, "tests")))]
    return cases


def add_cases(draft: Draft, cases: list[Case], folder: Path, judged: Judged) -> None:
    """A row, with its checks, for every test and every combination of its variables."""
    for case in cases:
        graders = [node["options"]["provider"] for node in reversed(case.nodes)]
        by_threshold = bool(case.last("threshold"))
        for key, (reason, remedy) in _OPTIONS.items():
            for node in case.nodes:
                node["options"][key].leave(reason, remedy)
        for variables in _combinations(case, folder):
            name = f"test-{len(draft.rows) + 1}"
            filled = _filled(variables)
            row = Row(id=name, inputs=filled, metadata=_metadata(case))
            draft.checks[name] = []
            for one in (one for node in case.nodes for one in node["assert"]):
                if one["type"].value == "llm-rubric":
                    judged.meet(one, name, filled, graders, folder)
                else:
                    draft.checks[name] += read_assert(one, filled, folder, by_threshold=by_threshold)
            if draft.checks[name] and (threshold := case.last("threshold").number()) is not None:
                row.metadata["checks_threshold"] = threshold
            draft.rows.append(row)


def _metadata(case: Case) -> dict[str, Json]:
    found = {name: node.take() for name, node in case.merged("metadata").items()}
    description = case.last("description").text()
    return {**found, **({"description": description} if description else {})}


def _combinations(case: Case, folder: Path) -> Iterator[dict[str, Json]]:
    """The variables of a test; a list of texts stands for as many tests."""
    variables: dict[str, Json] = {}
    for node in case.nodes:
        source = node["vars"]
        if isinstance(source.value, str) and source.value.startswith("file://"):
            try:
                value = _file_value(source.value, folder)
            except UsageError as error:
                source.leave(f"its file cannot be used: {error}")
                continue
            source.take()
            variables |= cast("dict[str, Json]", value) if isinstance(value, dict) else {}
    variables |= {key: _variable(node, folder) for key, node in case.merged("vars").items()}
    spread = not any(node["options"]["disableVarExpansion"].flag() for node in case.nodes)
    choices = [_choices(value, spread) for value in variables.values()]
    for combination in itertools.product(*choices):
        yield dict(zip(variables, combination, strict=True))


def _choices(value: Json, spread: bool) -> list[Json]:
    if spread and isinstance(value, list) and value and isinstance(value[0], str):
        return cast("list[Json]", value)
    return [value]


def _variable(node: Node, folder: Path) -> Json:
    text = node.value
    if isinstance(text, str) and text.startswith("file://"):
        try:
            value = _file_value(text, folder)
        except UsageError as error:
            node.leave(f"its file cannot be used: {error}", "put the value into the rows")
            return text
        node.take()
        return value
    return node.take()


def _file_value(reference: str, folder: Path) -> Json:
    paths = named_files(reference, folder)
    if len(paths) != 1:
        raise FileError(reference, "names several files")
    (path,) = paths
    if path.suffix in (".json", ".yaml", ".yml"):
        return read_tree(path).take()
    if path.suffix in (".txt", ".md", ".html", ".xml", ".csv", ""):
        return read_text(path).strip()
    raise FileError(path, "is no text")


def _filled(variables: Mapping[str, Json]) -> dict[str, Json]:
    """Variables that are templates of each other, filled in. What cannot be filled in stays as it is."""
    filled = dict(variables)
    for key, value in variables.items():
        if isinstance(value, str) and has_template(value):
            try:
                filled[key] = render(value, variables)
            except TemplateError:
                continue
    return filled


def _tests(node: Node, folder: Path, nodes: list[Node]) -> Iterator[Node]:
    """Every test below: written out, or in files."""
    for entry in node if node.is_list else [node]:
        if isinstance(entry.value, str):
            yield from _of_files(entry, folder, nodes)
        elif entry.is_mapping and "path" in entry:
            entry.leave("its tests are made by code", "write them out, as JSONL")
        elif entry.is_mapping:
            yield entry


def _of_files(entry: Node, folder: Path, nodes: list[Node]) -> Iterator[Node]:
    reference = cast("str", entry.value)
    if re.match(r"(https?|huggingface|s3|az|gs):", reference):
        entry.leave("its tests are fetched from elsewhere", "save them as a file and name that")
        return
    for path in named_files(reference, folder):
        ending = path.suffix.lower()
        if ending not in (".csv", ".jsonl", ".json", ".yaml", ".yml"):
            entry.leave("its tests are made by code, or of a form that is not read", "save them as JSONL or CSV")
            continue
        try:
            found = list(_of_file(path, ending, folder, nodes))
        except BoxscoreError as error:
            entry.leave(f"its file cannot be used: {error}")
            continue
        entry.take()
        yield from found


def _of_file(path: Path, ending: str, folder: Path, nodes: list[Node]) -> Iterator[Node]:
    if ending == ".csv":
        rows = csv.DictReader(io.StringIO(read_text(path)))
        for index, row in enumerate(rows):
            test = Node(_of_row(row), Source(path.name, line=index + 2), f"[{index}]")
            nodes.append(test)
            yield test
        return
    if ending == ".jsonl":
        for test in read_jsonl(path, path.name):
            nodes.append(test)
            yield test
        return
    tree = read_tree(path, path.name)
    nodes.append(tree)
    yield from _tests(tree, folder, nodes)


def _of_row(row: Mapping[str | None, str | None]) -> dict[str, Json]:
    """A line of CSV as a test. Columns of two underscores are promptfoo's own; every other one is a variable."""
    test: dict[str, Json] = {"vars": {}, "assert": [], "metadata": {}}
    thresholds: dict[str, Json] = {}
    for column, value in row.items():
        key, cell = (column or "").strip(), value or ""
        if key.startswith("__expected"):
            if cell.strip():
                test["assert"].append(from_text(cell.strip()))
        elif key.startswith("__metadata:"):
            name = key.removeprefix("__metadata:")
            if cell.strip() and name.endswith("[]"):
                test["metadata"][name[:-2]] = [part.strip() for part in cell.split(",")]
            elif cell.strip():
                test["metadata"][name] = cell
        elif key == "__description" and cell:
            test["description"] = cell
        elif key == "__threshold" and re.fullmatch(r"\s*-?\d*\.?\d+\s*", cell):
            test["threshold"] = float(cell)
        elif found := re.fullmatch(r"__config:(__expected\d*):threshold", key):
            thresholds[found[1]] = cell
        elif key.startswith("__"):
            if cell:
                test[key] = cell
        else:
            test["vars"][key] = cell
    for name, cell in thresholds.items():
        place = int(name.removeprefix("__expected") or 1) - 1
        if place < len(test["assert"]) and re.fullmatch(r"\s*-?\d*\.?\d+\s*", cell):
            test["assert"][place]["threshold"] = float(cell)
    return test


def _tree(node: Node, folder: Path) -> Node | None:
    path = folder / cast("str", node.value).removeprefix("file://")
    try:
        tree = read_tree(path, path.name)
    except UsageError as error:
        node.leave(f"its file cannot be used: {error}")
        return None
    node.take()
    return tree
