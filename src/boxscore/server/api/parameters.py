"""What handlers take: who asks, and the parameters that many questions share."""

from collections.abc import Sequence
from typing import Annotated, cast

import fastapi
from fastapi import Depends, Query, Request

from boxscore.errors import UsageError
from boxscore.server.access import Caller
from boxscore.server.body import Scope
from boxscore.store.spans import Condition, parse_condition

__all__ = [
    "Asked",
    "Asker",
    "Cursor",
    "Filters",
    "Limit",
    "OldestFirst",
    "Preview",
    "Project",
    "SpanId",
    "TraceId",
    "Wait",
    "Whole",
    "conditions",
    "span_id_of",
    "trace_id_of",
]


def _caller(request: Request) -> Caller:
    return request.scope["caller"]


def _scope(request: Request) -> Scope:
    return cast(Scope, request.scope)


def _project(request: Request) -> str:
    return _caller(request).project


Asker = Annotated[Caller, Depends(_caller)]
"""Who asks, checked already: the name is for what is written down."""
Asked = Annotated[Scope, Depends(_scope)]
"""The request itself, for what is in none of the others."""
Project = Annotated[str, Depends(_project)]
"""The id of the project asked about, which the caller may see."""
Filters = Annotated[
    list[str],
    Query(
        alias="filter",
        description="A condition, as in `model=gpt-5` or `cost_usd>=0.01`; all must hold.",
        examples=[["model=gpt-5", "cost_usd>=0.01"]],
    ),
]
Limit = Annotated[
    int, Query(ge=1, le=1000, description="The most items of a page. One with much text in it is shorter.")
]
Cursor = Annotated[str | None, Query(description="The `cursor` of the page before.")]
Whole = Annotated[bool, Query(description="With texts and raw spans.")]
Preview = Annotated[
    bool, Query(description="With the beginnings of texts, and without raw spans: what a list shows of each.")
]
OldestFirst = Annotated[bool, Query(description="From the oldest on.")]
Wait = Annotated[
    float, Query(ge=0, le=30, description="Seconds to wait, at most, for what was sent a moment ago to be found.")
]
TraceId = Annotated[str, fastapi.Path(description="32 hex digits.", examples=["5b8efff798038103d269b633813fc60c"])]
SpanId = Annotated[str, fastapi.Path(description="16 hex digits.")]


def conditions(filter: Sequence[str]) -> list[Condition]:
    return [parse_condition(text) for text in filter]


def trace_id_of(text: str) -> bytes:
    """A `UsageError` for what is none."""
    return _id_of(text, "trace", 16)


def span_id_of(text: str) -> bytes:
    """A `UsageError` for what is none."""
    return _id_of(text, "span", 8)


def _id_of(text: str, what: str, size: int) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != size:
        raise UsageError(f"{text[:80]!r} is no {what} id: it has {2 * size} hex digits.")
    return found
