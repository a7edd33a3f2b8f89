"""What handlers take: who asks, and the parameters that many questions share."""

from collections.abc import Sequence
from typing import Annotated

import fastapi
from fastapi import Depends, Query, Request

from boxscore.errors import UsageError
from boxscore.server.access import Caller
from boxscore.store.spans import Condition, parse_condition

__all__ = [
    "Asker",
    "Cursor",
    "Filters",
    "Limit",
    "OldestFirst",
    "Project",
    "TraceId",
    "Wait",
    "Whole",
    "conditions",
    "trace_id_of",
]


def _caller(request: Request) -> Caller:
    return request.scope["caller"]


def _project(request: Request) -> str:
    return _caller(request).project


Asker = Annotated[Caller, Depends(_caller)]
"""Who asks, checked already: the name is for what is written down."""
Project = Annotated[str, Depends(_project)]
"""The id of the project asked about, which the caller may see."""
Filters = Annotated[
    list[str],
    Query(alias="filter", description="A condition, as in `model=gpt-5` or `cost_usd>=0.01`; all must hold."),
]
Limit = Annotated[
    int, Query(ge=1, le=1000, description="The most items of a page. One with much text in it is shorter.")
]
Cursor = Annotated[str | None, Query(description="The `cursor` of the page before.")]
Whole = Annotated[bool, Query(description="With texts and raw spans.")]
OldestFirst = Annotated[bool, Query(description="From the oldest on.")]
Wait = Annotated[
    float, Query(ge=0, le=30, description="Seconds to wait, at most, for what was sent a moment ago to be found.")
]
TraceId = Annotated[str, fastapi.Path(description="32 hex digits.")]


def conditions(filter: Sequence[str]) -> list[Condition]:
    return [parse_condition(text) for text in filter]


def trace_id_of(text: str) -> bytes:
    """A `UsageError` for what is none."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise UsageError(f"{text[:80]!r} is no trace id: it has 32 hex digits.")
    return found
