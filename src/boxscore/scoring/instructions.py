"""The `instructions` scorer: are the countable instructions kept?"""

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, cast

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError, UnknownNameError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.instruction_rules import RULES, RuleError
from boxscore.scoring.scorer import Metric, Score
from boxscore.types import Json

__all__ = ["Instructions", "RuleResult"]


class RuleResult(NamedTuple):
    """One rule on one answer: kept or not, and what was counted ("212, at least 300")."""

    rule: str
    kept: bool
    counted: str


class Instructions:
    """The answer keeps instructions that can be counted: no comma, JSON, at least 300 words, a title, …

    There are 25 kinds, those of IFEval with its names and parameters.

    The rules stand in the arguments (`instructions:no_comma,title`; with parameters in a spec file:
    `{kind: number_words, num_words: 300, relation: at least}`), or in the example: `metadata.instructions` as a list of
    the same form, or IFEval's `instruction_id_list` and `kwargs`. `mode=all` (default) wants every rule kept,
    `mode=fraction` gives the share kept. The note lists each rule with what was counted.
    Source: Zhou et al. 2023; strict reading, the answer is taken as it stands.

    Lies about content: a nonsense text keeps every rule. Sentences and words are counted by marks and blanks, so that
    lists and abbreviations are a matter of opinion; languages are told apart by their common words.
    """

    def __init__(self, *rules: str | Mapping[str, Json], mode: Literal["all", "fraction"] = "all") -> None:
        self._rules = [_read_rule(rule) for rule in rules]
        self._mode = mode
        self.spec: str = format_spec(
            "instructions",
            [{"kind": kind, **params} if params else kind for kind, params in self._rules],
            {"mode": None if mode == "all" else mode},
        )
        self.metric: Metric = Metric(name="instructions", kind="rate" if mode == "all" else "mean")

    def check(self, example: Example, response: Response) -> tuple[RuleResult, ...]:
        """Each rule by itself, in the order in which they were given."""
        results: list[RuleResult] = []
        for kind, params in self._rules or _rules_of(example):
            try:
                kept, counted = RULES[kind].check(response.output, params)
            except RuleError as problem:
                raise ScorerError("instructions", f"rule {kind!r}: {problem}", example_id=example.id) from None
            # An answer without text keeps nothing: "no comma" is no achievement of silence.
            results.append(RuleResult(kind, kept and bool(response.output.strip()), counted))
        return tuple(results)

    def score(self, example: Example, response: Response) -> Score:
        results = self.check(example, response)
        kept = sum(result.kept for result in results)
        value = kept / len(results) if self._mode == "fraction" else float(kept == len(results))
        note = "; ".join(
            f"{result.rule}: {'kept' if result.kept else 'broken'} ({result.counted})" for result in results
        )
        return Score(value=value, label=f"{kept} of {len(results)} rules", note=note)


def _read_rule(rule: Json, example_id: str | None = None) -> tuple[str, dict[str, Json]]:
    params: dict[str, Json] = {}
    if isinstance(rule, str) and rule.lstrip().startswith("{"):
        try:
            rule = json.loads(rule)
        except ValueError as problem:
            raise ScorerError("instructions", f"a rule is not JSON: {problem}", example_id=example_id) from None
    if isinstance(rule, Mapping):
        params = {key: value for key, value in cast("Mapping[str, Json]", rule).items() if value is not None}
        rule = params.pop("kind", None)
    if not isinstance(rule, str):
        raise ScorerError("instructions", "a rule is a name or {kind: name, parameter: value}", example_id=example_id)
    # IFEval writes group:rule, its translations language:group:rule.
    kind = rule.rpartition(":")[2]
    if kind not in RULES:
        where = f"example {example_id!r}" if example_id else "scorer 'instructions'"
        raise UnknownNameError("instruction rule", rule, RULES, where=where)
    known = RULES[kind]
    unknown = [name for name in params if name not in known.params]
    if unknown:
        accepted = ", ".join(known.params) or "none"
        raise ScorerError(
            "instructions",
            f"rule {kind!r} has no parameter {unknown[0]!r}; accepted: {accepted}",
            example_id=example_id,
        )
    missing = [name for name in known.params[: known.required] if name not in params]
    if missing:
        raise ScorerError("instructions", f"rule {kind!r} needs the parameter {missing[0]!r}", example_id=example_id)
    return kind, params


def _rules_of(example: Example) -> list[tuple[str, dict[str, Json]]]:
    listed: Json = example.metadata.get("instructions")
    if listed is None:
        names: Json = example.metadata.get("instruction_id_list")
        params: Json = example.metadata.get("kwargs") or []
        if isinstance(names, list) and isinstance(params, list):
            extra = cast("list[Json]", params)
            listed = [
                {"kind": name, **(_of_rule(name, extra[at]) if at < len(extra) else {})}
                for at, name in enumerate(cast("list[Json]", names))
            ]
    if not isinstance(listed, list) or not listed:
        raise ScorerError(
            "instructions",
            "no rules are given, neither as arguments nor in metadata.instructions",
            example_id=example.id,
        )
    return [_read_rule(rule, example.id) for rule in cast("Sequence[Json]", listed)]


def _of_rule(name: Json, params: Json) -> dict[str, Json]:
    """IFEval's table gives every rule the columns of all; those of others are null."""
    known = RULES.get(str(name).rpartition(":")[2])
    given = cast("dict[str, Json]", params) if isinstance(params, dict) else {}
    return {key: value for key, value in given.items() if known is None or key in known.params}
