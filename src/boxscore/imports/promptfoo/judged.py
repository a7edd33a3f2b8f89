"""Assertions that ask a model (`llm-rubric`) as judges of the spec."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from boxscore.datasets.dataset import canonical
from boxscore.errors import TemplateError
from boxscore.imports.draft import Draft
from boxscore.imports.promptfoo.providers import read_provider
from boxscore.imports.reading import Node
from boxscore.imports.templates import render
from boxscore.types import Json

__all__ = ["Judged"]

_REMEDY = "write it below 'judges' of the spec: 'question', and the model that judges"


class _Judge(NamedTuple):
    nodes: list[Node]
    rows: set[str]
    keys: dict[str, Json]


class Judged:
    """Rubrics as they are met, test by test. A spec's judge has one question for all examples and names its model: so a
    rubric is carried where every test has the same, and the file says who judges."""

    def __init__(self) -> None:
        self._judges: dict[str, _Judge] = {}

    def meet(self, node: Node, row: str, variables: Mapping[str, Json], graders: list[Node], folder: Path) -> None:
        """An assertion of the row. `graders` are where the file may say who judges, the most particular first."""
        rubric = node["value"].value
        if not isinstance(rubric, str) or rubric.startswith("file://"):
            node.leave("its rubric is no plain text", _REMEDY)
            return
        grader = next((found for found in [node["provider"], *graders] if found), None)
        if grader is None:
            node.leave("it is judged by a model that the file does not name", _REMEDY)
            return
        provider = read_provider(grader, folder)
        if provider is None or not provider.takes_prompt:
            node.leave("it is judged by a provider that cannot be asked here", _REMEDY)
            return
        try:
            question = render(rubric, variables)
        except TemplateError as error:
            node.leave(f"its value cannot be filled in: {error}")
            return
        keys: dict[str, Json] = {"question": f"Does the answer meet this requirement? {question}", **provider.keys}
        judge = self._judges.setdefault(canonical(keys), _Judge([], set(), keys))
        judge.nodes.append(node)
        judge.rows.add(row)

    def settle(self, draft: Draft) -> None:
        """Judges of the draft, now that all rows are known; rubrics of some rows alone are left."""
        made: dict[str, Json] = {}
        for judge in self._judges.values():
            if len(judge.rows) < len(draft.rows):
                for node in judge.nodes:
                    node.leave("a judge has one question for all tests, and this rubric is not in all of them", _REMEDY)
                continue
            made["rubric" if not made else f"rubric-{len(made) + 1}"] = judge.keys
            for node in judge.nodes:
                node["type"].take()
                node["value"].take()
        if made:
            draft.options["judges"] = made
            draft.guesses.append(
                "a rubric is a judge beside the scorers, asked in our words, and not one of the checks."
            )
