"""Writing YAML that our own reader (`boxscore.experiments.yaml_tree`) reads as the same value."""

import re

import yaml

from boxscore.types import Json

__all__ = ["to_yaml"]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


# PyYAML leaves these texts bare ("1e3", "08"), and a reader of YAML 1.2 takes them for numbers.
_Dumper.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.strip("\n") else None
    if any(mark in text for mark in "\x85\u2028\u2029"):  # line ends to YAML: only an escape keeps them
        style = '"'
    return dumper.represent_scalar(  # pyright: ignore[reportUnknownMemberType]
        "tag:yaml.org,2002:str", text, style=style
    )


_Dumper.add_representer(str, _text)


def to_yaml(tree: Json) -> str:
    """YAML text: keys in their order, texts of several lines as blocks."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
