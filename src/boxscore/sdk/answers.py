"""What providers' clients answer with, whole or in parts: where in it the answer is."""

from collections.abc import Mapping, Sequence
from typing import cast

from boxscore.types import Json

__all__ = ["answer_of", "get", "whole"]


def get(value: object, name: str) -> Json:
    """Of a mapping or an object; None where there is none."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Json]", value).get(name)
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a property of the client's
        return None


def answer_of(response: object) -> object:
    """The part of a response that is the answer: of OpenAI, Anthropic and Google, and who does as they do."""
    for name in ("choices", "output", "content", "candidates"):
        found = get(response, name)
        if found and name == "choices" and isinstance(found, Sequence):
            messages = [get(choice, "message") for choice in cast("Sequence[object]", found)]
            return cast("object", found) if None in messages else messages
        if found:
            return found
    return response


def whole(parts: Sequence[object]) -> object:
    """What came in parts: the text of them where they are texts or a client's chunks, else all of them."""
    texts = [_text(part) for part in parts]
    found = [text for text in texts if text is not None]
    plain = all(isinstance(part, str) for part in parts)
    return "".join(found) if found and (plain or any(found)) else list(parts)


def _text(part: object) -> str | None:
    """Of `choices[0].delta.content` (OpenAI's chat), `delta` (its responses), `delta.text` (Anthropic)."""
    if isinstance(part, str):
        return part
    if type(part) in (int, float, bool, list, tuple, bytes, type(None)):
        return None
    choices = get(part, "choices")
    first = cast("Sequence[object]", choices)[0] if isinstance(choices, list) and choices else part
    delta = get(first, "delta")
    for found in (delta, get(delta, "content"), get(delta, "text")):
        if isinstance(found, str):
            return found
    return None
