"""The `tool_calls` scorer: did the model ask for the right calls?"""

import json
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response, ToolCall
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.matching import shorten
from boxscore.scoring.references import reference_value
from boxscore.scoring.scorer import Metric, Score
from boxscore.scoring.structured import parse_json, same_json
from boxscore.types import Json

__all__ = ["ToolCalls"]


class _Wanted(NamedTuple):
    """A call that is right. `accepted` has the accepted values per argument; `exact` when each is the one value."""

    name: str
    accepted: dict[str, list[Json]]


class ToolCalls:
    """The answer's tool calls are the reference's: names, arguments with their types, number and order of calls.

    The reference is a list of calls, each in one of two forms: `{"name": "f", "arguments": {"a": 1}}`, or with
    accepted values `{"f": {"a": [1, 2], "unit": ["km", ""]}}`. An accepted "" says that the argument may be left out; a
    list without values that it must be left out or empty. An object among the accepted values whose values are lists
    all is read the same way again (its fields have accepted values). An empty list as reference: no call is right.

    `order=any` lets the calls come in any order; `check=name` looks at names and their order only; `text=loose`
    compares texts without case, blanks and the marks , . / - _ * ^ as the Berkeley leaderboard does. Numbers are equal
    as numbers (5 and 5.0), but "5" is not 5. Calls are taken from the response; where it has none, from an answer that
    is JSON in the first form. Source of the accepted form: BFCL (Patil et al. 2023).

    Lies when an argument has more right values than were listed (dates, free text), and when the provider renamed the
    function (some replace the dots in a name).
    """

    def __init__(
        self,
        *,
        order: Literal["strict", "any"] = "strict",
        check: Literal["all", "name"] = "all",
        text: Literal["exact", "loose"] = "exact",
    ) -> None:
        self._order, self._names_only, self._loose = order, check == "name", text == "loose"
        self.spec: str = format_spec(
            "tool_calls",
            options={
                "order": None if order == "strict" else order,
                "check": None if check == "all" else check,
                "text": None if text == "exact" else text,
            },
        )
        self.metric: Metric = Metric(name="tool_calls")

    def score(self, example: Example, response: Response) -> Score:
        wanted = self._wanted(example)
        calls = response.tool_calls or _calls_in_text(response.output)
        label = ", ".join(call.name for call in calls) or "no call"
        if len(calls) != len(wanted):
            return Score(value=0.0, label=shorten(label), note=f"{len(calls)} calls instead of {len(wanted)}")
        if self._order == "any":
            wanted = self._paired(wanted, calls)
        for at, (want, call) in enumerate(zip(wanted, calls, strict=True), 1):
            problem = self._problem(want, call)
            if problem:
                where = f"call {at}: " if len(calls) > 1 else ""
                return Score(value=0.0, label=shorten(label), note=where + problem)
        return Score(value=1.0, label=shorten(label))

    def _wanted(self, example: Example) -> list[_Wanted]:
        value: Json = reference_value("tool_calls", example)
        if isinstance(value, str):
            try:
                value = parse_json(value, fenced=False)
            except ValueError:
                value = None
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, list):
            calls = [_read_wanted(call) for call in cast("list[Json]", value)]
            if None not in calls:
                return cast("list[_Wanted]", calls)
        raise ScorerError(
            "tool_calls",
            'the reference is no list of calls: {"name": "f", "arguments": {…}} or {"f": {"argument": [accepted, …]}}',
            example_id=example.id,
        )

    def _paired(self, wanted: list[_Wanted], calls: Sequence[ToolCall]) -> list[_Wanted]:
        """The wanted calls in the order that fits the most given ones (bipartite matching by augmenting paths)."""
        fits = [[self._problem(want, call) is None for want in wanted] for call in calls]
        taken: list[int | None] = [None] * len(wanted)  # wanted → call

        def place(call: int, seen: set[int]) -> bool:
            for want, fit in enumerate(fits[call]):
                if fit and want not in seen:
                    seen.add(want)
                    holder = taken[want]
                    if holder is None or place(holder, seen):
                        taken[want] = call
                        return True
            return False

        unplaced = [call for call in range(len(calls)) if not place(call, set())]
        for want, holder in enumerate(taken):
            if holder is None:
                taken[want] = unplaced.pop()
        by_call = {holder: wanted[want] for want, holder in enumerate(taken)}
        return [by_call[call] for call in range(len(calls))]

    def _problem(self, wanted: _Wanted, call: ToolCall) -> str | None:
        if call.name != wanted.name:
            return f"{call.name!r} instead of {wanted.name!r}"
        if self._names_only:
            return None
        arguments: Json = call.arguments
        if not isinstance(arguments, dict):
            return f"the arguments are no JSON object: {_shown(arguments)}"
        return self._differs(wanted.accepted, cast("dict[str, Json]", arguments), "argument")

    def _differs(self, accepted: dict[str, list[Json]], given: dict[str, Json], what: str) -> str | None:
        for name in given:
            if name not in accepted:
                return f"{what} {name!r} is not expected"
        for name, values in accepted.items():
            if name not in given:
                if values and "" not in values:
                    return f"{what} {name!r} is missing"
                continue
            value = given[name]
            if not values and value in (None, "", [], {}):
                continue
            if not any(self._accepts(one, value) for one in values):
                return f"{what} {name!r} is {_shown(value)}, accepted: {_shown(values)}"
        return None

    def _accepts(self, accepted: Json, given: Json) -> bool:
        if isinstance(accepted, dict) and isinstance(given, dict):
            fields = cast("dict[str, Json]", accepted)
            if fields and all(isinstance(value, list) for value in fields.values()):
                if (
                    self._differs(cast("dict[str, list[Json]]", fields), cast("dict[str, Json]", given), "field")
                    is None
                ):
                    return True
                return same_json(fields, given)
        if isinstance(accepted, list) and isinstance(given, list):
            wanted, got = cast("list[Json]", accepted), cast("list[Json]", given)
            return len(wanted) == len(got) and all(self._accepts(a, b) for a, b in zip(wanted, got, strict=True))
        if self._loose and isinstance(accepted, str) and isinstance(given, str):
            return _loosely(accepted) == _loosely(given)
        return same_json(accepted, given)


