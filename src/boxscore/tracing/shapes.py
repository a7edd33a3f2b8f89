"""Shapes: what a set of attribute names can say, worked out once and used for every span that has the same set.

Applications write few kinds of spans: nearly all of them have a shape that was seen before, and then a field costs a
look at the one attribute that says it best.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from boxscore.tracing.conventions import Field, Name
from boxscore.tracing.rules import RAW, Rule, rule_of
from boxscore.tracing.values import object_of, read_value
from boxscore.types import Json

__all__ = ["COUNTS", "LONGEST_TEXT", "MESSAGES", "Parts", "Shape", "Shapes", "Source"]

MESSAGES: frozenset[Field] = frozenset({"input", "output", "output_calls"})
COUNTS: tuple[Field, ...] = (
    *("input_tokens", "uncached_tokens", "output_tokens", "cached_tokens", "written_tokens", "reasoning_tokens"),
)
LONGEST_TEXT = 1_024
"""Characters of a value that is filtered by; longer ones stay in the raw span."""

_TEXTS: frozenset[Field] = frozenset(
    (
        *("operation", "step", "application", "environment", "release", "session", "user", "model_asked", "model"),
        *("provider", "fingerprint", "prompt", "prompt_version", "variant", "graph"),
    )
)
_SHAPES_KEPT = 1_024
_LONGEST_SHAPE = 8_192  # characters of all its names
_TEXTS_KEPT = 256
_LONGEST_KEPT = 64  # bytes of a text that is remembered


class Source:
    """An attribute that can say a field, or with `inner` a key in the JSON object that it holds. Of several that say
    the same the lowest `rank` counts."""

    __slots__ = ("_is_message", "inner", "key", "known", "name", "rank")

    def __init__(self, key: str, rank: int, name: Name, inner: str | None = None) -> None:
        self.key = key
        self.rank = rank
        self.name = name
        self.known: dict[bytes, str] = {}
        """Texts by their encoded values: the same few come again and again."""
        self.inner = inner
        self._is_message = name.field in MESSAGES

    def value(self, encoded: bytes) -> Json:
        """None where it says nothing."""
        value = read_value(encoded)
        if self.inner is not None:
            value = object_of(value).get(self.inner)
        values = self.name.values
        if isinstance(value, str):
            if not self._is_message and value[:1] == '"' == value[-1:]:
                value = _unquoted(value)
            if values:
                value = values.get(value, value)
            return value or None
        return None if values else value

    def text(self, encoded: bytes) -> str | None:
        """As `value`, for a field that is text: empty where it says nothing, None where it says what is no text."""
        value = self.value(encoded)
        if value is None:
            text = ""
        elif isinstance(value, str):
            text = value
        elif isinstance(value, int | float):
            text = msgspec.json.encode(value).decode()
        else:
            return None
        if len(text) > LONGEST_TEXT:
            return None
        if len(encoded) <= _LONGEST_KEPT:
            if len(self.known) >= _TEXTS_KEPT:
                self.known.clear()
            self.known[encoded] = text
        return text


class Parts(NamedTuple):
    """Messages spread over attributes, in order: of each its attributes, and what of them each is."""

    rank: int
    messages: Sequence[Sequence[tuple[tuple[str, ...], str]]]


class Shape(NamedTuple):
    """The sources of each field, best first: all of them in `said`, of those the texts in `texts`. `plain` are the
    attributes that hold the text of the last message in, or of the answer out, if they are plain text. `own` are
    attributes with the application's words, and how to read them; `implied` is the operation of a span that names
    none."""

    said: Mapping[Field, Sequence[Source]]
    texts: Sequence[tuple[Field, Sequence[Source]]]
    parts: Mapping[Field, Parts]
    plain: Mapping[Field, Sequence[str]]
    own: Sequence[tuple[str, Rule]]
    implied: str | None
    has_counts: bool


class Shapes:
    """Remembers shapes and sources; for one thread at a time."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._sources: dict[str, list[Source]] = {}

    def of(self, attributes: Iterable[str]) -> Shape:
        keys = tuple(attributes)
        shape = self._shapes.get(keys)
        if shape is None:
            shape = self._made(keys)
            if sum(map(len, keys)) <= _LONGEST_SHAPE:
                if len(self._shapes) >= _SHAPES_KEPT:
                    self._shapes.clear()
                self._shapes[keys] = shape
        return shape

    def _made(self, keys: Sequence[str]) -> Shape:
        rules = [(key, rule) for key in keys if (rule := rule_of(key)) is not RAW]
        said: dict[Field, list[Source]] = {}
        parts: dict[Field, dict[int, list[tuple[tuple[str, ...], str]]]] = {}
        implied: list[tuple[int, str]] = []
        for key, rule in rules:
            for source in self._sources_of(key, rule):
                said.setdefault(source.name.field, []).append(source)
            if rule.kind == "part":
                parts.setdefault(rule.field, {}).setdefault(rule.rank, []).append((rule.part, key))
            elif rule.kind == "name" and rule.name.implies is not None:
                implied.append((rule.rank, rule.name.implies))
        for sources in said.values():
            sources.sort(key=lambda source: source.rank)
        spread: dict[Field, Parts] = {
            field: Parts(min(ranks), _by_message(ranks[min(ranks)])) for field, ranks in parts.items()
        }
        plain: dict[Field, Sequence[str]] = {}
        for field in ("input", "output"):
            if (found := _plain(field, said, spread)) is not None:
                plain[field] = found
        if "output_calls" in said:
            plain.pop("output", None)
        return Shape(
            said=said,
            texts=[(field, sources) for field, sources in said.items() if field in _TEXTS],
            parts=spread,
            plain=plain,
            own=[(key, rule) for key, rule in rules if rule.kind in {"own", "object", "tags"}],
            implied=min(implied)[1] if implied else None,
            has_counts=not said.keys().isdisjoint(COUNTS),
        )

    def _sources_of(self, key: str, rule: Rule) -> list[Source]:
        if rule.kind not in {"name", "keys"}:
            return []
        found = self._sources.get(key)
        if found is None:
            names = {None: rule.name} if rule.kind == "name" else rule.keys
            found = self._sources[key] = [Source(key, rule.rank, name, inner) for inner, name in names.items()]
        return found


def _by_message(parts: Iterable[tuple[tuple[str, ...], str]]) -> list[list[tuple[tuple[str, ...], str]]]:
    messages: dict[int, list[tuple[tuple[str, ...], str]]] = {}
    for (number, *rest), key in parts:
        messages.setdefault(int(number[:9]), []).append((tuple(rest), key))
    return [sorted(messages[number]) for number in sorted(messages)]


def _plain(field: Field, said: Mapping[Field, Sequence[Source]], parts: Mapping[Field, Parts]) -> Sequence[str] | None:
    best, spread = said.get(field), parts.get(field)
    if best and (spread is None or best[0].rank <= spread.rank):
        return None if best[0].inner is not None else [best[0].key]
    if spread is None:
        return []
    if any("tool_calls" in rest for message in spread.messages for rest, _ in message):
        return None
    read = spread.messages[-1:] if field == "input" else spread.messages
    keys = [key for message in read for rest, key in message if not rest or rest[-1] in {"content", "text"}]
    return keys or None  # who spoke alone is no message


def _unquoted(text: str) -> str:
    """Text that was made JSON, as MLflow does with all it sets."""
    try:
        return msgspec.json.decode(text, type=str)
    except ValueError:
        return text
