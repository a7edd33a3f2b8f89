"""Replies: the JSON in what a judge wrote, whatever stands around it."""

import json
import re
from collections.abc import Collection
from typing import cast

from boxscore.experiments.judges.scale import UnreadableError
from boxscore.types import Json

LONGEST = 1_000_000
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL)
MOST_OBJECTS = 1_000
"""Braces of a reply that are tried as the beginning of an object: a reply of nothing but braces must not take long."""


def without_thought(text: str) -> str:
    """The reply without what a local model thought aloud before it: a verdict that was weighed is not yet given,
    and a thought that was cut off is all there is."""
    found = _THOUGHT.match(text)
    return text[found.end() :] if found else text


def read_object(text: str, keys: Collection[str]) -> dict[str, Json]:
    """The JSON object of the reply that has all `keys`, code fences and prose around it or not.

    Objects inside others are not looked at: what a judge quotes is not what it says. The same object may stand there
    several times; two that differ in `keys` say nothing. Raises `UnreadableError`.
    """
    if len(text) > LONGEST:
        raise UnreadableError(f"it is longer than {LONGEST:,} characters")
    objects = _objects(text)
    complete = [found for found in objects if all(key in found for key in keys)]
    if not complete:
        if not objects:
            raise UnreadableError("it holds no JSON object")
        missing = next(key for key in keys if key not in objects[-1])
        raise UnreadableError(f"its JSON object has no {missing!r}")
    said = {json.dumps([_verdict(found[key]) for key in keys], sort_keys=True) for found in complete}
    if len(said) > 1:
        raise UnreadableError("it holds JSON objects with different verdicts; give one")
    return complete[-1]


def _objects(text: str) -> list[dict[str, Json]]:
    decoder, found, at = json.JSONDecoder(), list[dict[str, Json]](), 0
    for _ in range(MOST_OBJECTS):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        found.append(cast("dict[str, Json]", value))
    return found


def _verdict(value: Json) -> Json:
    return cast("dict[str, Json]", value).get("verdict") if isinstance(value, dict) else value
