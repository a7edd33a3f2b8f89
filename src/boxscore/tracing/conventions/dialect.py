"""A dialect: a table from the names that one family of instrumentation gives to attributes, to fields of ours."""

from collections.abc import Mapping
from typing import Literal

import msgspec

__all__ = ["Dialect", "Field", "Indexed", "Name", "Target"]

Field = Literal[
    "operation",
    "step",
    "application",
    "environment",
    "release",
    "session",
    "user",
    "model_asked",
    "model",
    "provider",
    "fingerprint",
    "prompt",
    "prompt_version",
    "variant",
    "graph",
    "input_tokens",  # all of them, cached included
    "uncached_tokens",  # input without what came from the cache or went into it
    "output_tokens",
    "cached_tokens",
    "written_tokens",  # into the cache
    "reasoning_tokens",
    "first_token",
    "input",
    "output",
    "output_calls",  # the tool calls of an answer, where they are told apart from its text
    "metadata",
    "tags",
    "entry",
    "error",
    "status_message",
]
"""What an attribute can say in the normal form."""


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """What an attribute says: its field and, for times, the unit. `values` maps the dialect's words to ours (others
    stay as they are), `implies` is the operation of a span that has such an attribute and names none."""

    field: Field
    unit: Literal["s", "ms", "at"] | None = None
    values: Mapping[str, str] = {}
    implies: str | None = None


Target = Field | Name | Mapping[str, Field | Name]
"""A field, a field with more to say, or, for an attribute that holds a JSON object, the fields of its keys."""


class Indexed(msgspec.Struct, frozen=True):
    """Messages spread over attributes with a number in their names: `PREFIX.0.role`. `strip` are parts of the rest
    that say nothing (`message.`)."""

    field: Literal["input", "output"]
    strip: tuple[str, ...] = ()


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """`names` are exact, `metadata` prefixes of what the application says in its own words, `namespaces` prefixes
    whose other attributes are the instrumentation's: they stay in the raw span alone. Earlier names count first."""

    title: str
    source: str
    names: Mapping[str, Target]
    indexed: Mapping[str, Indexed] = {}
    metadata: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
