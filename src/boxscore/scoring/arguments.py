"""A scorer as one types it: `NAME[:ARG,ARG,key=value]`, read, written and bound to the scorer's parameters.

Rules of the string form (`parse_spec` and `format_spec` are inverse to each other):

- The name ends at the first colon; later colons are text. Arguments are split at commas, without the blanks around.
- `key=value` is an option when the part before the first `=` is a plain lower-case word (`pick=listed`).
- In an unquoted argument `\\,` is a comma. No other backslash means anything: `regex:\\d{1\\,3}` is `\\d{1,3}`.
- An argument or an option's value that begins with `"` runs to the closing `"`; inside it commas, blanks and
  backslashes are text, and `""` is one `"`. A quoted argument is never an option: `contains:"key=value"`.
"""

import inspect
import json
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from boxscore.errors import ScorerError
from boxscore.types import Json

__all__ = ["ParsedSpec", "bind", "format_spec", "parse_spec", "quote", "usage"]

_OPTION = re.compile(r"([a-z][a-z0-9_]*)=")


class ParsedSpec(NamedTuple):
    name: str
    args: tuple[str, ...]
    options: dict[str, str]


def parse_spec(text: str) -> ParsedSpec:
    """Splits the string form into name, arguments and options; raises ScorerError where it cannot be read."""
    name, colon, rest = text.strip().partition(":")
    name = name.strip()
    if not name:
        raise ScorerError(text, "has no name; the form is NAME[:ARG,ARG,key=value]")
    if not colon or not rest.strip():
        return ParsedSpec(name, (), {})
    args: list[str] = []
    options: dict[str, str] = {}
    for key, value in _split(name, rest):
        if key is None:
            args.append(value)
        elif key in options:
            raise ScorerError(name, f"option {key!r} is given twice")
        else:
            options[key] = value
    return ParsedSpec(name, tuple(args), options)


def _split(name: str, rest: str) -> Iterable[tuple[str | None, str]]:
    at = 0
    while True:
        while at < len(rest) and rest[at].isspace():
            at += 1
        key: str | None = None
        found = _OPTION.match(rest, at)
        if found:
            key, at = found[1], found.end()
        if at < len(rest) and rest[at] == '"':
            value, at = _quoted(name, rest, at + 1)
        else:
            value, at = _unquoted(rest, at)
            if not value and key is None:
                raise ScorerError(name, f'an argument of {rest!r} is empty; write "" where an empty text is meant')
        yield key, value
        if at >= len(rest):
            return
        at += 1  # the comma


def _quoted(name: str, rest: str, at: int) -> tuple[str, int]:
    value = ""
    while True:
        end = rest.find('"', at)
        if end < 0:
            raise ScorerError(name, f'a quote is opened and not closed in {rest!r}; inside quotes write "" for one "')
        value += rest[at:end]
        at = end + 1
        if rest[at : at + 1] != '"':
            break
        value += '"'
        at += 1
    while at < len(rest) and rest[at].isspace():
        at += 1
    if at < len(rest) and rest[at] != ",":
        raise ScorerError(name, f"after a closing quote a comma is expected, not {rest[at:]!r}")
    return value, at


def _unquoted(rest: str, at: int) -> tuple[str, int]:
    value = ""
    while at < len(rest) and rest[at] != ",":
        if rest.startswith("\\,", at):
            value += ","
            at += 2
        else:
            value += rest[at]
            at += 1
    return value.strip(), at


