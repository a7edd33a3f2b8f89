"""`boxscore.score`: what somebody or something thought of a span, a trace or a session; sent as spans are."""

import math
import time
import uuid
from collections.abc import Mapping
from typing import Literal

from opentelemetry import trace as otel

from boxscore.sdk.capture import plain_text
from boxscore.sdk.contexts import attributes_around
from boxscore.sdk.notices import tell
from boxscore.sdk.runtime import runtime
from boxscore.types import Json

__all__ = ["Source", "score"]

Source = Literal["human", "code", "judge", "user"]
_LONGEST = 200  # characters of a name and of a category; beyond, the server refuses


def score(
    name: str,
    value: float | bool | str,
    *,
    trace_id: str | None = None,
    span_id: str | None = None,
    session: str | None = None,
    comment: str | None = None,
    source: Source = "code",
    metadata: Mapping[str, Json] | None = None,
    id: str | None = None,
) -> None:
    """Scores the current span, or where there is none the session of `boxscore.context`; with `trace_id` that trace, or
    its span `span_id`; with `session` a conversation.

    `value` is a number, true or false, or a category. The span may have ended, or not have arrived. A score with an
    `id` takes the place of an earlier one of that id. Never raises: one that cannot be taken is told in the log.
    """
    try:
        take = runtime.scores
        if take is None:
            tell("score", f"score {name!r} goes nowhere: boxscore.init() comes first.")
            return
        if trace_id is None and session is None:
            context = otel.get_current_span().get_span_context()
            around = attributes_around(None).get("boxscore.session")
            if context.is_valid:
                trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
            elif around is not None:
                session = str(around)
            else:
                tell("score", f"score {name!r} is of nothing: no span is current, and no trace_id or session is given.")
                return
        problem = _problem(name, value)
        if problem is not None:
            tell("score", f"score {str(name)[:_LONGEST]!r} was not taken: {problem}")
            return
        said: dict[str, Json] = {
            "id": id or uuid.uuid4().hex,
            "name": name,
            "value": value,
            "trace_id": trace_id,
            "span_id": span_id if trace_id is not None else None,
            "session": session if trace_id is None else None,
            "comment": plain_text(comment) if comment is not None else None,
            "source": source,
            "at_ns": time.time_ns(),
            "metadata": {str(key): plain_text(inner) for key, inner in (metadata or {}).items()} or None,
        }
        take({key: inner for key, inner in said.items() if inner is not None})
    except Exception as error:  # noqa: BLE001 - never into the application
        tell("score", f"score {name!r} was not taken: {type(error).__name__}: {error}")


def _problem(name: str, value: float | bool | str) -> str | None:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or set(name) & set(" \t\n=!<>"):  # pyright: ignore[reportUnnecessaryIsInstance]
        return f"a name has 1 to {_LONGEST} characters, without spaces and without = ! < >."
    if isinstance(value, str):
        return None if 0 < len(value) <= _LONGEST else f"a category has 1 to {_LONGEST} characters."
    if not isinstance(value, int | float) or not math.isfinite(value):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "a value is a finite number, true, false or a text."
    return None
