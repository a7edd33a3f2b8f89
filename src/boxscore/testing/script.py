"""The script of a double: what it answers, to what."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar, cast

from boxscore.providers.response import Response
from boxscore.testing.faults import Fault
from boxscore.types import Json

Answer: TypeAlias = str | Response | Fault | tuple[int, Json] | tuple[int, Json, dict[str, str]]
"""A text, a whole response, a fault, or status, body and headers as they are to be sent."""

Asked = TypeVar("Asked")
Script: TypeAlias = Answer | Mapping[str, Answer] | Iterable[Answer] | Callable[[Asked], Answer]
"""An answer for all; by the last message's text, with "*" for all others; one after another; a function."""


def answering(script: Script[Asked], text: Callable[[Asked], str]) -> Callable[[Asked], Answer]:
    """The script as a function; `text` finds the last message's text in what was asked."""
    if isinstance(script, str | Response | Fault | tuple):
        constant = cast("Answer", script)
        return lambda _asked: constant
    if isinstance(script, Mapping):
        table = cast("Mapping[str, Answer]", script)
        return lambda asked: _looked_up(table, text(asked))
    if callable(script):
        return script
    rest = iter(script)
    return lambda _asked: _next(rest)


def text_of(node: Json) -> str:
    """All text of a message's content, whatever parts it has and whichever dialect wrote them."""
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return "".join(text_of(part) for part in cast("list[Json]", node))
    if isinstance(node, Mapping):
        fields = cast("Mapping[str, Json]", node)
        return "".join(text_of(fields[key]) for key in ("text", "content", "parts", "output") if key in fields)
    return ""


def _looked_up(table: Mapping[str, Answer], asked: str) -> Answer:
    found = table.get(asked, table.get("*"))
    return Fault("refused", f"the script has no answer to {asked!r} and none for '*'") if found is None else found


def _next(rest: Iterator[Answer]) -> Answer:
    return next(rest, Fault("refused", "the script is used up"))