def quote(value: str, *, option: bool = False) -> str:
    """The argument as it must be typed; quoted only where it has to be."""
    # A backslash at the end would make the comma after it text.
    plain = value == value.strip() and not value.startswith('"') and "," not in value and not value.endswith("\\")
    if plain and (value or option) and (option or not _OPTION.match(value)):
        return value
    return '"' + value.replace('"', '""') + '"'


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if isinstance(value, list | tuple):
        return ",".join(quote(_text(part)) for part in cast("Sequence[Json]", value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def format_spec(name: str, args: Iterable[Json] = (), options: Mapping[str, Json] | None = None) -> str:
    """The string form. Options that are None are left out: a scorer passes None for what is at its default."""
    parts = [quote(_text(arg)) for arg in args]
    parts += [
        f"{key}={quote(_text(value), option=True)}" for key, value in (options or {}).items() if value is not None
    ]
    return f"{name}:{','.join(parts)}" if parts else name


def usage(name: str, factory: Callable[..., object]) -> str:
    """How the scorer is typed, from its signature: `choice:*choices[,pick=last|listed|marked]`."""
    parts: list[str] = []
    hints = _hints(factory)
    for parameter in _parameters(factory):
        if parameter.kind is parameter.VAR_POSITIONAL:
            parts.append(f"{parameter.name.upper()}…")
        elif parameter.kind is parameter.VAR_KEYWORD:
            parts.append("[key=value…]")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            default = (
                "" if parameter.default in (None, "", (), parameter.empty) else f" (default {_text(parameter.default)})"
            )
            parts.append(f"[{parameter.name}={_describe(hints.get(parameter.name))}{default}]")
        elif parameter.default is parameter.empty:
            parts.append(parameter.name.upper())
        else:
            hint = hints.get(parameter.name)
            is_choice = typing.get_origin(hint) is typing.Literal
            parts.append(f"[{_describe(hint) if is_choice else parameter.name.upper()}]")
    return f"{name}:{','.join(parts)}" if parts else name


def bind(
    name: str, factory: Callable[..., object], args: Sequence[Json], options: Mapping[str, Json]
) -> tuple[list[Json], dict[str, Json]]:
    """Arguments checked against the signature and converted to its annotations; ScorerError names what is wrong."""
    hints = _hints(factory)
    parameters = _parameters(factory)
    by_name = {p.name: p for p in parameters}
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    form = usage(name, factory)
    left = dict(options)
    given = list(args)

    if rest is not None and rest.name in left:
        more = left.pop(rest.name)
        given += cast("list[Json]", more) if isinstance(more, list) else [more]
    unknown = [key for key in left if key not in by_name and not takes_any]
    if unknown:
        accepted = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
        known = f"accepted are {', '.join(accepted)}" if accepted else "it takes none"
        hint = f'. Text that holds a "=" is quoted: "{unknown[0]}=…"' if rest or positional else ""
        raise ScorerError(name, f"there is no argument {unknown[0]!r}; {known}. Its form is {form}{hint}")
    if rest is None and len(given) > len(positional):
        most = f"at most {len(positional)}" if positional else "no"
        raise ScorerError(name, f"takes {most} plain arguments, {len(given)} were given; its form is {form}")
    twice = [p.name for p, _ in zip(positional, given, strict=False) if p.name in left]
    if twice:
        raise ScorerError(name, f"argument {twice[0]!r} is given twice, by place and by name ({form})")
    missing = [
        p.name
        for at, p in enumerate(parameters)
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and p.name not in left
        and not (p in positional and at < len(given))
    ]
    if missing:
        raise ScorerError(name, f"argument {missing[0]!r} is missing; its form is {form}")

    bound_args = [
        _convert(name, (positional[at] if at < len(positional) else rest).name, value, hints)  # type: ignore[union-attr]
        for at, value in enumerate(given)
    ]
    return bound_args, {key: _convert(name, key, value, hints) for key, value in left.items()}


def _parameters(factory: Callable[..., object]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(factory).parameters.values() if p.name != "folder"]


def _hints(factory: Callable[..., object]) -> dict[str, object]:
    target = cast("Callable[..., object]", factory.__init__) if inspect.isclass(factory) else factory
    try:
        return dict(typing.get_type_hints(target))
    except (NameError, TypeError):  # a plug-in's annotations that cannot be resolved: its values are passed as typed
        return {}


def _describe(hint: object) -> str:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return "|".join(str(choice) for choice in typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return "|".join(_describe(part) for part in typing.get_args(hint) if part is not type(None))
    if origin is tuple:
        return f"list of {_describe(typing.get_args(hint)[0])}"
    names: dict[object, str] = {bool: "true|false", int: "whole number", float: "number", str: "text"}
    return names.get(hint, "value")


def _convert(scorer: str, argument: str, value: Json, hints: Mapping[str, object]) -> Json:
    hint = hints.get(argument)
    if hint is None:
        return value
    try:
        return _converted(value, hint)
    except ValueError as problem:
        detail = f" ({problem})" if str(problem) else ""
        raise ScorerError(
            scorer, f"argument {argument!r} cannot be {value!r}: it takes {_describe(hint)}{detail}"
        ) from None


def _converted(value: Json, hint: object) -> Json:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        choices = typing.get_args(hint)
        for choice in choices:
            if value == choice or (isinstance(value, str) and value.lower() == str(choice)):
                return choice
        raise ValueError
    if origin in (typing.Union, types.UnionType):
        parts = typing.get_args(hint)
        if value is None and type(None) in parts:
            return None
        for part in parts:
            if part is not type(None):
                try:
                    return _converted(value, part)
                except ValueError:
                    continue
        raise ValueError
    if origin is tuple:
        part = typing.get_args(hint)[0]
        if isinstance(value, str):
            value = [text for _, text in _split("", value)] if value else []
        if not isinstance(value, list | tuple):
            value = [value]
        return tuple(_converted(one, part) for one in cast("Sequence[Json]", value))
    if hint is bool:
        return _bool(value)
    if hint is int or hint is float:
        return _number(value, whole=hint is int)
    if hint is str:
        if isinstance(value, bool):
            raise ValueError("YAML reads an unquoted yes, no, on or off as true or false: quote it")
        if isinstance(value, int | float):
            return _text(value)
        if not isinstance(value, str):
            raise ValueError
    return value


def _bool(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "1"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "no", "0"):
        return False
    raise ValueError


def _number(value: Json, *, whole: bool) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    try:
        number = float(value)
    except ValueError:
        raise ValueError from None
    if not math.isfinite(number) or (whole and not number.is_integer()):
        raise ValueError
    return int(number) if whole else number