_MARKS = str.maketrans("", "", " ,./-_*^'\"")


def _loosely(text: str) -> str:
    return text.casefold().translate(_MARKS)


def _shown(value: Json) -> str:
    return shorten(json.dumps(value, ensure_ascii=False, default=str), 50)


def _read_wanted(call: Json) -> _Wanted | None:
    if not isinstance(call, dict):
        return None
    fields = cast("dict[str, Json]", call)
    if isinstance(fields.get("name"), str) and set(fields) <= {"name", "arguments"}:
        given: Json = fields.get("arguments", {})
        if not isinstance(given, dict):
            return None
        arguments = cast("dict[str, Json]", given)
        # One accepted value each. It is wrapped so that an object in it is not read as fields with accepted values.
        return _Wanted(fields["name"], {key: [_literal(value)] for key, value in arguments.items()})
    if len(fields) != 1:
        return None
    name, accepted = next(iter(fields.items()))
    if not isinstance(accepted, dict):
        return None
    values = cast("dict[str, Json]", accepted)
    if not all(isinstance(value, list) for value in values.values()):
        return None
    return _Wanted(name, cast("dict[str, list[Json]]", values))


def _literal(value: Json) -> Json:
    """The value in the accepted form: each field of an object has itself as its only accepted value."""
    if isinstance(value, dict):
        return {key: [_literal(part)] for key, part in cast("dict[str, Json]", value).items()}
    if isinstance(value, list):
        return [_literal(part) for part in cast("list[Json]", value)]
    return value


def _calls_in_text(output: str) -> tuple[ToolCall, ...]:
    if not output.lstrip().startswith(("{", "[", "```")):
        return ()
    try:
        value: Json = parse_json(output, fenced=True)
    except ValueError:
        return ()
    calls = cast("list[Json]", value) if isinstance(value, list) else [value]
    made: list[ToolCall] = []
    for call in calls:
        if not isinstance(call, dict):
            return ()
        fields = cast("dict[str, Json]", call)
        if not isinstance(fields.get("name"), str) or "arguments" not in fields:
            return ()
        made.append(ToolCall(name=fields["name"], arguments=fields["arguments"]))
    return tuple(made)
