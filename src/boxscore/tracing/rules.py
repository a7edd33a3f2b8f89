"""The tables of all dialects as one: from the name of an attribute to what is done with it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from boxscore.tracing.conventions import DIALECTS, Field, Indexed, Name

__all__ = ["RAW", "Rule", "rule_of"]


class Rule(NamedTuple):
    """What an attribute says. Of two that say the same the lower `rank` counts.

    By `kind`: a name says one field (`name`), keys the fields of a JSON object's keys (`keys`), part a piece of a
    message, `part` being what is left of the numbered name, own something in the application's words under `key`,
    object many such in JSON, tags labels; raw stays in the raw span alone.
    """

    kind: Literal["name", "keys", "part", "own", "object", "tags", "raw"]
    rank: int = 0
    field: Field = "metadata"
    name: Name = Name(field="metadata")
    keys: Mapping[str, Name] = {}
    part: tuple[str, ...] = ()
    key: str = ""


RAW = Rule("raw")

_LONGEST = 256  # characters of a name that anybody would filter by
_REMEMBERED = 8_192


def _name(target: Field | Name) -> Name:
    return target if isinstance(target, Name) else Name(field=target)


def _exact() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for rank, (name, target) in enumerate(item for dialect in DIALECTS for item in dialect.names.items()):
        if name in rules:
            continue
        if isinstance(target, Mapping):
            rules[name] = Rule("keys", rank, keys={key: _name(inner) for key, inner in target.items()})
        elif target == "metadata":
            rules[name] = Rule("object", rank)
        elif target == "tags":
            rules[name] = Rule("tags", rank)
        else:
            rules[name] = Rule("name", rank, _name(target).field, _name(target))
    return rules


_rules: dict[str, Rule] = _exact()
_indexed: dict[str, tuple[int, Indexed]] = {}
for _rank, (_prefix, _how) in enumerate(item for dialect in DIALECTS for item in dialect.indexed.items()):
    _indexed.setdefault(_prefix, (_rank, _how))
_metadata = tuple(dict.fromkeys(prefix for dialect in DIALECTS for prefix in dialect.metadata))
_namespaces = tuple(dict.fromkeys(prefix for dialect in DIALECTS for prefix in dialect.namespaces))


def rule_of(name: str) -> Rule:
    """The rule of an attribute, whatever it is called: names that no table has are remembered, up to a number."""
    rule = _rules.get(name)
    if rule is None:
        if len(name) > _LONGEST:
            return RAW
        rule = _derived(name)
        if len(_rules) < _REMEMBERED:
            _rules[name] = rule
    return rule


def _derived(name: str) -> Rule:
    for prefix, (rank, how) in _indexed.items():
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            for noise in how.strip:
                rest = rest.replace(noise, "")
            part = tuple(rest.split("."))
            if part[0].isdecimal():
                return Rule("part", rank, how.field, part=part)
    for rank, prefix in enumerate(_metadata, start=1):
        if name.startswith(prefix) and len(name) > len(prefix):
            return Rule("own", rank, key=name[len(prefix) :])
    return RAW if not name or name.startswith(_namespaces) else Rule("own", key=name)
