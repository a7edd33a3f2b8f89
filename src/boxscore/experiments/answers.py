"""Answers of the user's own application, in the forms that it may give them."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

from boxscore.errors import ProviderError
from boxscore.providers.response import Response, ToolCall
from boxscore.types import Json

KEYS = (
    "output",
    "tool_calls",
    "usage",
    "cost_usd",
    "model",
    "provider",
    "finish_reason",
    "fingerprint",
    "latency_s",
    "first_token_s",
)


def response_from(answer: object, *, name: str) -> Response:
    """A response from a text, a mapping with some of `KEYS` (others are left alone), or a `Response`.

    `usage` may be in any provider's dialect; `cost_usd` a number or text, in US dollars; `tool_calls` a list of
    {name, arguments}. An `output` that is no text is written as JSON. What fits none of it is a `ProviderError` of
    kind bad_answer.
    """
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, str):
        return Response(output=answer)
    if not isinstance(answer, Mapping):
        raise _bad(
            f"it answered with {type(answer).__name__}: a text, a mapping with 'output', or a Response is due.", name
        )
    fields = cast("Mapping[str, Json]", answer)
    if "output" not in fields and "tool_calls" not in fields:
        raise _bad(f"its answer has no 'output', only {', '.join(map(str, fields)) or 'nothing'}.", name)
    cost = fields.get("cost_usd")
    return Response(
        output=text_of(fields.get("output", "")),
        tool_calls=_tool_calls(fields.get("tool_calls"), name),
        finish_reason=_text(fields, "finish_reason", name),
        model=_text(fields, "model", name),
        provider=_text(fields, "provider", name),
        fingerprint=_text(fields, "fingerprint", name),
        usage_raw=fields.get("usage"),
        cost_usd=None if cost is None else dollars(cost, name),
        price=None if cost is None else "reported",
        latency_s=_seconds(fields, "latency_s", name),
        first_token_s=_seconds(fields, "first_token_s", name),
    )


def text_of(value: Json) -> str:
    """Text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def dollars(value: Json, name: str) -> Decimal:
    """US dollars from a number or text."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise _bad(f"'cost_usd' is {value!r}, and that is no amount in US dollars.", name) from None
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise _bad(f"'cost_usd' is {value!r}, and that is no amount in US dollars.", name)
    return amount


def _tool_calls(value: Json, name: str) -> tuple[ToolCall, ...]:
    if value is None:
        return ()
    calls = cast("list[Json]", value) if isinstance(value, list | tuple) else [value]
    found: list[ToolCall] = []
    for call in calls:
        if isinstance(call, ToolCall):
            found.append(call)
        elif isinstance(call, Mapping) and isinstance(cast("Mapping[str, Json]", call).get("name"), str):
            fields = cast("Mapping[str, Json]", call)
            found.append(ToolCall(name=fields["name"], arguments=fields.get("arguments"), id=_text(fields, "id", name)))
        else:
            raise _bad(f"a tool call is a mapping with 'name' and 'arguments'; this is {call!r}.", name)
    return tuple(found)


def _text(fields: Mapping[str, Json], key: str, name: str) -> str | None:
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise _bad(f"{key!r} is {value!r}, and must be text.", name)


def _seconds(fields: Mapping[str, Json], key: str, name: str) -> float | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise _bad(f"{key!r} is {value!r}, and must be seconds.", name)
    return float(value)


def _bad(problem: str, name: str) -> ProviderError:
    return ProviderError("bad_answer", problem, provider=name)
