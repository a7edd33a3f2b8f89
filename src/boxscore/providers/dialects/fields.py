"""Reading JSON that someone else wrote: what every dialect does to a body, and nothing of any one of them."""

import json
from collections.abc import Collection, Iterable
from typing import cast

from boxscore.errors import ProviderError, SpecError
from boxscore.providers.response import ToolCall
from boxscore.types import Json

ANSWER_TOOL = "boxscore_answer"
"""The tool that a model without structured output is made to call, so that its input becomes the answer."""


def fields(value: Json) -> dict[str, Json]:
    """The object; empty for anything else."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """The list; empty for anything else."""
    return cast("list[Json]", value) if isinstance(value, list) else []


def string(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def position(value: Json) -> int:
    """The index of a block in a stream; the first where it is none."""
    return value if isinstance(value, int) else 0


def rest(body: dict[str, Json], carried: Collection[str]) -> dict[str, Json]:
    """The fields that nothing carries; those without a value say nothing."""
    return {key: value for key, value in body.items() if key not in carried and value not in (None, [], {})}


def overlaid(derived: dict[str, Json], given: dict[str, Json]) -> dict[str, Json]:
    """A body with what the user gave over what was derived; where both are objects, field by field."""
    both = {**derived, **given}
    for key in derived.keys() & given.keys():
        if isinstance(derived[key], dict) and isinstance(given[key], dict):
            both[key] = {**derived[key], **given[key]}
    return both


def counted(earlier: Json, later: Json) -> Json:
    """Two states of a stream's usage as one: counts are cumulative, so the larger is the final one."""
    if isinstance(earlier, dict) and isinstance(later, dict):
        a, b = fields(earlier), fields(later)
        return {**a, **{key: counted(a.get(key), value) for key, value in b.items()}}
    if isinstance(earlier, int | float) and isinstance(later, int | float):
        return max(earlier, later)
    return cast("Json", earlier if later is None else later)


def arguments(text: Json) -> Json:
    """A tool call's arguments: the parsed object, or the raw text when it is none; no text is no arguments."""
    if not isinstance(text, str):
        return {} if text is None else text
    if not text.strip():
        return {}
    try:
        parsed: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return cast("Json", parsed) if isinstance(parsed, dict) else text


def written(answer: Json) -> str:
    """The input of `ANSWER_TOOL` as the text of an answer; one that was cut off is text already."""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def called(call: ToolCall) -> dict[str, Json]:
    """The arguments of an earlier call as the object that a provider wants them in."""
    read = arguments(call.arguments)
    if not isinstance(read, dict):
        raise SpecError(f"the arguments of the earlier call of {call.name!r} are no JSON object.", key="messages")
    return fields(read)


def texts(value: Json) -> list[str]:
    """Stop sequences and the like, which may be written as one string."""
    return [value] if isinstance(value, str) else [str(item) for item in items(value)]


def bad_answer(body: Json, *, provider: str, expected: str, advice: str) -> ProviderError:
    """The error for a body of another shape. `expected` is what it should be, with what it lacks."""
    seen = ", ".join(list(fields(body))[:6]) or "no fields"
    what = f"has {seen}" if isinstance(body, dict) else f"is {type(cast('object', body)).__name__}"
    return ProviderError(
        "bad_answer", f"the answer is no {expected}: the body {what}; {advice}", provider=provider, status=200
    )


def cut(*, provider: str, texts: Iterable[str], calls: int) -> ProviderError:
    """The error for a stream that ended before its end, with how much had come."""
    characters = sum(map(len, texts))
    tools = f" and {calls} tool calls" if calls else ""
    return ProviderError(
        "cut", f"the stream broke off after {characters} characters of text{tools}; try again.", provider=provider
    )
